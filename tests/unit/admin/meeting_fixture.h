#pragma once

#include <string>

#include <gtest/gtest.h>

#include "tests/unit/admin/ask.h"
#include "tests/unit/focus/stage.h"

namespace bascule::admin {

/// A focus with bridges "jvb1" and "jvb2" in its brewery, and the routes that a test adds.
class MeetingFixture : public testing::Test {
 protected:
  MeetingFixture() {
    stage_.start_all();
    stage_.add_bridge("jvb1", "0.4");
    stage_.add_bridge("jvb2", "0.1");
    stage_.advance(std::chrono::seconds{1});
  }

  [[nodiscard]] static std::string room(const std::string& name) {
    return name + "@conference.example.net";
  }
  HttpResponse ask_for(const std::string& path, const std::string& query = {}) {
    return ask(router_, get(path, query));
  }
  nlohmann::json json_at(const std::string& path, const std::string& query = {}) {
    const HttpResponse response = ask_for(path, query);
    EXPECT_EQ(response.status, 200U) << response.body;
    EXPECT_EQ(response.content_type, "application/json");
    return json_of(response);
  }
  /// It is a problem that says so itself.
  void expect_problem(unsigned status, const std::string& path, const std::string& query = {}) {
    const HttpResponse response = ask_for(path, query);
    EXPECT_EQ(response.status, status) << path << '?' << query;
    EXPECT_EQ(response.content_type, "application/problem+json");
    EXPECT_EQ(json_of(response).at("status"), status);
    EXPECT_NE(json_of(response).at("detail"), "");
  }

  focus::Stage stage_;
  Router router_;
};

}  // namespace bascule::admin
