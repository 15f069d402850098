#pragma once

#include "admin/placement_routes.h"
#include "focus/orders.h"

namespace bascule::admin {

struct BridgeSources {
  std::function<const focus::Placement&()> placement;
  std::function<const focus::Orders::Drains&()> drains;
  std::function<Now()> now;
};

/// Bridges as Placement sees them now:
///   GET /v1/bridges            all, in order of address
///   GET /v1/bridges/{bridge}   one, with the rooms that have people there, the first 1 000 in
///   order
///                              of name; {bridge} is its nick or its percent-encoded address
void add_bridge_routes(Router& router, BridgeSources sources);

}  // namespace bascule::admin
