// What outlives a process: bridges and rooms.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "focus/load_units.h"
#include "tests/unit/focus/fleet.h"

namespace bascule::focus {
namespace {

using std::chrono::hours, std::chrono::minutes, std::chrono::seconds;
using testing::ElementsAre, testing::IsEmpty, testing::SizeIs;

BridgeMemory remembered(int number) {
  BridgeMemory memory;
  memory.bridge = bridge(number);
  memory.cost = Stress(8'000);
  memory.deviation = Stress(500);
  memory.confirmations = 3;
  memory.capacity = Stress(850'000);
  memory.failures = 2;
  memory.last_failure_age = seconds{100};
  memory.quarantine_left = seconds{40};
  memory.version = "2.3";
  memory.region = "eu";
  return memory;
}

std::vector<BridgeMemory> after_restoring(const BridgeMemory& memory, Duration later) {
  Placement placement(unpaced(), 1);
  placement.restore_bridge(memory, at(Duration::zero()));
  return placement.bridge_memory(at(later));
}

// Bridges.

TEST(BridgeMemoryTest, WhatWasRestoredIsWhatIsRemembered) {
  EXPECT_THAT(after_restoring(remembered(0), Duration::zero()), ElementsAre(remembered(0)));
}

TEST(BridgeMemoryTest, TimesGoOn) {
  BridgeMemory expected = remembered(0);
  expected.age = seconds{30};
  expected.last_failure_age = seconds{130};
  expected.quarantine_left = seconds{10};
  EXPECT_THAT(after_restoring(remembered(0), seconds{30}), ElementsAre(expected));
  expected.age = seconds{600};
  expected.last_failure_age = seconds{700};
  expected.quarantine_left = Duration::zero();
  expected.capacity = Stress(900'000);
  EXPECT_THAT(after_restoring(remembered(0), seconds{600}), ElementsAre(expected));
}

TEST(BridgeMemoryTest, WhatOneProcessLearnedTheNextOneKnows) {
  Fleet first(unpaced(), 2, [](int, stats::BridgeReport& report) {
    report.version = "2.3";
    report.region = "eu";
  });
  first.restore("r", 0, 20);  // 32 units.
  for (int i = 0; i < 40; ++i) {
    first.say(0, 640'000 + i % 2);
    first.pass(seconds{1});
  }
  first.say(1, 970'000);
  first.fail(1);
  ASSERT_EQ(first.view(0).confirmations, 3);

  Placement second(unpaced(), 2);
  for (const BridgeMemory& memory : first.placement.bridge_memory(first.now())) {
    second.restore_bridge(memory, at(Duration::zero()));
  }
  for (int i = 0; i < 2; ++i) {
    const BridgeView before = first.view(i);
    const BridgeView after = second.bridge(bridge(i), at(Duration::zero())).value();
    EXPECT_EQ(after.cost_per_unit, before.cost_per_unit);
    EXPECT_EQ(after.confirmations, before.confirmations);
    EXPECT_EQ(after.capacity, before.capacity);
    EXPECT_EQ(after.version, before.version);
    EXPECT_EQ(after.region, before.region);
    EXPECT_EQ(after.quarantined_until.has_value(), i == 1);
    EXPECT_FALSE(after.present);
  }
  EXPECT_EQ(second.bridge(bridge(1), at(Duration::zero()))->quarantined_until,
            at(seconds{30}).mono);
}

TEST(BridgeMemoryTest, AnAbsentBridgeTellsForHowLong) {
  Fleet fleet(unpaced(), 1);
  fleet.placement.bridge_left(bridge(0), fleet.now());
  fleet.pass(minutes{5});
  EXPECT_EQ(fleet.placement.bridge_memory(fleet.now()).at(0).age, minutes{5});
}

TEST(BridgeMemoryTest, AWeekOldCostIsKeptButNotTrusted) {
  BridgeMemory memory = remembered(0);
  memory.age = hours{24 * 7};
  EXPECT_EQ(after_restoring(memory, Duration::zero()).at(0).confirmations, 3);
  memory.age += seconds{1};
  const BridgeMemory old = after_restoring(memory, Duration::zero()).at(0);
  EXPECT_EQ(old.cost, Stress(8'000));
  EXPECT_EQ(old.confirmations, 2);
  EXPECT_EQ(old.deviation, Stress(2'400)) << "three tenths of it";
  memory.confirmations = 1;
  memory.deviation = Stress(5'000);
  EXPECT_EQ(after_restoring(memory, Duration::zero()).at(0).confirmations, 1);
  EXPECT_EQ(after_restoring(memory, Duration::zero()).at(0).deviation, Stress(5'000));
}

TEST(BridgeMemoryTest, ValuesOutOfRangeAreBroughtIntoIt) {
  BridgeMemory memory = remembered(0);
  memory.cost = Stress(0);
  memory.deviation = Stress(-5);
  memory.confirmations = 99;
  memory.capacity = Stress(10);
  memory.quarantine_left = -seconds{5};
  const BridgeMemory restored = after_restoring(memory, Duration::zero()).at(0);
  EXPECT_GT(restored.cost, Stress());
  EXPECT_GT(restored.deviation, Stress());
  EXPECT_EQ(restored.confirmations, 3);
  EXPECT_EQ(restored.capacity, Stress(500'000));
  EXPECT_EQ(restored.quarantine_left, Duration::zero());
}

TEST(BridgeMemoryTest, AQuarantineOutlivesTheProcess) {
  Placement placement(unpaced(), 1);
  placement.restore_bridge(remembered(0), at(Duration::zero()));
  settled(placement, 1);  // Now it is 30 s.
  ASSERT_TRUE(placement.enqueue(ticket(room("r"), 0), at(seconds{30})).has_value());
  EXPECT_THAT(drained(placement, at(seconds{39})), IsEmpty());
  EXPECT_EQ(placement.waiting_for(occupant(room("r"), 0)), WaitReason::kAllFailed);
  drained(placement, at(seconds{41}));  // The tick finds that it is over.
  EXPECT_TRUE(placement.bridge_of(room("r")).has_value() ||
              drained(placement, at(seconds{42})).size() == 1);
}

TEST(BridgeMemoryTest, AThirdFailureIsTheThirdInAnyProcess) {
  Placement placement(unpaced(), 1);
  BridgeMemory memory = remembered(0);
  memory.quarantine_left = Duration::zero();
  placement.restore_bridge(memory, at(Duration::zero()));
  settled(placement, 1);
  placement.bridge_failed(bridge(0), FailureCause::kLeft, at(seconds{30}));
  EXPECT_EQ(placement.bridge(bridge(0), at(seconds{30}))->quarantined_until, at(seconds{630}).mono);
}

TEST(BridgeMemoryTest, RememberedBridgesAreAwaitedWhenTheLinkComesUp) {
  Placement placement(unpaced(), 1);
  for (int i = 0; i < 5; ++i) {
    BridgeMemory memory;
    memory.bridge = bridge(i);
    memory.cost = Stress(10'000);
    placement.restore_bridge(memory, at(Duration::zero()));
  }
  placement.service_up(at(Duration::zero()));
  for (int i = 0; i < 3; ++i) {
    placement.report(report_of(bridge(i), 0, 1), at(seconds{1}));
  }
  drained(placement, at(seconds{1}));
  EXPECT_TRUE(placement.settling()) << "three of five";
  placement.report(report_of(bridge(3), 0, 1), at(seconds{2}));
  drained(placement, at(seconds{2}));
  EXPECT_TRUE(placement.settling()) << "the fifth may follow at once";
  drained(placement, at(seconds{3}));
  EXPECT_FALSE(placement.settling()) << "four of five";
}

// Rooms.

TEST(RoomMemoryTest, TellsLiveRoomsAndThoseThatEnded) {
  Fleet fleet(unpaced(), 2);
  fleet.seat("ended", 1, 4);
  fleet.placement.conference_ended(room("ended"), fleet.now());
  fleet.pass(minutes{10});
  fleet.seat("live", 0, 3);
  fleet.leave("live", 0);
  EXPECT_THAT(fleet.placement.room_memory(fleet.now()),
              testing::UnorderedElementsAre(RoomMemory{room("ended"), bridge(1), 4, minutes{10}},
                                            RoomMemory{room("live"), bridge(0), 3, {}}));
  fleet.pass(hours{24});
  EXPECT_THAT(fleet.placement.room_memory(fleet.now()), SizeIs(1)) << "a day is over";
}

TEST(RoomMemoryTest, ASpanningConferenceIsRememberedWhereMostOfItIs) {
  PlacementOptions options = spanning();
  options.max_per_conference_bridge = 5;
  Fleet fleet(options, 2, with_relays);
  fleet.join("r", 7);
  const auto memory = fleet.placement.room_memory(fleet.now());
  ASSERT_THAT(memory, SizeIs(1));
  EXPECT_EQ(memory[0].bridge, bridge(fleet.place_of("r", 0)));
  EXPECT_EQ(memory[0].size, 7);
}

TEST(RoomMemoryTest, WhatWasRestoredIsWhatIsRemembered) {
  Placement placement(unpaced(), 1);
  const RoomMemory memory{room("r"), bridge(3), 12, minutes{20}};
  placement.restore_room(memory, at(Duration::zero()));
  EXPECT_THAT(placement.room_memory(at(Duration::zero())), ElementsAre(memory));
}

TEST(RoomMemoryTest, ARoomOfAnEarlierLifeIsExpectedToReachItsSize) {
  for (const Duration age : {Duration(minutes{20}), Duration(hours{25})}) {
    Fleet fleet(unpaced(), 2);
    fleet.placement.restore_room({room("r"), bridge(1), 12, age}, fleet.now());
    fleet.join("r", 1);
    const int home = fleet.home_of("r");
    const std::int64_t reached = age < hours{24} ? 12 : 6;
    EXPECT_EQ(fleet.view(home).reserved, stress_of(conference_load(reached) - conference_load(1),
                                                   fleet.view(home).cost_per_unit));
  }
}

TEST(RoomMemoryTest, RoomsOfAMomentAgoComeBackToTheirBridge) {
  Placement placement(unpaced(), 1);
  const std::vector<std::pair<std::string, int>> rooms = {{"a", 0}, {"b", 1}, {"c", 2}};
  for (const auto& [name, number] : rooms) {
    BridgeMemory memory;
    memory.bridge = bridge(number);
    memory.cost = Stress(10'000);
    placement.restore_bridge(memory, at(Duration::zero()));
    placement.restore_room({room(name), bridge(number), 8, seconds{2}}, at(Duration::zero()));
  }
  settled(placement, 3);
  EXPECT_EQ(placement.counters().plans, 3u);
  for (const auto& [name, number] : rooms) {
    ASSERT_TRUE(placement.enqueue(ticket(room(name), 0), at(seconds{30})).has_value());
  }
  const auto placed = drained(placement, at(seconds{30}));
  ASSERT_THAT(placed, SizeIs(3));
  for (const auto& [name, number] : rooms) {
    EXPECT_EQ(placement.bridge_of(room(name)), bridge(number));
  }
  EXPECT_EQ(placed[0].reason, PlacementReason::kPlan);
}

}  // namespace
}  // namespace bascule::focus
