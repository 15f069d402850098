// Clients that ask for another session, and those that want none.

#include <string>
#include <vector>

#include "meeting.h"

namespace bascule::conformance {
namespace {

TEST_F(Session, C48_ARestartReleasesEverythingAndInvitesAnew) {
  statement(48, Kind::kJicofo,
            "answers session-terminate with restart by announcing the removal of the sources, "
            "expiring the endpoint and sending a new offer with a new sid");
  meet({"alice", "bob"});
  ASSERT_TRUE(add("alice", {a(7)}).is_result);
  const std::string old_sid = sid("alice");
  forget();
  const auto start_at = stage().sent.size();
  EXPECT_TRUE(terminate("alice", true).is_result);
  EXPECT_EQ(announced("bob"),
            std::vector<std::string>{R"(-{"sources":{"alice":[[],[],[{"s":7}]]}})"});
  const auto expired =
      position([](const auto& sent) { return is_expire(sent, "alice"); }, start_at);
  const auto created =
      position([](const auto& sent) { return is_create(sent, "alice"); }, start_at);
  const auto invited = position(
      [](const auto& sent) { return is_jingle_to(sent, "alice", JingleAction::kSessionInitiate); },
      start_at);
  EXPECT_LT(expired, created);
  EXPECT_LT(created, invited);
  ASSERT_LT(invited, stage().sent.size());
  EXPECT_NE(sid("alice"), old_sid);
  EXPECT_TRUE(accept("alice", {a(7)}).is_result) << "its own SSRC was not freed";
}

TEST_F(Session, C48_ARestartThatNamesAnOldBridgeSessionIsTheClientsWish) {
  also(48);
  meet({"alice", "bob"});
  client("alice").bridge_session = "of-long-ago";
  EXPECT_TRUE(terminate("alice", true).is_result);
  EXPECT_EQ(count("alice", JingleAction::kSessionInitiate), 1U);
  EXPECT_TRUE(accept("alice").is_result);
  client("bob").bridge_session.reset();
  EXPECT_TRUE(terminate("bob", true).is_result);
  EXPECT_TRUE(accept("bob").is_result);
}

TEST_F(Session, C48_ARestartThatCrossesAMoveIsAcknowledged) {
  also(48);
  meet({"alice", "bob"});
  stage().add_bridge("jvb2");
  stage().advance(seconds{6});
  const std::string old_sid = sid("alice");
  const auto old_bridge_session = client("alice").bridge_session;
  stage().remove_bridge("jvb1");
  stage().advance(seconds{5});
  ASSERT_NE(sid("alice"), old_sid);
  const std::string offered = sid("alice");
  const Reply reply = ask("alice", jingle("session-terminate", old_sid,
                                          bridge_session(old_bridge_session, "restart='true'")));
  EXPECT_TRUE(reply.is_result) << "an error makes the client leave";
  stage().advance(seconds{1});
  EXPECT_EQ(sid("alice"), offered);
  EXPECT_TRUE(accept("alice").is_result);
}

TEST_F(Session, C48_ManyRestartsOnOneBridgeCountAgainstIt) {
  also(48);
  auto options = Stage::make_options();
  options.placement.ice_failure_min = 3;
  start(options);
  const std::vector<std::string> nicks = {"alice", "bob", "carol", "dave"};
  meet(nicks);
  stage().add_bridge("jvb2");
  stage().advance(seconds{60});
  EXPECT_EQ(stage().bridge_of(kRoom, "alice"), "jvb1");
  for (const auto& nick : nicks) {
    EXPECT_TRUE(terminate(nick, true).is_result) << nick;
    stage().advance(seconds{1});
  }
  stage().advance(seconds{20});
  EXPECT_GE(stage().logged("bridge.ice_failing"), 1U);
}

TEST_F(Session, C49_ARestartIsNotAnsweredWithATerminate) {
  statement(49, Kind::kJicofo,
            "sends no session-terminate to a client that ended the session itself");
  meet({"alice", "bob"});
  EXPECT_TRUE(terminate("alice", true).is_result);
  stage().advance(seconds{3});
  EXPECT_EQ(count("alice", JingleAction::kSessionTerminate), 0U);
  EXPECT_TRUE(terminate("bob", false).is_result);
  stage().advance(seconds{3});
  EXPECT_EQ(count("bob", JingleAction::kSessionTerminate), 0U);
}

TEST_F(Session, C50_WithoutRestartThereIsNoNewOffer) {
  statement(50, Kind::kJicofo,
            "releases everything of a client that ends its session without restart, and makes it "
            "no new offer");
  meet({"alice", "bob", "carol"});
  ASSERT_TRUE(add("alice", {a(7)}).is_result);
  forget();
  EXPECT_TRUE(terminate("alice", false).is_result);
  EXPECT_EQ(announced("bob"),
            std::vector<std::string>{R"(-{"sources":{"alice":[[],[],[{"s":7}]]}})"});
  EXPECT_FALSE(on_bridge("alice"));
  stage().advance(std::chrono::minutes{2});
  EXPECT_TRUE(told("alice").empty());
  EXPECT_EQ(state("alice"), ParticipantState::kDetached);
}

TEST_F(Session, C51_RestartsAreLimitedPerParticipant) {
  statement(51, Kind::kJicofo,
            "accepts five restarts a minute and none within 5 s of the last one, per participant "
            "and configurable");
  meet({"alice", "bob"});
  const auto restart = [&](const std::string& nick) {
    Reply reply = terminate(nick, true);
    if (reply.is_result) {
      stage().advance(seconds{1});
      EXPECT_TRUE(accept(nick).is_result);
    }
    return reply;
  };
  EXPECT_TRUE(restart("alice").is_result);
  stage().advance(seconds{3});
  const Reply too_soon = restart("alice");
  EXPECT_EQ(too_soon.error.condition, Condition::kResourceConstraint);
  EXPECT_EQ(too_soon.error.text, "rate-limited");
  EXPECT_TRUE(restart("bob").is_result) << "others are not affected";

  start(Stage::make_options());
  meet({"alice", "bob"});
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(restart("alice").is_result) << i;
    stage().advance(seconds{9});
  }
  EXPECT_FALSE(restart("alice").is_result);  // The sixth within 50 s.

