#include "sim/storm/run.h"

#include <algorithm>

#include "base/check.h"

namespace bascule::sim::storm {
namespace {

using Kind = ScriptEvent::Kind;

constexpr Step kSampleEvery = 10;  // One point per second in plots.

/// What an X scenario changes about the truth.
RunSetup with_scenario(RunSetup setup) {
  const Scenario& scenario = *setup.scenario;
  setup.truth.server_rate = std::max(setup.truth.server_rate, scenario.server_rate);
  setup.truth.ghosts = std::max(setup.truth.ghosts, scenario.ghosts);
  setup.truth.idle_load = std::max(setup.truth.idle_load, scenario.idle_load);
  return setup;
}

void mix(std::uint64_t& hash, std::uint64_t value) {
  hash = (hash ^ value) * 1'099'511'628'211ULL;  // FNV-1a by words.
}

std::uint64_t hash_of(const Script& script) {
  std::uint64_t hash = 14'695'981'039'346'656'037ULL;
  for (const ScriptEvent& event : script.events) {
    mix(hash, static_cast<std::uint64_t>(event.at.count()));
    mix(hash, static_cast<std::uint64_t>(event.kind));
    mix(hash, event.who);
  }
  for (const RoomId room : script.room_of) {
    mix(hash, room);
  }
  for (const BridgeId bridge : script.starts_on) {
    mix(hash, bridge);
  }
  return hash;
}

}  // namespace

StormRun::StormRun(const RunSetup& setup)
    : StormRun(setup,
               [&](const PolicySetup& policy) { return make_policy(setup.policy, policy); }) {
}

StormRun::StormRun(const RunSetup& setup, const PolicyFactory& make)
    : setup_(with_scenario(setup)),
      script_(make_script(*setup.scenario, {.bridges = setup.bridges,
                                            .fleet = setup.fleet,
                                            .shape = setup.truth.shape,
                                            .seed = setup.seed})),
      media_(setup_.truth, {.bridges = setup.bridges,
                            .rooms = script_.room_size.size(),
                            .people = script_.room_of.size()}),
      fleet_(setup_.truth, {.bridges = setup.bridges,
                            .kind = setup.fleet,
                            .seed = setup.seed,
                            .start = -(script_.warm / kStep)}),
      people_(script_.room_of, script_.room_size.size()),
      now_(-(script_.warm / kStep)),
      serials_(script_.room_of.size()) {
  for (std::uint32_t focus = 0; focus < setup.focuses; ++focus) {
    policies_.push_back(make({.bridges = setup.bridges,
                              .rooms = script_.room_size.size(),
                              .people = script_.room_of.size(),
                              .serving = script_.serving,
                              .regions = setup.scenario->regions,
                              .seed = setup.seed * 64 + focus,
                              .remembers_rooms = setup.scenario->memory != MemoryKept::kBridges &&
                                                 setup.scenario->memory != MemoryKept::kNoCosts,
                              .focuses = setup.focuses}));
  }
}

/// Policies see a clock that is never negative.
Now StormRun::clock(Duration at) const {
  const Duration shifted = at + std::chrono::hours{1};
  return {Instant{shifted}, WallTime{shifted}};
}

template <class Call>
void StormRun::tell_all(Call call) {
  for (const auto& policy : policies_) {
    call(*policy);
  }
}

void StormRun::warm_start() {
  const Duration at = time_of(now_);
  tell_all([&](Policy& policy) { policy.service_up(clock(at)); });
  // Whoever starts in an old fleet has its costs in the store.
  for (BridgeId bridge = 0; bridge < fleet_.size(); ++bridge) {
    tell_all([&](Policy& policy) {
      if (script_.warm == Duration::zero()) {
        policy.knows(bridge, fleet_.base(bridge), clock(at));
      }
      policy.bridge_up(bridge, clock(at));
    });
  }
  for (PersonId person = 0; person < script_.visitor.size(); ++person) {
    if (script_.visitor[person]) {
      media_.set_visitor(person);
    }
  }
  for (PersonId person = 0; person < script_.warm_people; ++person) {
    const RoomId room = people_.room_of(person);
    media_.place(person, room, script_.starts_on[person], now_);
    people_.placed(person, script_.starts_on[person], fleet_, at);
    policy_of(person).starts_with(person, room, script_.starts_on[person], clock(at));
  }
}

RunResult StormRun::run() {
  warm_start();
  while (now_ < 0) {
    step(now_ + 1);
  }
  fleet_.begin_counting();
  people_.begin_counting(media_, fleet_);
  media_.forget_splits(now_);
  result_.moves = 0;
  const Step last = script_.duration / kStep;
  while (now_ < last) {
    step(now_ + 1);
  }
  return finish();
}

void StormRun::step(Step now) {
  play_events(now);
  now_ = now;
  fleet_.step(now, media_, events_);
  bridge_events(now);
  hear_answers(now);
  poison(now);
  const Duration at = time_of(now);
  for (const Report& report : events_.reports) {
    tell_all([&](Policy& policy) { policy.report(report, clock(at)); });
  }
  for (const auto& policy : policies_) {
    policy->tick(clock(at), decided_);
    carry_out(at);
  }
  if (setup_.keep_series && now % kSampleEvery == 0 && now >= 0) {
    sample_load(now);
  }
}

void StormRun::play_events(Step now) {
  while (next_event_ < script_.events.size() && script_.events[next_event_].at < time_of(now)) {
    play(script_.events[next_event_++]);
  }
}

void StormRun::play(const ScriptEvent& event) {
  const Now at = clock(event.at);
  switch (event.kind) {
    case Kind::kServiceDown:
      tell_all([&](Policy& policy) { policy.service_down(at); });
      break;
    case Kind::kServiceUp:
      tell_all([&](Policy& policy) { policy.service_up(at); });
      break;
    case Kind::kStatsOff:
    case Kind::kStatsOn:
      fleet_.set_reporting(event.kind == Kind::kStatsOn);
      break;
    case Kind::kBridgeDies:
      fleet_.kill(event.who, now_);
      break;
    case Kind::kBridgeAbsent:
      fleet_.set_connected(event.who, false, now_);
      tell_all([&](Policy& policy) { policy.bridge_absent(event.who, at); });
      break;
    case Kind::kBridgeBack:
      fleet_.set_connected(event.who, true, now_);
      tell_all([&](Policy& policy) {
        policy.bridge_up(event.who, at);
        // The presence with which it enters the brewery carries what it said last.
        policy.report(fleet_.last_report(event.who), at);
      });
      break;
    case Kind::kMassDrop:
      mass_drop(event.at);
      break;
    case Kind::kJoin:
    case Kind::kLeave:
      play_people(event);
      break;
  }
}

void StormRun::play_people(const ScriptEvent& event) {
  if (event.kind == Kind::kJoin) {
    wanting_.clear();
    people_.join(event.who, event.at, wanting_);
    for (const PersonId person : wanting_) {
      request(person, RequestKind::kJoin, event.at);
    }
    return;
  }
  remove_media(event.who);
  ++serials_[event.who];
  people_.leave(event.who, event.at);
  policy_of(event.who).released(event.who, clock(event.at));
}

void StormRun::remove_media(PersonId person) {
  if (media_.placed(person)) {
    people_.unplaced(person, media_.bridge_of(person), fleet_);
    media_.remove(person, now_);
  }
}

/// Wants a place again, or still.
void StormRun::lose_media(PersonId person, Duration at) {
  if (media_.placed(person)) {
    remove_media(person);
    people_.waits(person, at);
  }
}

void StormRun::mass_drop(Duration at) {
  for (BridgeId bridge = 0; bridge < fleet_.size(); ++bridge) {
    fleet_.leave_ghosts(bridge, media_.people_on(bridge).size(), now_);
  }
  for (PersonId person = 0; person < people_.size(); ++person) {
    remove_media(person);
  }
  people_.drop_all(at);
  answers_.clear();
  tell_all([&](Policy& policy) { policy.mass_drop(setup_.scenario->memory, clock(at)); });
  const MemoryKept memory = setup_.scenario->memory;
  if (memory == MemoryKept::kAll || memory == MemoryKept::kNothing) {
    // Whoever enters the brewery is told at once who is there and what they said last.
    for (BridgeId bridge = 0; bridge < fleet_.size(); ++bridge) {
      if (fleet_.reachable(bridge)) {
        tell_all([&](Policy& policy) {
          policy.bridge_up(bridge, clock(at));
          policy.report(fleet_.last_report(bridge), clock(at));
        });
      }
    }
  }
}

void StormRun::bridge_events(Step now) {
  const Duration at = time_of(now);
  if (!events_.noticed.empty()) {
    notice_deaths(at);
  }
  for (const BridgeId bridge : events_.returned) {
    tell_all([&](Policy& policy) { policy.bridge_up(bridge, clock(at)); });
  }
}

/// First everybody learns of all deaths, then those who lost their media ask again, all at once.
void StormRun::notice_deaths(Duration at) {
  std::vector<PersonId> displaced;
  for (const BridgeId bridge : events_.noticed) {
    const auto& people = media_.people_on(bridge);
    displaced.insert(displaced.end(), people.begin(), people.end());
    for (const auto& [due, answer] : answers_) {
      if (answer.bridge == bridge && serials_[answer.person] == answer.serial) {
        displaced.push_back(answer.person);
      }
    }
    tell_all([&](Policy& policy) { policy.bridge_down(bridge, clock(at)); });
  }
  std::sort(displaced.begin(), displaced.end());
  displaced.erase(std::unique(displaced.begin(), displaced.end()), displaced.end());
  for (const PersonId person : displaced) {
    ++serials_[person];
    lose_media(person, at);
  }
  for (const PersonId person : displaced) {
    request(person, RequestKind::kDisplaced, at);
  }
}

void StormRun::request(PersonId person, RequestKind kind, Duration at) {
  Request request{.person = person, .room = people_.room_of(person), .kind = kind};
  request.visitor = !script_.visitor.empty() && script_.visitor[person];
  if (!script_.region_of.empty()) {
    request.region = script_.region_of[person];
  }
  policy_of(person).request(request, clock(at), decided_);
  carry_out(at);
}

void StormRun::sample_load(Step now) {
  std::vector<double> loads;
  loads.reserve(fleet_.size());
  for (BridgeId bridge = 0; bridge < fleet_.size(); ++bridge) {
    loads.push_back(fleet_.stress(bridge));
  }
  std::sort(loads.begin(), loads.end());
  result_.series.push_back({.time_s = seconds(time_of(now)),
                            .p10 = quantile(loads, 0.1),
                            .p50 = quantile(loads, 0.5),
                            .p90 = quantile(loads, 0.9),
                            .max = loads.back(),
                            .waiting = static_cast<double>(people_.waiting_count())});
}

std::optional<double> StormRun::share_at_home() const {
  std::size_t placed = 0;
  std::size_t at_home = 0;
  for (PersonId person = 0; person < script_.region_of.size(); ++person) {
    if (media_.placed(person)) {
      ++placed;
      at_home += media_.bridge_of(person) % setup_.scenario->regions == script_.region_of[person]
                     ? 1U
                     : 0U;
    }
  }
  return placed == 0 ? std::nullopt
                     : std::optional(static_cast<double>(at_home) / static_cast<double>(placed));
}

RunResult StormRun::finish() {
  people_.finish(media_, fleet_, time_of(now_));
  result_.kills = fleet_.kills();
  result_.bridges_killed = fleet_.bridges_killed();
  result_.max_stress = fleet_.stress_max();
  result_.over_s_per_user = people_.over_seconds_per_user();
  result_.down_s = people_.down_seconds();
  std::vector<double> loads;
  for (BridgeId bridge = 0; bridge < fleet_.size(); ++bridge) {
    if (fleet_.reachable(bridge)) {
      loads.push_back(fleet_.stress(bridge));
    }
  }
  result_.jain = jain_index(loads);
  result_.splits = media_.splits(now_);
  result_.at_home = share_at_home();
  result_.unplaced = people_.waiting_count();
  result_.arrivals_hash = hash_of(script_);
  if (script_.disturbed_at) {
    const auto served = people_.served_after(*script_.disturbed_at);
    const auto optimum = fluid_optimum(script_, setup_);
    if (optimum && *optimum > 0 && !served.empty()) {
      result_.optimum_ratio = quantile(served, 0.99) / *optimum;
    }
  }
  return std::move(result_);
}

}  // namespace bascule::sim::storm
