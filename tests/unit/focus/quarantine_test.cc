// A conference that earlier processes died of is left out, and comes back (ADR 0017).

#include <gtest/gtest.h>

#include "stage.h"

namespace bascule::focus {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

RoomJid room_of(const std::string& name) {
  return RoomJid(Jid::parse(name + "@conference.example.net").value());
}

class QuarantineTest : public testing::Test {
 protected:
  QuarantineTest() {
    stage.start_all();
    for (const char* nick : {"jvb1", "jvb2"}) {
      stage.add_bridge(nick);
    }
    stage.advance(seconds{6});
    meet("tea", {"alice", "bob"});
    meet("milk", {"carol", "dave"});
  }
  ~QuarantineTest() override { EXPECT_EQ(stage.focus.counters().bugs, 0U); }

  void meet(const std::string& room, const std::vector<std::string>& nicks) {
    stage.meet(room, nicks);
  }
  /// The next process leaves "tea" out for so long.
  void crash(Duration hold) {
    stage.poisoned = {{room_of("tea"), stage.now.mono + hold}};
    stage.crash_and_restore();
  }
  void report_all() {
    for (const auto& [nick, bridge] : stage.bridges) {
      stage.report(nick, "0.1");
    }
  }

  Stage stage;
};

TEST_F(QuarantineTest, ThePoisonedIsNotRestoredAndTheOthersAre) {
  const std::size_t enters = stage.room_presences.size();
  crash(seconds{60});
  EXPECT_EQ(stage.focus.conference_count(), 1U);
  EXPECT_TRUE(stage.focus.quarantine().holds(room_of("tea")));
  EXPECT_EQ(stage.focus.counters().conferences_poisoned, 1U);
  EXPECT_EQ(stage.logged("conference.poisoned"), 1U);
  stage.start_all();
  report_all();
  stage.advance(seconds{2});
  for (std::size_t i = enters; i < stage.room_presences.size(); ++i) {
    EXPECT_EQ(stage.room_presences[i].to.local(), "milk");
  }
  EXPECT_EQ(stage.state_of("milk", "carol"), ParticipantState::kActive);
  EXPECT_EQ(stage.client("milk", "carol").sids.size(), 1U);
  const std::string id = stage.ask("tea");
  stage.advance(seconds{2});
  EXPECT_TRUE(stage.answered_later(id));
  EXPECT_EQ(stage.focus.counters().answers_later_poisoned, 1U);
  EXPECT_EQ(stage.client("tea", "alice").terminated, 0U) << "media is left alone";
  EXPECT_TRUE(stage.tables.conferences.contains(room_of("tea"))) << "another crash loses nothing";
}

TEST_F(QuarantineTest, AfterItsTimeItsPeopleAreInvitedAgain) {
  const std::string old_sid = stage.client("tea", "alice").sid;
  const auto home = *stage.bridge_of("tea", "alice");
  crash(seconds{60});
  stage.start_all();
  report_all();
  for (int i = 0; i < 12; ++i) {
    stage.advance(seconds{5});
    report_all();
  }
  EXPECT_EQ(stage.focus.quarantine().size(), 0U);
  EXPECT_EQ(stage.logged("conference.released"), 1U);
  for (const char* nick : {"alice", "bob"}) {
    EXPECT_EQ(stage.state_of("tea", nick), ParticipantState::kActive);
    EXPECT_EQ(stage.client("tea", nick).sids.size(), 2U);
    EXPECT_EQ(stage.client("tea", nick).terminated, 1U) << "of the session it still had";
  }
  EXPECT_NE(stage.client("tea", "alice").sid, old_sid);
  EXPECT_GE(stage.bridges.at(home).expires, 1U);
  std::size_t endpoints = 0;
  for (const auto& [nick, bridge] : stage.bridges) {
    const auto meeting = bridge.meetings.find("meeting-tea");
    endpoints += meeting == bridge.meetings.end() ? 0 : meeting->second.size();
  }
  EXPECT_EQ(endpoints, 2U);
  EXPECT_EQ(stage.client("milk", "carol").sids.size(), 1U);
  stage.join("tea", "erin");
  stage.advance(seconds{3});
  EXPECT_EQ(stage.state_of("tea", "erin"), ParticipantState::kActive);
  // The next process goes on as after any other end.
  stage.poisoned.clear();
  stage.crash_and_restore();
  stage.start_all();
  report_all();
  stage.advance(seconds{2});
  EXPECT_EQ(stage.state_of("tea", "erin"), ParticipantState::kActive);
  EXPECT_EQ(stage.client("tea", "alice").sids.size(), 2U);
}

TEST_F(QuarantineTest, NobodyIsReleasedWhileTheClientLinkIsDown) {
  crash(seconds{30});
  stage.advance(seconds{40});
  EXPECT_EQ(stage.focus.quarantine().size(), 1U);
  stage.start_all();
  report_all();
  stage.advance(seconds{5});
  EXPECT_EQ(stage.focus.quarantine().size(), 0U);
  EXPECT_EQ(stage.state_of("tea", "alice"), ParticipantState::kActive);
}

TEST_F(QuarantineTest, WhenTheLinkStaysAwayItEndsLikeTheOthers) {
  crash(seconds{600});
  stage.up(StreamId::kService);
  stage.advance(seconds{21});
  report_all();
  stage.advance(seconds{105});
  EXPECT_EQ(stage.focus.quarantine().size(), 0U);
  EXPECT_TRUE(stage.tables.conferences.empty());
  for (const auto& [nick, bridge] : stage.bridges) {
    EXPECT_TRUE(bridge.meetings.empty()) << nick;
  }
}

TEST_F(QuarantineTest, ARoomOfWhichNothingIsStoredIsJustRefused) {
  stage.poisoned = {{room_of("cocoa"), stage.now.mono + seconds{30}}};
  stage.crash_and_restore();
  stage.start_all();
  report_all();
  EXPECT_EQ(stage.focus.conference_count(), 2U);
  EXPECT_FALSE(stage.answered_ready(stage.ask("cocoa")));
  stage.advance(seconds{30});
  meet("cocoa", {"frank", "grace"});
  EXPECT_EQ(stage.state_of("cocoa", "frank"), ParticipantState::kActive);
}

}  // namespace
}  // namespace bascule::focus
