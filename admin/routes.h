#pragma once

#include <functional>
#include <string>
#include <vector>

#include "admin/conference_requests.h"
#include "admin/health.h"
#include "admin/http.h"
#include "admin/placement_routes.h"

namespace bascule::admin {

struct RouteSources {
  std::string version;
  std::string revision;
  std::function<Health()> health;
  Handler metrics;                                           ///< Prometheus text.
  ConferenceRequests* conference_requests;                   ///< Outlives the router.
  std::vector<std::string> conference_request_origins = {};  ///< See with_cors.
  PlacementSources placement;
};

/// Everything that is served:
///   GET  /livez                   200 as long as the event loop turns
///   GET  /readyz                  200 or 503 with the reasons as JSON
///   GET  /metrics                 Prometheus text
///   GET  /about/health            200 `OK` or 503 (contract of Jicofo's endpoint: signal-sidecar)
///   GET  /about/version           name, version and operating system as JSON
///   POST /conference-request/v1   the HTTP variant of the conference request; OPTIONS answers 200
///   GET  /v1/...                  see add_placement_routes
///   GET  /, /dashboard/...        see add_dashboard
Router make_routes(RouteSources sources);

}  // namespace bascule::admin
