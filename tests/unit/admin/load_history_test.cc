#include "admin/load_history.h"

#include <gmock/gmock.h>

#include "admin/load_route.h"
#include "tests/unit/admin/ask.h"
#include "tests/unit/focus/placement_fixture.h"

namespace bascule::admin {
namespace {

using focus::bridge;
using focus::BridgeView;
using nlohmann::json;
using std::chrono::seconds;
using testing::ElementsAre, testing::IsEmpty, testing::Optional, testing::SizeIs;

BridgeView view(int id, std::int64_t expected) {
  BridgeView made;
  made.bridge = bridge(id);
  made.present = true;
  made.expected = Stress(expected);
  made.limit = Stress(800'000);
  return made;
}

class LoadHistoryTest : public testing::Test {
 protected:
  [[nodiscard]] Now now() const {
    return {Instant{seconds{1'000}} + passed_, WallTime{seconds{1'700'000'000}} + passed_};
  }
  void sample(const std::vector<BridgeView>& views) {
    passed_ += LoadHistory::kInterval;
    history_.sample(views, now());
  }
  /// What the route answers; its status when that is no success.
  json load(const std::string& query) { return load(history_, query); }
  json load(const LoadHistory& history, const std::string& query) {
    const focus::Placement placement(focus::unpaced(), 1);
    const auto view_of = [&placement]() -> const focus::Placement& { return placement; };
    Router router;
    add_load_route(router, {.placement = view_of, .now = [this] { return now(); }}, history);
    const HttpResponse response = ask(router, get("/v1/load", query));
    return response.status == 200 ? json_of(response) : json(response.status);
  }

  Duration passed_{};
  LoadHistory history_{3};
};

TEST_F(LoadHistoryTest, NothingIsKnownBeforeTheFirstSample) {
  EXPECT_THAT(history_.lines(60, 6), IsEmpty());
  EXPECT_EQ(load("").at("bridges"), json::object());
}

TEST_F(LoadHistoryTest, AStepTellsTheHighestOfItsSamples) {
  for (const std::int64_t load : {100'000, 300'000, 200'000, 50'000}) {
    sample({view(1, load)});
  }
  const auto lines = history_.lines(3, 2);
  ASSERT_THAT(lines, SizeIs(1));
  EXPECT_EQ(lines[0].nick, bridge(1).jid().resource());
  EXPECT_EQ(lines[0].limit, 0.8);
  EXPECT_THAT(lines[0].loads, ElementsAre(std::nullopt, Optional(0.3), Optional(0.2)));
}

TEST_F(LoadHistoryTest, ABridgeThatWasAwayAndATimeWithoutSamplesLeaveGaps) {
  sample({view(1, 100'000), view(2, 200'000)});
  sample({view(1, 100'000)});
  passed_ += seconds{20};  // The process stood still: two samples are missing.
  sample({view(1, 100'000), view(2, 300'000)});
  const auto lines = history_.lines(5, 1);
  ASSERT_THAT(lines, SizeIs(2));
  EXPECT_THAT(lines[0].loads,
              ElementsAre(Optional(0.1), Optional(0.1), std::nullopt, std::nullopt, Optional(0.1)));
  EXPECT_THAT(lines[1].loads,
              ElementsAre(Optional(0.2), std::nullopt, std::nullopt, std::nullopt, Optional(0.3)));
}

TEST_F(LoadHistoryTest, TheOldestSampleIsAnHourOldAndWhoIsGoneLongerIsForgotten) {
  sample({view(1, 100'000), view(2, 100'000)});
  for (std::size_t i = 1; i < LoadHistory::kSamples; ++i) {
    sample({view(1, 200'000)});
  }
  EXPECT_EQ(history_.bridge_count(), 2U);
  EXPECT_THAT(history_.line(bridge(1), 360, 1)[0].loads[0], Optional(0.1));
  sample({view(1, 200'000)});
  EXPECT_EQ(history_.bridge_count(), 1U);
  EXPECT_THAT(history_.line(bridge(1), 360, 1)[0].loads[0], Optional(0.2));
  EXPECT_THAT(history_.line(bridge(2), 360, 1), IsEmpty());
}

TEST_F(LoadHistoryTest, OneBridgeTooManyIsNotKept) {
  sample({view(1, 1), view(2, 1), view(3, 1), view(4, 1)});
  EXPECT_EQ(history_.bridge_count(), 3U);
}

TEST_F(LoadHistoryTest, WhatDoesNotFitIsCut) {
  sample({view(1, -5), view(2, 90'000'000)});
  const auto lines = history_.lines(1, 1);
  EXPECT_THAT(lines[0].loads, ElementsAre(Optional(0.0)));
  EXPECT_THAT(lines[1].loads, ElementsAre(Optional(65.534)));
}

TEST_F(LoadHistoryTest, TheRouteTellsFromWhenInWhichSteps) {
  for (int i = 0; i < 12; ++i) {
    sample({view(1, 100'000 + i * 1'000)});
  }
  const json two = load("minutes=2&step=60");
  EXPECT_EQ(two.at("from"), "2023-11-14T22:13:20.000Z");
  EXPECT_EQ(two.at("step_s"), 60);
  const std::string nick = bridge(1).jid().resource();
  EXPECT_EQ(two.at("limit").at(nick), 0.8);
  EXPECT_EQ(two.at("bridges").at(nick), json::array({0.105, 0.111}));
  EXPECT_EQ(load("minutes=1").at("bridges").at(nick).size(), 1U);
  EXPECT_EQ(load("bridge=brewery@internal.example/nobody").at("bridges"), json::object());
}

TEST_F(LoadHistoryTest, ALargeFleetGetsLongerStepsOrIsToldToTakeThem) {
  LoadHistory large(2'000);
  std::vector<BridgeView> views;
  for (int i = 0; i < 2'000; ++i) {
    views.push_back(view(i, 1));
  }
  large.sample(views, now());
  EXPECT_EQ(load(large, "").at("step_s"), 120);
  EXPECT_EQ(load(large, "step=60"), 400);
}

TEST_F(LoadHistoryTest, BadParametersAreRefused) {
  for (const char* query : {"minutes=0", "minutes=61", "minutes=x", "step=5", "step=15",
                            "minutes=1&step=120", "step=3610", "since=1"}) {
    EXPECT_EQ(load(query), 400) << query;
  }
  EXPECT_EQ(load("bridge=nobody"), 404);
}

}  // namespace
}  // namespace bascule::admin
