#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/jid.h"
#include "sim/storm/ids.h"

namespace bascule::sim::storm {

/// Addresses for indices and back.
class Addresses {
 public:
  Addresses(std::size_t bridges, std::size_t rooms, std::size_t people);

  [[nodiscard]] const BridgeJid& bridge(BridgeId id) const { return bridges_[id]; }
  [[nodiscard]] const RoomJid& room(RoomId id) const { return rooms_[id]; }
  /// Made on first use, because it contains the room.
  [[nodiscard]] const OccupantJid& person(PersonId id, RoomId room);
  /// Of a person that was named before.
  [[nodiscard]] const OccupantJid& person(PersonId id) const { return people_[id]; }

  [[nodiscard]] static std::string bridge_nick(BridgeId id) { return std::to_string(id); }
  /// The index in an address made here.
  [[nodiscard]] static std::uint32_t index_of(const Jid& jid);

 private:
  std::vector<BridgeJid> bridges_;
  std::vector<RoomJid> rooms_;
  std::vector<OccupantJid> people_;
};

}  // namespace bascule::sim::storm
