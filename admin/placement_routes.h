#pragma once

#include <functional>

#include "admin/decision_json.h"
#include "admin/http.h"
#include "base/time.h"
#include "focus/placement.h"

namespace bascule::admin {

/// Everything here is read when a request asks for it.
struct PlacementSources {
  std::function<const focus::Placement&()> placement;
  std::function<Now()> now;
  /// Of earlier processes, as the store kept them; may be null.
  const Decisions* earlier = nullptr;
};

/// Why people are where they are, as JSON (RFC 9457 for errors):
///   GET /v1/decisions?room=JID[&endpoint=ID]|bridge=NICK-OR-JID[&limit=1..1000]
///                        the latest decisions, newest first, with the figures they were made with;
///                        those of earlier processes follow, with the figures of the chosen bridge
///   GET /v1/placement    mode, queue and counters
/// Loads are shares of a bridge's capacity (1 is full); units are load units (0.7 is one
/// participant of a meeting of five).
void add_placement_routes(Router& router, PlacementSources sources);

}  // namespace bascule::admin
