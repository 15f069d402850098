#pragma once

#include "admin/metrics.h"
#include "base/time.h"
#include "focus/focus.h"

namespace bascule::daemon {

/// The part of `render_metrics` about what happened to sessions: Jingle, ICE restarts, moves, and
/// how long people stayed.
void add_sessions(const focus::Focus& focus, Now now, admin::Metrics& metrics);

}  // namespace bascule::daemon
