#include "daemon/stats_routes.h"

#include <filesystem>
#include <functional>
#include <optional>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/unit/stats/running_store.h"

namespace bascule::daemon {
namespace {

using admin::HttpResponse;
using nlohmann::json;

class StatsRoutesTest : public testing::Test {
 protected:
  void open_store() {
    options_.dir = folder_.path();
    auto opened = stats::sqlite::Store::open({.directory = folder_.path()}, done_.sink());
    ASSERT_TRUE(opened.has_value());
    store_ = std::move(opened->store);
    stats::Batch batch;
    for (std::uint64_t number = 1; number <= 9; ++number) {
      ASSERT_TRUE(batch.add(stats::sqlite::numbered_report(number)).has_value());
    }
    store_->write(WriteId(++writes_), std::move(batch));
    ASSERT_TRUE(done_.wait(WriteId(writes_)).has_value());
    upkeep_ = std::make_unique<StoreUpkeep>(
        io_, *store_, options_,
        StoreUpkeep::Hooks{
            .log = [this](const focus::Note& note) { events_.emplace_back(note.event); },
            .requery = [this] { ++requeries_; }});
    routes_.emplace(
        *store_, *upkeep_,
        StatsRoutes::Sources{
            .requery = [] { return focus::StatsRequery{.asked_at = {}, .expected = 3, .seen = 2}; },
            .record = [this](const auto&, const auto& what) { recorded_.push_back(what); }});
    router_ = {};
    routes_->add_to(router_);
  }
  void close_store() {
    routes_.reset();
    upkeep_.reset();
    store_.reset();
  }
  HttpResponse ask(const std::string& method, const std::string& path,
                   const std::string& query = {}) {
    std::optional<HttpResponse> answer;
    admin::HttpRequest request;
    request.method = method;
    request.path = path;
    request.query = query;
    router_.handle(request, [&answer](HttpResponse response) { answer = std::move(response); });
    const auto work = boost::asio::make_work_guard(io_);
    io_.restart();
    while (!answer && io_.run_one_for(std::chrono::seconds{5}) > 0) {
    }
    return answer.value_or(HttpResponse{.status = 0});
  }
  /// Begins one and gives its end.
  json rebuild(const std::string& query) {
    EXPECT_EQ(ask("POST", "/v1/stats/rebuild", query).status, 202U);
    run_until([this] { return upkeep_->last_rebuild()->ended.has_value(); });
    return ask_json("GET", "/v1/stats/rebuild");
  }
  void run_until(const std::function<bool()>& condition) {
    const auto work = boost::asio::make_work_guard(io_);
    io_.restart();
    while (!condition()) {
      ASSERT_GT(io_.run_one_for(std::chrono::seconds{5}), 0U);
    }
  }
  json ask_json(const std::string& method, const std::string& path) {
    return json::parse(ask(method, path).body);
  }

