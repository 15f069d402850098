#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>

#include "admin/http.h"
#include "base/result.h"
#include "base/time.h"

namespace bascule::admin {

struct HttpServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 8888;          ///< 0 lets the kernel choose (tests).
  std::size_t connections_max = 256;  ///< Keeps descriptors below FD_SETSIZE (libstrophe).
  std::size_t header_bytes_max = std::size_t{8} * 1024;
  std::size_t body_bytes_max = std::size_t{64} * 1024;
  Duration idle_timeout = std::chrono::seconds{30};    ///< Reading a request, and between requests.
  Duration answer_timeout = std::chrono::seconds{60};  ///< A handler that has not answered: 504.
};

struct HttpCounters {
  std::uint64_t connections = 0;
  std::uint64_t connections_refused = 0;  ///< Over connections_max.
  std::uint64_t requests = 0;
  std::uint64_t requests_bad = 0;  ///< Not HTTP, or over a limit.
  std::size_t connections_open = 0;
};

/// Our own HTTP/1.1 listener on the event loop (ADR 0009): keep-alive, limits on everything, and
/// handlers that may answer later.
class HttpServer {
 public:
  /// Errors: kInvalidArgument (not an IP address), kUnavailable (cannot bind; names the address).
  static Result<std::unique_ptr<HttpServer>> listen(boost::asio::io_context& io,
                                                    const HttpServerOptions& options,
                                                    Router router);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] const HttpCounters& counters() const;
  /// Stops accepting and closes every connection.
  void stop();

 private:
  class Impl;
  explicit HttpServer(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace bascule::admin
