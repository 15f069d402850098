#pragma once

#include <deque>
#include <functional>
#include <string>
#include <utility>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "admin/http.h"
#include "tests/unit/focus/stage.h"

namespace bascule::admin {

/// A focus with two bridges, and people in rooms; asked over HTTP.
class JicofoStage : public testing::Test {
 protected:
  JicofoStage() {
    stage.start_all();
    stage.add_bridge("jvb1");
    stage.add_bridge("jvb2");
    stage.advance(std::chrono::seconds{6});
  }

  HttpResponse ask(std::string method, std::string path, std::string query = {},
                   std::string body = {}) {
    HttpResponse answer;
    answer.status = 0;
    HttpRequest request{.method = std::move(method),
                        .path = std::move(path),
                        .query = std::move(query),
                        .authorization = {},
                        .body = std::move(body)};
    request.principal = {.name = "olga", .role = Role::kOperate};
    router.handle(std::move(request), [&answer](HttpResponse response) {
      EXPECT_EQ(answer.status, 0U) << "answered twice";
      answer = std::move(response);
    });
    return answer;
  }
  nlohmann::json get(const std::string& path, const std::string& query = {}) {
    const HttpResponse response = ask("GET", path, query);
    EXPECT_EQ(response.status, 200U) << response.body;
    EXPECT_EQ(response.content_type, "application/json");
    return nlohmann::json::parse(response.body);
  }
  static std::string detail(const HttpResponse& response) {
    EXPECT_EQ(response.content_type, "application/problem+json");
    return nlohmann::json::parse(response.body).at("detail");
  }
  [[nodiscard]] std::string bridge(const std::string& nick) const {
    return stage.focus.options().brewery.to_string() + "/" + nick;
  }

  focus::Stage stage;
  Router router;
};

constexpr auto kTea = "tea@conference.example.net";

}  // namespace bascule::admin
