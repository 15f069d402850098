#include "focus/tables.h"

#include <gtest/gtest.h>

#include "tests/unit/focus/random_operations.h"

namespace bascule::focus {
namespace {

const RoomJid kRoom(Jid::parse("room@conference.example.net").value());
const BridgeJid kBridge(Jid::parse("brewery@internal.example.net/jvb1").value());
const EndpointId kAlice("alice");

op::ParticipantAdd alice() {
  return {.room = kRoom, .occupant = OccupantJid(kRoom.jid().with_resource("alice"))};
}

Tables with_alice() {
  Tables tables;
  EXPECT_TRUE(tables.apply(op::ConferenceCreate{.room = kRoom, .meeting_id = "m"}));
  EXPECT_TRUE(tables.apply(alice()));
  return tables;
}

TEST(TablesTest, ChangesOfUnknownRowsChangeNothing) {
  Tables tables;
  EXPECT_FALSE(tables.apply(alice()));
  EXPECT_FALSE(tables.apply(op::JingleSet{.room = kRoom, .endpoint = kAlice, .sid = "s"}));
  EXPECT_FALSE(tables.apply(op::OutboundPush{.index = 1}));
  EXPECT_EQ(tables, Tables{});
}

TEST(TablesTest, SetKeepsWhatItDoesNotName) {
  Tables tables = with_alice();
  ASSERT_TRUE(tables.apply(
      op::ParticipantSet{.room = kRoom, .endpoint = kAlice, .region = "eu", .audio_muted = true}));
  ASSERT_TRUE(tables.apply(
      op::ParticipantSet{.room = kRoom, .endpoint = kAlice, .stats_id = "Bob-x", .region = "us"}));
  const auto& row = tables.conferences.at(kRoom).participants.at(kAlice).identity;
  EXPECT_EQ(row.region, "us");
  EXPECT_EQ(row.stats_id, "Bob-x");
  EXPECT_TRUE(row.audio_muted);
}

TEST(TablesTest, ABridgeSessionTakesItsEndpointsAlong) {
  Tables tables = with_alice();
  ASSERT_TRUE(tables.apply(op::BridgeSessionAdd{.room = kRoom, .bridge = kBridge}));
  ASSERT_TRUE(tables.apply(op::EndpointSet{.room = kRoom, .endpoint = kAlice, .bridge = kBridge}));
  ASSERT_TRUE(tables.apply(op::BridgeSessionRemove{.room = kRoom, .bridge = kBridge}));
  const auto& conference = tables.conferences.at(kRoom);
  EXPECT_TRUE(conference.bridge_sessions.empty());
  EXPECT_FALSE(conference.participants.at(kAlice).endpoint.has_value());
}

TEST(TablesTest, PendingSourcesKeepWhatAReceiverWasToldLast) {
  Tables tables = with_alice();
  const EndpointId bob("bob");
  const EndpointId carol("carol");
  for (const EndpointId& id : {bob, carol}) {
    ASSERT_TRUE(tables.apply(op::ParticipantAdd{
        .room = kRoom, .occupant = OccupantJid(kRoom.jid().with_resource(id.value()))}));
  }
  const auto& pending = tables.conferences.at(kRoom).pending_sources;
  const std::vector<SourceRecord> one{{.ssrc = Ssrc(1)}};
  const auto add = [&](const std::vector<SourceRecord>& before, std::vector<EndpointId> receivers) {
    return tables.apply(op::SourcesPending{
        .room = kRoom, .owner = kAlice, .sources = before, .receivers = std::move(receivers)});
  };
  EXPECT_FALSE(tables.apply(op::SourcesPending{.room = kRoom, .owner = EndpointId("nobody")}));
  ASSERT_TRUE(add({}, {bob, kAlice, EndpointId("nobody")}));
  ASSERT_TRUE(add(one, {bob, carol}));  // Bob knows of none still.
  ASSERT_EQ(pending.at(kAlice).size(), 2U);
  EXPECT_EQ(pending.at(kAlice)[0], (PendingSources{.receivers = {bob}}));
  EXPECT_EQ(pending.at(kAlice)[1], (PendingSources{.sources = one, .receivers = {carol}}));
  // Another session is an offer of everything; an accept is not.
  op::JingleSet jingle{.room = kRoom, .endpoint = bob, .sid = "s", .state = JingleState::kActive};
  ASSERT_TRUE(tables.apply(jingle));
  EXPECT_EQ(pending.at(kAlice).size(), 2U);
  jingle.state = JingleState::kPending;
  ASSERT_TRUE(tables.apply(jingle));
  ASSERT_EQ(pending.at(kAlice).size(), 1U);
  ASSERT_TRUE(add(one, {bob}));
  EXPECT_EQ(pending.at(kAlice)[0].receivers, (std::set{bob, carol})) << "they know the same";
  ASSERT_TRUE(tables.apply(op::ParticipantRemove{.room = kRoom, .endpoint = bob}));
  EXPECT_EQ(pending.at(kAlice)[0].receivers, std::set{carol});
  ASSERT_TRUE(tables.apply(op::SourcesTold{.room = kRoom, .receivers = {carol}}));
  EXPECT_TRUE(pending.empty());
  ASSERT_TRUE(add(one, {carol}));
  ASSERT_TRUE(tables.apply(op::ParticipantRemove{.room = kRoom, .endpoint = kAlice}));
  EXPECT_TRUE(pending.empty()) << "clients forget by themselves who left";
}

TEST(TablesTest, AnotherResumeIdForgetsTheOutbox) {
  Tables tables;
  const op::LinkSet link{.bare = Jid::parse("focus@auth.x").value(), .resume_id = "a"};
  ASSERT_TRUE(tables.apply(link));
  for (std::uint64_t index = 1; index <= 5; ++index) {
    ASSERT_TRUE(tables.apply(op::OutboundPush{.index = index, .xml = "<r/>"}));
  }
  ASSERT_TRUE(tables.apply(op::OutboundAck{.acknowledged = 3}));
  EXPECT_EQ(tables.links.at(StreamId::kClient).unacked.size(), 2U);
  ASSERT_TRUE(tables.apply(link));
  EXPECT_EQ(tables.links.at(StreamId::kClient).unacked.size(), 2U);
  op::LinkSet other = link;
  other.resume_id = "b";
  ASSERT_TRUE(tables.apply(other));
  EXPECT_EQ(tables.links.at(StreamId::kClient), LinkRow{.link = other});
}

TEST(TablesTest, AnotherBootForgetsWhatHasMonotonicTimes) {
  Tables tables;
  ASSERT_TRUE(tables.apply(op::Started{"boot1"}));
  ASSERT_TRUE(tables.apply(op::Placement{.at = Instant(Duration(5)), .bridge = kBridge}));
  ASSERT_TRUE(tables.apply(op::PendingSet{.stanza_id = "x"}));
  ASSERT_TRUE(tables.apply(op::Started{"boot1"}));
  EXPECT_EQ(tables.placements.size(), 1U);
  ASSERT_TRUE(tables.apply(op::Started{"boot2"}));
  EXPECT_TRUE(tables.placements.empty());
  EXPECT_TRUE(tables.pending.empty());
}

TEST(TablesTest, KeepsTheNewestPlacements) {
  Tables tables;
  for (std::size_t i = 0; i < kPlacementsMax + 10; ++i) {
    ASSERT_TRUE(tables.apply(op::Placement{.at = Instant(Duration(static_cast<std::int64_t>(i)))}));
  }
  EXPECT_EQ(tables.placements.size(), kPlacementsMax);
  EXPECT_EQ(tables.placements.begin()->at, Instant(Duration(10)));
}

TEST(TablesTest, AnotherBootKeepsTheWallTimeOfWhatWasLearned) {
  Tables tables;
  ASSERT_TRUE(tables.apply(op::Started{"boot1"}));
  const op::BridgeLearned learned{.bridge = kBridge,
                                  .at = Instant(Duration(5)),
                                  .wall = WallTime(Duration(7)),
                                  .cost = Stress(12'000)};
  ASSERT_TRUE(tables.apply(learned));
  ASSERT_TRUE(tables.apply(op::RoomSeen{.room = kRoom,
                                        .at = Instant(Duration(5)),
                                        .wall = WallTime(Duration(7)),
                                        .bridge = kBridge,
                                        .size = 3}));
  ASSERT_TRUE(tables.apply(op::Started{"boot1"}));
  EXPECT_EQ(tables.bridges.at(kBridge), learned);
  ASSERT_TRUE(tables.apply(op::Started{"boot2"}));
  EXPECT_EQ(tables.bridges.at(kBridge).at, Instant{});
  EXPECT_EQ(tables.bridges.at(kBridge).wall, learned.wall);
  EXPECT_EQ(tables.rooms.at(kRoom).at, Instant{});
  EXPECT_EQ(tables.rooms.at(kRoom).size, 3);
}

TEST(TablesTest, KeepsTheNewestOfWhatIsRemembered) {
  const auto address = [](const char* prefix, std::size_t number) {
    return Jid::parse(prefix + std::to_string(number) + "@example.net").value();
  };
  Tables tables;
  const auto time = [](std::size_t i) { return WallTime(Duration(static_cast<std::int64_t>(i))); };
  for (std::size_t i = 0; i < kBridgesMax + 3; ++i) {
    const BridgeJid bridge(address("b", i).with_resource("jvb"));
    ASSERT_TRUE(tables.apply(op::BridgeLearned{.bridge = bridge, .wall = time(i)}));
  }
  EXPECT_EQ(tables.bridges.size(), kBridgesMax);
  EXPECT_FALSE(tables.bridges.contains(BridgeJid(address("b", 2).with_resource("jvb"))));
  EXPECT_TRUE(tables.bridges.contains(BridgeJid(address("b", 3).with_resource("jvb"))));
  for (std::size_t i = 0; i < kRoomsMax + 3; ++i) {
    ASSERT_TRUE(tables.apply(op::RoomSeen{.room = RoomJid(address("r", i)), .wall = time(i)}));
    // The first one meets again and again.
    ASSERT_TRUE(tables.apply(op::RoomSeen{.room = RoomJid(address("r", 0)), .wall = time(i)}));
  }
  EXPECT_EQ(tables.rooms.size(), kRoomsMax);
  EXPECT_EQ(tables.rooms_by_time.size(), kRoomsMax);
  EXPECT_TRUE(tables.rooms.contains(RoomJid(address("r", 0))));
  EXPECT_FALSE(tables.rooms.contains(RoomJid(address("r", 3))));
  for (std::size_t i = 0; i < kDecisionsMax + 3; ++i) {
    ASSERT_TRUE(tables.apply(op::Decision{.at = time(i / 2), .number = i}));
  }
  EXPECT_EQ(tables.decisions.size(), kDecisionsMax);
  EXPECT_EQ(tables.decisions.begin()->second.number, 3U);
}

// Goal: an operation applied twice is an operation applied once, in any state.
TEST(TablesTest, EveryOperationIsIdempotent) {
  RandomOperations random(11);
  Tables tables;
  for (int i = 0; i < 5'000; ++i) {
    const Operation operation = random.next();
    tables.apply(operation);
    Tables twice = tables;
    twice.apply(operation);
    ASSERT_EQ(twice, tables) << name_of(operation);
  }
}

// Goal: a snapshot and the tail after it add up to the same as all operations.
TEST(TablesTest, SnapshotAndTailEqualTheWholeLog) {
  std::size_t rows = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    RandomOperations random(seed);
    const auto operations = random.some(400);
    const std::size_t cut = static_cast<std::size_t>(Prng(seed).below(operations.size()));
    Tables all;
    Tables resumed;
    for (std::size_t i = 0; i < operations.size(); ++i) {
      if (i == cut) {
        for (const Operation& operation : all.to_operations()) {
          ASSERT_TRUE(resumed.apply(operation)) << name_of(operation);
        }
        ASSERT_EQ(resumed, all);
      }
      all.apply(operations[i]);
      if (i >= cut) {
        resumed.apply(operations[i]);
      }
    }
    ASSERT_EQ(resumed, all);
    rows += all.to_operations().size();
  }
  EXPECT_GT(rows, 400U);  // The walks must have built something.
}

}  // namespace
}  // namespace bascule::focus
