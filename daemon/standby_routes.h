#pragma once

#include <functional>

#include "admin/http.h"
#include "config/config.h"
#include "daemon/ha_status.h"
#include "daemon/reloader.h"
#include "stats/sqlite/store.h"

namespace bascule::daemon {

/// What a process serves over HTTP while it stands by: that it lives, that it is not the one to
/// ask, and how it stands. `store` and `reloader` (may be nullptr)
/// outlive the router.
admin::Router standby_routes(std::function<HaStatus()> status, const stats::sqlite::Store& store,
                             const Reloader* reloader, const config::Config& config);

}  // namespace bascule::daemon
