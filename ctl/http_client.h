#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "ctl/endpoint.h"

namespace bascule::ctl {

/// How to reach the daemon: the options of the command line.
struct Connection {
  std::string url;         ///< Empty: `default_url`.
  std::string token_file;  ///< Empty: BASCULE_TOKEN, if set.
  std::string ca_file;     ///< PEM; empty: the authorities this machine trusts.
  /// A little longer than the server lets a handler think.
  std::chrono::seconds answer_timeout{70};
};

struct HttpAnswer {
  unsigned status = 0;
  std::string body;
};

/// Asks the HTTP listener of a running bascule, one request per connection.
class HttpClient {
 public:
  /// Errors: kInvalidArgument (URL, token file), kRefused (a token would be sent in the clear).
  static Result<HttpClient> make(const Connection& connection);

  /// `body` is JSON; empty: none. Errors: kUnavailable when nobody answers there, or not with a
  /// certificate we trust; names the address and what to do.
  [[nodiscard]] Result<HttpAnswer> ask(std::string_view method, const std::string& target,
                                       const std::string& body = {}) const;

  /// As a URL, for messages.
  [[nodiscard]] std::string address() const { return endpoint_.to_string(); }
  [[nodiscard]] bool has_token() const { return token_.has_value(); }

 private:
  HttpClient(Endpoint endpoint, std::optional<std::string> token, Connection connection)
      : endpoint_(std::move(endpoint)),
        token_(std::move(token)),
        connection_(std::move(connection)) {}

  Endpoint endpoint_;
  std::optional<std::string> token_;
  Connection connection_;
};

/// For a path segment or a value of a query (RFC 3986 2.1).
[[nodiscard]] std::string percent_encoded(std::string_view text);

}  // namespace bascule::ctl
