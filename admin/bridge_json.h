#pragma once

#include <optional>
#include <string>

#include "admin/json_writer.h"
#include "base/time.h"
#include "focus/orders.h"
#include "focus/placement.h"

namespace bascule::admin {

/// The bridge as the choice sees it: members of an object. `drain`: an operator's; nullptr: none.
void write_members(const focus::BridgeView& view, const focus::op::BridgeDrain* drain, Now now,
                   JsonWriter& json);
/// An array of objects. About 2 µs per bridge.
void write_bridges(const focus::Placement& placement, const focus::Orders::Drains& drains, Now now,
                   JsonWriter& json);

}  // namespace bascule::admin
