#include "focus/room_history.h"

#include <algorithm>

namespace bascule::focus {

void RoomHistory::remember(const RoomJid& room, const BridgeJid& bridge, std::int64_t size,
                           Instant now) {
  if (rooms_max_ == 0) {
    return;
  }
  forget(room);
  while (!by_time_.empty() &&
         (entries_.size() >= rooms_max_ || now - by_time_.begin()->first > longest_)) {
    forget(RoomJid(by_time_.begin()->second));
  }
  entries_.emplace(room, Entry{bridge, std::max<std::int64_t>(size, 1), now});
  by_time_.emplace(now, room);
}

const RoomHistory::Entry* RoomHistory::find(const RoomJid& room, Instant now) const {
  const auto found = entries_.find(room);
  const bool known = found != entries_.end() && now - found->second.seen <= longest_;
  return known ? &found->second : nullptr;
}

void RoomHistory::forget(const RoomJid& room) {
  const auto found = entries_.find(room);
  if (found != entries_.end()) {
    by_time_.erase({found->second.seen, room});
    entries_.erase(found);
  }
}

std::vector<RoomMemory> RoomHistory::seen_since(Instant since, Instant now) const {
  std::vector<RoomMemory> rooms;
  for (auto it = by_time_.lower_bound({since, RoomJid()}); it != by_time_.end(); ++it) {
    const Entry& entry = entries_.at(it->second);
    rooms.push_back({it->second, entry.bridge, entry.size, now - entry.seen});
  }
  return rooms;
}

}  // namespace bascule::focus
