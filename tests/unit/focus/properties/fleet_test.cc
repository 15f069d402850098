// Properties of whole fleets and of the queue.

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "focus/admission.h"
#include "sim/storm/run.h"
#include "tests/unit/focus/placement_fixture.h"
#include "tests/unit/focus/properties/run_property.h"
#include "tests/unit/focus/true_fleet.h"

namespace bascule::focus::properties {
namespace {

using std::chrono::milliseconds, std::chrono::seconds;

int any(int from, int to) {
  return *rc::gen::resize(100, rc::gen::inRange(from, to));
}

constexpr int kQueueRooms = 6;
constexpr std::size_t kQuantum = 4;

/// Rooms with tickets of one class; counts for every room what others get between its services.
class Turns {
 public:
  explicit Turns(std::set<int> blocked) : blocked_(std::move(blocked)) {}

  void arrive(int r, int count) {
    for (int i = 0; i < count; ++i) {
      const Ticket wanted = ticket(room("r" + std::to_string(r)), next_++, TicketKind::kReinvite);
      RC_ASSERT(queue_.push(wanted, false, at(seconds{0}).mono).has_value());
      if (waiting_[r]++ == 0) {
        others_[r].clear();
      }
    }
  }
  std::size_t serve(std::size_t decisions) {
    const auto pass = queue_.serve_pass(
        at(seconds{0}).mono, decisions,
        [&](const WaitingTicket& waiting, TicketClass) -> std::optional<WaitReason> {
          const int r = std::stoi(waiting.ticket.room.jid().local().substr(1));
          if (blocked_.contains(r)) {
            return WaitReason::kCapacity;
          }
          --waiting_[r];
          others_[r].clear();
          for (int other = 0; other < kQueueRooms; ++other) {
            if (other != r && waiting_[other] > 0 && !blocked_.contains(other)) {
              RC_ASSERT(++others_[other][r] <= kQuantum);
            }
          }
          return std::nullopt;
        });
    queue_.check_invariants();
    return pass.served;
  }

