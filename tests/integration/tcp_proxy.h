#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace bascule::test {

/// A TCP relay on loopback in the test's own event loop: the place where a test pulls the cable.
class TcpProxy {
 public:
  TcpProxy(boost::asio::io_context& io, std::uint16_t target_port);
  ~TcpProxy();
  TcpProxy(const TcpProxy&) = delete;
  TcpProxy& operator=(const TcpProxy&) = delete;

  [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  /// Resets every relayed connection on both sides, as a broken network path ends up doing.
  void cut();
  /// Relays nothing more, closes nothing: the other side is silent.
  void stall();
  [[nodiscard]] std::size_t connections() const { return connections_; }

 private:
  struct Relay;
  void accept();

  boost::asio::io_context& io_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::uint16_t target_port_;
  std::vector<std::shared_ptr<Relay>> relays_;
  std::size_t connections_ = 0;
};

}  // namespace bascule::test
