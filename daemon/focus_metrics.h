#pragma once

#include "admin/metrics.h"
#include "base/time.h"
#include "focus/focus.h"

namespace bascule::daemon {

/// Conferences, participants, requests, and what peers got wrong. O(conferences).
void add_focus(const focus::Focus& focus, Now now, admin::Metrics& metrics);
/// How long people and requests waited.
void add_focus_timings(const focus::Focus& focus, admin::Metrics& metrics);

}  // namespace bascule::daemon
