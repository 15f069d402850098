// Why is this participant on that bridge? Why does it wait?

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/focus/fleet.h"

namespace bascule::focus {
namespace {

using std::chrono::seconds;
using testing::Each, testing::IsEmpty, testing::SizeIs;

DecisionRecord latest(const Fleet& fleet, const std::string& name) {
  const auto records = fleet.placement.explain(room(name), 1);
  return records.empty() ? DecisionRecord{} : records.front();
}

TEST(ExplainTest, APlacementTellsTicketReasonLimitAndFigures) {
  Fleet fleet(unpaced(), 3);
  fleet.say(0, 200'000);
  fleet.say(1, 100'000);
  fleet.say(2, 300'000);
  fleet.pass(seconds{2});
  Ticket wanted = ticket(room("r"), 7);
  wanted.region = "eu";
  const Decision decision = fleet.join(wanted).at(0);
  const DecisionRecord record = latest(fleet, "r");
  EXPECT_EQ(record.ticket, wanted);
  EXPECT_EQ(record.ticket_class, TicketClass::kFirst);
  EXPECT_EQ(record.reason, PlacementReason::kNew);
  EXPECT_FALSE(record.wait.has_value());
  EXPECT_EQ(record.bridge, bridge(1));
  EXPECT_EQ(record.limit, decision.limit);
  EXPECT_EQ(record.limit, Stress(750'000));
  EXPECT_EQ(record.at, fleet.now().mono);
  EXPECT_EQ(record.waited, Duration::zero());
  EXPECT_EQ(record.people, 0);
  EXPECT_EQ(record.open_bridges, 3u);
  EXPECT_GE(record.looked_at, 1u);
  EXPECT_FALSE(record.settling);
  EXPECT_FALSE(record.fleet_full);

  ASSERT_THAT(record.figures, SizeIs(3));
  const CandidateFigures& chosen = record.figures[0];
  EXPECT_EQ(chosen.bridge, bridge(1)) << "the chosen one comes first";
  EXPECT_EQ(chosen.reported, Stress(100'000));
  EXPECT_EQ(chosen.expected, Stress(100'000)) << "before this placement";
  EXPECT_EQ(chosen.report_age, seconds{2});
  EXPECT_EQ(chosen.reserved, Stress());
  EXPECT_EQ(chosen.cost_per_unit, Stress(13'000));
  EXPECT_EQ(chosen.capacity, Stress::full());
  EXPECT_EQ(chosen.load, 0);
  EXPECT_EQ(chosen.in_flight, 0u);
  EXPECT_GT(chosen.tokens, 0u);
  EXPECT_TRUE(chosen.fits);
  EXPECT_EQ(record.figures[1].bridge, bridge(0));
  EXPECT_EQ(record.figures[2].bridge, bridge(2));
}

TEST(ExplainTest, TheNextJoinTellsWhatTheFirstOneAdded) {
  Fleet fleet(unpaced(), 1);
  fleet.ask(ticket(room("r"), 0));
  fleet.drain();
  fleet.join("r", 1, 1);
  const DecisionRecord record = latest(fleet, "r");
  EXPECT_EQ(record.reason, PlacementReason::kJoin);
  EXPECT_EQ(record.ticket_class, TicketClass::kJoinsLive);
  EXPECT_EQ(record.limit, Stress(940'000));
  EXPECT_EQ(record.people, 1);
  EXPECT_EQ(record.figures.at(0).load, 460);
  EXPECT_EQ(record.figures.at(0).unaccounted, 460);
  EXPECT_EQ(record.figures.at(0).expected, Stress(5'980));
  EXPECT_EQ(record.figures.at(0).in_flight, 1u);
}

TEST(ExplainTest, TheChosenAndTheLeastLoadedBridgesAreToldAndWhichOfThemFit) {
  Fleet fleet(unpaced(), 9);
  for (int i = 0; i < 9; ++i) {
    fleet.say(i, i < 2 ? 100'000 * (i + 1) : 760'000 + i * 10'000);
  }
  fleet.restore("r", 8, 1);
  fleet.join("r", 1, 1);
  const DecisionRecord record = latest(fleet, "r");
  ASSERT_THAT(record.figures, SizeIs(kFiguresMax));
  std::vector<BridgeJid> told;
  for (const CandidateFigures& figures : record.figures) {
    told.push_back(figures.bridge);
  }
  EXPECT_EQ(told, (std::vector{bridge(8), bridge(0), bridge(1)}));
  fleet.join("new", 1);
  std::vector<bool> fits;
  for (const CandidateFigures& figures : latest(fleet, "new").figures) {
    fits.push_back(figures.fits);
  }
  EXPECT_EQ(fits, (std::vector{true, true, false})) << "by the limit of that decision";
}

TEST(ExplainTest, AWaitIsRecordedAfterTenSecondsOnceUntilTheReasonChanges) {
  Fleet fleet(unpaced(), 1);
  fleet.join("r", 1);
  fleet.say(0, 950'000);
  fleet.ask(ticket(room("r"), 1));
  fleet.pass(seconds{9});
  EXPECT_THAT(fleet.placement.explain(room("r"), 10), SizeIs(1)) << "only the placement";
  fleet.pass(seconds{5});
  ASSERT_THAT(fleet.placement.explain(room("r"), 10), SizeIs(2));
  const DecisionRecord record = latest(fleet, "r");
  EXPECT_EQ(record.wait, WaitReason::kCapacity);
  EXPECT_FALSE(record.reason.has_value());
  EXPECT_EQ(record.bridge, BridgeJid());
  EXPECT_EQ(record.waited, seconds{10});
  EXPECT_EQ(record.people, 1);
  ASSERT_FALSE(record.figures.empty());
  EXPECT_EQ(record.figures[0].bridge, bridge(0)) << "where the conference is";
  EXPECT_FALSE(record.figures[0].fits);

  fleet.placement.set_suspect(bridge(0), true, fleet.now());
  fleet.pass(seconds{2});
  ASSERT_THAT(fleet.placement.explain(room("r"), 10), SizeIs(3));
  EXPECT_EQ(latest(fleet, "r").wait, WaitReason::kBridgeAbsent);
  fleet.placement.set_suspect(bridge(0), false, fleet.now());
  fleet.say(0, 100'000);
  fleet.pass(seconds{1});
  EXPECT_EQ(latest(fleet, "r").reason, PlacementReason::kJoin);
  EXPECT_GE(latest(fleet, "r").waited, seconds{16});
}

TEST(ExplainTest, RoomsAndBridgesAreAnsweredNewestFirstUpToTheLimit) {
  Fleet fleet(unpaced(), 2);
  fleet.seat("a", 0, 3);
  fleet.seat("b", 1, 2);
  fleet.seat("c", 0, 1);
  const auto of_room = fleet.placement.explain(room("a"), 10);
  ASSERT_THAT(of_room, SizeIs(3));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(of_room.at(static_cast<std::size_t>(i)).ticket.participant,
              occupant(room("a"), 2 - i));
  }
  EXPECT_THAT(fleet.placement.explain(room("a"), 2), SizeIs(2));
  EXPECT_THAT(fleet.placement.explain(room("other"), 2), IsEmpty());
  const auto of_bridge = fleet.placement.explain(bridge(0), 10);
  ASSERT_THAT(of_bridge, SizeIs(4));
  EXPECT_EQ(of_bridge[0].ticket.room, room("c"));
  EXPECT_THAT(of_bridge, Each(testing::Field(&DecisionRecord::bridge, bridge(0))));
}

TEST(ExplainTest, AStoreReadsOnWhereItStopped) {
  Fleet fleet(unpaced(), 1);
  fleet.join("r", 5);
  const auto first = fleet.placement.decisions_since(0, 3);
  ASSERT_THAT(first, SizeIs(3));
  const auto rest = fleet.placement.decisions_since(first.back().number, 10);
  ASSERT_THAT(rest, SizeIs(2));
  EXPECT_EQ(rest[0].number, first.back().number + 1);
  EXPECT_THAT(fleet.placement.decisions_since(rest.back().number, 10), IsEmpty());
}

TEST(ExplainTest, AsManyAsConfiguredAreRemembered) {
  PlacementOptions options = unpaced();
  options.max_decisions = 4;
  Fleet fleet(options, 1);
  fleet.join("r", 10);
  EXPECT_THAT(fleet.placement.explain(room("r"), 100), SizeIs(4));
  EXPECT_EQ(latest(fleet, "r").ticket.participant, occupant(room("r"), 9));
  options.max_decisions = 0;
  Fleet none(options, 1);
  EXPECT_THAT(none.join("r", 2), SizeIs(2));
  EXPECT_THAT(none.placement.explain(room("r"), 100), IsEmpty());
}

TEST(ExplainTest, TellsTheStateOfTheFleet) {
  Placement placement(unpaced(), 1);
  placement.service_up(at(Duration::zero()));
  placement.report(report_of(bridge(0), 0, 1), at(seconds{1}));
  ASSERT_TRUE(placement.enqueue(ticket(room("r"), 0), at(seconds{1})).has_value());
  ASSERT_THAT(drained(placement, at(seconds{1})), SizeIs(1));
  EXPECT_TRUE(placement.explain(room("r"), 1).at(0).settling);
  EXPECT_EQ(placement.explain(room("r"), 1).at(0).limit, Stress(600'000));

  Fleet full(unpaced(), 1);
  full.join("r", 1);
  full.say(0, 840'000);
  full.pass(seconds{1});
  full.join("r", 1, 1);
  EXPECT_TRUE(latest(full, "r").fleet_full);
  EXPECT_EQ(full.placement.mode(), Mode::kFull);
}

}  // namespace
}  // namespace bascule::focus
