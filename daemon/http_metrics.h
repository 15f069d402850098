#pragma once

#include "admin/http_server.h"
#include "admin/metrics.h"

namespace bascule::daemon {

/// What the HTTP listener did, and whom it refused.
void add_http(const admin::HttpServer& server, admin::Metrics& metrics);

}  // namespace bascule::daemon
