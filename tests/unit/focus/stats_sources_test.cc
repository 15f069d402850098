// Which source of what is known of a bridge may say what (focus/brewery.h), and placing blind.

#include <algorithm>

#include <gtest/gtest.h>

#include "stage.h"

namespace bascule::focus {
namespace {

using std::chrono::minutes, std::chrono::seconds;

proto::ColibriStats stats_of(const std::string& stress, const std::string& stamp = "") {
  proto::ColibriStats stats{{{"stress_level", stress}}};
  if (!stamp.empty()) {
    stats.values["current_timestamp"] = stamp;
  }
  return stats;
}

class StatsSourcesTest : public ::testing::Test {
 protected:
  StatsSourcesTest() : stage({}, 1, options()) { stage.start_all(); }
  ~StatsSourcesTest() override { EXPECT_EQ(stage.focus.counters().bugs, 0U); }

  static Options options() {
    Options made = Stage::make_options();
    made.pubsub_service = Jid::parse("pubsub.example.net").value();
    made.pubsub_node = "sharedStatsNode";
    made.pubsub_keeps_items = true;
    return made;
  }
  /// A bridge that is in the brewery and says nothing there.
  void add_mute_bridge(const std::string& nick, const std::string& real_jid = "") {
    stage.bridges[nick].in_brewery = true;
    proto::MucPresence presence;
    presence.from = Jid::parse("jvbbrewery@internal.auth.example.net/" + nick).value();
    presence.items.push_back({.affiliation = proto::Affiliation::kOwner});
    if (!real_jid.empty()) {
      presence.items.front().jid = Jid::parse(real_jid).value();
    }
    stage.give(in::PresenceReceived{StreamId::kService, presence});
  }
  [[nodiscard]] std::optional<BridgeView> view(const std::string& nick) const {
    for (const BridgeView& one : stage.focus.placement().bridges(stage.now)) {
      if (one.bridge.jid().resource() == nick) {
        return one;
      }
    }
    return std::nullopt;
  }
  [[nodiscard]] std::int64_t reported(const std::string& nick) const {
    const auto found = view(nick);
    return found ? found->reported.millionths() : -1;
  }

