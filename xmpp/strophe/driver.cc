#include "xmpp/strophe/driver.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <boost/asio/post.hpp>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace bascule::xmpp::strophe {
namespace {

constexpr std::chrono::seconds kCloseTimeout{2};
constexpr std::string_view kPingNamespace = "urn:xmpp:ping";
constexpr std::string_view kPingIdPrefix = "bascule-link-ping-";

}  // namespace

void SharedLink::set_socket(int descriptor) {
  const std::scoped_lock lock(mutex_);
  if (socket_ >= 0) {
    ::close(socket_);
  }
  socket_ = descriptor < 0 ? -1 : ::fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
}

void SharedLink::shut_down(const std::string& reason) {
  const std::scoped_lock lock(mutex_);
  if (socket_ >= 0) {
    reason_ = reason;
    ::shutdown(socket_, SHUT_RDWR);
  }
}

std::string SharedLink::take_reason() {
  const std::scoped_lock lock(mutex_);
  return std::exchange(reason_, {});
}

Driver::Driver(const StropheOptions& options, boost::asio::io_context& io, SharedLink& link,
               std::function<void(DriverEvent)> emit)
    : options_(options),
      io_(io),
      link_(link),
      emit_(std::move(emit)),
      resolver_(io),
      ping_timer_(io),
      close_timer_(io) {
}

Driver::~Driver() {
  release_pump();
}

void Driver::open() {
  phase_ = Phase::kResolving;
  ++generation_;
  if (!options_.ca_file.empty() && ::access(options_.ca_file.c_str(), R_OK) != 0) {
    finish({.kind = DownKind::kCertificate,
            .reason = "CA file " + options_.ca_file + " cannot be read"});
    return;
  }
  // libstrophe would look the name up by itself, blocking.
  resolver_.async_resolve(options_.host, std::to_string(options_.port),
                          [this, generation = generation_](const auto& error, const auto& results) {
                            if (generation == generation_ && phase_ == Phase::kResolving) {
                              on_resolved(error, results);
                            }
                          });
}

void Driver::on_resolved(const boost::system::error_code& error,
                         const boost::asio::ip::tcp::resolver::results_type& results) {
  if (error) {
    finish({.kind = DownKind::kConnection,
            .reason = "cannot resolve " + options_.host + ": " + error.message()});
    return;
  }
  addresses_.clear();
  for (const auto& result : results) {
    addresses_.push_back(result.endpoint().address().to_string());
  }
  try_next_address();
}

void Driver::try_next_address() {
  phase_ = Phase::kConnecting;
  const auto address = std::move(addresses_.front());
  addresses_.pop_front();
  pump_ = std::make_shared<Pump>(io_, std::make_unique<Connection>(options_, reserved_, *this),
                                 [this] { after_turn(); });
  emit_(AttemptStarted{});
  if (pump_->connection().connect(address)) {
    link_.set_socket(pump_->connection().descriptor());
    pump_->start();
  } else {
    on_attempt_ended();
  }
}

void Driver::after_turn() {
  account_written();
  if (pump_->connection().down()) {
    on_attempt_ended();
  }
}

void Driver::on_attempt_ended() {
  auto down = *pump_->connection().down();
  const bool next_address_may_help =
      phase_ == Phase::kConnecting && !pump_->connection().reached_peer() && !addresses_.empty();
  const auto reason = link_.take_reason();
  if (!reason.empty() && down.kind != DownKind::kCertificate) {
    down = {.kind = DownKind::kConnection, .reason = reason};
  }
  if (phase_ == Phase::kClosing) {
    down = {.kind = DownKind::kClosedByUs, .reason = "closed"};
  }
  release_pump();
  if (next_address_may_help) {
    try_next_address();
  } else {
    finish(std::move(down));
  }
}

void Driver::finish(Down down) {
  release_pump();
  resolver_.cancel();
  ping_timer_.cancel();
  close_timer_.cancel();
  ++generation_;
  phase_ = Phase::kIdle;
  emit_(std::move(down));
}

void Driver::release_pump() {
  if (pump_) {
    std::exchange(pump_, nullptr)->stop();
  }
  link_.set_socket(-1);
  for (const auto bytes : std::exchange(unsent_, {})) {
    link_.queued_bytes -= bytes;
    --link_.queued_stanzas;
  }
}

