// Bridges of a real deployment that stop telling their load, partly and wholly. People come in
// meanwhile; REST, metrics, health and log have to say how little is known, and that it is known
// again. Prints one row per part: docs/operations.md.

#include <algorithm>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/integration/stage.h"

namespace bascule::test {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using testing::HasSubstr;

constexpr int kBridges = 4;

class StatsBlackoutLive : public ::testing::Test {
 protected:
  StatsBlackoutLive() : stage_(options()) {}

  static Stage::Options options() {
    Stage::Options made;
    made.bridges = kBridges;
    made.bridge_capacity = 60;
    made.pubsub_node = "sharedStatsNode";
    made.daemon["links.service"] = {{"pubsub-service", "\"pubsub.bascule.test\""},
                                    {"pubsub-node", "\"sharedStatsNode\""}};
    made.daemon["selection"] = {{"stale-after", "\"4 s\""}, {"blind-after", "\"8 s\""}};
    return made;
  }

  void fault(std::size_t bridge, const std::string& verb, std::vector<std::string> arguments = {}) {
    stage_.bridges.at(bridge)->apply({verb, std::move(arguments), {}});
  }
  void fault_all(const std::string& verb, const std::vector<std::string>& arguments = {}) {
    for (std::size_t i = 0; i < stage_.bridges.size(); ++i) {
      fault(i, verb, arguments);
    }
  }

  [[nodiscard]] json bridges() const {
    return json::parse(stage_.daemon.get("/v1/bridges").body).at("bridges");
  }
  [[nodiscard]] std::int64_t at_level(const std::string& level) const {
    const json all = bridges();
    return std::count_if(all.begin(), all.end(), [&level](const json& bridge) {
      return bridge.at("confidence_level") == level;
    });
  }
  [[nodiscard]] double least_confidence() const {
    double least = 1;
    for (const json& bridge : bridges()) {
      least = std::min(least, bridge.at("confidence").get<double>());
    }
    return least;
  }

  /// Rooms of two, one after the other; every one has to get its sessions.
  void meet(int rooms) {
    for (int i = 0; i < rooms; ++i) {
      const std::string room = "meeting" + std::to_string(++rooms_);
      std::vector<ScriptedClient*> people{&stage_.client(room), &stage_.client(room)};
      const auto began = Stage::Clock::now();
      for (ScriptedClient* one : people) {
        stage_.enter(*one);
      }
      stage_.until_all_see_each_other(people);
      slowest_ =
          std::max(slowest_, std::chrono::duration<double>(Stage::Clock::now() - began).count());
    }
  }
  /// Largest less smallest number of people.
  [[nodiscard]] std::int64_t spread() const {
    std::vector<std::int64_t> people;
    for (const auto& bridge : stage_.bridges) {
      people.push_back(bridge->colibri().endpoint_count());
    }
    const auto [least, most] = std::minmax_element(people.begin(), people.end());
    return *most - *least;
  }
  void print(const std::string& part, double after) {
    std::string people;
    for (const auto& bridge : stage_.bridges) {
      people += (people.empty() ? "" : "+") + std::to_string(bridge->colibri().endpoint_count());
    }
    std::printf(
        "| %s | after %.1f s | confidence %.3f at least | people %s | slowest room %.1f s |\n",
        part.c_str(), after, least_confidence(), people.c_str(), slowest_);
    std::fflush(stdout);
    slowest_ = 0;
  }
  /// Seconds until it held.
  double wait_for(const std::string& what, const std::function<bool()>& condition) {
    const auto began = Stage::Clock::now();
    stage_.until(what, condition, seconds{40});
    return std::chrono::duration<double>(Stage::Clock::now() - began).count();
  }

  Stage stage_;
  int rooms_ = 0;
  double slowest_ = 0;
};

TEST_F(StatsBlackoutLive, LoadStaysEvenAndNobodyIsLeftInTheDark) {
  fault_all("clock", {"1000000s"});  // Of no consequence.
  wait_for("everybody is trusted", [this] { return at_level("high") == kBridges; });
  meet(8);
  EXPECT_LE(spread(), 2);
  print("all tell", 0);

  // Half of them, by both ways.
  fault(0, "stats", {"stopped"});
  fault(1, "stats", {"stopped"});
  double after = wait_for("half is known to be blind", [this] { return at_level("low") == 2; });
  EXPECT_EQ(at_level("high"), 2);
  stage_.until("the operator is told",
               [this] { return !stage_.daemon.log_line("stats.blind", "extent=partly").empty(); });
  EXPECT_EQ(stage_.daemon.get("/readyz").body.find("stats_blind"), std::string::npos);
  meet(8);
  EXPECT_LE(spread(), 2);
  print("half silent", after);

  // All of them.
  fault(2, "stats", {"stopped"});
  fault(3, "stats", {"stopped"});
  after = wait_for("all are known to be blind", [this] {
    return !stage_.daemon.log_line("stats.blind", "extent=wholly").empty();
  });
  EXPECT_EQ(at_level("low"), kBridges);
  const double confidence = least_confidence();
  meet(8);
  EXPECT_LE(spread(), 2);
  stage_.until("confidence falls on", [&] { return least_confidence() < confidence; });
  const HttpAnswer health = stage_.daemon.get("/readyz");
  EXPECT_EQ(health.status, 200);
  EXPECT_THAT(health.body, HasSubstr("stats_blind"));
  EXPECT_EQ(stage_.daemon.metric("bascule_bridges_by_confidence{level=\"low\"}"), kBridges);
  EXPECT_EQ(stage_.daemon.metric("bascule_stats_blind{extent=\"wholly\"}"), 1);
  for (const json& bridge : bridges()) {
    EXPECT_GT(bridge.at("expected").get<double>(), 0) << bridge;
    EXPECT_GT(bridge.at("caution").get<double>(), 0) << bridge;
  }
  EXPECT_TRUE(stage_.daemon.log_line("stats.trusted_again", "").empty());
  print("all silent", after);

  // Pubsub alone is back.
  fault_all("stats", {"elsewhere"});
  after = wait_for("second hand", [this] { return at_level("medium") == kBridges; });
  for (const json& bridge : bridges()) {
    EXPECT_EQ(bridge.at("report_source"), "pubsub");
  }
  stage_.until("the operator is told", [this] {
    return !stage_.daemon.log_line("stats.trusted_again", "bridges=4").empty();
  });
  meet(4);
  EXPECT_LE(spread(), 2);
  print("pubsub only", after);

  // The bridges themselves, with clocks that go back by days.
  fault_all("clear");
  after = wait_for("first hand", [this] { return at_level("high") == kBridges; });
  EXPECT_THAT(stage_.daemon.get("/readyz").body, testing::Not(HasSubstr("stats_blind")));
  meet(4);
  EXPECT_LE(spread(), 2);
  print("all tell again", after);
}

}  // namespace
}  // namespace bascule::test
