#include "focus/ticket_rules.h"

#include <algorithm>
#include <span>

namespace bascule::focus {
namespace {

constexpr Duration kPlanPatience = std::chrono::seconds{8};
constexpr Duration kLateJoin = std::chrono::seconds{30};
constexpr Stress kLateJoinReported{950'000};
constexpr std::int64_t kSplitGain = 20;  // Others expected to follow to a second bridge.
constexpr std::size_t kBridgesMax = 32;  // Of one conference, whatever happens.
constexpr std::int64_t kSmallNeed = 4;
constexpr std::int64_t kTinyNeed = 2;

bool moves_away(const TicketCase& c) {
  return c.room.plan && c.room.plan->kind == PlanKind::kMove;
}

bool is_avoided(const TicketCase& c, const Bridge& bridge) {
  return std::find(c.avoid.begin(), c.avoid.end(), &bridge) != c.avoid.end();
}

/// nullopt: there is no plan, or it does not help (any more).
std::optional<RuleVerdict> follow_plan(const TicketCase& c, const RuleContext& x) {
  if (!c.room.plan || is_avoided(c, *c.room.plan->bridge) || must_leave(c, *c.room.plan->bridge)) {
    return std::nullopt;
  }
  Bridge& planned = *c.room.plan->bridge;
  if (const std::string* version = required_version(c, x);
      version != nullptr && planned.version != *version) {
    return std::nullopt;  // Pinned after it was planned.
  }
  if (!BridgeRegistry::takes_new(planned, x.now)) {
    const bool may_come = x.registry.phase().settling() && !planned.present;
    return may_come ? std::optional<RuleVerdict>(Wait{WaitReason::kSettling}) : std::nullopt;
  }
  const Stress limit = x.options.limit_max;
  if (!Selector::fits(x.selector.look(planned, x.now), added_load(c, x, planned), limit, false)) {
    return std::nullopt;
  }
  if (x.registry.is_ready(planned, x.now)) {
    return Spot{&planned, PlacementReason::kPlan, limit, 0};
  }
  const bool patient = c.waited < kPlanPatience || moves_away(c);
  return patient ? std::optional<RuleVerdict>(Wait{WaitReason::kPace}) : std::nullopt;
}

/// nullopt: the bridge that the operator named cannot be used (any more).
std::optional<RuleVerdict> follow_wish(const TicketCase& c, const RuleContext& x) {
  Bridge& wished = *c.wished;
  const std::string* version = required_version(c, x);
  const bool suits = version == nullptr || wished.version == *version;
  const bool usable = !must_leave(c, wished) && !is_avoided(c, wished) && suits &&
                      BridgeRegistry::takes_new(wished, x.now);
  const Stress limit = x.options.limit_join;
  if (!usable ||
      !Selector::fits(x.selector.look(wished, x.now), added_load(c, x, wished), limit, false)) {
    return std::nullopt;
  }
  return x.registry.is_ready(wished, x.now)
             ? RuleVerdict(Spot{&wished, PlacementReason::kOrder, limit, 0})
             : RuleVerdict(Wait{WaitReason::kPace});
}

RuleVerdict join_home(const TicketCase& c, const RuleContext& x) {
  Bridge& home = *c.room.home;
  if (!BridgeRegistry::works(home, x.now)) {
    return Wait{WaitReason::kBridgeAbsent};
  }
  const Candidate candidate = x.selector.look(home, x.now);
  const Milliunits load = added_load(c, x, home);
  const bool ready = x.registry.is_ready(home, x.now);
  const Stress limit =
      is_displaced(c) || x.fleet_full ? x.options.limit_max : x.options.limit_single_join;
  if (Selector::fits(candidate, load, limit, false)) {
    return ready ? RuleVerdict(Spot{&home, PlacementReason::kJoin, limit, 0})
                 : RuleVerdict(Wait{WaitReason::kPace});
  }
  // A long wait makes up for a few percent, unless the bridge itself says that it is busy.
  if (c.waited > kLateJoin && home.ledger.reported() < kLateJoinReported &&
      Selector::fits(candidate, load, x.options.limit_single_join, false)) {
    return ready ? RuleVerdict(
                       Spot{&home, PlacementReason::kJoinLate, x.options.limit_single_join, 0})
                 : RuleVerdict(Wait{WaitReason::kPace, true});
  }
  return Wait{WaitReason::kCapacity, true};
}

// A conference that may span bridges.

/// In which of a conference's bridges somebody may be put, in order.
enum class HostTier : std::uint8_t { kSameRole, kOtherRole, kDraining, kAvoided };

bool in_tier(const TicketCase& c, const ConferenceLoad::Host& host, HostTier tier, Instant now) {
  const bool draining = !BridgeRegistry::takes_new(*host.bridge, now);
  const bool same_role =
      c.ticket.role == Role::kMember ? host.people > 0 || host.visitors == 0 : host.visitors > 0;
  switch (tier) {
    case HostTier::kSameRole:
      return same_role && !draining;
    case HostTier::kOtherRole:
      return !same_role && !draining;
    case HostTier::kDraining:
      return draining;
    case HostTier::kAvoided:
      return is_avoided(c, *host.bridge);
  }
  return false;
}

struct HostChoice {
  Bridge* bridge = nullptr;
  bool capacity_seen = false;
};

/// The least loaded bridge of the conference that takes one more.
HostChoice choose_host(const TicketCase& c, const RuleContext& x, Stress limit, HostTier tier,
                       const std::vector<std::string>* regions) {
  HostChoice choice;
  Stress lowest;
  for (const ConferenceLoad::Host& host : c.room.hosts) {
    Bridge& bridge = *host.bridge;
    const bool there =
        regions == nullptr || (bridge.region && std::find(regions->begin(), regions->end(),
                                                          *bridge.region) != regions->end());
    if (!there || !in_tier(c, host, tier, x.now) || must_leave(c, bridge) ||
        is_avoided(c, bridge) != (tier == HostTier::kAvoided) ||
        !BridgeRegistry::works(bridge, x.now) ||
        host.people + host.visitors >= x.options.max_per_conference_bridge) {
      continue;
    }
    const Candidate candidate = x.selector.look(bridge, x.now);
    const Milliunits load = added_load(c, x, bridge);
    if (!Selector::fits(candidate, load, limit, false)) {
      continue;
    }
    choice.capacity_seen = true;
    const Stress after = candidate.estimate + stress_of(load, candidate.cost_per_unit);
    if (x.registry.is_ready(bridge, x.now) && (choice.bridge == nullptr || after < lowest)) {
      choice.bridge = &bridge;
      lowest = after;
    }
  }
  return choice;
}

struct Step {
  PlacementReason reason;
  Milliunits load;
  Stress limit;
  bool respect_growth = true;
};

struct Search {
  std::optional<Spot> spot;
  bool capacity_seen = false;
  bool anybody_suits = false;
};

/// Tries the steps in order. Who has room for all and only lacks pace is worth waiting for; a
/// smaller need elsewhere is not (`gives_up_size`).
Search search(const TicketCase& c, const RuleContext& x, std::span<const Step> steps,
              const std::vector<std::string>* regions, std::span<const Bridge* const> avoid) {
  Search result;
  for (const Step& step : steps) {
    const bool gives_up_size =
        step.reason == PlacementReason::kSmallNeed || step.reason == PlacementReason::kNoGrowth;
    if (gives_up_size && (result.capacity_seen || regions != nullptr)) {
      break;
    }
    Stress limit = step.limit;
    if (x.registry.phase().settling()) {
      limit = Stress(limit.millionths() * x.options.settle_permille / 1000);
    }
    const Need need{.load = step.load,
                    .limit = limit,
                    .respect_growth = step.respect_growth,
                    .wants_relay = x.options.relays && c.room.has_people(),
                    .regions = regions,
                    .version = required_version(c, x),
                    .avoid = avoid,
                    .beside_suspect = c.waited >= x.options.poison_after};
    const Choice choice = x.selector.choose(need, x.now, x.prng);
    result.capacity_seen = result.capacity_seen || choice.capacity_seen;
    result.anybody_suits = result.anybody_suits || choice.anybody_suits;
    if (choice.bridge != nullptr) {
      result.spot = Spot{choice.bridge, step.reason, limit, choice.looked_at};
      break;
    }
  }
  return result;
}

std::vector<Step> split_steps(const TicketCase& c, const RuleContext& x, bool last_tier) {
  const std::int64_t gain = std::min(x.loads.expected_gain(c.room, x.now), kSplitGain);
  const Milliunits relay = x.options.relay_load;
  const Milliunits all = relay + need_of(c.room.people, 1 + gain);
  const Milliunits one = relay + need_of(c.room.people, 1);
  std::vector<Step> steps = {{PlacementReason::kSplit, all, x.options.limit_new},
                             {PlacementReason::kSplit, one, x.options.limit_join}};
  if (last_tier) {
    steps.push_back({PlacementReason::kSplit, one, x.options.limit_max});
  }
  return steps;
}

/// One preference of place: a region, its group, anywhere.
std::optional<RuleVerdict> join_within(const TicketCase& c, const RuleContext& x,
                                       const std::vector<std::string>* regions, bool last_tier) {
  const bool affine = c.room.plan && c.room.plan->kind == PlanKind::kAffinity;
  const Stress limit = x.fleet_full || affine ? x.options.limit_max : x.options.limit_join;
  const HostChoice own = choose_host(c, x, limit, HostTier::kSameRole, regions);
  if (own.bridge != nullptr) {
    return Spot{own.bridge, PlacementReason::kJoin, limit, 0};
  }
  if (own.capacity_seen && c.waited < x.options.split_wait) {
    return Wait{WaitReason::kPace};  // A short wait is cheaper than a split.
  }
  bool capacity_seen = own.capacity_seen;
  const auto split = [&]() -> std::optional<Spot> {
    const std::vector<const Bridge*> taken = taken_bridges(c);
    const Search found = search(c, x, split_steps(c, x, last_tier), regions, taken);
    capacity_seen = capacity_seen || found.capacity_seen;
    return found.spot;
  };
  const bool wide = c.room.hosts.size() >= x.options.max_bridges_per_conference;
  if (!wide) {
    if (const auto spot = split()) {
      return *spot;
    }
  }
  if (!last_tier) {
    const bool patient = capacity_seen && c.waited < x.options.region_patience;
    return patient ? std::optional<RuleVerdict>(Wait{WaitReason::kPace}) : std::nullopt;
  }
  for (const HostTier tier :
       {HostTier::kSameRole, HostTier::kOtherRole, HostTier::kDraining, HostTier::kAvoided}) {
    const HostChoice host = choose_host(c, x, x.options.limit_max, tier, nullptr);
    if (host.bridge != nullptr) {
      return Spot{host.bridge, PlacementReason::kJoin, x.options.limit_max, 0};
    }
    capacity_seen = capacity_seen || host.capacity_seen;
  }
  // A mesh too wide is expensive; people without media are worse.
  if (wide && !capacity_seen && c.room.hosts.size() < kBridgesMax) {
    if (const auto spot = split()) {
      return *spot;
    }
  }
  return Wait{capacity_seen ? WaitReason::kPace : WaitReason::kCapacity};
}

RuleVerdict join_spanning(const TicketCase& c, const RuleContext& x) {
  if (c.ticket.region) {
    const std::vector<std::string> region = {*c.ticket.region};
    if (const auto verdict = join_within(c, x, &region, false)) {
      return *verdict;
    }
    const std::vector<std::string> group = region_group(x.options, *c.ticket.region);
    if (group.size() > 1) {
      if (const auto verdict = join_within(c, x, &group, false)) {
        return *verdict;
      }
    }
  }
  return *join_within(c, x, nullptr, true);
}

// A first bridge.

std::int64_t expected_size(const TicketCase& c, const RuleContext& x) {
  const auto waiting = static_cast<std::int64_t>(c.waiting_in_room);
  if (c.ticket.kind == TicketKind::kMove && !x.options.relays) {
    return std::max(waiting, c.room.people);  // Everybody comes along.
  }
  const std::int64_t size = std::max(waiting, 1 + x.loads.expected_gain(c.room, x.now));
  return x.options.relays ? std::min(size, x.options.max_per_conference_bridge) : size;
}

std::vector<Step> first_steps(const TicketCase& c, const RuleContext& x) {
  const std::int64_t size = expected_size(c, x);
  const bool moves = c.ticket.kind == TicketKind::kMove;
  const auto need = [](std::int64_t people) { return need_of(0, people); };
  std::vector<Step> steps = {{PlacementReason::kNew, need(size), x.options.limit_new},
                             {PlacementReason::kNewFull, need(size), x.options.limit_join}};
  if (is_displaced(c)) {
    steps.push_back({PlacementReason::kNewMax, need(size), x.options.limit_max});
  }
  const bool small_will_do = x.options.relays || c.waited > x.options.small_need_after ||
                             size <= static_cast<std::int64_t>(x.options.growth_min) ||
                             !is_displaced(c);
  if (small_will_do && !moves) {
    steps.push_back({PlacementReason::kSmallNeed, need(std::min(size, kSmallNeed)),
                     is_displaced(c) ? x.options.limit_max : x.options.limit_join});
    if (!is_displaced(c)) {
      steps.push_back({PlacementReason::kNoGrowth, need(std::min(size, kTinyNeed)),
                       x.options.limit_join, false});
    }
  }
  return steps;
}

/// It killed every bridge it was on: an almost idle one of its own. Where there is none for long it
/// gets the least loaded: two deaths may be chance, and in a small fleet nobody is ever idle. If it
/// kills that one as well it is held (`poison_hold`).
RuleVerdict choose_alone(const TicketCase& c, const RuleContext& x) {
  const Need need{.load = need_of(0, expected_size(c, x)),
                  .limit = x.options.limit_new,
                  .emptier_than = x.options.poison_limit};
  const Choice choice = x.selector.choose(need, x.now, x.prng);
  if (choice.bridge != nullptr) {
    return Spot{choice.bridge, PlacementReason::kAlone, x.options.limit_new, choice.looked_at};
  }
  if (!choice.capacity_seen && c.waited >= x.options.poison_after) {
    const Choice busy = x.selector.choose(
        {.load = need.load, .limit = need.limit, .beside_suspect = true}, x.now, x.prng);
    if (busy.bridge != nullptr) {
      return Spot{busy.bridge, PlacementReason::kNew, x.options.limit_new, busy.looked_at};
    }
  }
  return Wait{choice.capacity_seen ? WaitReason::kPace : WaitReason::kCapacity};
}

RuleVerdict choose_first(const TicketCase& c, const RuleContext& x) {
  if (c.room.killed_bridges >= 2) {
    return choose_alone(c, x);
  }
  const std::vector<Step> steps = first_steps(c, x);
  const std::vector<const Bridge*> wished = taken_bridges(c);
  std::vector<std::vector<std::string>> tiers;
  if (c.ticket.region) {
    tiers.push_back({*c.ticket.region});
    if (auto group = region_group(x.options, *c.ticket.region); group.size() > 1) {
      tiers.push_back(std::move(group));
    }
  }
  bool anybody_suits = false;
  for (const std::vector<std::string>& tier : tiers) {
    const Search local = search(c, x, steps, &tier, wished);
    if (local.spot) {
      return *local.spot;
    }
    if (local.capacity_seen && c.waited < x.options.region_patience) {
      return Wait{WaitReason::kPace};
    }
  }
  const Search anywhere = search(c, x, steps, nullptr, wished);
  if (anywhere.spot) {
    return *anywhere.spot;
  }
  if (anywhere.capacity_seen) {
    return Wait{WaitReason::kPace};
  }
  anybody_suits = anywhere.anybody_suits;
  if (!c.avoid.empty()) {  // Rather a bridge that refused once than none.
    const std::vector<const Bridge*> required = bridges_of(c.room);
    const Search forgiving = search(c, x, steps, nullptr, required);
    if (forgiving.spot) {
      return *forgiving.spot;
    }
    if (forgiving.capacity_seen) {
      return Wait{WaitReason::kPace};
    }
    anybody_suits = anybody_suits || forgiving.anybody_suits;
  }
  const bool wrong_version = !anybody_suits && required_version(c, x) != nullptr;
  return Wait{wrong_version ? WaitReason::kVersion : WaitReason::kCapacity};
}

}  // namespace

bool must_leave(const TicketCase& c, const Bridge& bridge) {
  const bool moves = c.ticket.kind == TicketKind::kMove;
  return bridge.shutting_down || (moves && (c.current == &bridge || bridge.cordoned));
}

RuleVerdict find_spot(const TicketCase& c, const RuleContext& x) {
  if (c.wished != nullptr) {
    if (const auto wished = follow_wish(c, x)) {
      return *wished;
    }
  }
  if (x.options.strategy != Strategy::kBascule) {
    return find_preferred(c, x.options.strategy, x);
  }
  const bool single = !x.options.relays;
  if (single && moves_away(c)) {
    if (const auto planned = follow_plan(c, x)) {
      return *planned;
    }
  }
  if (c.room.has_people()) {
    if (!single && can_span(c.room)) {
      return join_spanning(c, x);
    }
    if (!must_leave(c, *c.room.home)) {
      return join_home(c, x);
    }
    return choose_first(c, x);
  }
  if (const auto planned = follow_plan(c, x)) {
    return *planned;
  }
  return choose_first(c, x);
}

std::vector<std::string> region_group(const PlacementOptions& options, const std::string& region) {
  for (const std::vector<std::string>& group : options.region_groups) {
    if (std::find(group.begin(), group.end(), region) != group.end()) {
      return group;
    }
  }
  return {region};
}

const std::string* required_version(const TicketCase& c, const RuleContext& x) {
  if (x.options.allow_mixed_versions) {
    return nullptr;
  }
  if (x.options.relays && c.room.has_people() && c.room.version) {
    return &*c.room.version;
  }
  return c.pinned ? &*c.pinned : nullptr;
}

std::vector<const Bridge*> bridges_of(const ConferenceLoad& room) {
  std::vector<const Bridge*> bridges;
  for (const ConferenceLoad::Host& host : room.hosts) {
    bridges.push_back(host.bridge);
  }
  return bridges;
}

std::vector<const Bridge*> taken_bridges(const TicketCase& c) {
  std::vector<const Bridge*> taken = bridges_of(c.room);
  taken.insert(taken.end(), c.avoid.begin(), c.avoid.end());
  return taken;
}

}  // namespace bascule::focus
