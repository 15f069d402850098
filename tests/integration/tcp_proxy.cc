#include "tests/integration/tcp_proxy.h"

#include <array>
#include <utility>

#include <boost/asio/write.hpp>

namespace bascule::test {

namespace net = boost::asio;
using boost::system::error_code;
using net::ip::tcp;

struct TcpProxy::Relay : std::enable_shared_from_this<TcpProxy::Relay> {
  Relay(tcp::socket first, tcp::socket second) : near(std::move(first)), far(std::move(second)) {}

  void pump(tcp::socket& from, tcp::socket& to, std::array<char, 65536>& buffer) {
    from.async_read_some(net::buffer(buffer), [self = shared_from_this(), &from, &to, &buffer](
                                                  error_code error, std::size_t bytes) {
      if (self->stalled) {
        return;
      }
      if (error) {
        self->close(false);
        return;
      }
      net::async_write(to, net::buffer(buffer.data(), bytes),
                       [self, &from, &to, &buffer](error_code failure, std::size_t) {
                         if (!failure && !self->stalled) {
                           self->pump(from, to, buffer);
                         }
                       });
    });
  }

  void close(bool hard) {
    for (tcp::socket* socket : {&near, &far}) {
      error_code ignored;
      if (hard) {
        socket->set_option(net::socket_base::linger(true, 0), ignored);
      }
      socket->close(ignored);
    }
  }

  tcp::socket near;
  tcp::socket far;
  std::array<char, 65536> upstream{};
  std::array<char, 65536> downstream{};
  bool stalled = false;
};

TcpProxy::TcpProxy(net::io_context& io, std::uint16_t target_port)
    : io_(io),
      acceptor_(io, tcp::endpoint(net::ip::address_v4::loopback(), 0)),
      target_port_(target_port) {
  accept();
}

TcpProxy::~TcpProxy() {
  cut();
}

void TcpProxy::accept() {
  acceptor_.async_accept([this](error_code error, tcp::socket near) {
    if (error) {
      return;
    }
    ++connections_;
    tcp::socket far(io_);
    error_code failure;
    far.connect(tcp::endpoint(net::ip::address_v4::loopback(), target_port_), failure);
    if (!failure) {  // Else `near` closes here, as a refused connection would.
      auto relay = std::make_shared<Relay>(std::move(near), std::move(far));
      relays_.push_back(relay);
      relay->pump(relay->near, relay->far, relay->upstream);
      relay->pump(relay->far, relay->near, relay->downstream);
    }
    accept();
  });
}

void TcpProxy::cut() {
  for (const auto& relay : relays_) {
    relay->close(true);
  }
  relays_.clear();
}

void TcpProxy::stall() {
  for (const auto& relay : relays_) {
    relay->stalled = true;
  }
}

}  // namespace bascule::test