void Driver::send(const std::string& bytes) {
  if (phase_ != Phase::kUp) {
    link_.queued_bytes -= bytes.size();
    --link_.queued_stanzas;
    return;
  }
  transmit(bytes);
}

void Driver::transmit(const std::string& bytes) {
  pump_->connection().send(bytes);
  unsent_.push_back(bytes.size());
  pump_->request_turn();
}

// libstrophe tells only how many stanzas it has not completely written; they are the youngest.
void Driver::account_written() {
  const auto left = pump_->connection().queue_length();
  while (unsent_.size() > left) {
    link_.queued_bytes -= unsent_.front();
    --link_.queued_stanzas;
    unsent_.pop_front();
  }
}

void Driver::close() {
  if (phase_ == Phase::kIdle || phase_ == Phase::kClosing) {
    return;
  }
  if (phase_ != Phase::kUp) {
    finish({.kind = DownKind::kClosedByUs, .reason = "closed"});
    return;
  }
  phase_ = Phase::kClosing;
  ping_timer_.cancel();
  pump_->connection().end_stream();
  pump_->request_turn();
  close_timer_.expires_after(kCloseTimeout);
  close_timer_.async_wait([this, generation = generation_](const boost::system::error_code& error) {
    if (!error && generation == generation_ && phase_ == Phase::kClosing) {
      finish({.kind = DownKind::kClosedByUs, .reason = "closed, the server did not answer"});
    }
  });
}

void Driver::abort(Down down) {
  if (phase_ != Phase::kIdle) {
    finish(std::move(down));
  }
}

void Driver::on_connected(const Jid& bound_jid) {
  phase_ = Phase::kUp;
  waiting_for_pong_ = false;
  pong_checked_ = true;
  arm_ping_timer(options_.ping_interval);
  emit_(Up{.bound_jid = bound_jid});
}

void Driver::on_stanza(std::variant<xml::Element, OverLimit> stanza) {
  waiting_for_pong_ = false;  // Whatever arrives proves that the peer is alive and understood.
  if (auto* whole = std::get_if<xml::Element>(&stanza)) {
    if (!is_pong(*whole)) {
      emit_(std::move(*whole));
    }
  } else {
    emit_(std::get<OverLimit>(std::move(stanza)));
  }
}

void Driver::arm_ping_timer(Duration delay) {
  ping_timer_.expires_after(delay);
  ping_timer_.async_wait([this, generation = generation_](const boost::system::error_code& error) {
    if (!error && generation == generation_ && phase_ == Phase::kUp) {
      on_ping_timer();
    }
  });
}

// The one watchdog that finds a server that hangs and a stream whose parser is broken: libstrophe
// raises no event for malformed input. A component pings itself: the server routes the request
// back, and needs no module for it. A client pings its server (XEP-0199 4.2).
void Driver::on_ping_timer() {
  if (waiting_for_pong_) {
    finish({.kind = DownKind::kConnection, .reason = "no answer to a ping within the time limit"});
    return;
  }
  if (std::exchange(pong_checked_, true) == false) {
    arm_ping_timer(std::max(Duration::zero(), options_.ping_interval - options_.ping_timeout));
    return;
  }
  xml::Element iq{.name = "iq", .ns = "jabber:client"};
  iq.set("type", "get").set("id", std::string(kPingIdPrefix) + std::to_string(++pings_));
  iq.set("to", options_.address.domain());
  if (options_.mode == StropheMode::kComponent) {
    iq.set("from", options_.address.domain());
  }
  iq.add({.name = "ping", .ns = std::string(kPingNamespace)});
  const auto bytes = to_wire(iq);
  link_.queued_bytes += bytes.size();
  ++link_.queued_stanzas;
  waiting_for_pong_ = true;
  pong_checked_ = false;
  transmit(bytes);
  arm_ping_timer(options_.ping_timeout);
}

bool Driver::is_pong(const xml::Element& stanza) const {
  const auto id = stanza.attribute_or_empty("id");
  const auto from = stanza.attribute_or_empty("from");
  return stanza.name == "iq" && id.substr(0, kPingIdPrefix.size()) == kPingIdPrefix &&
         (from.empty() || from == options_.address.domain());
}

}  // namespace bascule::xmpp::strophe
