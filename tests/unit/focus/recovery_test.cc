#include <gtest/gtest.h>

#include "stage.h"

namespace bascule::focus {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class RecoveryTest : public ::testing::Test {
 protected:
  RecoveryTest() {
    stage.start_all();
    for (const char* nick : {"jvb1", "jvb2", "jvb3"}) {
      stage.add_bridge(nick);
    }
    stage.advance(seconds{6});
  }
  ~RecoveryTest() override { EXPECT_EQ(stage.focus.counters().bugs, 0U); }

  void meet(const std::string& room, const std::vector<std::string>& nicks) {
    stage.meet(room, nicks);
  }
  void report_all() {
    for (const auto& [nick, bridge] : stage.bridges) {
      if (bridge.in_brewery) {
        stage.report(nick, "0.1");
      }
    }
  }

  /// Theirs last, so that there is nowhere to go.
  void remove_all_bridges() {
    const std::string home = *stage.bridge_of("tea", "alice");
    for (const char* nick : {"jvb1", "jvb2", "jvb3"}) {
      if (nick != home) {
        stage.remove_bridge(nick);
      }
    }
    stage.remove_bridge(home);
  }

  Stage stage;
};

TEST_F(RecoveryTest, DeathOfABridgeMovesItsParticipantsToAnother) {
  meet("tea", {"alice", "bob"});
  const std::string dead = *stage.bridge_of("tea", "alice");
  const std::string old_sid = stage.client("tea", "alice").sid;
  stage.remove_bridge(dead);
  stage.advance(seconds{3});
  for (const char* nick : {"alice", "bob"}) {
    EXPECT_EQ(stage.state_of("tea", nick), ParticipantState::kActive);
    EXPECT_NE(stage.bridge_of("tea", nick), dead);
    EXPECT_EQ(stage.client("tea", nick).terminated, 1U);
    EXPECT_EQ(stage.client("tea", nick).sids.size(), 2U);
  }
  EXPECT_NE(stage.client("tea", "alice").sid, old_sid);
  EXPECT_EQ(stage.focus.counters().moves, 2U);
}

TEST_F(RecoveryTest, WithoutABridgeParticipantsWaitAndKeepWhatTheyHave) {
  meet("tea", {"alice", "bob"});
  remove_all_bridges();
  stage.advance(seconds{5});
  EXPECT_EQ(stage.state_of("tea", "alice"), ParticipantState::kMoving);
  EXPECT_EQ(stage.client("tea", "alice").terminated, 0U);
  stage.add_bridge("jvb4");
  stage.advance(seconds{5});
  EXPECT_EQ(stage.state_of("tea", "alice"), ParticipantState::kActive);
  EXPECT_EQ(stage.bridge_of("tea", "bob"), "jvb4");
}

TEST_F(RecoveryTest, ARestartAskedForWhileMovingIsNotRefused) {
  meet("tea", {"alice", "bob"});
  remove_all_bridges();
  Stage::Client& alice = stage.client("tea", "alice");
  proto::Jingle jingle;
  jingle.action = proto::JingleAction::kSessionTerminate;
  jingle.sid = std::exchange(alice.sid, "");
  jingle.bridge_session = proto::BridgeSession{.id = alice.bridge_session, .restart = true};
  EXPECT_EQ(stage.refused_with(stage.jingle("tea", "alice", jingle)), std::nullopt);
  EXPECT_EQ(stage.state_of("tea", "alice"), ParticipantState::kQueued);
  stage.add_bridge("jvb4");
  stage.advance(seconds{5});
  EXPECT_EQ(stage.state_of("tea", "alice"), ParticipantState::kActive);
}

TEST_F(RecoveryTest, NobodyIsMovedWhileTheClientLinkIsDown) {
  meet("tea", {"alice", "bob"});
  stage.down(StreamId::kClient);
  stage.remove_bridge(*stage.bridge_of("tea", "alice"));
  stage.advance(seconds{10});
  EXPECT_EQ(stage.state_of("tea", "alice"), ParticipantState::kMoving);
  EXPECT_EQ(stage.focus.counters().moves, 0U);
  stage.up(StreamId::kClient, true);
  stage.advance(seconds{5});
  EXPECT_EQ(stage.state_of("tea", "alice"), ParticipantState::kActive);
  EXPECT_EQ(stage.client("tea", "alice").terminated, 1U);
}

/// First the bridge of an offer dies, then the link that would bring the answer to the offer.
TEST_F(RecoveryTest, AnOfferThatFailsWhileItsParticipantIsToMoveIsOver) {
  meet("tea", {"alice"});
  stage.room("tea").clients["bob"].real_jid = "bob@example.net/web";
  stage.client("tea", "bob").mood = Stage::ClientMood::kHolds;
  stage.join("tea", "bob");
  stage.advance(seconds{1});
  ASSERT_EQ(stage.state_of("tea", "bob"), ParticipantState::kInviting);
  for (auto& [nick, bridge] : stage.bridges) {
    stage.remove_bridge(nick);
  }
  ASSERT_EQ(stage.state_of("tea", "bob"), ParticipantState::kMoving);
  stage.down(StreamId::kClient);
  EXPECT_EQ(stage.state_of("tea", "bob"), ParticipantState::kQueued);
  stage.focus.check_invariants();

  stage.client("tea", "bob").mood = Stage::ClientMood::kAccepts;
  stage.up(StreamId::kClient, true);
  stage.add_bridge("jvb9");
  stage.advance(seconds{30});
  EXPECT_EQ(stage.state_of("tea", "bob"), ParticipantState::kActive);
  EXPECT_EQ(stage.client("tea", "bob").terminated, 1U) << "of the offer that had arrived";
  stage.focus.check_invariants();
}

TEST_F(RecoveryTest, ARequestForAForgottenRoomGetsANewConference) {
  meet("tea", {"alice", "bob"});
  stage.down(StreamId::kClient);
  stage.room("tea").clients.clear();
  stage.room("tea").focus_in = false;
  stage.advance(seconds{1});
  stage.silent_probes = true;
  stage.up(StreamId::kClient);
  const std::string id = stage.ask("tea");
  EXPECT_FALSE(stage.answers.contains(id));
  stage.answer_probes();
  stage.advance(milliseconds{50});
  EXPECT_TRUE(stage.answered_ready(id));
  EXPECT_EQ(stage.focus.counters().rooms_vanished, 1U);
  EXPECT_EQ(stage.focus.participant_count(), 0U);
}

TEST_F(RecoveryTest, ASilentBridgeIsFoundOutAndLeft) {
  meet("tea", {"alice", "bob"});
  const std::string dead = *stage.bridge_of("tea", "alice");
  stage.bridges.at(dead).mood = Stage::BridgeMood::kSilent;
  for (int i = 0; i < 14; ++i) {
    stage.advance(seconds{5});
    for (const auto& [nick, bridge] : stage.bridges) {
      if (nick != dead) {
        stage.report(nick, "0.1");
      }
    }
  }
  EXPECT_EQ(stage.state_of("tea", "alice"), ParticipantState::kActive);
  EXPECT_NE(stage.bridge_of("tea", "alice"), dead);
}

TEST_F(RecoveryTest, ABridgeThatRefusesIsAvoidedAndNobodyIsLost) {
  for (auto& [nick, bridge] : stage.bridges) {
    bridge.mood = nick == "jvb2" ? Stage::BridgeMood::kAnswers : Stage::BridgeMood::kSaysNo;
  }
  stage.ask("tea");
  stage.join("tea", "alice");
  stage.join("tea", "bob");
  for (int i = 0; i < 24; ++i) {
    stage.advance(seconds{5});
    report_all();
  }
  EXPECT_EQ(stage.state_of("tea", "alice"), ParticipantState::kActive);
  EXPECT_EQ(stage.bridge_of("tea", "alice"), "jvb2");
  EXPECT_EQ(stage.bridge_of("tea", "bob"), "jvb2");
}

TEST_F(RecoveryTest, AResumedClientLinkChangesNothing) {
  meet("tea", {"alice", "bob"});
  const auto presences = stage.room_presences.size();
  stage.down(StreamId::kClient);
  stage.advance(seconds{3});
  EXPECT_GE(stage.opened[StreamId::kClient], 2U);
  stage.up(StreamId::kClient, true);
  stage.advance(seconds{1});
  EXPECT_EQ(stage.room_presences.size(), presences);
  EXPECT_EQ(stage.state_of("tea", "alice"), ParticipantState::kActive);
  EXPECT_EQ(stage.client("tea", "alice").sids.size(), 1U);
}

TEST_F(RecoveryTest, WithoutResumptionTheRoomIsEnteredAgainAndCompared) {
  meet("tea", {"alice", "bob", "carol"});
  stage.down(StreamId::kClient);
  stage.leave("tea", "carol");
  stage.room("tea").focus_in = false;
  stage.room("tea").clients.erase("carol");
  stage.room("tea").clients["dave"].real_jid = "dave@example.net/web";
  stage.advance(seconds{2});
  stage.up(StreamId::kClient);
  stage.advance(seconds{2});
  EXPECT_EQ(stage.state_of("tea", "alice"), ParticipantState::kActive);
  EXPECT_EQ(stage.client("tea", "alice").sids.size(), 1U);
  EXPECT_EQ(stage.state_of("tea", "carol"), ParticipantState::kGone);
  EXPECT_EQ(stage.state_of("tea", "dave"), ParticipantState::kActive);
  for (const auto& presence : stage.room_presences) {
    EXPECT_NE(presence.type, proto::PresenceType::kUnavailable);
  }
}

TEST_F(RecoveryTest, RoomsTheServerForgotAreEndedAndTheirBridgesCleaned) {
  meet("tea", {"alice", "bob"});
  meet("milk", {"carol", "dave"});
  stage.down(StreamId::kClient);
  for (const char* name : {"tea", "milk"}) {
    stage.room(name).clients.clear();
    stage.room(name).focus_in = false;
  }
  stage.advance(seconds{1});
  stage.up(StreamId::kClient);
  stage.advance(seconds{2});
  EXPECT_EQ(stage.focus.conference_count(), 0U);
  EXPECT_EQ(stage.focus.counters().rooms_vanished, 2U);
  for (const auto& [nick, bridge] : stage.bridges) {
    EXPECT_TRUE(bridge.meetings.empty()) << nick;
  }
  // Nobody's room was created anew just to be left.
  EXPECT_FALSE(stage.room("tea").focus_in);
  EXPECT_TRUE(stage.tables.conferences.empty());
  meet("tea", {"alice", "bob"});
  EXPECT_EQ(stage.state_of("tea", "alice"), ParticipantState::kActive);
}

TEST_F(RecoveryTest, ALinkThatStaysAwayEndsTheConferences) {
  meet("tea", {"alice", "bob"});
  stage.down(StreamId::kClient);
  stage.advance(seconds{119});
  EXPECT_EQ(stage.focus.conference_count(), 1U);
  stage.advance(seconds{2});
  EXPECT_EQ(stage.focus.conference_count(), 0U);
  stage.advance(seconds{1});
  for (const auto& [nick, bridge] : stage.bridges) {
    EXPECT_TRUE(bridge.meetings.empty()) << nick;
  }
}

TEST_F(RecoveryTest, LossOfTheServiceLinkBlamesNoBridge) {
  meet("tea", {"alice", "bob"});
  stage.down(StreamId::kService);
  stage.advance(seconds{30});
  EXPECT_EQ(stage.state_of("tea", "alice"), ParticipantState::kActive);
  EXPECT_EQ(stage.focus.counters().bridges_lost, 0U);
  stage.up(StreamId::kService);
  stage.advance(seconds{30});
  EXPECT_EQ(stage.focus.counters().bridges_lost, 0U);
  EXPECT_EQ(stage.client("tea", "alice").sids.size(), 1U);
  stage.join("tea", "carol");
  stage.advance(seconds{2});
  EXPECT_EQ(stage.state_of("tea", "carol"), ParticipantState::kActive);
}

TEST_F(RecoveryTest, ABridgeThatDoesNotComeBackWithTheBreweryIsLost) {
  meet("tea", {"alice", "bob"});
  const std::string dead = *stage.bridge_of("tea", "alice");
  stage.down(StreamId::kService);
  stage.bridges.at(dead).in_brewery = false;
  stage.advance(seconds{2});
  stage.up(StreamId::kService);
  for (int i = 0; i < 6; ++i) {
    stage.advance(seconds{5});
    report_all();
  }
  EXPECT_EQ(stage.state_of("tea", "alice"), ParticipantState::kActive);
  EXPECT_NE(stage.bridge_of("tea", "alice"), dead);
}

TEST_F(RecoveryTest, ANewProcessContinuesFromTheTables) {
  meet("tea", {"alice", "bob"});
  const std::string sid = stage.client("tea", "alice").sid;
  stage.crash_and_restore();
  EXPECT_EQ(stage.focus.conference_count(), 1U);
  EXPECT_EQ(stage.state_of("tea", "alice"), ParticipantState::kActive);
  stage.start_all();
  report_all();
  stage.advance(seconds{2});
  EXPECT_EQ(stage.client("tea", "alice").sid, sid);
  EXPECT_EQ(stage.client("tea", "alice").sids.size(), 1U);
  stage.join("tea", "carol");
  stage.advance(seconds{3});
  EXPECT_EQ(stage.state_of("tea", "carol"), ParticipantState::kActive);
  EXPECT_EQ(stage.bridge_of("tea", "carol"), stage.bridge_of("tea", "alice"));
  stage.leave("tea", "bob");
  stage.leave("tea", "alice");
  stage.leave("tea", "carol");
  stage.advance(seconds{1});
  EXPECT_EQ(stage.focus.conference_count(), 0U);
  for (const auto& [nick, bridge] : stage.bridges) {
    EXPECT_TRUE(bridge.meetings.empty()) << nick;
  }
}

TEST_F(RecoveryTest, ANewProcessTellsBridgesHowToReachWhoHadJustAccepted) {
  meet("tea", {"alice", "bob"});
  std::map<std::string, proto::IceUdpTransport> told;
  const auto listen = [&] {
    told.clear();
    for (const auto& message : stage.colibri) {
      for (const auto& endpoint : message.endpoints) {
        if (!endpoint.create && endpoint.transport && endpoint.transport->ice_udp) {
          told[endpoint.id] = *endpoint.transport->ice_udp;
        }
      }
    }
    return told.at("alice");
  };
  const proto::IceUdpTransport before = listen();
  EXPECT_TRUE(before.ufrag.has_value());
  stage.crash_and_restore();
  stage.colibri.clear();
  stage.start_all();
  report_all();
  stage.advance(seconds{2});
  EXPECT_EQ(listen(), before);
}

// They come again with the answer to the next offer.
TEST_F(RecoveryTest, SourcesOfASessionThatANewProcessWillReplaceAreNotRefused) {
  meet("tea", {"alice", "bob"});
  remove_all_bridges();
  stage.advance(seconds{5});
  proto::Jingle change;
  change.action = proto::JingleAction::kSourceRemove;
  change.sid = stage.client("tea", "alice").sid;
  stage.crash_and_restore();
  const std::string known = stage.jingle("tea", "alice", change);
  ASSERT_EQ(stage.answers.count(known), 1U);
  EXPECT_EQ(stage.refused_with(known), std::nullopt);
  change.sid = "another";
  EXPECT_EQ(stage.refused_with(stage.jingle("tea", "alice", change)),
            proto::Condition::kItemNotFound);
}

TEST_F(RecoveryTest, ABridgeThatRestartedUnseenIsFoundOutAfterTheLinkIsBack) {
  meet("tea", {"alice", "bob"});
  const std::string restarted = *stage.bridge_of("tea", "alice");
  stage.crash_and_restore();
  stage.bridges.at(restarted).meetings.clear();
  stage.unexpected_meetings = true;
  stage.start_all();
  report_all();
  stage.advance(seconds{5});
  EXPECT_EQ(stage.state_of("tea", "alice"), ParticipantState::kActive);
  EXPECT_EQ(stage.client("tea", "alice").sids.size(), 2U);
  const auto& bridge = stage.bridges.at(*stage.bridge_of("tea", "alice"));
  EXPECT_EQ(bridge.meetings.at("meeting-tea"), (std::set<std::string>{"alice", "bob"}));
}

TEST_F(RecoveryTest, WhatALostLinkLeftOnABridgeIsExpiredWhenTheLinkIsBack) {
  meet("tea", {"alice", "bob", "carol"});
  const auto& bridge = stage.bridges.at(*stage.bridge_of("tea", "alice"));
  stage.down(StreamId::kService);
  stage.leave("tea", "carol");
  EXPECT_TRUE(bridge.meetings.at("meeting-tea").contains("carol"));
  stage.up(StreamId::kService);
  report_all();
  stage.advance(seconds{10});
  EXPECT_EQ(bridge.meetings.at("meeting-tea"), (std::set<std::string>{"alice", "bob"}));
}

TEST_F(RecoveryTest, AMeetingThatEndedWithoutTheLinkIsExpiredLater) {
  meet("tea", {"alice", "bob"});
  const auto& bridge = stage.bridges.at(*stage.bridge_of("tea", "alice"));
  stage.down(StreamId::kService);
  stage.leave("tea", "alice");
  stage.leave("tea", "bob");
  EXPECT_EQ(stage.focus.conference_count(), 0U);
  stage.up(StreamId::kService);
  report_all();
  stage.advance(seconds{10});
  EXPECT_TRUE(bridge.meetings.empty());
}

TEST_F(RecoveryTest, ASilentBridgeIsAskedAgainToExpire) {
  meet("tea", {"alice", "bob"});
  auto& bridge = stage.bridges.at(*stage.bridge_of("tea", "alice"));
  bridge.mood = Stage::BridgeMood::kSilent;
  stage.leave("tea", "alice");
  stage.leave("tea", "bob");
  for (int i = 0; i < 5; ++i) {
    report_all();
    stage.advance(seconds{4});
  }
  EXPECT_FALSE(bridge.meetings.empty());
  bridge.mood = Stage::BridgeMood::kAnswers;
  for (int i = 0; i < 5; ++i) {
    report_all();
    stage.advance(seconds{4});
  }
  EXPECT_TRUE(bridge.meetings.empty());
}

// A web client makes a second media line of a source it is told about twice.
TEST_F(RecoveryTest, ANewProcessDoesNotRepeatWhatClientsKnow) {
  meet("tea", {"alice", "bob"});
  const std::size_t before = stage.client("tea", "bob").source_adds;
  stage.crash_and_restore();
  stage.start_all();
  report_all();
  stage.advance(seconds{5});
  EXPECT_EQ(stage.client("tea", "bob").source_adds, before);
  EXPECT_EQ(stage.client("tea", "bob").sids.size(), 1U);
}

TEST_F(RecoveryTest, ANewProcessDropsWhoLeftMeanwhile) {
  meet("tea", {"alice", "bob", "carol"});
  stage.crash_and_restore();
  stage.room("tea").clients.erase("carol");
  stage.start_all();
  stage.advance(seconds{2});
  EXPECT_EQ(stage.state_of("tea", "carol"), ParticipantState::kGone);
  EXPECT_EQ(stage.state_of("tea", "bob"), ParticipantState::kActive);
  EXPECT_EQ(stage.tables.conferences.begin()->second.participants.size(), 2U);
}

TEST_F(RecoveryTest, ASessionThatCannotBeResumedEndsWhenItsRoomsAreEntered) {
  meet("tea", {"alice", "bob"});
  meet("coffee", {"carol"});
  const Jid left_behind = Jid::parse("focus@auth.example.net/earlier").value();
  stage.crash_and_restore();
  stage.up(StreamId::kClient, false, left_behind);
  stage.advance(seconds{1});
  EXPECT_EQ(stage.evicted, std::vector<Jid>{left_behind});
  // Once; and nobody was invited again.
  stage.up(StreamId::kService);
  stage.advance(seconds{5});
  EXPECT_EQ(stage.evicted.size(), 1U);
  EXPECT_EQ(stage.client("tea", "alice").sids.size(), 1U);
  EXPECT_EQ(stage.state_of("tea", "alice"), ParticipantState::kActive);
}

TEST(SessionTest, OneThatNoOtherProcessCouldContinueIsToldOnce) {
  Options options = Stage::make_options();
  options.session_outlives_process = true;
  const auto told = [&options](std::optional<Duration> granted) {
    Stage stage({}, 1, options);
    stage.up(StreamId::kRequests);
    stage.up(StreamId::kService);
    stage.give(in::StreamUp{.stream = StreamId::kClient,
                            .bound_jid = Jid::parse("focus@auth.example.net/focus").value(),
                            .resumable_for = granted});
    return std::pair(stage.logged("session.not_resumable"),
                     stage.logged("session.resumable_briefly"));
  };
  const auto counts = [](std::size_t never, std::size_t briefly) {
    return std::pair(never, briefly);
  };
  EXPECT_EQ(told(std::nullopt), counts(1, 0));
  EXPECT_EQ(told(seconds{14}), counts(0, 1));
  EXPECT_EQ(told(seconds{15}), counts(0, 0));
  EXPECT_EQ(told(seconds{0}), counts(0, 0));  // The server does not say.
}

TEST_F(RecoveryTest, GracefulStopSaysGoodbyeEverywhere) {
  meet("tea", {"alice", "bob"});
  stage.give(in::Shutdown{});
  EXPECT_TRUE(stage.answered_later(stage.ask("late")));
  stage.advance(seconds{3});
  EXPECT_TRUE(stage.stopped);
  EXPECT_FALSE(stage.room("tea").focus_in);
  for (const auto& [nick, bridge] : stage.bridges) {
    EXPECT_TRUE(bridge.meetings.empty()) << nick;
  }
  EXPECT_TRUE(stage.tables.conferences.empty());
}

TEST_F(RecoveryTest, AStopMayWaitForTheConferencesToEnd) {
  meet("tea", {"alice", "bob"});
  stage.give(in::Shutdown{.when_empty = true});
  EXPECT_TRUE(stage.answered_later(stage.ask("late")));
  EXPECT_FALSE(stage.focus.readiness(stage.now).ready());
  EXPECT_TRUE(stage.answered_ready(stage.ask("tea", "carol")));
  stage.join("tea", "carol");
  stage.advance(seconds{60});
  EXPECT_EQ(stage.state_of("tea", "carol"), ParticipantState::kActive);
  EXPECT_FALSE(stage.stopped);
  for (const char* nick : {"alice", "bob", "carol"}) {
    stage.leave("tea", nick);
  }
  stage.advance(seconds{30});
  EXPECT_TRUE(stage.stopped);
}

TEST_F(RecoveryTest, AStopThatWaitsCanBeHurried) {
  meet("tea", {"alice", "bob"});
  stage.give(in::Shutdown{.when_empty = true});
  stage.give(in::Shutdown{});
  stage.advance(seconds{3});
  EXPECT_TRUE(stage.stopped);
  EXPECT_FALSE(stage.room("tea").focus_in);
}

TEST_F(RecoveryTest, AStopDoesNotWaitForADeadBridge) {
  meet("tea", {"alice", "bob"});
  for (auto& [nick, bridge] : stage.bridges) {
    bridge.mood = Stage::BridgeMood::kSilent;
  }
  stage.give(in::Shutdown{});
  EXPECT_FALSE(stage.stopped);
  stage.advance(seconds{3});
  EXPECT_TRUE(stage.stopped);
}

}  // namespace
}  // namespace bascule::focus
