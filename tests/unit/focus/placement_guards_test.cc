// What protects bridges and people from the unexpected: connectivity, poison, spares, pins,
// retries.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/focus/fleet.h"

namespace bascule::focus {
namespace {

using std::chrono::hours, std::chrono::milliseconds, std::chrono::minutes, std::chrono::seconds;
using testing::IsEmpty, testing::SizeIs;

// Participants that cannot connect.

/// How many of the participants, in order, ask for a restart until the bridge is put aside; 0:
/// never.
int restarts_until_put_aside(Fleet& fleet, int participants) {
  for (int i = 0; i < participants; ++i) {
    if (fleet.placement.restart_requested(occupant(room("r"), i), fleet.now())) {
      return i + 1;
    }
  }
  return 0;
}

TEST(IceFailureTest, ThirtyPercentAndAtLeastTenPutABridgeAside) {
  for (const auto& [participants, expected] :
       {std::pair{9, 0}, {10, 10}, {20, 10}, {34, 11}, {50, 15}}) {
    Fleet fleet(unpaced(), 2);
    fleet.restore("r", 0, participants);
    EXPECT_EQ(restarts_until_put_aside(fleet, participants), expected) << participants;
    EXPECT_EQ(fleet.view(0).ice_failing, expected > 0);
    EXPECT_EQ(fleet.placement.counters().ice_quarantines, expected > 0 ? 1u : 0u);
  }
}

TEST(IceFailureTest, OneParticipantCountsOnceHoweverOftenItAsks) {
  Fleet fleet(unpaced(), 2);
  fleet.restore("r", 0, 20);
  for (int i = 0; i < 30; ++i) {
    EXPECT_FALSE(fleet.placement.restart_requested(occupant(room("r"), i % 9), fleet.now()));
    fleet.pass(seconds{1});
  }
  EXPECT_FALSE(fleet.view(0).ice_failing);
}

TEST(IceFailureTest, AtMostHalfOfTheFleetIsPutAside) {
  Fleet fleet(unpaced(), 4);
  int aside = 0;
  for (int i = 0; i < 4; ++i) {
    const std::string name = "r" + std::to_string(i);
    fleet.restore(name, i, 10);
    for (int number = 0; number < 10; ++number) {
      aside += fleet.placement.restart_requested(occupant(room(name), number), fleet.now()) ? 1 : 0;
    }
  }
  EXPECT_EQ(aside, 2) << "more than that is the network of the participants";
  EXPECT_FALSE(fleet.view(2).ice_failing);
  EXPECT_FALSE(fleet.view(3).ice_failing);
  EXPECT_THAT(fleet.join("new", 1), SizeIs(1));
}

TEST(IceFailureTest, RequestsOfMoreThanAMinuteAgoDoNotCount) {
  Fleet fleet(unpaced(), 2);
  fleet.restore("r", 0, 20);
  EXPECT_EQ(restarts_until_put_aside(fleet, 9), 0);
  fleet.pass(seconds{61});
  EXPECT_FALSE(fleet.placement.restart_requested(occupant(room("r"), 15), fleet.now()));
}

TEST(IceFailureTest, TheBridgeKeepsWhatItHasAndGetsNothingNewForTenMinutes) {
  Fleet fleet(unpaced(), 2);
  fleet.restore("r", 0, 10);
  fleet.say(1, 300'000);
  ASSERT_EQ(restarts_until_put_aside(fleet, 10), 10);
  EXPECT_EQ(fleet.place_of("r", 0), 0);
  EXPECT_EQ(fleet.join("new", 1).at(0).bridge, bridge(1)) << "although it is more loaded";
  EXPECT_EQ(fleet.join("r", 1, 10).at(0).bridge, bridge(0)) << "a meeting is not cut in two";
  fleet.pass(minutes{10});
  EXPECT_FALSE(fleet.view(0).ice_failing);
  fleet.say(0, 0);
  fleet.say(1, 600'000);
  EXPECT_EQ(fleet.join("later", 1).at(0).bridge, bridge(0));
}

TEST(IceFailureTest, WithRelaysPeopleGoElsewhere) {
  Fleet fleet(spanning(), 2, with_relays);
  fleet.restore("r", 0, 10);
  ASSERT_EQ(restarts_until_put_aside(fleet, 10), 10);
  fleet.ask(ticket(room("r"), 0, TicketKind::kReinvite, 2));
  fleet.drain();
  EXPECT_EQ(fleet.place_of("r", 0), 1);
}

TEST(IceFailureTest, CanBeSwitchedOff) {
  PlacementOptions options = unpaced();
  options.ice_failure_detection = false;
  Fleet fleet(options, 2);
  fleet.restore("r", 0, 20);
  EXPECT_EQ(restarts_until_put_aside(fleet, 20), 0);
  EXPECT_FALSE(fleet.placement.restart_requested(occupant(room("nobody"), 1), fleet.now()));
}

// Conferences that kill bridges.

/// The conference comes to a bridge, which dies idle; returns that bridge.
int killed(Fleet& fleet, Duration after, std::uint32_t generation) {
  fleet.join(ticket(room("poison"), 0, TicketKind::kReinvite, generation));
  const int home = fleet.home_of("poison");
  fleet.pass(after);
  if (home >= 0) {
    fleet.fail(home);
  }
  return home;
}

TEST(PoisonTest, AConferenceThatKilledTwoIdleBridgesGetsOneOfItsOwn) {
  Fleet fleet(unpaced(), 5);
  EXPECT_NE(killed(fleet, seconds{10}, 1), -1);
  EXPECT_EQ(fleet.placement.counters().isolations, 0u);
  EXPECT_NE(killed(fleet, seconds{10}, 2), -1);
  EXPECT_EQ(fleet.placement.counters().isolations, 1u);
  EXPECT_EQ(fleet.placement.counters().plans, 1u) << "it is not planned any more";
  const auto placed = fleet.join(ticket(room("poison"), 0, TicketKind::kReinvite, 3));
  ASSERT_THAT(placed, SizeIs(1));
  EXPECT_EQ(placed[0].reason, PlacementReason::kAlone);
  const int alone = fleet.home_of("poison");
  for (int i = 0; i < 10; ++i) {
    for (const Decision& decision : fleet.join("other" + std::to_string(i), 1)) {
      EXPECT_NE(decision.bridge, bridge(alone)) << "nobody else shares it";
    }
  }
  fleet.pass(minutes{10} + seconds{1});
  fleet.say_all(500'000);
  fleet.say(alone, 0);
  EXPECT_EQ(fleet.join("later", 1).at(0).bridge, bridge(alone)) << "it did no harm for ten minutes";
}

TEST(PoisonTest, AnIsolatedConferenceWaitsForABridgeThatIsAlmostIdle) {
  Fleet fleet(unpaced(), 4);
  killed(fleet, seconds{10}, 1);
  killed(fleet, seconds{10}, 2);
  std::vector<int> rest;
  for (int i = 0; i < 4; ++i) {
    fleet.say(i, 250'000);
  }
  EXPECT_THAT(fleet.join(ticket(room("poison"), 0, TicketKind::kReinvite, 3)), IsEmpty());
  EXPECT_EQ(fleet.waits("poison", 0), WaitReason::kCapacity);
  fleet.pass(seconds{1});
  for (int i = 0; i < 4; ++i) {
    fleet.say(i, 150'000);
  }
  EXPECT_THAT(fleet.pass(seconds{1}), SizeIs(1));
}

// In a small fleet nobody is ever almost idle, and two deaths may be chance: people would be
// without media until the suspicion fades.
TEST(PoisonTest, WithoutAnIdleBridgeItGetsTheLeastLoadedAfterAMinute) {
  Fleet fleet(unpaced(), 4);
  killed(fleet, seconds{10}, 1);
  killed(fleet, seconds{10}, 2);
  const auto say_busy = [&fleet] {
    for (int i = 0; i < 4; ++i) {
      fleet.say(i, i == 3 ? 250'000 : 400'000);
    }
  };
  say_busy();
  EXPECT_THAT(fleet.join(ticket(room("poison"), 0, TicketKind::kReinvite, 3)), IsEmpty());
  for (int i = 0; i < 5; ++i) {
    EXPECT_THAT(fleet.pass(seconds{10}), IsEmpty());
    say_busy();
  }
  const auto placed = fleet.pass(seconds{11});
  ASSERT_THAT(placed, SizeIs(1));
  EXPECT_EQ(placed[0].bridge, bridge(3));
  EXPECT_EQ(placed[0].reason, PlacementReason::kNew) << "it is not alone there";
}

// In a small fleet the bridge that was kept for the suspect may be the only one with room.
TEST(PoisonTest, WhoFindsNoOtherBridgeForAMinuteSharesItsOwn) {
  Fleet fleet(unpaced(), 3);
  killed(fleet, seconds{10}, 1);
  killed(fleet, seconds{10}, 2);
  fleet.join(ticket(room("poison"), 0, TicketKind::kReinvite, 3));
  const int alone = fleet.home_of("poison");
  ASSERT_NE(alone, -1);
  const auto say_full = [&] {
    for (int i = 0; i < 3; ++i) {
      fleet.say(i, i == alone ? 10'000 : 900'000);
    }
  };
  say_full();
  EXPECT_THAT(fleet.join("other", 1), IsEmpty());
  for (int i = 0; i < 5; ++i) {
    EXPECT_THAT(fleet.pass(seconds{10}), IsEmpty()) << "others stay away from it";
    say_full();
  }
  const auto placed = fleet.pass(seconds{11});
  ASSERT_THAT(placed, SizeIs(1)) << "people without media are worse than a suspicion";
  EXPECT_EQ(placed[0].bridge, bridge(alone));
}

TEST(PoisonTest, TheThirdTimeItWaitsTenMinutes) {
  Fleet fleet(unpaced(), 5);
  for (std::uint32_t time = 1; time <= 3; ++time) {
    ASSERT_NE(killed(fleet, seconds{10}, time), -1);
  }
  fleet.join(ticket(room("poison"), 0, TicketKind::kReinvite, 4));
  EXPECT_EQ(fleet.home_of("poison"), -1);
  EXPECT_EQ(fleet.waits("poison", 0), WaitReason::kRetryWait);
  EXPECT_THAT(fleet.pass(minutes{10} - seconds{15}), IsEmpty());
  fleet.say_all(0);
  EXPECT_THAT(fleet.pass(seconds{20}), SizeIs(1));
}

TEST(PoisonTest, ADeathLongAfterItsArrivalOrUnderLoadOrAnnouncedIsNotItsFault) {
  const auto isolations = [](Duration after, std::int64_t stress, FailureCause cause) {
    Fleet fleet(unpaced(), 6);
    for (std::uint32_t time = 1; time <= 3; ++time) {
      fleet.join(ticket(room("poison"), 0, TicketKind::kReinvite, time));
      const int home = fleet.home_of("poison");
      fleet.pass(after);
      if (stress > 0) {
        fleet.say(home, stress);
      }
      fleet.fail(home, cause);
    }
    return fleet.placement.counters().isolations;
  };
  EXPECT_EQ(isolations(seconds{10}, 0, FailureCause::kLeft), 1u);
  EXPECT_EQ(isolations(seconds{10}, 0, FailureCause::kTimeout), 1u);
  EXPECT_EQ(isolations(seconds{10}, 0, FailureCause::kShutDown), 0u);
  EXPECT_EQ(isolations(seconds{10}, 0, FailureCause::kUnhealthy), 0u);
  EXPECT_EQ(isolations(seconds{10}, 950'000, FailureCause::kLeft), 0u);
  EXPECT_EQ(isolations(seconds{62}, 0, FailureCause::kLeft), 0u);
}

TEST(PoisonTest, ItIsForgottenAfterAnHour) {
  for (const Duration quiet : {Duration(minutes{50}), Duration(hours{1})}) {
    Fleet fleet(unpaced(), 5);
    killed(fleet, seconds{10}, 1);
    fleet.join(ticket(room("poison"), 0, TicketKind::kReinvite, 2));
    fleet.pass(quiet);
    fleet.ask(ticket(room("poison"), 0, TicketKind::kReinvite, 3));  // Its arrival is recent again.
    fleet.drain();
    fleet.fail(fleet.home_of("poison"));
    EXPECT_EQ(fleet.placement.counters().isolations, quiet < hours{1} ? 1u : 0u);
  }
}

// Standby bridges.

PlacementOptions with_standby(std::vector<int> numbers) {
  PlacementOptions options = unpaced();
  for (const int number : numbers) {
    options.standby_bridges.push_back(bridge(number).jid().resource());
  }
  return options;
}

TEST(StandbyTest, IsNotUsedWhileOthersHaveRoom) {
  Fleet fleet(with_standby({1}), 2);
  EXPECT_TRUE(fleet.view(1).standby);
  fleet.say(0, 600'000);
  for (int i = 0; i < 3; ++i) {
    fleet.join("r" + std::to_string(i), 1);
  }
  EXPECT_EQ(fleet.view(1).participants, 0u);
  EXPECT_FALSE(fleet.view(1).activated);
  EXPECT_EQ(fleet.placement.counters().spares_activated, 0u);
}

TEST(StandbyTest, OneAfterTheOtherIsTakenWhenNobodyHasRoom) {
  Fleet fleet(with_standby({1, 2, 3}), 4);
  fleet.say(0, 900'000);
  fleet.ask(ticket(room("r"), 0));
  fleet.answered(fleet.drain());
  EXPECT_EQ(fleet.placement.counters().spares_activated, 1u);
  fleet.pass(milliseconds{100});
  EXPECT_NE(fleet.home_of("r"), -1);
  const int first = fleet.home_of("r");
  EXPECT_TRUE(fleet.view(first).activated);
  fleet.say(first, 900'000);
  fleet.ask(ticket(room("s"), 0));
  fleet.pass(seconds{1});
  EXPECT_EQ(fleet.placement.counters().spares_activated, 1u) << "two seconds apart";
  fleet.pass(seconds{2});
  EXPECT_EQ(fleet.placement.counters().spares_activated, 2u);
  EXPECT_NE(fleet.home_of("s"), -1);
}

TEST(StandbyTest, AMeetingThatMustStayOnItsFullBridgeTakesNoneWhileOthersHaveRoom) {
  Fleet fleet(with_standby({2}), 3);
  fleet.restore("r", 0, 30);
  fleet.restore("small", 0, 3);
  fleet.pass(seconds{25});
  fleet.say(0, 940'000);
  fleet.say(1, 0);
  fleet.ask(ticket(room("r"), 30));
  fleet.pass(seconds{1});
  EXPECT_EQ(fleet.waits("r", 30), WaitReason::kCapacity);
  EXPECT_FALSE(fleet.take_moves().empty()) << "others make room for it";
  EXPECT_EQ(fleet.placement.counters().spares_activated, 0u);
}

TEST(StandbyTest, OneIsTakenWhenNobodyElseCanTakeAConferenceThatMakesRoom) {
  Fleet fleet(with_standby({2}), 3);
  fleet.restore("r", 0, 30);
  fleet.restore("small", 0, 8);
  fleet.pass(seconds{25});
  fleet.say(0, 940'000);
  fleet.say(1, 780'000);  // Not full, but 0.09 is too much for it.
  fleet.ask(ticket(room("r"), 30));
  fleet.pass(seconds{1});
  EXPECT_NE(fleet.placement.mode(), Mode::kFull);
  EXPECT_EQ(fleet.placement.counters().spares_activated, 1u);
  EXPECT_THAT(fleet.take_moves(), SizeIs(8));
}

TEST(StandbyTest, AFleetThatIsFullForFiveSecondsTakesOneInAdvance) {
  Fleet fleet(with_standby({1}), 2);
  fleet.say(0, 845'000);
  fleet.pass(seconds{4});
  EXPECT_FALSE(fleet.view(1).activated);
  fleet.pass(seconds{3});
  EXPECT_TRUE(fleet.view(1).activated);
}

TEST(StandbyTest, RestsAfterTenEmptyMinutes) {
  Fleet fleet(with_standby({1}), 2);
  fleet.say(0, 900'000);
  fleet.join("r", 1);
  fleet.pass(seconds{1});
  ASSERT_EQ(fleet.home_of("r"), 1);
  fleet.say(0, 0);
  fleet.pass(minutes{20});
  EXPECT_TRUE(fleet.view(1).activated) << "somebody is there";
  fleet.leave("r", 0);
  fleet.pass(minutes{10} - seconds{2});
  EXPECT_TRUE(fleet.view(1).activated);
  fleet.pass(seconds{4});
  EXPECT_FALSE(fleet.view(1).activated);
  EXPECT_EQ(fleet.join("s", 1).at(0).bridge, bridge(0));
}

TEST(StandbyTest, TheOperatorMayChangeItWhileRunning) {
  Fleet fleet(unpaced(), 2);
  fleet.placement.set_standby(bridge(0), true, fleet.now());
  EXPECT_EQ(fleet.join("r", 1).at(0).bridge, bridge(1));
  fleet.placement.set_standby(bridge(0), false, fleet.now());
  fleet.say(1, 300'000);
  EXPECT_EQ(fleet.join("s", 1).at(0).bridge, bridge(0));
}

// Pins.

Fleet versions(const PlacementOptions& options) {
  return Fleet(options, 2, [](int number, stats::BridgeReport& report) {
    report.version = number == 0 ? "2.3" : "2.4";
  });
}

TEST(PinTest, OnlyBridgesOfTheVersionServeTheConference) {
  Fleet fleet = versions(unpaced());
  fleet.placement.pin(room("r"), "2.4", minutes{10}, fleet.now());
  fleet.say(1, 500'000);
  EXPECT_EQ(fleet.join("r", 1).at(0).bridge, bridge(1));
  EXPECT_EQ(fleet.join("s", 1).at(0).bridge, bridge(0));
  fleet.placement.pin(room("t"), "2.5", minutes{10}, fleet.now());
  EXPECT_THAT(fleet.join("t", 1), IsEmpty());
  EXPECT_EQ(fleet.waits("t", 0), WaitReason::kVersion) << "it is never relaxed";
}

TEST(PinTest, EndsByItselfOrOnDemand) {
  Fleet fleet = versions(unpaced());
  fleet.placement.pin(room("r"), "2.5", minutes{1}, fleet.now());
  fleet.placement.pin(room("s"), "2.5", minutes{10}, fleet.now());
  fleet.join("r", 1);
  fleet.join("s", 1);
  EXPECT_THAT(fleet.pass(seconds{59}), IsEmpty());
  EXPECT_THAT(fleet.pass(seconds{2}), SizeIs(1));
  EXPECT_NE(fleet.home_of("r"), -1);
  fleet.placement.unpin(room("s"));
  EXPECT_THAT(fleet.pass(seconds{1}), SizeIs(1));
}

TEST(PinTest, MixedVersionsLiftIt) {
  PlacementOptions options = unpaced();
  options.allow_mixed_versions = true;
  Fleet fleet = versions(options);
  fleet.placement.pin(room("r"), "2.5", minutes{1}, fleet.now());
  EXPECT_THAT(fleet.join("r", 1), SizeIs(1));
}

// Retries.

TEST(RetryBudgetTest, AConferenceThatIsReinvitedOverAndOverHasToWait) {
  Fleet fleet(unpaced(), 2);
  fleet.join("r", 2);
  std::uint32_t generation = 1;
  for (int i = 0; i < 6; ++i) {  // Three times its size.
    fleet.pass(seconds{1});
    EXPECT_THAT(fleet.join(ticket(room("r"), i % 2, TicketKind::kReinvite, ++generation)),
                SizeIs(1))
        << i;
  }
  EXPECT_THAT(fleet.join(ticket(room("r"), 0, TicketKind::kReinvite, ++generation)), IsEmpty());
  fleet.pass(seconds{1});
  EXPECT_EQ(fleet.waits("r", 0), WaitReason::kRetryWait);
  fleet.ask(ticket(room("other"), 0));
  EXPECT_THAT(fleet.pass(seconds{1}), SizeIs(1)) << "others do not";
  EXPECT_THAT(fleet.pass(seconds{7}), IsEmpty());
  EXPECT_THAT(fleet.pass(seconds{2}), SizeIs(1));
}

}  // namespace
}  // namespace bascule::focus
