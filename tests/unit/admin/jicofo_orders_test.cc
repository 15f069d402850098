#include "admin/jicofo_orders.h"

#include <optional>

#include <gmock/gmock.h>

#include "tests/unit/admin/jicofo_stage.h"

namespace bascule::admin {
namespace {

using focus::order::Move, focus::order::Pin, focus::order::Unpin;
using nlohmann::json;
using testing::HasSubstr;

class JicofoOrdersTest : public JicofoStage {
 protected:
  JicofoOrdersTest() { serve(false); }

  void serve(bool get_moves) {
    router = Router();
    add_jicofo_order_routes(
        router, {.focus = [this]() -> const focus::Focus& { return stage.focus; },
                 .now = [this] { return stage.now; },
                 .order =
                     [this](std::string by, focus::Order order,
                            const std::function<void(const Result<focus::OrderDone>&)>& done) {
                       EXPECT_EQ(by, "olga");
                       given = std::move(order);
                       done(outcome);
                     },
                 .get_moves = get_moves});
  }
  /// What was ordered by a request that succeeds; nullopt: nothing.
  std::optional<Move> moved(const std::string& what, const std::string& query) {
    given.reset();
    const HttpResponse response = ask("POST", "/move-endpoints/" + what, query);
    EXPECT_EQ(response.status, 200U) << response.body;
    return given ? std::optional(std::get<Move>(*given)) : std::nullopt;
  }

