#include "focus/timings.h"

#include <algorithm>
#include <numeric>

#include <gtest/gtest.h>

#include "stage.h"

namespace bascule::focus {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::uint64_t total(const LatencyHistogram& histogram) {
  return std::accumulate(histogram.counts().begin(), histogram.counts().end(), std::uint64_t{0});
}

TEST(LatencyHistogramTest, AnEdgeBelongsToTheClassBelowIt) {
  LatencyHistogram histogram;
  histogram.record(kWaitEdges.at(2));
  histogram.record(kWaitEdges.at(2) + Duration(1));
  histogram.record(kWaitEdges.back() + seconds{1});
  histogram.record(Duration(-5));
  EXPECT_EQ(histogram.counts().at(2), 1U);
  EXPECT_EQ(histogram.counts().at(3), 1U);
  EXPECT_EQ(histogram.counts().back(), 1U);
  EXPECT_EQ(histogram.counts().front(), 1U);
  EXPECT_EQ(histogram.sum(), 2 * kWaitEdges.at(2) + Duration(1) + kWaitEdges.back() + seconds{1});
}

TEST(LatencyHistogramTest, EdgesAscend) {
  for (const LatencyEdges& edges : {kWaitEdges, kInternalEdges}) {
    EXPECT_TRUE(std::is_sorted(edges.begin(), edges.end()));
    EXPECT_EQ(std::adjacent_find(edges.begin(), edges.end()), edges.end());
  }
}

class TimingsTest : public ::testing::Test {
 protected:
  TimingsTest() {
    stage.start_all();
    stage.add_bridge("jvb0");
    stage.add_bridge("jvb1");
    stage.advance(seconds{6});
  }
  ~TimingsTest() override { EXPECT_EQ(stage.focus.counters().bugs, 0U); }

  [[nodiscard]] const Timings& timings() const { return stage.focus.counters().timings; }
  [[nodiscard]] const LatencyHistogram& moves(MoveNeed need) const {
    return timings().move.at(static_cast<std::size_t>(need));
  }
  [[nodiscard]] const LatencyHistogram& round_trips(IqKind kind) const {
    return timings().iq.at(static_cast<std::size_t>(kind));
  }

  Stage stage;
};

TEST_F(TimingsTest, ARequestIsTimedUntilTheFocusIsInTheRoom) {
  stage.silent_rooms = true;
  stage.ask("tea");
  stage.advance(milliseconds{300});
  proto::MucPresence own;
  own.from = Jid::parse("tea@conference.example.net/focus").value();
  own.statuses = {proto::kStatusSelfPresence, proto::kStatusRoomCreated};
  stage.room("tea").focus_in = true;
  stage.give(in::PresenceReceived{StreamId::kClient, own});
  EXPECT_EQ(total(timings().request_new), 1U);
  EXPECT_EQ(timings().request_new.sum(), milliseconds{300});
  stage.ask("tea", "bob");
  EXPECT_EQ(total(timings().request_known), 1U);
  EXPECT_EQ(total(timings().request_new), 1U);
}

TEST_F(TimingsTest, WhoWaitsAloneIsNotWaitingForAnInvitation) {
  stage.ask("tea");
  stage.join("tea", "alice");
  stage.advance(seconds{10});
  EXPECT_EQ(total(timings().invite), 0U);
  stage.join("tea", "bob");
  stage.advance(seconds{1});
  ASSERT_EQ(total(timings().invite), 2U);
  EXPECT_LT(timings().invite.sum(), seconds{2});
}

TEST_F(TimingsTest, AMoveIsTimedFromTheLossToMediaElsewhere) {
  stage.meet("tea", {"alice", "bob"});
  stage.advance(seconds{1});
  const auto accepted = total(timings().accept);
  EXPECT_EQ(accepted, 2U);
  EXPECT_EQ(total(moves(MoveNeed::kBridgeLost)), 0U);
  stage.remove_bridge(*stage.bridge_of("tea", "alice"));
  stage.advance(seconds{5});
  EXPECT_EQ(total(moves(MoveNeed::kBridgeLost)), 2U);
  EXPECT_EQ(total(timings().accept), accepted + 2);
  EXPECT_EQ(total(timings().invite), 2U);  // A move is no first invitation.
}

TEST_F(TimingsTest, RequestsOfOursAreTimedByWhatTheyAreAbout) {
  const auto before = total(round_trips(IqKind::kBridge));
  stage.meet("tea", {"alice", "bob"});
  stage.advance(seconds{1});
  EXPECT_GT(total(round_trips(IqKind::kBridge)), before);
  EXPECT_EQ(total(round_trips(IqKind::kInvite)), 2U);
  EXPECT_GT(total(round_trips(IqKind::kRoom)), 0U);
}

TEST_F(TimingsTest, WhoIsPlacedWasInTheQueue) {
  stage.meet("tea", {"alice", "bob"});
  stage.advance(seconds{1});
  std::uint64_t placed = 0;
  for (const LatencyHistogram& one : stage.focus.placement().counters().queue_wait) {
    placed += total(one);
  }
  EXPECT_EQ(placed, 2U);
  std::uint64_t on_bridges = 0;
  for (const BridgeView& view : stage.focus.placement().bridges(stage.now)) {
    on_bridges += view.placed;
  }
  EXPECT_EQ(on_bridges, 2U);
}

// Every transition of the table, without a stage.
TEST(ParticipantClockTest, AnAcceptOfASessionAboutToBeReplacedEndsNoMove) {
  Timings timings;
  ParticipantClock clock;
  Instant now{seconds{100}};
  auto state = ParticipantState::kDiscovering;
  const auto happen = [&](ParticipantEvent event, TicketKind kind = TicketKind::kJoin) {
    const ParticipantStep taken = step(state, event);
    clock.step(state, event, taken, kind, now, timings);
    state = taken.next;
    now += seconds{1};
  };
  clock.wanted(now);
  happen(ParticipantEvent::kDiscovered);  // 100: it came.
  happen(ParticipantEvent::kWanted);
  happen(ParticipantEvent::kPlaced);
  happen(ParticipantEvent::kAllocated);  // 103: invited.
  EXPECT_EQ(timings.invite.sum(), seconds{3});
  happen(ParticipantEvent::kBridgeLost, TicketKind::kMove);  // 104
  happen(ParticipantEvent::kAccepted);                       // Of the session it leaves.
  EXPECT_EQ(total(timings.accept), 0U);
  happen(ParticipantEvent::kBridgeLost, TicketKind::kReinvite);  // Again: the first need counts.
  happen(ParticipantEvent::kPlaced);
  happen(ParticipantEvent::kAllocated);  // 108
  happen(ParticipantEvent::kAccepted);   // 109
  EXPECT_EQ(timings.accept.sum(), seconds{1});
  EXPECT_EQ(timings.move.at(static_cast<std::size_t>(MoveNeed::kWish)).sum(), seconds{5});
  EXPECT_EQ(total(timings.move.at(static_cast<std::size_t>(MoveNeed::kBridgeLost))), 0U);
  happen(ParticipantEvent::kRestart);  // 110
  happen(ParticipantEvent::kEnded);    // Not possible in kQueued for real; it waits no more.
  EXPECT_EQ(total(timings.move.at(static_cast<std::size_t>(MoveNeed::kRestart))), 0U);
}

}  // namespace
}  // namespace bascule::focus
