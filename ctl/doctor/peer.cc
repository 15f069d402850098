#include "ctl/doctor/peer.h"

#include <algorithm>
#include <chrono>
#include <random>
#include <utility>

#include <boost/asio/io_context.hpp>

#include "xmpp/proto/iq.h"
#include "xmpp/stream/native_stream.h"

namespace bascule::ctl::doctor {
namespace {

constexpr Duration kFarewell = std::chrono::milliseconds{1'200};

/// A check wants an answer soon: who works is faster by far, and everything else is a finding.
xmpp::NativeStreamOptions hasty(xmpp::NativeStreamOptions options) {
  options.connect_timeout = std::chrono::seconds{3};
  options.open_timeout = std::chrono::seconds{8};
  return options;
}

}  // namespace

Now read_now() {
  return {.mono = Instant(std::chrono::duration_cast<Duration>(
              std::chrono::steady_clock::now().time_since_epoch())),
          .wall = WallTime(std::chrono::duration_cast<Duration>(
              std::chrono::system_clock::now().time_since_epoch()))};
}

std::string describe(const proto::StanzaError& error) {
  return std::string(to_string(error.condition)) +
         (error.text.empty() ? "" : " (" + error.text + ")");
}

std::string describe(const xmpp::IqFailure& failure) {
  const auto* error = std::get_if<proto::StanzaError>(&failure);
  return error != nullptr ? describe(*error) : std::get<Error>(failure).what;
}

bool is(const xmpp::IqFailure& failure, proto::Condition condition) {
  const auto* error = std::get_if<proto::StanzaError>(&failure);
  return error != nullptr && error->condition == condition;
}

bool is_timeout(const xmpp::IqFailure& failure) {
  const auto* error = std::get_if<Error>(&failure);
  return error != nullptr && error->code == Errc::kTimeout;
}

Peer::Peer(boost::asio::io_context& io, xmpp::NativeStreamOptions options, Jid send_from)
    : io_(io),
      options_(hasty(std::move(options))),
      send_from_(std::move(send_from)),
      session_({.id_token = std::random_device{}()}) {
}

Peer::~Peer() {
  close();
}

std::optional<xmpp::Down> Peer::open() {
  stream_ = std::make_unique<xmpp::NativeStream>(io_, options_, *this);
  return connect();
}

std::optional<xmpp::Down> Peer::connect() {
  up_.reset();
  down_.reset();
  stream_->open();
  until([this] { return up_.has_value(); }, options_.open_timeout + std::chrono::seconds{1});
  if (up_) {
    return std::nullopt;
  }
  if (!down_) {
    down_ = xmpp::Down{.kind = xmpp::DownKind::kConnection, .reason = "no answer"};
  }
  return down_;
}

tl::expected<bool, xmpp::Down> Peer::cut_and_resume() {
  const xmpp::SmState state = stream_->session_state();
  // The destructor says nothing to the server: as if this process had died.
  stream_ = std::make_unique<xmpp::NativeStream>(io_, options_, *this);
  stream_->adopt(state);
  if (auto down = connect()) {
    return tl::make_unexpected(std::move(*down));
  }
  return up_->resumed;
}

void Peer::close() {
  if (stream_ && up_ && !down_) {
    stream_->close();
    const auto deadline = read_now().mono + kFarewell;
    while (!down_ && read_now().mono < deadline) {
      io_.restart();
      io_.run_one_for(std::chrono::milliseconds{50});
    }
  }
  stream_.reset();
}

xmpp::IqOutcome Peer::ask(const Jid& to, const proto::Request& request, Duration limit) {
  const RequestId id(++requests_);
  auto stanza = session_.send(id, to, request, limit, read_now());
  if (!stanza) {
    return std::move(stanza.error().outcome);
  }
  send(*stanza);
  completed_.clear();
  until([this] { return !completed_.empty(); }, limit);
  if (completed_.empty()) {
    session_.fire_timers({.mono = read_now().mono + limit, .wall = {}}, completed_);
  }
  return std::move(completed_.front().outcome);
}

bool Peer::ask_all(const Jid& to, const std::vector<proto::Request>& requests, Duration limit) {
  completed_.clear();
  for (const proto::Request& request : requests) {
    const auto stanza = session_.send(RequestId(++requests_), to, request, limit, read_now());
    if (stanza) {
      send(*stanza);
    }
  }
  return until([&] { return completed_.size() == requests.size(); }, limit);
}

void Peer::send(const xml::Element& stanza) {
  stream_->send(stanza);
}

bool Peer::until(const std::function<bool()>& condition, Duration limit) {
  const Instant deadline = read_now().mono + limit;
  while (!condition()) {
    const Duration left = deadline - read_now().mono;
    if (down_ || left <= Duration::zero()) {
      return false;
    }
    io_.restart();
    io_.run_one_for(left);
  }
  return true;
}

void Peer::on_up(const xmpp::Up& up) {
  up_ = up;
  session_.stream_up(up.bound_jid, send_from_);
}

void Peer::on_down(const xmpp::Down& down) {
  down_ = down;
  session_.stream_down(completed_);
}

void Peer::on_stanza(xml::Element stanza, std::uint64_t sequence) {
  if (sequence != 0) {
    stream_->handled(sequence);
  }
  if (!xmpp::Session::is_answer(stanza)) {
    stanzas.push_back(std::move(stanza));
  } else if (auto completed = session_.receive(stanza)) {
    completed_.push_back(std::move(*completed));
  }
}

void Peer::on_rejected(const xml::Element& /*head*/, const std::string& /*reason*/,
                       std::uint64_t sequence) {
  if (sequence != 0) {
    stream_->handled(sequence);
  }
}

}  // namespace bascule::ctl::doctor
