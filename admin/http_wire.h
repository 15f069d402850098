#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <memory>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>

namespace boost::asio::ssl {
class context;
}

namespace bascule::admin {

/// The bytes of one connection, whatever carries them. One read and one write may be under way at a
/// time. Handlers are never called from within the call that started the operation.
class Wire {
 public:
  using Ready = std::function<void(boost::system::error_code)>;
  using Done = std::function<void(boost::system::error_code, std::size_t)>;

  virtual ~Wire() = default;
  /// Before everything else: the handshake.
  virtual void start(Ready ready) = 0;
  virtual void read_some(boost::asio::mutable_buffer into, Done done) = 0;
  /// Everything; the buffers stay valid until `done`.
  virtual void write(std::array<boost::asio::const_buffer, 2> from, Done done) = 0;
  /// Tells the peer that nothing more comes, as far as that goes without waiting for it; what it
  /// still sends can be read.
  virtual void end_writing() = 0;
  /// Ends the connection in order; `done` when `close` is due.
  virtual void finish(Ready done) = 0;
  /// At once; what is under way ends with operation_aborted.
  virtual void close() = 0;
};

std::unique_ptr<Wire> make_wire(boost::asio::ip::tcp::socket socket);
std::unique_ptr<Wire> make_wire(boost::asio::local::stream_protocol::socket socket);
std::unique_ptr<Wire> make_tls_wire(boost::asio::ip::tcp::socket socket,
                                    std::shared_ptr<boost::asio::ssl::context> context);

}  // namespace bascule::admin
