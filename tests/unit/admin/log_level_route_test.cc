#include "admin/log_level_route.h"

#include <gtest/gtest.h>

#include "tests/unit/admin/ask.h"

namespace bascule::admin {
namespace {

class LogLevelRouteTest : public testing::Test {
 protected:
  LogLevelRouteTest() {
    add_log_level_routes(router_, {.level = [this] { return level_; },
                                   .set_level =
                                       [this](focus::NoteLevel level, const std::string& by,
                                              const std::function<void(const Result<>&)>& done) {
                                         if (is_recorded_) {
                                           level_ = level;
                                           by_ = by;
                                           done({});
                                         } else {
                                           done(fail(Errc::kUnavailable, "too many orders wait"));
                                         }
                                       }});
  }
  HttpResponse put(std::string body) {
    HttpRequest request = get("/v1/log-level");
    request.method = "PUT";
    request.body = std::move(body);
    request.principal = {.name = "ops", .role = Role::kAdmin};
    return ask(router_, request);
  }

  focus::NoteLevel level_ = focus::NoteLevel::kInfo;
  std::string by_;
  bool is_recorded_ = true;
  Router router_;
};

TEST_F(LogLevelRouteTest, EveryLevelCanBeSetAndRead) {
  for (const auto level : {focus::NoteLevel::kDebug, focus::NoteLevel::kWarn,
                           focus::NoteLevel::kError, focus::NoteLevel::kInfo}) {
    const nlohmann::json wanted{{"level", name_of(level)}};
    const HttpResponse answer = put(wanted.dump());
    EXPECT_EQ(answer.status, 200U);
    EXPECT_EQ(json_of(answer), wanted);
    EXPECT_EQ(level_, level);
    EXPECT_EQ(json_of(ask(router_, get("/v1/log-level"))), wanted);
  }
  EXPECT_EQ(by_, "ops");
}

TEST_F(LogLevelRouteTest, OnlyAdministratorsMaySetIt) {
  for (const Router::Route& route : router_.routes()) {
    EXPECT_EQ(route.role, route.method == "PUT" ? Role::kAdmin : Role::kRead);
  }
}

TEST_F(LogLevelRouteTest, WhatCannotBeRecordedIsNotDone) {
  is_recorded_ = false;
  const HttpResponse answer = put(R"({"level": "debug"})");
  EXPECT_EQ(answer.status, 503U);
  EXPECT_EQ(json_of(answer).at("detail"), "too many orders wait");
  EXPECT_EQ(level_, focus::NoteLevel::kInfo);
}

TEST_F(LogLevelRouteTest, AnythingElseIsAProblemAndChangesNothing) {
  for (const char* body : {"", "debug", "[]", "{}", R"({"level": "loud"})", R"({"level": 1})",
                           R"({"level": "debug", "for": 5})", R"({"level": "debug")"}) {
    EXPECT_EQ(put(body).status, 400U) << body;
  }
  EXPECT_EQ(level_, focus::NoteLevel::kInfo);
  EXPECT_EQ(by_, "");
  EXPECT_EQ(ask(router_, get("/v1/log-level", "x=1")).status, 400U);
}

}  // namespace
}  // namespace bascule::admin
