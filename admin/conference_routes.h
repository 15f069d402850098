#pragma once

#include <functional>

#include "admin/decision_json.h"
#include "admin/http.h"
#include "base/time.h"
#include "focus/focus.h"

namespace bascule::admin {

struct ConferenceSources {
  const focus::Focus* focus;  ///< Outlives the router.
  std::function<Now()> now;
  const Decisions* earlier = nullptr;  ///< Of earlier processes; may be null.
};

/// Conferences and who is in them:
///   GET /v1/conferences[?search=TEXT][&bridge=NICK-OR-JID][&limit=1..1000][&after=ROOM]
///       In order of name, a page at a time (50). A page ends early when 4 000 names were looked at
///       or its conferences have 10 000 members together: `next` is the `after` of the next one, or
///       null. `total`: all there are, whatever is searched for. At most 4 ms.
///   GET /v1/conferences/{room}
///       One of them with everybody in it, why they are where they are, and its pin.
///   GET /v1/conferences/{room}/participants/{endpoint}
///       One participant with the last 20 decisions about it.
/// {room} is a percent-encoded address.
void add_conference_routes(Router& router, ConferenceSources sources);

}  // namespace bascule::admin
