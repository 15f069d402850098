#include "admin/checks.h"

#include <fstream>
#include <sstream>

#include <gmock/gmock.h>

#include "focus/readiness.h"
#include "tests/unit/admin/ask.h"

namespace bascule::admin {
namespace {

using nlohmann::json;
using std::chrono::seconds;

class ChecksTest : public testing::Test {
 protected:
  ChecksTest() {
    add_readiness_route(router_, {.health = [this] { return health_; },
                                  .now = [this] { return now_; },
                                  .history = &history_});
  }
  json check(const std::string& name) {
    const json answer = json_of(ask(router_, get("/v1/readiness")));
    for (const json& each : answer.at("checks")) {
      if (each.at("check") == name) {
        return each;
      }
    }
    return nullptr;
  }

  Health health_{.ready = true, .problems = {}};
  WallTime now_{seconds{1'700'000'000}};
  CheckHistory history_;
  Router router_;
};

TEST_F(ChecksTest, AllIsWell) {
  const json answer = json_of(ask(router_, get("/v1/readiness")));
  EXPECT_EQ(answer.at("ready"), true);
  EXPECT_EQ(answer.at("checks").size(), known_checks().size());
  for (const json& each : answer.at("checks")) {
    EXPECT_EQ(each.at("ok"), true) << each;
    EXPECT_EQ(each.at("since"), nullptr);
  }
  EXPECT_EQ(ask(router_, get("/v1/readiness", "x=1")).status, 400U);
}

TEST_F(ChecksTest, WhatIsWrongIsToldWithSinceWhenAndEveryDetail) {
  health_ = {.ready = true,
             .problems = {"store_damaged: page 7", "store_damaged: page 9", "stats_blind"}};
  history_.look(health_, now_);
  now_ += seconds{60};
  const json damaged = check("store_damaged");
  EXPECT_EQ(damaged.at("ok"), false);
  EXPECT_EQ(damaged.at("needed"), false);
  EXPECT_EQ(damaged.at("since"), "2023-11-14T22:13:20.000Z");
  EXPECT_EQ(damaged.at("detail"), "damage was found in the store: page 7; page 9");
  EXPECT_EQ(damaged.at("help"), "docs/operations.md#store_damaged");
  EXPECT_EQ(check("stats_blind").at("ok"), false);
  EXPECT_EQ(check("no_bridge").at("ok"), true);
}

TEST_F(ChecksTest, WhatCameBackIsTimedAnew) {
  health_.problems = {"no_bridge"};
  history_.look(health_, now_);
  health_.problems = {};
  history_.look(health_, now_ + seconds{5});
  EXPECT_EQ(history_.since("no_bridge"), std::nullopt);
  health_.problems = {"no_bridge"};
  history_.look(health_, now_ + seconds{10});
  EXPECT_EQ(history_.since("no_bridge"), now_ + seconds{10});
}

bool is_known(std::string_view name) {
  for (const KnownCheck& check : known_checks()) {
    if (check.name == name) {
      return true;
    }
  }
  return false;
}

TEST_F(ChecksTest, EveryReasonOfTheFocusIsACheckThatIsNeededWhenItMakesUnready) {
  for (std::size_t i = 0; i < focus::kNotReadyCount; ++i) {
    const auto reason = static_cast<focus::NotReady>(i);
    ASSERT_TRUE(is_known(focus::name_of(reason))) << focus::name_of(reason);
    const focus::Readiness readiness{.reasons = {reason}};
    for (const KnownCheck& check : known_checks()) {
      if (check.name == focus::name_of(reason)) {
        EXPECT_EQ(check.is_needed, !readiness.ready()) << check.name;
      }
    }
  }
}

TEST_F(ChecksTest, TheManualHasAHeadingForEveryCheck) {
  std::ifstream file(BASCULE_SOURCE_DIR "/docs/operations.md");
  std::ostringstream manual;
  manual << file.rdbuf();
  for (const KnownCheck& check : known_checks()) {
    EXPECT_THAT(manual.str(), testing::HasSubstr("\n### " + std::string(check.name) + "\n"));
  }
}

}  // namespace
}  // namespace bascule::admin
