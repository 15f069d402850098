// What must hold after every command. Numbers are those of the list of invariants (I) and
// properties (Q) of bridge selection: docs/selection.md.

#include <algorithm>
#include <set>
#include <sstream>

#include "tests/unit/focus/properties/world.h"

namespace bascule::focus::properties {
namespace {

using std::chrono::milliseconds, std::chrono::seconds;

constexpr Stress kRounding{20};  // Each of at most a few roundings up is one millionth.

Stress share(Stress limit, Stress capacity) {
  return Stress(limit.millionths() * capacity.millionths() / 1'000'000);
}

std::uint64_t waits_of(const PlacementCounters& counters) {
  std::uint64_t sum = 0;
  for (const std::uint64_t count : counters.waits) {
    sum += count;
  }
  return sum;
}

std::string text_of(const Decision& decision) {
  std::ostringstream out;
  out << decision.ticket.participant.to_string() << " on " << decision.bridge.jid().resource()
      << " by " << to_string(decision.reason) << " expected " << decision.expected.millionths()
      << " limit " << decision.limit.millionths() << " waited " << decision.waited / milliseconds{1}
      << " ms";
  return out.str();
}

}  // namespace

void World::require(bool holds, std::string_view property, std::string_view what,
                    const Decision* decision) {
  ++evaluated_[property];
  if (!holds) {
    violated(property, what, decision == nullptr ? "" : text_of(*decision));
  }
}

void World::require(bool holds, std::string_view property, std::string_view what,
                    const ModelPerson& person) {
  ++evaluated_[property];
  if (!holds) {
    violated(property, what, person.jid.to_string());
  }
}

void World::violated(std::string_view property, std::string_view what,
                     const std::string& detail) const {
  std::ostringstream out;
  out << property << " at " << elapsed_ / milliseconds{1} << " ms: " << what;
  if (!detail.empty()) {
    out << ": " << detail;
  }
  throw Violation(out.str());
}

void World::drain() {
  std::vector<BridgeView> before;
  if (setup_.single_decisions) {
    before = placement_.bridges(now());
  }
  const std::uint64_t waits = waits_of(placement_.counters());
  const std::vector<ModelPerson> people_before =
      setup_.single_decisions ? model_.people : std::vector<ModelPerson>();
  std::vector<Decision> decisions;
  placement_.drain(now(), decisions, wishes_);
  note_plans();
  for (const Decision& decision : decisions) {
    check_decision(decision);
    const PersonId who = model_.person_of.at(decision.ticket.participant);
    const BridgeId where = model_.bridge_of.at(decision.bridge);
    model_.placed(who, where, decision.ticket.generation, moment());
    check_pace(where);
    // A move also takes load away, with the last of a conference a relay on all its bridges.
    if (setup_.single_decisions && !woke_up_ && !people_before.at(who).place) {
      check_reservation(decision, before, people_before.at(who));
    }
    std::ostringstream line;
    line << text_of(decision);
    log_.push_back(line.str());
  }
  if (decisions.empty() && waits_of(placement_.counters()) > waits) {
    check_waits();
  }
}

/// What makes plans besides failures: moves, and everybody leaving at once.
void World::note_plans() {
  moved_ = moved_ || !wishes_.empty();
  for (const Move& wish : wishes_) {
    model_.may_be_planned(model_.people.at(model_.person_of.at(wish.participant)).room, moment());
  }
  if (placement_.counters().mass_drops != mass_drops_) {
    mass_drops_ = placement_.counters().mass_drops;
    for (RoomId r = 0; r < model_.rooms.size(); ++r) {
      model_.may_be_planned(r, moment());
    }
  }
}

void World::check_decision(const Decision& decision) {
  const ModelPerson& person = model_.people.at(model_.person_of.at(decision.ticket.participant));
  require(person.ticket.has_value() && person.ticket->ticket == decision.ticket, "Q20",
          "a ticket was served that is not the latest", &decision);
  const auto& line = model_.rooms.at(person.room).lines.at(person.ticket->line);
  require(line.front() == model_.person_of.at(person.jid), "Q7",
          "served before others of its room and class", &decision);
  require(decision.waited == moment() - person.ticket->since, "Q7", "waiting began at enqueue");
  check_limit_of_rule(decision, person);
  check_bridge_of(decision, person, model_.bridge_of.at(decision.bridge));
}

void World::check_limit_of_rule(const Decision& decision, const ModelPerson& person) {
  const PlacementOptions& options = model_.options;
  const BridgeView chosen = view(model_.bridge_of.at(decision.bridge));
  require(decision.expected <= share(decision.limit, chosen.capacity) + kRounding, "Q1",
          "over the limit of its rule", &decision);
  const bool displaced = person.ticket->line == 0;
  Stress most = options.limit_single_join;
  switch (decision.reason) {
    case PlacementReason::kNew:
    case PlacementReason::kAlone:
      most = options.limit_new;
      break;
    case PlacementReason::kNewFull:
    case PlacementReason::kOrder:
      most = options.limit_join;
      break;
    case PlacementReason::kNoGrowth:
      require(!displaced, "Q1", "the displaced do not ignore reservations");
      most = options.limit_join;
      break;
    case PlacementReason::kSmallNeed:
      most = displaced ? options.limit_max : options.limit_join;
      break;
    case PlacementReason::kNewMax:
      require(displaced, "Q1", "only the displaced may be put there");
      most = options.limit_max;
      break;
    case PlacementReason::kSplit:
    case PlacementReason::kPlan:
      most = options.limit_max;
      break;
    case PlacementReason::kJoinLate:
      require(decision.waited > seconds{30}, "Q1", "a late join came early");
      break;
    case PlacementReason::kJoin:
    case PlacementReason::kPreference:
      most = options.relays && spans_bridges(options.strategy) ? options.limit_max
                                                               : options.limit_single_join;
      break;
  }
  require(decision.limit <= most, "Q1", "a higher limit than the rule has", &decision);
  const bool silent = chosen.report_age.value_or(Duration::max()) > options.blind_after;
  if (silent && setup_.single_decisions) {  // Otherwise later decisions are in what we see.
    const std::int64_t units = share(decision.limit, chosen.capacity).millionths() * 1000 /
                               std::max<std::int64_t>(chosen.cost_per_unit.millionths(), 1);
    require(chosen.load <= units + 1, "Q13", "a silent bridge got more than its limit holds");
  }
}

void World::check_bridge_of(const Decision& decision, const ModelPerson& person, BridgeId where) {
  const ModelBridge& bridge = model_.bridges.at(where);
  const auto hosts = model_.hosts(person.room);
  const bool lives_there = hosts.contains(where);
  require(!bridge.quarantined(moment()), "Q15", "in quarantine", &decision);
  require(bridge.failures < 3 || moment() - *bridge.last_failure >= seconds{600}, "Q16",
          "a flapping bridge", &decision);
  require(bridge.works(moment()) && link_up_, "I8", "does not work", &decision);
  require(!bridge.shutting_down, "I8", "about to exit", &decision);
  require(lives_there || bridge.open(moment()), "Q24", "a new conference on a draining bridge",
          &decision);
  require(lives_there || !bridge.standby || view(where).activated, "I8",
          "a spare that is not in use", &decision);
  const ModelRoom& room = model_.rooms.at(person.room);
  const bool pinned = room.pinned && moment() < room.pinned_until;
  require(!hosts.empty() || !pinned || room.pinned == "v1", "I8", "not of the version wanted",
          &decision);
  const bool avoids_others = person.ticket->ticket.kind == TicketKind::kMove;
  require(!avoids_others || person.place != where, "I8", "moved to where it is", &decision);
}

/// Any window from one placement to another holds at most burst + length / interval.
void World::check_pace(BridgeId where) {
  const auto& times = model_.bridges.at(where).placements;
  const PlacementOptions& options = model_.options;
  for (std::size_t first = 0; first < times.size(); ++first) {
    const auto count = static_cast<std::int64_t>(times.size() - first);
    const std::int64_t allowed =
        options.placement_burst + (times.back() - times[first]) / options.placement_interval;
    require(count <= allowed, "Q2", "too many placements in one window");
  }
  if (times.size() > 100) {
    model_.bridges.at(where).placements.pop_front();
  }
}

/// The only decision of its `drain`: called with the model after it, and both before it.
void World::check_reservation(const Decision& decision, const std::vector<BridgeView>& before,
                              const ModelPerson& person_before) {
  const std::int64_t people = model_.size(person_before.room);
  const Milliunits least =
      person_before.role == Role::kMember ? participant_load(people) : visitor_load(people);
  for (BridgeId which = 0; which < before.size(); ++which) {
    const BridgeView after = view(which);
    const Stress& was = before.at(which).expected;
    if (after.bridge == decision.bridge) {
      const Stress raised = stress_of(least, learned_cost(which));
      require(after.expected + kRounding >= was + raised, "Q3", "a placement that hardly counts",
              &decision);
    } else {
      require(after.expected + kRounding >= was, "Q3", "a placement made another bridge lighter",
              &decision);
    }
  }
}

void World::check_failure(BridgeId which, const std::vector<PersonId>& lost,
                          const std::vector<RoomJid>& rooms,
                          const std::vector<BridgeView>& before) {
  const BridgeView failed = view(which);
  require(failed.load == 0 && failed.unaccounted == 0 && failed.participants == 0 &&
              failed.conferences == 0 && failed.in_flight == 0,
          "Q15", "something is left on a bridge that failed");
  // An idle one that restarted is there at once, and may get the plans it had.
  require(failed.reserved == Stress() || model_.bridges.at(which).open(moment()), "I8",
          "a plan survived its bridge");
  std::vector<RoomJid> expected;
  for (const PersonId who : lost) {
    expected.push_back(model_.rooms.at(model_.people.at(who).room).jid);
  }
  std::sort(expected.begin(), expected.end());
  expected.erase(std::unique(expected.begin(), expected.end()), expected.end());
  std::vector<RoomJid> told = rooms;
  std::sort(told.begin(), told.end());
  require(told == expected, "Q15", "not told exactly the rooms that lost people");
  note_plans();
  // Where the rest of a conference is, its own growth may be reserved again: because it lost people
  // or the plan it had elsewhere.
  std::set<BridgeId> remainders;
  for (const PersonId who : lost) {
    model_.may_be_planned(model_.people.at(who).room, moment());
  }
  for (RoomId r = 0; r < model_.rooms.size(); ++r) {
    for (const auto& [bridge, crowd] : model_.hosts(r)) {
      if (moment() <= model_.rooms[r].planned_until) {
        remainders.insert(bridge);
      }
    }
  }
  for (BridgeId each = 0; each < model_.bridges.size(); ++each) {
    const BridgeView after = view(each);
    if (after.reserved > before.at(each).reserved && !remainders.contains(each)) {
      require(after.expected + after.reserved <=
                  share(model_.options.limit_max, after.capacity) + kRounding,
              "Q21", "the plans of one pass exceed the limit");
    }
  }
}

void World::check_state() {
  try {
    placement_.check_invariants();
    ++evaluated_["I2"];
    ++evaluated_["I4"];
    ++evaluated_["I5"];
    ++evaluated_["I6"];
  } catch (const std::exception& failed) {
    violated("I1-I8", failed.what(), "");
  }
  check_bridges();
  check_hosts();
  for (const ModelPerson& person : model_.people) {
    const auto place = placement_.bridge_of(person.jid);
    const bool same = place.has_value() == person.place.has_value() &&
                      (!place || model_.bridge_of.at(*place) == *person.place);
    require(same, "I3", "somebody is not where the decisions put it", person);
    require(person.ticket.has_value() || !placement_.waiting_for(person.jid), "I3",
            "somebody waits without a ticket", person);
  }
  for (std::size_t c = 0; c < kTicketClassCount; ++c) {
    const auto its_class = static_cast<TicketClass>(c);
    require(placement_.queued(its_class) == model_.queued(its_class), "I4",
            "tickets are counted in another class");
  }
}

void World::check_bridges() {
  const std::vector<Milliunits> loads = model_.own_loads();
  for (BridgeId which = 0; which < loads.size(); ++which) {
    const BridgeView seen = view(which);
    const ModelBridge& bridge = model_.bridges.at(which);
    require(seen.load - seen.foreign == loads.at(which), "I1", "load is not the sum of its people");
    std::size_t people = 0;
    std::size_t in_flight = 0;
    for (const ModelPerson& person : model_.people) {
      people += person.place == which ? 1U : 0U;
      in_flight += person.place == which && person.in_flight ? 1U : 0U;
    }
    require(seen.participants == people && seen.in_flight == in_flight, "I1",
            "people on a bridge are miscounted");
    const bool quarantined = bridge.quarantined(moment());
    require(
        quarantined == seen.quarantined_until.has_value() &&
            (!quarantined || *seen.quarantined_until == *bridge.quarantined_until + standstill_),
        "Q15", "another quarantine than the failures call for");
    require(seen.present == bridge.present, "I8", "another presence than was told");
    if (seen.report_age.value_or(Duration::max()) > model_.options.blind_after) {
      require(seen.expected >= stress_of(seen.load, seen.cost_per_unit), "Q13",
              "a silent bridge is expected below our own count");
    }
    require(seen.expected >= stress_of(seen.load, learned_cost(which)), "Q3",
            "a bridge is expected below our own count");
  }
}

void World::check_hosts() {
  for (RoomId r = 0; r < model_.rooms.size(); ++r) {
    const auto hosts = model_.hosts(r);
    std::vector<BridgeJid> expected;
    for (const auto& [bridge, crowd] : hosts) {
      expected.push_back(model_.bridges.at(bridge).jid);
    }
    std::vector<BridgeJid> told = placement_.bridges_of(model_.rooms[r].jid);
    std::sort(told.begin(), told.end());
    std::sort(expected.begin(), expected.end());
    require(told == expected, "I1", "a conference is on other bridges than its people");
    if (setup_.relays) {
      require(hosts.size() <= 32, "I7", "a mesh of more than 32 bridges");
    } else if (!moved_) {
      // A bridge about to exit takes nobody: whoever comes goes ahead to the next one.
      const bool leaves = std::any_of(hosts.begin(), hosts.end(), [&](const auto& host) {
        return model_.bridges.at(host.first).shutting_down;
      });
      require(hosts.size() <= 1 || leaves, "I7", "one conference on two bridges without relays");
    }
  }
}

}  // namespace bascule::focus::properties
