// What operators read over REST, against what really happened: the real daemon on a real Prosody.

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/wait.h>

#include "tests/integration/child_process.h"
#include "tests/integration/stage.h"

namespace bascule::test {
namespace {

using nlohmann::json;
using std::chrono::seconds;

json read(const Stage& stage, const std::string& path) {
  const HttpAnswer answer = stage.daemon.get(path);
  EXPECT_EQ(answer.status, 200U) << path << ": " << answer.body;
  return json::parse(answer.body);
}

std::string nick_of(const json& address) {
  const auto text = address.get<std::string>();
  return text.substr(text.find('/') + 1);
}

std::string nick_of(const peers::Bridge& bridge) {
  return "jvb" + std::to_string(bridge.id());
}

/// Three people in "tea" and two in "milk".
class Reading : public testing::Test {
 protected:
  Reading() {
    for (const char* room : {"tea", "tea", "tea", "milk", "milk"}) {
      ScriptedClient& client = stage_.client(room);
      stage_.enter(client);
      (std::string(room) == "tea" ? tea_ : milk_).push_back(&client);
    }
    stage_.until_all_see_each_other(tea_);
    stage_.until_all_see_each_other(milk_);
  }

  Stage stage_;
  std::vector<ScriptedClient*> tea_, milk_;
};

TEST_F(Reading, TheOverviewAgreesWithTheStage) {
  const json overview = read(stage_, "/v1/overview");
  EXPECT_EQ(overview.at("ready"), true);
  EXPECT_EQ(overview.at("problems"), json::array());
  EXPECT_EQ(overview.at("conferences"), 2);
  EXPECT_EQ(overview.at("participants"), 5);
  EXPECT_EQ(overview.at("sessions"), 5);
  EXPECT_EQ(overview.at("queue").at("total"), 0);
  EXPECT_EQ(overview.at("stats").at("store"), "ok");
  std::set<std::string> links;
  for (const json& link : overview.at("links")) {
    EXPECT_EQ(link.at("up"), true) << link;
    EXPECT_THAT(link.at("address").get<std::string>(), testing::HasSubstr(stage_.prosody.domain()));
    links.insert(link.at("link"));
  }
  EXPECT_THAT(links, testing::UnorderedElementsAre("requests", "client", "service"));
  ASSERT_EQ(overview.at("bridges").size(), stage_.bridges.size());
  for (const auto& bridge : stage_.bridges) {
    const json told = read(stage_, "/v1/bridges/" + nick_of(*bridge));
    EXPECT_EQ(told.at("participants"), bridge->colibri().endpoint_count());
    EXPECT_EQ(told.at("conferences"), bridge->colibri().conferences().size());
    EXPECT_EQ(told.at("rooms").size(), bridge->colibri().conferences().size());
    EXPECT_EQ(told.at("drain"), nullptr);
  }
}

TEST_F(Reading, ConferencesAndPeopleAgreeWithTheStage) {
  const json page = read(stage_, "/v1/conferences?limit=1");
  ASSERT_EQ(page.at("conferences").size(), 1U);
  EXPECT_EQ(page.at("conferences").at(0).at("room"), stage_.room("milk"));
  EXPECT_EQ(page.at("total"), 2);
  const json rest = read(stage_, "/v1/conferences?after=" + page.at("next").get<std::string>());
  ASSERT_EQ(rest.at("conferences").size(), 1U);
  EXPECT_EQ(rest.at("conferences").at(0).at("participants"), 3);
  EXPECT_EQ(rest.at("next"), nullptr);

  const json tea = read(stage_, "/v1/conferences/" + stage_.room("tea"));
  ASSERT_EQ(tea.at("participants").size(), 3U);
  for (const ScriptedClient* client : tea_) {
    const std::string endpoint = client->endpoint();
    const json one =
        read(stage_, "/v1/conferences/" + stage_.room("tea") + "/participants/" + endpoint);
    EXPECT_EQ(one.at("state"), "active");
    ASSERT_NE(stage_.bridge_of(endpoint), nullptr);
    EXPECT_EQ(nick_of(one.at("bridge")), nick_of(*stage_.bridge_of(endpoint)));
    EXPECT_NE(one.at("sid"), nullptr);
    EXPECT_NE(one.at("placed_at"), nullptr);
    ASSERT_GE(one.at("decisions").size(), 1U);
    EXPECT_EQ(one.at("decisions").at(0).at("rule"), one.at("rule"));
    EXPECT_EQ(one.at("decisions").at(0).at("bridge"), one.at("bridge"));
    const json decisions =
        read(stage_, "/v1/decisions?room=" + stage_.room("tea") + "&endpoint=" + endpoint);
    EXPECT_EQ(decisions.at("decisions"), one.at("decisions"));
  }
  EXPECT_EQ(stage_.daemon.get("/v1/conferences/" + stage_.room("coffee")).status, 404U);
}

TEST_F(Reading, ReadinessTellsSinceWhenThereIsNoBridge) {
  for (const auto& bridge : stage_.bridges) {
    bridge->stop();
  }
  stage_.until(
      "no bridge is left", [this] { return !stage_.daemon.is_ready(); }, seconds{60});
  const json readiness = read(stage_, "/v1/readiness");
  EXPECT_EQ(readiness.at("ready"), false);
  for (const json& check : readiness.at("checks")) {
    EXPECT_EQ(check.at("ok"), check.at("check") != "no_bridge") << check;
    EXPECT_EQ(check.at("since") == nullptr, check.at("ok")) << check;
  }
}

TEST_F(Reading, EveryAnswerIsAsTheDocumentSays) {
  const std::filesystem::path output = stage_.daemon.folder() / "openapi.txt";
  const pid_t checker =
      spawn({BASCULE_PYTHON, BASCULE_SOURCE_DIR "/scripts/check_openapi.py", "--url",
             stage_.daemon.url(), "--room", stage_.room("tea"), "--endpoint", tea_[0]->endpoint(),
             "--bridge", nick_of(*stage_.bridges.front())},
            output);
  int status = -1;
  stage_.until(
      "every route was asked", [&] { return waitpid(checker, &status, WNOHANG) == checker; },
      seconds{60});
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << read_file(output);
  EXPECT_THAT(read_file(output), testing::HasSubstr("no violation"));
}

TEST_F(Reading, TheLogLevelIsChangedWhileItRuns) {
  EXPECT_EQ(read(stage_, "/v1/log-level").at("level"), "info");
  const HttpAnswer changed = stage_.daemon.put_json("/v1/log-level", R"({"level": "debug"})");
  EXPECT_EQ(changed.status, 200U) << changed.body;
  EXPECT_EQ(read(stage_, "/v1/log-level").at("level"), "debug");
  EXPECT_NE(stage_.daemon.log_line("log.level_changed", "to=debug"), "");
}

}  // namespace
}  // namespace bascule::test
