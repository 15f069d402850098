#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/time.h"
#include "xmpp/strophe/connection.h"
#include "xmpp/strophe/low_descriptor.h"
#include "xmpp/strophe/pump.h"

namespace bascule::xmpp::strophe {

/// The login to one address began.
struct AttemptStarted {};
using DriverEvent = std::variant<AttemptStarted, Up, Down, xml::Element, OverLimit>;

/// What both threads see. The socket can be shut down from outside, because the driver's own thread
/// may be stuck in a TLS handshake that has no time limit.
class SharedLink {
 public:
  void set_socket(int descriptor);
  /// Ends whatever the driver waits for; it then reports the attempt or the link as down.
  void shut_down(const std::string& reason);
  /// Why `shut_down` was called, once.
  std::string take_reason();

  std::atomic<std::size_t> queued_bytes{0};
  std::atomic<std::size_t> queued_stanzas{0};

 private:
  std::mutex mutex_;
  int socket_ = -1;  // A dup of ours, so that the number cannot be reused meanwhile.
  std::string reason_;
};

/// The part of the transport that lives on its own thread: address lookup, attempts, pings.
class Driver : public Connection::Listener {
 public:
  /// `emit` is called on the driver's thread.
  Driver(const StropheOptions& options, boost::asio::io_context& io, SharedLink& link,
         std::function<void(DriverEvent)> emit);
  ~Driver() override;
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  void open();
  void send(const std::string& bytes);
  void close();
  /// Ends the link at once and tells why.
  void abort(Down down);

 private:
  enum class Phase { kIdle, kResolving, kConnecting, kUp, kClosing };

  void on_resolved(const boost::system::error_code& error,
                   const boost::asio::ip::tcp::resolver::results_type& results);
  void try_next_address();
  void after_turn();
  void on_attempt_ended();
  void finish(Down down);
  void release_pump();
  void account_written();

  void arm_ping_timer(Duration delay);
  void on_ping_timer();
  void transmit(const std::string& bytes);
  [[nodiscard]] bool is_pong(const xml::Element& stanza) const;

  void on_connected(const Jid& bound_jid) override;
  void on_stanza(std::variant<xml::Element, OverLimit> stanza) override;

  const StropheOptions& options_;
  boost::asio::io_context& io_;
  SharedLink& link_;
  std::function<void(DriverEvent)> emit_;
  LowDescriptor reserved_;
  boost::asio::ip::tcp::resolver resolver_;
  boost::asio::steady_timer ping_timer_;
  boost::asio::steady_timer close_timer_;
  Phase phase_ = Phase::kIdle;
  std::uint64_t generation_ = 0;  // Of opens: late handlers of an earlier one do nothing.
  std::deque<std::string> addresses_;
  std::shared_ptr<Pump> pump_;
  std::deque<std::size_t> unsent_;  // Sizes of the stanzas in libstrophe's queue, oldest first.
  std::uint64_t pings_ = 0;
  bool waiting_for_pong_ = false;
  bool pong_checked_ = true;  // False from a ping until its time limit.
};

}  // namespace bascule::xmpp::strophe
