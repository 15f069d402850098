#include "admin/routes.h"

#include <memory>
#include <utility>

#include "admin/dashboard.h"
#include "admin/json.h"
#include "admin/origin.h"

namespace bascule::admin {
namespace {

HttpResponse text(unsigned status, std::string body) {
  HttpResponse response;
  response.status = status;
  response.body = std::move(body);
  return response;
}

std::string joined(const std::vector<std::string>& problems) {
  std::string all;
  for (const std::string& problem_text : problems) {
    all += (all.empty() ? "" : "; ") + problem_text;
  }
  return all;
}

}  // namespace

Router make_routes(RouteSources given) {
  const auto sources = std::make_shared<const RouteSources>(std::move(given));
  Router router;
  router.add("GET", "/livez", Role::kPublic,
             [](const HttpRequest&, const Respond& respond) { respond(text(200, "OK\n")); });
  router.add("GET", "/readyz", Role::kPublic,
             [sources](const HttpRequest&, const Respond& respond) {
               const Health health = sources->health();
               respond(json_response(health.ready ? 200 : 503,
                                     Json{{"ready", health.ready}, {"problems", health.problems}}));
             });
  router.add("GET", "/metrics", sources->metrics);
  router.add("GET", "/about/health", Role::kPublic,
             [sources](const HttpRequest&, const Respond& respond) {
               const Health health = sources->health();
               respond(health.ready ? text(200, "OK") : text(503, joined(health.problems)));
             });
  router.add("GET", "/about/version", Role::kPublic,
             [sources](const HttpRequest&, const Respond& respond) {
               respond(json_response(Json{{"name", "Bascule"},
                                          {"version", sources->version},
                                          {"revision", sources->revision},
                                          {"os", "Linux"}}));
             });
  router.add("POST", "/conference-request/v1", Role::kPublic,
             with_cors(sources->conference_request_origins,
                       [sources](const HttpRequest& request, Respond respond) {
                         sources->conference_requests->handle(request, std::move(respond));
                       }));
  router.add("OPTIONS", "/conference-request/v1", Role::kPublic,
             with_cors(sources->conference_request_origins,
                       [](const HttpRequest&, const Respond& respond) { respond(text(200, "")); }));
  add_placement_routes(router, sources->placement);
  add_dashboard(router);
  return router;
}

}  // namespace bascule::admin
