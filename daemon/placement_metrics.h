#pragma once

#include "admin/metrics.h"
#include "base/time.h"
#include "focus/placement.h"

namespace bascule::daemon {

/// The queue, decisions, and how placements are being made; not the bridges.
void add_placement(const focus::Placement& placement, Now now, admin::Metrics& metrics);

}  // namespace bascule::daemon
