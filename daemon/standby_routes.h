#pragma once

#include <functional>

#include "admin/http.h"
#include "admin/http_server.h"
#include "config/config.h"
#include "daemon/ha_status.h"
#include "daemon/reloader.h"
#include "stats/sqlite/store.h"

namespace bascule::daemon {

/// All of it outlives the router.
struct StandbySources {
  std::function<HaStatus()> status;
  const stats::sqlite::Store& store;
  const Reloader* reloader;  ///< May be nullptr.
  std::function<const admin::HttpServer&()> http;
  const config::Config& config;
};

/// What a process serves over HTTP while it stands by: that it lives, that it is not the one to
/// ask, and how it stands.
admin::Router standby_routes(StandbySources sources);

}  // namespace bascule::daemon
