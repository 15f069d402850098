// Load that is not ours, bridges that answer slowly or are not measured, and a process that slept.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "focus/load_units.h"
#include "tests/unit/focus/fleet.h"

namespace bascule::focus {
namespace {

using std::chrono::milliseconds, std::chrono::minutes, std::chrono::seconds;
using testing::IsEmpty, testing::SizeIs;

// Slow answers.

/// One placement per second and bridge; the first one was answered after `took`.
Fleet answered_after(Duration took) {
  PlacementOptions options = unpaced();
  options.placement_interval = seconds{1};
  options.placement_burst = 1;
  Fleet fleet(options, 1);
  fleet.ask(ticket(room("first"), 0));
  fleet.drain();
  fleet.pass(took);
  fleet.placement.confirmed(occupant(room("first"), 0), fleet.now());
  fleet.say(0, 10'000);
  return fleet;
}

TEST(SlowAnswersTest, HalveThePaceOfTheBridge) {
  for (const Duration took : {seconds{1}, seconds{12}}) {  // A quarter of it counts: 3 s.
    Fleet fleet = answered_after(took);
    fleet.join("r", 1);
    fleet.ask(ticket(room("r"), 1));
    EXPECT_EQ(fleet.pass(seconds{1}).size(), took == seconds{1} ? 1u : 0u);
    fleet.pass(seconds{1});
    EXPECT_EQ(fleet.place_of("r", 1), 0);
  }
}

TEST(SlowAnswersTest, ABridgeThatSeemsStuckGetsOneAtATime) {
  Fleet fleet = answered_after(seconds{40});
  fleet.ask(ticket(room("r"), 0));
  fleet.ask(ticket(room("r"), 1));
  EXPECT_THAT(fleet.drain(), SizeIs(1));
  EXPECT_THAT(fleet.pass(seconds{10}), IsEmpty());
  EXPECT_EQ(fleet.waits("r", 1), WaitReason::kPace);
  fleet.placement.confirmed(occupant(room("r"), 0), fleet.now());
  EXPECT_THAT(fleet.pass(seconds{1}), SizeIs(1)) << "it answered";
}

TEST(SlowAnswersTest, AFailedBridgeStartsAnew) {
  Fleet fleet = answered_after(seconds{40});
  fleet.fail(0);
  fleet.pass(seconds{60});
  fleet.say(0, 0);
  fleet.ask(ticket(room("r"), 0));
  fleet.pass(seconds{1});
  fleet.ask(ticket(room("r"), 1));
  EXPECT_THAT(fleet.pass(seconds{5}), SizeIs(1)) << "at a fifth of the pace, as after any start";
}

// Bridges that were never measured.

TEST(UnknownBridgeTest, GetsThirtyUnitsAtMostBeforeASampleConfirms) {
  for (const std::int64_t prior : {1'000, 10'000}) {
    PlacementOptions options = unpaced();
    options.unknown_window = Stress(350'000);
    Fleet fleet(options, 1, [&](int, stats::BridgeReport& report) {
      report.average_participant_stress = Stress(prior);
    });
    for (int i = 0; i < 200; ++i) {
      fleet.ask(ticket(room("r" + std::to_string(i / 4)), i));
    }
    fleet.drain();
    const std::int64_t bound = std::min<std::int64_t>(30'000, 350'000 * 1000 / (prior * 13 / 10));
    EXPECT_LE(fleet.view(0).load, bound);
    EXPECT_GE(fleet.view(0).load, bound - 2'500);
    EXPECT_EQ(fleet.waits("r49", 196), WaitReason::kPace) << "it has room";
    const std::int64_t before = fleet.view(0).load;
    fleet.pass(seconds{25});
    fleet.say(0, before * prior / 1000 * 4 / 5);  // Most of it shows: confirms.
    fleet.pass(seconds{1});
    EXPECT_EQ(fleet.view(0).confirmations, 1);
    EXPECT_GT(fleet.view(0).load, before);
  }
}

TEST(UnknownBridgeTest, AMeasuredOneHasNoWindow) {
  PlacementOptions options = unpaced();
  options.unknown_window = Stress(350'000);
  Fleet fleet(options, 1, {}, 5'000);
  for (int i = 0; i < 200; ++i) {
    fleet.ask(ticket(room("r" + std::to_string(i / 4)), i));
  }
  fleet.drain();
  EXPECT_GT(fleet.view(0).load, 60'000);
}

// Load of others.

TEST(ForeignLoadTest, EndpointsBeyondOursCostWhatOursCost) {
  Fleet fleet(unpaced(), 1);
  fleet.restore("r", 0, 10);  // A unit each.
  fleet.report(0).local_endpoints = 25;
  fleet.say(0, 250'000);
  EXPECT_EQ(fleet.view(0).foreign, 15'000);
  EXPECT_EQ(fleet.view(0).load, 25'000);
  EXPECT_GE(fleet.view(0).expected, Stress(250'000));
}

TEST(ForeignLoadTest, WithoutAnyOfOursTheyCostFourFifthsOfAUnit) {
  Fleet fleet(unpaced(), 1);
  fleet.report(0).local_endpoints = 20;
  fleet.say(0, 100'000);
  EXPECT_EQ(fleet.view(0).foreign, 16'000);
}

TEST(ForeignLoadTest, TwoMoreOrLessAreJoinsAndLeavesOnTheirWay) {
  for (const std::uint32_t focuses : {1U, 2U}) {
    PlacementOptions options = unpaced();
    options.focuses = focuses;
    Fleet fleet(options, 1);
    fleet.restore("r", 0, 10);
    fleet.report(0).local_endpoints = 12;
    fleet.say(0, 100'000);
    EXPECT_EQ(fleet.view(0).foreign, focuses == 1 ? 0 : 2'000);
    fleet.report(0).local_endpoints = 13;
    fleet.say(0, 100'001);
    EXPECT_EQ(fleet.view(0).foreign, 3'000);
    fleet.report(0).local_endpoints = 3;
    fleet.say(0, 100'002);
    EXPECT_EQ(fleet.view(0).foreign, 0);
  }
}

TEST(ForeignLoadTest, EndpointsLeftOverFromAMassDropAreNobodys) {
  Fleet fleet(unpaced(), 2);
  fleet.restore("r", 0, 30);
  fleet.placement.mass_drop(fleet.now());
  fleet.report(0).local_endpoints = 30;
  fleet.say(0, 300'000);
  EXPECT_EQ(fleet.view(0).foreign, 0);
  fleet.pass(seconds{60});
  fleet.report(0).local_endpoints = 15;  // They expire within two minutes.
  fleet.say(0, 150'000);
  EXPECT_EQ(fleet.view(0).foreign, 0);
  fleet.pass(seconds{61});
  fleet.say(0, 150'001);
  EXPECT_EQ(fleet.view(0).foreign, 15 * 800);
}

// Several focuses.

TEST(FocusesTest, EachCountsWhatNoReportContainsForAllOfThem) {
  for (const std::uint32_t focuses : {1U, 4U}) {
    PlacementOptions options = unpaced();
    options.focuses = focuses;
    Fleet fleet(options, 1);
    fleet.say(0, 100'000);
    fleet.join("r", 1);
    EXPECT_EQ(fleet.view(0).expected,
              Stress(100'000) + Stress(stress_of(460, Stress(13'000)).millionths() * focuses));
  }
}

TEST(FocusesTest, EachTakesItsShareOfThePace) {
  PlacementOptions options = unpaced();
  options.placement_interval = milliseconds{250};
  options.placement_burst = 1;
  options.focuses = 4;
  Fleet fleet(options, 1);
  fleet.join("r", 1);
  fleet.ask(ticket(room("r"), 1));
  fleet.time += milliseconds{990};
  EXPECT_THAT(fleet.drain(), IsEmpty());
  fleet.time += milliseconds{20};
  EXPECT_THAT(fleet.drain(), SizeIs(1));
}

TEST(FocusesTest, TheLessLoadedOfTwoRandomBridgesInsteadOfTheHeadOfTheOrder) {
  for (const std::uint32_t focuses : {1U, 4U}) {
    PlacementOptions options = unpaced();
    options.focuses = focuses;
    Fleet fleet(options, 10);
    fleet.say_all(300'000);
    fleet.say(7, 0);
    int at_the_head = 0;
    for (int i = 0; i < 4; ++i) {
      at_the_head += fleet.join("r" + std::to_string(i), 1).at(0).bridge == bridge(7) ? 1 : 0;
    }
    EXPECT_EQ(at_the_head == 4, focuses == 1) << at_the_head;
  }
}

TEST(FocusesTest, TheirNumberIsEstimatedFromTheEndpointsOfOthers) {
  for (const int endpoints : {10, 20, 40}) {
    PlacementOptions options = unpaced();
    options.focuses = 0;
    Fleet fleet(options, 1);
    fleet.restore("r", 0, 10);
    fleet.report(0).local_endpoints = endpoints;
    for (int second = 0; second < 40; ++second) {
      fleet.say(0, 300'000);
      fleet.pass(seconds{1});
    }
    const Stress before = fleet.view(0).expected;
    fleet.join("s", 1);
    const std::int64_t one = stress_of(460, fleet.view(0).cost_per_unit).millionths();
    const std::int64_t added = (fleet.view(0).expected - before).millionths();
    EXPECT_NEAR(static_cast<double>(added), static_cast<double>(one * endpoints / 10),
                static_cast<double>(one) / 20)
        << endpoints;
  }
}

TEST(FocusesTest, WithoutEndpointsOthersAreWhatTheSampleShowsBeyondOurs) {
  PlacementOptions options = unpaced();
  options.focuses = 2;
  Fleet fleet(options, 1, {}, 10'000);
  fleet.restore("r", 0, 20);  // 32 units.
  for (int i = 0; i < 40; ++i) {
    fleet.say(0, 620'000 + i % 2);
    fleet.pass(seconds{1});
  }
  EXPECT_NEAR(static_cast<double>(fleet.view(0).foreign), 30'000, 1'000);
  EXPECT_NEAR(static_cast<double>(fleet.view(0).cost_per_unit.millionths()), 10'200, 100)
      << "the cost is not separable from the others, and stays";

  Fleet alone(unpaced(), 1, {}, 10'000);
  alone.restore("r", 0, 20);
  for (int i = 0; i < 40; ++i) {
    alone.say(0, 620'000 + i % 2);
    alone.pass(seconds{1});
  }
  EXPECT_EQ(alone.view(0).foreign, 0) << "nobody else is there";
  EXPECT_GT(alone.view(0).cost_per_unit, Stress(18'000));
}

// What the machine does besides.

TEST(IdleLoadTest, IsNotTakenForTheCostOfParticipants) {
  const auto cost_after = [](std::int64_t idle_stress, bool tells_endpoints) {
    Fleet fleet(unpaced(), 1);
    if (tells_endpoints) {
      fleet.report(0).local_endpoints = 0;
    }
    for (int i = 0; i < 40; ++i) {
      fleet.say(0, idle_stress + i % 2);
      fleet.pass(seconds{1});
    }
    fleet.join("r", 20);  // 32 units.
    fleet.pass(seconds{35});
    fleet.report(0).local_endpoints.reset();
    fleet.say(0, idle_stress + 320'000);
    EXPECT_EQ(fleet.view(0).confirmations, 1);
    return fleet.view(0).cost_per_unit.millionths() * 10 / 13;
  };
  EXPECT_NEAR(static_cast<double>(cost_after(0, true)), 10'000, 100);
  EXPECT_NEAR(static_cast<double>(cost_after(200'000, true)), 10'000, 100);
  EXPECT_NEAR(static_cast<double>(cost_after(200'000, false)), 16'250, 100)
      << "it may not have been idle";
}

// The process was stopped.

Fleet that_may_pause() {
  PlacementOptions options = unpaced();
  options.pause_max = seconds{5};
  return Fleet(options, 3);
}

TEST(PauseTest, NothingAgesWhileTheProcessIsStopped) {
  Fleet fleet = that_may_pause();
  fleet.restore("r", 0, 5);
  fleet.fail(0);
  fleet.say_all(10'000);
  const auto quarantine = fleet.view(0).quarantined_until;
  fleet.time += minutes{5};
  fleet.drain();
  EXPECT_EQ(fleet.placement.counters().pauses, 1u);
  EXPECT_LE(fleet.view(1).report_age, seconds{1});
  EXPECT_EQ(fleet.view(1).state, BridgeState::kFresh);
  EXPECT_EQ(fleet.view(0).quarantined_until, *quarantine + minutes{5} - seconds{1});
  EXPECT_EQ(fleet.placement.mode(), Mode::kNormal);
  EXPECT_GT(fleet.view(1).reserved + fleet.view(2).reserved, Stress()) << "the plan holds still";
  ASSERT_TRUE(fleet.placement.next_deadline().has_value());
  EXPECT_LE(*fleet.placement.next_deadline(), fleet.now().mono + seconds{1});
  EXPECT_GE(*fleet.placement.next_deadline(), fleet.now().mono);
  fleet.placement.check_invariants();
}

TEST(PauseTest, SamplesTeachNothingForTwentySecondsAfterwards) {
  Fleet fleet = that_may_pause();
  fleet.restore("r", 0, 20);
  fleet.time += minutes{5};
  fleet.drain();
  fleet.say(0, 320'000);
  EXPECT_EQ(fleet.view(0).confirmations, 0);
  fleet.pass(seconds{20});
  fleet.say(0, 320'001);
  EXPECT_EQ(fleet.view(0).confirmations, 1);
}

TEST(PauseTest, WithoutTheGuardEverythingAges) {
  PlacementOptions options = unpaced();
  options.pause_max = Duration::zero();
  Fleet fleet(options, 3);
  fleet.time += minutes{5};
  fleet.drain();
  EXPECT_EQ(fleet.placement.counters().pauses, 0u);
  EXPECT_EQ(fleet.view(1).state, BridgeState::kStale);
  EXPECT_EQ(fleet.placement.mode(), Mode::kBlind);
}

}  // namespace
}  // namespace bascule::focus
