#include <gmock/gmock.h>

#include "admin/bridge_routes.h"
#include "admin/overview_routes.h"
#include "admin/queue_routes.h"
#include "base/time_text.h"
#include "tests/unit/admin/meeting_fixture.h"

namespace bascule::admin {
namespace {

using nlohmann::json;
using std::chrono::seconds;

class OverviewRouteTest : public MeetingFixture {
 protected:
  OverviewRouteTest() {
    const auto now = [this] { return stage_.now; };
    const auto placement = [this]() -> const focus::Placement& { return stage_.focus.placement(); };
    add_overview_route(
        router_,
        {.version = "1.2",
         .revision = "abc",
         .started_at = started_,
         .focus = &stage_.focus,
         .now = now,
         .health = [] { return Health{.ready = true, .problems = {"store_damaged: one page"}}; },
         .links =
             [] {
               return std::vector<LinkStatus>{
                   {.link = "client", .is_up = true, .address = "focus@auth.example.net/focus"}};
             },
         .store = [] { return "damaged"; },
         .ha = {}});
    const auto drains = [this]() -> const focus::Orders::Drains& {
      return stage_.focus.orders().drains();
    };
    add_bridge_routes(router_, {.placement = placement, .drains = drains, .now = now});
    add_queue_routes(router_, {.placement = placement, .now = now});
  }

  const WallTime started_ = stage_.now.wall - seconds{90};
};

TEST_F(OverviewRouteTest, EverythingThatMattersIsToldAtOnce) {
  stage_.meet("tea", {"alice", "bob"});
  const json overview = json_at("/v1/overview");
  EXPECT_EQ(overview.at("version"), "1.2");
  EXPECT_EQ(overview.at("revision"), "abc");
  EXPECT_EQ(overview.at("uptime_s"), (stage_.now.wall - started_) / seconds{1});
  EXPECT_EQ(overview.at("at"), to_text(stage_.now.wall));
  EXPECT_EQ(overview.at("ready"), true);
  EXPECT_EQ(overview.at("problems"), json::array({"store_damaged: one page"}));
  EXPECT_EQ(overview.at("mode"), "normal");
  EXPECT_EQ(overview.at("overload"), "none");
  EXPECT_EQ(overview.at("queue").at("total"), 0);
  EXPECT_EQ(overview.at("conferences"), 1);
  EXPECT_EQ(overview.at("participants"), 2);
  EXPECT_EQ(overview.at("sessions"), 2);
  EXPECT_EQ(overview.at("waiting_requests"), 0);
  EXPECT_EQ(overview.at("links").at(0).at("up"), true);
  EXPECT_EQ(overview.at("stats").at("store"), "damaged");
  EXPECT_EQ(overview.at("stats").at("node"), "off");
  EXPECT_EQ(overview.at("ha"), nullptr);
  EXPECT_EQ(overview.at("bridges"), json_at("/v1/bridges").at("bridges"));
  expect_problem(400, "/v1/overview", "x=1");
}

TEST_F(OverviewRouteTest, ABridgeIsToldWithItsRoomsByNickOrAddress) {
  stage_.meet("tea", {"alice", "bob"});
  const json bridge = json_at("/v1/bridges/jvb2");
  EXPECT_EQ(bridge.at("nick"), "jvb2");
  EXPECT_EQ(bridge.at("participants"), 2);
  EXPECT_EQ(bridge.at("conferences"), 1);
  EXPECT_EQ(bridge.at("rooms"), json::array({room("tea")}));
  EXPECT_EQ(bridge.at("drain"), nullptr);
  const json by_address = json_at("/v1/bridges/jvbbrewery%40internal.auth.example.net%2Fjvb2");
  EXPECT_EQ(by_address, bridge);
  expect_problem(404, "/v1/bridges/jvb9");
  expect_problem(404, "/v1/bridges/jvbbrewery%40internal.auth.example.net%2Fjvb9");
  expect_problem(400, "/v1/bridges/jvb2", "x=1");
}

TEST_F(OverviewRouteTest, AnOperatorsDrainIsToldWithTheBridge) {
  stage_.meet("tea", {"alice", "bob"});
  const json before = json_at("/v1/bridges/jvb2");
  const BridgeJid jvb2(Jid::parse(before.at("bridge").get<std::string>()).value());
  stage_.give(focus::in::OperatorOrder{
      focus::OrderId(1), "ops",
      focus::order::Drain{.bridge = jvb2, .evacuate = false, .reason = "kernel"}});
  const json drain = json_at("/v1/bridges/jvb2").at("drain");
  EXPECT_EQ(drain.at("by"), "ops");
  EXPECT_EQ(drain.at("reason"), "kernel");
  EXPECT_EQ(drain.at("evacuate"), false);
  EXPECT_EQ(drain.at("participants"), 2);
  EXPECT_EQ(drain.at("done"), false);
  EXPECT_EQ(drain.at("since"), to_text(stage_.now.wall));
  EXPECT_EQ(json_at("/v1/overview").at("bridges").at(1).at("drain"), drain);
}

TEST_F(OverviewRouteTest, WhoWaitsIsToldOldestFirst) {
  stage_.meet("tea", {"alice"});
  stage_.meet("milk", {"carol"});
  stage_.remove_bridge("jvb1");
  stage_.remove_bridge("jvb2");
  stage_.join("tea", "bob");
  stage_.advance(seconds{5});
  stage_.join("milk", "dave");
  const json queue = json_at("/v1/queue");
  EXPECT_EQ(queue.at("total"), 4);
  EXPECT_EQ(queue.at("by_class").at("first"), 4);
  EXPECT_EQ(queue.at("oldest_wait_ms"), 5'000);
  ASSERT_EQ(queue.at("tickets").size(), 4U);
  const json& oldest = queue.at("tickets").at(0);
  EXPECT_EQ(oldest.at("room"), room("tea"));
  EXPECT_EQ(oldest.at("kind"), "join");
  EXPECT_EQ(oldest.at("class"), "first");
  EXPECT_EQ(oldest.at("waited_ms"), 5'000);
  EXPECT_EQ(oldest.at("why"), "no_bridge");
  EXPECT_EQ(queue.at("tickets").at(3).at("room"), room("milk"));
  EXPECT_EQ(json_at("/v1/queue", "limit=1").at("tickets").size(), 1U);
  EXPECT_EQ(json_at("/v1/queue", "limit=1").at("total"), 4);
  for (const char* query : {"limit=0", "limit=1001", "limit=", "first=1"}) {
    expect_problem(400, "/v1/queue", query);
  }
}

}  // namespace
}  // namespace bascule::admin
