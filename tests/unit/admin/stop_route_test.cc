#include "admin/stop_route.h"

#include <optional>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace bascule::admin {
namespace {

class StopRouteTest : public ::testing::Test {
 protected:
  StopRouteTest() {
    add_stop_route(router_,
                   {.stop = [this](StopMode mode, const std::string&) { asked_for_ = mode; },
                    .conferences = [] { return 7; }});
  }
  HttpResponse post(const std::string& query) {
    HttpResponse response;
    router_.handle(
        {.method = "POST", .path = "/v1/stop", .query = query, .authorization = {}, .body = {}},
        [&response](HttpResponse given) { response = std::move(given); });
    return response;
  }

  Router router_;
  std::optional<StopMode> asked_for_;
};

TEST_F(StopRouteTest, EndsAsAskedAndSaysHowManyConferencesThereAre) {
  const HttpResponse response = post("mode=leave-when-empty");
  EXPECT_EQ(response.status, 202U);
  EXPECT_EQ(nlohmann::json::parse(response.body).at("conferences"), 7);
  EXPECT_EQ(asked_for_, StopMode::kLeaveWhenEmpty);
  post("mode=suspend");
  EXPECT_EQ(asked_for_, StopMode::kSuspend);
  post("mode=leave");
  EXPECT_EQ(asked_for_, StopMode::kLeave);
}

TEST_F(StopRouteTest, DoesNotGuess) {
  for (const char* query : {"", "mode=", "mode=now", "how=leave", "mode=leave&mode=suspend"}) {
    EXPECT_EQ(post(query).status, 400U) << query;
  }
  EXPECT_EQ(asked_for_, std::nullopt);
}

}  // namespace
}  // namespace bascule::admin
