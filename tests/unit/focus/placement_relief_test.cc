// Bridges that are too busy: whole conferences make room (one bridge each), or a few people of
// spanning ones move (relief).

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "focus/load_units.h"
#include "tests/unit/focus/fleet.h"

namespace bascule::focus {
namespace {

using std::chrono::seconds;
using testing::AllOf, testing::Each, testing::Field, testing::IsEmpty, testing::SizeIs;

constexpr std::int64_t kCost = 30'000;  // Measured: about 30 units fill a bridge.

/// Its people and the endpoints of others together cost this much, and the report says so: the
/// measured cost is confirmed.
void busy(Fleet& fleet, int number, std::int64_t stress) {
  const BridgeView view = fleet.view(number);
  const std::int64_t units = stress * 1000 / kCost;
  const auto people = static_cast<std::int64_t>(view.participants);
  const std::int64_t own = view.load - view.foreign;
  fleet.report(number).local_endpoints =
      people > 0 ? people + (units - own) * people / own : units / 800;
  fleet.say(number, stress);
}

void move(Fleet& fleet, const std::vector<Move>& moves) {
  for (const Move& wish : moves) {
    Ticket wanted;
    wanted.room = wish.room;
    wanted.participant = wish.participant;
    wanted.generation = 100;
    wanted.kind = TicketKind::kMove;
    fleet.ask(wanted);
  }
  fleet.answered(fleet.pass(seconds{1}));
}

std::uint64_t moved(const Fleet& fleet, MoveCause cause) {
  return fleet.placement.counters().moves.at(static_cast<std::size_t>(cause));
}

// Making room.

/// Bridge 0 with `conferences` conferences of four, named "c0" ..., half a minute old.
Fleet crowded(const PlacementOptions& options, int conferences) {
  Fleet fleet(options, 2, {}, kCost);
  for (int i = 0; i < conferences; ++i) {
    fleet.seat("c" + std::to_string(i), 0, 4);
  }
  fleet.pass(seconds{35});
  fleet.say(1, 0);
  return fleet;
}

TEST(MakeRoomTest, AFullBridgeHandsASmallConferenceToAnother) {
  Fleet fleet = crowded(unpaced(), 11);
  busy(fleet, 0, 870'000);
  EXPECT_THAT(fleet.take_moves(), IsEmpty());
  fleet.join("c5", 1, 4);  // 0.94 units, 0.03.
  fleet.join("c5", 1, 5);  // And it is above 0.90.
  const auto moves = fleet.take_moves();
  ASSERT_THAT(moves, SizeIs(4)) << "one conference is enough";
  EXPECT_THAT(moves, Each(AllOf(Field(&Move::cause, MoveCause::kMakeRoom),
                                Field(&Move::from, bridge(0)), Field(&Move::room, moves[0].room))));
  EXPECT_EQ(moved(fleet, MoveCause::kMakeRoom), 4u);
  EXPECT_NE(moves[0].room, room("c5")) << "the smallest";
  EXPECT_EQ(fleet.placement.bridge_of(moves[0].participant), bridge(0)) << "until it has moved";
  EXPECT_EQ(fleet.view(1).reserved, stress_of(conference_load(4), fleet.view(1).cost_per_unit));

  move(fleet, moves);
  for (const Move& wish : moves) {
    EXPECT_EQ(fleet.placement.bridge_of(wish.participant), bridge(1));
  }
  EXPECT_EQ(fleet.placement.bridges_of(moves[0].room), std::vector{bridge(1)});
  EXPECT_EQ(fleet.view(1).reserved,
            stress_of(conference_load(6) - conference_load(4), fleet.view(1).cost_per_unit))
      << "the plan is done; what is left is the growth of a young conference";
  fleet.placement.check_invariants();
}

TEST(MakeRoomTest, TwelvePeopleMovePerRunAtMost) {
  for (const std::int64_t most : {12, 8, 3}) {
    PlacementOptions options = unpaced();
    options.make_room_people = most;
    Fleet fleet = crowded(options, 11);
    busy(fleet, 0, 1'010'000);
    fleet.pass(seconds{1});
    EXPECT_THAT(fleet.take_moves(), IsEmpty()) << "one sample may be wrong";
    busy(fleet, 0, 1'050'000);
    fleet.pass(seconds{1});
    // Nothing small enough: the smallest conference goes as a whole.
    EXPECT_THAT(fleet.take_moves(), SizeIs(most == 3 ? 4 : most)) << most;
  }
}

TEST(MakeRoomTest, AConferenceIsNotMovedAgainBeforeFiveMinutes) {
  for (const Duration cool : {seconds{300}, seconds{20}}) {
    PlacementOptions options = unpaced();
    options.move_cool = cool;
    Fleet fleet = crowded(options, 11);
    for (const std::int64_t stress : {1'010'000, 1'050'000}) {
      busy(fleet, 0, stress);
    }
    fleet.pass(seconds{1});
    const auto moves = fleet.take_moves();
    ASSERT_THAT(moves, SizeIs(12));
    move(fleet, moves);
    fleet.pass(seconds{25});
    fleet.report(0).local_endpoints = 32;
    fleet.say(0, 100'000);
    for (const std::int64_t stress : {1'010'000, 1'050'000}) {
      busy(fleet, 1, stress);
    }
    fleet.pass(seconds{1});
    EXPECT_EQ(fleet.take_moves().empty(), cool == seconds{300});
  }
}

TEST(MakeRoomTest, AConferenceThatHasJustBegunStays) {
  Fleet fleet(unpaced(), 2, {}, kCost);
  for (int i = 0; i < 11; ++i) {
    fleet.seat("c" + std::to_string(i), 0, 4);
  }
  for (const std::int64_t stress : {1'010'000, 1'050'000}) {
    busy(fleet, 0, stress);
  }
  fleet.pass(seconds{5});
  EXPECT_THAT(fleet.take_moves(), IsEmpty());
}

TEST(MakeRoomTest, RunsOfOneBridgeAreTwoSecondsApart) {
  Fleet fleet = crowded(unpaced(), 11);
  busy(fleet, 0, 900'000);
  fleet.join("c0", 1, 4);
  ASSERT_THAT(fleet.take_moves(), SizeIs(4));
  fleet.join("c0", 1, 5);
  EXPECT_THAT(fleet.take_moves(), IsEmpty());
  fleet.pass(seconds{2});
  busy(fleet, 0, 900'000);
  fleet.join("c1", 1, 6);
  EXPECT_THAT(fleet.take_moves(), SizeIs(4));
}

TEST(MakeRoomTest, NobodyMovesWhenItIsOffOrThereIsNoOtherBridge) {
  PlacementOptions options = unpaced();
  options.make_room = false;
  for (const bool off : {true, false}) {
    Fleet fleet = crowded(off ? options : unpaced(), 11);
    if (!off) {
      fleet.placement.set_cordoned(bridge(1), true, fleet.now());
    }
    for (const std::int64_t stress : {1'010'000, 1'050'000}) {
      busy(fleet, 0, stress);
    }
    fleet.join("c0", 1, 4);
    fleet.pass(seconds{3});
    EXPECT_EQ(fleet.waits("c0", 4), WaitReason::kCapacity);
    EXPECT_THAT(fleet.take_moves(), IsEmpty()) << off;
  }
}

TEST(MakeRoomTest, ALargerNeighbourMakesRoomForAConferenceThatIsBlocked) {
  Fleet fleet(unpaced(), 2, {}, kCost);
  fleet.seat("large", 0, 15);
  fleet.seat("middle", 0, 10);
  fleet.pass(seconds{35});
  fleet.say(1, 0);
  busy(fleet, 0, 900'000);
  fleet.join("large", 1, 15);
  const auto moves = fleet.take_moves();
  ASSERT_THAT(moves, SizeIs(10));
  EXPECT_EQ(moves[0].room, room("middle"));
  EXPECT_EQ(moves[0].cause, MoveCause::kMakeRoom);
  move(fleet, moves);
  fleet.pass(seconds{1});
  EXPECT_EQ(fleet.place_of("large", 15), 0);
}

TEST(MakeRoomTest, AConferenceThatOutgrewItsBridgeMovesItself) {
  Fleet fleet(unpaced(), 2, {}, kCost);
  fleet.seat("r", 0, 11);
  fleet.pass(seconds{35});
  fleet.say(1, 0);
  busy(fleet, 0, 930'000);
  fleet.join("r", 1, 11);
  EXPECT_EQ(fleet.waits("r", 11), WaitReason::kCapacity);
  EXPECT_THAT(fleet.take_moves(), IsEmpty()) << "not for one of eleven, alone on its bridge";
  fleet.ask(ticket(room("r"), 12));
  fleet.pass(seconds{3});
  const auto moves = fleet.take_moves();
  ASSERT_THAT(moves, SizeIs(11));
  EXPECT_THAT(moves, Each(Field(&Move::cause, MoveCause::kOutgrown)));
  move(fleet, moves);
  fleet.answered(fleet.pass(seconds{1}));
  for (int i = 0; i < 13; ++i) {
    EXPECT_EQ(fleet.place_of("r", i), 1) << i;
  }
  fleet.placement.check_invariants();
}

TEST(MakeRoomTest, AConferenceWhoseMembersWaitIsMovedAgainAfterTwoMinutes) {
  Fleet fleet(unpaced(), 2, {}, kCost);
  fleet.seat("r", 0, 11);
  fleet.pass(seconds{35});
  fleet.say(1, 0);
  busy(fleet, 0, 930'000);
  fleet.ask(ticket(room("r"), 11));
  fleet.ask(ticket(room("r"), 12));
  fleet.drain();
  move(fleet, fleet.take_moves());
  fleet.answered(fleet.pass(seconds{1}));
  ASSERT_EQ(fleet.view(1).participants, 13u);
  fleet.pass(seconds{60});
  fleet.report(0).local_endpoints = 0;
  fleet.say(0, 0);
  busy(fleet, 1, 930'000);
  fleet.ask(ticket(room("r"), 13));
  fleet.ask(ticket(room("r"), 14));
  for (int second = 0; second < 55; ++second) {
    fleet.pass(seconds{1});
    fleet.say(0, 0);
    busy(fleet, 1, 930'000);
  }
  EXPECT_EQ(fleet.waits("r", 13), WaitReason::kCapacity);
  EXPECT_THAT(fleet.take_moves(), IsEmpty());
  for (int second = 0; second < 6; ++second) {
    fleet.pass(seconds{1});
    fleet.say(0, 0);
    busy(fleet, 1, 930'000);
  }
  EXPECT_THAT(fleet.take_moves(), SizeIs(13));
}

// Relief.

/// "r" with `here` people on bridge 0 and `there` on bridge 1.
Fleet spread_out(const PlacementOptions& options, int here, int there, int bridges = 3) {
  Fleet fleet(options, bridges, with_relays, kCost);
  fleet.restore("r", 0, here);
  fleet.restore("r", 1, there, 100);
  for (int i = 1; i < bridges; ++i) {
    fleet.say(i, 0);
  }
  return fleet;
}

TEST(ReliefTest, ASampleAboveTheMarkHandsPeopleToAnotherBridgeOfTheConference) {
  Fleet fleet = spread_out(spanning(), 10, 5);
  busy(fleet, 0, 965'000);
  fleet.pass(seconds{2});
  EXPECT_THAT(fleet.take_moves(), IsEmpty());
  busy(fleet, 0, 980'000);
  fleet.pass(seconds{1});
  const auto moves = fleet.take_moves();
  ASSERT_FALSE(moves.empty());
  EXPECT_LE(moves.size(), 12u);
  EXPECT_THAT(moves, Each(AllOf(Field(&Move::cause, MoveCause::kRelief),
                                Field(&Move::from, bridge(0)), Field(&Move::room, room("r")))));
  // Down to 0.88: that much and not more.
  const auto each = participant_load(15) * kCost / 1000;
  EXPECT_GE(static_cast<std::int64_t>(moves.size()) * each, 90'000);
  EXPECT_LE(static_cast<std::int64_t>(moves.size() - 1) * each, 120'000);
  move(fleet, moves);
  for (const Move& wish : moves) {
    EXPECT_EQ(fleet.placement.bridge_of(wish.participant), bridge(1));
  }
  EXPECT_EQ(moved(fleet, MoveCause::kRelief), moves.size());
  fleet.placement.check_invariants();
}

TEST(ReliefTest, TheNewestMoveFirst) {
  Fleet fleet = spread_out(spanning(), 8, 5);
  fleet.pass(seconds{1});
  fleet.restore("r", 0, 2, 50);
  fleet.pass(seconds{1});
  fleet.restore("r", 0, 1, 20);
  busy(fleet, 0, 1'000'000);
  fleet.pass(seconds{1});
  const auto moves = fleet.take_moves();
  ASSERT_GE(moves.size(), 3u);
  EXPECT_EQ(moves[0].participant, occupant(room("r"), 20));
  EXPECT_THAT((std::vector{moves[1].participant, moves[2].participant}),
              testing::UnorderedElementsAre(occupant(room("r"), 50), occupant(room("r"), 51)));
}

TEST(ReliefTest, AnExpectationAboveTheMarkIsEnough) {
  for (const std::uint32_t focuses : {1U, 4U}) {
    PlacementOptions options = spanning();
    options.focuses = focuses;
    Fleet fleet = spread_out(options, 10, 5);
    fleet.report(0).local_endpoints = 60;  // Others came; the sample cannot know.
    fleet.say(0, 900'000);
    ASSERT_GT(fleet.view(0).expected, options.relief_estimate);
    fleet.pass(seconds{2});
    EXPECT_EQ(fleet.take_moves().empty(), focuses == 4)
        << "with others on the fleet all of them would evacuate";
  }
}

TEST(ReliefTest, TwelvePeopleMoveAtOnceAndSixWithOtherFocuses) {
  for (const std::uint32_t focuses : {1U, 4U}) {
    PlacementOptions options = spanning();
    options.focuses = focuses;
    Fleet fleet = spread_out(options, 20, 2);
    busy(fleet, 0, 1'500'000);
    fleet.pass(seconds{1});
    EXPECT_THAT(fleet.take_moves(), SizeIs(focuses == 1 ? 12 : 6));
  }
}

TEST(ReliefTest, ZeroPeopleSwitchItOff) {
  PlacementOptions options = spanning();
  options.relief_people = 0;
  Fleet fleet = spread_out(options, 20, 2);
  busy(fleet, 0, 1'500'000);
  fleet.pass(seconds{5});
  EXPECT_THAT(fleet.take_moves(), IsEmpty());
}

TEST(ReliefTest, ABridgeIsRelievedEveryTenSecondsAndAConferenceEveryThirty) {
  Fleet fleet = spread_out(spanning(), 20, 2);
  busy(fleet, 0, 1'100'000);
  fleet.pass(seconds{1});
  ASSERT_FALSE(fleet.take_moves().empty());
  std::vector<int> seconds_with_moves;
  for (int second = 1; second <= 45; ++second) {
    busy(fleet, 0, 1'100'000 + second);
    fleet.pass(seconds{1});
    if (!fleet.take_moves().empty()) {
      seconds_with_moves.push_back(second);
    }
  }
  EXPECT_EQ(seconds_with_moves, std::vector{30});

  Fleet two = spread_out(spanning(), 8, 2);
  two.restore("s", 0, 8);
  two.restore("s", 1, 2, 100);
  two.say(1, 200'000);
  std::vector<RoomJid> rooms;
  for (int second = 1; second <= 15; ++second) {
    busy(two, 0, 950'000 + 30'000 + second);
    two.pass(seconds{1});
    const auto moves = two.take_moves();
    if (!moves.empty()) {
      rooms.push_back(moves[0].room);
    }
  }
  ASSERT_THAT(rooms, SizeIs(2)) << "the other conference ten seconds later";
  EXPECT_NE(rooms[0], rooms[1]);
}

TEST(ReliefTest, AConferenceWithoutOtherBridgeGetsOne) {
  Fleet fleet = spread_out(spanning(), 20, 0);
  fleet.restore("small", 0, 3);
  busy(fleet, 0, 1'000'000);
  fleet.pass(seconds{1});
  const auto moves = fleet.take_moves();
  ASSERT_FALSE(moves.empty());
  EXPECT_THAT(moves, Each(Field(&Move::room, room("r")))) << "the largest";
  move(fleet, moves);
  for (const Move& wish : moves) {
    const auto place = fleet.placement.bridge_of(wish.participant);
    ASSERT_TRUE(place.has_value());
    EXPECT_NE(*place, bridge(0));
  }
  EXPECT_THAT(fleet.placement.bridges_of(room("r")), SizeIs(2));
}

TEST(ReliefTest, NobodyIsAskedToMoveWhenNobodyHasRoom) {
  Fleet fleet = spread_out(spanning(), 20, 2);
  busy(fleet, 1, 870'000);
  busy(fleet, 2, 870'000);
  busy(fleet, 0, 1'000'000);
  fleet.pass(seconds{1});
  EXPECT_THAT(fleet.take_moves(), IsEmpty());
}

}  // namespace
}  // namespace bascule::focus
