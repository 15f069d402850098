#pragma once

#include <functional>
#include <memory>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "xmpp/strophe/connection.h"

namespace bascule::xmpp::strophe {

/// Calls `Connection::run_once` exactly when it has something to do, driven by the readiness of its
/// socket. libstrophe has its own event loop and tells nobody what it waits for, so the rules are
/// (each was found by losing wake-ups without it):
/// - after a step that made progress another one follows, because a step writes before it reads and
///   reads at most 4096 bytes; with TLS several idle steps are needed to conclude that nothing is
///   left, because a decrypted record of 16 KiB is invisible to the kernel;
/// - the socket is always awaited for reading, and for writing while connecting and while the
///   kernel's buffer is full;
/// - until the login is complete a 10 ms timer drives the library's own replies, which do not show
///   in its queue length; later a 250 ms timer is the safety net.
/// A turn is bounded, so that other work of the thread is not starved.
class Pump : public std::enable_shared_from_this<Pump> {
 public:
  /// `after_turn` runs after each turn, outside of libstrophe.
  Pump(boost::asio::io_context& io, std::unique_ptr<Connection> connection,
       std::function<void()> after_turn);

  /// Starts waiting on the connection's socket, after `Connection::connect` succeeded.
  void start();
  /// Schedules a turn; several requests become one.
  void request_turn();
  /// Closes everything at once. No call of `after_turn` follows.
  void stop();

  [[nodiscard]] Connection& connection() { return *connection_; }

 private:
  void turn();
  void step_until_idle();
  [[nodiscard]] bool work_is_left() const;
  [[nodiscard]] bool is_writable() const;
  void await_readable();
  void await_writable();
  void arm_tick();

  boost::asio::io_context& io_;
  std::unique_ptr<Connection> connection_;
  std::function<void()> after_turn_;
  boost::asio::posix::stream_descriptor socket_;  // A dup: libstrophe closes its own too early.
  boost::asio::steady_timer tick_;
  bool turn_requested_ = false;
  bool awaiting_readable_ = false;
  bool awaiting_writable_ = false;
};

}  // namespace bascule::xmpp::strophe
