// What operators order: bridges that are emptied, and moves by hand.

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/focus/fleet.h"

namespace bascule::focus {
namespace {

using std::chrono::seconds;
using testing::Each, testing::Field, testing::HasSubstr, testing::IsEmpty, testing::SizeIs;

/// What the caller does with wishes to move: a ticket each, and the answers of the bridges.
class Mover {
 public:
  explicit Mover(Fleet& fleet) : fleet_(fleet) {}

  /// Follows the wishes of `rounds` seconds; returns how many there were.
  std::size_t follow(int rounds) {
    std::size_t wishes = 0;
    for (int i = 0; i < rounds; ++i) {
      for (const Move& wish : fleet_.take_moves()) {
        ++wishes;
        causes.insert(wish.cause);
        Ticket wanted;
        wanted.room = wish.room;
        wanted.participant = wish.participant;
        wanted.generation = ++generation_;
        wanted.kind = TicketKind::kMove;
        fleet_.ask(wanted);
      }
      fleet_.answered(fleet_.pass(seconds{1}));
    }
    return wishes;
  }

  std::set<MoveCause> causes;

 private:
  Fleet& fleet_;
  std::uint32_t generation_ = 100;
};

void evacuate(Fleet& fleet, int number) {
  fleet.placement.set_cordoned(bridge(number), true, fleet.now());
  fleet.placement.set_evacuating(bridge(number), true, fleet.now());
}

TEST(EvacuationTest, WholeConferencesLeaveOneAfterTheOther) {
  Fleet fleet(unpaced(), 3);
  for (int i = 0; i < 6; ++i) {
    fleet.seat("c" + std::to_string(i), 0, 3 + i);
  }
  evacuate(fleet, 0);
  Mover mover(fleet);
  EXPECT_EQ(mover.follow(10), 3U + 4 + 5 + 6 + 7 + 8) << "everybody is asked once";
  EXPECT_EQ(mover.causes, std::set{MoveCause::kEvacuate});
  const BridgeView empty = fleet.view(0);
  EXPECT_EQ(empty.participants, 0U);
  EXPECT_TRUE(empty.evacuating);
  EXPECT_EQ(empty.leaving, 0U);
  EXPECT_EQ(empty.stuck, 0U);
  for (int i = 0; i < 6; ++i) {
    EXPECT_THAT(fleet.placement.bridges_of(room("c" + std::to_string(i))), SizeIs(1))
        << "a conference without relays is never split";
  }
  fleet.placement.check_invariants();
}

TEST(EvacuationTest, OnlyAWindowOfPeopleIsAskedAtATime) {
  Fleet fleet(unpaced(), 4);
  for (int i = 0; i < 20; ++i) {
    fleet.restore("c" + std::to_string(i), 0, 6);
  }
  evacuate(fleet, 0);
  fleet.pass(seconds{1});
  EXPECT_THAT(fleet.moves, SizeIs(testing::Le(50U)));
  EXPECT_THAT(fleet.moves, SizeIs(testing::Ge(40U)));
  EXPECT_EQ(fleet.view(0).leaving, fleet.moves.size());
  Mover mover(fleet);
  mover.follow(20);
  EXPECT_EQ(fleet.view(0).participants, 0U);
}

TEST(EvacuationTest, WhoFitsNowhereStaysAndIsCounted) {
  Fleet fleet(unpaced(), 2);
  fleet.restore("big", 0, 12);
  fleet.say(1, 790'000);
  evacuate(fleet, 0);
  Mover mover(fleet);
  EXPECT_EQ(mover.follow(5), 0U);
  EXPECT_EQ(fleet.view(0).participants, 12U);
  EXPECT_EQ(fleet.view(0).stuck, 12U);
  fleet.say(1, 0);
  mover.follow(30);
  EXPECT_EQ(fleet.view(0).participants, 0U) << "there is room again";
  EXPECT_EQ(fleet.view(0).stuck, 0U);
}

TEST(EvacuationTest, AWishTheCallerDidNotFollowIsToldAgain) {
  Fleet fleet(spanning(), 2, with_relays);
  fleet.seat("r", 0, 4);
  evacuate(fleet, 0);
  fleet.pass(seconds{1});
  ASSERT_THAT(fleet.take_moves(), SizeIs(4));
  fleet.pass(seconds{5});
  EXPECT_THAT(fleet.take_moves(), IsEmpty()) << "the tickets may be on their way";
  fleet.pass(seconds{6});
  EXPECT_THAT(fleet.take_moves(), SizeIs(4));
}

TEST(EvacuationTest, PeopleOfASpanningConferenceGoWhereTheOthersAre) {
  Fleet fleet(spanning(), 3, with_relays);
  fleet.seat("r", 0, 4);
  fleet.seat("r", 1, 3, 4);
  evacuate(fleet, 0);
  Mover mover(fleet);
  EXPECT_EQ(mover.follow(5), 4U);
  for (int i = 0; i < 7; ++i) {
    EXPECT_EQ(fleet.place_of("r", i), 1) << i;
  }
}

TEST(EvacuationTest, NobodyMovesFromOneEmptiedBridgeToAnother) {
  for (const bool relays : {false, true}) {
    Fleet fleet(relays ? spanning() : unpaced(), 2, with_relays);
    fleet.seat("r", 0, 2);
    if (relays) {
      fleet.seat("r", 1, 2, 2);
    }
    evacuate(fleet, 0);
    evacuate(fleet, 1);
    Mover mover(fleet);
    mover.follow(5);
    EXPECT_EQ(fleet.place_of("r", 0), 0) << relays;
    EXPECT_GT(fleet.view(0).stuck, 0U) << relays;
  }
}

TEST(EvacuationTest, EndsWhenTheOrderDoes) {
  Fleet fleet(unpaced(), 2);
  for (int i = 0; i < 20; ++i) {
    fleet.restore("c" + std::to_string(i), 0, 6);
  }
  evacuate(fleet, 0);
  fleet.pass(seconds{1});
  fleet.take_moves();
  fleet.placement.set_evacuating(bridge(0), false, fleet.now());
  fleet.placement.set_cordoned(bridge(0), false, fleet.now());
  fleet.pass(seconds{30});
  EXPECT_THAT(fleet.take_moves(), IsEmpty());
  EXPECT_FALSE(fleet.view(0).evacuating);
}

TEST(EvacuationTest, AnOrderHoldsForABridgeThatWasNeverSeen) {
  Fleet fleet(unpaced(), 1);
  fleet.placement.set_cordoned(bridge(7), true, fleet.now());
  fleet.placement.report(report_of(bridge(7), 0, 0), fleet.now());
  fleet.join("r", 1);
  EXPECT_EQ(fleet.placement.bridge_of(room("r")), bridge(0));
  EXPECT_TRUE(fleet.placement.bridge(bridge(7), fleet.now())->cordoned);
}

// Moves by hand.

TEST(OrderMoveTest, AConferenceMovesAsAWholeToTheBridgeThatWasNamed) {
  Fleet fleet(unpaced(), 4);
  fleet.seat("r", 0, 5);
  const auto done = fleet.placement.order_move({.room = room("r"), .to = bridge(3)}, fleet.now());
  ASSERT_TRUE(done.has_value()) << done.error().what;
  EXPECT_EQ(*done, (OrderDone{.participants = 5, .conferences = 1, .changed = true}));
  fleet.drain();
  Mover mover(fleet);
  EXPECT_EQ(mover.follow(3), 5U);
  EXPECT_EQ(mover.causes, std::set{MoveCause::kOrder});
  EXPECT_EQ(fleet.placement.bridges_of(room("r")), std::vector{bridge(3)});
  EXPECT_EQ(
      fleet.placement.order_move({.room = room("r"), .to = bridge(3)}, fleet.now()).error().code,
      Errc::kConflict)
      << "it is there";
}

TEST(OrderMoveTest, OneOfASpanningConferenceMovesToTheBridgeThatWasNamed) {
  Fleet fleet(spanning(), 4, with_relays);
  fleet.seat("r", 0, 5);
  const auto done =
      fleet.placement.order_move({.room = room("r"),
                                  .endpoint = EndpointId(occupant(room("r"), 2).jid().resource()),
                                  .to = bridge(2)},
                                 fleet.now());
  ASSERT_TRUE(done.has_value()) << done.error().what;
  fleet.drain();
  Mover mover(fleet);
  EXPECT_EQ(mover.follow(3), 1U);
  EXPECT_EQ(fleet.place_of("r", 2), 2);
  EXPECT_EQ(fleet.place_of("r", 1), 0);
  const auto& placed = fleet.placement.counters().placed;
  EXPECT_EQ(placed.at(static_cast<std::size_t>(PlacementReason::kOrder)), 1U);
}

TEST(OrderMoveTest, NobodyIsPushedOverALimitByAnOrder) {
  for (const bool relays : {false, true}) {
    Fleet fleet(relays ? spanning() : unpaced(), 2, with_relays);
    fleet.seat("r", 0, 5);
    fleet.say(1, 895'000);
    const auto done = fleet.placement.order_move({.room = room("r"), .to = bridge(1)}, fleet.now());
    ASSERT_FALSE(done.has_value()) << relays;
    EXPECT_EQ(done.error().code, Errc::kConflict);
    EXPECT_THAT(done.error().what, HasSubstr("room"));
    EXPECT_THAT(fleet.take_moves(), IsEmpty());
  }
}

TEST(OrderMoveTest, ABridgeIsEmptiedByTheLargestConferencesFirstAndNeverOntoItself) {
  Fleet fleet(unpaced(), 3);
  fleet.seat("small", 0, 2);
  fleet.seat("large", 0, 6);
  fleet.seat("middle", 0, 4);
  const auto done = fleet.placement.order_move({.from = bridge(0), .people_max = 7}, fleet.now());
  ASSERT_TRUE(done.has_value()) << done.error().what;
  EXPECT_EQ(done->participants, 10U) << "whole conferences until seven are reached";
  EXPECT_EQ(done->conferences, 2U);
  fleet.drain();
  Mover mover(fleet);
  mover.follow(5);
  EXPECT_NE(fleet.home_of("large"), 0);
  EXPECT_NE(fleet.home_of("middle"), 0);
  EXPECT_EQ(fleet.home_of("small"), 0);
}

TEST(OrderMoveTest, SaysWhyNot) {
  Fleet fleet(unpaced(), 2);
  fleet.seat("r", 0, 2);
  const auto error = [&](const order::Move& move) {
    const auto done = fleet.placement.order_move(move, fleet.now());
    EXPECT_FALSE(done.has_value());
    return done ? Errc::kCorrupt : done.error().code;
  };
  EXPECT_EQ(error({}), Errc::kInvalidArgument);
  EXPECT_EQ(error({.room = room("nobody")}), Errc::kNotFound);
  EXPECT_EQ(error({.room = room("r"), .to = bridge(9)}), Errc::kNotFound);
  EXPECT_EQ(error({.room = room("r"), .from = bridge(9)}), Errc::kNotFound);
  EXPECT_EQ(error({.room = room("r"), .from = bridge(1)}), Errc::kNotFound);
  EXPECT_EQ(error({.from = bridge(1)}), Errc::kNotFound) << "nobody is there";
  EXPECT_EQ(error({.room = room("r"), .endpoint = EndpointId("x")}), Errc::kConflict)
      << "one bridge per conference";
  fleet.placement.set_cordoned(bridge(1), true, fleet.now());
  EXPECT_EQ(error({.room = room("r"), .to = bridge(1)}), Errc::kConflict);
  EXPECT_EQ(error({.room = room("r")}), Errc::kConflict) << "there is no other";
}

// Views.

TEST(PlacementViewTest, TellsWhoWaitsLongestAndWhereEverybodyIs) {
  Fleet fleet(unpaced(), 1);
  fleet.join("r", 2);
  fleet.pass(seconds{3});
  fleet.placement.set_cordoned(bridge(0), true, fleet.now());
  fleet.ask(ticket(room("a"), 0));
  fleet.pass(seconds{2});
  fleet.ask(ticket(room("b"), 0));
  fleet.pass(seconds{1});
  const auto waiting = fleet.placement.longest_waiting(10, fleet.now());
  ASSERT_THAT(waiting, SizeIs(2));
  EXPECT_EQ(waiting[0].ticket.room, room("a"));
  EXPECT_EQ(waiting[0].waited, seconds{3});
  EXPECT_EQ(waiting[0].reason, WaitReason::kAllDraining);
  EXPECT_EQ(waiting[1].ticket.room, room("b"));
  EXPECT_THAT(fleet.placement.longest_waiting(1, fleet.now()), SizeIs(1));
  const auto place = fleet.placement.place_of(occupant(room("r"), 1), fleet.now());
  ASSERT_TRUE(place.has_value());
  EXPECT_EQ(place->bridge, bridge(0));
  EXPECT_EQ(place->age, seconds{6});
  EXPECT_FALSE(place->in_flight);
  EXPECT_FALSE(fleet.placement.place_of(occupant(room("a"), 0), fleet.now()).has_value());
  EXPECT_EQ(fleet.placement.spread_of(room("r")),
            (std::vector<std::pair<BridgeJid, std::size_t>>{{bridge(0), 2}}));
}

}  // namespace
}  // namespace bascule::focus
