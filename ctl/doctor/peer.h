#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/jid.h"
#include "base/time.h"
#include "xmpp/proto/request.h"
#include "xmpp/session.h"
#include "xmpp/stream/options.h"
#include "xmpp/transport.h"
#include "xmpp/xml/element.h"

namespace boost::asio {
class io_context;
}
namespace bascule::xmpp {
class NativeStream;
}

namespace bascule::ctl::doctor {

/// Both clocks of this machine.
[[nodiscard]] Now read_now();

/// "item-not-found (text)", or what we say of it ourselves.
[[nodiscard]] std::string describe(const xmpp::IqFailure& failure);
[[nodiscard]] std::string describe(const proto::StanzaError& error);
/// Whether the peer answered with this condition.
[[nodiscard]] bool is(const xmpp::IqFailure& failure, proto::Condition condition);
/// Whether nobody answered in time.
[[nodiscard]] bool is_timeout(const xmpp::IqFailure& failure);

/// One XMPP stream that is asked and waited for: each call runs the loop until its answer is there.
class Peer final : public xmpp::TransportListener {
 public:
  /// `send_from`: of a component, `from` of what it sends; empty: left to the server.
  Peer(boost::asio::io_context& io, xmpp::NativeStreamOptions options, Jid send_from = {});
  ~Peer() override;

  /// Why not, when it fails.
  std::optional<xmpp::Down> open();
  /// Cuts the connection without a word and continues the session on a new one. False: the server
  /// gave us another session. Errors of the connection itself as of `open`.
  tl::expected<bool, xmpp::Down> cut_and_resume();
  /// Ends the stream in order.
  void close();

  xmpp::IqOutcome ask(const Jid& to, const proto::Request& request, Duration limit);
  /// Sends all of them at once; true when each was answered, by whatever, within `limit`.
  bool ask_all(const Jid& to, const std::vector<proto::Request>& requests, Duration limit);
  void send(const xml::Element& stanza);
  /// Runs the loop until the condition holds; false when it does not within `limit` or the stream
  /// is down.
  bool until(const std::function<bool()>& condition, Duration limit);

  [[nodiscard]] const xmpp::Up& up() const { return *up_; }
  [[nodiscard]] const Jid& send_from() const { return send_from_; }
  /// Presence and messages that arrived since this was cleared.
  std::vector<xml::Element> stanzas;

  void on_up(const xmpp::Up& up) override;
  void on_down(const xmpp::Down& down) override;
  void on_stanza(xml::Element stanza, std::uint64_t sequence) override;
  void on_rejected(const xml::Element& head, const std::string& reason,
                   std::uint64_t sequence) override;

 private:
  std::optional<xmpp::Down> connect();

  boost::asio::io_context& io_;
  xmpp::NativeStreamOptions options_;
  Jid send_from_;
  std::unique_ptr<xmpp::NativeStream> stream_;
  xmpp::Session session_;
  std::optional<xmpp::Up> up_;
  std::optional<xmpp::Down> down_;
  std::vector<xmpp::Completed> completed_;
  std::uint64_t requests_ = 0;
};

}  // namespace bascule::ctl::doctor
