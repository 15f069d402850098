// Jicofo's selection strategies as orders of preference (jicofo: jicofo-selector/.../bridge/
// *SelectionStrategy.kt). What differs from Jicofo: load is the ledger's estimate, nobody is put on
// a bridge above its limit, everybody is paced, and "least loaded of all" at the end means waiting.

#include <algorithm>

#include "focus/ticket_rules.h"

namespace bascule::focus {
namespace {

using Regions = std::vector<std::string>;

/// Whether bridges of the conference or others are meant.
enum class Scope : std::uint8_t { kHosts, kNew };
/// Who shares a bridge.
enum class Mixing : std::uint8_t { kAny, kSameRole };
/// Whether bridges that drain or failed the participant are left out. Jicofo uses them only when
/// all do (BridgeSelector.kt), here when no other has room.
enum class Avoid : std::uint8_t { kYes, kForgive };

struct Preference {
  Scope scope;
  std::optional<Regions> regions;
  bool fewest_people = false;  ///< Of the hosts; otherwise the least loaded.
};

struct Outcome {
  std::optional<Spot> spot;
  bool capacity_seen = false;
  bool anybody_suits = false;
};

bool is_in(const Bridge& bridge, const std::optional<Regions>& regions) {
  return !regions || (bridge.region && std::find(regions->begin(), regions->end(),
                                                 *bridge.region) != regions->end());
}

bool may_share(const TicketCase& c, const ConferenceLoad::Host& host, Mixing mixing) {
  if (mixing == Mixing::kAny) {
    return true;
  }
  return c.ticket.role == Role::kMember ? host.visitors == 0 : host.people == 0;
}

bool is_unwanted(const TicketCase& c, const Bridge& bridge, Instant now) {
  return !BridgeRegistry::takes_new(bridge, now) ||
         std::find(c.avoid.begin(), c.avoid.end(), &bridge) != c.avoid.end();
}

Outcome try_hosts(const TicketCase& c, const RuleContext& x, const Preference& preference,
                  Mixing mixing, Avoid avoid) {
  Outcome outcome;
  const ConferenceLoad::Host* best = nullptr;
  Stress lowest;
  const Stress limit = is_displaced(c) || x.fleet_full ? x.options.limit_max : x.options.limit_join;
  for (const ConferenceLoad::Host& host : c.room.hosts) {
    const Bridge& bridge = *host.bridge;
    const bool avoided = avoid == Avoid::kYes && is_unwanted(c, bridge, x.now);
    if (avoided || must_leave(c, bridge) || !is_in(bridge, preference.regions) ||
        !may_share(c, host, mixing) || !BridgeRegistry::works(bridge, x.now) ||
        host.people + host.visitors >= x.options.max_per_conference_bridge) {
      continue;
    }
    const Candidate candidate = x.selector.look(bridge, x.now);
    if (!Selector::fits(candidate, added_load(c, x, bridge), limit, false)) {
      continue;
    }
    outcome.capacity_seen = true;
    const bool better = best == nullptr || (preference.fewest_people ? host.people < best->people
                                                                     : candidate.estimate < lowest);
    if (x.registry.is_ready(bridge, x.now) && better) {
      best = &host;
      lowest = candidate.estimate;
    }
  }
  if (best != nullptr) {
    outcome.spot = Spot{best->bridge, PlacementReason::kPreference, limit, 0};
  }
  return outcome;
}

Outcome try_new(const TicketCase& c, const RuleContext& x, const Preference& preference,
                Avoid avoid) {
  const bool spans = c.room.has_people();
  if (spans && c.room.hosts.size() >= x.options.max_bridges_per_conference) {
    return {};
  }
  const std::vector<const Bridge*> taken =
      avoid == Avoid::kYes ? taken_bridges(c) : bridges_of(c.room);
  Stress limit = is_displaced(c) || x.fleet_full ? x.options.limit_max : x.options.limit_join;
  if (x.registry.phase().settling()) {
    limit = Stress(limit.millionths() * x.options.settle_permille / 1000);
  }
  const Milliunits relay = spans ? x.options.relay_load : 0;
  const Need need{.load = relay + need_of(c.room.people, 1),
                  .limit = limit,
                  .wants_relay = spans,
                  .lowest = true,
                  .regions = preference.regions ? &*preference.regions : nullptr,
                  .version = required_version(c, x),
                  .avoid = taken};
  const Choice choice = x.selector.choose(need, x.now, x.prng);
  Outcome outcome{
      .spot = {}, .capacity_seen = choice.capacity_seen, .anybody_suits = choice.anybody_suits};
  if (choice.bridge != nullptr) {
    outcome.spot = Spot{choice.bridge, PlacementReason::kPreference, limit, choice.looked_at};
  }
  return outcome;
}

/// The region that counts for a participant (RegionBasedBridgeSelectionStrategy.kt).
std::optional<std::string> effective_region(const TicketCase& c, const RuleContext& x) {
  const std::string& local = x.options.local_region;
  std::optional<std::string> region = c.ticket.region;
  if (local.empty()) {
    return region;
  }
  if (!region) {
    return local;
  }
  const Regions group = region_group(x.options, *region);
  const auto in_group = [&](const Bridge* bridge) { return is_in(*bridge, group); };
  const bool prefers_local = !c.room.has_people() && region != local &&
                             std::find(group.begin(), group.end(), local) != group.end();
  const auto& open = x.selector.open();
  return prefers_local || std::none_of(open.begin(), open.end(), in_group) ? local : region;
}

std::vector<Preference> preferences_of(const TicketCase& c, Strategy strategy, const RuleContext& x,
                                       Mixing mixing) {
  const bool empty = !c.room.has_people();
  std::vector<Preference> order;
  switch (strategy) {
    case Strategy::kSplit:
      return {{Scope::kNew, {}}, {Scope::kHosts, {}, true}};
    case Strategy::kIntraRegion: {
      const std::optional<std::string>& region = empty ? c.ticket.region : c.room.first_region;
      if (region) {
        order = {{Scope::kHosts, Regions{*region}}, {Scope::kNew, Regions{*region}}};
      }
      if (!region) {
        order.push_back({Scope::kHosts, {}});
      }
      if (empty || !region) {
        order.push_back({Scope::kNew, {}});
      }
      return order;
    }
    case Strategy::kBascule:
    case Strategy::kSingle:
      if (std::any_of(c.room.hosts.begin(), c.room.hosts.end(), [&](const auto& host) {
            return may_share(c, host, mixing) && !must_leave(c, *host.bridge);
          })) {
        order.push_back({Scope::kHosts, {}});
        if (strategy == Strategy::kSingle) {
          return order;  // The people of one role stay together.
        }
      }
      if (c.ticket.region) {
        order.push_back({Scope::kNew, Regions{*c.ticket.region}});
      }
      order.push_back({Scope::kNew, {}});
      return order;
    case Strategy::kRegionBased:
    case Strategy::kVisitor: {
      if (const auto region = effective_region(c, x)) {
        const Regions own = {*region};
        const Regions group = region_group(x.options, *region);
        order = {
            {Scope::kHosts, own}, {Scope::kHosts, group}, {Scope::kNew, own}, {Scope::kNew, group}};
      }
      order.push_back({Scope::kHosts, {}});
      order.push_back({Scope::kNew, {}});
      return order;
    }
  }
  return order;
}

RuleVerdict first_of(const TicketCase& c, Strategy strategy, const RuleContext& x, Mixing mixing) {
  const std::vector<Preference> preferences = preferences_of(c, strategy, x, mixing);
  bool capacity_seen = false;
  bool anybody_suits = c.room.has_people();
  for (const Avoid avoid : {Avoid::kYes, Avoid::kForgive}) {
    if (avoid == Avoid::kForgive && capacity_seen) {
      break;
    }
    for (const Preference& preference : preferences) {
      const Outcome outcome = preference.scope == Scope::kHosts
                                  ? try_hosts(c, x, preference, mixing, avoid)
                                  : try_new(c, x, preference, avoid);
      if (outcome.spot) {
        return *outcome.spot;
      }
      capacity_seen = capacity_seen || outcome.capacity_seen;
      anybody_suits = anybody_suits || outcome.anybody_suits;
    }
  }
  if (capacity_seen) {
    return Wait{WaitReason::kPace};
  }
  const bool wrong_version = !anybody_suits && required_version(c, x) != nullptr;
  return Wait{wrong_version ? WaitReason::kVersion : WaitReason::kCapacity};
}

/// Without relays a conference stays where it is, whatever the strategy.
RuleVerdict stay(const TicketCase& c, const RuleContext& x) {
  Bridge& home = *c.room.home;
  if (!BridgeRegistry::works(home, x.now)) {
    return Wait{WaitReason::kBridgeAbsent};
  }
  const Stress limit =
      is_displaced(c) || x.fleet_full ? x.options.limit_max : x.options.limit_single_join;
  if (!Selector::fits(x.selector.look(home, x.now), added_load(c, x, home), limit, false)) {
    return Wait{WaitReason::kCapacity, true};
  }
  return x.registry.is_ready(home, x.now)
             ? RuleVerdict(Spot{&home, PlacementReason::kJoin, limit, 0})
             : RuleVerdict(Wait{WaitReason::kPace});
}

}  // namespace

RuleVerdict find_preferred(const TicketCase& c, Strategy strategy, const RuleContext& x) {
  const bool spans = x.options.relays && spans_bridges(strategy) && can_span(c.room);
  if (c.room.has_people() && !spans) {
    return must_leave(c, *c.room.home) ? first_of(c, Strategy::kSingle, x, Mixing::kAny)
                                       : stay(c, x);
  }
  if (strategy != Strategy::kVisitor) {
    return first_of(c, strategy, x, Mixing::kAny);
  }
  const Strategy delegate =
      c.ticket.role == Role::kMember ? x.options.participant_strategy : x.options.visitor_strategy;
  RuleVerdict verdict = first_of(c, delegate, x, Mixing::kSameRole);
  if (const auto* wait = std::get_if<Wait>(&verdict);
      wait != nullptr && wait->reason == WaitReason::kCapacity) {
    return first_of(c, delegate, x, Mixing::kAny);
  }
  return verdict;
}

}  // namespace bascule::focus
