#pragma once

#include <array>
#include <memory>

#include "admin/metrics.h"
#include "base/ids.h"
#include "daemon/link_runtime.h"

namespace bascule::daemon {

/// The links to the XMPP server; those that are not configured have no series.
void add_links(const std::array<std::unique_ptr<LinkRuntime>, kStreamCount>& links,
               admin::Metrics& metrics);

}  // namespace bascule::daemon
