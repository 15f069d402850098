// What is counted where it happens, for metrics under other names than ours, and what a conference
// tells of itself.

#include <gtest/gtest.h>

#include "focus/occupancy.h"
#include "stage.h"

namespace bascule::focus {
namespace {

using proto::JingleAction;
using std::chrono::seconds;

TEST(OccupancyTest, TimePassesForEverybodyWhoIsThere) {
  const Instant start{seconds{50}};
  Occupancy occupancy;
  EXPECT_EQ(occupancy.total(start), Duration::zero());
  occupancy.enter(start);
  occupancy.enter(start + seconds{10});
  EXPECT_EQ(occupancy.present(), 2U);
  EXPECT_EQ(occupancy.total(start + seconds{20}), seconds{30});
  occupancy.leave(start + seconds{20}, 2);
  EXPECT_EQ(occupancy.present(), 0U);
  EXPECT_EQ(occupancy.total(start + seconds{500}), seconds{30});
}

class CountedTest : public ::testing::Test {
 protected:
  CountedTest() { open(stage); }
  ~CountedTest() override { stage.focus.check_invariants(); }
  static void open(Stage& stage) {
    stage.start_all();
    stage.add_bridge("jvb1");
    stage.add_bridge("jvb2");
    stage.advance(seconds{6});
  }
  [[nodiscard]] const Counters& counters() const { return stage.focus.counters(); }
  [[nodiscard]] std::uint64_t received(JingleAction action) const {
    return counters().jingle_received.at(static_cast<std::size_t>(action));
  }
  [[nodiscard]] std::uint64_t sent(JingleAction action) const {
    return counters().jingle_sent.at(static_cast<std::size_t>(action));
  }
  proto::Jingle jingle(JingleAction action, const std::string& nick) {
    proto::Jingle jingle;
    jingle.action = action;
    jingle.sid = stage.client("tea", nick).sid;
    return jingle;
  }

