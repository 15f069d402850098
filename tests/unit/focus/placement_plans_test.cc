// Rooms that are expected: after a bridge died, after everybody was dropped, and while they grow.

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "focus/load_units.h"
#include "tests/unit/focus/fleet.h"

namespace bascule::focus {
namespace {

using std::chrono::minutes, std::chrono::seconds;
using testing::ElementsAre, testing::IsEmpty, testing::SizeIs;

constexpr Stress kCost{13'000};  // Of a unit before anything is learned: 0.01 and its margin.

Stress reserved_for(std::int64_t people, std::int64_t more) {
  return stress_of(conference_load(people + more) - conference_load(people), kCost);
}

void come_back(Fleet& fleet, const std::string& name, int count, std::uint32_t generation = 2) {
  for (int i = 0; i < count; ++i) {
    fleet.ask(ticket(room(name), i, TicketKind::kReinvite, generation));
  }
}

std::set<int> bridges_of(const Fleet& fleet, const std::string& name, int count) {
  std::set<int> bridges;
  for (int i = 0; i < count; ++i) {
    bridges.insert(fleet.place_of(name, i));
  }
  return bridges;
}

// A bridge died.

TEST(FailurePlanTest, WholeConferencesGetOneBridgeEachTheLargestFirst) {
  Fleet fleet(unpaced(), 4);
  fleet.seat("small", 0, 3);
  fleet.seat("large", 0, 8);
  fleet.seat("middle", 0, 5);
  EXPECT_THAT(fleet.fail(0), ElementsAre(room("large"), room("middle"), room("small")));
  EXPECT_EQ(fleet.placement.counters().plans, 3u);
  std::set<int> homes;
  for (const auto& [name, count] : {std::pair{"small", 3}, {"large", 8}, {"middle", 5}}) {
    come_back(fleet, name, count);
    const auto placed = fleet.drain();
    ASSERT_THAT(placed, SizeIs(count));
    EXPECT_EQ(placed[0].reason, PlacementReason::kPlan);
    EXPECT_EQ(bridges_of(fleet, name, count).size(), 1u) << name;
    homes.insert(fleet.home_of(name));
  }
  EXPECT_EQ(homes.size(), 3u) << "each plan counts before the next is made";
  EXPECT_FALSE(homes.contains(0));
  fleet.placement.check_invariants();
}

TEST(FailurePlanTest, HoldsRoomForEverybodyUntilTheyHaveCome) {
  Fleet fleet(unpaced(), 2);
  fleet.seat("r", 0, 10);
  fleet.fail(0);
  EXPECT_EQ(fleet.view(1).reserved, reserved_for(0, 10));
  come_back(fleet, "r", 4);
  fleet.drain();
  EXPECT_EQ(fleet.view(1).reserved, reserved_for(4, 6));
  for (int i = 4; i < 10; ++i) {
    fleet.ask(ticket(room("r"), i, TicketKind::kReinvite, 2));
  }
  fleet.drain();
  EXPECT_EQ(fleet.view(1).reserved, Stress());
}

TEST(FailurePlanTest, WhoLeavesMeanwhileIsNotWaitedFor) {
  Fleet fleet(unpaced(), 2);
  fleet.seat("r", 0, 10);
  fleet.fail(0);
  fleet.leave("r", 9);
  come_back(fleet, "r", 9);
  fleet.drain();
  EXPECT_LE(fleet.view(1).reserved, reserved_for(9, 1));
  EXPECT_THAT(fleet.pass(seconds{91}), IsEmpty());
  EXPECT_EQ(fleet.view(1).reserved, Stress());
}

TEST(FailurePlanTest, OthersDoNotTakeTheRoomThatIsHeld) {
  Fleet fleet(unpaced(), 2);
  fleet.seat("big", 0, 30);  // 48 units, 0.62.
  fleet.fail(0);
  EXPECT_GT(fleet.view(1).reserved, Stress(600'000));
  EXPECT_THAT(fleet.join("other", 1), SizeIs(1)) << "one small conference fits besides";
  for (int i = 0; i < 10; ++i) {
    fleet.join("r" + std::to_string(i), 1);
  }
  come_back(fleet, "big", 30);
  EXPECT_THAT(fleet.drain(), SizeIs(30));
}

TEST(FailurePlanTest, APlanWhoseBridgeFailsTooIsMadeAnew) {
  Fleet fleet(unpaced(), 3);
  fleet.seat("r", 0, 5);
  fleet.fail(0);
  const int planned = fleet.view(1).reserved > Stress() ? 1 : 2;
  EXPECT_THAT(fleet.fail(planned), IsEmpty()) << "nobody was there yet";
  come_back(fleet, "r", 5);
  const auto placed = fleet.drain();
  ASSERT_THAT(placed, SizeIs(5));
  EXPECT_EQ(placed[0].reason, PlacementReason::kPlan);
  EXPECT_EQ(fleet.home_of("r"), 3 - planned);
}

TEST(FailurePlanTest, APlannedBridgeWithoutPaceIsWaitedForEightSeconds) {
  PlacementOptions options = unpaced();
  options.placement_interval = seconds{60};
  options.placement_burst = 1;
  Fleet fleet(options, 3);
  fleet.seat("r", 0, 1);
  fleet.fail(0);
  const int planned = fleet.view(1).reserved > Stress() ? 1 : 2;
  fleet.seat("other", planned, 1);
  come_back(fleet, "r", 1);
  EXPECT_THAT(fleet.pass(seconds{7}), IsEmpty());
  EXPECT_EQ(fleet.waits("r", 0), WaitReason::kPace);
  EXPECT_THAT(fleet.pass(seconds{2}), SizeIs(1));
  EXPECT_EQ(fleet.home_of("r"), 3 - planned);
}

TEST(FailurePlanTest, JicofosStrategiesMakeNone) {
  PlacementOptions options = unpaced();
  options.strategy = Strategy::kSingle;
  Fleet fleet(options, 3);
  fleet.seat("r", 0, 5);
  EXPECT_THAT(fleet.fail(0), ElementsAre(room("r")));
  EXPECT_EQ(fleet.placement.counters().plans, 0u);
}

// Everybody was dropped.

/// `per_bridge` people in a room of their own on each of the bridges: "r0" on bridge 0 ...
void fill(Fleet& fleet, int bridges, int per_bridge) {
  for (int i = 0; i < bridges; ++i) {
    fleet.seat("r" + std::to_string(i), i, per_bridge);
  }
}

TEST(MassDropTest, BringsEveryRoomBackToItsBridge) {
  Fleet fleet(unpaced(), 3);
  fill(fleet, 3, 6);
  fleet.placement.mass_drop(fleet.now());
  EXPECT_EQ(fleet.placement.counters().mass_drops, 1u);
  EXPECT_EQ(fleet.view(0).participants, 0u);
  EXPECT_EQ(fleet.view(0).reserved, reserved_for(0, 6));
  fleet.placement.check_invariants();
  for (int i = 2; i >= 0; --i) {
    const auto placed = fleet.join("r" + std::to_string(i), 6);
    ASSERT_THAT(placed, SizeIs(6));
    EXPECT_EQ(placed[0].reason, PlacementReason::kPlan);
    EXPECT_EQ(placed[0].bridge, bridge(i));
    EXPECT_EQ(fleet.view(i).reserved, Stress());
  }
}

TEST(MassDropTest, IsNoticedWhenMoreThanHalfLeaveWithinFiveSeconds) {
  Fleet fleet(unpaced(), 3);
  fill(fleet, 3, 10);
  for (int i = 0; i < 15; ++i) {
    fleet.leave("r" + std::to_string(i % 3), i / 3);
  }
  EXPECT_EQ(fleet.placement.counters().mass_drops, 0u) << "just half";
  for (int i = 15; i < 30; ++i) {
    fleet.leave("r" + std::to_string(i % 3), i / 3);
  }
  EXPECT_EQ(fleet.placement.counters().mass_drops, 1u);
  for (int i = 2; i >= 0; --i) {
    EXPECT_EQ(fleet.view(i).reserved, reserved_for(0, 10)) << "all of them are expected";
    EXPECT_EQ(fleet.join("r" + std::to_string(i), 1).at(0).bridge, bridge(i));
  }
  fleet.placement.check_invariants();
}

TEST(MassDropTest, ManyWhoLeaveOneAfterTheOtherAreNone) {
  Fleet fleet(unpaced(), 3);
  fill(fleet, 3, 10);
  for (int i = 0; i < 30; ++i) {
    fleet.leave("r" + std::to_string(i % 3), i / 3);
    fleet.pass(seconds{1});
  }
  EXPECT_EQ(fleet.placement.counters().mass_drops, 0u);
  EXPECT_EQ(fleet.view(0).reserved, Stress());
}

TEST(MassDropTest, TheEndOfASmallMeetingIsNone) {
  Fleet fleet(unpaced(), 1);
  fill(fleet, 1, 19);
  fleet.placement.conference_ended(room("r0"), fleet.now());
  EXPECT_EQ(fleet.placement.counters().mass_drops, 0u);
  EXPECT_EQ(fleet.view(0).reserved, Stress());
}

TEST(MassDropTest, RoomIsHeldForNinetySeconds) {
  Fleet fleet(unpaced(), 2);
  fill(fleet, 2, 20);
  fleet.placement.mass_drop(fleet.now());
  EXPECT_EQ(fleet.view(0).reserved, reserved_for(0, 20));
  fleet.pass(seconds{89});
  fleet.say(0, 0);  // Silent bridges are trusted less.
  EXPECT_EQ(fleet.view(0).reserved, reserved_for(0, 20));
  fleet.pass(seconds{2});
  EXPECT_EQ(fleet.view(0).reserved, Stress());
  fleet.placement.check_invariants();
}

TEST(MassDropTest, LimitsAreLowerUntilEnoughBridgesAreBack) {
  Fleet fleet(unpaced(), 5);
  fill(fleet, 5, 5);
  fleet.placement.service_down(fleet.now());
  fleet.placement.mass_drop(fleet.now());
  EXPECT_EQ(fleet.placement.mode(), Mode::kServiceDown);
  fleet.pass(seconds{3});
  fleet.placement.service_up(fleet.now());
  EXPECT_EQ(fleet.placement.mode(), Mode::kSettling);
  fleet.say(0, 0);
  fleet.say(1, 590'000);
  fleet.say(2, 590'000);
  EXPECT_EQ(fleet.join("new", 1).at(0).limit, Stress(600'000)) << "0.75 x 0.8";
  EXPECT_EQ(fleet.home_of("new"), 0);
  fleet.say(3, 0);
  fleet.drain();
  EXPECT_TRUE(fleet.placement.settling()) << "the fifth may follow at once";
  fleet.pass(seconds{1});
  EXPECT_FALSE(fleet.placement.settling()) << "four of five";
}

TEST(MassDropTest, ARoomWaitsForItsBridgeAndGetsAnotherIfThatDoesNotReturn) {
  Fleet fleet(unpaced(), 3);
  fill(fleet, 3, 4);
  fleet.placement.service_down(fleet.now());
  fleet.placement.mass_drop(fleet.now());
  fleet.pass(seconds{2});
  fleet.placement.service_up(fleet.now());
  fleet.say(0, 0);
  fleet.say(1, 0);
  EXPECT_EQ(fleet.join("r1", 4).at(0).bridge, bridge(1));
  fleet.join("r2", 4);
  EXPECT_EQ(fleet.waits("r2", 0), WaitReason::kSettling);
  EXPECT_THAT(fleet.pass(seconds{4}), IsEmpty());
  const auto placed = fleet.pass(seconds{2});  // Five seconds of quiet.
  ASSERT_THAT(placed, SizeIs(4));
  EXPECT_EQ(placed[0].reason, PlacementReason::kPlan);
  EXPECT_EQ(bridges_of(fleet, "r2", 4).size(), 1u);
  EXPECT_NE(fleet.home_of("r2"), 2);
  fleet.placement.check_invariants();
}

TEST(MassDropTest, ABridgeThatReturnsInTimeGetsItsRooms) {
  Fleet fleet(unpaced(), 3);
  fill(fleet, 3, 4);
  fleet.placement.service_down(fleet.now());
  fleet.placement.mass_drop(fleet.now());
  fleet.placement.service_up(fleet.now());
  fleet.say(0, 0);
  fleet.say(1, 0);
  fleet.join("r2", 4);
  fleet.pass(seconds{3});
  fleet.say(2, 0);
  EXPECT_THAT(fleet.pass(seconds{1}), SizeIs(4));
  EXPECT_EQ(bridges_of(fleet, "r2", 4), std::set{2});
}

// Growth.

TEST(GrowthTest, ANewConferenceIsExpectedToReachSixAndTheExpectationFades) {
  Fleet fleet(unpaced(), 1);
  fleet.join("r", 1);
  EXPECT_EQ(fleet.view(0).reserved, reserved_for(1, 5));
  fleet.pass(seconds{120});
  fleet.say(0, 0);
  EXPECT_EQ(fleet.view(0).reserved, reserved_for(1, 2)) << "ceil(5 / e - 0.2)";
  fleet.pass(minutes{8});
  EXPECT_EQ(fleet.view(0).reserved, Stress());
}

TEST(GrowthTest, WhoHasComeIsNotExpectedAnyMore) {
  Fleet fleet(unpaced(), 1);
  fleet.join("r", 4);
  EXPECT_EQ(fleet.view(0).reserved, reserved_for(4, 2));
  fleet.join("r", 4, 4);
  EXPECT_EQ(fleet.view(0).reserved, Stress());
}

TEST(GrowthTest, AKnownConferenceIsExpectedToReachItsLastSize) {
  Fleet fleet(unpaced(), 1);
  fleet.join("r", 15);
  fleet.placement.conference_ended(room("r"), fleet.now());
  fleet.pass(minutes{1});
  fleet.say(0, 0);
  fleet.join("r", 1);
  EXPECT_EQ(fleet.view(0).reserved, reserved_for(1, 14));
  fleet.pass(minutes{10});
  fleet.say(0, 0);
  EXPECT_EQ(fleet.view(0).reserved, reserved_for(1, 14)) << "for ten minutes";
  fleet.pass(minutes{5});
  fleet.say(0, 0);
  EXPECT_EQ(fleet.view(0).reserved, reserved_for(1, 6)) << "ceil(14 / e)";
  fleet.leave("r", 0);
  EXPECT_EQ(fleet.view(0).reserved, Stress());
}

TEST(GrowthTest, AConferenceThatLostABridgeIsExpectedToBeRebuilt) {
  PlacementOptions options = spanning();
  options.max_per_conference_bridge = 10;
  Fleet fleet(options, 2, with_relays);
  fleet.join("r", 15);
  const int home = fleet.place_of("r", 0);
  ASSERT_EQ(fleet.view(home).participants, 10u);
  EXPECT_EQ(fleet.view(home).reserved, Stress());
  fleet.fail(1 - home);
  EXPECT_EQ(fleet.view(home).reserved, reserved_for(10, 5));
  fleet.pass(seconds{91});
  EXPECT_EQ(fleet.view(home).reserved, Stress()) << "whoever is not back by now does not come";
}

}  // namespace
}  // namespace bascule::focus
