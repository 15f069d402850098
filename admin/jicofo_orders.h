#pragma once

#include <functional>
#include <string>

#include "admin/http.h"
#include "base/result.h"
#include "base/time.h"
#include "focus/focus.h"
#include "focus/order.h"

namespace bascule::admin {

struct JicofoOrderSources {
  std::function<const focus::Focus&()> focus;
  std::function<Now()> now;
  /// Carries out what somebody named `by` wants; the outcome is told once. See OrderDesk.
  std::function<void(std::string by, focus::Order,
                     std::function<void(const Result<focus::OrderDone>&)>)>
      order;
  bool get_moves = false;  ///< Moves also by GET.
};

/// Jicofo's orders (Application.kt, LoadRedistributor.kt), with RFC 9457 problems as errors:
///   GET  /pin              the pinned conferences
///   POST /pin              {"conferenceId", "jvbVersion", "durationMinutes"}; 200 without a body
///   POST /pin/remove       {"conferenceId"}; 200 also when there was no pin
///   POST /move-endpoints/move-endpoint    ?conference&endpoint[&bridge]
///   POST /move-endpoints/move-endpoints   ?bridge[&conference][&numEndpoints=1]
///   POST /move-endpoints/move-fraction    ?bridge[&fraction=0.1]
///                          {"movedEndpoints", "conferences"}: how many were asked to move
/// Unlike there, nobody is moved to the bridge they were on, moves are paced, an unknown bridge,
/// conference or endpoint is 404, nobody being able to move is 409, and GET moves nobody unless
/// `get_moves`.
void add_jicofo_order_routes(Router& router, JicofoOrderSources sources);

}  // namespace bascule::admin
