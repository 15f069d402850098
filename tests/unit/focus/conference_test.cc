#include <gtest/gtest.h>

#include "stage.h"

namespace bascule::focus {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class ConferenceTest : public ::testing::Test {
 protected:
  ConferenceTest() {
    stage.start_all();
    stage.add_bridge("jvb1");
    stage.add_bridge("jvb2");
    stage.advance(seconds{6});
  }
  ~ConferenceTest() override { EXPECT_EQ(stage.focus.counters().bugs, 0U); }

  /// A room with these members, all in a session.
  void meet(const std::string& room, const std::vector<std::string>& nicks) {
    stage.meet(room, nicks);
  }

  Stage stage;
};

TEST_F(ConferenceTest, FirstParticipantWaitsAndTheSecondBringsBothToOneBridge) {
  const std::string id = stage.ask("tea");
  EXPECT_TRUE(stage.answered_ready(id));
  stage.join("tea", "alice");
  stage.advance(seconds{1});
  EXPECT_EQ(stage.state_of("tea", "alice"), ParticipantState::kWaiting);
  EXPECT_TRUE(stage.colibri.empty());

  stage.join("tea", "bob");
  stage.advance(seconds{1});
  EXPECT_EQ(stage.state_of("tea", "alice"), ParticipantState::kActive);
  EXPECT_EQ(stage.state_of("tea", "bob"), ParticipantState::kActive);
  EXPECT_EQ(stage.bridge_of("tea", "alice"), stage.bridge_of("tea", "bob"));
  const auto& bridge = stage.bridges.at(*stage.bridge_of("tea", "alice"));
  EXPECT_EQ(bridge.meetings.at("meeting-tea"), (std::set<std::string>{"alice", "bob"}));
  EXPECT_EQ(stage.focus.counters().owners_granted, 1U);
  // Each learned of the other's source: in the offer or by source-add.
  EXPECT_GE(stage.client("tea", "alice").source_adds + stage.client("tea", "bob").source_adds, 1U);
  EXPECT_EQ(stage.tables.conferences.size(), 1U);
  EXPECT_EQ(stage.tables.conferences.begin()->second.participants.size(), 2U);
}

TEST_F(ConferenceTest, TenParticipantsShareOneBridge) {
  std::vector<std::string> nicks;
  nicks.reserve(10);
  for (int i = 0; i < 10; ++i) {
    nicks.push_back("user" + std::to_string(i));
  }
  meet("large", nicks);
  for (const auto& nick : nicks) {
    EXPECT_EQ(stage.state_of("large", nick), ParticipantState::kActive) << nick;
    EXPECT_EQ(stage.bridge_of("large", nick), stage.bridge_of("large", "user0"));
    EXPECT_EQ(stage.client("large", nick).sids.size(), 1U);
  }
  EXPECT_EQ(stage.focus.session_count(), 10U);
}

TEST_F(ConferenceTest, LeavingExpiresTheEndpointAndTheLastOneTheConference) {
  meet("tea", {"alice", "bob", "carol"});
  Stage::Bridge& bridge = stage.bridges.at(*stage.bridge_of("tea", "alice"));
  stage.leave("tea", "carol");
  EXPECT_EQ(bridge.meetings.at("meeting-tea"), (std::set<std::string>{"alice", "bob"}));
  stage.leave("tea", "bob");
  stage.leave("tea", "alice");
  stage.advance(seconds{1});
  EXPECT_TRUE(bridge.meetings.empty());
  EXPECT_EQ(stage.focus.conference_count(), 0U);
  EXPECT_FALSE(stage.room("tea").focus_in);
  EXPECT_TRUE(stage.tables.conferences.empty());
  EXPECT_EQ(stage.focus.placement().bridges(stage.now)[0].participants, 0U);
}

TEST_F(ConferenceTest, AloneForTooLongLosesTheSessionAndGetsANewOneWithCompany) {
  meet("tea", {"alice", "bob"});
  stage.leave("tea", "bob");
  stage.advance(seconds{19});
  EXPECT_EQ(stage.state_of("tea", "alice"), ParticipantState::kActive);
  stage.advance(seconds{2});
  EXPECT_EQ(stage.state_of("tea", "alice"), ParticipantState::kWaiting);
  EXPECT_EQ(stage.client("tea", "alice").sid, "");
  stage.join("tea", "bob");
  stage.advance(seconds{1});
  EXPECT_EQ(stage.state_of("tea", "alice"), ParticipantState::kActive);
  EXPECT_EQ(stage.client("tea", "alice").sids.size(), 2U);
}

TEST_F(ConferenceTest, ARoomNobodyEntersIsLeft) {
  stage.ask("empty");
  stage.advance(seconds{14});
  EXPECT_EQ(stage.focus.conference_count(), 1U);
  stage.ask("empty");  // Somebody asked again: a little longer.
  stage.advance(seconds{14});
  EXPECT_EQ(stage.focus.conference_count(), 1U);
  stage.advance(seconds{2});
  EXPECT_EQ(stage.focus.conference_count(), 0U);
  EXPECT_FALSE(stage.room("empty").focus_in);
}

TEST_F(ConferenceTest, TheEchoOfAnEarlierLeaveDoesNotEndTheNextStay) {
  stage.silent_rooms = true;
  const auto asked = stage.ask("tea");
  proto::MucPresence own;
  own.from = Jid::parse("tea@conference.example.net/focus").value();
  own.statuses = {proto::kStatusSelfPresence};
  own.type = proto::PresenceType::kUnavailable;
  stage.give(in::PresenceReceived{StreamId::kClient, own});
  EXPECT_EQ(stage.focus.conference_count(), 1U);
  own.type = proto::PresenceType::kAvailable;
  stage.room("tea").focus_in = true;
  stage.give(in::PresenceReceived{StreamId::kClient, own});
  EXPECT_TRUE(stage.answered_ready(asked));
}

TEST_F(ConferenceTest, RefusedInvitationIsRepeatedWhileTheMemberStays) {
  stage.ask("tea");
  stage.room("tea").clients["bob"].mood = Stage::ClientMood::kRefuses;
  stage.join("tea", "bob");
  stage.join("tea", "alice");
  stage.advance(seconds{1});
  EXPECT_EQ(stage.focus.counters().invites_refused, 1U);
  EXPECT_EQ(stage.state_of("tea", "bob"), ParticipantState::kBackoff);
  stage.advance(seconds{30});  // Again after 2, 4, 8, 8, 8 s.
  EXPECT_EQ(stage.focus.counters().invites_refused, 6U);
  EXPECT_EQ(stage.state_of("tea", "alice"), ParticipantState::kActive);
  stage.client("tea", "bob").mood = Stage::ClientMood::kAccepts;
  stage.advance(seconds{10});
  EXPECT_EQ(stage.state_of("tea", "bob"), ParticipantState::kActive);
}

TEST_F(ConferenceTest, AnOfferThatIsNotAcceptedIsWithdrawnAndRepeated) {
  stage.ask("tea");
  stage.join("tea", "alice");
  stage.room("tea").clients["bob"].real_jid = "bob@example.net/web";
  stage.client("tea", "bob").mood = Stage::ClientMood::kIgnores;
  stage.join("tea", "bob");
  stage.advance(seconds{31});
  EXPECT_EQ(stage.focus.counters().accept_timeouts, 1U);
  EXPECT_EQ(stage.state_of("tea", "bob"), ParticipantState::kBackoff);
  EXPECT_EQ(stage.client("tea", "bob").sid, "");
  const auto& bridge = stage.bridges.at(*stage.bridge_of("tea", "alice"));
  EXPECT_EQ(bridge.meetings.at("meeting-tea"), std::set<std::string>{"alice"});
  stage.client("tea", "bob").mood = Stage::ClientMood::kAccepts;
  stage.advance(seconds{3});
  EXPECT_EQ(stage.state_of("tea", "bob"), ParticipantState::kActive);
}

TEST_F(ConferenceTest, ClientsThatDoNotTellTheirFeaturesAreInvitedWithWhatIsAssumed) {
  stage.features_known = false;
  stage.ask("tea");
  stage.join("tea", "alice");
  stage.join("tea", "bob");
  stage.advance(seconds{14});
  EXPECT_EQ(stage.state_of("tea", "bob"), ParticipantState::kDiscovering);
  stage.advance(seconds{3});
  EXPECT_EQ(stage.state_of("tea", "bob"), ParticipantState::kActive);
}

TEST_F(ConferenceTest, ATransportAcceptWithSourcesThatAreRefusedLeavesTheSession) {
  meet("tea", {"alice", "bob"});
  proto::Content content{.name = "audio", .description = proto::RtpDescription{}};
  for (const char* msid : {"one", "two"}) {
    content.description->sources.push_back({.ssrc = Ssrc(7), .msid = msid});
  }
  proto::Jingle accept{.action = proto::JingleAction::kTransportAccept,
                       .sid = stage.client("tea", "alice").sid,
                       .contents = {content}};
  EXPECT_EQ(stage.refused_with(stage.jingle("tea", "alice", accept)),
            proto::Condition::kBadRequest);
  stage.focus.check_invariants();
  accept.contents[0].description->sources.pop_back();
  EXPECT_EQ(stage.refused_with(stage.jingle("tea", "alice", accept)), std::nullopt);
  EXPECT_EQ(stage.state_of("tea", "alice"), ParticipantState::kActive);
}

TEST_F(ConferenceTest, RestartGetsANewSessionAndAbuseIsRefused) {
  meet("tea", {"alice", "bob"});
  const auto terminate = [&](const std::string& nick) {
    Stage::Client& client = stage.client("tea", nick);
    proto::Jingle jingle;
    jingle.action = proto::JingleAction::kSessionTerminate;
    jingle.sid = std::exchange(client.sid, "");
    jingle.bridge_session = proto::BridgeSession{.id = client.bridge_session, .restart = true};
    return stage.jingle("tea", nick, jingle);
  };
  const std::string first = terminate("alice");
  EXPECT_EQ(stage.refused_with(first), std::nullopt);
  stage.advance(seconds{1});
  EXPECT_EQ(stage.client("tea", "alice").sids.size(), 2U);
  EXPECT_EQ(stage.state_of("tea", "alice"), ParticipantState::kActive);
  const std::string second = terminate("alice");  // Within the 5 s between two restarts.
  EXPECT_EQ(stage.refused_with(second), proto::Condition::kResourceConstraint);
  stage.advance(seconds{9});
  EXPECT_EQ(stage.state_of("tea", "alice"), ParticipantState::kDetached);
  stage.advance(seconds{2});
  EXPECT_EQ(stage.state_of("tea", "alice"), ParticipantState::kActive);
  EXPECT_EQ(stage.state_of("tea", "bob"), ParticipantState::kActive);
}

TEST_F(ConferenceTest, JingleOfStrangersAndOfUnknownSessionsIsAnsweredAndChangesNothing) {
  meet("tea", {"alice", "bob"});
  proto::Jingle jingle;
  jingle.action = proto::JingleAction::kSessionTerminate;
  jingle.sid = stage.client("tea", "alice").sid;
  // A sid of somebody else is unknown, for members and strangers alike.
  EXPECT_EQ(stage.refused_with(stage.jingle("tea", "bob", jingle)),
            proto::Condition::kItemNotFound);
  EXPECT_EQ(stage.refused_with(stage.jingle("tea", "eve", jingle)),
            proto::Condition::kItemNotFound);
  EXPECT_EQ(stage.refused_with(stage.jingle("nowhere", "alice", jingle)),
            proto::Condition::kItemNotFound);
  EXPECT_EQ(stage.state_of("tea", "alice"), ParticipantState::kActive);
  EXPECT_EQ(
      stage.refused_with(stage.iq(StreamId::kClient, "eve@example.net/x", proto::UnknownRequest{})),
      proto::Condition::kServiceUnavailable);
  EXPECT_EQ(stage.refused_with(stage.iq(StreamId::kRequests, "eve@example.net/x", jingle)),
            proto::Condition::kServiceUnavailable);
}

TEST_F(ConferenceTest, LateAndDuplicateAnswersAreHarmless) {
  meet("tea", {"alice", "bob"});
  for (std::uint64_t request = 1; request < 60; ++request) {
    stage.give(in::IqAnswer{RequestId(request), proto::Answer(proto::Empty{})});
  }
  EXPECT_GE(stage.focus.counters().answers_unexpected, 50U);
  EXPECT_EQ(stage.state_of("tea", "alice"), ParticipantState::kActive);
  stage.leave("tea", "alice");
  stage.leave("tea", "bob");
  stage.advance(seconds{1});
  EXPECT_EQ(stage.focus.conference_count(), 0U);
}

TEST_F(ConferenceTest, NobodyPosesAsTheBridge) {
  meet("tea", {"alice", "jvb", "bob"});
  EXPECT_EQ(stage.state_of("tea", "jvb"), ParticipantState::kGone);
  EXPECT_EQ(stage.focus.counters().participants_refused, 1U);
  EXPECT_EQ(stage.state_of("tea", "bob"), ParticipantState::kActive);
}

TEST_F(ConferenceTest, PresenceOfTheFocusIsCoalescedAndNeverJoinsAgain) {
  meet("tea", {"alice", "bob"});
  std::size_t joins = 0;
  std::size_t updates = 0;
  for (const auto& presence : stage.room_presences) {
    (presence.join ? joins : updates) += 1;
  }
  EXPECT_EQ(joins, 1U);
  EXPECT_EQ(updates, 2U);  // On entering, and the first bridge.
  const auto& properties = stage.room_presences.back().focus.conference_properties;
  EXPECT_EQ(properties.at("support-terminate-restart"), "true");
  EXPECT_EQ(properties.at("bridge-count"), "1");
  EXPECT_FALSE(stage.room_presences.back().focus.bridge_not_available);
}

}  // namespace
}  // namespace bascule::focus
