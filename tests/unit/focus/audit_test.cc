// What nobody reports: the audit finds it, and what it finds is repaired.

#include <algorithm>
#include <utility>

#include <gtest/gtest.h>

#include "source_builders.h"
#include "stage.h"

namespace bascule::focus {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class AuditTest : public ::testing::Test {
 protected:
  AuditTest() {
    stage.start_all();
    for (const char* nick : {"jvb1", "jvb2"}) {
      stage.add_bridge(nick);
    }
    stage.advance(seconds{6});
    stage.meet("tea", {"alice", "bob"});
  }
  ~AuditTest() override {
    EXPECT_EQ(stage.focus.counters().bugs, 0U);
    stage.focus.check_invariants();
  }

  /// So long that every conference is looked at once at least.
  void a_round() { pass(seconds{70}); }
  void pass(Duration duration) {
    for (Duration passed{}; passed < duration; passed += seconds{5}) {
      stage.advance(seconds{5});
      for (const auto& [nick, bridge] : stage.bridges) {
        stage.report(nick, "0.1");
      }
    }
  }
  void show(const std::string& nick, const std::string& source_info) {
    stage.present("tea", nick, [&](proto::MucPresence& presence) {
      presence.participant.source_info = source_info;
    });
  }
  std::size_t pings() const {
    return static_cast<std::size_t>(
        std::count_if(stage.sent.begin(), stage.sent.end(), [](const Stage::Sent& sent) {
          const auto* iq = std::get_if<out::SendIq>(&sent.what);
          return iq != nullptr && std::holds_alternative<proto::Ping>(iq->payload);
        }));
  }

