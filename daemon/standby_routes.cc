#include "daemon/standby_routes.h"

#include <utility>

#include <nlohmann/json.hpp>

#include "admin/dashboard.h"
#include "admin/http_json.h"
#include "admin/metrics_page.h"
#include "admin/origin.h"
#include "daemon/ha_metrics.h"
#include "daemon/http_metrics.h"
#include "daemon/process_metrics.h"
#include "daemon/reload_metrics.h"
#include "daemon/store_metrics.h"

namespace bascule::daemon {

admin::Router standby_routes(StandbySources sources) {
  using admin::HttpRequest;
  using admin::HttpResponse;
  using admin::Respond;
  using admin::Role;
  const auto status = sources.status;
  admin::Router router;
  router.add("GET", "/livez", Role::kPublic, [](const HttpRequest&, const Respond& respond) {
    respond({.status = 200, .body = "OK\n", .headers = {}});
  });
  router.add("GET", "/readyz", Role::kPublic, [status](const HttpRequest&, const Respond& respond) {
    respond(admin::json_response(
        503, nlohmann::ordered_json{
                 {"ready", false},
                 {"role", "standby"},
                 {"in_sync", status().has_peer_in_sync()},
                 {"problems", {"standby: another process is active, or none is yet"}}}));
  });
  router.add("GET", "/about/health", Role::kPublic, [](const HttpRequest&, const Respond& respond) {
    respond({.status = 503, .body = "standby", .headers = {}});
  });
  router.add("GET", "/metrics", [sources](const HttpRequest&, const Respond& respond) {
    admin::Metrics metrics;
    add_ha(sources.status(), metrics);
    add_store(sources.store, metrics);
    add_reloads(sources.reloader, metrics);
    add_http(sources.http(), metrics);
    add_process(sources.config.focus.version, sources.config.revision, metrics);
    respond(admin::metrics_response(metrics.take_text()));
  });
  // A proxy asks the other process then; also for the leave of a page of another host.
  const admin::Handler ask_the_other =
      admin::with_cors(sources.config.admin.conference_request_origins,
                       [](const HttpRequest&, const Respond& respond) {
                         HttpResponse response = admin::problem(
                             503, "Standby", "another process is active: ask that one");
                         response.headers.emplace_back("Retry-After", "1");
                         respond(std::move(response));
                       });
  for (const char* method : {"POST", "OPTIONS"}) {
    router.add(method, "/conference-request/v1", Role::kPublic, ask_the_other);
  }
  router.add("GET", "/v1/ha/status", [status](const HttpRequest&, const Respond& respond) {
    respond(admin::json_response(200, to_json(status())));
  });
  router.add("POST", "/v1/ha/switchover", [](const HttpRequest&, const Respond& respond) {
    respond(admin::problem(409, "No switchover",
                           "this process is the standby: ask the active one to hand over"));
  });
  admin::add_dashboard(router);
  return router;
}

}  // namespace bascule::daemon
