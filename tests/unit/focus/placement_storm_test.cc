// Storms: thousands of tickets at once, reports that come late or not at all, bridges that die.

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/prng.h"
#include "focus/load_units.h"
#include "focus/placement.h"
#include "tests/unit/focus/placement_fixture.h"
#include "tests/unit/focus/true_fleet.h"

namespace bascule::focus {
namespace {

using std::chrono::milliseconds, std::chrono::seconds;

struct StormSize {
  int bridges;
  int people;
  int room_size;
};

void enqueue_all(Placement& placement, const StormSize& storm, Now now) {
  for (int i = 0; i < storm.people; ++i) {
    const RoomJid where = room("room" + std::to_string(i / storm.room_size));
    ASSERT_TRUE(placement.enqueue(ticket(where, i), now).has_value());
  }
}

/// Drains at every deadline in [from, to), answering each decision after 50 ms.
class Driver {
 public:
  Driver(Placement& placement, TrueFleet& fleet) : placement_(placement), fleet_(fleet) {}

  void run(Duration from, Duration to) {
    for (Duration t = from; t < to; t += milliseconds{50}) {
      for (const OccupantJid& participant : answers_) {
        placement_.confirmed(participant, at(t));
      }
      answers_.clear();
      for (int call = 0; call < 10'000 && placement_.next_deadline().has_value() &&
                         *placement_.next_deadline() <= at(t).mono;
           ++call) {
        std::vector<Decision> decisions;
        std::vector<Move> moves;
        placement_.drain(at(t), decisions, moves);
        for (const Decision& decision : decisions) {
          fleet_.place(decision, at(t).mono);
          answers_.push_back(decision.ticket.participant);
          ++placed_[decision.bridge];
        }
      }
    }
  }
  std::map<BridgeJid, int>& placed() { return placed_; }