  Stage stage;
};

TEST_F(CountedTest, JingleByActionAndDirection) {
  stage.meet("tea", {"alice", "bob"});
  EXPECT_EQ(sent(JingleAction::kSessionInitiate), 2U);
  EXPECT_EQ(received(JingleAction::kSessionAccept), 2U);
  EXPECT_EQ(sent(JingleAction::kSessionTerminate), 0U);
  EXPECT_EQ(sent(JingleAction::kSourceAdd), counters().source_messages);
  stage.jingle("tea", "alice", jingle(JingleAction::kContentModify, "alice"));
  EXPECT_EQ(received(JingleAction::kContentModify), 1U) << "also what is refused";
}

TEST_F(CountedTest, HowLongConferencesLastAndMembersStay) {
  const Instant begun = stage.now.mono;
  stage.meet("tea", {"alice", "bob"});
  const Instant met = stage.now.mono;
  EXPECT_EQ(counters().meetings.present(), 1U);
  EXPECT_EQ(counters().members.present(), 2U);
  stage.advance(seconds{60});
  stage.leave("tea", "alice");
  stage.leave("tea", "bob");
  stage.advance(seconds{60});
  EXPECT_EQ(counters().meetings.present(), 0U);
  EXPECT_EQ(counters().members.present(), 0U);
  const Duration together = counters().members.total(stage.now.mono);
  EXPECT_GE(together, 2 * seconds{60});
  EXPECT_LE(together, 2 * (seconds{61} + (met - begun)));
  EXPECT_GE(counters().meetings.total(stage.now.mono), seconds{60});
}

TEST_F(CountedTest, ALostBridgeIsRemovedFromItsConferenceAndItsPeopleMove) {
  stage.meet("tea", {"alice", "bob"});
  const std::string nick = *stage.bridge_of("tea", "alice");
  stage.remove_bridge(nick);
  stage.advance(seconds{20});
  EXPECT_NE(stage.bridge_of("tea", "alice"), nick);
  EXPECT_EQ(counters().bridges_removed, 1U);
  EXPECT_EQ(counters().participants_moved, 2U);
  EXPECT_EQ(sent(JingleAction::kSessionTerminate), 2U);
}

TEST_F(CountedTest, ARestartIsCountedWithItsBridge) {
  stage.meet("tea", {"alice", "bob"});
  const std::string nick = *stage.bridge_of("tea", "alice");
  proto::Jingle info = jingle(JingleAction::kSessionInfo, "alice");
  info.ice_state = "failed";
  info.bridge_session = proto::BridgeSession{.id = stage.client("tea", "alice").bridge_session};
  stage.jingle("tea", "alice", info);
  EXPECT_EQ(counters().ice_failed, 1U);
  EXPECT_EQ(counters().restarts, 1U);
  const auto view = stage.focus.placement().bridges(stage.now);
  std::uint64_t asked = 0;
  for (const BridgeView& bridge : view) {
    EXPECT_TRUE(bridge.restarts_asked == 0 || bridge.bridge.jid().resource() == nick);
    asked += bridge.restarts_asked;
  }
  EXPECT_EQ(asked, 1U);
}

TEST_F(CountedTest, IceRestartsByWhatBecameOfThem) {
  stage.meet("tea", {"alice", "bob"});
  Stage::Bridge& bridge = stage.bridges.at(*stage.bridge_of("tea", "alice"));
  const auto ask = [&](std::optional<std::string> bridge_session) {
    proto::Jingle info = jingle(JingleAction::kSessionInfo, "alice");
    info.bridge_session =
        proto::BridgeSession{.id = std::move(bridge_session), .ice_restart = true};
    const std::string id = stage.jingle("tea", "alice", info);
    stage.advance(seconds{6});
    return id;
  };
  EXPECT_TRUE(stage.refused_with(ask("older")).has_value());
  EXPECT_EQ(counters().ice_restarts_asked, 1U);
  EXPECT_EQ(counters().ice_restarts_failed, 1U);
  proto::IceUdpTransport transport;
  transport.ufrag = "u2";
  transport.pwd = "p2";
  transport.ice_generation = 1;
  bridge.restarted = transport;
  ask(stage.client("tea", "alice").bridge_session);
  EXPECT_EQ(counters().ice_restarts_relayed, 1U);
  ask(stage.client("tea", "alice").bridge_session);
  EXPECT_EQ(counters().ice_restarts_needless, 1U) << "the same generation again";
  EXPECT_EQ(counters().ice_restarts_asked, 3U);
  EXPECT_EQ(counters().ice_restarts_failed, 1U);
}

TEST(AutoOwnerTest, NobodyBecomesOwnerWhenItIsSwitchedOff) {
  Options options = Stage::make_options();
  options.auto_owner = false;
  Stage stage({}, 1, options);
  stage.start_all();
  stage.add_bridge("jvb1");
  stage.advance(seconds{6});
  stage.meet("tea", {"alice", "bob"});
  EXPECT_EQ(stage.focus.counters().owners_granted, 0U);
  EXPECT_EQ(stage.state_of("tea", "alice"), ParticipantState::kActive);
}

TEST_F(CountedTest, AfterARestartWhoIsThereIsCountedAgain) {
  stage.meet("tea", {"alice", "bob"});
  stage.crash_and_restore(seconds{1});
  EXPECT_EQ(counters().meetings.present(), 1U);
  EXPECT_EQ(counters().members.present(), 2U);
  EXPECT_EQ(stage.focus.conference_sizes(),
            std::vector<ConferenceSize>({{.participants = 2, .visitors = 0}}));
}

TEST_F(CountedTest, AConferenceTellsWhatItKnows) {
  stage.meet("tea", {"alice", "bob"});
  const RoomJid room(Jid::parse("tea@conference.example.net").value());
  const ConferenceDetails details = stage.focus.details(room).value();
  EXPECT_EQ(details.meeting_id, "meeting-tea");
  EXPECT_EQ(details.state, ConferenceState::kActive);
  ASSERT_EQ(details.members.size(), 2U);
  EXPECT_EQ(details.members[0].endpoint, EndpointId("alice"));
  EXPECT_EQ(details.members[0].sid, stage.client("tea", "alice").sid);
  EXPECT_FALSE(details.members[0].sources.sources().empty());
  ASSERT_EQ(details.bridges.size(), 1U);
  EXPECT_EQ(details.bridges[0].bridge, details.members[0].bridge);
  EXPECT_TRUE(details.bridges[0].created);
  EXPECT_EQ(details.bridges[0].endpoints.size(), 2U);
  EXPECT_FALSE(
      stage.focus.details(RoomJid(Jid::parse("none@conference.example.net").value())).has_value());
}

}  // namespace
}  // namespace bascule::focus
