#pragma once

#include "admin/json.h"
#include "admin/json_writer.h"
#include "admin/placement_routes.h"

namespace bascule::admin {

/// Who waits for a place:
///   GET /v1/queue[?limit=1..1000]   how many, since when, and the tickets that wait longest (100)
void add_queue_routes(Router& router, PlacementSources sources);

/// How many wait, by class, and how long the first of them: members of an object.
void write_queue_totals(const focus::Placement& placement, Now now, JsonWriter& json);

/// Tickets by the name of their class.
[[nodiscard]] Json queued_by_class(const focus::Placement& placement);

}  // namespace bascule::admin
