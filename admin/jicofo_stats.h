#pragma once

#include "admin/jicofo_figures.h"
#include "admin/json.h"

namespace bascule::admin {

/// Jicofo's `GET /stats`, key by key (JicofoServices.kt; `conference_sizes`: jitsi-utils,
/// BucketStats.kt). Numbers are integers, except averages. What Bascule does not have (recorders,
/// gateways, thread queues) is 0 or empty, as Jicofo has it when it is not configured.
[[nodiscard]] Json jicofo_stats(const JicofoFigures& figures);

}  // namespace bascule::admin
