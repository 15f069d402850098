#include "tests/peers/common/media_socket.h"

#include <utility>

#include <boost/asio/buffer.hpp>

namespace bascule::peers {

using boost::asio::ip::udp;
using boost::system::error_code;

MediaSocket::MediaSocket(boost::asio::io_context& io, Callback callback)
    : socket_(io), callback_(std::move(callback)) {
}

std::uint16_t MediaSocket::open(std::uint16_t port) {
  socket_.open(udp::v4());
  socket_.bind(Endpoint(boost::asio::ip::address_v4::loopback(), port));
  socket_.non_blocking(true);
  receive();
  return socket_.local_endpoint().port();
}

void MediaSocket::close() {
  error_code ignored;  // Closing twice is fine.
  socket_.close(ignored);
}

void MediaSocket::send(std::string_view text, const Endpoint& to) {
  error_code ignored;  // A dead bridge or a full buffer loses the packet; its sender notices.
  socket_.send_to(boost::asio::buffer(text.data(), text.size()), to, 0, ignored);
}

void MediaSocket::receive() {
  socket_.async_receive_from(
      boost::asio::buffer(buffer_), from_, [this](const error_code& error, std::size_t length) {
        if (error == boost::asio::error::operation_aborted) {
          return;
        }
        if (!error) {  // Otherwise a packet of ours bounced: the next receive goes on.
          callback_(std::string_view(buffer_.data(), length), from_);
        }
        if (socket_.is_open()) {
          receive();
        }
      });
}

}  // namespace bascule::peers
