#include "daemon/session_evictor.h"

#include <utility>

#include "daemon/clock.h"
#include "xmpp/stream/native_stream.h"

namespace bascule::daemon {

class SessionEvictor::Eviction final : public xmpp::TransportListener {
 public:
  Eviction(SessionEvictor& owner, std::uint64_t number, const Jid& session)
      : owner_(owner),
        number_(number),
        session_(session),
        stream_(owner.io_, options_for(owner.account_, session), *this) {
    stream_.open();
  }

  void on_up(const xmpp::Up& /*up*/) override {
    bound_ = true;
    tell(focus::NoteLevel::kInfo, "session.evicted", "bound its address");
    stream_.close();
  }
  void on_down(const xmpp::Down& down) override {
    if (!bound_) {
      tell(focus::NoteLevel::kWarn, "session.not_evicted", down.reason);
    }
    owner_.ended(number_);  // Ends this object.
  }
  void on_stanza(xml::Element /*stanza*/, std::uint64_t /*sequence*/) override {}
  void on_rejected(const xml::Element& /*head*/, const std::string& /*reason*/,
                   std::uint64_t /*sequence*/) override {}

 private:
  static xmpp::NativeStreamOptions options_for(xmpp::NativeStreamOptions account,
                                               const Jid& session) {
    account.resource = session.resource();
    account.stream_management = false;
    account.warn = {};
    return account;
  }

  void tell(focus::NoteLevel level, std::string_view event, const std::string& how) {
    owner_.log_.write({.level = level,
                       .event = event,
                       .fields = {{"session", session_.to_string()}, {"how", how}}},
                      read_clocks());
  }

  SessionEvictor& owner_;
  std::uint64_t number_;
  Jid session_;
  bool bound_ = false;
  xmpp::NativeStream stream_;
};

SessionEvictor::SessionEvictor(boost::asio::io_context& io, xmpp::NativeStreamOptions account,
                               LogSink& log)
    : io_(io), account_(std::move(account)), log_(log) {
}

SessionEvictor::~SessionEvictor() = default;

void SessionEvictor::evict(const Jid& session) {
  const std::uint64_t number = ++last_number_;
  running_.emplace(number, std::make_unique<Eviction>(*this, number, session));
}

void SessionEvictor::ended(std::uint64_t number) {
  // A stream may be destroyed inside a call to its listener.
  running_.erase(number);
}

}  // namespace bascule::daemon
