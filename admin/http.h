#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tl/expected.hpp>

#include "admin/event_stream.h"

namespace bascule::admin {

/// What somebody may do; each includes the ones before it.
enum class Role : std::uint8_t {
  kPublic,   ///< Without any right: health, version, conference requests.
  kRead,     ///< To look at everything.
  kOperate,  ///< To move people: drain, move, pin, stop, switch over.
  kAdmin,    ///< To change how the process works: log level.
};
/// "public", "read", "operate", "admin".
std::string_view name_of(Role role);
std::optional<Role> role_named(std::string_view name);

/// Who asks. `name` is that of the token, `local` (loopback, no tokens configured), `socket:UID`,
/// or empty for somebody of whom nothing is known.
struct Principal {
  std::string name;
  Role role = Role::kPublic;
};

/// One HTTP request, complete and within the limits of the server.
struct HttpRequest {
  std::string method;         ///< Upper case.
  std::string path;           ///< Percent-encoded as received, without the query.
  std::string query;          ///< Without '?'; may be empty.
  std::string authorization;  ///< Value of the Authorization header; may be empty.
  std::string body;
  std::string segment = {};                ///< What stood for the first `{}` of the route, decoded.
  std::vector<std::string> segments = {};  ///< The same for each `{}`.
  Principal principal = {};
  std::string request_id = {};  ///< Of the client when it sent a sane one, else made here.

  // Values of headers; empty when the header is not there.
  std::string host = {};
  std::string origin = {};
  std::string fetch_site = {};  ///< Sec-Fetch-Site: how a browser came to ask.
  std::string accept = {};
  std::string content_type = {};
  std::string if_match = {};
  std::string if_none_match = {};
  std::string last_event_id = {};
};

struct HttpResponse {
  unsigned status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  /// Instead of a body: the connection stays open and sends what the stream is given.
  std::shared_ptr<EventStream> stream = {};
};

/// Answers one request; call it exactly once, now or later, on the event-loop thread. Calling it
/// after the peer has gone is harmless.
using Respond = std::function<void(HttpResponse)>;
using Handler = std::function<void(const HttpRequest&, Respond)>;

/// Asked before the handler of a route for `role`: sets the principal, or gives the refusal.
using Gate = std::function<std::optional<HttpResponse>(HttpRequest&, Role)>;

/// RFC 9457 `application/problem+json`. `title` is the short reason, `detail` what to do about it.
HttpResponse problem(unsigned status, std::string_view title, std::string_view detail);

/// RFC 3986 2.1; '+' stays what it is, because it is allowed in addresses. nullopt also when what
/// comes out is not UTF-8: handlers may put it into JSON.
std::optional<std::string> percent_decoded(std::string_view text);

using Query = std::map<std::string, std::string>;
/// Errors are the detail of a problem: a parameter that is not one of `names`, or is given twice.
tl::expected<Query, std::string> parse_query(std::string_view text,
                                             std::initializer_list<std::string_view> names);

/// Method and path to handler. Paths match exactly, but `{}` in a route stands for one segment; of
/// several routes that match, the one added first counts. A method that does not exist for a known
/// path answers 405 with `Allow`, HEAD is served by GET, everything else answers 404.
class Router {
 public:
  struct Route {
    std::string method;
    std::string path;
    Role role;
    Handler handler;
  };

  void add(std::string_view method, std::string_view path, Role role, Handler handler);
  /// For `kRead` when the method is GET, else for `kOperate`.
  void add(std::string_view method, std::string_view path, Handler handler);

  /// Without a gate nobody is refused.
  void handle(HttpRequest request, const Respond& respond, const Gate& gate = nullptr) const;

  /// In the order in which they were added.
  [[nodiscard]] const std::vector<Route>& routes() const { return routes_; }

 private:
  std::vector<Route> routes_;
};

}  // namespace bascule::admin
