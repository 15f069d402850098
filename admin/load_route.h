#pragma once

#include <functional>

#include "admin/load_history.h"
#include "admin/placement_routes.h"

namespace bascule::admin {

///   GET /v1/load[?minutes=1..60][&step=SECONDS][&bridge=NICK-OR-JID]
///       Expected load of every bridge, or of one, over the last minutes (60): per step the highest
///       of the samples of 10 s. `step` is a multiple of 10 s; when it is not given, 60 s or as
///       much more as keeps the answer at 60 000 values, which take 4 ms to write.
/// `history` outlives the router.
void add_load_route(Router& router, PlacementSources sources, const LoadHistory& history);

}  // namespace bascule::admin