  stats::sqlite::TempFolder folder_{stats::sqlite::Medium::kMemory};
  stats::sqlite::Completions done_;
  std::uint64_t writes_ = 0;
  boost::asio::io_context io_{1};
  std::unique_ptr<stats::sqlite::Store> store_;
  admin::Router router_;
  std::unique_ptr<StoreUpkeep> upkeep_;
  std::optional<StatsRoutes> routes_;
  std::vector<std::string> events_;
  std::vector<std::string> recorded_;
  int requeries_ = 0;
  config::State options_;
};

TEST_F(StatsRoutesTest, HealthAndVerifyOfASoundStore) {
  open_store();
  const json health = ask_json("GET", "/v1/stats/health");
  EXPECT_EQ(health.at("sound"), true);
  EXPECT_EQ(health.at("reports_written"), 9);
  const json check = ask_json("POST", "/v1/stats/verify");
  EXPECT_EQ(check.at("sound"), true);
  EXPECT_EQ(check.at("files").at(1).at("records"), 9);
  EXPECT_EQ(ask_json("GET", "/v1/stats/health").at("verification").at("sound"), true);
}

TEST_F(StatsRoutesTest, DamageFoundWhileRunningIsSaidUntilItIsRepaired) {
  open_store();
  EXPECT_EQ(ask("GET", "/v1/stats/rebuild").status, 404U);
  stats::sqlite::execute_sql(folder_ / "stats.db", "UPDATE bridge_sample SET raw=x'00' WHERE id=4");
  EXPECT_EQ(ask_json("POST", "/v1/stats/verify").at("sound"), false);
  EXPECT_EQ(ask_json("GET", "/v1/stats/health").at("sound"), false);
  EXPECT_EQ(upkeep_->open_findings().size(), 1U);

  const json dry = rebuild("dry-run=true");
  EXPECT_EQ(dry.at("result").at("rows_dropped"), 1);
  EXPECT_EQ(dry.at("bridges"), nullptr);
  EXPECT_EQ(requeries_, 0);
  EXPECT_EQ(upkeep_->open_findings().size(), 1U);

  const json done = rebuild("");
  EXPECT_EQ(done.at("result").at("history_replaced"), true);
  EXPECT_EQ(done.at("rows").at("kept"), 8);
  EXPECT_EQ(done.at("bridges").at("expected"), 3);
  EXPECT_EQ(done.at("bridges").at("seen"), 2);
  EXPECT_EQ(requeries_, 1);
  EXPECT_TRUE(upkeep_->open_findings().empty());
  EXPECT_EQ(ask_json("GET", "/v1/stats/health").at("sound"), true);
  EXPECT_EQ(ask_json("POST", "/v1/stats/verify").at("sound"), true);
  EXPECT_EQ(events_, (std::vector<std::string>{
                         "store.damaged", "store.verified", "store.rebuild_begun", "store.rebuilt",
                         "store.rebuild_begun", "store.rebuilt", "store.verified"}));
}

TEST_F(StatsRoutesTest, OneRebuildAtATimeAndNoNonsense) {
  open_store();
  EXPECT_EQ(ask("POST", "/v1/stats/rebuild").status, 202U);
  EXPECT_EQ(ask("POST", "/v1/stats/rebuild").status, 409U);
  EXPECT_EQ(ask("POST", "/v1/stats/rebuild", "dry-run=perhaps").status, 400U);
  EXPECT_EQ(ask("POST", "/v1/stats/rebuild", "colour=red").status, 400U);
}

TEST_F(StatsRoutesTest, ABackupIsNamedAfterItsTime) {
  open_store();
  const json backup = ask_json("POST", "/v1/stats/backup");
  EXPECT_EQ(backup.at("error"), nullptr);
  EXPECT_TRUE(std::filesystem::exists(backup.at("path").get<std::string>() + "/stats.db"));
  EXPECT_EQ(events_, std::vector<std::string>{"store.backed_up"});
  EXPECT_EQ(recorded_, std::vector<std::string>{"backup"});
}

TEST_F(StatsRoutesTest, TheScheduleRepairsWhatItFinds) {
  options_.verify_interval = std::chrono::milliseconds{1};
  options_.backup_interval = std::chrono::milliseconds{1};
  options_.backups_kept = 2;
  open_store();
  std::filesystem::create_directories(folder_ / "backup/20200101T000000Z");
  std::filesystem::create_directories(folder_ / "backup/20200102T000000Z");
  std::filesystem::create_directories(folder_ / "backup/of somebody else");
  stats::sqlite::execute_sql(folder_ / "stats.db", "UPDATE bridge_sample SET raw=x'00' WHERE id=4");
  upkeep_->start();
  run_until([this] {
    return upkeep_->counters().rebuilds > 0 && upkeep_->counters().backups > 0 &&
           !std::filesystem::exists(folder_ / "backup/20200101T000000Z");
  });
  EXPECT_GE(upkeep_->counters().damages_found, 1U);
  EXPECT_EQ(upkeep_->counters().rows_dropped, 1U);
  EXPECT_TRUE(upkeep_->open_findings().empty());
  EXPECT_TRUE(std::filesystem::exists(folder_ / "backup/of somebody else"));
}

TEST_F(StatsRoutesTest, TheEndDoesNotWaitForALongReading) {
  open_store();
  stats::Batch batch(20'000);
  for (std::uint64_t number = 1; number <= 20'000; ++number) {
    ASSERT_TRUE(batch.add(stats::sqlite::numbered_report(number)).has_value());
  }
  store_->write(WriteId(++writes_), std::move(batch));
  ASSERT_TRUE(done_.wait(WriteId(writes_)).has_value());
  stats::sqlite::execute_sql(folder_ / "stats.db", "UPDATE bridge_sample SET raw=x'00' WHERE id=4");
  ASSERT_TRUE(upkeep_->rebuild({}).has_value());
  const auto progress = upkeep_->last_rebuild()->progress;
  while (progress->rows_kept == 0) {
    std::this_thread::yield();
  }
  close_store();
  EXPECT_FALSE(std::filesystem::exists(folder_ / "quarantine")) << "half a reading is believed";
}

TEST_F(StatsRoutesTest, HealthSaysWhatTheStartLostAndWhereTheOldFileIs) {
  open_store();
  close_store();
  std::filesystem::resize_file(folder_ / "stats.db", 5'000);
  open_store();
  const json health = ask_json("GET", "/v1/stats/health");
  EXPECT_EQ(health.at("sound"), false);
  const json& finding = health.at("start").at("findings").at(0);
  EXPECT_EQ(finding.at("file"), "stats.db");
  EXPECT_EQ(finding.at("lost"), 9);
  EXPECT_TRUE(std::filesystem::exists(health.at("start").at("moved_to").at(0).get<std::string>() +
                                      "/stats.db"));
  EXPECT_EQ(ask_json("POST", "/v1/stats/verify").at("sound"), true) << "the new file";
}

TEST_F(StatsRoutesTest, HistoryIsGivenByNickAndRefusesNonsense) {
  open_store();
  // Not only up to now: a report of this very millisecond does not lie before it.
  const json history =
      json::parse(ask("GET", "/v1/bridges/jvb1/history",
                      "from=2026-01-01T00:00:00Z&to=2099-01-01T00:00:00Z&step=31536000")
                      .body);
  ASSERT_GE(history.at("points").size(), 1U);
  EXPECT_EQ(history.at("points").at(0).at("stress_max"), 0.25);
  EXPECT_EQ(ask("GET", "/v1/bridges/nobody/history").status, 404U);
  for (const char* query : {"from=yesterday", "to=1", "step=0", "step=x", "colour=red",
                            "from=2026-11-21T23:05:00Z&to=2026-11-21T23:04:00Z"}) {
    EXPECT_EQ(ask("GET", "/v1/bridges/jvb1/history", query).status, 400U) << query;
  }
}

TEST_F(StatsRoutesTest, AScheduleCanBeginWhileItRuns) {
  options_.verify_interval = options_.backup_interval = Duration::zero();
  open_store();
  upkeep_->start();
  config::State changed = options_;
  changed.verify_interval = changed.backup_interval = std::chrono::milliseconds{50};
  changed.backup_dir = folder_.path() + "/elsewhere";
  upkeep_->configure(changed);
  run_until(
      [this] { return upkeep_->counters().backups > 0 && upkeep_->counters().verifications > 0; });
  EXPECT_TRUE(std::filesystem::exists(folder_.path() + "/elsewhere"));
  upkeep_->configure(options_);  // Off again: the loop has nothing left to wait for.
  io_.restart();
  io_.run_for(std::chrono::seconds{5});
  EXPECT_TRUE(io_.stopped());
}

}  // namespace
}  // namespace bascule::daemon
