// What tools made for Jicofo read and order, during a meeting on the real daemon.

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/integration/stage.h"

namespace bascule::test {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using testing::HasSubstr;

class JicofoTools : public testing::Test {
 protected:
  void SetUp() override {
    stage.enter(first);
    stage.enter(second);
    stage.until_all_see_each_other({&first, &second});
  }
  json get(const std::string& path) {
    const HttpAnswer answer = stage.daemon.get(path);
    EXPECT_EQ(answer.status, 200U) << path << ": " << answer.body;
    return json::parse(answer.body);
  }
  json conference() {
    return get("/debug/conference/tools%40conference." + stage.prosody.domain());
  }
  /// The nick of the bridge that the conference uses.
  std::string bridge() {
    const json sessions = conference().at("colibri_session_manager").at("sessions");
    EXPECT_EQ(sessions.size(), 1U);
    return sessions.begin().key();
  }
  static std::set<std::string> names(const json& object) {
    std::set<std::string> all;
    for (const auto& [name, value] : object.items()) {
      all.insert(name);
    }
    return all;
  }

  Stage stage;
  ScriptedClient& first = stage.client("tools");
  ScriptedClient& second = stage.client("tools");
};

// signal-sidecar (health_collector.ts): healthy when both are 200 and /stats is JSON; the weight of
// the shard is made of these two integers.
TEST_F(JicofoTools, TheSidecarSeesAHealthyShardWithItsLoad) {
  const HttpAnswer health = stage.daemon.get("/about/health");
  EXPECT_EQ(health.status, 200U);
  EXPECT_EQ(health.body, "OK");
  const json stats = get("/stats");
  EXPECT_TRUE(stats.at("participants").is_number_integer());
  EXPECT_EQ(stats.at("participants"), 2);
  EXPECT_EQ(stats.at("conferences"), 1);
  EXPECT_EQ(stats.at("bridge_selector").at("operational_bridge_count"), 2);
  EXPECT_EQ(stats.at("jingle").at("sent").at("SESSION_INITIATE"), 2);
  EXPECT_GE(stats.at("threads"), 2) << "the event loop and the store";
  EXPECT_EQ(stats.at("healthy"), true);
  EXPECT_EQ(get("/about/version").at("version"), stats.at("version"));
  for (const auto& each : stage.bridges) {
    each->apply({.verb = "kill", .arguments = {}, .duration = {}});
  }
  stage.until("the sidecar sees a soft failure",
              [this] { return stage.daemon.get("/about/health").status == 503; });
  EXPECT_EQ(get("/stats").at("bridge_selector").at("lost_bridges"), 2);
}

// jicofo-rtcstats-push compares snapshots per meeting id.
TEST_F(JicofoTools, RtcstatsPushSeesWhoComesAndGoes) {
  const json before = get("/rtcstats");
  ASSERT_EQ(before.size(), 1U);
  const std::string meeting = before.begin().key();
  EXPECT_EQ(before.at(meeting).at("meeting_id"), meeting);
  EXPECT_EQ(before.at(meeting).at("name"), stage.room("tools"));
  EXPECT_EQ(names(before.at(meeting).at("participants")),
            (std::set<std::string>{first.endpoint(), second.endpoint()}));
  ScriptedClient& third = stage.client("tools");
  stage.enter(third);
  stage.until_all_see_each_other({&first, &second, &third});
  const json joined = get("/rtcstats").at(meeting);
  EXPECT_EQ(joined.at("participants").size(), 3U);
  EXPECT_EQ(joined.at("participants").at(third.endpoint()).at("jingle_session").at("state"),
            "ACTIVE");
  EXPECT_EQ(joined.at("colibri_session_manager").at("participants").size(), 3U);
  const std::string gone = first.endpoint();
  first.leave();
  stage.until("it has left", [&] {
    return !names(get("/rtcstats").at(meeting).at("participants")).contains(gone);
  });
}

TEST_F(JicofoTools, DebugAndMetrics) {
  const json debug = get("/debug");
  EXPECT_EQ(debug.at("focus_manager"), json({{stage.room("tools"), 2}}));
  EXPECT_EQ(debug.at("bridge_selector").at("bridge").size(), 2U);
  EXPECT_EQ(get("/debug/conferences"), json({stage.room("tools")}));
  EXPECT_EQ(get("/debug/conferences-full").at(stage.room("tools")).at("participant_count"), 2);
  const json member = conference().at("chat_room").at("members").at(first.endpoint());
  EXPECT_THAT(member.at("features"), testing::Contains("AUDIO"));
  EXPECT_FALSE(conference().at("conference_sources").at(first.endpoint()).at("video").empty());
  const std::string metrics = stage.daemon.get("/metrics/jicofo").body;
  EXPECT_THAT(metrics, HasSubstr("\njitsi_jicofo_participants_current 2\n"));
  EXPECT_THAT(metrics, HasSubstr("\njitsi_jicofo_bridge_endpoints{jvb=\"" + bridge() + "\"} 2\n"));
  EXPECT_THAT(metrics, HasSubstr("\njitsi_jicofo_jingle_session_accept_received_total 2\n"));
}

TEST_F(JicofoTools, AMoveLeavesTheBridgeItWasOrderedOff) {
  const std::string before = bridge();
  const std::string path = "/move-endpoints/move-endpoints?numEndpoints=10&bridge=" + before;
  EXPECT_EQ(stage.daemon.get(path).status, 405U) << "GET must not move anybody";
  EXPECT_EQ(stage.daemon.post_json("/move-endpoints/move-endpoints?bridge=nobody", "").status, 404U);
  const HttpAnswer moved = stage.daemon.post_json(path, "");
  EXPECT_EQ(moved.status, 200U) << moved.body;
  EXPECT_EQ(json::parse(moved.body), json({{"movedEndpoints", 2}, {"conferences", 1}}));
  stage.until("both are invited again",
              [this] { return first.invites == 2 && second.invites == 2; });
  stage.until_all_see_each_other({&first, &second});
  EXPECT_NE(bridge(), before);
  EXPECT_EQ(get("/stats").at("bridge_failures").at("participants_moved"), 2);
  const HttpAnswer again = stage.daemon.post_json(path, "");
  EXPECT_EQ(json::parse(again.body).at("movedEndpoints"), 0) << "nobody is there any more";
}

TEST_F(JicofoTools, APinIsKeptUntilItIsRemoved) {
  const std::string body = R"({"conferenceId":")" + stage.room("pinned") +
                           R"(","jvbVersion":"9.9","durationMinutes":10})";
  EXPECT_EQ(stage.daemon.post_json("/pin", body).status, 200U);
  const json pins = get("/pin");
  ASSERT_EQ(pins.size(), 1U);
  EXPECT_EQ(pins.at(0).at("conferenceId"), stage.room("pinned"));
  EXPECT_EQ(pins.at(0).at("jvbVersion"), "9.9");
  const std::string removal = R"({"conferenceId":")" + stage.room("pinned") + "\"}";
  EXPECT_EQ(stage.daemon.post_json("/pin/remove", removal).status, 200U);
  EXPECT_EQ(stage.daemon.post_json("/pin/remove", removal).status, 200U) << "also without one";
  EXPECT_EQ(get("/pin"), json::array());
}

TEST(JicofoToolsOff, OneSwitchTakesAllOfItAway) {
  Stage::Options options;
  options.daemon = {{"admin", {{"jicofo-routes", "false"}}}};
  options.environment = {"ENABLE_VISITORS=1"};
  Stage stage(options);
  for (const char* path : {"/stats", "/rtcstats", "/debug", "/pin", "/metrics/jicofo",
                           "/move-endpoints/move-endpoints"}) {
    EXPECT_EQ(stage.daemon.get(path).status, 404U) << path;
  }
  EXPECT_EQ(stage.daemon.get("/about/health").status, 200U);
  EXPECT_FALSE(stage.daemon.log_line("config.variable_ignored", "ENABLE_VISITORS").empty());
}

}  // namespace
}  // namespace bascule::test
