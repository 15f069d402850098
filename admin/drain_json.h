#pragma once

#include "admin/json_writer.h"
#include "focus/operation.h"
#include "focus/placement.h"

namespace bascule::admin {

/// An operator's drain of a bridge and how far it is: an object. `view`: nullptr when the bridge is
/// not known now, so that nobody is on it.
void write(const focus::op::BridgeDrain& drain, const focus::BridgeView* view, JsonWriter& json);

}  // namespace bascule::admin
