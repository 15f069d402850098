#include "focus/memory_keeper.h"

#include <algorithm>
#include <utility>

namespace bascule::focus {
namespace {

constexpr Duration kQuarantineNoise = std::chrono::seconds{1};

/// Leaves out what changes by itself.
bool says_the_same(const BridgeMemory& a, const BridgeMemory& b, Duration between) {
  const Duration left = std::max(a.quarantine_left - between, Duration::zero());
  const Duration difference =
      left > b.quarantine_left ? left - b.quarantine_left : b.quarantine_left - left;
  return a.cost == b.cost && a.deviation == b.deviation && a.confirmations == b.confirmations &&
         a.capacity == b.capacity && a.failures == b.failures && a.version == b.version &&
         a.region == b.region && difference <= kQuarantineNoise;
}

}  // namespace

void MemoryKeeper::restore(const Restored& restored, Turn& turn) {
  restore_memory(restored, turn.shared.placement, turn.now);
  for (const BridgeMemory& memory : turn.shared.placement.bridge_memory(turn.now)) {
    written_.insert_or_assign(memory.bridge, Written{memory, turn.now.mono});
  }
}

void MemoryKeeper::on_timer(Turn& turn) {
  std::map<BridgeJid, Written> before = std::exchange(written_, {});
  for (const BridgeMemory& memory : turn.shared.placement.bridge_memory(turn.now)) {
    const auto found = before.find(memory.bridge);
    const bool present = memory.age == Duration::zero();
    const bool known =
        found != before.end() &&
        says_the_same(found->second.memory, memory, turn.now.mono - found->second.at) &&
        (!present || turn.now.mono - found->second.at < kRenewal);
    if (known) {
      written_.insert(before.extract(found));
    } else {
      write(memory, turn);
    }
  }
  turn.set_timer({TimerKind::kMemory}, kPeriod);
}

void MemoryKeeper::notice(Turn& turn) {
  const std::uint64_t now = turn.shared.placement.counters().ice_quarantines;
  if (std::exchange(ice_quarantines_, now) != now) {
    turn.shared.deadlines.set_no_later({TimerKind::kMemory}, turn.now.mono);
  }
}

void MemoryKeeper::bridge_failed(const BridgeJid& bridge, Turn& turn) {
  if (const auto memory = turn.shared.placement.bridge_memory(bridge, turn.now)) {
    write(*memory, turn);
  }
}

void MemoryKeeper::conference_ended(const RoomJid& room, Turn& turn) {
  if (const auto memory = turn.shared.placement.room_memory(room, turn.now)) {
    turn.persist(to_record(*memory, turn.now));
  }
}

void MemoryKeeper::write(const BridgeMemory& memory, Turn& turn) {
  turn.persist(to_record(memory, turn.now));
  written_.insert_or_assign(memory.bridge, Written{memory, turn.now.mono});
}

}  // namespace bascule::focus