 private:
  Placement& placement_;
  TrueFleet& fleet_;
  std::vector<OccupantJid> answers_;
  std::map<BridgeJid, int> placed_;
};

// Goal: a storm that no report can see overloads nobody. Method: everybody at once, then not one
// report; the true final loads are compared with the limit after every half second.
TEST(PlacementStormTest, NoReportIsNeededToStayWithinTheLimits) {
  for (const StormSize storm : {StormSize{4, 2'000, 5}, StormSize{20, 2'000, 5}}) {
    SCOPED_TRACE(testing::Message() << storm.bridges << " bridges");
    // All of it fills 60 % of the fleet.
    const std::int64_t cost = 600'000LL * storm.bridges * 1000 /
                              (storm.people / storm.room_size * conference_load(storm.room_size));
    PlacementOptions options;
    options.unknown_window = Stress();
    options.stress_per_unit = Stress(cost);
    Placement placement(options, 7);
    TrueFleet fleet(std::vector<std::int64_t>(static_cast<std::size_t>(storm.bridges), cost), 1);
    settled(placement, storm.bridges);
    enqueue_all(placement, storm, at(seconds{30}));
    Driver driver(placement, fleet);
    for (Duration t = seconds{30}; t < seconds{90}; t += milliseconds{500}) {
      driver.run(t, t + milliseconds{500});
      ASSERT_LE(fleet.highest_final_load(), options.limit_single_join.millionths());
    }
    EXPECT_EQ(placement.queued(), 0u);
    placement.check_invariants();
    std::size_t people = 0;
    for (std::size_t i = 0; i < fleet.size(); ++i) {
      people += fleet.people(i);
      EXPECT_GT(fleet.final_load(i), 450'000) << "uneven: bridge " << i;
    }
    EXPECT_EQ(people, static_cast<std::size_t>(storm.people));
  }
}

// Goal: machines of different size, of unknown cost, are learned while the storm lasts. Method:
// true costs 1 : 2 : 4 around a prior that fits none; reports as bridges make them, at random
// phases.
TEST(PlacementStormTest, AMixedFleetOfUnknownCostIsLearned) {
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::vector<std::int64_t> costs;
    for (int i = 0; i < 12; ++i) {
      costs.push_back(
          std::vector<std::int64_t>{4'000, 8'000, 16'000}[static_cast<std::size_t>(i % 3)]);
    }
    TrueFleet fleet(costs, seed);
    PlacementOptions options;
    Placement placement(options, seed);
    settled(placement, 12);
    // 1000 people in rooms of 5: 700 units; the fleet holds 1750.
    enqueue_all(placement, {12, 1'000, 5}, at(seconds{30}));
    Driver driver(placement, fleet);
    for (Duration t = seconds{30}; t < seconds{210}; t += milliseconds{250}) {
      driver.run(t, t + milliseconds{250});
      fleet.step(t, placement, [](std::size_t) { return true; });
      ASSERT_LE(fleet.highest_final_load(), 1'000'000);
    }
    EXPECT_EQ(placement.queued(), 0u);
    placement.check_invariants();
  }
}

// Goal: a bridge dies in the middle of a storm; nobody is lost, no survivor goes over its limit,
// conferences stay whole.
TEST(PlacementStormTest, ABridgeDiesInTheMiddle) {
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    constexpr std::int64_t kCost = 5'000;
    PlacementOptions options;
    options.stress_per_unit = Stress(kCost);
    options.unknown_window = Stress();
    Placement placement(options, seed);
    TrueFleet fleet(std::vector<std::int64_t>(6, kCost), seed);
    settled(placement, 6);
    enqueue_all(placement, {6, 800, 5}, at(seconds{30}));  // 560 units of 1200.
    Driver driver(placement, fleet);
    driver.run(seconds{30}, seconds{32});
    const auto victims = fleet.kill(2);
    ASSERT_FALSE(victims.empty());
    const auto rooms = placement.bridge_failed(bridge(2), FailureCause::kLeft, at(seconds{32}));
    EXPECT_FALSE(rooms.empty());
    for (const OccupantJid& participant : victims) {
      Ticket again;
      again.room = RoomJid(participant.jid().bare());
      again.participant = participant;
      again.generation = 2;
      again.kind = TicketKind::kReinvite;
      ASSERT_TRUE(placement.enqueue(again, at(seconds{32})).has_value());
    }
    placement.check_invariants();
    const int before = driver.placed()[bridge(2)];
    for (Duration t = seconds{32}; t < seconds{100}; t += milliseconds{250}) {
      driver.run(t, t + milliseconds{250});
      fleet.step(t, placement, [](std::size_t i) { return i != 2; });
      ASSERT_LE(fleet.highest_final_load(), 950'000);
    }
    EXPECT_EQ(placement.queued(), 0u);
    EXPECT_EQ(driver.placed()[bridge(2)], before);
    placement.check_invariants();
    for (int i = 0; i < 160; ++i) {
      const RoomJid where = room("room" + std::to_string(i));
      for (int p = i * 5; p < i * 5 + 5; ++p) {
        EXPECT_EQ(placement.bridge_of(occupant(where, p)), placement.bridge_of(where));
      }
    }
  }
}

// Goal: demand above capacity waits instead of overfilling, and is served as people leave.
TEST(PlacementStormTest, TooManyPeopleWaitUntilOthersLeave) {
  PlacementOptions options = unpaced();
  Placement placement(options, 3);
  TrueFleet fleet({10'000, 10'000}, 3);
  settled(placement, 2);
  enqueue_all(placement, {2, 500, 5}, at(seconds{30}));  // 350 units; two bridges hold 180.
  Driver driver(placement, fleet);
  driver.run(seconds{30}, seconds{40});
  EXPECT_GT(placement.queued(), 200u);
  EXPECT_LE(fleet.highest_final_load(), 940'000);
  EXPECT_NE(placement.overload(at(seconds{40})), Overload::kNone);
  Duration now = seconds{40};
  for (int i = 0; i < 100; ++i) {
    const RoomJid where = room("room" + std::to_string(i));
    if (placement.bridge_of(where)) {
      for (int p = i * 5; p < i * 5 + 5; ++p) {
        fleet.remove(occupant(where, p));
      }
      placement.conference_ended(where, at(now));
      now += seconds{1};
      driver.run(now, now + seconds{1});
      fleet.step(now, placement, [](std::size_t) { return true; });
      ASSERT_LE(fleet.highest_final_load(), 950'000);
    }
  }
  for (Duration t = now + seconds{1}; t < now + seconds{120}; t += milliseconds{250}) {
    driver.run(t, t + milliseconds{250});
    fleet.step(t, placement, [](std::size_t) { return true; });
  }
  EXPECT_LT(placement.queued(), 150u);
  placement.check_invariants();
}

// Goal: same seed, same calls, same decisions; another seed, others.
TEST(PlacementStormTest, DecisionsDependOnTheSeedAlone) {
  const auto run = [](std::uint64_t seed) {
    Placement placement(unpaced(), seed);
    settled(placement, 8);
    enqueue_all(placement, {8, 300, 3}, at(seconds{30}));
    return drained(placement, at(seconds{30}));
  };
  const auto first = run(11);
  EXPECT_EQ(first.size(), 300u);
  EXPECT_EQ(first, run(11));
  EXPECT_NE(first, run(12));
}

}  // namespace
}  // namespace bascule::focus
