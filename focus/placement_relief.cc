// Bridges that became too busy although nobody was put there above a limit: conferences grow on
// other bridges and make the people here heavier, and traffic varies. Single bridge per conference:
// whole small conferences move (make room). Spanning conferences: a few people move (relief).

#include <algorithm>

#include "base/check.h"
#include "focus/placement_impl.h"

namespace bascule::focus {
namespace {

constexpr std::int64_t kWantMin = 30'000;  // Millionths freed per run at least.
constexpr std::int64_t kBlockedGainMax = 20;
constexpr std::int64_t kReliefPeopleUncoordinated = 6;
// A Move that the conference could not follow (it was about to change anyway) is told again.
constexpr Duration kAskedFor = std::chrono::seconds{10};
constexpr Duration kSpareSpacing = std::chrono::seconds{2};

}  // namespace

/// Once per second. O(bridges), and O(its conferences) for each that is too busy.
void Placement::Impl::relieve_bridges(Instant now) {
  if (!registry_.phase().link_is_up()) {
    return;
  }
  for (auto& [jid, bridge] : registry_.all()) {
    if (!bridge.present || bridge.conferences.empty()) {
      continue;
    }
    if (!options_.relays) {
      if (bridge.hot_samples >= 2) {
        make_room(bridge, nullptr, now);
      }
      continue;
    }
    const bool alone = registry_.focuses_permille() <= 1000;
    const bool hot =
        bridge.hot_samples > 0 || (alone && bridge.ledger.estimate(now) > options_.relief_estimate);
    const bool cool = !bridge.relieved_at || now - *bridge.relieved_at >= options_.relief_cool;
    if (hot && cool && options_.relief_people > 0) {
      relieve(bridge, now);
    }
  }
}

// Single bridge per conference.

bool Placement::Impl::may_move(const ConferenceLoad& room, Instant now) const {
  const bool waits = queue_.size(room.room) > 0;
  const Duration cool = waits ? options_.move_cool_waiting : options_.move_cool;
  return room.hosts.size() == 1 && !room.plan && room.killed_bridges < 2 &&
         now - room.started >= options_.move_age_min &&
         (!room.moved_at || now - *room.moved_at >= cool);
}

/// Hands small conferences of a full bridge to others. `blocked`: a conference on it that cannot
/// take its next participant.
void Placement::Impl::make_room(Bridge& bridge, const ConferenceLoad* blocked, Instant now) {
  const bool due = !bridge.relieved_at || now - *bridge.relieved_at >= options_.make_room_interval;
  if (!options_.make_room || options_.relays || !due) {
    return;
  }
  bridge.relieved_at = now;
  bridge.hot_samples = 0;
  const Candidate figures = selector_.look(bridge, now);
  const auto share = [&](Stress limit) {
    return limit.millionths() * figures.capacity.millionths() / 1'000'000;
  };
  std::int64_t want =
      std::max(kWantMin, figures.estimate.millionths() - share(options_.make_room_target));
  if (blocked != nullptr) {
    const Milliunits gain = need_of(blocked->people, loads_.expected_gain(*blocked, now));
    want += stress_of(gain, figures.cost_per_unit).millionths() / 2;
  }
  std::vector<ConferenceLoad*> victims;
  for (const auto& [number, room] : bridge.conferences) {
    if (room != blocked && room->people <= options_.make_room_size && may_move(*room, now)) {
      victims.push_back(room);
    }
  }
  std::stable_sort(victims.begin(), victims.end(),
                   [](const auto* a, const auto* b) { return a->people < b->people; });
  std::int64_t people = 0;
  for (ConferenceLoad* room : victims) {
    const Milliunits load = room->host_on(bridge)->load;
    if (want <= 0 || people + room->people > options_.make_room_people ||
        !move_away(*room, MoveCause::kMakeRoom, load, now)) {
      break;
    }
    people += room->people;
    want -= stress_of(load, figures.cost_per_unit).millionths();
  }
  if (people == 0 && (blocked != nullptr || bridge.ledger.reported() > Stress::full())) {
    move_smallest(bridge, blocked, now);
  }
}

/// No small conference could go: the smallest that fits elsewhere, the blocked one included.
bool Placement::Impl::move_smallest(Bridge& bridge, const ConferenceLoad* blocked, Instant now) {
  struct Option {
    std::int64_t size;
    ConferenceLoad* room;
  };
  std::vector<Option> choices;
  for (const auto& [number, room] : bridge.conferences) {
    const auto waiting = static_cast<std::int64_t>(queue_.size(room->room));
    if (bridge.conferences.size() == 1 && waiting * 10 < room->people) {
      return false;  // Moving the only one for the sake of a few helps nobody.
    }
    std::int64_t size = room->people;
    if (room == blocked) {
      const std::int64_t gain = std::min(loads_.expected_gain(*room, now), kBlockedGainMax);
      size += std::max(waiting, gain);
    }
    if (size <= options_.make_room_size_max && may_move(*room, now)) {
      choices.push_back({size, room});
    }
  }
  std::stable_sort(choices.begin(), choices.end(),
                   [](const Option& a, const Option& b) { return a.size < b.size; });
  return std::any_of(choices.begin(), choices.end(), [&](const Option& option) {
    const MoveCause cause = option.room == blocked ? MoveCause::kOutgrown : MoveCause::kMakeRoom;
    return move_away(*option.room, cause, conference_load(option.size), now);
  });
}

/// Plans another bridge for the whole conference and asks everybody to move; whether there is one.
bool Placement::Impl::move_away(ConferenceLoad& room, MoveCause cause, Milliunits load,
                                Instant now) {
  const Bridge* const here = room.home;
  Choice choice;
  for (const Stress limit : {options_.limit_new, options_.limit_join}) {
    if (choice.bridge == nullptr) {
      choice = selector_.choose({.load = load,
                                 .limit = limit,
                                 .pace_matters = false,
                                 .version = pinned_version(room.room),
                                 .avoid = {&here, 1}},
                                now, prng_);
    }
  }
  if (choice.bridge == nullptr) {
    activate_spare(now);
    return false;
  }
  plan_move(room, *choice.bridge, cause, now);
  return true;
}

/// The whole conference goes to `to`: keeps room there and asks everybody to move.
void Placement::Impl::plan_move(ConferenceLoad& room, Bridge& to, MoveCause cause, Instant now) {
  const Bridge* const here = room.home;
  loads_.plan(room, to, PlanKind::kMove, room.people, now);
  room.moved_at = now;
  const auto [first, last] = members_of(room.room);
  for (auto it = first; it != last; ++it) {
    if (it->second.bridge == here) {
      want_move(room, it->first, it->second, cause, now);
    }
  }
  flush(now);
}

// Conferences that span bridges.

void Placement::Impl::relieve(Bridge& bridge, Instant now) {
  bridge.relieved_at = now;
  bridge.hot_samples = 0;
  const bool alone = registry_.focuses_permille() <= 1000;
  std::int64_t people =
      alone ? options_.relief_people : std::min(options_.relief_people, kReliefPeopleUncoordinated);
  const Candidate figures = selector_.look(bridge, now);
  const std::int64_t excess = std::max(
      kWantMin, figures.estimate.millionths() - options_.make_room_target.millionths() *
                                                    figures.capacity.millionths() / 1'000'000);
  Milliunits want = excess * 1000 / std::max<std::int64_t>(figures.cost_per_unit.millionths(), 1);

  struct Option {
    Stress other_load;
    Milliunits other_room;
    ConferenceLoad* room;
  };
  std::vector<Option> options;
  for (const auto& [number, room] : bridge.conferences) {
    if (room->moved_at && now - *room->moved_at < options_.relief_conference_cool) {
      continue;
    }
    for (const ConferenceLoad::Host& host : room->hosts) {
      if (host.bridge == &bridge || !BridgeRegistry::works(*host.bridge, now)) {
        continue;
      }
      const Candidate other = selector_.look(*host.bridge, now);
      const Stress load = other.estimate + other.growth;
      const Stress most(options_.limit_join.millionths() * other.capacity.millionths() / 1'000'000);
      if (load < most) {
        const std::int64_t cost = std::max<std::int64_t>(other.cost_per_unit.millionths(), 1);
        options.push_back({load, (most - load).millionths() * 1000 / cost, room});
      }
    }
  }
  std::stable_sort(options.begin(), options.end(),
                   [](const Option& a, const Option& b) { return a.other_load < b.other_load; });
  bool any = false;
  for (const Option& option : options) {
    const Milliunits each = participant_load(option.room->people);
    const std::int64_t count =
        std::min({people, option.other_room / each, (want + each - 1) / each});
    const std::int64_t moved = hand_over(*option.room, bridge, count, MoveCause::kRelief, now);
    any = any || moved > 0;
    people -= moved;
    want -= moved * each;
    if (people <= 0 || want <= 0) {
      return;
    }
  }
  if (any) {
    return;
  }
  // Nobody has another bridge with room: the largest conference gets one.
  ConferenceLoad* largest = nullptr;
  for (const auto& [number, room] : bridge.conferences) {
    const std::int64_t here = room->host_on(bridge)->people;
    const bool cool = !room->moved_at || now - *room->moved_at >= options_.relief_conference_cool;
    const bool may_split = room->hosts.size() < options_.max_bridges_per_conference;
    if (cool && may_split && here > 1 &&
        (largest == nullptr || here > largest->host_on(bridge)->people)) {
      largest = room;
    }
  }
  if (largest == nullptr) {
    return;
  }
  const Milliunits each = participant_load(largest->people);
  const std::int64_t count =
      std::min({people, largest->host_on(bridge)->people - 1, (want + each - 1) / each});
  std::vector<const Bridge*> taken;
  for (const ConferenceLoad::Host& host : largest->hosts) {
    taken.push_back(host.bridge);
  }
  const Choice choice = selector_.choose({.load = count * each + options_.relay_load,
                                          .limit = options_.limit_new,
                                          .pace_matters = false,
                                          .wants_relay = true,
                                          .avoid = taken},
                                         now, prng_);
  if (choice.bridge != nullptr && bridge.relay_id) {
    hand_over(*largest, bridge, count, MoveCause::kRelief, now);
  }
}

/// Asks the newest participants of a conference on a bridge to move: their media is the least
/// established. Returns how many. O(members of the conference).
std::int64_t Placement::Impl::hand_over(ConferenceLoad& room, Bridge& from, std::int64_t people,
                                        MoveCause cause, Instant now) {
  if (people <= 0) {
    return 0;
  }
  std::vector<Members::iterator> here;
  const auto [first, last] = members_of(room.room);
  for (auto it = first; it != last; ++it) {
    const bool movable = it->second.bridge == &from && !is_asked(it->second, now) &&
                         !it->second.in_flight && queue_.find(it->first) == nullptr;
    if (movable) {
      here.push_back(it);
    }
  }
  std::stable_sort(here.begin(), here.end(), [](const auto& a, const auto& b) {
    return a->second.stay.joined_at > b->second.stay.joined_at;
  });
  const auto count = std::min<std::size_t>(here.size(), static_cast<std::size_t>(people));
  for (std::size_t i = 0; i < count; ++i) {
    want_move(room, here[i]->first, here[i]->second, cause, now);
  }
  if (count > 0) {
    room.moved_at = now;
  }
  return static_cast<std::int64_t>(count);
}

void Placement::Impl::want_move(ConferenceLoad& room, const OccupantJid& participant, Member& who,
                                MoveCause cause, Instant now) {
  who.move_wanted = now;
  ++counters_.moves[static_cast<std::size_t>(cause)];
  who.bridge->relieved += cause == MoveCause::kRelief ? 1U : 0U;
  moves_.push_back({room.room, participant, who.bridge->jid, cause});
}

bool Placement::Impl::is_asked(const Member& who, Instant now) {
  return who.move_wanted && now - *who.move_wanted < kAskedFor;
}

/// Takes one more standby bridge into use.
void Placement::Impl::activate_spare(Instant now) {
  if (spare_activated_at_ && now - *spare_activated_at_ < kSpareSpacing) {
    return;
  }
  for (auto& [jid, bridge] : registry_.all()) {
    if (bridge.standby && !bridge.activated && BridgeRegistry::works(bridge, now)) {
      bridge.activated = true;
      bridge.empty_since = now;
      spare_activated_at_ = now;
      ++counters_.spares_activated;
      sort_in(bridge, now);
      selector_.begin_pass();
      wake(now);
      return;
    }
  }
}

}  // namespace bascule::focus
