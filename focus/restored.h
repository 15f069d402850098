#pragma once

#include <map>
#include <optional>
#include <vector>

#include "base/time.h"
#include "focus/tables.h"
#include "stats/batch.h"

namespace bascule::focus {

/// What survived the last process; the default is a first start.
struct Restored {
  Tables tables;
  /// The last report of each bridge, `source` kRestored, ordered by bridge.
  std::vector<stats::ReceivedReport> reports;
  /// The machine was not rebooted since: every Instant above can be compared with now. Otherwise
  /// placements and pending IQs are already gone from `tables` and `received` of the reports is 0.
  bool same_boot = false;
  std::optional<WallTime> last_commit;  ///< Of the newest operation; nullopt: none.
  /// Conferences that earlier processes died of: left out, and not heard, until this time.
  std::map<RoomJid, Instant> poisoned;
};

}  // namespace bascule::focus
