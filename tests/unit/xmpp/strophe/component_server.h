#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace bascule::xmpp {

/// The server side of XEP-0114 on a free loopback port, just enough to test a component link: it
/// answers the handshake and then hands over what it reads. Runs on the test's io_context.
class ComponentServer {
 public:
  enum class Behaviour {
    kNormal,
    kSilent,      ///< Accepts TCP and says nothing.
    kDeaf,        ///< Logs the component in and stops reading.
    kStallInTls,  ///< A c2s server that agrees to STARTTLS and then says nothing.
  };

  ComponentServer(boost::asio::io_context& io, std::string secret,
                  Behaviour behaviour = Behaviour::kNormal);

  [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  /// Writes to the component that connected last.
  void write(const std::string& bytes);
  /// Closes the connection without a word.
  void drop();

  /// Everything read after the last handshake.
  std::string received;
  /// Called with each chunk read after the handshake.
  std::function<void(const std::string&)> on_received;
  int logins = 0;

 private:
  void accept();
  void read();
  void handle(const std::string& chunk);
  void handle_starttls();

  boost::asio::io_context& io_;
  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::ip::tcp::socket socket_;
  std::string secret_;
  Behaviour behaviour_;
  std::string login_buffer_;
  bool header_sent_ = false;
  bool logged_in_ = false;
  std::vector<char> chunk_ = std::vector<char>(65536);
};

}  // namespace bascule::xmpp
