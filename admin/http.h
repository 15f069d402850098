#pragma once

#include <functional>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tl/expected.hpp>

namespace bascule::admin {

/// One HTTP request, complete and within the limits of the server.
struct HttpRequest {
  std::string method;         ///< Upper case.
  std::string path;           ///< Percent-encoded as received, without the query.
  std::string query;          ///< Without '?'; may be empty.
  std::string authorization;  ///< Value of the Authorization header; may be empty.
  std::string body;
  std::string segment = {};  ///< What stood for the `{}` of the route, decoded.
};

struct HttpResponse {
  unsigned status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
};

/// Answers one request; call it exactly once, now or later, on the event-loop thread. Calling it
/// after the peer has gone is harmless.
using Respond = std::function<void(HttpResponse)>;
using Handler = std::function<void(const HttpRequest&, Respond)>;

/// RFC 9457 `application/problem+json`. `title` is the short reason, `detail` what to do about it.
HttpResponse problem(unsigned status, std::string_view title, std::string_view detail);

/// RFC 3986 2.1; '+' stays what it is, because it is allowed in addresses.
std::optional<std::string> percent_decoded(std::string_view text);

using Query = std::map<std::string, std::string>;
/// Errors are the detail of a problem: a parameter that is not one of `names`, or is given twice.
tl::expected<Query, std::string> parse_query(std::string_view text,
                                             std::initializer_list<std::string_view> names);

/// Method and path to handler. Paths match exactly, but `{}` in a route stands for one segment; a
/// method that does not exist for a known path answers 405 with `Allow`, HEAD is served by GET,
/// everything else answers 404.
class Router {
 public:
  void add(std::string_view method, std::string_view path, Handler handler);
  void handle(const HttpRequest& request, Respond respond) const;

 private:
  struct Route {
    std::string method;
    std::string path;
    Handler handler;
  };
  std::vector<Route> routes_;
};

}  // namespace bascule::admin