  Stage stage;
};

TEST_F(AuditTest, WhereAllIsWellNothingIsRepaired) {
  show("alice", R"({"alice-a0":{"muted":true},"alice-v0":{"muted":true}})");
  const auto presences = stage.room_presences.size();
  pass(seconds{300});
  EXPECT_GE(stage.focus.counters().audited, 4U);
  EXPECT_LE(stage.focus.counters().audited, 6U) << "no conference more often than once a minute";
  EXPECT_EQ(stage.logged("audit.repaired"), 0U);
  EXPECT_EQ(stage.room_presences.size(), presences);
  EXPECT_EQ(stage.client("tea", "alice").sids.size(), 1U);
}

TEST_F(AuditTest, ARoomThatLostTheFocusIsEnteredAgain) {
  stage.room("tea").focus_in = false;
  stage.join("tea", "carol");
  a_round();
  EXPECT_EQ(stage.focus.counters().audit_repaired_rooms, 1U);
  EXPECT_TRUE(stage.room("tea").focus_in);
  EXPECT_EQ(stage.state_of("tea", "carol"), ParticipantState::kActive);
  EXPECT_EQ(stage.client("tea", "alice").sids.size(), 1U) << "sessions go on";
}

TEST_F(AuditTest, AnOfferThatTheRoomRefusesToDeliverTellsSoAtOnce) {
  stage.room("tea").focus_in = false;
  proto::Jingle restart{.action = proto::JingleAction::kSessionTerminate,
                        .sid = std::exchange(stage.client("tea", "alice").sid, "")};
  restart.bridge_session =
      proto::BridgeSession{.id = stage.client("tea", "alice").bridge_session, .restart = true};
  stage.jingle("tea", "alice", restart);
  stage.advance(seconds{5});
  EXPECT_EQ(stage.focus.counters().audit_repaired_rooms, 1U);
  EXPECT_EQ(stage.state_of("tea", "alice"), ParticipantState::kActive);
}

TEST_F(AuditTest, ARoomThatIsGoneIsEnded) {
  stage.room("tea").focus_in = false;
  stage.room("tea").clients.clear();
  a_round();
  EXPECT_EQ(stage.focus.conference_count(), 0U);
  EXPECT_FALSE(stage.room("tea").focus_in);
}

TEST_F(AuditTest, APingWithoutAnAnswerMeansNothing) {
  stage.silent_pings = true;
  a_round();
  EXPECT_GE(pings(), 1U);
  EXPECT_EQ(stage.focus.counters().audit_repaired_rooms, 0U);
}

TEST_F(AuditTest, WhoABridgeHasForgottenIsPlacedAgain) {
  const std::string home = *stage.bridge_of("tea", "alice");
  stage.bridges.at(home).meetings.clear();
  stage.unexpected_meetings = true;
  a_round();
  EXPECT_EQ(stage.focus.counters().audit_repaired_bridges, 1U);
  for (const char* nick : {"alice", "bob"}) {
    EXPECT_EQ(stage.state_of("tea", nick), ParticipantState::kActive);
    EXPECT_EQ(stage.client("tea", nick).sids.size(), 2U);
    const auto& bridge = stage.bridges.at(*stage.bridge_of("tea", nick));
    EXPECT_TRUE(bridge.meetings.at("meeting-tea").contains(nick));
  }
}

TEST_F(AuditTest, ASilentBridgeIsNotRepairedByTheAudit) {
  stage.bridges.at(*stage.bridge_of("tea", "alice")).mood = Stage::BridgeMood::kSilent;
  a_round();
  EXPECT_EQ(stage.focus.counters().audit_repaired_bridges, 0U);
}

TEST_F(AuditTest, ASourceNobodyWasToldOfRestartsTheSession) {
  show("alice", R"({"alice-v7":{"muted":false}})");
  stage.advance(seconds{14});
  EXPECT_EQ(stage.client("tea", "alice").sids.size(), 1U);
  a_round();
  EXPECT_EQ(stage.focus.counters().audit_repaired_sources, 1U);
  EXPECT_EQ(stage.client("tea", "alice").sids.size(), 2U);
  EXPECT_EQ(stage.client("tea", "bob").sids.size(), 1U);
  EXPECT_EQ(stage.state_of("tea", "alice"), ParticipantState::kActive);
}

TEST_F(AuditTest, AClientThatInsistsIsLeftInPeaceAfterThreeRestarts) {
  show("alice", R"({"alice-v7":{"muted":false}})");
  pass(seconds{600});
  EXPECT_EQ(stage.focus.counters().audit_repaired_sources, 3U);
  std::vector<Instant> offers;
  for (const Stage::Sent& sent : stage.sent) {
    const auto* iq = std::get_if<out::SendIq>(&sent.what);
    const auto* jingle = iq == nullptr ? nullptr : std::get_if<proto::Jingle>(&iq->payload);
    if (jingle != nullptr && jingle->action == proto::JingleAction::kSessionInitiate &&
        iq->to.resource() == "alice") {
      offers.push_back(sent.at);
    }
  }
  ASSERT_EQ(offers.size(), 4U);
  for (std::size_t i = 2; i < offers.size(); ++i) {
    EXPECT_GE(offers[i] - offers[i - 1], seconds{60});
  }
}

TEST_F(AuditTest, WhatIsMutedOrWasShownForAMomentOrIsKnownNeedsNoRestart) {
  show("bob", R"({"bob-v7":{"muted":true}})");
  show("alice", R"({"alice-v7":{"muted":false}})");
  stage.advance(seconds{10});
  show("alice", R"({"alice-v7":{"muted":true}})");
  a_round();
  testing::TestSource camera = testing::v(77, "alice-video-7");
  camera.source.name = "alice-v7";
  const proto::Jingle add{
      .action = proto::JingleAction::kSourceAdd,
      .sid = stage.client("tea", "alice").sid,
      .contents = proto::make_source_contents({{EndpointId("alice"), testing::set_of({camera})}})};
  ASSERT_EQ(stage.refused_with(stage.jingle("tea", "alice", add)), std::nullopt);
  show("alice", R"({"alice-v7":{"muted":false}})");
  pass(seconds{180});
  EXPECT_EQ(stage.focus.counters().audit_repaired_sources, 0U);
  EXPECT_EQ(stage.client("tea", "alice").sids.size(), 1U);
}

TEST_F(AuditTest, ManyConferencesAreLookedAtOneByOneAndFasterAfterARestart) {
  for (int i = 0; i < 30; ++i) {
    stage.meet("room" + std::to_string(i), {"x", "y"});
  }
  pass(seconds{70});
  const auto before = stage.focus.counters().audited;
  stage.advance(seconds{5});
  EXPECT_LE(stage.focus.counters().audited - before, 10U) << "two per second";
  stage.crash_and_restore();
  stage.start_all();
  EXPECT_GE(stage.focus.counters().audited, 31U) << "a round takes two seconds";
  EXPECT_EQ(stage.focus.counters().audit_repaired_rooms, 0U);
  EXPECT_EQ(stage.focus.counters().audit_repaired_bridges, 0U);
}

}  // namespace
}  // namespace bascule::focus
