#pragma once

#include <cstdint>
#include <map>

#include "base/jid.h"
#include "focus/memory_records.h"
#include "focus/turn.h"

namespace bascule::focus {

/// Writes what Placement learns of bridges and rooms to the store, so that a new process does not
/// begin with a fleet of strangers. Never written: load, pace and queue, which are wrong a second
/// later.
class MemoryKeeper {
 public:
  /// Hands what an earlier process wrote to Placement; see restore_memory.
  void restore(const Restored& restored, Turn& turn);
  /// Call once; begins the rounds.
  void start(Turn& turn) { turn.set_timer({TimerKind::kMemory}, kPeriod); }
  /// Writes the bridges whose memory changed. O(bridges).
  void on_timer(Turn& turn);
  /// At the end of a turn: a bridge that was put aside is written at once as well.
  void notice(Turn& turn);
  /// A bridge was given up: its failure must not be forgotten by a crash that follows.
  void bridge_failed(const BridgeJid& bridge, Turn& turn);
  /// One operation per conference that had people on a bridge.
  void conference_ended(const RoomJid& room, Turn& turn);

  static constexpr Duration kPeriod = std::chrono::seconds{60};
  /// What did not change is written again after this, while the bridge is there: it would count as
  /// not heard of for long (BridgeMemory::age).
  static constexpr Duration kRenewal = std::chrono::hours{24};

 private:
  struct Written {
    BridgeMemory memory;
    Instant at;
  };
  void write(const BridgeMemory& memory, Turn& turn);

  std::map<BridgeJid, Written> written_;
  std::uint64_t ice_quarantines_ = 0;
};

}  // namespace bascule::focus
