#pragma once

#include <string>
#include <vector>

#include "sim/storm/metrics.h"

namespace bascule::sim::storm {

/// What the policies `bascule` and `bascule-relay` must keep with 200 bridges or more and the
/// reference truth. One sentence per value that is exceeded; rows without thresholds are ignored.
[[nodiscard]] std::vector<std::string> exceeded(const std::vector<Row>& rows);

}  // namespace bascule::sim::storm
