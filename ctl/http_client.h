#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace bascule::ctl {

struct HttpAnswer {
  unsigned status = 0;
  std::string body;
};

/// Asks the HTTP listener of a running bascule, one request per connection; waits 70 s at most, a
/// little longer than the server lets a handler think.
class HttpClient {
 public:
  /// `url`: http://HOST[:PORT]. Errors: kInvalidArgument.
  static Result<HttpClient> make(std::string_view url);

  /// Errors: kUnavailable when nobody answers there; names the address and what to do.
  [[nodiscard]] Result<HttpAnswer> ask(std::string_view method, const std::string& target) const;

 private:
  HttpClient(std::string host, std::string port) : host_(std::move(host)), port_(std::move(port)) {}

  std::string host_;
  std::string port_;
};

/// For a path segment or a value of a query (RFC 3986 2.1).
[[nodiscard]] std::string percent_encoded(std::string_view text);

}  // namespace bascule::ctl
