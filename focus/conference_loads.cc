#include "focus/conference_loads.h"

#include <algorithm>

#include "base/check.h"

namespace bascule::focus {
namespace {

constexpr std::int64_t kUnplannedGainMax = 60;

}  // namespace

const ConferenceLoad::Host* ConferenceLoad::host_on(const Bridge& bridge) const {
  const auto found = std::find_if(hosts.begin(), hosts.end(),
                                  [&](const Host& host) { return host.bridge == &bridge; });
  return found == hosts.end() ? nullptr : &*found;
}

ConferenceLoads::ConferenceLoads(const PlacementOptions& options)
    : options_(options), history_(options.max_remembered_rooms, options.room_memory) {
}

ConferenceLoad& ConferenceLoads::at(const RoomJid& jid, Instant now) {
  const auto [entry, added] = rooms_.try_emplace(jid);
  if (added) {
    entry->second.room = jid;
    entry->second.number = ++last_number_;
    if (const RoomHistory::Entry* last_time = history_.find(jid, now)) {
      entry->second.known_size = last_time->size;
    }
  }
  return entry->second;
}

ConferenceLoad* ConferenceLoads::find(const RoomJid& room) {
  const auto found = rooms_.find(room);
  return found == rooms_.end() ? nullptr : &found->second;
}

const ConferenceLoad* ConferenceLoads::find(const RoomJid& room) const {
  const auto found = rooms_.find(room);
  return found == rooms_.end() ? nullptr : &found->second;
}

void ConferenceLoads::forget_if_idle(ConferenceLoad& room) {
  if (room.members == 0 && !room.has_people() && !room.plan) {
    growing_.erase(room.number);
    const RoomJid jid = room.room;
    rooms_.erase(jid);
  }
}

Milliunits ConferenceLoads::load_on(const ConferenceLoad& room, const ConferenceLoad::Host& host,
                                    std::size_t hosts) const {
  const bool relayed = options_.relays && hosts > 1;
  return host.people * participant_load(room.people) + host.visitors * visitor_load(room.people) +
         (relayed ? options_.relay_load : 0);
}

Milliunits ConferenceLoads::load_of_join(const ConferenceLoad& room, const Bridge& bridge,
                                         Role role) const {
  const std::int64_t people = room.people + (role == Role::kMember ? 1 : 0);
  const ConferenceLoad::Host* here = room.host_on(bridge);
  ConferenceLoad::Host after = here != nullptr ? *here : ConferenceLoad::Host{nullptr};
  (role == Role::kMember ? after.people : after.visitors) += 1;
  const std::size_t hosts = room.hosts.size() + (here != nullptr ? 0 : 1);
  const bool relayed = options_.relays && hosts > 1;
  const Milliunits load = after.people * participant_load(people) +
                          after.visitors * visitor_load(people) +
                          (relayed ? options_.relay_load : 0);
  return load - (here != nullptr ? here->load : 0);
}

Milliunits ConferenceLoads::join(ConferenceLoad& room, Bridge& bridge, Role role, Instant at,
                                 bool settled, std::optional<Instant> placed) {
  if (!room.has_people() && room.lost_size == 0) {
    room.started = at;
    room.largest = 0;
  }
  ConferenceLoad::Host& own = host(room, bridge, at);
  if (role == Role::kMember) {
    ++own.people;
    ++room.people;
  } else {
    ++own.visitors;
  }
  ++bridge.participants;
  room.home = &bridge;
  room.largest = std::max(room.largest, room.people);
  Milliunits join_load = 0;
  for (ConferenceLoad::Host& each : room.hosts) {
    const Milliunits load = load_on(room, each, room.hosts.size());
    const Milliunits added = load - each.load;
    if (each.bridge == &bridge) {
      join_load = added;
    }
    if (added != 0) {
      StressLedger& ledger = each.bridge->ledger;
      placed    ? ledger.restored(added, *placed)
      : settled ? ledger.restored(added)
                : ledger.joined(added, at);
      each.load = load;
      touch(*each.bridge);
    }
  }
  if (room.lost_size > 0 && room.people >= room.lost_size) {
    room.lost_size = 0;
  }
  update_growth(room, at);
  return join_load;
}

void ConferenceLoads::leave(ConferenceLoad& room, Bridge& bridge, const Stay& stay, Instant at) {
  ConferenceLoad::Host& own = host(room, bridge, at);
  std::int64_t& count = stay.role == Role::kMember ? own.people : own.visitors;
  BASCULE_CHECK(count > 0 && bridge.participants > 0);
  --count;
  room.people -= stay.role == Role::kMember ? 1 : 0;
  --bridge.participants;
  const bool empties = own.people + own.visitors == 0;
  const std::size_t hosts = room.hosts.size() - (empties ? 1 : 0);
  for (ConferenceLoad::Host& each : room.hosts) {
    const bool is_own = each.bridge == &bridge;
    const Milliunits load = is_own && empties ? 0 : load_on(room, each, hosts);
    const Milliunits gone = each.load - load;
    if (is_own) {
      bridge.ledger.left(gone, stay.join_load, stay.joined_at, at);
    } else if (gone != 0) {
      each.bridge->ledger.left(gone, 0, at, at);
    }
    each.load = load;
    touch(*each.bridge);
  }
  if (empties) {
    history_.remember(room.room, bridge.jid, room.largest, at);
    remove_host(room, bridge);
  }
  update_growth(room, at);
}

std::int64_t ConferenceLoads::lose_host(ConferenceLoad& room, Bridge& bridge, Instant at) {
  const ConferenceLoad::Host* lost = room.host_on(bridge);
  BASCULE_CHECK(lost != nullptr);
  const std::int64_t people = lost->people;
  const std::int64_t all = lost->people + lost->visitors;
  room.lost_size = std::max(room.lost_size, room.people);
  room.lost_until = at + options_.plan_ttl;
  room.people -= people;
  bridge.participants -= static_cast<std::size_t>(all);
  remove_host(room, bridge);
  for (ConferenceLoad::Host& other : room.hosts) {
    const Milliunits load = load_on(room, other, room.hosts.size());
    if (load != other.load) {
      other.bridge->ledger.left(other.load - load, 0, at, at);
      other.load = load;
      touch(*other.bridge);
    }
  }
  touch(bridge);
  update_growth(room, at);
  return all;
}

void ConferenceLoads::plan(ConferenceLoad& room, Bridge& bridge, PlanKind kind, std::int64_t size,
                           Instant now) {
  drop_plan(room, now);
  room.plan = ConferenceLoad::Plan{&bridge, kind, size, now + options_.plan_ttl};
  bridge.plans.emplace(room.number, &room);
  plan_ends_.emplace(room.plan->until, room.room);
  update_growth(room, now);
}

void ConferenceLoads::drop_plan(ConferenceLoad& room, Instant now) {
  if (!room.plan) {
    return;
  }
  Bridge& bridge = *room.plan->bridge;
  set_growth(bridge, room.plan->growth, 0);
  bridge.plans.erase(room.number);
  plan_ends_.erase({room.plan->until, room.room});
  room.plan.reset();
  update_growth(room, now);
}

void ConferenceLoads::expect_one_less(ConferenceLoad& room, Instant now) {
  if (room.plan) {
    --room.plan->size;
  }
  room.lost_size = std::max<std::int64_t>(0, room.lost_size - 1);
  room.known_size = std::max<std::int64_t>(0, room.known_size - 1);
  update_growth(room, now);
}

std::int64_t ConferenceLoads::expected_gain(const ConferenceLoad& room, Instant now) const {
  if (room.plan) {
    return std::max<std::int64_t>(0, room.plan->size - room.people);
  }
  if (room.lost_size > room.people && now < room.lost_until) {
    return room.lost_size - room.people;
  }
  const Duration age = room.has_people() ? now - room.started : Duration::zero();
  if (room.known_size > room.people) {
    const std::int64_t missing = room.known_size - room.people;
    if (age < options_.known_size_hold) {
      return missing;
    }
    const std::int64_t share =
        faded_share(age - options_.known_size_hold, options_.known_size_decay);
    return (missing * share + kWholeShare - 1) / kWholeShare;
  }
  // ceil(x - 0.2): the last fifth of a participant is not worth a reservation.
  const std::int64_t missing =
      std::max<std::int64_t>(0, static_cast<std::int64_t>(options_.growth_min) - room.people);
  const std::int64_t fading = missing * faded_share(age, options_.growth_decay) - kWholeShare / 5;
  return std::max<std::int64_t>(0, (fading + kWholeShare - 1) / kWholeShare);
}

void ConferenceLoads::refresh_growth(Instant now) {
  drop_expired_plans(now);
  refreshed_at_ = now;
  for (auto next = growing_.begin(); next != growing_.end();) {
    ConferenceLoad& room = *(next++)->second;  // It may end its own growth.
    update_growth(room, now);
  }
}

std::optional<Instant> ConferenceLoads::next_plan_end() const {
  return plan_ends_.empty() ? std::nullopt : std::optional(plan_ends_.begin()->first);
}

void ConferenceLoads::drop_expired_plans(Instant now) {
  while (!plan_ends_.empty() && plan_ends_.begin()->first <= now) {
    ConferenceLoad& room = rooms_.at(plan_ends_.begin()->second);
    drop_plan(room, now);
    forget_if_idle(room);
  }
}

std::vector<Bridge*> ConferenceLoads::take_touched() {
  for (Bridge* bridge : touched_) {
    bridge->touched = false;
  }
  return std::exchange(touched_, {});
}

ConferenceLoad::Host& ConferenceLoads::host(ConferenceLoad& room, Bridge& bridge, Instant at) {
  const auto found = std::find_if(room.hosts.begin(), room.hosts.end(),
                                  [&](const auto& entry) { return entry.bridge == &bridge; });
  if (found != room.hosts.end()) {
    return *found;
  }
  if (room.hosts.empty()) {
    room.version = bridge.version;
    room.first_region = bridge.region;
  }
  bridge.conferences.emplace(room.number, &room);
  room.rehomed_at = at;
  return room.hosts.emplace_back(ConferenceLoad::Host{&bridge});
}

void ConferenceLoads::remove_host(ConferenceLoad& room, const Bridge& bridge) {
  const auto gone = std::find_if(room.hosts.begin(), room.hosts.end(),
                                 [&](const auto& entry) { return entry.bridge == &bridge; });
  set_growth(*gone->bridge, gone->growth, 0);
  gone->bridge->conferences.erase(room.number);
  room.hosts.erase(gone);
  if (room.home == &bridge) {
    room.home = room.hosts.empty() ? nullptr : room.hosts.back().bridge;
  }
}

void ConferenceLoads::update_growth(ConferenceLoad& room, Instant now) {
  const std::int64_t gain = expected_gain(room, now);
  if (room.plan || room.hosts.empty() || gain == 0) {
    growing_.erase(room.number);
  } else {
    growing_.emplace(room.number, &room);
  }
  const Milliunits each = growth_of_host(room, gain);
  for (ConferenceLoad::Host& host : room.hosts) {
    set_growth(*host.bridge, host.growth, each);
  }
  if (room.plan) {
    set_growth(*room.plan->bridge, room.plan->growth, growth_of_plan(room, gain));
  }
}

/// What is kept free on the planned bridge.
Milliunits ConferenceLoads::growth_of_plan(const ConferenceLoad& room, std::int64_t gain) {
  if (room.plan->kind == PlanKind::kMove) {
    // Those who have not moved yet are people already: what is missing there is the rest.
    const ConferenceLoad::Host* there = room.host_on(*room.plan->bridge);
    return std::max<Milliunits>(
        0, conference_load(room.plan->size) - (there != nullptr ? there->load : 0));
  }
  return conference_load(room.people + gain) - conference_load(room.people);
}

/// What is kept free on each bridge it has; with a plan, nothing but there.
Milliunits ConferenceLoads::growth_of_host(const ConferenceLoad& room, std::int64_t gain) {
  if (room.plan || room.hosts.empty()) {
    return 0;
  }
  const std::int64_t most = std::min(gain, kUnplannedGainMax);
  const Milliunits load = conference_load(room.people + most) - conference_load(room.people);
  return load / static_cast<std::int64_t>(room.hosts.size());
}

void ConferenceLoads::set_growth(Bridge& bridge, Milliunits& growth, Milliunits wanted) {
  if (growth != wanted) {
    bridge.growth += wanted - growth;
    growth = wanted;
    touch(bridge);
  }
}

void ConferenceLoads::touch(Bridge& bridge) {
  if (!bridge.touched) {
    bridge.touched = true;
    touched_.push_back(&bridge);
  }
}

/// What is reserved was computed at some time since everything was refreshed. What is expected only
/// fades, but for the end of a reservation for people who lost a bridge.
void ConferenceLoads::check_growth(const ConferenceLoad& room, Instant now) const {
  const Instant since = std::clamp(refreshed_at_, std::min(room.started, now), now);
  const auto [least, most] =
      std::minmax({expected_gain(room, since), expected_gain(room, now),
                   expected_gain(room, std::clamp(room.lost_until, since, now))});
  if (room.plan) {
    BASCULE_CHECK(room.plan->growth == growth_of_plan(room, most));
  }
  for (const ConferenceLoad::Host& host : room.hosts) {
    BASCULE_CHECK(host.growth >= growth_of_host(room, least));
    BASCULE_CHECK(host.growth <= growth_of_host(room, most));
  }
  const bool grows = !room.plan && room.has_people() && most > 0;
  BASCULE_CHECK(grows || !growing_.contains(room.number));
}

void ConferenceLoads::check_invariants(const BridgeRegistry& registry, Instant now) const {
  struct Sums {
    Milliunits own = 0, growth = 0;
    std::size_t participants = 0, conferences = 0, plans = 0;
  };
  std::map<BridgeJid, Sums> expected;
  std::set<const Bridge*> existing;
  for (const auto& [jid, bridge] : registry.all()) {
    existing.insert(&bridge);
  }
  std::size_t plans = 0;
  for (const auto& [jid, room] : rooms_) {
    std::int64_t people = 0;
    BASCULE_CHECK(!room.plan || existing.contains(room.plan->bridge));
    BASCULE_CHECK(room.home == nullptr || room.host_on(*room.home) != nullptr);
    for (const ConferenceLoad::Host& host : room.hosts) {
      BASCULE_CHECK(existing.contains(host.bridge));
    }
    check_growth(room, now);
    for (const ConferenceLoad::Host& host : room.hosts) {
      Sums& sums = expected[host.bridge->jid];
      BASCULE_CHECK(host.people + host.visitors > 0);
      BASCULE_CHECK(host.bridge->conferences.contains(room.number) && host.growth >= 0);
      BASCULE_CHECK(host.load == load_on(room, host, room.hosts.size()));
      sums.own += host.load;
      sums.growth += host.growth;
      sums.participants += static_cast<std::size_t>(host.people + host.visitors);
      ++sums.conferences;
      people += host.people;
    }
    BASCULE_CHECK(people == room.people && (room.home == nullptr) == room.hosts.empty());
    if (room.plan) {
      Sums& sums = expected[room.plan->bridge->jid];
      sums.growth += room.plan->growth;
      ++sums.plans;
      ++plans;
      BASCULE_CHECK(room.plan->bridge->plans.contains(room.number));
    }
  }
  BASCULE_CHECK(plans == plan_ends_.size());
  for (const auto& [jid, bridge] : registry.all()) {
    const Sums sums = expected[jid];
    BASCULE_CHECK(bridge.ledger.own() == sums.own && bridge.growth == sums.growth);
    BASCULE_CHECK(bridge.participants == sums.participants);
    BASCULE_CHECK(bridge.conferences.size() == sums.conferences);
    BASCULE_CHECK(bridge.plans.size() == sums.plans);
    bridge.ledger.check_invariants();
  }
}

}  // namespace bascule::focus
