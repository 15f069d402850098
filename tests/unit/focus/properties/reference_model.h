#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <optional>
#include <vector>

#include "focus/load_units.h"
#include "focus/placement.h"

namespace bascule::focus::properties {

/// Index into ReferenceModel::people, ::rooms and ::bridges.
using PersonId = std::size_t;
using RoomId = std::size_t;
using BridgeId = std::size_t;

struct ModelTicket {
  Ticket ticket;
  std::size_t line = 0;  ///< 0: displaced, 1: all others.
  Instant since{};
};

struct ModelPerson {
  OccupantJid jid;
  RoomId room = 0;
  Role role = Role::kMember;
  std::uint32_t generation = 0;  ///< Latest used.
  bool known = false;            ///< To Placement.
  std::optional<ModelTicket> ticket;
  std::optional<BridgeId> place;
  std::uint32_t place_generation = 0;
  bool in_flight = false;
  bool goes_to_front = false;  ///< An allocation failed.
  std::optional<Instant> failed_at;
};

struct ModelRoom {
  RoomJid jid;
  std::array<std::list<PersonId>, 2> lines;  ///< In order of arrival.
  std::optional<std::string> pinned;
  Instant pinned_until{};
  Instant planned_until{};  ///< Until then a bridge may be planned for it.
};

struct ModelBridge {
  BridgeJid jid;
  bool present = false, healthy = true, drain = false, graceful = false, shutting_down = false;
  bool suspect = false, cordoned = false, standby = false;
  std::optional<std::int64_t> told_total;
  std::uint32_t failures = 0;
  std::optional<Instant> last_failure, quarantined_until, aside_until;
  std::deque<Instant> placements;

  [[nodiscard]] bool quarantined(Instant now) const {
    return quarantined_until && now < *quarantined_until;
  }
  [[nodiscard]] bool works(Instant now) const {
    return present && healthy && !suspect && !quarantined(now);
  }
  [[nodiscard]] bool open(Instant now) const {
    const bool aside = aside_until && now < *aside_until;
    return works(now) && !drain && !cordoned && !graceful && !shutting_down && !aside;
  }
};

/// What must be true of a Placement that was told the same: who waits in which order, who is where,
/// which bridges may be used. Deliberately simple: everything is searched and summed up anew.
struct ReferenceModel {
  ReferenceModel(const PlacementOptions& options, int bridge_count, int room_count,
                 int people_per_room);

  PlacementOptions options;
  std::vector<ModelPerson> people;
  std::vector<ModelRoom> rooms;
  std::vector<ModelBridge> bridges;
  std::map<OccupantJid, PersonId> person_of;
  std::map<BridgeJid, BridgeId> bridge_of;

  // What happened.
  void ticket_accepted(PersonId who, const Ticket& ticket, Instant now);
  void ticket_removed(PersonId who);
  void placed(PersonId who, BridgeId where, std::uint32_t generation, Instant now);
  void allocation_failed(PersonId who, Instant now);
  void forgotten(PersonId who);
  void may_be_planned(RoomId room, Instant now);
  /// Returns who lost its place.
  std::vector<PersonId> failed(BridgeId which, FailureCause cause, Instant now);

  // What is.
  struct Crowd {
    std::int64_t people = 0, visitors = 0;
  };
  [[nodiscard]] std::vector<PersonId> in_room(RoomId room) const;
  [[nodiscard]] std::map<BridgeId, Crowd> hosts(RoomId room) const;
  [[nodiscard]] std::int64_t size(RoomId room) const;  ///< Without visitors.
  [[nodiscard]] std::size_t queued(TicketClass ticket_class) const;
  [[nodiscard]] std::size_t queued() const;
  /// Load of ours on every bridge, thousandths of a unit.
  [[nodiscard]] std::vector<Milliunits> own_loads() const;
  /// What one more of `role` in the room adds there.
  [[nodiscard]] Milliunits load_of_join(RoomId room, BridgeId where, Role role) const;
  [[nodiscard]] Errc expected_error(PersonId who, const Ticket& ticket) const;
  static constexpr Errc kNoError = static_cast<Errc>(-1);

 private:
  [[nodiscard]] Milliunits host_load(const Crowd& crowd, std::int64_t people,
                                     std::size_t hosts) const;
};

}  // namespace bascule::focus::properties
