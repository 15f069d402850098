// Whole runs of sim/storm at a small scale, and what is reported of them.

#include "sim/storm/run.h"

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "sim/storm/random_stream.h"
#include "sim/storm/report.h"
#include "sim/storm/thresholds.h"

namespace bascule::sim::storm {
namespace {

RunSetup setup_of(std::string_view scenario, PolicyId policy, std::size_t bridges = 20) {
  return {.scenario = find_scenario(scenario), .policy = policy, .bridges = bridges};
}

RunResult run(std::string_view scenario, PolicyId policy) {
  return StormRun(setup_of(scenario, policy)).run();
}

/// Puts everybody somewhere and writes down what it is told that is not its own doing.
class Recorder : public Policy {
 public:
  struct Seen {
    std::vector<std::pair<std::int64_t, PersonId>> requests;
    std::vector<std::pair<BridgeId, double>> reports;
  };
  Recorder(Seen& seen, std::size_t bridges, std::uint32_t offset)
      : seen_(seen), up_(bridges, false), offset_(offset) {}
  void starts_with(PersonId, RoomId, BridgeId, Now) override {}
  void request(const Request& request, Now now, std::vector<Placed>& out) override {
    if (request.kind == RequestKind::kJoin) {
      seen_.requests.emplace_back(now.mono.time_since_epoch().count(), request.person);
    }
    for (std::size_t tried = 0; tried < up_.size(); ++tried) {
      const auto bridge = static_cast<BridgeId>((request.person + offset_ + tried) % up_.size());
      if (up_[bridge]) {
        out.push_back({request.person, bridge});
        return;
      }
    }
  }
  void released(PersonId, Now) override {}
  void confirmed(PersonId, Now) override {}
  void not_answered(PersonId, Now) override {}
  void report(const Report& report, Now now) override {
    if (now.mono < Instant{std::chrono::hours{1}}) {  // The warm phase.
      seen_.reports.emplace_back(report.bridge, report.stress);
    }
  }
  void bridge_down(BridgeId bridge, Now) override { up_[bridge] = false; }
  void bridge_up(BridgeId bridge, Now) override { up_[bridge] = true; }
  void bridge_absent(BridgeId, Now) override {}
  void service_down(Now) override {}
  void service_up(Now) override {}
  void mass_drop(MemoryKept, Now) override {}
  void tick(Now, std::vector<Placed>&) override {}

