#pragma once

#include "admin/metrics.h"
#include "daemon/reloader.h"

namespace bascule::daemon {

/// The part of `/metrics` about SIGHUP; nothing without a reloader.
void add_reloads(const Reloader* reloader, admin::Metrics& metrics);

}  // namespace bascule::daemon
