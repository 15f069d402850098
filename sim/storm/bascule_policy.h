#pragma once

#include <memory>

#include "sim/storm/policy.h"

namespace bascule::sim::storm {

/// `focus::Placement` as it runs in the daemon, behind the interface of the simulator.
[[nodiscard]] std::unique_ptr<Policy> make_bascule_policy(PolicyId id, const PolicySetup& setup);

}  // namespace bascule::sim::storm
