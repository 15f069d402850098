#include "focus/ticket_rules.h"

#include <algorithm>
#include <span>

namespace bascule::focus {
namespace {

using Verdict = std::variant<Spot, WaitReason>;

constexpr Duration kPlanPatience = std::chrono::seconds{8};
constexpr Duration kLateJoin = std::chrono::seconds{30};
constexpr std::int64_t kSmallNeed = 4;
constexpr std::int64_t kTinyNeed = 2;

bool displaced(const TicketCase& c) {
  return c.ticket.kind == TicketKind::kReinvite;
}

/// The conference cannot stay where it is: a move away from its home, or the home is about to exit.
bool must_leave_home(const TicketCase& c) {
  const Bridge* home = c.room.home;
  return home != nullptr &&
         (home->shutting_down || (c.ticket.kind == TicketKind::kMove && c.current == home));
}

Verdict join_home(const TicketCase& c, const PlacementOptions& options, const Selector& selector,
                  Instant now) {
  const Bridge& home = *c.room.home;
  if (!BridgeRegistry::works(home, now)) {
    return WaitReason::kBridgeAbsent;
  }
  const Candidate& candidate = selector.candidates()[home.candidate];
  const bool cautious = (displaced(c) || c.fleet_full) && c.waited <= kLateJoin;
  const Stress limit = cautious ? options.limit_max : options.limit_single_join;
  if (!Selector::fits(candidate, ConferenceLoads::load_of_join(c.room, home), limit, false)) {
    return WaitReason::kCapacity;
  }
  if (!candidate.ready) {
    return WaitReason::kPace;
  }
  return Spot{home.candidate, PlacementReason::kJoin, {}};
}

/// nullopt: there is no plan, or it does not help (any more).
std::optional<Verdict> follow_plan(const TicketCase& c, const PlacementOptions& options,
                                   const Selector& selector, Instant now) {
  if (!c.room.reservation || !BridgeRegistry::takes_new(*c.room.reservation->bridge, now)) {
    return std::nullopt;
  }
  const Bridge& planned = *c.room.reservation->bridge;
  if (std::find(c.avoid.begin(), c.avoid.end(), &planned) != c.avoid.end()) {
    return std::nullopt;
  }
  const Candidate& candidate = selector.candidates()[planned.candidate];
  if (!Selector::fits(candidate, participant_load(1), options.limit_max, false)) {
    return std::nullopt;
  }
  if (candidate.ready) {
    return Spot{planned.candidate, PlacementReason::kPlan, {}};
  }
  return c.waited < kPlanPatience ? std::optional<Verdict>(WaitReason::kPace) : std::nullopt;
}

struct Step {
  PlacementReason reason;
  std::int64_t size;
  Stress limit;
  bool respect_growth;
};

std::int64_t expected_size(const TicketCase& c, const PlacementOptions& options) {
  const auto waiting = static_cast<std::int64_t>(c.waiting_in_room);
  // Those who move wait and are there as well.
  const std::int64_t known = c.ticket.kind == TicketKind::kMove ? std::max(waiting, c.room.people)
                                                                : waiting + c.room.people;
  // Displaced conferences come back with the people they had; new ones grow.
  const bool grows = !displaced(c) && c.room.home == nullptr;
  return grows ? std::max<std::int64_t>(known, options.growth_min) : known;
}

std::vector<Step> steps_for(const TicketCase& c, const PlacementOptions& options) {
  const std::int64_t size = expected_size(c, options);
  std::vector<Step> steps = {{PlacementReason::kNew, size, options.limit_new, true},
                             {PlacementReason::kNewFull, size, options.limit_join, true}};
  if (displaced(c)) {
    steps.push_back({PlacementReason::kNewMax, size, options.limit_max, true});
  }
  const bool small_will_do = !displaced(c) || c.waited > options.small_need_after ||
                             size <= static_cast<std::int64_t>(options.growth_min);
  if (small_will_do && c.room.people == 0) {
    steps.push_back({PlacementReason::kSmallNeed, std::min(size, kSmallNeed),
                     displaced(c) ? options.limit_max : options.limit_join, true});
    if (!displaced(c)) {
      steps.push_back(
          {PlacementReason::kNoGrowth, std::min(size, kTinyNeed), options.limit_join, false});
    }
  }
  return steps;
}

struct Search {
  std::optional<Spot> spot;
  bool capacity_seen = false;
};

Search search(const TicketCase& c, const std::vector<Step>& steps, const std::string* region,
              std::span<const Bridge* const> avoid, Selector& selector, Prng& prng) {
  Search result;
  for (const Step& step : steps) {
    const bool gives_up_size =
        step.reason == PlacementReason::kSmallNeed || step.reason == PlacementReason::kNoGrowth;
    // Who has room for all and only lacks pace is worth waiting for; a worse bridge is not.
    if (gives_up_size && (result.capacity_seen || region != nullptr)) {
      break;
    }
    const Choice choice = selector.choose({.load = conference_load(step.size),
                                           .limit = step.limit,
                                           .respect_growth = step.respect_growth,
                                           .pace_matters = true,
                                           .region = region,
                                           .avoid = avoid},
                                          prng);
    result.capacity_seen = result.capacity_seen || choice.capacity_seen;
    if (choice.candidate) {
      const bool more_to_come = step.size > c.room.people + 1;
      result.spot = Spot{*choice.candidate, step.reason,
                         more_to_come ? std::optional(step.size) : std::nullopt};
      return result;
    }
  }
  return result;
}

Verdict choose_new_home(const TicketCase& c, const PlacementOptions& options, Selector& selector,
                        Prng& prng) {
  if (c.nobody) {
    return *c.nobody;
  }
  const std::vector<Step> steps = steps_for(c, options);
  std::vector<const Bridge*> required;
  if (must_leave_home(c)) {
    required.push_back(c.room.home);
  }
  std::vector<const Bridge*> wished = required;
  wished.insert(wished.end(), c.avoid.begin(), c.avoid.end());

  if (c.ticket.region) {
    const Search local = search(c, steps, &*c.ticket.region, wished, selector, prng);
    if (local.spot) {
      return *local.spot;
    }
    if (local.capacity_seen && c.waited < options.region_patience) {
      return WaitReason::kPace;
    }
  }
  const Search anywhere = search(c, steps, nullptr, wished, selector, prng);
  if (anywhere.spot) {
    return *anywhere.spot;
  }
  if (anywhere.capacity_seen) {
    return WaitReason::kPace;
  }
  if (wished.size() > required.size()) {  // Rather a bridge that refused once than none.
    const Search forgiving = search(c, steps, nullptr, required, selector, prng);
    if (forgiving.spot) {
      return *forgiving.spot;
    }
    if (forgiving.capacity_seen) {
      return WaitReason::kPace;
    }
  }
  return WaitReason::kCapacity;
}

}  // namespace

Verdict find_spot(const TicketCase& ticket_case, const PlacementOptions& options,
                  Selector& selector, Prng& prng, Instant now) {
  if (ticket_case.room.home != nullptr && !must_leave_home(ticket_case)) {
    return join_home(ticket_case, options, selector, now);
  }
  if (ticket_case.room.home == nullptr) {
    if (const auto planned = follow_plan(ticket_case, options, selector, now)) {
      return *planned;
    }
  }
  return choose_new_home(ticket_case, options, selector, prng);
}

}  // namespace bascule::focus