  Stage stage;
};

TEST_F(StatsSourcesTest, WhileTheBridgeReportsItselfNothingElseCounts) {
  stage.add_bridge("jvb1", "0.2");
  stage.publish("jvb@auth.example.net/jvb1", stats_of("0.9"));
  EXPECT_EQ(reported("jvb1"), 200'000);
  EXPECT_EQ(stage.focus.counters().items_second_hand, 1U);
  stage.advance(seconds{16});
  stage.publish("jvb@auth.example.net/jvb1", stats_of("0.4"));
  EXPECT_EQ(reported("jvb1"), 400'000);
  EXPECT_EQ(view("jvb1")->report_origin, ReportOrigin::kPubsub);
  stage.report("jvb1", "0.3");
  EXPECT_EQ(reported("jvb1"), 300'000);
  EXPECT_EQ(view("jvb1")->report_origin, ReportOrigin::kBrewery);
}

TEST_F(StatsSourcesTest, EveryWayToNameAnItemFindsItsBridge) {
  const std::pair<const char*, const char*> ids[] = {
      {"jvb1", "jvb@auth.example.net/jvb1"},
      {"jvb2", "jvbbrewery@internal.auth.example.net/jvb2"},
      {"jvb3", "jvb3"},
      {"jvb4", "jvb4.example.net"},  // A component of old.
      {"jvb5", "jvb@auth.example.net/Xy12"}};
  for (const auto& [nick, id] : ids) {
    add_mute_bridge(nick, nick == std::string("jvb5") ? id : "");
    stage.publish(id, stats_of("0.25"));
    EXPECT_EQ(reported(nick), 250'000) << id;
  }
  stage.publish("jvb9.example.net", stats_of("0.1"));
  EXPECT_EQ(stage.focus.counters().items_of_strangers, 1U);
}

TEST_F(StatsSourcesTest, FiguresOfOldBridgesAreReadAsTheirPacketRates) {
  add_mute_bridge("jvb1");
  stage.publish("jvb1.example.net", proto::ColibriStats{{{"packet_rate_download", "10160"},
                                                         {"packet_rate_upload", "15240"},
                                                         {"graceful_shutdown", "false"}}});
  EXPECT_EQ(reported("jvb1"), 500'000);
}

TEST_F(StatsSourcesTest, PubsubNeverLosesABridgeButMakesUsAskIt) {
  stage.add_bridge("jvb1");
  stage.add_bridge("jvb2");
  stage.ask("tea");
  stage.join("tea", "alice");
  stage.join("tea", "bob");
  stage.advance(seconds{2});
  const std::string nick = *stage.bridge_of("tea", "alice");
  stage.advance(seconds{16});  // Nobody reports any more.
  proto::ColibriStats lies = stats_of("0.1", "9");
  lies.values["healthy"] = "false";
  lies.values["shutting_down"] = "true";
  lies.values["total_participants"] = "0";
  stage.publish(nick, lies);
  stage.publish(nick, proto::BridgeOffline{});
  stage.advance(seconds{5});
  EXPECT_EQ(stage.bridge_of("tea", "alice"), nick);
  EXPECT_EQ(stage.focus.counters().bridges_lost, 0U);
  EXPECT_GE(stage.logged("bridge.doubted"), 1U);
}

TEST_F(StatsSourcesTest, WhatTheNodeRememberedIsOldFromTheBeginning) {
  add_mute_bridge("jvb1");
  stage.node.items["jvb@auth.example.net/jvb1"] = stats_of("0.3", "2099-01-01 00:00:00.000");
  EXPECT_EQ(reported("jvb1"), -1);
  stage.node.max_items = "20";  // After a repair the list is read again.
  stage.advance(seconds{35});
  ASSERT_EQ(reported("jvb1"), 300'000);
  EXPECT_EQ(view("jvb1")->report_origin, ReportOrigin::kPubsubList);
  EXPECT_GT(*view("jvb1")->report_age, stage.focus.options().placement.stale_after);
}

TEST_F(StatsSourcesTest, TheSameTimestampAgainIsNoFreshReport) {
  add_mute_bridge("jvb1");
  stage.publish("jvb1", stats_of("0.3", "2026-01-01 10:00:00.000"));
  for (int i = 0; i < 10; ++i) {
    stage.advance(seconds{5});
    stage.publish("jvb1", stats_of("0.3", "2026-01-01 10:00:00.000"));
  }
  EXPECT_GE(*view("jvb1")->report_age, seconds{50});
}

TEST_F(StatsSourcesTest, APresenceWithoutANewLoadDoesNotHideWhatOthersSay) {
  stage.add_bridge("jvb1", "0.2");
  for (int i = 0; i < 4; ++i) {  // It is there, and says again what it said.
    stage.advance(seconds{5});
    stage.report("jvb1", "none");
  }
  stage.publish("jvb@auth.example.net/jvb1", stats_of("0.4"));
  EXPECT_EQ(reported("jvb1"), 400'000);
  EXPECT_EQ(level_of(view("jvb1")->confidence_permille), Confidence::kMedium);
  stage.report("jvb1", "0.3");
  EXPECT_EQ(level_of(view("jvb1")->confidence_permille), Confidence::kHigh);
}

TEST_F(StatsSourcesTest, BlindnessIsToldWithItsExtentAndSoIsItsEnd) {
  stage.add_bridge("jvb1");
  stage.add_bridge("jvb2");
  stage.advance(seconds{20});
  stage.report("jvb1", "0.1");
  stage.advance(seconds{20});
  EXPECT_EQ(stage.logged("stats.blind"), 1U);  // Partly.
  EXPECT_TRUE(stage.last_action["stats.blind"].empty());
  EXPECT_TRUE(stage.focus.readiness(stage.now).reasons.empty());
  stage.advance(seconds{20});
  EXPECT_EQ(stage.logged("stats.blind"), 2U);  // Wholly: now an operator is asked to look.
  EXPECT_FALSE(stage.last_action["stats.blind"].empty());
  const Readiness readiness = stage.focus.readiness(stage.now);
  EXPECT_EQ(readiness.reasons, std::vector{NotReady::kStatsBlind});
  EXPECT_TRUE(readiness.ready());
  stage.publish("jvb1", stats_of("0.1"));
  stage.publish("jvb2", stats_of("0.1"));
  stage.advance(seconds{2});
  EXPECT_EQ(stage.logged("stats.trusted_again"), 1U);
  EXPECT_TRUE(stage.focus.readiness(stage.now).reasons.empty());
}

TEST_F(StatsSourcesTest, WithoutALinkNobodyIsCalledBlind) {
  stage.add_bridge("jvb1");
  stage.advance(seconds{2});
  stage.down(StreamId::kService);
  stage.advance(minutes{2});
  EXPECT_EQ(stage.logged("stats.blind"), 0U);
}

TEST_F(StatsSourcesTest, ABridgeThatTellsNothingAtAllIsNamed) {
  add_mute_bridge("jvb1");
  stage.advance(minutes{2});
  EXPECT_EQ(stage.logged("bridge.mute"), 1U);
  add_mute_bridge("jvb2");
  stage.publish("jvb2", stats_of("0.1"));
  stage.advance(minutes{2});
  EXPECT_EQ(stage.logged("bridge.mute"), 1U);
}

TEST_F(StatsSourcesTest, BlackoutOfBothSourcesIsServedFromOurOwnCounts) {
  for (const char* nick : {"jvb1", "jvb2", "jvb3"}) {
    stage.add_bridge(nick, "0.1");
  }
  for (int round = 0; round < 6; ++round) {  // Costs are learned while reports come.
    for (const char* nick : {"jvb1", "jvb2", "jvb3"}) {
      stage.report(nick, "0.1" + std::to_string(round));
    }
    stage.advance(seconds{5});
  }
  stage.node.service_answers = false;  // And the bridges say no more either.
  stage.advance(minutes{10});
  EXPECT_EQ(stage.focus.placement().mode(), Mode::kBlind);
  for (int i = 0; i < 30; ++i) {
    const std::string room = "room" + std::to_string(i);
    EXPECT_TRUE(stage.answered_ready(stage.ask(room))) << room;
    stage.join(room, "alice" + std::to_string(i));
    stage.join(room, "bob" + std::to_string(i));
    stage.advance(seconds{2});
    EXPECT_EQ(stage.state_of(room, "bob" + std::to_string(i)), ParticipantState::kActive) << room;
  }
  stage.advance(seconds{30});
  std::vector<std::size_t> loads;
  for (const BridgeView& one : stage.focus.placement().bridges(stage.now)) {
    loads.push_back(one.participants);
    EXPECT_GT(one.expected, Stress()) << "never from zero";
  }
  const auto [least, most] = std::minmax_element(loads.begin(), loads.end());
  EXPECT_LE(*most - *least, 6U) << "balanced by our own counts";
  EXPECT_EQ(stage.focus.counters().bridges_lost, 0U);
  for (const char* nick : {"jvb1", "jvb2", "jvb3"}) {
    stage.report(nick, "0.3");
  }
  stage.advance(seconds{1});
  EXPECT_NE(stage.focus.placement().mode(), Mode::kBlind);
  for (const BridgeView& one : stage.focus.placement().bridges(stage.now)) {
    EXPECT_NEAR(static_cast<double>(one.expected.millionths()), 300'000, 3'000);
  }
}

}  // namespace
}  // namespace bascule::focus
