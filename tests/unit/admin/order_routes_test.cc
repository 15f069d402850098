// What operators change over HTTP, against a whole focus without links.

#include "admin/order_routes.h"

#include <optional>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "focus/focus.h"

namespace bascule::admin {
namespace {

using Json = nlohmann::json;

constexpr const char* kBrewery = "jvbbrewery@internal.auth.example.net/";

class OrderRoutesTest : public ::testing::Test {
 protected:
  OrderRoutesTest() : focus_({}, known_bridges(), 1, now()) {
    add_order_routes(
        router_, desk_,
        {.placement = [this]() -> const focus::Placement& { return focus_.placement(); },
         .orders = [this]() -> const focus::Orders& { return focus_.orders(); },
         .now = [] { return now(); }});
  }

  static Now now() {
    return {.mono = Instant(std::chrono::hours{1}), .wall = WallTime(std::chrono::hours{480'000})};
  }
  static focus::Restored known_bridges() {
    focus::Restored restored;
    for (const char* nick : {"jvb1", "jvb2"}) {
      const BridgeJid bridge(Jid::parse(std::string(kBrewery) + nick).value());
      restored.tables.apply(focus::op::BridgeLearned{
          .bridge = bridge, .at = now().mono, .wall = now().wall, .capacity = Stress::full()});
    }
    restored.same_boot = true;
    return restored;
  }

  HttpResponse ask(const std::string& method, const std::string& path, const std::string& body = {},
                   const std::string& query = {}) {
    HttpRequest request{
        .method = method, .path = path, .query = query, .authorization = {}, .body = body};
    request.principal = {.name = "anna", .role = Role::kOperate};
    std::optional<HttpResponse> response;
    router_.handle(request, [&](HttpResponse given) { response = std::move(given); });
    EXPECT_TRUE(response.has_value()) << method << " " << path << " is answered";
    return response.value_or(HttpResponse{});
  }
  Json json(const std::string& path) { return Json::parse(ask("GET", path).body); }

  focus::Focus focus_;
  OrderDesk desk_{[this](focus::OrderId id, std::string by, focus::Order what) {
    focus::Actions actions;
    focus_.handle(focus::in::OperatorOrder{id, std::move(by), std::move(what)}, now(), actions);
    for (const focus::Action& action : actions) {
      if (const auto* answer = std::get_if<focus::out::AnswerOrder>(&action)) {
        desk_.answer(answer->order, answer->outcome);
      }
    }
  }};
  Router router_;
};

TEST_F(OrderRoutesTest, ADrainIsMadeShownAndTakenBack) {
  EXPECT_EQ(ask("GET", "/v1/bridges/jvb1/drain").status, 404U);
  const HttpResponse made =
      ask("PUT", "/v1/bridges/jvb1/drain", R"({"reason":"disk","evacuate":true})");
  ASSERT_EQ(made.status, 200U) << made.body;
  const Json drain = Json::parse(made.body);
  EXPECT_EQ(drain.at("bridge"), std::string(kBrewery) + "jvb1");
  EXPECT_EQ(drain.at("reason"), "disk");
  EXPECT_EQ(drain.at("by"), "anna");
  EXPECT_EQ(drain.at("evacuate"), true);
  EXPECT_EQ(drain.at("done"), true) << "nobody is there";
  EXPECT_EQ(json("/v1/bridges/jvb1/drain"), drain);
  EXPECT_EQ(json("/v1/drains").at("drains"), Json::array({drain}));
  EXPECT_EQ(ask("DELETE", "/v1/bridges/jvb1/drain").status, 204U);
  EXPECT_EQ(ask("DELETE", "/v1/bridges/jvb1/drain").status, 204U) << "idempotent";
  EXPECT_EQ(ask("GET", "/v1/bridges/jvb1/drain").status, 404U);
  EXPECT_TRUE(json("/v1/drains").at("drains").empty());
}

TEST_F(OrderRoutesTest, ABodyIsOptionalAndABridgeMayBeNamedByItsAddress) {
  EXPECT_EQ(ask("PUT", "/v1/bridges/jvbbrewery%40internal.auth.example.net%2Fjvb2/drain").status,
            200U);
  EXPECT_EQ(json("/v1/bridges/jvb2/drain").at("evacuate"), false);
}

TEST_F(OrderRoutesTest, WhatMakesNoSenseIsRefusedAndChangesNothing) {
  for (const char* body :
       {"[]", "{", R"({"evacuate":"yes"})", R"({"reason":7})", R"({"evacuat":true})"}) {
    EXPECT_EQ(ask("PUT", "/v1/bridges/jvb1/drain", body).status, 400U) << body;
  }
  EXPECT_EQ(ask("PUT", "/v1/bridges/jvb9/drain").status, 404U);
  for (const char* body : {"", "{}", R"({"version":"2"})", R"({"version":"2","minutes":0})",
                           R"({"version":"","minutes":5})", R"({"version":"2","minutes":-5})",
                           R"({"version":"2","minutes":99999})"}) {
    EXPECT_EQ(ask("PUT", "/v1/pins/tea%40conference.example.net", body).status, 400U) << body;
  }
  EXPECT_EQ(ask("PUT", "/v1/pins/tea", R"({"version":"2","minutes":5})").status, 400U);
  EXPECT_TRUE(json("/v1/audit").at("entries").empty());
}

TEST_F(OrderRoutesTest, APinIsMadeShownAndTakenBack) {
  const std::string path = "/v1/pins/tea%40conference.example.net";
  const HttpResponse made = ask("PUT", path, R"({"version":"2.3","minutes":90})");
  ASSERT_EQ(made.status, 200U) << made.body;
  const Json pins = json("/v1/pins").at("pins");
  ASSERT_EQ(pins.size(), 1U);
  EXPECT_EQ(pins[0], Json::parse(made.body));
  EXPECT_EQ(pins[0].at("version"), "2.3");
  EXPECT_EQ(ask("DELETE", path).status, 204U);
  EXPECT_EQ(ask("DELETE", path).status, 204U);
  EXPECT_TRUE(json("/v1/pins").at("pins").empty());
}

TEST_F(OrderRoutesTest, AMoveThatCannotBeSaysWhy) {
  const std::string room = "/v1/conferences/tea%40conference.example.net";
  const HttpResponse nobody = ask("POST", room + "/move", "{}");
  EXPECT_EQ(nobody.status, 404U);
  EXPECT_NE(nobody.body.find("tea@conference.example.net"), std::string::npos);
  EXPECT_EQ(ask("POST", room + "/move", R"({"to":"jvb9"})").status, 404U);
  EXPECT_EQ(ask("POST", room + "/move", R"({"to":"jvb1"})").status, 409U) << "it is not there";
  EXPECT_EQ(ask("POST", room + "/move", R"({"participants":"all"})").status, 400U);
  EXPECT_EQ(ask("POST", room + "/participants/a1b2/move", R"({"participants":3})").status, 400U);
  EXPECT_EQ(ask("POST", room + "/participants/a1b2/move").status, 404U);
  EXPECT_EQ(ask("GET", room + "/move").status, 405U);
}

TEST_F(OrderRoutesTest, TheRecordIsReadInPagesTheNewestFirst) {
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(
        ask("PUT", "/v1/bridges/jvb1/drain", R"({"reason":")" + std::to_string(i) + R"("})").status,
        200U);
  }
  const Json first = Json::parse(ask("GET", "/v1/audit", {}, "limit=2").body);
  ASSERT_EQ(first.at("entries").size(), 2U);
  EXPECT_EQ(first.at("entries")[0].at("after"), "drained: 2");
  EXPECT_EQ(first.at("entries")[0].at("by"), "anna");
  ASSERT_TRUE(first.at("next").is_string());
  const Json second = Json::parse(
      ask("GET", "/v1/audit", {}, "limit=2&before=" + first.at("next").get<std::string>()).body);
  ASSERT_EQ(second.at("entries").size(), 1U);
  EXPECT_EQ(second.at("entries")[0].at("before"), "in use");
  EXPECT_TRUE(second.at("next").is_null());
  for (const char* query : {"limit=0", "limit=x", "before=x", "before=1", "after=1"}) {
    EXPECT_EQ(ask("GET", "/v1/audit", {}, query).status, 400U) << query;
  }
}

TEST(OrderDeskTest, TooManyOrdersThatWaitAreRefusedAtOnce) {
  OrderDesk desk([](focus::OrderId, const std::string&, const focus::Order&) {});
  std::size_t refused = 0;
  for (int i = 0; i < 150; ++i) {
    desk.give("anna", focus::order::Undrain{}, [&](const auto& outcome) {
      EXPECT_EQ(outcome.error().code, Errc::kUnavailable);
      ++refused;
    });
  }
  EXPECT_EQ(refused, 50U);
  EXPECT_EQ(desk.waiting(), 100U);
  desk.answer(focus::OrderId{7'000}, focus::OrderDone{});
  EXPECT_EQ(desk.waiting(), 100U) << "nobody waits for that";
}

}  // namespace
}  // namespace bascule::admin
