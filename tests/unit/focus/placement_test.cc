#include "focus/placement.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/prng.h"
#include "tests/unit/focus/placement_fixture.h"

namespace bascule::focus {
namespace {

using std::chrono::milliseconds, std::chrono::seconds;
constexpr Duration kReady = seconds{30};  // What `settled` returns.

void enqueue(Placement& placement, const Ticket& wanted, Duration when = kReady) {
  const auto result = placement.enqueue(wanted, at(when));
  ASSERT_TRUE(result.has_value()) << result.error().what;
}

TEST(PlacementTest, AConferenceStaysOnOneBridge) {
  Placement placement(unpaced(), 1);
  settled(placement, 5);
  for (int i = 0; i < 20; ++i) {
    enqueue(placement, ticket(room("r"), i));
  }
  const auto decisions = drained(placement, at(kReady));
  ASSERT_EQ(decisions.size(), 20u);
  EXPECT_EQ(decisions.front().reason, PlacementReason::kNew);
  EXPECT_EQ(decisions.front().candidates, 5u);
  for (const Decision& decision : decisions) {
    EXPECT_EQ(decision.bridge, placement.bridge_of(room("r")));
    EXPECT_EQ(decision.ticket.generation, 1u);
  }
  EXPECT_EQ(decisions.back().reason, PlacementReason::kJoin);
  EXPECT_EQ(placement.conferences_on(decisions.front().bridge), std::vector{room("r")});
  EXPECT_EQ(placement.bridge(decisions.front().bridge, at(kReady))->in_flight, 20u);
  placement.check_invariants();
}

TEST(PlacementTest, NewConferencesSpreadOverTheLeastLoaded) {
  Placement placement(unpaced(), 1);
  settled(placement, 4);
  placement.report(report_of(bridge(0), 300'000, 2), at(kReady));
  for (int i = 0; i < 9; ++i) {
    enqueue(placement, ticket(room("r" + std::to_string(i)), 0));
  }
  std::map<BridgeJid, int> count;
  for (const Decision& decision : drained(placement, at(kReady))) {
    ++count[decision.bridge];
  }
  EXPECT_EQ(count[bridge(0)], 0);
  for (int i = 1; i < 4; ++i) {
    EXPECT_EQ(count[bridge(i)], 3) << i;
  }
}

TEST(PlacementTest, EveryBridgeIsPaced) {
  PlacementOptions options = unpaced();
  options.placement_interval = milliseconds{50};
  options.placement_burst = 20;
  Placement placement(options, 1);
  settled(placement, 1);
  for (int i = 0; i < 60; ++i) {
    enqueue(placement, ticket(room("r" + std::to_string(i / 2)), i));
  }
  std::size_t placed = drained(placement, at(kReady)).size();
  EXPECT_EQ(placed, 20u);
  EXPECT_EQ(placement.waiting_for(occupant(room("r29"), 58)), WaitReason::kPace);
  Duration t = kReady;
  while (placement.queued() > 0) {
    const Instant due = placement.next_deadline().value();
    ASSERT_GT(due, at(t).mono);
    t += due - at(t).mono;
    placed += drained(placement, at(t)).size();
    ASSERT_LE(placed, 20u + static_cast<std::size_t>((t - kReady) / milliseconds{50}));
  }
  EXPECT_EQ(placed, 60u);
  EXPECT_LE(t - kReady, milliseconds{2'100});
}

TEST(PlacementTest, AnswersMakeRoomForMoreRequests) {
  PlacementOptions options = unpaced();
  options.max_in_flight = 3;
  Placement placement(options, 1);
  settled(placement, 1);
  for (int i = 0; i < 5; ++i) {
    enqueue(placement, ticket(room("r"), i));
  }
  const auto first = drained(placement, at(kReady));
  ASSERT_EQ(first.size(), 3u);
  EXPECT_TRUE(drained(placement, at(kReady + milliseconds{100})).empty());
  placement.confirmed(first[0].ticket.participant, at(kReady + milliseconds{110}));
  placement.confirmed(first[0].ticket.participant, at(kReady + milliseconds{110}));  // Stale.
  placement.left(first[1].ticket.participant, at(kReady + milliseconds{110}));
  EXPECT_EQ(drained(placement, at(kReady + milliseconds{120})).size(), 2u);
  EXPECT_EQ(placement.counters().confirmed, 1u);
  placement.check_invariants();
}

TEST(PlacementTest, LimitsAreLowerUntilTheBridgesHaveSettled) {
  Placement placement(unpaced(), 1);
  enqueue(placement, ticket(room("r"), 0), seconds{0});
  EXPECT_EQ(placement.waiting_for(occupant(room("r"), 0)), WaitReason::kServiceDown);
  placement.service_up(at(seconds{1}));
  EXPECT_EQ(placement.mode(), Mode::kSettling);
  EXPECT_EQ(placement.overload(at(seconds{1})), Overload::kSettling);
  EXPECT_TRUE(drained(placement, at(seconds{1})).empty());
  EXPECT_EQ(placement.waiting_for(occupant(room("r"), 0)), WaitReason::kSettling);
  for (int i = 0; i < 4; ++i) {  // They trickle in, busy already.
    placement.report(report_of(bridge(i), 680'000, 1), at(seconds{3 + 3 * i}));
    EXPECT_TRUE(drained(placement, at(seconds{3 + 3 * i})).empty()) << "0.68 is full meanwhile";
  }
  EXPECT_EQ(placement.overload(at(seconds{12})), Overload::kNone);
  EXPECT_TRUE(drained(placement, at(milliseconds{16'900})).empty());
  EXPECT_TRUE(placement.settling());
  EXPECT_EQ(drained(placement, at(seconds{17})).size(), 1u);  // Five quiet seconds are over.
  EXPECT_EQ(placement.mode(), Mode::kNormal);
}

TEST(PlacementTest, AnIdleBridgeThatIsBackServesWhileOthersAreAwaited) {
  Placement placement(unpaced(), 1);
  placement.service_up(at(seconds{1}));
  placement.report(report_of(bridge(0), 0, 1), at(seconds{2}));
  enqueue(placement, ticket(room("r"), 0), seconds{2});
  const auto decisions = drained(placement, at(seconds{2}));
  ASSERT_EQ(decisions.size(), 1u);
  EXPECT_LT(decisions[0].limit, PlacementOptions{}.limit_new);
}

TEST(PlacementTest, BridgesSeenBeforeTheRoomLetUsInCountAsArrived) {
  Placement placement(unpaced(), 1);
  settled(placement, 1);
  placement.service_down(at(seconds{40}));
  placement.report(report_of(bridge(0), 0, 2), at(seconds{50}));
  placement.service_up(at(seconds{51}));
  drained(placement, at(seconds{51}));
  EXPECT_FALSE(placement.settling()) << "the only bridge from before is back";
}

TEST(PlacementTest, SettlingEndsWhenNearlyEveryBridgeFromBeforeIsBackOrTheTimeIsOver) {
  Placement placement(unpaced(), 1);
  settled(placement, 5);
  placement.service_down(at(seconds{40}));
  for (const BridgeView& view : placement.bridges(at(seconds{40}))) {
    EXPECT_FALSE(view.present);
    EXPECT_EQ(view.state, BridgeState::kStale);
  }
  placement.service_up(at(seconds{50}));
  for (int i = 0; i < 4; ++i) {
    EXPECT_TRUE(placement.settling());
    placement.report(report_of(bridge(i), 0, 2), at(seconds{51}));
  }
  drained(placement, at(seconds{51}));
  EXPECT_TRUE(placement.settling()) << "the fifth may follow at once";
  drained(placement, at(milliseconds{51'600}));
  EXPECT_FALSE(placement.settling()) << "four of five are four fifths";

  placement.service_down(at(seconds{60}));
  placement.service_up(at(seconds{61}));
  drained(placement, at(milliseconds{80'999}));
  EXPECT_TRUE(placement.settling());
  drained(placement, at(seconds{81}));
  EXPECT_FALSE(placement.settling());
}

TEST(PlacementTest, TheFirstFilterThatLeavesNobodyIsNamed) {
  Placement placement(unpaced(), 1);
  settled(placement, 2);
  enqueue(placement, ticket(room("r"), 0));
  const auto reason_at = [&](Duration t) {
    EXPECT_TRUE(drained(placement, at(t)).empty());
    return placement.waiting_for(occupant(room("r"), 0));
  };
  placement.set_cordoned(bridge(0), true, at(kReady));
  auto draining = report_of(bridge(1), 0, 3);
  draining.drain = true;
  placement.report(draining, at(kReady));
  EXPECT_EQ(reason_at(kReady + seconds{1}), WaitReason::kAllDraining);
  placement.set_suspect(bridge(0), true, at(kReady));
  auto unhealthy = report_of(bridge(1), 0, 4);
  unhealthy.healthy = false;
  placement.report(unhealthy, at(kReady + seconds{1}));
  EXPECT_EQ(reason_at(kReady + seconds{2}), WaitReason::kAllFailed);
  placement.bridge_left(bridge(0), at(kReady + seconds{2}));
  placement.bridge_left(bridge(1), at(kReady + seconds{2}));
  EXPECT_EQ(reason_at(kReady + seconds{3}), WaitReason::kNoBridge);
  auto full = report_of(bridge(1), 980'000, 5);
  full.healthy = true;
  full.drain = false;
  placement.report(full, at(kReady + seconds{3}));
  EXPECT_EQ(reason_at(kReady + seconds{4}), WaitReason::kCapacity);
  placement.set_suspect(bridge(0), false, at(kReady + seconds{4}));
  placement.set_cordoned(bridge(0), false, at(kReady + seconds{4}));
  placement.report(report_of(bridge(0), 0, 6), at(kReady + seconds{4}));
  EXPECT_EQ(drained(placement, at(kReady + seconds{5})).size(), 1u);
}

TEST(PlacementTest, ADrainingBridgeKeepsItsConferencesAndGetsNoNewOnes) {
  Placement placement(unpaced(), 1);
  settled(placement, 2);
  enqueue(placement, ticket(room("old"), 0));
  const BridgeJid home = drained(placement, at(kReady)).at(0).bridge;
  auto draining = report_of(home, 0, 2);
  draining.drain = true;
  placement.report(draining, at(kReady));
  enqueue(placement, ticket(room("old"), 1));
  for (int i = 0; i < 10; ++i) {
    enqueue(placement, ticket(room("new" + std::to_string(i)), 0));
  }
  for (const Decision& decision : drained(placement, at(kReady))) {
    EXPECT_EQ(decision.bridge == home, decision.ticket.room == room("old"));
  }
  EXPECT_EQ(placement.queued(), 0u);
}

TEST(PlacementTest, AMoveTakesTheWholeConferenceToOneOtherBridge) {
  Placement placement(unpaced(), 1);
  settled(placement, 4);
  for (int i = 0; i < 6; ++i) {
    enqueue(placement, ticket(room("r"), i));
  }
  const BridgeJid before = drained(placement, at(kReady)).at(0).bridge;
  placement.set_cordoned(before, true, at(kReady));
  for (int i = 0; i < 6; ++i) {
    enqueue(placement, ticket(room("r"), i, TicketKind::kMove, 2), kReady + seconds{1});
  }
  placement.check_invariants();
  EXPECT_EQ(placement.bridge(before, at(kReady))->participants, 6u);
  const auto moves = drained(placement, at(kReady + seconds{1}));
  ASSERT_EQ(moves.size(), 6u);
  EXPECT_NE(moves[0].bridge, before);
  for (const Decision& move : moves) {
    EXPECT_EQ(move.bridge, moves[0].bridge);
  }
  EXPECT_EQ(placement.bridge(before, at(kReady))->participants, 0u);
  EXPECT_EQ(placement.bridge(before, at(kReady))->in_flight, 0u);
  EXPECT_TRUE(placement.conferences_on(before).empty());
  placement.check_invariants();
}

TEST(PlacementTest, ThePreferredRegionIsUsedWhileItHasRoom) {
  Placement placement(unpaced(), 1);
  settled(placement, 4);
  auto local = report_of(bridge(3), 500'000, 2);
  local.region = "eu";
  placement.report(local, at(kReady));
  Ticket wanted = ticket(room("r"), 0);
  wanted.region = "eu";
  enqueue(placement, wanted);
  EXPECT_EQ(drained(placement, at(kReady)).at(0).bridge, bridge(3));
  placement.report(report_of(bridge(3), 840'000, 3), at(kReady + seconds{5}));
  wanted = ticket(room("r2"), 0);
  wanted.region = "eu";
  enqueue(placement, wanted, kReady + seconds{5});
  EXPECT_NE(drained(placement, at(kReady + seconds{5})).at(0).bridge, bridge(3));
}

TEST(PlacementTest, ADeadBridgesConferencesArePlannedAsWholes) {
  Placement placement(unpaced(), 1);
  settled(placement, 5);
  for (int i = 0; i < 100; ++i) {
    enqueue(placement, ticket(room("r" + std::to_string(i / 5)), i));
  }
  drained(placement, at(kReady));
  const auto dead = bridge(2);
  const auto expected = placement.conferences_on(dead);
  auto rooms = placement.bridge_failed(dead, FailureCause::kLeft, at(kReady + seconds{1}));
  EXPECT_EQ(rooms.size(), expected.size());
  EXPECT_EQ(std::set(rooms.begin(), rooms.end()), std::set(expected.begin(), expected.end()));
  EXPECT_EQ(placement.counters().plans, rooms.size());
  EXPECT_EQ(placement.bridge(dead, at(kReady))->participants, 0u);
  EXPECT_EQ(placement.bridge(dead, at(kReady))->state, BridgeState::kFailed);
  placement.check_invariants();
  for (const RoomJid& lost : rooms) {
    for (int i = 0; i < 100; ++i) {
      if (room("r" + std::to_string(i / 5)) == lost) {
        EXPECT_FALSE(placement.bridge_of(occupant(lost, i)).has_value());
        enqueue(placement, ticket(lost, i, TicketKind::kReinvite, 2), kReady + seconds{1});
      }
    }
  }
  std::map<RoomJid, std::set<BridgeJid>> homes;
  for (const Decision& decision : drained(placement, at(kReady + seconds{1}))) {
    homes[decision.ticket.room].insert(decision.bridge);
    EXPECT_NE(decision.bridge, dead);
  }
  EXPECT_EQ(homes.size(), rooms.size());
  for (const auto& [moved, bridges] : homes) {
    EXPECT_EQ(bridges.size(), 1u);
  }
  EXPECT_EQ(placement.counters().placed[static_cast<std::size_t>(PlacementReason::kPlan)],
            rooms.size());
  EXPECT_EQ(placement.queued(), 0u);
  placement.check_invariants();
}

TEST(PlacementTest, ALargeConferenceIsNotSplitWhenOnlyPartsOfItWouldFit) {
  Placement placement(unpaced(), 1);
  settled(placement, 3);
  for (int i = 0; i < 30; ++i) {  // 48 units, 0.62 with margin.
    enqueue(placement, ticket(room("big"), i));
  }
  const BridgeJid home = drained(placement, at(kReady)).at(0).bridge;
  for (int i = 0; i < 3; ++i) {
    placement.report(report_of(bridge(i), 500'000, 2), at(kReady + seconds{1}));
  }
  placement.bridge_failed(home, FailureCause::kLeft, at(kReady + seconds{2}));
  EXPECT_EQ(placement.counters().plans_without_room, 1u);
  for (int i = 0; i < 30; ++i) {
    enqueue(placement, ticket(room("big"), i, TicketKind::kReinvite, 2), kReady + seconds{2});
  }
  EXPECT_TRUE(drained(placement, at(kReady + seconds{2})).empty());
  EXPECT_EQ(placement.waiting_for(occupant(room("big"), 0)), WaitReason::kCapacity);
  for (int i = 0; i < 3; ++i) {  // Others leave: now it fits as a whole.
    placement.report(report_of(bridge(i), 100'000, 3), at(kReady + seconds{7}));
  }
  std::set<BridgeJid> homes;
  for (const Decision& decision : drained(placement, at(kReady + seconds{7}))) {
    homes.insert(decision.bridge);
  }
  EXPECT_EQ(homes.size(), 1u);
  EXPECT_EQ(placement.queued(), 0u);
}

TEST(PlacementTest, AFlappingBridgeIsLeftAloneForTenMinutes) {
  Placement placement(unpaced(), 1);
  settled(placement, 1);
  Duration t = kReady;
  std::int64_t sequence = 10;
  const std::vector<Duration> quarantines = {seconds{30}, seconds{60}, seconds{600}};
  for (std::size_t n = 0; n < quarantines.size(); ++n) {
    placement.bridge_failed(bridge(0), FailureCause::kLeft, at(t));
    placement.report(report_of(bridge(0), 0, ++sequence), at(t + seconds{3}));
    EXPECT_EQ(placement.bridge(bridge(0), at(t))->quarantined_until, at(t + quarantines[n]).mono);
    enqueue(placement, ticket(room("r" + std::to_string(n)), 0), t + seconds{3});
    EXPECT_TRUE(drained(placement, at(t + quarantines[n] - seconds{1})).empty());
    EXPECT_EQ(placement.waiting_for(occupant(room("r" + std::to_string(n)), 0)),
              WaitReason::kAllFailed);
    t += quarantines[n];
    placement.report(report_of(bridge(0), 0, ++sequence), at(t));
    EXPECT_EQ(drained(placement, at(t)).size(), 1u) << n;
    t += seconds{1};
  }
  EXPECT_EQ(placement.counters().bridge_failures[0], 3u);
}

TEST(PlacementTest, AnAnnouncedExitIsNotAFailure) {
  Placement placement(unpaced(), 1);
  settled(placement, 1);
  placement.bridge_failed(bridge(0), FailureCause::kShutDown, at(kReady));
  EXPECT_FALSE(placement.bridge(bridge(0), at(kReady))->quarantined_until.has_value());
  EXPECT_FALSE(placement.bridge(bridge(0), at(kReady))->present);
}

TEST(PlacementTest, CountersThatStartAgainProveARestart) {
  Placement placement(unpaced(), 1);
  settled(placement, 1);
  auto report = report_of(bridge(0), 10'000, 2);
  report.total_participants = 500;
  report.graceful_shutdown = true;
  EXPECT_TRUE(placement.report(report, at(kReady)).empty());
  EXPECT_TRUE(placement.bridge(bridge(0), at(kReady))->graceful_shutdown);
  report = report_of(bridge(0), 0, 3);
  report.total_participants = 0;
  EXPECT_TRUE(placement.report(report, at(kReady + seconds{1})).empty());
  // Idle: no failure; and the announcement of the old process is forgotten.
  EXPECT_FALSE(placement.bridge(bridge(0), at(kReady))->graceful_shutdown);
  EXPECT_FALSE(placement.bridge(bridge(0), at(kReady))->quarantined_until.has_value());

  enqueue(placement, ticket(room("r"), 0), kReady + seconds{2});
  ASSERT_EQ(drained(placement, at(kReady + seconds{2})).size(), 1u);
  report = report_of(bridge(0), 0, 4);
  report.total_participants = 1;
  placement.report(report, at(kReady + seconds{6}));
  report = report_of(bridge(0), 0, 5);
  report.total_participants = 0;
  EXPECT_EQ(placement.report(report, at(kReady + seconds{11})), std::vector{room("r")});
  EXPECT_EQ(placement.bridge(bridge(0), at(kReady))->participants, 0u);
  EXPECT_TRUE(placement.bridge(bridge(0), at(kReady + seconds{11}))->quarantined_until);
  EXPECT_TRUE(placement.bridge(bridge(0), at(kReady + seconds{11}))->present);
  placement.check_invariants();
}

TEST(PlacementTest, ABridgeThatRestartedIdleIsUsedAtOnce) {
  Placement placement(unpaced(), 1);
  settled(placement, 1);
  auto report = report_of(bridge(0), 0, 2);
  report.total_participants = 500;
  placement.report(report, at(kReady));
  report = report_of(bridge(0), 1, 3);
  report.total_participants = 0;
  placement.report(report, at(kReady + seconds{1}));
  enqueue(placement, ticket(room("r"), 0), kReady + seconds{1});
  EXPECT_EQ(drained(placement, at(kReady + seconds{1})).size(), 1u);
}

TEST(PlacementTest, ADeathUnderLoadCostsCapacityForAWhile) {
  Placement placement(unpaced(), 1);
  settled(placement, 1);
  placement.report(report_of(bridge(0), 970'000, 2), at(kReady));
  placement.bridge_failed(bridge(0), FailureCause::kTimeout, at(kReady));
  EXPECT_EQ(placement.bridge(bridge(0), at(kReady))->capacity, Stress(850'000));
  EXPECT_EQ(placement.bridge(bridge(0), at(kReady + seconds{600}))->capacity, Stress(900'000));
  EXPECT_EQ(placement.bridge(bridge(0), at(kReady + seconds{1'800}))->capacity, Stress::full());
}

TEST(PlacementTest, AFailedAllocationGoesElsewhereAndToTheFront) {
  Placement placement(unpaced(), 1);
  settled(placement, 2);
  enqueue(placement, ticket(room("r"), 0));
  const auto first = drained(placement, at(kReady)).at(0);
  placement.allocation_failed(first.ticket.participant, at(kReady + seconds{1}));
  EXPECT_EQ(placement.bridge(first.bridge, at(kReady))->participants, 0u);
  enqueue(placement, ticket(room("r"), 1), kReady + seconds{1});
  enqueue(placement, ticket(room("r"), 0, TicketKind::kJoin, 2), kReady + seconds{1});
  const auto again = drained(placement, at(kReady + seconds{1}));
  ASSERT_EQ(again.size(), 2u);
  EXPECT_EQ(again[0].ticket.participant, first.ticket.participant);
  EXPECT_NE(again[0].bridge, first.bridge);
  placement.check_invariants();
}

TEST(PlacementTest, ARoomThatFailsRepeatedlyHasToWait) {
  Placement placement(unpaced(), 1);
  settled(placement, 3);
  Duration t = kReady;
  std::uint32_t generation = 0;
  const std::vector<Duration> waits = {seconds{0},  seconds{0},  seconds{5}, seconds{10},
                                       seconds{20}, seconds{40}, seconds{60}};
  for (const Duration wait : waits) {
    enqueue(placement, ticket(room("r"), 0, TicketKind::kJoin, ++generation), t);
    ASSERT_EQ(drained(placement, at(t)).size(), 1u);
    t += milliseconds{10};
    placement.allocation_failed(occupant(room("r"), 0), at(t));
    if (wait > Duration::zero()) {
      enqueue(placement, ticket(room("r"), 0, TicketKind::kJoin, ++generation), t);
      EXPECT_TRUE(drained(placement, at(t + wait - seconds{1})).empty());
      EXPECT_EQ(placement.waiting_for(occupant(room("r"), 0)), WaitReason::kRetryWait);
      placement.cancel(occupant(room("r"), 0), generation);
      t += wait;
    }
    placement.check_invariants();
  }
}

TEST(PlacementTest, ManyFailuresOfOneMomentCountOnce) {
  Placement placement(unpaced(), 1);
  settled(placement, 2);
  for (int i = 0; i < 10; ++i) {
    enqueue(placement, ticket(room("r"), i));
  }
  drained(placement, at(kReady));
  for (int i = 0; i < 10; ++i) {
    placement.allocation_failed(occupant(room("r"), i), at(kReady + milliseconds{100 + i}));
    enqueue(placement, ticket(room("r"), i, TicketKind::kReinvite, 2),
            kReady + milliseconds{100 + i});
  }
  EXPECT_EQ(drained(placement, at(kReady + milliseconds{200})).size(), 10u);
}

TEST(PlacementTest, AStaleGenerationIsNeverPlaced) {
  Placement placement(unpaced(), 1);
  settled(placement, 2);
  enqueue(placement, ticket(room("r"), 0, TicketKind::kJoin, 3));
  EXPECT_EQ(placement.enqueue(ticket(room("r"), 0, TicketKind::kJoin, 3), at(kReady)).error().code,
            Errc::kConflict);
  enqueue(placement, ticket(room("r"), 0, TicketKind::kJoin, 4));
  placement.cancel(occupant(room("r"), 0), 3);  // Of the replaced one: nothing happens.
  const auto decisions = drained(placement, at(kReady));
  ASSERT_EQ(decisions.size(), 1u);
  EXPECT_EQ(decisions[0].ticket.generation, 4u);
  EXPECT_EQ(placement.enqueue(ticket(room("r"), 0, TicketKind::kJoin, 4), at(kReady)).error().code,
            Errc::kConflict);
  enqueue(placement, ticket(room("r"), 1));
  placement.left(occupant(room("r"), 1), at(kReady));
  placement.left(occupant(room("r"), 0), at(kReady));
  EXPECT_TRUE(drained(placement, at(kReady + seconds{1})).empty());
  EXPECT_EQ(placement.queued(), 0u);
  EXPECT_EQ(placement.bridge_of(room("r")), std::nullopt);
  EXPECT_EQ(placement.bridge(bridge(0), at(kReady))->reserved, Stress());
  placement.check_invariants();
}

TEST(PlacementTest, TheQueueIsBoundedAndSaysSo) {
  PlacementOptions options = unpaced();
  options.max_tickets = 10;
  Placement placement(options, 1);
  for (int i = 0; i < 10; ++i) {
    enqueue(placement, ticket(room("r"), i));
  }
  EXPECT_EQ(placement.enqueue(ticket(room("r"), 10), at(kReady)).error().code, Errc::kUnavailable);
  EXPECT_EQ(placement.counters().tickets_refused, 1u);
  EXPECT_EQ(placement.enqueue(ticket(room("other"), 0), at(kReady)).error().code,
            Errc::kUnavailable);
  Ticket wrong = ticket(room("r"), 11);
  wrong.room = room("other");
  EXPECT_EQ(placement.enqueue(wrong, at(kReady)).error().code, Errc::kInvalidArgument);
  placement.check_invariants();
}

TEST(PlacementTest, RestoredParticipantsCountAndTheirBridgeIsAwaited) {
  Placement placement(unpaced(), 1);
  for (int i = 0; i < 20; ++i) {
    placement.restore_participant(room("r"), occupant(room("r"), i), bridge(0), at(seconds{0}));
  }
  placement.check_invariants();
  EXPECT_EQ(placement.bridge_of(room("r")), bridge(0));
  settled(placement, 0);
  enqueue(placement, ticket(room("r"), 20));
  EXPECT_TRUE(drained(placement, at(kReady)).empty());
  EXPECT_EQ(placement.waiting_for(occupant(room("r"), 20)), WaitReason::kBridgeAbsent);
  placement.report(report_of(bridge(0), 300'000, 1), at(kReady + seconds{1}));
  const auto decisions = drained(placement, at(kReady + seconds{1}));
  ASSERT_EQ(decisions.size(), 1u);
  // What it reports, and the newcomer with margin.
  EXPECT_GE(decisions[0].expected, Stress(315'000));
  EXPECT_EQ(placement.bridge(bridge(0), at(kReady))->participants, 21u);
  placement.check_invariants();
}

TEST(PlacementTest, WallClockAndOffsetChangeNothing) {
  const auto run = [](Duration offset, WallTime wall) {
    Placement placement(PlacementOptions{}, 5);
    std::vector<std::pair<std::string, Duration>> log;
    const auto when = [&](Duration t) { return Now{at(t + offset).mono, wall}; };
    placement.service_up(when(seconds{0}));
    for (int i = 0; i < 4; ++i) {
      placement.report(report_of(bridge(i), 50'000 * i, 1), when(seconds{1}));
    }
    for (int i = 0; i < 200; ++i) {
      EXPECT_TRUE(placement.enqueue(ticket(room("r" + std::to_string(i / 4)), i), when(seconds{2}))
                      .has_value());
    }
    for (Duration t = seconds{2}; t < seconds{20}; t += milliseconds{10}) {
      std::vector<Decision> decisions;
      std::vector<Move> moves;
      placement.drain(when(t), decisions, moves);
      for (const Decision& decision : decisions) {
        log.emplace_back(decision.bridge.to_string(), t);
        placement.confirmed(decision.ticket.participant, when(t));
      }
    }
    return log;
  };
  const auto reference = run(Duration::zero(), WallTime{});
  EXPECT_GT(reference.size(), 50u);
  EXPECT_EQ(reference, run(std::chrono::hours{10'000}, WallTime{std::chrono::hours{-5}}));
}

// Goal: bookkeeping survives any order of events. Method: random histories over every call, with
// all derived figures recomputed after each, and no bridge above its limit right after a decision.
TEST(PlacementTest, InvariantsHoldForRandomHistories) {
  for (std::uint64_t seed = 0; seed < 25; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Prng prng(seed);
    PlacementOptions options;
    options.max_tickets = 60;
    options.max_bridges = 5;
    Placement placement(options, seed);
    Duration t = seconds{1};
    std::uint32_t generation = 1;
    placement.service_up(at(t));
    for (int step = 0; step < 1'500; ++step) {
      t += Duration(static_cast<std::int64_t>(prng.below(400'000)));
      const RoomJid where = room("r" + std::to_string(prng.below(6)));
      const OccupantJid who = occupant(where, static_cast<int>(prng.below(15)));
      const BridgeJid which = bridge(static_cast<int>(prng.below(6)));
      const auto roll = prng.below(100);
      if (roll < 35) {
        Ticket wanted = ticket(where, 0, static_cast<TicketKind>(prng.below(3)), ++generation);
        wanted.participant = who;
        wanted.avoid = {which};
        static_cast<void>(placement.enqueue(wanted, at(t)));
      } else if (roll < 50) {
        auto report = report_of(which, static_cast<std::int64_t>(prng.below(900'000)), step);
        report.total_participants = static_cast<std::int64_t>(prng.below(40) == 0 ? 0 : step);
        report.local_endpoints = static_cast<std::int64_t>(prng.below(30));
        report.shutting_down = prng.below(100) == 0;
        placement.report(report, at(t));
      } else if (roll < 60) {
        placement.confirmed(who, at(t));
      } else if (roll < 66) {
        placement.allocation_failed(who, at(t));
      } else if (roll < 76) {
        placement.left(who, at(t));
      } else if (roll < 78) {
        placement.conference_ended(where, at(t));
      } else if (roll < 80) {
        placement.bridge_left(which, at(t));
      } else if (roll < 81) {
        placement.bridge_failed(which, static_cast<FailureCause>(prng.below(6)), at(t));
      } else if (roll < 82) {
        placement.service_down(at(t));
        placement.service_up(at(t));
      } else if (roll < 84) {
        placement.restore_participant(where, who, which, at(t));
      } else if (roll < 86) {
        placement.cancel(who, generation);
      }
      for (const Decision& decision : drained(placement, at(t))) {
        EXPECT_LE(decision.expected, options.limit_single_join + Stress(10));
      }
      placement.check_invariants();
      if (placement.queued() > 0 && placement.next_deadline()) {
        EXPECT_LE(*placement.next_deadline(), at(t + options.settle_max).mono);
      }
      static_cast<void>(placement.overload(at(t)));
    }
    std::uint64_t placed = 0;
    for (const std::uint64_t count : placement.counters().placed) {
      placed += count;
    }
    EXPECT_GT(placed, 50u);
  }
}

}  // namespace
}  // namespace bascule::focus
