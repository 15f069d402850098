#include "admin/http_wire.h"

#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

namespace bascule::admin {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

template <class Socket>
class PlainWire final : public Wire {
 public:
  explicit PlainWire(Socket socket) : socket_(std::move(socket)) {}

  void start(Ready ready) override { post(std::move(ready)); }
  void read_some(asio::mutable_buffer into, Done done) override {
    socket_.async_read_some(into, std::move(done));
  }
  void write(std::array<asio::const_buffer, 2> from, Done done) override {
    asio::async_write(socket_, from, std::move(done));
  }
  void end_writing() override {
    error_code ignored;  // The peer may have gone.
    socket_.shutdown(Socket::shutdown_send, ignored);
  }
  void finish(Ready done) override {
    end_writing();
    post(std::move(done));
  }
  void close() override {
    error_code ignored;  // Closing twice is fine.
    socket_.close(ignored);
  }

 private:
  void post(Ready ready) {
    asio::post(socket_.get_executor(), [ready = std::move(ready)] { ready({}); });
  }

  Socket socket_;
};

class TlsWire final : public Wire {
 public:
  TlsWire(tcp::socket socket, std::shared_ptr<asio::ssl::context> context)
      : context_(std::move(context)), stream_(std::move(socket), *context_) {}

  void start(Ready ready) override {
    stream_.async_handshake(asio::ssl::stream_base::server, std::move(ready));
  }
  void read_some(asio::mutable_buffer into, Done done) override {
    stream_.async_read_some(into, std::move(done));
  }
  void write(std::array<asio::const_buffer, 2> from, Done done) override {
    asio::async_write(stream_, from, std::move(done));
  }
  void end_writing() override {}  // A close_notify would end reading as well.
  void finish(Ready done) override { stream_.async_shutdown(std::move(done)); }
  void close() override {
    error_code ignored;
    stream_.next_layer().close(ignored);
  }

 private:
  std::shared_ptr<asio::ssl::context> context_;  // Of the time of the handshake.
  asio::ssl::stream<tcp::socket> stream_;
};

}  // namespace

std::unique_ptr<Wire> make_wire(tcp::socket socket) {
  return std::make_unique<PlainWire<tcp::socket>>(std::move(socket));
}

std::unique_ptr<Wire> make_wire(asio::local::stream_protocol::socket socket) {
  return std::make_unique<PlainWire<asio::local::stream_protocol::socket>>(std::move(socket));
}

std::unique_ptr<Wire> make_tls_wire(tcp::socket socket,
                                    std::shared_ptr<asio::ssl::context> context) {
  return std::make_unique<TlsWire>(std::move(socket), std::move(context));
}

}  // namespace bascule::admin