 private:
  Seen& seen_;
  std::vector<bool> up_;
  std::uint32_t offset_;
};

TEST(Run, ArrivalsAndWarmPhaseDoNotDependOnThePolicy) {
  Recorder::Seen one, other;
  const RunSetup setup = setup_of("S2", PolicyId::kNaive);
  StormRun(setup, [&](const PolicySetup& policy) {
    return std::make_unique<Recorder>(one, policy.bridges, 0);
  }).run();
  StormRun(setup, [&](const PolicySetup& policy) {
    return std::make_unique<Recorder>(other, policy.bridges, 7);
  }).run();
  EXPECT_GT(one.requests.size(), 1000U);
  EXPECT_EQ(one.requests, other.requests);
  EXPECT_GT(one.reports.size(), 1000U);
  EXPECT_EQ(one.reports, other.reports);
}

TEST(Run, SeedsAndPoliciesShareArrivalsAsTheyShould) {
  std::set<std::uint64_t> hashes;
  for (std::size_t policy = 0; policy < kPolicyCount; ++policy) {
    hashes.insert(run("S3", static_cast<PolicyId>(policy)).arrivals_hash);
  }
  EXPECT_EQ(hashes.size(), 1U);
  RunSetup other = setup_of("S3", PolicyId::kNaive);
  other.seed = 2;
  hashes.insert(StormRun(other).run().arrivals_hash);
  EXPECT_EQ(hashes.size(), 2U);
}

TEST(Run, NaiveLosesOneBridgeAfterTheOther) {
  const RunResult result = StormRun(setup_of("S2", PolicyId::kNaive, 100)).run();
  EXPECT_GE(result.kills, 45U);           // All five seconds or so, the whole time,
  EXPECT_LE(result.bridges_killed, 19U);  // of those that just came back, too.
  EXPECT_GE(quantile(result.down_s, 0.5), 260);
  EXPECT_LE(result.jain, 0.2);
}

TEST(Run, JicofosDefaultLosesAFifthOfTheBridges) {
  const RunResult result = run("S2", PolicyId::kJicofo);
  EXPECT_GE(result.bridges_killed, 2U);
  EXPECT_LE(result.bridges_killed, 9U);
  EXPECT_EQ(result.unplaced, 0U);
}

TEST(Run, TheCoreKeepsTheFleetAliveWhereOthersLoseIt) {
  for (const char* scenario : {"S2", "S8"}) {
    const RunResult result = run(scenario, PolicyId::kBascule);
    EXPECT_EQ(result.kills, 0U) << scenario;
    EXPECT_LE(result.max_stress, 1.2) << scenario;
  }
}

TEST(Run, SameSeedGivesTheSameRow) {
  for (const PolicyId policy :
       {PolicyId::kTwoChoices, PolicyId::kJicofoRedistribution, PolicyId::kBascule}) {
    EXPECT_EQ(summarize({run("S4", policy)}), summarize({run("S4", policy)})) << to_string(policy);
  }
}

TEST(Run, SeveralFocusesShareTheRooms) {
  RunSetup setup = setup_of("S2", PolicyId::kJicofo);
  setup.focuses = 2;
  const RunResult two = StormRun(setup).run();
  EXPECT_EQ(two.unplaced, 0U);
  EXPECT_NE(two.down_s, run("S2", PolicyId::kJicofo).down_s);
}

TEST(Run, APoisonousConferenceKillsWhatItIsPutOnAndNothingElse) {
  const RunResult result = run("X4", PolicyId::kJicofo);
  EXPECT_GE(result.poisoned, 50U);  // Every ten seconds, and one to notice.
  EXPECT_LE(result.kills, 2U);
  EXPECT_LE(run("X4", PolicyId::kBascule).poisoned, 8U);
}

TEST(Run, WhoWaitsForASlowServerWaitsForItsAnswer) {
  RunSetup setup = setup_of("S2", PolicyId::kJicofoRelay);
  const RunResult quick = StormRun(setup).run();
  setup.truth.server_rate = 50;  // For more than a thousand people.
  const RunResult slow = StormRun(setup).run();
  const auto expected = static_cast<double>(slow.down_s.size()) / 50 - 5;
  EXPECT_LE(quantile(quick.down_s, 0.5), 1);
  EXPECT_GE(quantile(slow.down_s, 0.95), expected);
}

TEST(Run, RegionsAreCountedWhereThereAreAny) {
  EXPECT_EQ(run("S3", PolicyId::kNaive).at_home, std::nullopt);
  const auto at_home = run("X5", PolicyId::kBasculeRelay).at_home;
  ASSERT_TRUE(at_home);
  EXPECT_GT(*at_home, 0.7);
}

TEST(FluidOptimum, IsWhatTheScenarioAllows) {
  const auto optimum = [](std::string_view scenario) {
    const RunSetup setup = setup_of(scenario, PolicyId::kNaive, 50);
    return fluid_optimum(make_script(*setup.scenario, {.bridges = 50, .seed = 1}), setup);
  };
  EXPECT_NEAR(optimum("S2").value(), 5, 0.2);
  EXPECT_NEAR(optimum("S7").value(), 20, 0.4);
  EXPECT_NEAR(optimum("S4").value(), 1.2, 0.3);  // Detection, then the joins.
  EXPECT_NEAR(optimum("S4x").value(), 60, 2);
  EXPECT_EQ(optimum("S1"), std::nullopt);
}

TEST(Metrics, QuantilesAndFairness) {
  EXPECT_EQ(quantile({}, 0.5), 0);
  EXPECT_EQ(quantile({1, 2, 3, 4}, 0.5), 3);
  EXPECT_EQ(quantile({1, 2, 3, 4}, 1), 4);
  EXPECT_DOUBLE_EQ(jain_index({0.5, 0.5}), 1);
  EXPECT_DOUBLE_EQ(jain_index({1, 0, 0, 0}), 0.25);
}

Row row() {
  return {.scenario = "S4",
          .policy = "bascule-relay",
          .fleet = "equal",
          .bridges = 200,
          .seeds = 3,
          .max_stress = 1.05,
          .down_p99_s = 1.1,
          .moves = 20};
}

TEST(Report, JsonHasExactlyTheAgreedKeys) {
  Row with_ratio = row();
  with_ratio.optimum_ratio = 1.5;
  const auto json = nlohmann::ordered_json::parse(json_of({row(), with_ratio}));
  ASSERT_EQ(json.size(), 1U);
  ASSERT_EQ(json.at("rows").size(), 2U);
  std::vector<std::string> keys;
  for (const auto& [key, value] : json.at("rows")[0].items()) {
    keys.push_back(key);
  }
  EXPECT_THAT(
      keys, ::testing::ElementsAre("scenario", "policy", "bridges", "fleet", "seeds", "kills",
                                   "bridges_killed", "max_stress", "over_s_per_user", "down_p50_s",
                                   "down_p99_s", "down_max_s", "jain", "splits", "moves",
                                   "unplaced", "optimum_ratio"));
  EXPECT_TRUE(json["rows"][0]["optimum_ratio"].is_null());
  EXPECT_EQ(json["rows"][1]["optimum_ratio"], 1.5);
  EXPECT_EQ(json["rows"][0]["policy"], "bascule-relay");
  EXPECT_EQ(json["rows"][0]["bridges"], 200);
  EXPECT_EQ(json["rows"][0]["max_stress"], 1.05);
}

TEST(Report, CsvAndTableHaveALinePerRow) {
  const std::string csv = csv_of({row()});
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 2);
  EXPECT_EQ(std::count(csv.begin(), csv.end(), ','), 32);
  EXPECT_THAT(table_of({row()}), ::testing::HasSubstr("bascule-relay"));
}

TEST(Report, PageNeedsNothingFromOutside) {
  RunSetup setup = setup_of("S3", PolicyId::kJicofo);
  setup.keep_series = true;
  RunResult result = StormRun(setup).run();
  EXPECT_EQ(result.series.size(), 301U);
  const std::string page = html_of({row()}, {{.scenario = "S3",
                                              .title = "title",
                                              .policy = "jicofo",
                                              .load = result.series,
                                              .down_s = result.down_s}});
  EXPECT_THAT(page, ::testing::HasSubstr("<svg"));
  EXPECT_THAT(page, ::testing::HasSubstr("prefers-color-scheme: dark"));
  EXPECT_THAT(page, ::testing::Not(::testing::HasSubstr("http")));
  EXPECT_THAT(page, ::testing::Not(::testing::HasSubstr("nan")));
}

TEST(Thresholds, NameWhatIsExceeded) {
  EXPECT_THAT(exceeded({row()}), ::testing::IsEmpty());
  Row worse = row();
  worse.kills = 0.3;
  worse.moves = 301;
  EXPECT_THAT(exceeded({worse}),
              ::testing::ElementsAre(::testing::HasSubstr("kills"), ::testing::HasSubstr("moves")));
  worse.policy = "naive";
  EXPECT_THAT(exceeded({worse}), ::testing::IsEmpty());
}

TEST(Thresholds, AreWiderForMixedFleets) {
  Row mixed = row();
  mixed.down_p99_s = 20;
  EXPECT_EQ(exceeded({mixed}).size(), 1U);
  mixed.fleet = "mixed";
  EXPECT_THAT(exceeded({mixed}), ::testing::IsEmpty());
}

}  // namespace
}  // namespace bascule::sim::storm