  auto options = Stage::make_options();
  options.restarts_per_minute_max = 2;
  options.restart_interval_min = seconds{2};
  start(options);
  meet({"alice", "bob"});
  EXPECT_TRUE(restart("alice").is_result);
  stage().advance(seconds{2});
  EXPECT_TRUE(restart("alice").is_result);
  stage().advance(seconds{20});
  EXPECT_FALSE(restart("alice").is_result);
}

TEST_F(Session, C52_RestartsBeyondThePaceAreAcknowledgedAndServedLater) {
  statement(52, Kind::kBascule,
            "acknowledges restarts beyond the pace of placements and delays the offer instead of "
            "refusing");
  auto options = Stage::make_options();
  options.placement.placement_interval = seconds{1};
  options.placement.placement_burst = 1;
  start(options);
  const std::vector<std::string> nicks = {"alice", "bob", "carol", "dave", "erin"};
  for (const auto& nick : nicks) {
    enter(nick);
  }
  stage().advance(seconds{20});
  for (const auto& nick : nicks) {
    ASSERT_TRUE(accept(nick).is_result) << nick;
  }
  stage().advance(seconds{20});
  forget();
  for (const auto& nick : nicks) {
    EXPECT_TRUE(terminate(nick, true).is_result) << nick;
  }
  const auto offers = [&] {
    std::size_t sum = 0;
    for (const auto& nick : nicks) {
      sum += count(nick, JingleAction::kSessionInitiate);
    }
    return sum;
  };
  EXPECT_LT(offers(), nicks.size());
  stage().advance(seconds{1});
  EXPECT_LT(offers(), nicks.size());
  stage().advance(seconds{20});
  EXPECT_EQ(offers(), nicks.size());
}

}  // namespace
}  // namespace bascule::conformance
