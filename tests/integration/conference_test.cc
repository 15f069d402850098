// The life of a conference between real Prosody, the real daemon, bridges and clients.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/integration/stage.h"
#include "tests/peers/common/stanza.h"

namespace bascule::test {
namespace {

using std::chrono::milliseconds, std::chrono::seconds;

TEST(Conference, FirstParticipantIsToldReadyAndNotInvited) {
  Stage stage;
  ScriptedClient& alone = stage.client("first");
  stage.enter(alone);
  EXPECT_THAT(alone.focus_address_seen, testing::StartsWith("focus@auth.bascule.test/"));
  stage.watch(milliseconds(1500));
  EXPECT_EQ(alone.invites, 0);
  EXPECT_EQ(stage.endpoints_on_bridges(), 0);
  EXPECT_EQ(stage.daemon.metric("bascule_conferences"), 1);
  EXPECT_EQ(stage.daemon.metric("bascule_participants"), 1);
  EXPECT_EQ(stage.daemon.metric("bascule_invites_total"), 0);
}

TEST(Conference, SecondParticipantGivesBothASessionAndEachOthersSources) {
  Stage stage;
  ScriptedClient& first = stage.client("pair");
  stage.enter(first);
  ScriptedClient& second = stage.client("pair");
  stage.enter(second);
  stage.until_all_see_each_other({&first, &second});
  EXPECT_EQ(first.invites, 1);
  EXPECT_EQ(second.invites, 1);
  ASSERT_NE(stage.bridge_of(first.endpoint()), nullptr);
  EXPECT_EQ(stage.bridge_of(first.endpoint()), stage.bridge_of(second.endpoint()));
  EXPECT_EQ(first.offer().candidate_port, 10'000 + stage.bridge_of(first.endpoint())->id());
  EXPECT_EQ(stage.daemon.metric("bascule_sessions"), 2);
}

TEST(Conference, TenthParticipantSeesEverybodyAndLeavingIsSignaledToTheBridge) {
  Stage stage;
  std::vector<ScriptedClient*> all;
  for (int i = 0; i < 10; ++i) {
    all.push_back(&stage.client("ten"));
    stage.enter(*all.back());
  }
  stage.until_all_see_each_other(all);
  for (const ScriptedClient* one : all) {
    EXPECT_EQ(one->invites, 1);
    EXPECT_THAT(one->terminations, testing::IsEmpty());
  }
  EXPECT_EQ(stage.endpoints_on_bridges(), 10);

  ScriptedClient& leaver = *all.back();
  const std::string gone = leaver.endpoint();
  leaver.leave();
  stage.until("the bridge has forgotten who left",
              [&stage, &gone] { return stage.bridge_of(gone) == nullptr; });
  EXPECT_EQ(stage.endpoints_on_bridges(), 9);
  // Whoever comes now is not told of sources of those who left.
  ScriptedClient& late = stage.client("ten");
  stage.enter(late);
  all.back() = &late;
  stage.until_all_see_each_other(all);
  EXPECT_FALSE(late.knows_sources_of(gone));
}

TEST(Conference, WhoLosesTheConnectionIsGoneFromTheBridge) {
  Stage stage;
  ScriptedClient& first = stage.client("cut");
  ScriptedClient& second = stage.client("cut");
  ScriptedClient& third = stage.client("cut");
  for (ScriptedClient* one : {&first, &second, &third}) {
    stage.enter(*one);
  }
  stage.until_all_see_each_other({&first, &second, &third});
  const std::string gone = third.endpoint();
  third.connect();  // A page that reloads: the old connection breaks without a word.
  stage.until("the old endpoint is gone",
              [&stage, &gone] { return stage.bridge_of(gone) == nullptr; });
  stage.until("it is logged in again", [&third] { return third.is_logged_in(); });
  stage.enter(third);
  stage.until_all_see_each_other({&first, &second, &third});
  EXPECT_EQ(stage.endpoints_on_bridges(), 3);
}

TEST(Conference, LastParticipantLeavesAndTheFocusFollows) {
  Stage stage({.daemon = {{"conference", {{"initial-timeout", "\"1 s\""}}}}});
  ScriptedClient& first = stage.client("last");
  ScriptedClient& second = stage.client("last");
  stage.enter(first);
  stage.enter(second);
  stage.until_all_see_each_other({&first, &second});
  first.leave();
  second.leave();
  stage.until("the conference has ended",
              [&stage] { return stage.daemon.metric("bascule_conferences") == 0; });
  stage.until("the bridges are empty", [&stage] {
    return std::all_of(stage.bridges.begin(), stage.bridges.end(),
                       [](const auto& bridge) { return bridge->colibri().conferences().empty(); });
  });
  EXPECT_EQ(stage.daemon.metric("bascule_participants"), 0);
  // The room is gone from the server as well: nobody may create it but the focus.
  ScriptedClient& late = stage.client("last");
  late.join();
  stage.until("the server refuses to create the room",
              [&late] { return !late.room_errors.empty(); });
  EXPECT_EQ(peers::error_condition(late.room_errors[0]), "not-allowed");
  // And the focus makes it again when asked.
  stage.enter(late);
}

TEST(Conference, SomebodyLeftAloneLosesTheSessionAndGetsOneWhenCompanyComes) {
  Stage stage({.daemon = {{"conference", {{"single-participant-timeout", "\"1 s\""}}}}});
  ScriptedClient& stays = stage.client("alone");
  ScriptedClient& goes = stage.client("alone");
  stage.enter(stays);
  stage.enter(goes);
  stage.until_all_see_each_other({&stays, &goes});
  goes.leave();
  stage.until("the session has ended", [&stays] { return !stays.terminations.empty(); });
  stage.until("the bridge is empty", [&stage] { return stage.endpoints_on_bridges() == 0; });
  EXPECT_TRUE(stays.is_in_room());
  EXPECT_EQ(stays.focus_departures, 0);
  ScriptedClient& comes = stage.client("alone");
  stage.enter(comes);
  stage.until_all_see_each_other({&stays, &comes});
  EXPECT_EQ(stays.invites, 2);
}

TEST(Conference, BridgeDeathGivesEverybodyANewSessionOnAnotherBridge) {
  Stage stage;
  std::vector<ScriptedClient*> all;
  for (int i = 0; i < 3; ++i) {
    all.push_back(&stage.client("move"));
    stage.enter(*all.back());
  }
  stage.until_all_see_each_other(all);
  peers::Bridge* dead = stage.bridge_of(all[0]->endpoint());
  ASSERT_NE(dead, nullptr);
  const std::string old_sid = all[0]->offer().sid;
  dead->apply({.verb = "kill", .arguments = {}, .duration = {}});
  stage.until("everybody is invited again", [&all] {
    return std::all_of(all.begin(), all.end(), [](const auto* one) { return one->invites == 2; });
  });
  stage.until_all_see_each_other(all);
  for (const ScriptedClient* one : all) {
    ASSERT_EQ(one->terminations.size(), 1U);
    EXPECT_THAT(one->terminations[0], testing::EndsWith("moving"));
    peers::Bridge* now = stage.bridge_of(one->endpoint());
    ASSERT_NE(now, nullptr);
    EXPECT_NE(now, dead);
    EXPECT_EQ(one->offer().candidate_port, 10'000 + now->id());
    EXPECT_EQ(one->focus_departures, 0);
  }
  EXPECT_NE(all[0]->offer().sid, old_sid);
  EXPECT_EQ(stage.daemon.metric("bascule_moves_total"), 3);
  EXPECT_EQ(stage.daemon.metric("bascule_bridges_lost_total"), 1);
  EXPECT_FALSE(stage.daemon.log_line("bridge.lost", "jvb").empty());
}

TEST(Conference, WhileTooManyWaitForABridgeNewRoomsAreToldLaterAndNeverAnError) {
  // One bridge that takes two participants and then one an hour.
  Stage stage({.daemon = {{"selection",
                           {{"placement-interval", "\"1 h\""},
                            {"placement-burst", "2"},
                            {"overload-queue-seconds", "1"}}}},
               .bridges = 1});
  std::vector<ScriptedClient*> inside = {&stage.client("served"), &stage.client("served")};
  std::vector<ScriptedClient*> waiting = {&stage.client("waits"), &stage.client("waits")};
  for (ScriptedClient* one : inside) {
    stage.enter(*one);
  }
  stage.until_all_see_each_other(inside);
  for (ScriptedClient* one : waiting) {
    stage.enter(*one);
  }
  stage.until("the daemon sheds load",
              [&stage] { return stage.daemon.metric("bascule_overloaded") == 1; });
  ScriptedClient& newcomer = stage.client("other");
  for (int i = 0; i < 2; ++i) {
    const Reply reply = stage.wait_for(newcomer.request_conference());
    EXPECT_EQ(reply.type(), "result");
    EXPECT_EQ(stage.ready_field(reply), "false");
  }
  EXPECT_EQ(stage.daemon.metric("bascule_conference_answers_total{result=\"overload\"}"), 2);
  // Rooms that exist stay open, and who is in keeps the session.
  ScriptedClient& late = stage.client("served");
  stage.enter(late);
  for (const ScriptedClient* one : inside) {
    EXPECT_TRUE(one->is_active());
    EXPECT_EQ(one->invites, 1);
  }
  EXPECT_EQ(waiting[0]->invites + waiting[1]->invites, 0);
}

TEST(Conference, WithoutAUsableBridgeRoomsAreToldLaterUntilOneComesBack) {
  Stage stage;
  for (const auto& bridge : stage.bridges) {
    bridge->apply({.verb = "drain", .arguments = {"on"}, .duration = {}});
  }
  stage.until("the daemon has no bridge", [&stage] { return !stage.daemon.is_ready(); });
  EXPECT_THAT(stage.daemon.get("/readyz").body, testing::HasSubstr("no_bridge"));
  ScriptedClient& first = stage.client("drained");
  const Reply reply = stage.wait_for(first.request_conference());
  EXPECT_EQ(reply.type(), "result");
  EXPECT_EQ(stage.ready_field(reply), "false");
  stage.bridges[1]->apply({.verb = "drain", .arguments = {"off"}, .duration = {}});
  stage.until_ready();
  ScriptedClient& second = stage.client("drained");
  stage.enter(first);
  stage.enter(second);
  stage.until_all_see_each_other({&first, &second});
  EXPECT_EQ(stage.bridge_of(first.endpoint()), stage.bridges[1].get());
}

}  // namespace
}  // namespace bascule::test
