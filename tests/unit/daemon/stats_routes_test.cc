#include "daemon/stats_routes.h"

#include <filesystem>
#include <optional>

#include <boost/asio/executor_work_guard.hpp>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/unit/stats/store_support.h"

namespace bascule::daemon {
namespace {

using admin::HttpResponse;
using nlohmann::json;

class StatsRoutesTest : public testing::Test {
 protected:
  void open_store() {
    auto opened = stats::sqlite::Store::open({.directory = folder_.path()}, done_.sink());
    ASSERT_TRUE(opened.has_value());
    store_ = std::move(opened->store);
    stats::Batch batch;
    for (std::uint64_t number = 1; number <= 9; ++number) {
      ASSERT_TRUE(batch.add(stats::sqlite::numbered_report(number)).has_value());
    }
    store_->write(WriteId(++writes_), std::move(batch));
    ASSERT_TRUE(done_.wait(WriteId(writes_)).has_value());
    routes_.emplace(io_, *store_, folder_.path());
    router_ = {};
    routes_->add_to(router_);
  }
  void close_store() {
    routes_.reset();
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
    while (!answer && io_.run_one_for(std::chrono::seconds{5}) > 0) {
    }
    return answer.value_or(HttpResponse{.status = 0});
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
  std::optional<StatsRoutes> routes_;
};

TEST_F(StatsRoutesTest, HealthAndVerifyOfASoundStore) {
  open_store();
  const json health = ask_json("GET", "/v1/stats/health");
  EXPECT_EQ(health.at("sound"), true);
  EXPECT_EQ(health.at("reports_written"), 9);
  const json check = ask_json("POST", "/v1/stats/verify");
  EXPECT_EQ(check.at("sound"), true);
  EXPECT_EQ(check.at("files").at(1).at("records"), 9);
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
  const json history = ask_json("GET", "/v1/bridges/jvb1/history");
  ASSERT_GE(history.at("points").size(), 1U);
  EXPECT_EQ(history.at("points").at(0).at("stress_max"), 0.25);
  EXPECT_EQ(ask("GET", "/v1/bridges/nobody/history").status, 404U);
  for (const char* query : {"from=yesterday", "to=1", "step=0", "step=x", "colour=red",
                            "from=2026-11-21T23:05:00Z&to=2026-11-21T23:04:00Z"}) {
    EXPECT_EQ(ask("GET", "/v1/bridges/jvb1/history", query).status, 400U) << query;
  }
}

}  // namespace
}  // namespace bascule::daemon
