// ICE restarts without a new session.

#include <string>
#include <vector>

#include "meeting.h"

namespace bascule::conformance {
namespace {

proto::IceUdpTransport answer_of(const std::string& ufrag,
                                 std::optional<std::uint32_t> generation) {
  proto::IceUdpTransport transport{.ufrag = ufrag, .pwd = "new"};
  transport.ice_generation = generation;
  transport.rtcp_mux = true;
  return transport;
}

std::string request(const std::string& sid, const std::optional<std::string>& bridge_session_id) {
  return jingle("session-info", sid, bridge_session(bridge_session_id, "ice-restart='true'"));
}

TEST_F(Session, C53_IceRestartsHaveABudgetOfTheirOwn) {
  statement(53, Kind::kJicofo, "keeps a separate budget for ICE restarts within a session");
  bridge().restarted = answer_of("u1", 1);
  meet({"alice", "bob"});
  const auto ice_restart = [&] {
    return ask("alice", request(sid("alice"), client("alice").bridge_session));
  };
  EXPECT_TRUE(ice_restart().is_result);
  EXPECT_EQ(ice_restart().error.condition, Condition::kResourceConstraint);
  EXPECT_TRUE(terminate("alice", true).is_result) << "the budget of sessions was used up by ICE";
  ASSERT_TRUE(accept("alice").is_result);
  stage().advance(seconds{5});
  EXPECT_TRUE(ice_restart().is_result);
}

TEST_F(Session, C54_IceRestartsAreCheckedInOrder) {
  statement(54, Kind::kJicofo,
            "refuses an ICE restart that is switched off (feature-not-implemented), too frequent "
            "(resource-constraint) or of another bridge session (item-not-found), checked in this "
            "order");
  auto options = Stage::make_options();
  options.offer.in_place_ice_restart = false;
  start(options);
  meet({"alice", "bob"});
  for (int i = 0; i < 3; ++i) {  // Neither the id nor the budget is looked at.
    const Reply reply = ask("alice", request(sid("alice"), "wrong"));
    EXPECT_EQ(reply.error.condition, Condition::kFeatureNotImplemented);
    EXPECT_EQ(reply.error.text, "in-place ICE restart is disabled");
  }

  start(Stage::make_options());
  meet({"alice", "bob"});
  const Reply other = ask("alice", request(sid("alice"), "wrong"));
  EXPECT_EQ(other.error.condition, Condition::kItemNotFound);
  EXPECT_EQ(other.error.text, "wrong is not a currently active session");
  EXPECT_FALSE(proto::is_unknown_session(other.error));
  // The refused one has used the budget, and the budget comes before the id.
  EXPECT_EQ(ask("alice", request(sid("alice"), "wrong")).error.condition,
            Condition::kResourceConstraint);
  stage().advance(seconds{6});
  EXPECT_EQ(ask("alice", request(sid("alice"), std::nullopt)).error.condition,
            Condition::kItemNotFound);
  EXPECT_TRUE(bridge_told("alice").empty());
}

TEST_F(Session, C55_TheBridgesNewTransportIsRelayedOnce) {
  statement(55, Kind::kJicofo,
            "relays the bridge's new transport in a transport-info with one content and its "
            "generation, drops generations that are not newer, and relays nothing without one");
  meet({"alice", "bob"});
  const auto restart = [&](const proto::IceUdpTransport& answer) {
    stage().advance(seconds{20});
    forget();
    bridge().restarted = answer;
    EXPECT_TRUE(ask("alice", request(sid("alice"), client("alice").bridge_session)).is_result);
    const auto asked = bridge_told("alice");
    EXPECT_EQ(asked.size(), 1U);
    EXPECT_TRUE(asked.at(0).transport->ice_restart);
    EXPECT_FALSE(asked.at(0).sources);
    return told("alice");
  };
  const auto first = restart(answer_of("u1", 1));
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(first[0].action, JingleAction::kTransportInfo);
  EXPECT_EQ(first[0].sid, sid("alice"));
  ASSERT_EQ(first[0].contents.size(), 1U);
  const xml::Element encoded = proto::encode(first[0]);
  const auto* content = encoded.child("content", "urn:xmpp:jingle:1");
  EXPECT_EQ(content->attribute("name"), "audio");
  const auto* transport = content->child("transport", "urn:xmpp:jingle:transports:ice-udp:1");
  EXPECT_EQ(transport->attribute("ice-generation"), "1");
  EXPECT_EQ(transport->attribute("ufrag"), "u1");
  EXPECT_TRUE(restart(answer_of("u2", 1)).empty());
  EXPECT_TRUE(restart(answer_of("u3", std::nullopt)).empty());
  EXPECT_EQ(restart(answer_of("u4", 3)).size(), 1U);
  EXPECT_TRUE(restart(answer_of("u5", 2)).empty());
  EXPECT_EQ(state("alice"), ParticipantState::kActive);
}

TEST_F(Session, C56_ABridgeThatCannotRestartIceLeadsToANewSession) {
  statement(56, Kind::kBascule,
            "invites anew, successfully, when the bridge answers an ICE restart without a "
            "transport");
  meet({"alice", "bob"});
  ASSERT_TRUE(add("alice", {a(7)}).is_result);
  forget();
  const std::string old_sid = sid("alice");
  bridge().restarted.reset();
  EXPECT_TRUE(ask("alice", request(old_sid, client("alice").bridge_session)).is_result);
  stage().advance(seconds{1});
  const auto seen = told("alice");
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[0].action, JingleAction::kSessionTerminate);
  EXPECT_EQ(seen[0].reason->condition, proto::ReasonCondition::kSuccess);
  EXPECT_EQ(seen[0].reason->text, "moving");
  EXPECT_EQ(seen[1].action, JingleAction::kSessionInitiate);
  EXPECT_NE(seen[1].sid, old_sid);
  EXPECT_EQ(announced("bob"),
            std::vector<std::string>{R"(-{"sources":{"alice":[[],[],[{"s":7}]]}})"});
  EXPECT_TRUE(accept("alice", {a(7)}).is_result);
  EXPECT_TRUE(on_bridge("alice"));
}

}  // namespace
}  // namespace bascule::conformance
