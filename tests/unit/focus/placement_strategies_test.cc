// Jicofo's strategies: its order of preference, under our limits and pace.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/focus/fleet.h"

namespace bascule::focus {
namespace {

using testing::SizeIs;

constexpr std::int64_t kOverloaded = 851'000;  // Above `limit_join`.

PlacementOptions with(Strategy strategy) {
  PlacementOptions options = spanning();
  options.strategy = strategy;
  return options;
}

/// Bridges in these regions, the later ones the more loaded.
Fleet fleet_in(const PlacementOptions& options, const std::vector<std::string>& regions) {
  Fleet fleet(options, static_cast<int>(regions.size()),
              [&](int number, stats::BridgeReport& report) {
                with_relays(number, report);
                const std::string& region = regions.at(static_cast<std::size_t>(number));
                if (!region.empty()) {
                  report.region = region;
                }
              });
  for (int i = 0; i < static_cast<int>(regions.size()); ++i) {
    fleet.say(i, 50'000 * (i + 1));
  }
  return fleet;
}

Ticket in(const std::string& region, int number, Role role = Role::kMember) {
  Ticket wanted = ticket(room("r"), number);
  wanted.role = role;
  if (!region.empty()) {
    wanted.region = region;
  }
  return wanted;
}

/// Where the next participant goes; -1: waits.
int next(Fleet& fleet, const std::string& region, int number, Role role = Role::kMember) {
  fleet.join(in(region, number, role));
  return fleet.place_of("r", number);
}

/// A bridge that already has the conference, by avoiding all others.
void put(Fleet& fleet, int on_bridge, int number, int bridges, Role role = Role::kMember) {
  Ticket wanted = in("", number, role);
  for (int i = 0; i < bridges; ++i) {
    if (i != on_bridge) {
      wanted.avoid.push_back(bridge(i));
    }
  }
  fleet.join(wanted);
  ASSERT_EQ(fleet.place_of("r", number), on_bridge);
}

// Single.

TEST(SingleStrategyTest, TheFirstGoesToItsRegionElseToTheLeastLoaded) {
  Fleet near = fleet_in(with(Strategy::kSingle), {"eu", "us", "us"});
  EXPECT_EQ(next(near, "us", 0), 1);
  Fleet anywhere = fleet_in(with(Strategy::kSingle), {"eu", "us", "us"});
  EXPECT_EQ(next(anywhere, "asia", 0), 0);
  Fleet nowhere = fleet_in(with(Strategy::kSingle), {"eu", "us", "us"});
  EXPECT_EQ(next(nowhere, "", 0), 0);
}

TEST(SingleStrategyTest, TheConferenceStaysOnItsBridgeWhateverTheRegion) {
  Fleet fleet = fleet_in(with(Strategy::kSingle), {"eu", "us"});
  ASSERT_EQ(next(fleet, "us", 0), 1);
  EXPECT_EQ(next(fleet, "eu", 1), 1);
  fleet.say(1, 940'000);
  EXPECT_EQ(next(fleet, "eu", 2), -1) << "above its limit nobody is put, where Jicofo would";
  EXPECT_EQ(fleet.waits("r", 2), WaitReason::kCapacity);
  EXPECT_THAT(fleet.placement.bridges_of(room("r")), SizeIs(1));
}

TEST(SingleStrategyTest, AnOverloadedRegionIsLeftAndAnOverloadedFleetWaits) {
  Fleet fleet = fleet_in(with(Strategy::kSingle), {"eu", "us"});
  fleet.say(1, kOverloaded);
  EXPECT_EQ(next(fleet, "us", 0), 0);
  Fleet full = fleet_in(with(Strategy::kSingle), {"eu", "us"});
  full.say_all(kOverloaded);
  EXPECT_EQ(next(full, "us", 0), -1) << "there is no least bad bridge";
  EXPECT_EQ(full.waits("r", 0), WaitReason::kCapacity);
}

TEST(SingleStrategyTest, AConferenceWhoseBridgeDoesNotWorkWaits) {
  Fleet fleet = fleet_in(with(Strategy::kSingle), {"eu", "us"});
  ASSERT_EQ(next(fleet, "", 0), 0);
  fleet.placement.set_suspect(bridge(0), true, fleet.now());
  EXPECT_EQ(next(fleet, "", 1), -1);
  EXPECT_EQ(fleet.waits("r", 1), WaitReason::kBridgeAbsent);
}

// Split.

TEST(SplitStrategyTest, EveryoneGetsABridgeThatTheConferenceDoesNotHaveTheLeastLoadedFirst) {
  Fleet fleet = fleet_in(with(Strategy::kSplit), {"eu", "us", "eu"});
  EXPECT_EQ(next(fleet, "", 0), 0);
  EXPECT_EQ(next(fleet, "", 1), 1);
  EXPECT_EQ(next(fleet, "", 2), 2);
}

TEST(SplitStrategyTest, ThenTheOneWithTheFewestParticipantsOfIt) {
  Fleet fleet = fleet_in(with(Strategy::kSplit), {"eu", "us", "eu"});
  int number = 0;
  for (const int on_bridge : {0, 1, 2, 0, 1, 1}) {
    put(fleet, on_bridge, number++, 3);
  }
  EXPECT_EQ(next(fleet, "", 10), 2) << "although it is the most loaded";
  next(fleet, "", 11);
  next(fleet, "", 12);
  EXPECT_EQ(fleet.view(0).participants, 3u);
  EXPECT_EQ(fleet.view(1).participants, 3u);
  EXPECT_EQ(fleet.view(2).participants, 3u);
}

TEST(SplitStrategyTest, FullBridgesDoNotCount) {
  Fleet fleet = fleet_in(with(Strategy::kSplit), {"eu", "us", "eu"});
  fleet.say(1, kOverloaded);
  EXPECT_EQ(next(fleet, "", 0), 0);
  EXPECT_EQ(next(fleet, "", 1), 2);
  EXPECT_EQ(fleet.place_of("r", 1), 2);
  EXPECT_NE(next(fleet, "", 2), 1);
}

// RegionBased: the numbers of the rules are those of RegionBasedBridgeSelectionStrategy.kt.

TEST(RegionBasedStrategyTest, FirstABridgeOfTheConferenceInTheRegion) {
  Fleet fleet = fleet_in(with(Strategy::kRegionBased), {"us", "eu", "us"});
  put(fleet, 1, 0, 3);
  put(fleet, 2, 1, 3);
  EXPECT_EQ(next(fleet, "us", 2), 2) << "rule 1, although bridge 0 is less loaded";
}

TEST(RegionBasedStrategyTest, ThenABridgeOfTheConferenceInTheGroup) {
  PlacementOptions options = with(Strategy::kRegionBased);
  options.region_groups = {{"eu-west", "eu-central"}};
  Fleet fleet = fleet_in(options, {"eu-west", "us", "eu-central"});
  put(fleet, 2, 0, 3);
  EXPECT_EQ(next(fleet, "eu-west", 1), 2) << "rule 2 before rule 3";
}

TEST(RegionBasedStrategyTest, ThenANewBridgeInTheRegion) {
  PlacementOptions options = with(Strategy::kRegionBased);
  options.region_groups = {{"eu-west", "eu-central"}};
  Fleet fleet = fleet_in(options, {"us", "eu-central", "eu-west"});
  put(fleet, 0, 0, 3);
  EXPECT_EQ(next(fleet, "eu-west", 1), 2) << "rule 3 before rules 4 and 5";
}

TEST(RegionBasedStrategyTest, ThenANewBridgeInTheGroup) {
  PlacementOptions options = with(Strategy::kRegionBased);
  options.region_groups = {{"eu-west", "eu-central"}};
  Fleet fleet = fleet_in(options, {"us", "eu-central", "eu-west"});
  put(fleet, 0, 0, 3);
  fleet.say(2, kOverloaded);
  EXPECT_EQ(next(fleet, "eu-west", 1), 1) << "rule 4 before rule 5";
}

TEST(RegionBasedStrategyTest, ThenABridgeOfTheConferenceAnywhere) {
  Fleet fleet = fleet_in(with(Strategy::kRegionBased), {"us", "us", "eu"});
  put(fleet, 1, 0, 3);
  fleet.say(2, kOverloaded);
  EXPECT_EQ(next(fleet, "eu", 1), 1) << "rule 5, although bridge 0 is less loaded";
}

TEST(RegionBasedStrategyTest, ThenTheLeastLoadedAnywhere) {
  Fleet fleet = fleet_in(with(Strategy::kRegionBased), {"us", "us", "eu"});
  put(fleet, 1, 0, 3);
  fleet.say(2, kOverloaded);
  fleet.say(1, kOverloaded);
  EXPECT_EQ(next(fleet, "eu", 1), 0) << "rule 6";
}

TEST(RegionBasedStrategyTest, TheLimitPerConferenceCountsAsFull) {
  PlacementOptions options = with(Strategy::kRegionBased);
  options.max_per_conference_bridge = 1;
  Fleet fleet = fleet_in(options, {"eu", "eu"});
  EXPECT_EQ(next(fleet, "eu", 0), 0);
  EXPECT_EQ(next(fleet, "eu", 1), 1);
}

TEST(RegionBasedStrategyTest, WhoeverFindsNobodyWaitsInsteadOfTheLeastBad) {
  Fleet fleet = fleet_in(with(Strategy::kRegionBased), {"us", "eu"});
  ASSERT_EQ(next(fleet, "eu", 0), 1);
  fleet.say_all(kOverloaded);
  EXPECT_EQ(next(fleet, "eu", 1), -1);
  EXPECT_EQ(fleet.waits("r", 1), WaitReason::kCapacity);
}

TEST(RegionBasedStrategyTest, WithoutARegionTheLocalOneCounts) {
  PlacementOptions options = with(Strategy::kRegionBased);
  Fleet none = fleet_in(options, {"us", "eu"});
  EXPECT_EQ(next(none, "", 0), 0);
  options.local_region = "eu";
  Fleet local = fleet_in(options, {"us", "eu"});
  EXPECT_EQ(next(local, "", 0), 1);
}

TEST(RegionBasedStrategyTest, AnEmptyConferenceOfTheLocalGroupBeginsLocally) {
  PlacementOptions options = with(Strategy::kRegionBased);
  options.local_region = "eu-central";
  options.region_groups = {{"eu-west", "eu-central"}};
  Fleet fleet = fleet_in(options, {"eu-west", "eu-central", "us"});
  EXPECT_EQ(next(fleet, "eu-west", 0), 1);
  Fleet live = fleet_in(options, {"eu-west", "us", "eu-central"});
  put(live, 1, 0, 3);
  EXPECT_EQ(next(live, "eu-west", 1), 0) << "only the first one";
  Fleet other = fleet_in(options, {"eu-west", "eu-central", "us"});
  EXPECT_EQ(next(other, "us", 0), 2) << "a region of another group stays";
}

TEST(RegionBasedStrategyTest, ARegionWithoutBridgesIsReplacedByTheLocalOne) {
  PlacementOptions options = with(Strategy::kRegionBased);
  options.local_region = "eu";
  Fleet fleet = fleet_in(options, {"us", "eu"});
  EXPECT_EQ(next(fleet, "asia", 0), 1);
}

// IntraRegion.

TEST(IntraRegionStrategyTest, TheFirstGoesToItsRegionElseToTheLeastLoaded) {
  Fleet fleet = fleet_in(with(Strategy::kIntraRegion), {"us", "eu"});
  EXPECT_EQ(next(fleet, "eu", 0), 1);
  Fleet full = fleet_in(with(Strategy::kIntraRegion), {"us", "eu"});
  full.say(1, kOverloaded);
  EXPECT_EQ(next(full, "eu", 0), 0);
}

TEST(IntraRegionStrategyTest, LaterTheRegionOfTheFirstBridgeCounts) {
  Fleet fleet = fleet_in(with(Strategy::kIntraRegion), {"us", "eu", "eu"});
  ASSERT_EQ(next(fleet, "eu", 0), 1);
  EXPECT_EQ(next(fleet, "us", 1), 1) << "its own bridge first";
  fleet.say(1, kOverloaded);
  EXPECT_EQ(next(fleet, "us", 2), 2) << "then another of that region";
  fleet.say(2, kOverloaded);
  EXPECT_EQ(next(fleet, "us", 3), -1) << "and never another region";
  EXPECT_EQ(fleet.waits("r", 3), WaitReason::kCapacity);
}

TEST(IntraRegionStrategyTest, BridgesWithoutRegionAreOneRegion) {
  Fleet fleet = fleet_in(with(Strategy::kIntraRegion), {"", "", ""});
  ASSERT_EQ(next(fleet, "", 0), 0);
  EXPECT_EQ(next(fleet, "", 1), 0);
  fleet.say(0, kOverloaded);
  EXPECT_EQ(next(fleet, "", 2), 1);
}

// Visitor.

TEST(VisitorStrategyTest, VisitorsAndMembersHaveBridgesOfTheirOwn) {
  Fleet fleet = fleet_in(with(Strategy::kVisitor), {"eu", "eu", "eu"});
  EXPECT_EQ(next(fleet, "eu", 0), 0);
  EXPECT_EQ(next(fleet, "eu", 10, Role::kVisitor), 1);
  EXPECT_EQ(next(fleet, "eu", 11, Role::kVisitor), 1);
  EXPECT_EQ(next(fleet, "eu", 1), 0);
  fleet.say(0, kOverloaded);
  EXPECT_EQ(next(fleet, "eu", 2), 2) << "a new one rather than that of the visitors";
}

TEST(VisitorStrategyTest, RolesMixWhenThereIsNobodyElse) {
  Fleet fleet = fleet_in(with(Strategy::kVisitor), {"eu"});
  EXPECT_EQ(next(fleet, "eu", 0), 0);
  EXPECT_EQ(next(fleet, "eu", 10, Role::kVisitor), 0);
}

TEST(VisitorStrategyTest, EveryRoleFollowsItsOwnStrategy) {
  PlacementOptions options = with(Strategy::kVisitor);
  options.participant_strategy = Strategy::kSplit;
  options.visitor_strategy = Strategy::kRegionBased;
  Fleet fleet = fleet_in(options, {"us", "us", "eu"});
  EXPECT_EQ(next(fleet, "", 0), 0);
  EXPECT_EQ(next(fleet, "", 1), 1);
  EXPECT_EQ(next(fleet, "eu", 10, Role::kVisitor), 2);
  EXPECT_EQ(next(fleet, "us", 11, Role::kVisitor), 2) << "rule 5: of the conference, anywhere";
}

TEST(VisitorStrategyTest, SingleKeepsThePeopleOfOneRoleTogether) {
  PlacementOptions options = with(Strategy::kVisitor);
  options.participant_strategy = options.visitor_strategy = Strategy::kSingle;
  Fleet fleet = fleet_in(options, {"eu", "eu", "eu"});
  EXPECT_EQ(next(fleet, "eu", 0), 0);
  EXPECT_EQ(next(fleet, "eu", 1), 0);
  EXPECT_EQ(next(fleet, "eu", 10, Role::kVisitor), 1);
  EXPECT_EQ(next(fleet, "eu", 11, Role::kVisitor), 1);
}

// All of them.

TEST(StrategiesTest, WithoutRelaysAConferenceStays) {
  for (const Strategy strategy : {Strategy::kSingle, Strategy::kSplit, Strategy::kRegionBased,
                                  Strategy::kIntraRegion, Strategy::kVisitor}) {
    PlacementOptions options = with(strategy);
    options.relays = false;
    Fleet fleet = fleet_in(options, {"eu", "us", "eu"});
    const int home = next(fleet, "us", 0);
    ASSERT_NE(home, -1);
    EXPECT_EQ(next(fleet, "eu", 1), home) << to_string(strategy);
    EXPECT_EQ(next(fleet, "eu", 2, Role::kVisitor), home) << to_string(strategy);
    fleet.say(home, 940'000);
    EXPECT_EQ(next(fleet, "eu", 3), -1) << to_string(strategy);
    EXPECT_EQ(fleet.waits("r", 3), WaitReason::kCapacity) << to_string(strategy);
  }
}

TEST(StrategiesTest, ABridgeWithoutRelayKeepsItsConference) {
  PlacementOptions options = with(Strategy::kSplit);
  Fleet fleet(options, 2, [](int number, stats::BridgeReport& report) {
    if (number == 1) {
      with_relays(number, report);
    }
  });
  fleet.say(1, 10'000);
  ASSERT_EQ(next(fleet, "", 0), 0);
  EXPECT_EQ(next(fleet, "", 1), 0);
}

TEST(StrategiesTest, NobodyIsPutAboveTheLimitOfJoins) {
  for (const Strategy strategy : {Strategy::kSingle, Strategy::kSplit, Strategy::kRegionBased,
                                  Strategy::kIntraRegion, Strategy::kVisitor}) {
    const PlacementOptions options = with(strategy);
    Fleet fleet = fleet_in(options, {"eu", "eu"});
    fleet.say_all(700'000);
    for (int i = 0; i < 100; ++i) {
      fleet.ask(ticket(room("r" + std::to_string(i)), 0));
    }
    const auto placed = fleet.drain();
    EXPECT_GT(placed.size(), 3u) << to_string(strategy);
    EXPECT_LT(placed.size(), 100u) << to_string(strategy);
    for (const Decision& decision : placed) {
      EXPECT_LE(decision.expected, options.limit_join + Stress(1)) << to_string(strategy);
      EXPECT_EQ(decision.reason, PlacementReason::kPreference);
    }
  }
}

TEST(StrategiesTest, ABridgeThatRefusedSomebodyIsAvoidedOnlyIfThereIsAnother) {
  for (const int bridges : {1, 2}) {
    Fleet fleet = fleet_in(with(Strategy::kRegionBased),
                           std::vector<std::string>(static_cast<std::size_t>(bridges), "eu"));
    ASSERT_EQ(next(fleet, "eu", 0), 0);
    fleet.ask(in("eu", 1));
    ASSERT_THAT(fleet.drain(), SizeIs(1));
    fleet.placement.allocation_failed(occupant(room("r"), 1), fleet.now());
    Ticket again = in("eu", 1);
    again.generation = 2;
    fleet.join(again);
    EXPECT_EQ(fleet.place_of("r", 1), bridges - 1);
  }
}

}  // namespace
}  // namespace bascule::focus
