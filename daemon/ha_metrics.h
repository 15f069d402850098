#pragma once

#include "admin/metrics.h"
#include "daemon/ha_status.h"

namespace bascule::daemon {

void add_ha(const HaStatus& status, admin::Metrics& metrics);

}  // namespace bascule::daemon
