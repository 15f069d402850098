#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <vector>

#include "admin/metrics.h"
#include "base/jid.h"
#include "base/time.h"
#include "focus/placement.h"

namespace bascule::daemon {

/// Which bridges have series of their own: at most so many, and one that is gone keeps them for an
/// hour, so that a rate over its loss can still be calculated.
class BridgeSeries {
 public:
  explicit BridgeSeries(std::size_t bridges_max) : bridges_max_(bridges_max) {}

  struct Selection {
    std::vector<const focus::BridgeView*> shown;  ///< Into `all`; in its order.
    std::size_t not_shown = 0;                    ///< Over the limit.
  };
  /// Of too many those with the most participants. A bridge counts as gone from the first call that
  /// sees it absent. O(n log n) over the limit, else O(n log n) of absent ones.
  Selection select(const std::vector<focus::BridgeView>& all, Instant now);

 private:
  std::size_t bridges_max_;
  std::map<BridgeJid, Instant> absent_since_;
};

using SharedViews = std::shared_ptr<const std::vector<focus::BridgeView>>;

/// The fleet as a whole, then a part for each family of the bridges shown. `views` live as long as
/// the parts.
void append_bridge_parts(const SharedViews& views, BridgeSeries::Selection selection,
                         admin::MetricsParts& parts);

}  // namespace bascule::daemon
