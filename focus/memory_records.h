#pragma once

#include "base/time.h"
#include "focus/operation.h"
#include "focus/placement.h"
#include "focus/restored.h"

namespace bascule::focus {

/// Tells how much time went by between an operation of an earlier process and now.
///
/// Why two clocks: after a restart of the process the monotonic one is exact whatever happened to
/// the other; after a reboot only the wall clock is left, and nobody knows whether it is right.
class StoredTimes {
 public:
  StoredTimes(const Restored& restored, Now now);

  /// Since `wall`/`at`. When the wall clock is needed and in doubt (it is behind the newest thing
  /// we wrote, or behind `wall`) everything counts as very old: kLongAgo.
  [[nodiscard]] Duration since(Instant at, WallTime wall) const;
  /// The same, but without the time in which no focus ran if that is short: nobody could come back
  /// meanwhile, so who was just gone still is.
  [[nodiscard]] Duration since_in_service(Instant at, WallTime wall) const;

  static constexpr Duration kLongAgo = std::chrono::hours{24 * 365};

 private:
  Now now_;
  bool same_boot_;
  bool doubtful_;
  Duration pause_{};  // Between the last commit and now; zero when it was long.
};

/// What Placement knows of a bridge, as an operation, and back.
[[nodiscard]] op::BridgeLearned to_record(const BridgeMemory& memory, Now now);
[[nodiscard]] BridgeMemory from_record(const op::BridgeLearned& record, const StoredTimes& times);
[[nodiscard]] op::RoomSeen to_record(const RoomMemory& memory, Now now);
[[nodiscard]] RoomMemory from_record(const op::RoomSeen& record, const StoredTimes& times);
[[nodiscard]] op::Decision to_record(const DecisionRecord& record, Now now);

/// Puts what an earlier process learned into `placement`. Before participants are restored and
/// before `service_up`. O(bridges + rooms + decisions).
void restore_memory(const Restored& restored, Placement& placement, Now now);

}  // namespace bascule::focus
