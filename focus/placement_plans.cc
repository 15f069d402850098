// Conferences that need a bridge as a whole: after a bridge died, and after everybody was dropped.

#include <algorithm>

#include "base/check.h"
#include "focus/placement_impl.h"

namespace bascule::focus {
namespace {

constexpr Duration kReturnsNoticed = std::chrono::seconds{10};
constexpr Stress kIdle{900'000};  // A bridge that dies below this did not die of load.
constexpr Duration kSuspicion = std::chrono::hours{1};
constexpr std::size_t kBridgesForEstimate = 5;
constexpr Duration kStragglers = std::chrono::milliseconds{500};

}  // namespace

/// Takes everything off a bridge that is gone. Largest conference first.
std::vector<Placement::Impl::Homeless> Placement::Impl::strip_bridge(Bridge& bridge,
                                                                     FailureCause cause,
                                                                     Instant now) {
  const bool idle = bridge.ledger.estimate(now) < kIdle && bridge.ledger.reported() < kIdle;
  const bool died = cause == FailureCause::kLeft || cause == FailureCause::kTimeout ||
                    cause == FailureCause::kRestarted;
  std::vector<Homeless> lost;
  for (const auto& [number, room] : std::map(bridge.conferences)) {
    const auto [first, last] = members_of(room->room);
    for (auto it = first; it != last; ++it) {
      if (it->second.bridge == &bridge) {
        it->second.bridge = nullptr;
        it->second.in_flight = false;
        --placed_;
      }
    }
    if (idle && died && room->rehomed_at && now - *room->rehomed_at <= options_.poison_after) {
      suspect_of_killing(*room, now);
    }
    const std::int64_t size = room->people;
    loads_.lose_host(*room, bridge, now);
    if (room->plan && room->plan->bridge == &bridge) {
      loads_.drop_plan(*room, now);
    }
    lost.push_back({room->room, size, true});
    tell_queue(*room, now);
  }
  bridge.in_flight = 0;
  // Those who were still expected here belong to what was lost.
  for (const auto& [number, room] : std::map(bridge.plans)) {
    const std::int64_t size = room->plan->size;
    loads_.drop_plan(*room, now);
    if (!room->has_people()) {
      lost.push_back({room->room, size, false});
    }
  }
  std::stable_sort(lost.begin(), lost.end(),
                   [](const auto& a, const auto& b) { return a.size > b.size; });
  return lost;
}

const std::string* Placement::Impl::pinned_version(const RoomJid& room) const {
  const auto pin = pins_.find(room);
  return pin == pins_.end() || options_.allow_mixed_versions ? nullptr : &pin->second.version;
}

void Placement::Impl::suspect_of_killing(ConferenceLoad& room, Instant now) {
  const bool fresh = room.killed_last && now - *room.killed_last < kSuspicion;
  room.killed_bridges = (fresh ? room.killed_bridges : 0) + 1;
  room.killed_last = now;
  if (room.killed_bridges == 2) {
    ++counters_.isolations;
  } else if (room.killed_bridges >= 3) {
    room.held_until = now + options_.poison_hold;
  }
}

/// Finds each conference one bridge with room for all of it, so that it is not split. What fits
/// nowhere now has no plan and waits in the queue like others.
void Placement::Impl::plan_conferences(const std::vector<Homeless>& homeless, Instant now) {
  const bool plans = registry_.phase().link_is_up() && options_.strategy == Strategy::kBascule;
  if (!plans) {
    return;
  }
  for (const Homeless& conference : homeless) {
    ConferenceLoad& room = loads_.at(conference.room, now);
    if (room.has_people() || room.killed_bridges >= 2) {
      continue;  // A part of it lives: joins there are ordinary. Or it must be alone.
    }
    const std::int64_t size = options_.relays
                                  ? std::min(conference.size, options_.max_per_conference_bridge)
                                  : conference.size;
    Choice choice;
    for (const Stress limit : {options_.limit_new, options_.limit_join, options_.limit_max}) {
      if (choice.bridge == nullptr) {
        choice = selector_.choose({.load = conference_load(size),
                                   .limit = limit,
                                   .pace_matters = false,
                                   .version = pinned_version(conference.room)},
                                  now, prng_);
      }
    }
    if (choice.bridge == nullptr) {
      ++counters_.plans_without_room;
      loads_.forget_if_idle(room);
      continue;
    }
    ++counters_.plans;
    loads_.plan(room, *choice.bridge, PlanKind::kFailure, size, now);
    flush(now);
  }
}

/// A conference that was dropped comes back to the bridge it had: nothing is known better.
void Placement::Impl::plan_return(const RoomMemory& memory, Instant now) {
  if (options_.strategy != Strategy::kBascule || options_.max_remembered_rooms == 0) {
    return;
  }
  Bridge* bridge = registry_.find(memory.bridge);
  ConferenceLoad& room = loads_.at(memory.room, now);
  const bool usable = bridge != nullptr && (BridgeRegistry::takes_new(*bridge, now) ||
                                            (!bridge->present && bridge->expected_back));
  if (!usable || room.has_people() || room.plan) {
    loads_.forget_if_idle(room);
    return;
  }
  ++counters_.plans;
  const std::int64_t size =
      options_.relays ? std::min(memory.size, options_.max_per_conference_bridge) : memory.size;
  loads_.plan(room, *bridge, PlanKind::kAffinity, size, now);
  flush(now);
}

void Placement::Impl::mass_drop(Now now) {
  const Instant at = clock(now);
  departures_.window += 1;  // Whoever left just before belongs to an older count.
  everybody_dropped(at);
  std::vector<RoomJid> rooms;
  rooms.reserve(loads_.all().size());
  for (const auto& [jid, room] : loads_.all()) {
    if (room.members > 0) {
      rooms.push_back(jid);
    }
  }
  for (const RoomJid& jid : rooms) {
    ConferenceLoad& room = loads_.at(jid, at);
    auto [next, end] = members_of(jid);
    while (next != end) {
      forget(next++, at);
    }
    loads_.forget_if_idle(room);
  }
  flush(at);
}

void Placement::Impl::everybody_dropped(Instant now) {
  ++counters_.mass_drops;
  returns_until_ = now + kReturnsNoticed;
  registry_.everybody_dropped(now, departures_.window);
  if (registry_.phase().link_is_up()) {
    known_before_ = registry_.expected_count();
    registry_.phase().begin(now);
  }
  for (const RoomMemory& memory : loads_.history().seen_since(now - kReturnsNoticed, now)) {
    plan_return(memory, now);
  }
}

/// Enough: they can carry everybody who is expected, or are most of those known before.
Placement::Impl::Back Placement::Impl::bridges_back() const {
  std::size_t present = 0;
  Milliunits wanted = 0;
  Milliunits room = 0;
  for (const auto& [jid, bridge] : registry_.all()) {
    wanted += bridge.ledger.own() + bridge.growth;
    if (bridge.present) {
      ++present;
      const std::int64_t cost =
          std::max<std::int64_t>(bridge.ledger.cost_with_margin().millionths(), 1);
      room += options_.limit_new.millionths() * 1000 / cost;
    }
  }
  if (known_before_ > 0 && present >= known_before_) {
    return Back::kAll;
  }
  const bool most = known_before_ > 0 &&
                    static_cast<std::int64_t>(present) * 1000 >=
                        static_cast<std::int64_t>(known_before_) * options_.settle_present_permille;
  const bool carry = loads_.plan_count() > 0 && present >= kBridgesForEstimate && room >= wanted;
  return most || carry ? Back::kEnough : Back::kTooFew;
}

void Placement::Impl::settle_if_due(Instant now) {
  if (!registry_.phase().settling()) {
    enough_since_.reset();
    return;
  }
  const Back back = bridges_back();
  if (back == Back::kTooFew) {
    enough_since_.reset();
  } else if (!enough_since_) {
    enough_since_ = now;
  }
  // The others may follow within milliseconds: planned away from now, they would stay empty.
  const bool enough = back == Back::kAll || (enough_since_ && now - *enough_since_ >= kStragglers);
  if (registry_.phase().end_if_due(now, enough)) {
    replan_missing(now);
    registry_.settled();
    wake(now);
  }
}

/// Conferences whose bridge did not come back get another.
void Placement::Impl::replan_missing(Instant now) {
  std::vector<Homeless> homeless;
  for (auto& [jid, room] : loads_.all()) {
    if (room.plan && !BridgeRegistry::takes_new(*room.plan->bridge, now)) {
      homeless.push_back({jid, room.plan->size, false});
    }
  }
  for (const Homeless& conference : homeless) {
    loads_.drop_plan(loads_.at(conference.room, now), now);
  }
  flush(now);
  std::stable_sort(homeless.begin(), homeless.end(),
                   [](const auto& a, const auto& b) { return a.size > b.size; });
  plan_conferences(homeless, now);
}

void Placement::Impl::restore_bridge(const BridgeMemory& memory, Now now) {
  registry_.restore(memory, clock(now));
}

void Placement::Impl::restore_room(const RoomMemory& memory, Now now) {
  const Instant at = clock(now);
  loads_.history().remember(memory.room, memory.bridge, memory.size, at - memory.age);
}

std::vector<BridgeMemory> Placement::Impl::bridge_memory(Now now) const {
  std::vector<BridgeMemory> memories;
  for (const auto& [jid, bridge] : registry_.all()) {
    memories.push_back(registry_.memory_of(bridge, time_of(now)));
  }
  return memories;
}

std::optional<BridgeMemory> Placement::Impl::bridge_memory(const BridgeJid& jid, Now now) const {
  const Bridge* bridge = registry_.find(jid);
  return bridge == nullptr ? std::nullopt
                           : std::optional(registry_.memory_of(*bridge, time_of(now)));
}

std::optional<RoomMemory> Placement::Impl::room_memory(const RoomJid& jid, Now now) const {
  const Instant at = time_of(now);
  const RoomHistory::Entry* entry = loads_.history().find(jid, at);
  return entry == nullptr
             ? std::nullopt
             : std::optional(RoomMemory{jid, entry->bridge, entry->size, at - entry->seen});
}

std::vector<RoomMemory> Placement::Impl::room_memory(Now now) const {
  const Instant at = time_of(now);
  std::vector<RoomMemory> memories = loads_.history().seen_since(at - options_.room_memory, at);
  std::erase_if(memories, [&](const RoomMemory& memory) {
    const ConferenceLoad* room = loads_.find(memory.room);
    return room != nullptr && room->has_people();  // Told below as it is now.
  });
  for (const auto& [jid, room] : loads_.all()) {
    if (room.has_people()) {
      const auto most =
          std::max_element(room.hosts.begin(), room.hosts.end(),
                           [](const auto& a, const auto& b) { return a.people < b.people; });
      memories.push_back({jid, most->bridge->jid, std::max<std::int64_t>(room.largest, 1), {}});
    }
  }
  return memories;
}

}  // namespace bascule::focus
