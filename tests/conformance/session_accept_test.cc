// What clients say during a session, and how it is answered.

#include <string>
#include <vector>

#include "meeting.h"

namespace bascule::conformance {
namespace {

TEST_F(Session, C34_AnAcceptBecomesOneUpdateOfTheBridge) {
  statement(34, Kind::kJicofo,
            "forwards transport, sources and initial last-n of session-accept to the bridge in one "
            "update");
  enter("alice");
  enter("bob");
  stage().advance(seconds{1});
  forget();
  const std::string audio = "<content name='audio' creator='responder'>" +
                            description("audio", a(7, "n").xml) + transport("uf") + "</content>";
  const std::string video = video_content("<initial-last-n xmlns='jitsi:colibri2' value='25'/>" +
                                          description("video", v(1, "m").xml) + transport("uf"));
  EXPECT_TRUE(ask("alice", jingle("session-accept", sid("alice"), audio + video)).is_result);
  const auto updates = bridge_told("alice");
  ASSERT_EQ(updates.size(), 1U);
  ASSERT_TRUE(updates[0].transport && updates[0].transport->ice_udp);
  EXPECT_EQ(updates[0].transport->ice_udp->ufrag, "uf");
  EXPECT_EQ(ssrcs_of(updates[0]), (Ssrcs{7, 1}));
  EXPECT_EQ(updates[0].initial_last_n, 25);
  EXPECT_FALSE(updates[0].create);
}

TEST_F(Session, C35_TheFirstTransportCountsAndGetsRtcpMux) {
  statement(35, Kind::kJicofo,
            "takes the transport from the first content that has one, and adds rtcp-mux to it");
  enter("alice");
  enter("bob");
  stage().advance(seconds{1});
  forget();
  const std::string content =
      "<content name='audio' creator='responder'>" + description("audio", "") + "</content>" +
      video_content(description("video", "") + transport("first")) +
      "<content name='data' creator='responder'>" + transport("second") + "</content>";
  EXPECT_TRUE(ask("alice", jingle("session-accept", sid("alice"), content)).is_result);
  const auto updates = bridge_told("alice");
  ASSERT_EQ(updates.size(), 1U);
  EXPECT_EQ(updates[0].transport->ice_udp->ufrag, "first");
  const proto::ConferenceModify message{.meeting_id = "m", .endpoints = {updates[0]}};
  const xml::Element encoded = proto::encode(message);
  const auto* ice = encoded.children.at(0)
                        .child("transport", "jitsi:colibri2")
                        ->child("transport", "urn:xmpp:jingle:transports:ice-udp:1");
  ASSERT_NE(ice, nullptr);
  EXPECT_NE(ice->child("rtcp-mux", "urn:xmpp:jingle:transports:ice-udp:1"), nullptr);
}

TEST_F(Session, C36_AnAcceptMayBringNoSources) {
  statement(36, Kind::kJicofo, "takes a session-accept without sources");
  enter("alice");
  enter("bob");
  stage().advance(seconds{1});
  EXPECT_TRUE(accept("alice").is_result);
  EXPECT_EQ(state("alice"), ParticipantState::kActive);
  EXPECT_TRUE(announced("bob").empty());
}

TEST_F(Session, C37_AnAcceptIsAnsweredBeforeTheBridgeAnswers) {
  statement(37, Kind::kJicofo, "answers session-accept at once, without waiting for the bridge");
  enter("alice");
  enter("bob");
  stage().advance(seconds{1});
  ASSERT_TRUE(accept("bob").is_result);
  bridge().mood = BridgeMood::kSilent;
  const auto before = stage().now.mono;
  const std::string id = send("alice", jingle("session-accept", sid("alice"),
                                              contents_with_transport({a(7)}, transport("uf"))));
  EXPECT_EQ(stage().now.mono, before);
  EXPECT_TRUE(reply_to(id).is_result);
  EXPECT_EQ(reply_to(id).count, 1U);
  settle();
  EXPECT_EQ(count("bob", JingleAction::kSourceAdd), 1U) << "the others wait for the bridge";
}

TEST_F(Session, C38_AnAcceptWithInvalidSourcesIsRefusedAndChangesNothing) {
  statement(38, Kind::kJicofo,
            "refuses a session-accept with invalid sources with bad-request, and changes nothing "
            "for the others");
  enter("alice");
  enter("bob");
  stage().advance(seconds{1});
  ASSERT_TRUE(accept("bob").is_result);
  forget();
  const Reply reply = accept("alice", {a(7), v(1, "m"), v(2, "m")});
  EXPECT_EQ(reply.error.condition, Condition::kBadRequest);
  EXPECT_EQ(reply.error.text, "MSID is already used: m.");
  EXPECT_TRUE(announced("bob").empty());
  for (const auto& request : bridge_told("alice")) {
    EXPECT_TRUE(request.expire) << "the bridge was told of a refused accept";
  }
  EXPECT_TRUE(add("bob", {a(7), v(1, "m")}).is_result) << "the refused sources are still taken";
}

TEST_F(Session, C39_ARefusedAcceptLeavesNoEndpointAndNoSession) {
  statement(39, Kind::kBascule,
            "expires the endpoint and drops the session of a refused session-accept, without a "
            "session-terminate");
  for (const std::string& content :
       {contents_with_transport({v(1, "m"), v(2, "m")}, transport("uf")),
        contents_with_transport({raw_source(Media::kVideo, "ssrc='abc'")}, transport("uf"))}) {
    start(Stage::make_options());
    enter("alice");
    enter("bob");
    stage().advance(seconds{1});
    ASSERT_TRUE(accept("bob").is_result);
    forget();
    const std::string old_sid = sid("alice");
    const std::string request = jingle("session-accept", old_sid, content);
    EXPECT_EQ(ask("alice", request).error.condition, Condition::kBadRequest);
    EXPECT_FALSE(on_bridge("alice"));
    EXPECT_TRUE(on_bridge("bob"));
    EXPECT_EQ(count("alice", JingleAction::kSessionTerminate), 0U);
    EXPECT_EQ(ask("alice", request).error.condition, Condition::kGone);
    client("alice").sid.clear();  // The client has given up as well.
  }
}

TEST_F(Session, C38_ARefusedTransportAcceptLeavesTheSessionAlone) {
  also(38);
  meet({"alice", "bob"});
  const std::string bad = contents_with_transport({v(1, "m"), v(2, "m")}, transport("uf"));
  EXPECT_EQ(ask("alice", jingle("transport-accept", sid("alice"), bad)).error.condition,
            Condition::kBadRequest);
  EXPECT_EQ(state("alice"), ParticipantState::kActive);
  EXPECT_TRUE(bridge_told("alice").empty());
  EXPECT_TRUE(add("alice", {v(1, "m")}).is_result);
}

TEST_F(Session, C40_ASecondAcceptIsOutOfOrder) {
  statement(40, Kind::kBascule,
            "answers a session-accept that repeats an earlier one with a result, any other second "
            "one unexpected-request with out-of-order, and keeps the session");
  meet({"alice", "bob"});
  EXPECT_TRUE(accept("alice").is_result);
  EXPECT_TRUE(bridge_told("alice").empty());
  const Reply reply = accept("alice", {a(7)});
  EXPECT_EQ(reply.error.condition, Condition::kUnexpectedRequest);
  EXPECT_NE(reply.error.find_application("out-of-order", "urn:xmpp:jingle:errors:1"), nullptr);
  EXPECT_EQ(state("alice"), ParticipantState::kActive);
  EXPECT_TRUE(bridge_told("alice").empty());
  EXPECT_TRUE(announced("bob").empty());
  EXPECT_TRUE(add("alice", {a(7)}).is_result);
}

TEST_F(Session, C45_TransportInfoGoesToTheBridge) {
  statement(45, Kind::kJicofo,
            "forwards the transport of transport-info, attributes included, to the bridge, before "
            "the accept as well; without a transport it is bad-request");
  enter("alice");
  enter("bob");
  stage().advance(seconds{1});
  const auto forward = [&](const std::string& ufrag) {
    forget();
    const std::string content = "<content name='audio' creator='responder'>" +
                                transport(ufrag, "ice-generation='2'") + "</content>";
    EXPECT_TRUE(ask("alice", jingle("transport-info", sid("alice"), content)).is_result);
    const auto updates = bridge_told("alice");
    ASSERT_EQ(updates.size(), 1U);
    EXPECT_FALSE(updates[0].sources);
    const proto::ConferenceModify message{.meeting_id = "m", .endpoints = {updates[0]}};
    const xml::Element encoded = proto::encode(message);
    const auto* ice = encoded.children.at(0)
                          .child("transport", "jitsi:colibri2")
                          ->child("transport", "urn:xmpp:jingle:transports:ice-udp:1");
    ASSERT_NE(ice, nullptr);
    EXPECT_EQ(ice->attribute("ufrag"), ufrag);
    EXPECT_EQ(ice->attribute("pwd"), "secret");
    EXPECT_EQ(ice->attribute("ice-generation"), "2");
    EXPECT_EQ(ice->child("fingerprint", "urn:xmpp:jingle:apps:dtls:0")->text, "0B:D9");
  };
  EXPECT_EQ(state("alice"), ParticipantState::kInviting);
  forward("early");
  EXPECT_TRUE(accept("alice").is_result);
  forward("later");
  const Reply reply = ask("alice", jingle("transport-info", sid("alice"),
                                          "<content name='audio' creator='responder'/>"));
  EXPECT_EQ(reply.error.condition, Condition::kBadRequest);
  EXPECT_EQ(reply.error.text, "missing transport");
}

TEST_F(Session, C46_TheFormatsOfTheAnswerAreIgnored) {
  statement(46, Kind::kJicofo, "ignores formats, header extensions and senders of the answer");
  enter("alice");
  enter("bob");
  stage().advance(seconds{1});
  forget();
  const std::string content =
      "<content name='audio' creator='responder' senders='none'>" +
      description("audio",
                  "<payload-type id='0' name='PCMU'/>"
                  "<payload-type id='35' name='wild' clockrate='1' channels='7'>"
                  "<parameter value='x'/><rtcp-fb xmlns='urn:xmpp:jingle:apps:rtp:rtcp-fb:0' "
                  "type='dance'/></payload-type>"
                  "<rtp-hdrext xmlns='urn:xmpp:jingle:apps:rtp:rtp-hdrext:0' id='200' uri='u' "
                  "senders='initiator'/><crypto xmlns='x'/>" +
                      a(7).xml) +
      transport("uf") + "</content>";
  EXPECT_TRUE(ask("alice", jingle("session-accept", sid("alice"), content)).is_result);
  const auto updates = bridge_told("alice");
  ASSERT_EQ(updates.size(), 1U);
  EXPECT_TRUE(updates[0].media.empty());
  EXPECT_EQ(ssrcs_of(updates[0]), (Ssrcs{7}));
}

TEST_F(Session, C47_SessionInfoThatMeansNothingIsAcknowledged) {
  statement(47, Kind::kJicofo, "acknowledges session-info it does not know, and does nothing");
  meet({"alice", "bob"});
  for (const std::string& payload :
       {std::string(), std::string("<ringing xmlns='urn:xmpp:jingle:apps:rtp:info:1'/>"),
        std::string("<ice-state xmlns='http://jitsi.org/protocol/focus'>connected</ice-state>"),
        bridge_session(client("alice").bridge_session, ""),
        std::string("<whatever xmlns='x'><y/></whatever>")}) {
    EXPECT_TRUE(ask("alice", jingle("session-info", sid("alice"), payload)).is_result) << payload;
  }
  EXPECT_TRUE(bridge_told("alice").empty());
  EXPECT_TRUE(told("alice").empty());
  EXPECT_TRUE(told("bob").empty());
  EXPECT_EQ(state("alice"), ParticipantState::kActive);
}

}  // namespace
}  // namespace bascule::conformance
