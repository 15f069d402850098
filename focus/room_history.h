#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/jid.h"
#include "base/time.h"

namespace bascule::focus {

/// Where a conference was and how large, the last time it met.
struct RoomMemory {
  RoomJid room;
  BridgeJid bridge;       ///< The one with most of its people.
  std::int64_t size = 0;  ///< Its largest, at least 1.
  Duration age{};         ///< Since it was seen; when restored: how long ago that was.

  friend bool operator==(const RoomMemory&, const RoomMemory&) = default;
};

/// Remembers rooms after they are empty: the same people come back to the same room, after a crash
/// within seconds. Bounded by number and age; the oldest are forgotten first.
class RoomHistory {
 public:
  RoomHistory(std::size_t rooms, Duration longest) : rooms_max_(rooms), longest_(longest) {}

  struct Entry {
    BridgeJid bridge;
    std::int64_t size;
    Instant seen;
  };

  void remember(const RoomJid& room, const BridgeJid& bridge, std::int64_t size, Instant now);
  [[nodiscard]] const Entry* find(const RoomJid& room, Instant now) const;
  void forget(const RoomJid& room);
  /// Rooms seen at `since` or later, in order of time.
  [[nodiscard]] std::vector<RoomMemory> seen_since(Instant since, Instant now) const;
  [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
  std::size_t rooms_max_;
  Duration longest_;
  std::map<RoomJid, Entry> entries_;
  std::set<std::pair<Instant, RoomJid>> by_time_;
};

}  // namespace bascule::focus
