#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>

namespace bascule::peers {

/// Stands in for media: small UDP datagrams on loopback. A participant sends `<ufrag> <number>` to
/// the candidate of its bridge once a second; a bridge that knows the ufrag sends it back. That is
/// as much of ICE as tells both sides whether the other one is there. Browsers do real ICE on the
/// same port (tests/peers/bridgesim/stun.h).
class MediaSocket {
 public:
  using Endpoint = boost::asio::ip::udp::endpoint;
  /// What arrived and from where.
  using Callback = std::function<void(std::string_view packet, const Endpoint& from)>;

  MediaSocket(boost::asio::io_context& io, Callback callback);

  /// Binds 127.0.0.1:`port`; 0 lets the system choose. Returns the port. Throws
  /// boost::system::system_error when the port is taken.
  std::uint16_t open(std::uint16_t port);
  void close();
  /// Sends at once or not at all, like media.
  void send(std::string_view text, const Endpoint& to);

 private:
  void receive();

  boost::asio::ip::udp::socket socket_;
  Callback callback_;
  std::array<char, 2048> buffer_{};
  Endpoint from_;
};

}  // namespace bascule::peers
