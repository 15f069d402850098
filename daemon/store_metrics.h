#pragma once

#include "admin/metrics.h"
#include "base/time.h"
#include "daemon/store_upkeep.h"
#include "stats/sqlite/store.h"

namespace bascule::daemon {

// The part of `render_metrics` about the files of the state directory.

void add_store(const stats::sqlite::Store& store, admin::Metrics& metrics);
void add_upkeep(const StoreUpkeep& upkeep, Now now, admin::Metrics& metrics);

}  // namespace bascule::daemon
