// Requests that come too late, from others, malformed, or close together.

#include <string>
#include <vector>

#include "focus/jingle_session.h"
#include "meeting.h"

namespace bascule::conformance {
namespace {

bool is_unknown_session(const Reply& reply) {
  return reply.error.condition == Condition::kItemNotFound &&
         proto::is_unknown_session(reply.error);
}

TEST_F(Session, C41_RequestsOfReplacedSessionsAreTooLate) {
  statement(41, Kind::kJicofo,
            "answers requests of a session that was replaced gone or item-not-found");
  meet({"alice", "bob"});
  const std::string ended_by_client = sid("alice");
  stage().advance(seconds{6});
  ASSERT_TRUE(terminate("alice", true).is_result);
  ASSERT_NE(sid("alice"), ended_by_client);
  const Reply late = ask("alice", jingle("source-add", ended_by_client, contents({a(7)})));
  EXPECT_EQ(late.error.condition, Condition::kGone);
  EXPECT_EQ(late.error.text, "session ended");

  ASSERT_TRUE(accept("alice").is_result);
  const std::string ended_by_focus = sid("alice");
  stage().add_bridge("jvb2");
  stage().advance(seconds{6});
  stage().remove_bridge("jvb1");
  stage().advance(seconds{10});
  ASSERT_NE(sid("alice"), ended_by_focus);
  for (const std::string action : {"source-add", "session-accept", "session-info"}) {
    EXPECT_TRUE(is_unknown_session(ask("alice", jingle(action, ended_by_focus, contents({a(7)})))))
        << action;
  }
  EXPECT_TRUE(accept("alice").is_result) << "a late request harmed the newer session";
}

TEST_F(Session, C41_WithoutAWordToTheClientItIsToldSo) {
  also(41);
  focus::JingleSession session({}, focus::JingleSession::Sending::kAllowed);
  const Instant now{seconds{1}};
  session.invite("sid-0", now);
  session.invite("sid-1", now);
  const auto answer = [&](JingleAction action) {
    return std::get<focus::jingle::Refuse>(
               session.judge({.action = action, .sid = "sid-0"}, {}, now))
        .error;
  };
  EXPECT_EQ(answer(JingleAction::kSessionAccept).condition, Condition::kGone);
  EXPECT_EQ(answer(JingleAction::kTransportAccept).condition, Condition::kGone);
  for (const auto action : {JingleAction::kSourceAdd, JingleAction::kSourceRemove,
                            JingleAction::kSessionInfo, JingleAction::kSessionTerminate}) {
    EXPECT_EQ(answer(action).condition, Condition::kItemNotFound);
  }
}

TEST_F(Session, C42_ASidIsWorthNothingToOthers) {
  statement(42, Kind::kBascule,
            "answers item-not-found with unknown-session for a sid it does not know, or knows from "
            "another occupant");
  meet({"alice", "bob"});
  for (const std::string action :
       {"session-accept", "session-terminate", "session-info", "source-add", "source-remove",
        "transport-info", "transport-accept", "transport-reject"}) {
    const std::string content = contents_with_transport({a(7)}, transport("uf"));
    EXPECT_TRUE(is_unknown_session(ask("alice", jingle(action, "nosuchsid", content)))) << action;
    EXPECT_TRUE(is_unknown_session(ask("bob", jingle(action, sid("alice"), content)))) << action;
    EXPECT_TRUE(is_unknown_session(ask("eve", jingle(action, sid("alice"), content)))) << action;
  }
  EXPECT_EQ(state("alice"), ParticipantState::kActive);
  EXPECT_TRUE(bridge_told("alice").empty());
}

TEST_F(Session, C43_EveryRequestIsAnsweredOnceWhateverItSays) {
  statement(43, Kind::kBascule, "answers every Jingle request exactly once, malformed ones too");
  meet({"alice", "bob"});
  const auto expect = [&](Condition condition, const std::string& request) {
    const Reply reply = ask("alice", request);  // Checks that there is one answer.
    EXPECT_EQ(reply.error.condition, condition) << request;
    EXPECT_FALSE(reply.is_result);
  };
  const std::string session = sid("alice");
  expect(Condition::kBadRequest, jingle("", session, ""));
  expect(Condition::kBadRequest, jingle("dance", session, ""));
  for (const std::string action :
       {"content-accept", "content-add", "content-modify", "content-reject", "content-remove",
        "description-info", "security-info", "session-initiate", "transport-replace"}) {
    expect(Condition::kFeatureNotImplemented, jingle(action, session, ""));
  }
  expect(Condition::kBadRequest, "<jingle xmlns='urn:xmpp:jingle:1' action='source-add'/>");
  expect(Condition::kBadRequest, jingle("source-add", "", ""));
  for (const std::string action : {"source-add", "source-remove"}) {
    for (const std::string& content :
         {std::string("<content/>"), video_content("<description/>"),
          video_content(description("smell", "")), video_content(description("", "")),
          contents({raw_source(Media::kVideo, "ssrc='abc'")}), contents({group("FEC-XX", {1, 2})}),
          contents({v(1, "m", "videoType='foo'")})}) {
      if (content != video_content("<description/>")) {
        expect(Condition::kBadRequest, jingle(action, session, content));
      }
    }
  }
  expect(Condition::kBadRequest,
         jingle("transport-info", session,
                video_content("<transport xmlns='urn:xmpp:jingle:transports:ice-udp:1'>"
                              "<candidate port='x'/></transport>")));
  // Who has no session learns that, whatever the rest looks like.
  EXPECT_TRUE(is_unknown_session(ask("alice", jingle("source-add", "nosuch", "<content/>"))));
  EXPECT_TRUE(is_unknown_session(ask("eve", jingle("source-add", session, "<content/>"))));
  EXPECT_EQ(state("alice"), ParticipantState::kActive);
  EXPECT_TRUE(bridge_told("alice").empty());
  EXPECT_TRUE(announced("bob").empty());
}

TEST_F(Session, C43_OneRequestMakesOneAnswerInEveryState) {
  also(43);
  enter("alice");
  enter("bob");
  stage().advance(seconds{1});
  const std::string broken = contents({raw_source(Media::kAudio, "ssrc='-'")});
  EXPECT_EQ(ask("alice", jingle("source-add", sid("alice"), broken)).error.condition,
            Condition::kBadRequest);
  EXPECT_EQ(state("alice"), ParticipantState::kInviting);
  EXPECT_TRUE(accept("alice").is_result);
  EXPECT_TRUE(terminate("alice", false).is_result);
  EXPECT_EQ(ask("alice", jingle("source-add", client("alice").sids.back(), broken)).error.condition,
            Condition::kGone);
}

TEST_F(Session, C44_RequestsOfASessionTakeEffectInTheOrderTheyCame) {
  statement(44, Kind::kJicofo, "processes the requests of one session in the order they came");
  meet({"alice", "bob"});
  bridge().mood = BridgeMood::kHolds;  // Nothing is confirmed in between.
  const std::vector<std::string> ids = {
      send("alice", jingle("source-add", sid("alice"), contents({a(7, "n")}))),
      send("alice", jingle("source-remove", sid("alice"), contents({a(7)}))),
      send("alice", jingle("source-add", sid("alice"), contents({a(8, "n")}))),  // Same msid.
      send("alice", jingle("source-add", sid("alice"), contents({a(8, "x")}))),  // Taken already.
      send("alice", jingle("source-add", sid("alice"), contents({a(9, "o")})))};
  std::size_t last = 0;
  for (const auto& id : ids) {
    const std::size_t at = position([&](const auto& sent) { return is_answer(sent, id); });
    EXPECT_GT(at, last);
    last = at;
    EXPECT_EQ(reply_to(id).count, 1U);
  }
  EXPECT_TRUE(reply_to(ids[0]).is_result);
  EXPECT_TRUE(reply_to(ids[1]).is_result);
  EXPECT_TRUE(reply_to(ids[2]).is_result);
  EXPECT_EQ(reply_to(ids[3]).error.condition, Condition::kBadRequest);
  EXPECT_TRUE(reply_to(ids[4]).is_result);
  std::vector<Ssrcs> seen;
  for (const auto& endpoint : bridge_told("alice")) {
    seen.push_back(ssrcs_of(endpoint));
  }
  EXPECT_EQ(seen, (std::vector<Ssrcs>{{7}, {}, {8}, {8, 9}}));
}

TEST_F(Session, C44_AnUpdateThatIsRepeatedDoesNotOvertakeANewerOne) {
  also(44);
  meet({"alice", "bob"});
  bridge().mood = BridgeMood::kHolds;
  EXPECT_TRUE(add("alice", {a(7)}).is_result);
  EXPECT_EQ(bridge().held.size(), 1U);
  bridge().held.clear();  // Lost on the way.
  bridge().mood = BridgeMood::kAnswers;
  stage().advance(seconds{5});
  EXPECT_TRUE(add("alice", {a(8)}).is_result);
  stage().advance(seconds{12});  // The first one times out now.
  EXPECT_EQ(state("alice"), ParticipantState::kActive);
  Ssrcs last;
  for (const auto& endpoint : bridge_told("alice")) {
    last = endpoint.sources ? ssrcs_of(endpoint) : last;
  }
  EXPECT_EQ(last, (Ssrcs{7, 8}));
}

}  // namespace
}  // namespace bascule::conformance