  std::optional<focus::Order> given;
  Result<focus::OrderDone> outcome = focus::OrderDone{3, 2, true};
};

TEST_F(JicofoOrdersTest, OneEndpointLeavesItsBridge) {
  stage.meet("tea", {"alice", "bob"});
  const std::string nick = *stage.bridge_of("tea", "alice");
  const std::string other = nick == "jvb1" ? "jvb2" : "jvb1";
  const std::string who = std::string("conference=") + kTea + "&endpoint=alice";
  for (const std::string& query : {who, who + "&bridge=" + nick, who + "&bridge=" + bridge(nick)}) {
    const auto move = moved("move-endpoint", query);
    ASSERT_TRUE(move.has_value()) << query;
    EXPECT_EQ(move->room->to_string(), kTea);
    EXPECT_EQ(move->endpoint, EndpointId("alice"));
    EXPECT_EQ(move->from->to_string(), bridge(nick)) << "it is the one it must not come back to";
  }
  EXPECT_EQ(moved("move-endpoint", who + "&bridge=" + other), std::nullopt) << "it is not there";
  const HttpResponse response = ask("POST", "/move-endpoints/move-endpoint", who);
  EXPECT_EQ(json::parse(response.body), json({{"movedEndpoints", 3}, {"conferences", 2}}));
}

TEST_F(JicofoOrdersTest, SomeEndpointsLeaveABridge) {
  stage.meet("tea", {"alice", "bob"});
  const std::string nick = *stage.bridge_of("tea", "alice");
  auto move = moved("move-endpoints", "bridge=" + nick);
  EXPECT_EQ(move->people_max, 1U);
  EXPECT_EQ(move->room, std::nullopt);
  move = moved("move-endpoints", "bridge=" + nick + "&numEndpoints=25&conference=" + kTea);
  EXPECT_EQ(move->people_max, 25U);
  EXPECT_EQ(move->room->to_string(), kTea);
  EXPECT_EQ(moved("move-endpoints", "bridge=" + nick + "&numEndpoints=0"), std::nullopt);
}

TEST_F(JicofoOrdersTest, AFractionIsRounded) {
  stage.meet("tea", {"a", "b", "c", "d", "e"});
  const std::string nick = *stage.bridge_of("tea", "a");
  EXPECT_EQ(moved("move-fraction", "bridge=" + nick)->people_max, 1U) << "0.1 of 5 is 0.5";
  EXPECT_EQ(moved("move-fraction", "bridge=" + nick + "&fraction=0.5")->people_max, 3U);
  EXPECT_EQ(moved("move-fraction", "bridge=" + nick + "&fraction=1")->people_max, 5U);
  EXPECT_EQ(moved("move-fraction", "bridge=" + nick + "&fraction=0.05"), std::nullopt);
  const std::string idle = nick == "jvb1" ? "jvb2" : "jvb1";
  EXPECT_EQ(moved("move-fraction", "bridge=" + idle + "&fraction=1"), std::nullopt);
}

TEST_F(JicofoOrdersTest, WhatIsMissingOrUnknownIsSaid) {
  stage.meet("tea", {"alice", "bob"});
  const std::string nick = *stage.bridge_of("tea", "alice");
  struct Case {
    const char* what;
    std::string query;
    unsigned status;
    const char* detail;
  };
  const std::string tea = std::string("conference=") + kTea;
  for (const Case& each : std::vector<Case>{
           {"move-endpoint", "", 400, "conference is needed"},
           {"move-endpoint", tea, 400, "endpoint is needed"},
           {"move-endpoint", "conference=tea&endpoint=alice", 400, "name@conference"},
           {"move-endpoint", "conference=x@conference.example.net&endpoint=a", 404,
            "no conference x@"},
           {"move-endpoint", tea + "&endpoint=zoe", 404, "nobody in"},
           {"move-endpoint", tea + "&endpoint=alice&bridge=jvb9", 404, "no bridge"},
           {"move-endpoint", tea + "&endpoint=alice&count=1", 400, "no parameter count"},
           {"move-endpoints", "", 400, "bridge is needed"},
           {"move-endpoints", "bridge=jvb9", 404, "no bridge is known as jvb9"},
           {"move-endpoints", "bridge=" + nick + "&numEndpoints=few", 400, "numEndpoints"},
           {"move-endpoints", "bridge=" + nick + "&numEndpoints=-1", 400, "numEndpoints"},
           {"move-endpoints", "bridge=" + nick + "&conference=x@conference.example.net", 404,
            "no conference x@"},
           {"move-fraction", "bridge=" + nick + "&fraction=1.5", 400, "from 0 to 1"},
           {"move-fraction", "bridge=" + nick + "&fraction=half", 400, "from 0 to 1"},
           {"move-fraction", "fraction=0.5", 400, "bridge is needed"},
           {"move-fraction", "bridge=jvb9", 404, "no bridge"}}) {
    const HttpResponse response =
        ask("POST", std::string("/move-endpoints/") + each.what, each.query);
    EXPECT_EQ(response.status, each.status) << each.what << " " << each.query;
    EXPECT_THAT(detail(response), HasSubstr(each.detail));
  }
  EXPECT_FALSE(given.has_value());
}

TEST_F(JicofoOrdersTest, WhatTheFocusCannotDoIsSaid) {
  stage.meet("tea", {"alice", "bob"});
  const std::string query = "bridge=" + *stage.bridge_of("tea", "alice");
  const auto ask_for = [&](Errc code) {
    outcome = fail(code, "the reason");
    return ask("POST", "/move-endpoints/move-endpoints", query);
  };
  EXPECT_EQ(ask_for(Errc::kConflict).status, 409U);
  EXPECT_EQ(detail(ask_for(Errc::kUnavailable)), "the reason");
  EXPECT_EQ(ask_for(Errc::kUnavailable).status, 503U);
  const HttpResponse nobody = ask_for(Errc::kNotFound);
  EXPECT_EQ(nobody.status, 200U);
  EXPECT_EQ(json::parse(nobody.body), json({{"movedEndpoints", 0}, {"conferences", 0}}));
}

TEST_F(JicofoOrdersTest, AGetMovesNobodyUnlessItWasSwitchedOn) {
  stage.meet("tea", {"alice", "bob"});
  const std::string query = "bridge=" + *stage.bridge_of("tea", "alice");
  const HttpResponse refused = ask("GET", "/move-endpoints/move-endpoints", query);
  EXPECT_EQ(refused.status, 405U);
  EXPECT_THAT(detail(refused), HasSubstr("POST /move-endpoints/move-endpoints"));
  EXPECT_THAT(detail(refused), HasSubstr("admin.jicofo-get-moves"));
  EXPECT_THAT(refused.headers, testing::Contains(testing::Pair("Allow", "POST")));
  EXPECT_FALSE(given.has_value());
  serve(true);
  EXPECT_EQ(ask("HEAD", "/move-endpoints/move-endpoints", query).status, 405U);
  EXPECT_FALSE(given.has_value());
  EXPECT_EQ(ask("GET", "/move-endpoints/move-endpoints", query).status, 200U);
  EXPECT_TRUE(given.has_value());
}

TEST_F(JicofoOrdersTest, AGetThatMovesIsForThoseWhoMayMove) {
  for (const Router::Route& route : router.routes()) {
    EXPECT_EQ(route.role,
              route.path == "/pin" && route.method == "GET" ? Role::kRead : Role::kOperate)
        << route.method << " " << route.path;
  }
}

TEST_F(JicofoOrdersTest, PinsAreOrderedAndRemoved) {
  const std::string body =
      R"({"conferenceId":"tea@conference.example.net","jvbVersion":"2.3","durationMinutes":90})";
  const HttpResponse pinned = ask("POST", "/pin", {}, body);
  EXPECT_EQ(pinned.status, 200U);
  EXPECT_EQ(pinned.body, "");
  const auto& pin = std::get<Pin>(given.value());
  EXPECT_EQ(pin.room.to_string(), kTea);
  EXPECT_EQ(pin.version, "2.3");
  EXPECT_EQ(pin.for_time, std::chrono::minutes{90});
  const HttpResponse removed =
      ask("POST", "/pin/remove", {}, R"({"conferenceId":"tea@conference.example.net"})");
  EXPECT_EQ(removed.status, 200U);
  EXPECT_EQ(std::get<Unpin>(given.value()).room.to_string(), kTea);
}

TEST_F(JicofoOrdersTest, PinsInForceAreTold) {
  EXPECT_EQ(get("/pin"), json::array());
  stage.give(focus::in::OperatorOrder{focus::OrderId{1}, "olga",
                                      Pin{.room = RoomJid(Jid::parse(kTea).value()),
                                          .version = "2.3",
                                          .for_time = std::chrono::minutes{1}}});
  const json pins = get("/pin");
  ASSERT_EQ(pins.size(), 1U);
  EXPECT_EQ(pins.at(0).at("conferenceId"), kTea);
  EXPECT_EQ(pins.at(0).at("jvbVersion"), "2.3");
  EXPECT_THAT(pins.at(0).at("expiresAt").get<std::string>(), testing::EndsWith("Z"));
  stage.advance(std::chrono::minutes{2});
  EXPECT_EQ(get("/pin"), json::array());
}

TEST_F(JicofoOrdersTest, APinThatMakesNoSenseIsRefused) {
  for (const char* body :
       {"", "[]", "{", R"({"jvbVersion":"1","durationMinutes":1})",
        R"({"conferenceId":"tea","jvbVersion":"1","durationMinutes":1})",
        R"({"conferenceId":"tea@c.d","jvbVersion":1,"durationMinutes":1})",
        R"({"conferenceId":"tea@c.d","jvbVersion":"","durationMinutes":1})",
        R"({"conferenceId":"tea@c.d","jvbVersion":"1"})",
        R"({"conferenceId":"tea@c.d","jvbVersion":"1","durationMinutes":0})",
        R"({"conferenceId":"tea@c.d","jvbVersion":"1","durationMinutes":1.5})",
        R"({"conferenceId":"tea@c.d","jvbVersion":"1","durationMinutes":10081})"}) {
    EXPECT_EQ(ask("POST", "/pin", {}, body).status, 400U) << body;
  }
  EXPECT_EQ(ask("POST", "/pin/remove", {}, "{}").status, 400U);
  EXPECT_FALSE(given.has_value());
  outcome = fail(Errc::kConflict, "too many conferences are pinned");
  EXPECT_EQ(ask("POST", "/pin/remove", {}, R"({"conferenceId":"tea@c.d"})").status, 409U);
}

}  // namespace
}  // namespace bascule::admin
