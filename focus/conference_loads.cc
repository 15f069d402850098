#include "focus/conference_loads.h"

#include <algorithm>

#include "base/check.h"

namespace bascule::focus {

ConferenceLoad* ConferenceLoads::find(const RoomJid& room) {
  const auto found = rooms_.find(room);
  return found == rooms_.end() ? nullptr : &found->second;
}

const ConferenceLoad* ConferenceLoads::find(const RoomJid& room) const {
  const auto found = rooms_.find(room);
  return found == rooms_.end() ? nullptr : &found->second;
}

void ConferenceLoads::forget_if_idle(const RoomJid& jid) {
  const auto found = rooms_.find(jid);
  if (found != rooms_.end() && found->second.members == 0 && found->second.people == 0 &&
      !found->second.reservation) {
    rooms_.erase(found);
  }
}

Milliunits ConferenceLoads::load_of_join(const ConferenceLoad& room, const Bridge& bridge) {
  const Milliunits heavier = participant_load(room.people + 1);
  Milliunits load = heavier;
  for (const ConferenceLoad::Host& host : room.hosts) {
    if (host.bridge == &bridge) {
      load += host.people * (heavier - participant_load(room.people));
    }
  }
  return load;
}

Milliunits ConferenceLoads::join(const RoomJid& jid, Bridge& bridge, Instant at, bool settled) {
  ConferenceLoad& room = rooms_[jid];
  if (host(room, bridge) == nullptr) {
    room.hosts.push_back({&bridge, 0});
    bridge.rooms.insert(jid);
  }
  const Milliunits added = load_of_join(room, bridge);
  const Milliunits growth = participant_load(room.people + 1) - participant_load(room.people);
  for (const ConferenceLoad::Host& other : room.hosts) {
    const Milliunits load = other.bridge == &bridge ? added : other.people * growth;
    if (load != 0) {
      settled ? other.bridge->ledger.restored(load) : other.bridge->ledger.joined(load, at);
    }
  }
  ++room.people;
  ++host(room, bridge)->people;
  ++bridge.participants;
  room.home = &bridge;
  size_changed(room);
  return added;
}

void ConferenceLoads::leave(const RoomJid& jid, Bridge& bridge, Milliunits join_load,
                            Instant joined_at, Instant at) {
  ConferenceLoad& room = rooms_.at(jid);
  const Milliunits before = participant_load(room.people);
  const Milliunits lighter = before - participant_load(room.people - 1);
  for (const ConferenceLoad::Host& other : room.hosts) {
    if (other.bridge == &bridge) {
      bridge.ledger.left(before + (other.people - 1) * lighter, join_load, joined_at, at);
    } else if (lighter != 0) {
      other.bridge->ledger.left(other.people * lighter, 0, at, at);
    }
  }
  --room.people;
  --bridge.participants;
  ConferenceLoad::Host* left = host(room, bridge);
  if (--left->people == 0) {
    room.hosts.erase(room.hosts.begin() + (left - room.hosts.data()));
    bridge.rooms.erase(jid);
    if (room.home == &bridge) {
      room.home = room.hosts.empty() ? nullptr : room.hosts.back().bridge;
    }
  }
  size_changed(room);
}

std::int64_t ConferenceLoads::lose_host(const RoomJid& jid, Bridge& bridge, Instant at) {
  ConferenceLoad& room = rooms_.at(jid);
  const std::int64_t lost = host(room, bridge)->people;
  const Milliunits lighter = participant_load(room.people) - participant_load(room.people - lost);
  for (const ConferenceLoad::Host& other : room.hosts) {
    if (other.bridge != &bridge && lighter != 0) {
      other.bridge->ledger.left(other.people * lighter, 0, at, at);
    }
  }
  std::erase_if(room.hosts, [&](const auto& entry) { return entry.bridge == &bridge; });
  room.people -= lost;
  bridge.participants -= static_cast<std::size_t>(lost);
  bridge.rooms.erase(jid);
  if (room.home == &bridge) {
    room.home = room.hosts.empty() ? nullptr : room.hosts.back().bridge;
  }
  size_changed(room);
  return lost;
}

void ConferenceLoads::reserve(const RoomJid& jid, Bridge& bridge, std::int64_t size,
                              Instant until) {
  release(jid);
  ConferenceLoad& room = rooms_[jid];
  room.reservation = ConferenceLoad::Reservation{&bridge, size, until, 0};
  bridge.plans.insert(jid);
  expiries_.emplace(until, jid);
  size_changed(room);
}

void ConferenceLoads::release(const RoomJid& jid) {
  ConferenceLoad* room = find(jid);
  if (room == nullptr || !room->reservation) {
    return;
  }
  Bridge& bridge = *room->reservation->bridge;
  bridge.growth -= room->reservation->load;
  bridge.plans.erase(jid);
  expiries_.erase({room->reservation->until, jid});
  room->reservation.reset();
}

void ConferenceLoads::expect_one_less(const RoomJid& jid) {
  ConferenceLoad* room = find(jid);
  if (room != nullptr && room->reservation) {
    --room->reservation->size;
    size_changed(*room);
  }
}

void ConferenceLoads::release_expired(Instant now) {
  while (!expiries_.empty() && expiries_.begin()->first <= now) {
    const RoomJid room = expiries_.begin()->second;
    release(room);
    forget_if_idle(room);
  }
}

std::optional<Instant> ConferenceLoads::next_expiry() const {
  return expiries_.empty() ? std::nullopt : std::optional(expiries_.begin()->first);
}

ConferenceLoad::Host* ConferenceLoads::host(ConferenceLoad& room, const Bridge& bridge) {
  const auto found = std::find_if(room.hosts.begin(), room.hosts.end(),
                                  [&](const auto& entry) { return entry.bridge == &bridge; });
  return found == room.hosts.end() ? nullptr : &*found;
}

/// Whoever has come needs no reservation any more.
void ConferenceLoads::size_changed(ConferenceLoad& room) {
  if (room.reservation) {
    const Milliunits missing = std::max<Milliunits>(
        0, conference_load(room.reservation->size) - conference_load(room.people));
    room.reservation->bridge->growth += missing - room.reservation->load;
    room.reservation->load = missing;
  }
}

void ConferenceLoads::check_invariants(const BridgeRegistry& registry) const {
  struct Sums {
    Milliunits own = 0, growth = 0;
    std::size_t participants = 0, rooms = 0, plans = 0;
  };
  std::map<BridgeJid, Sums> expected;
  std::size_t reservations = 0;
  for (const auto& [jid, room] : rooms_) {
    std::int64_t people = 0;
    for (const ConferenceLoad::Host& host : room.hosts) {
      Sums& sums = expected[host.bridge->jid];
      BASCULE_CHECK(host.people > 0 && host.bridge->rooms.contains(jid));
      sums.own += host.people * participant_load(room.people);
      sums.participants += static_cast<std::size_t>(host.people);
      ++sums.rooms;
      people += host.people;
    }
    BASCULE_CHECK(people == room.people);
    BASCULE_CHECK((room.home == nullptr) == room.hosts.empty());
    if (room.reservation) {
      Sums& sums = expected[room.reservation->bridge->jid];
      sums.growth += room.reservation->load;
      ++sums.plans;
      ++reservations;
      BASCULE_CHECK(room.reservation->bridge->plans.contains(jid));
    }
  }
  BASCULE_CHECK(reservations == expiries_.size());
  for (const auto& [jid, bridge] : registry.all()) {
    const Sums sums = expected[jid];
    BASCULE_CHECK(bridge.ledger.own() == sums.own && bridge.growth == sums.growth);
    BASCULE_CHECK(bridge.participants == sums.participants);
    BASCULE_CHECK(bridge.rooms.size() == sums.rooms && bridge.plans.size() == sums.plans);
    bridge.ledger.check_invariants();
  }
}

}  // namespace bascule::focus
