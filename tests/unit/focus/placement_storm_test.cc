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

namespace bascule::focus {
namespace {

using std::chrono::milliseconds, std::chrono::seconds;

/// What bridges really carry, known to the tests only. A participant's load starts a second after
/// its placement and rises for 15 s; each bridge averages 10 s of it at a random phase and
/// publishes every 5 s: the behaviour of jitsi-videobridge that makes naive selection fail.
class TrueFleet {
 public:
  TrueFleet(const std::vector<std::int64_t>& costs, std::uint64_t seed) : prng_(seed) {
    for (const std::int64_t cost : costs) {
      bridges_.push_back({cost, phase(10'000), phase(5'000), {}, {}, {}, 0});
    }
  }

  void place(const Decision& decision, Instant now) {
    remove(decision.ticket.participant);
    const auto index = index_of(decision.bridge);
    bridges_[index].people[decision.ticket.participant] = now;
    ++bridges_[index].rooms[decision.ticket.room];
    ++sizes_[decision.ticket.room];
    where_[decision.ticket.participant] = index;
  }
  void remove(const OccupantJid& participant) {
    const auto found = where_.find(participant);
    if (found == where_.end()) {
      return;
    }
    Truth& truth = bridges_[found->second];
    const RoomJid room(participant.jid().bare());
    truth.people.erase(participant);
    if (--truth.rooms[room] == 0) {
      truth.rooms.erase(room);
    }
    --sizes_[room];
    where_.erase(found);
  }
  std::vector<OccupantJid> kill(std::size_t index) {
    std::vector<OccupantJid> victims;
    for (const auto& [participant, since] : bridges_[index].people) {
      victims.push_back(participant);
    }
    for (const OccupantJid& participant : victims) {
      remove(participant);
    }
    bridges_[index].history.clear();
    bridges_[index].sample = 0;
    return victims;
  }

  /// Load when everybody there has reached full load, in millionths.
  std::int64_t final_load(std::size_t index) const {
    Milliunits load = 0;
    for (const auto& [room, people] : bridges_[index].rooms) {
      load += people * participant_load(sizes_.at(room));
    }
    return load * bridges_[index].cost / 1000;
  }
  std::int64_t highest_final_load() const {
    std::int64_t highest = 0;
    for (std::size_t i = 0; i < bridges_.size(); ++i) {
      highest = std::max(highest, final_load(i));
    }
    return highest;
  }

  /// Call every 250 ms; reports of bridges for which `alive` holds go to `placement`.
  template <class Alive>
  void step(Duration elapsed, Placement& placement, Alive alive) {
    const Now now = at(elapsed);
    const std::int64_t ms = elapsed / milliseconds{1};
    for (std::size_t i = 0; i < bridges_.size(); ++i) {
      if (!alive(i)) {
        continue;
      }
      Truth& truth = bridges_[i];
      truth.history.push_back(load_now(truth, now.mono));
      if (truth.history.size() > 40) {
        truth.history.erase(truth.history.begin());
      }
      if (ms % 10'000 == truth.sample_phase) {
        std::int64_t sum = 0;
        for (const std::int64_t value : truth.history) {
          sum += value;
        }
        const auto noise = static_cast<std::int64_t>(prng_.below(2'001)) - 1'000;
        truth.sample = std::max<std::int64_t>(
            0, sum / static_cast<std::int64_t>(truth.history.size()) + noise);
      }
      if (ms % 5'000 == truth.publish_phase) {
        placement.report(report_of(bridge(static_cast<int>(i)), truth.sample, ms), now);
      }
    }
  }

  std::size_t size() const { return bridges_.size(); }
  std::size_t people(std::size_t index) const { return bridges_[index].people.size(); }

 private:
  struct Truth {
    std::int64_t cost;
    std::int64_t sample_phase, publish_phase;
    std::map<OccupantJid, Instant> people;
    std::map<RoomJid, std::int64_t> rooms;
    std::vector<std::int64_t> history;
    std::int64_t sample;
  };

  std::int64_t phase(std::uint64_t period_ms) {
    return static_cast<std::int64_t>(prng_.below(period_ms / 250)) * 250;
  }
  static std::size_t index_of(const BridgeJid& jid) {
    return std::stoul(jid.jid().resource().substr(3)) - 1000;
  }
  std::int64_t load_now(const Truth& truth, Instant now) const {
    std::int64_t load = 0;
    for (const auto& [participant, since] : truth.people) {
      const std::int64_t active = (now - since) / milliseconds{1} - 1'000;
      load += participant_load(sizes_.at(RoomJid(participant.jid().bare()))) *
              std::clamp<std::int64_t>(active, 0, 15'000) / 15'000;
    }
    return load * truth.cost / 1000;
  }

  Prng prng_;
  std::vector<Truth> bridges_;
  std::map<RoomJid, std::int64_t> sizes_;
  std::map<OccupantJid, std::size_t> where_;
};

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
