#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>

namespace bascule::test {

/// A server on loopback, in the same event loop as the code under test, that follows a script: when
/// the text of the next exchange has come in, its reply goes out. Serves one connection after the
/// other; every connection starts the script given to serve() last.
class ScriptedServer {
 public:
  enum class Then { kGoOn, kClose, kReset, kStartTls };
  struct Exchange {
    std::string await;
    std::string reply;
    Then then = Then::kGoOn;
  };
  using Script = std::vector<Exchange>;

  explicit ScriptedServer(boost::asio::io_context& io);
  /// Certificate and key of Then::kStartTls.
  void use_certificate(const std::string& certificate_file, const std::string& key_file);
  void serve(Script script) { script_ = std::move(script); }

  [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  /// Everything the current connection sent and no exchange consumed.
  [[nodiscard]] const std::string& unread() const { return unread_; }
  /// Everything the current connection sent.
  [[nodiscard]] const std::string& received() const { return received_; }
  [[nodiscard]] std::size_t connections() const { return connections_; }
  [[nodiscard]] bool peer_closed() const { return peer_closed_; }
  [[nodiscard]] bool script_done() const { return step_ == script_.size(); }

  void send(const std::string& text);
  void close();
  void reset();
  /// Leaves bytes in the kernel from now on.
  void stop_reading() { reading_ = false; }

 private:
  void accept();
  void read();
  void on_read(boost::system::error_code error, std::size_t bytes);
  void advance();
  void start_tls();

  boost::asio::io_context& io_;
  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::ssl::context tls_context_;
  std::optional<boost::asio::ip::tcp::socket> socket_;
  std::unique_ptr<boost::asio::ssl::stream<boost::asio::ip::tcp::socket&>> tls_;
  Script script_;
  std::size_t step_ = 0;
  std::size_t connections_ = 0;
  std::array<char, 65536> buffer_{};
  std::string unread_;
  std::string received_;
  bool peer_closed_ = false;
  bool reading_ = true;
};

}  // namespace bascule::test
