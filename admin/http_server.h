#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>

#include "admin/access.h"
#include "admin/http.h"
#include "admin/http_counters.h"
#include "base/result.h"
#include "base/time.h"

namespace bascule::admin {

struct HttpServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 8888;               ///< 0 lets the kernel choose (tests).
  std::size_t connections_max = 256;       ///< Keeps descriptors below FD_SETSIZE (libstrophe).
  std::size_t local_connections_max = 32;  ///< Of the Unix socket; beside those.
  std::size_t header_bytes_max = std::size_t{8} * 1024;
  std::size_t body_bytes_max = std::size_t{64} * 1024;
  /// Of all answers that were not read yet together.
  std::size_t answer_bytes_max = std::size_t{64} * 1024 * 1024;
  std::size_t streams_max = 32;  ///< Answers that go on (EventStream).
  /// A TLS handshake costs about a millisecond of the loop; more of them wait in the kernel.
  std::size_t handshakes_per_second_max = 50;
  Duration idle_timeout = std::chrono::seconds{30};  ///< Between requests, and for an answer.
  Duration request_timeout =
      std::chrono::seconds{15};                        ///< From a request's first byte to its last.
  Duration answer_timeout = std::chrono::seconds{60};  ///< A handler that has not answered: 504.
  Duration heartbeat = std::chrono::seconds{15};       ///< Of an EventStream.
  /// Null: one without tokens and TLS, which serves loopback only.
  std::shared_ptr<Access> access = {};
};

/// Our own HTTP/1.1 listener on the event loop (ADR 0009, 0018): keep-alive, TLS, limits on
/// everything, and handlers that may answer later or go on answering.
class HttpServer {
 public:
  /// Errors: kInvalidArgument (not an IP address), kUnavailable (cannot bind; names the address).
  static Result<std::unique_ptr<HttpServer>> listen(boost::asio::io_context& io,
                                                    const HttpServerOptions& options,
                                                    Router router);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// Serves the same at a Unix socket. Errors: as LocalSocket::listen.
  Result<> listen_local(const std::string& path);

  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] const HttpCounters& counters() const;
  [[nodiscard]] const Access& access() const;
  /// Stops accepting and closes every connection.
  void stop();

 private:
  class Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace bascule::admin