 private:
  Admission queue_{{.tickets = 100'000, .quantum = kQuantum, .blocked_rooms = 1'000}};
  std::set<int> blocked_;
  std::map<int, int> waiting_;
  std::map<int, std::map<int, std::size_t>> others_;  // By waiting room: served since, by room.
  int next_ = 0;
};

TEST(PlacementProperties, Q08_BetweenTwoServicesOfARoomAnotherGetsAtMostFour) {
  std::size_t served = 0;
  check_property([&] {
    const auto steps = *rc::gen::resize(
        60, rc::gen::container<std::vector<std::tuple<int, int, int>>>(
                rc::gen::tuple(rc::gen::resize(100, rc::gen::inRange(0, kQueueRooms)),
                               rc::gen::resize(100, rc::gen::inRange(0, 15)),
                               rc::gen::resize(100, rc::gen::inRange(0, 12)))));
    Turns turns({any(0, kQueueRooms), any(0, kQueueRooms)});
    for (const auto& [r, arrivals, decisions] : steps) {
      turns.arrive(r, arrivals);
      served += turns.serve(static_cast<std::size_t>(decisions));
    }
  });
  EXPECT_GT(served, 1000U);
}

/// One placement each in `rooms` conferences of one, on `bridges` equal bridges nobody hears of.
std::map<BridgeJid, int> spread(const PlacementOptions& options, int bridges, int rooms,
                                std::uint64_t seed, bool reversed) {
  Placement placement(options, seed);
  placement.service_up(at(seconds{0}));
  for (int i = 0; i < bridges; ++i) {
    placement.report(report_of(bridge(reversed ? bridges - 1 - i : i), 0, 1), at(seconds{1}));
  }
  for (const int second : {6, 21, 30}) {
    drained(placement, at(seconds{second}));
  }
  for (int r = 0; r < rooms; ++r) {
    RC_ASSERT(placement.enqueue(ticket(room("r" + std::to_string(r)), 0), at(seconds{30})));
  }
  std::map<BridgeJid, int> counts;
  for (int i = 0; i < bridges; ++i) {
    counts[bridge(i)] = 0;
  }
  for (const Decision& decision : drained(placement, at(seconds{30}))) {
    ++counts[decision.bridge];
  }
  RC_ASSERT(placement.queued() == 0U);
  return counts;
}

TEST(PlacementProperties, Q09_EqualBridgesGetEqualNumbers) {
  check_property([] {
    const int bridges = any(1, 20);
    const int each = any(1, 11);
    PlacementOptions options = unpaced();
    options.growth_min = static_cast<std::uint32_t>(any(1, 7));
    const auto counts = spread(options, bridges, bridges * each,
                               static_cast<std::uint64_t>(any(0, 1'000'000)), any(0, 2) == 1);
    int least = each;
    int most = each;
    for (const auto& [jid, count] : counts) {
      least = std::min(least, count);
      most = std::max(most, count);
    }
    // 0.01 wide classes of load; one conference of one costs 0.46 * 0.013.
    RC_ASSERT(most - least <= 2 + 10'000 / 5'980);
  });
}

// The order in which bridges were first heard of changes nothing about who is chosen how often.
TEST(PlacementProperties, Q11_TheOrderOfFirstReportsDoesNotMatter) {
  constexpr int kBridges = 4;
  constexpr int kRuns = 800;
  for (const bool reversed : {false, true}) {
    std::map<BridgeJid, int> first;
    for (std::uint64_t seed = 0; seed < kRuns; ++seed) {
      for (const auto& [jid, count] : spread(unpaced(), kBridges, 1, seed, reversed)) {
        first[jid] += count;
      }
    }
    for (const auto& [jid, count] : first) {
      // 200 expected; five standard deviations of 12.2.
      EXPECT_NEAR(count, kRuns / kBridges, 61) << jid.to_string();
    }
  }
}

TEST(PlacementProperties, Q10_UnequalBridgesGetEqualLoad) {
  check_property([] {
    const std::int64_t cost = any(1'500, 4'000);
    const int bridges = 3 * any(1, 5);
    PlacementOptions options = unpaced();
    options.relays = any(0, 2) == 1;
    options.growth_min = 0;  // What is reserved is balanced too, but is not in the estimate.
    Placement placement(options, static_cast<std::uint64_t>(any(0, 1'000'000)));
    std::int64_t all_units = 0;
    for (int i = 0; i < bridges; ++i) {
      BridgeMemory memory;
      memory.bridge = bridge(i);
      memory.cost = Stress(cost << (i % 3));
      memory.deviation = Stress(memory.cost.millionths() / 50);
      memory.confirmations = 3;
      placement.restore_bridge(memory, at(seconds{0}));
      all_units += 1'000'000 / memory.cost.millionths();
    }
    settled(placement, bridges);
    // To between 15 and 60 percent of the fleet, in conferences of one to three.
    std::int64_t wanted = all_units * 1000 * any(15, 61) / 100;
    for (int r = 0; wanted > 0; ++r) {
      const int size = 1 + r % 3;
      for (int p = 0; p < size; ++p) {
        RC_ASSERT(placement.enqueue(ticket(room("r" + std::to_string(r)), p), at(seconds{30})));
      }
      wanted -= conference_load(size);
    }
    drained(placement, at(seconds{30}));
    RC_ASSERT(placement.queued() == 0U);
    Stress least = Stress::full();
    Stress most;
    for (const BridgeView& seen : placement.bridges(at(seconds{30}))) {
      least = std::min(least, seen.expected);
      most = std::max(most, seen.expected);
    }
    RC_ASSERT(most - least <= Stress(50'000));
  });
}

// With relays, learned costs and honest reports, 70 percent of what fits below the first limit is
// placed within 20 s, or ten more than the pace needs.
TEST(PlacementProperties, Q19_WhatFitsIsPlacedInTime) {
  check_property(
      [] {
        const int bridges = any(2, 7);
        const std::int64_t cost = any(8'000, 16'000);
        const int room_size = any(1, 31);
        PlacementOptions options;
        options.relays = true;
        options.stress_per_unit = Stress(cost);
        const auto seed = static_cast<std::uint64_t>(any(0, 1'000'000));
        TrueFleet fleet(std::vector<std::int64_t>(static_cast<std::size_t>(bridges), cost), seed);
        Placement placement(options, seed);
        std::int64_t need = 0;
        const std::int64_t margin = cost * 11 / 10;
        for (int i = 0; i < bridges; ++i) {
          placement.restore_bridge({.bridge = bridge(i),
                                    .cost = Stress(cost),
                                    .deviation = Stress(cost / 10),
                                    .confirmations = 3},
                                   at(seconds{0}));
          need += 700 * options.limit_new.millionths() / margin;
        }
        RC_PRE(conference_load(room_size) * margin / 1000 <= options.limit_new.millionths());
        settled(placement, bridges);
        int people = 0;
        for (; need >= conference_load(room_size); need -= conference_load(room_size)) {
          const RoomJid where = room("r" + std::to_string(people / room_size));
          for (int i = 0; i < room_size; ++i, ++people) {
            RC_ASSERT(placement.enqueue(ticket(where, people), at(seconds{30})));
          }
        }
        const Duration pace = seconds{people} / (20 * bridges);
        const Duration end = seconds{30} + std::max<Duration>(seconds{20}, pace + seconds{10});
        std::vector<OccupantJid> answers;
        for (Duration t = seconds{30}; t < end && placement.queued() > 0; t += milliseconds{50}) {
          for (const OccupantJid& answered : std::exchange(answers, {})) {
            placement.confirmed(answered, at(t));
          }
          if ((t - seconds{30}) % milliseconds{250} == Duration::zero()) {
            fleet.step(t, placement, [](std::size_t) { return true; });
          }
          for (const Decision& decision : drained(placement, at(t))) {
            fleet.place(decision, at(t).mono);
            answers.push_back(decision.ticket.participant);
          }
        }
        RC_ASSERT(placement.queued() == 0U);
      },
      40);
}

// Evacuation: who is asked to move away from a cordoned bridge finds another one.
TEST(PlacementProperties, Q24_AnEvacuatedBridgeIsEmptyInTheEnd) {
  Theme theme = mostly({Happening::kJoinMany, Happening::kConfirmAll});
  theme.strategies = false;
  std::size_t moved = 0;
  check_property([&] {
    History history = *histories(theme);
    history.setup.cost = 3;  // All people together fill a third of one bridge.
    history.setup.bridges = std::max(history.setup.bridges, 2);
    history.setup.narrow = false;
    history.setup.known_cost = true;
    Evaluated evaluated;
    World world(history.setup, evaluated);
    world.run(history.commands);
    for (int i = 0; i < 400 && world.placement().queued() > 0; ++i) {
      world.confirm_all();
      world.pass_time(milliseconds{250});
      world.drain();
    }
    world.set_cordoned(0, true);
    for (PersonId who = 0; who < world.model().people.size(); ++who) {
      if (world.model().people[who].place == BridgeId{0}) {
        RC_ASSERT(world.enqueue(who, TicketKind::kMove).has_value());
        ++moved;
      }
    }
    // Reports let what was placed just before count once only.
    for (int i = 0; i < 240 && world.view(0).participants > 0; ++i) {
      world.confirm_all();
      for (BridgeId which = 0; i % 20 == 0 && which < world.model().bridges.size(); ++which) {
        world.report_truth(which, i);
      }
      world.pass_time(milliseconds{250});
      world.drain();
    }
    RC_ASSERT(world.view(0).participants == 0U);
    RC_ASSERT(world.view(0).load == world.view(0).foreign);
  });
  EXPECT_GT(moved, 200U);
}

/// Mean deaths of bridges by load when four focuses share a fleet and tell each other nothing.
double mean_kills(std::string_view scenario, std::size_t bridges, std::uint64_t seeds) {
  std::size_t kills = 0;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    sim::storm::RunSetup setup;
    setup.scenario = sim::storm::find_scenario(scenario);
    setup.policy = sim::storm::PolicyId::kBasculeRelay;
    setup.bridges = bridges;
    setup.seed = seed;
    setup.focuses = 4;
    kills += sim::storm::StormRun(setup).run().kills;
  }
  return static_cast<double>(kills) / static_cast<double>(seeds);
}

// The rule is one of 200 bridges; here a fleet of 40.
TEST(PlacementProperties, Q23_FourFocusesWithoutExchangeKillHardlyABridge) {
  EXPECT_LE(mean_kills("S2n", 40, 8), 40.0 / 200);
  EXPECT_EQ(mean_kills("S4", 40, 4), 0);
}

}  // namespace
}  // namespace bascule::focus::properties
