#include "admin/dashboard.h"

#include <string>

#include <nlohmann/json.hpp>

#include "admin/http_json.h"

namespace bascule::admin {
namespace {

// Content Security Policy 3: own files only, nothing inline, in nobody's frame. Trusted types make
// the browser refuse to turn text into markup, should the page ever try.
constexpr std::string_view kPolicy =
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "object-src 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

HttpResponse served(const DashboardFile& file) {
  return {.status = 200,
          .content_type = std::string(file.content_type),
          .body = std::string(file.content),
          .headers = {{"Content-Security-Policy", std::string(kPolicy)},
                      {"X-Content-Type-Options", "nosniff"},
                      {"Referrer-Policy", "no-referrer"},
                      {"Cross-Origin-Opener-Policy", "same-origin"}}};
}

HttpResponse who_asks(const HttpRequest& request) {
  const nlohmann::ordered_json body = {{"name", request.principal.name},
                                       {"role", name_of(request.principal.role)}};
  return json_response(200, body);
}

}  // namespace

void add_dashboard(Router& router) {
  for (const DashboardFile& file : dashboard_files()) {
    const std::string path =
        file.name == "index.html" ? "/" : "/dashboard/" + std::string(file.name);
    router.add("GET", path, Role::kPublic,
               [&file](const HttpRequest& request, const Respond& respond) {
                 respond(with_etag(request, served(file)));
               });
  }
  router.add(
      "GET", "/v1/access", Role::kRead, [](const HttpRequest& request, const Respond& respond) {
        respond(request.query.empty() ? who_asks(request)
                                      : problem(400, "Bad request", "there are no parameters"));
      });
}

}  // namespace bascule::admin
