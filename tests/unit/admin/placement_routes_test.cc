#include "admin/placement_routes.h"

#include <optional>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "admin/bridge_routes.h"
#include "tests/unit/focus/placement_fixture.h"

namespace bascule::admin {
namespace {

using focus::bridge;
using focus::room;
using nlohmann::json;
using std::chrono::seconds;

/// Two bridges, of which the second is less loaded, and a meeting of three.
class PlacementRoutesTest : public testing::Test {
 protected:
  PlacementRoutesTest() {
    placement_.service_up(now());
    for (int sequence = 1; sequence <= 6; ++sequence) {
      static_cast<void>(placement_.report(focus::report_of(bridge(1), 400'000, sequence), now()));
      static_cast<void>(placement_.report(focus::report_of(bridge(2), 100'000, sequence), now()));
      pass(seconds{5});
    }
    for (int i = 1; i <= 3; ++i) {
      EXPECT_TRUE(placement_.enqueue(focus::ticket(room("tea"), i), now()).has_value());
    }
    pass(seconds{1});
  }

  [[nodiscard]] Now now() const {
    return {Instant{seconds{1'000}} + passed_, WallTime{seconds{1'700'000'000}} + passed_};
  }
  void pass(Duration time) {
    for (; time > Duration::zero(); time -= seconds{1}) {
      passed_ += seconds{1};
      std::vector<focus::Decision> placed;
      std::vector<focus::Move> moves;
      placement_.drain(now(), placed, moves);
    }
  }
  HttpResponse ask(std::string path, std::string query = {}) {
    std::optional<HttpResponse> answer;
    HttpRequest request{.method = "GET",
                        .path = std::move(path),
                        .query = std::move(query),
                        .authorization = {},
                        .body = {}};
    router_.handle(request, [&answer](HttpResponse response) { answer = std::move(response); });
    return answer.value_or(
        HttpResponse{.status = 0, .content_type = {}, .body = {}, .headers = {}});
  }
  json decisions(const std::string& query) {
    const HttpResponse response = ask("/v1/decisions", query);
    EXPECT_EQ(response.status, 200U) << response.body;
    EXPECT_EQ(response.content_type, "application/json");
    return json::parse(response.body).at("decisions");
  }

  Duration passed_{};
  focus::Placement placement_{focus::unpaced(), 1};
  Decisions earlier_;
  Router router_ =
             [this] {
               Router router;
    add_placement_routes(router, {.placement = [this]() -> const auto& { return placement_;
             },
         .now = [this] { return now(); }, .earlier = &earlier_});
return router;
}
();
};

TEST_F(PlacementRoutesTest, ADecisionIsToldWithWhatItRestsOn) {
  const json all = decisions("room=tea%40conference.example.net");
  ASSERT_EQ(all.size(), 3U);
  const json& first = all.at(2);  // Newest first.
  EXPECT_EQ(first.at("endpoint"), "p1");
  EXPECT_EQ(first.at("class"), "first");
  EXPECT_EQ(first.at("rule"), "new");
  EXPECT_EQ(first.at("wait"), nullptr);
  EXPECT_EQ(first.at("bridge"), bridge(2).to_string());
  EXPECT_EQ(first.at("limit"), 0.75);
  EXPECT_EQ(first.at("open_bridges"), 2);
  EXPECT_EQ(first.at("at"), "2023-11-14T22:13:51.000Z");
  ASSERT_EQ(first.at("candidates").size(), 2U);
  EXPECT_EQ(first.at("candidates").at(0).at("bridge"), bridge(2).to_string());
  EXPECT_EQ(first.at("candidates").at(0).at("reported"), 0.1);
  EXPECT_EQ(first.at("candidates").at(0).at("fits"), true);
  EXPECT_EQ(first.at("candidates").at(1).at("reported"), 0.4);
  EXPECT_EQ(all.at(0).at("people"), 2);
}

TEST_F(PlacementRoutesTest, DecisionsAreFoundByBridgeAndLimited) {
  EXPECT_EQ(decisions("bridge=" + bridge(2).jid().resource()).size(), 3U);
  EXPECT_EQ(decisions("bridge=" + bridge(2).to_string()).size(), 3U);
  EXPECT_EQ(decisions("limit=2&bridge=" + bridge(2).jid().resource()).size(), 2U);
  EXPECT_EQ(decisions("bridge=" + bridge(1).jid().resource()).size(), 0U);
  EXPECT_EQ(decisions("room=other@conference.example.net").size(), 0U);
}

TEST_F(PlacementRoutesTest, DecisionsOfEarlierProcessesFollow) {
  for (std::uint64_t number = 1; number <= 3; ++number) {
    focus::op::Decision decision{.at = WallTime(seconds{1'600'000'000}), .number = number};
    decision.room = room("tea");
    decision.endpoint = EndpointId("old" + std::to_string(number));
    decision.reason = "capacity";
    earlier_[{decision.at, number}] = decision;
  }
  const json all = decisions("room=tea@conference.example.net&limit=5");
  ASSERT_EQ(all.size(), 5U);
  EXPECT_EQ(all.at(2).at("earlier_process"), false);
  EXPECT_EQ(all.at(3).at("earlier_process"), true);
  EXPECT_EQ(all.at(3).at("endpoint"), "old3");
  EXPECT_EQ(all.at(3).at("wait"), "capacity");
  EXPECT_EQ(all.at(3).at("bridge"), nullptr);
}

TEST_F(PlacementRoutesTest, BadParametersAreProblems) {
  for (const char* query :
       {"", "limit=5", "room=tea@c.example&bridge=jvb1001", "room=", "room=c.example",
        "room=tea@c.example/nick", "room=%zz@c", "room=a%4", "room=tea@c.example&limit=0",
        "room=tea@c.example&limit=1001", "room=tea@c.example&limit=5x",
        "room=tea@c.example&room=tea@c.example", "roam=tea@c.example"}) {
    const HttpResponse response = ask("/v1/decisions", query);
    EXPECT_EQ(response.status, 400U) << query;
    EXPECT_EQ(response.content_type, "application/problem+json");
    EXPECT_EQ(json::parse(response.body).at("status"), 400) << query;
  }
  EXPECT_EQ(ask("/v1/decisions", "bridge=jvb9").status, 404U);
  EXPECT_EQ(ask("/v1/placement", "x=1").status, 400U);
}

TEST_F(PlacementRoutesTest, TheWholeIsToldAtAGlance) {
  placement_.service_down(now());
  ASSERT_TRUE(placement_.enqueue(focus::ticket(room("milk"), 1), now()).has_value());
  passed_ += seconds{4};
  const json overview = json::parse(ask("/v1/placement").body);
  EXPECT_EQ(overview.at("mode"), "service_down");
  EXPECT_EQ(overview.at("queue").at("first"), 1);
  EXPECT_EQ(overview.at("oldest_wait_ms"), 4'000);
  EXPECT_EQ(overview.at("counters").at("placed").at("new"), 1);
  EXPECT_EQ(overview.at("counters").at("placed").at("join"), 2);
  EXPECT_EQ(overview.at("counters").at("tickets"), 4);
}

}  // namespace
}  // namespace bascule::admin
