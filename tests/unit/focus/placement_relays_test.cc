// Conferences that span bridges (PlacementOptions::relays).

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "focus/load_units.h"
#include "tests/unit/focus/fleet.h"

namespace bascule::focus {
namespace {

using std::chrono::milliseconds, std::chrono::seconds;
using testing::ElementsAre, testing::Each, testing::IsEmpty, testing::SizeIs;

Ticket from(const std::string& region, Ticket wanted) {
  wanted.region = region;
  return wanted;
}
Ticket visitor(const std::string& name, int number) {
  Ticket wanted = ticket(room(name), number);
  wanted.role = Role::kVisitor;
  return wanted;
}
Fleet::Describe in_regions(const std::vector<std::string>& regions) {
  return [regions](int number, stats::BridgeReport& report) {
    with_relays(number, report);
    report.region = regions.at(static_cast<std::size_t>(number));
  };
}
std::uint64_t placed_by(const Fleet& fleet, PlacementReason reason) {
  return fleet.placement.counters().placed.at(static_cast<std::size_t>(reason));
}

TEST(PlacementRelaysTest, JoinsStayOnTheBridgeOfTheConferenceWhileTheyFit) {
  Fleet fleet(spanning(), 4, with_relays);
  const auto placed = fleet.join("r", 25);
  ASSERT_THAT(placed, SizeIs(25));
  EXPECT_THAT(spread(placed, 4), testing::Contains(25));
  EXPECT_EQ(fleet.placement.counters().splits, 0u);
  EXPECT_EQ(fleet.placement.bridges_of(room("r")).size(), 1u);
}

TEST(PlacementRelaysTest, AnotherBridgeJoinsInWhenTheirsIsFull) {
  Fleet fleet(spanning(), 3, with_relays);
  fleet.join("r", 5);
  const int home = fleet.home_of("r");
  fleet.say(home, 850'000);
  const auto placed = fleet.join("r", 2, 5);
  ASSERT_THAT(placed, SizeIs(2));
  EXPECT_EQ(placed[0].reason, PlacementReason::kSplit);
  EXPECT_EQ(placed[1].reason, PlacementReason::kJoin) << "it joins the second one";
  EXPECT_EQ(placed[1].bridge, placed[0].bridge);
  EXPECT_NE(fleet.place_of("r", 5), home);
  EXPECT_EQ(fleet.placement.counters().splits, 1u);
  EXPECT_THAT(fleet.placement.bridges_of(room("r")), SizeIs(2));
  fleet.placement.check_invariants();
}

TEST(PlacementRelaysTest, AShortWaitForTheirPaceIsCheaperThanASplit) {
  PlacementOptions options = spanning();
  options.placement_interval = seconds{60};
  options.placement_burst = 1;
  Fleet fleet(options, 3, with_relays);
  fleet.join("r", 1);
  fleet.ask(ticket(room("r"), 1));
  EXPECT_THAT(fleet.pass(seconds{7}), IsEmpty());
  EXPECT_EQ(fleet.waits("r", 1), WaitReason::kPace);
  const auto placed = fleet.pass(seconds{2});
  ASSERT_THAT(placed, SizeIs(1));
  EXPECT_EQ(placed[0].reason, PlacementReason::kSplit);
  EXPECT_EQ(placed[0].waited, options.split_wait);
}

TEST(PlacementRelaysTest, ARelayLoadsBothEndsWhileTheConferenceSpans) {
  PlacementOptions options = spanning();
  options.max_per_conference_bridge = 5;
  Fleet fleet(options, 2, with_relays);
  fleet.join("r", 5);
  const int home = fleet.home_of("r");
  EXPECT_EQ(fleet.view(home).load, 5 * 700);
  fleet.join("r", 1, 5);
  const int second = fleet.place_of("r", 5);
  ASSERT_NE(second, home);
  EXPECT_EQ(fleet.view(home).load, 5 * 760 + 1000);
  EXPECT_EQ(fleet.view(second).load, 760 + 1000);
  fleet.leave("r", 5);
  EXPECT_EQ(fleet.view(home).load, 5 * 700);
  EXPECT_EQ(fleet.view(second).load, 0);
  fleet.placement.check_invariants();
}

TEST(PlacementRelaysTest, OneBridgeCarriesSoManyOfAConferenceAndNoMore) {
  PlacementOptions options = spanning();
  options.max_per_conference_bridge = 3;
  Fleet fleet(options, 4, with_relays);
  const auto placed = fleet.join("r", 12);
  ASSERT_THAT(placed, SizeIs(12));
  EXPECT_THAT(spread(placed, 4), Each(3));
}

TEST(PlacementRelaysTest, AWideConferencePrefersItsBridgesUpToTheirHighestLimit) {
  for (const std::size_t bridges_max : {std::size_t{2}, std::size_t{3}}) {
    PlacementOptions options = spanning();
    options.max_per_conference_bridge = 2;
    options.max_bridges_per_conference = bridges_max;
    Fleet fleet(options, 3, with_relays);
    fleet.join("r", 3);
    const int second = fleet.place_of("r", 2);
    fleet.say(second, 835'000);
    ASSERT_GT(fleet.view(second).expected, options.limit_join);
    ASSERT_LT(fleet.view(second).expected, options.limit_max);
    const auto placed = fleet.join("r", 1, 3);
    ASSERT_THAT(placed, SizeIs(1));
    EXPECT_EQ(placed[0].bridge == bridge(second), bridges_max == 2) << bridges_max;
    EXPECT_EQ(placed[0].reason,
              bridges_max == 2 ? PlacementReason::kJoin : PlacementReason::kSplit);
  }
}

TEST(PlacementRelaysTest, AMeshTooWideIsBetterThanPeopleWithoutMedia) {
  PlacementOptions options = spanning();
  options.max_per_conference_bridge = 2;
  options.max_bridges_per_conference = 2;
  Fleet fleet(options, 3, with_relays);
  const auto placed = fleet.join("r", 5);
  ASSERT_THAT(placed, SizeIs(5));
  EXPECT_EQ(placed[4].reason, PlacementReason::kSplit);
  EXPECT_THAT(fleet.placement.bridges_of(room("r")), SizeIs(3));
  EXPECT_EQ(fleet.placement.counters().splits, 1u) << "counts conferences, not bridges";
}

TEST(PlacementRelaysTest, TheSecondBridgeHasTheVersionOfTheFirst) {
  PlacementOptions options = spanning();
  options.max_per_conference_bridge = 1;
  const auto describe = [](int number, stats::BridgeReport& report) {
    with_relays(number, report);
    report.version = number < 2 ? "2.3" : "2.4";
  };
  Fleet fleet(options, 3, describe);
  Ticket first = ticket(room("r"), 0);
  first.avoid = {bridge(2)};
  fleet.join(first);
  const auto placed = fleet.join("r", 2, 1);
  ASSERT_THAT(placed, SizeIs(1));
  EXPECT_NE(placed[0].bridge, bridge(2));
  EXPECT_EQ(fleet.waits("r", 2), WaitReason::kCapacity) << "never on the other version";

  options.allow_mixed_versions = true;
  Fleet mixed(options, 3, describe);
  mixed.join("r", 3);
  EXPECT_THAT(mixed.placement.bridges_of(room("r")), SizeIs(3));
}

TEST(PlacementRelaysTest, TheSecondBridgeNeedsARelay) {
  PlacementOptions options = spanning();
  options.max_per_conference_bridge = 1;
  Fleet fleet(options, 3, [](int number, stats::BridgeReport& report) {
    if (number != 1) {
      with_relays(number, report);
    }
  });
  Ticket first = ticket(room("r"), 0);
  first.avoid = {bridge(1)};
  fleet.join(first);
  fleet.join("r", 2, 1);
  EXPECT_NE(fleet.place_of("r", 1), 1);
  EXPECT_NE(fleet.place_of("r", 1), -1);
  EXPECT_EQ(fleet.place_of("r", 2), -1);
}

TEST(PlacementRelaysTest, AConferenceOnABridgeWithoutRelayIsNotSplit) {
  PlacementOptions options = spanning();
  options.max_per_conference_bridge = 1;
  Fleet fleet(options, 3, [](int number, stats::BridgeReport& report) {
    if (number != 1) {
      with_relays(number, report);
    }
  });
  Ticket first = ticket(room("r"), 0);
  first.avoid = {bridge(0), bridge(2)};
  fleet.join(first);
  ASSERT_EQ(fleet.home_of("r"), 1);
  EXPECT_EQ(fleet.join("r", 1, 1).at(0).bridge, bridge(1)) << "as without relays";
  fleet.say(1, 940'000);
  EXPECT_THAT(fleet.join("r", 1, 2), IsEmpty());
  EXPECT_EQ(fleet.waits("r", 2), WaitReason::kCapacity);
  EXPECT_EQ(fleet.placement.counters().splits, 0u);
}

TEST(PlacementRelaysTest, ADrainingBridgeOfTheConferenceIsUsedOnlyWhenThereIsNoOther) {
  for (const bool cordoned : {false, true}) {
    Fleet fleet(spanning(), 2, with_relays);
    fleet.join("r", 1);
    const int home = fleet.home_of("r");
    const int other = 1 - home;
    if (cordoned) {
      fleet.placement.set_cordoned(bridge(home), true, fleet.now());
    } else {
      fleet.report(home).drain = true;
      fleet.say(home, 10'000);
    }
    EXPECT_EQ(fleet.join("r", 1, 1).at(0).bridge, bridge(other));
    fleet.placement.set_suspect(bridge(other), true, fleet.now());
    const auto placed = fleet.join("r", 1, 2);
    ASSERT_THAT(placed, SizeIs(1)) << "the draining one works still";
    EXPECT_EQ(placed[0].bridge, bridge(home));
  }
}

TEST(PlacementRelaysTest, NobodyJoinsABridgeThatIsAboutToExit) {
  Fleet fleet(spanning(), 2, with_relays);
  fleet.join("r", 1);
  const int home = fleet.home_of("r");
  fleet.report(home).shutting_down = true;
  fleet.say(home, 10'000);
  EXPECT_EQ(fleet.join("r", 1, 1).at(0).bridge, bridge(1 - home));
  fleet.placement.set_suspect(bridge(1 - home), true, fleet.now());
  EXPECT_THAT(fleet.join("r", 1, 2), IsEmpty());
}

TEST(PlacementRelaysTest, AParticipantGetsABridgeOfItsRegion) {
  Fleet fleet(spanning(), 3, in_regions({"eu", "us", "us"}));
  EXPECT_EQ(fleet.join(from("eu", ticket(room("r"), 0))).at(0).bridge, bridge(0));
  const auto split = fleet.join(from("us", ticket(room("r"), 1)));
  ASSERT_THAT(split, SizeIs(1));
  EXPECT_EQ(split[0].reason, PlacementReason::kSplit);
  EXPECT_NE(split[0].bridge, bridge(0));
  const auto again = fleet.join(from("us", ticket(room("r"), 2)));
  EXPECT_EQ(again.at(0).bridge, split[0].bridge) << "the conference is there already";
  EXPECT_EQ(fleet.join(from("eu", ticket(room("r"), 3))).at(0).bridge, bridge(0));
}

TEST(PlacementRelaysTest, TheRegionGroupComesBeforeAnywhere) {
  PlacementOptions options = spanning();
  options.region_groups = {{"eu-west", "eu-central"}, {"us"}};
  Fleet fleet(options, 3, in_regions({"us", "eu-west", "us"}));
  EXPECT_EQ(fleet.join(from("eu-central", ticket(room("r"), 0))).at(0).bridge, bridge(1));
  fleet.say(1, 500'000);
  EXPECT_EQ(fleet.join(from("eu-central", ticket(room("s"), 0))).at(0).bridge, bridge(1))
      << "more loaded, but near";
  EXPECT_EQ(fleet.join(from("eu-central", ticket(room("r"), 1))).at(0).bridge, bridge(1));
}

TEST(PlacementRelaysTest, LoadWinsOverRegion) {
  Fleet fleet(spanning(), 2, in_regions({"eu", "us"}));
  fleet.join(from("eu", ticket(room("r"), 0)));
  fleet.say(1, 860'000);
  const auto placed = fleet.join(from("us", ticket(room("r"), 1)));
  ASSERT_THAT(placed, SizeIs(1)) << "a region without room is left at once";
  EXPECT_EQ(placed[0].bridge, bridge(0));
}

TEST(PlacementRelaysTest, ARegionThatOnlyLacksPaceIsWaitedForALittle) {
  PlacementOptions options = spanning();
  options.placement_interval = seconds{10};
  options.placement_burst = 1;
  Fleet fleet(options, 2, in_regions({"eu", "us"}));
  fleet.join(from("eu", ticket(room("r"), 0)));
  fleet.pass(seconds{10});
  fleet.join(from("us", ticket(room("other"), 0)));
  fleet.ask(from("us", ticket(room("r"), 1)));
  EXPECT_THAT(fleet.drain(), IsEmpty());
  EXPECT_EQ(fleet.waits("r", 1), WaitReason::kPace);
  EXPECT_THAT(fleet.pass(seconds{1}), IsEmpty());
  const auto placed = fleet.pass(seconds{2});
  ASSERT_THAT(placed, SizeIs(1));
  EXPECT_EQ(placed[0].bridge, bridge(0));
  EXPECT_EQ(placed[0].waited, options.region_patience);
}

TEST(PlacementRelaysTest, VisitorsGetABridgeOfTheirOwn) {
  Fleet fleet(spanning(), 3, with_relays);
  fleet.join("r", 3);
  const int members = fleet.home_of("r");
  const auto first = fleet.join(visitor("r", 10));
  ASSERT_THAT(first, SizeIs(1));
  EXPECT_EQ(first[0].reason, PlacementReason::kSplit);
  const int visitors = fleet.place_of("r", 10);
  EXPECT_NE(visitors, members);
  fleet.join(visitor("r", 11));
  EXPECT_EQ(fleet.place_of("r", 11), visitors);
  fleet.join("r", 1, 3);
  EXPECT_EQ(fleet.place_of("r", 3), members);
  EXPECT_EQ(fleet.view(visitors).load, 2 * visitor_load(4) + 1000);
  EXPECT_EQ(fleet.view(members).load, 4 * participant_load(4) + 1000);
  EXPECT_EQ(placed_by(fleet, PlacementReason::kSplit), 1u);
}

TEST(PlacementRelaysTest, AMemberRatherOpensAThirdBridgeThanJoiningTheVisitors) {
  Fleet fleet(spanning(), 3, with_relays);
  fleet.join("r", 1);
  fleet.join(visitor("r", 10));
  fleet.say(fleet.place_of("r", 0), 900'000);
  fleet.join("r", 1, 1);
  EXPECT_NE(fleet.place_of("r", 1), -1);
  EXPECT_NE(fleet.place_of("r", 1), fleet.place_of("r", 0));
  EXPECT_NE(fleet.place_of("r", 1), fleet.place_of("r", 10));
}

TEST(PlacementRelaysTest, RolesShareABridgeWhenNoOtherHasRoom) {
  Fleet fleet(spanning(), 2, with_relays);
  fleet.join("r", 1);
  const int members = fleet.home_of("r");
  fleet.placement.set_suspect(bridge(1 - members), true, fleet.now());
  ASSERT_THAT(fleet.join(visitor("r", 10)), SizeIs(1));
  EXPECT_EQ(fleet.place_of("r", 10), members);
}

TEST(PlacementRelaysTest, ABridgeThatDiesTakesOnlyItsPartOfTheConference) {
  PlacementOptions options = spanning();
  options.max_per_conference_bridge = 3;
  Fleet fleet(options, 3, with_relays);
  fleet.join("r", 6);
  const int home = fleet.place_of("r", 0);
  const int second = fleet.place_of("r", 3);
  EXPECT_THAT(fleet.fail(second), ElementsAre(room("r")));
  EXPECT_EQ(fleet.place_of("r", 0), home);
  EXPECT_EQ(fleet.place_of("r", 3), -1);
  EXPECT_EQ(fleet.view(home).load, 3 * participant_load(3)) << "no relay any more";
  EXPECT_EQ(fleet.placement.counters().plans, 0u) << "a part of it lives: joins are ordinary";
  for (int i = 3; i < 6; ++i) {
    fleet.ask(ticket(room("r"), i, TicketKind::kReinvite, 2));
  }
  EXPECT_THAT(fleet.answered(fleet.drain()), SizeIs(3));
  EXPECT_NE(fleet.place_of("r", 3), second);
  fleet.placement.check_invariants();
}

TEST(PlacementRelaysTest, ABridgeThatRefusedSomebodyIsAvoidedOnlyIfThereIsAnother) {
  for (const int bridges : {1, 2}) {
    Fleet fleet(spanning(), bridges, with_relays);
    fleet.join("r", 2);
    const int home = fleet.home_of("r");
    fleet.ask(ticket(room("r"), 2));
    ASSERT_THAT(fleet.drain(), SizeIs(1));
    fleet.placement.allocation_failed(occupant(room("r"), 2), fleet.now());
    const auto again = fleet.join(ticket(room("r"), 2, TicketKind::kJoin, 2));
    ASSERT_THAT(again, SizeIs(1)) << bridges;
    EXPECT_EQ(again[0].bridge == bridge(home), bridges == 1);
  }
}

}  // namespace
}  // namespace bascule::focus
