#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/time.h"
#include "xmpp/stream/options.h"
#include "xmpp/transport.h"

namespace boost::asio {
class io_context;
}

namespace bascule::xmpp {

/// What a connection reports; always from the event loop, never from inside a call into it.
class ConnectionHandler {
 public:
  virtual ~ConnectionHandler() = default;
  virtual void on_connected() = 0;
  virtual void on_secured() = 0;
  /// Answers one read_more(). The bytes are valid during the call.
  virtual void on_bytes(std::string_view bytes) = 0;
  /// The connection ended or could not be made; nothing follows.
  virtual void on_closed(const Down& down) = 0;
};

/// One TCP connection, plain or (after start_tls()) encrypted: bytes only, no XMPP.
///
/// What is written during one turn of the event loop leaves together, in pieces of whole writes: a
/// stanza is never cut by the end of this process (see kWriteBytes). TCP itself finds a
/// dead peer of a silent connection within 19 s (keepalive 10 s / 3 s / 3), and of one with
/// unacknowledged data after a minute; who needs to know sooner probes, as NativeStream does. Made
/// by create(), ended by abort() or by on_closed().
class Connection {
 public:
  struct Target {
    std::string host;
    std::uint16_t port = 0;
    Duration timeout_per_address = std::chrono::seconds{5};
    std::size_t max_queued_bytes = 64UL * 1024 * 1024;
  };

  /// Resolves and connects; every address of the host is tried in turn. `handler` must live until
  /// abort() or on_closed().
  static std::shared_ptr<Connection> create(boost::asio::io_context& io, Target target,
                                            ConnectionHandler& handler);
  virtual ~Connection() = default;

  /// TLS handshake on the connected socket, then on_secured(). No read may be outstanding.
  virtual void start_tls(const TlsOptions& options, const std::string& name) = 0;
  /// Asks for the next bytes. At most one request may be outstanding.
  virtual void read_more() = 0;
  /// Queues bytes. When the queue passes its limit the connection ends.
  virtual void write(std::string_view bytes) = 0;
  /// Writes what is queued, waits up to 1 s for the peer to close as well, then on_closed().
  virtual void close_gracefully() = 0;
  /// Ends the connection now; the handler is not called any more.
  virtual void abort() = 0;
  [[nodiscard]] virtual std::size_t queued_bytes() const = 0;
  /// The socket's descriptor, for who wants to duplicate it.
  [[nodiscard]] virtual int descriptor() const = 0;
  /// True when the kernel holds bytes of the peer that we have not read yet.
  [[nodiscard]] virtual bool has_unread_bytes() const = 0;
};

}  // namespace bascule::xmpp
