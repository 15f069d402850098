// What operators order over REST, on the real daemon, real Prosody and bridges: people move, nobody
// loses media, and a killed focus goes on with it.

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/integration/stage.h"

namespace bascule::test {
namespace {

using nlohmann::json;
using std::chrono::seconds;

std::string nick_of(const peers::Bridge& bridge) {
  return "jvb" + std::to_string(bridge.id());
}

/// Three meetings of two; the pace of placements is out of the way.
class Orders : public testing::Test {
 protected:
  Orders() : stage_({.daemon = {{"selection", {{"placement-burst", "50"}}}}}) {
    for (const char* room : {"tea", "milk", "rum"}) {
      std::vector<ScriptedClient*> both;
      for (int i = 0; i < 2; ++i) {
        both.push_back(&stage_.client(room));
        stage_.enter(*both.back());
      }
      stage_.until_all_see_each_other(both);
      rooms_.push_back(both);
    }
  }

  json put_drain(const peers::Bridge& bridge, const std::string& body) {
    const HttpAnswer answer =
        stage_.daemon.put_json("/v1/bridges/" + nick_of(bridge) + "/drain", body);
    EXPECT_EQ(answer.status, 200U) << answer.body;
    return json::parse(answer.body);
  }
  json read(const std::string& path) {
    const HttpAnswer answer = stage_.daemon.get(path);
    EXPECT_EQ(answer.status, 200U) << path << ": " << answer.body;
    return json::parse(answer.body);
  }
  bool is_empty(const peers::Bridge& bridge) {
    for (const auto& room : rooms_) {
      for (const ScriptedClient* client : room) {
        const peers::Bridge* where = stage_.bridge_of(client->endpoint());
        if (where == nullptr || where == &bridge) {
          return false;
        }
      }
    }
    return true;
  }
  void until_empty(const peers::Bridge& bridge) {
    stage_.until("everybody is on another bridge", [&] { return is_empty(bridge); });
    for (const auto& room : rooms_) {
      stage_.until_all_see_each_other(room);
    }
  }
  /// Where the first meeting is.
  peers::Bridge& busy() { return *stage_.bridge_of(rooms_.front().front()->endpoint()); }

  Stage stage_;
  std::vector<std::vector<ScriptedClient*>> rooms_;
};

TEST_F(Orders, AnEvacuatedBridgeIsEmptyAndStaysSo) {
  const peers::Bridge& bridge = busy();
  const json order = put_drain(bridge, R"({"reason":"disk","evacuate":true})");
  EXPECT_EQ(order.at("by"), "local");
  EXPECT_EQ(order.at("reason"), "disk");
  until_empty(bridge);
  stage_.until("the order says so", [&] {
    return read("/v1/bridges/" + nick_of(bridge) + "/drain").at("done") == true;
  });
  ScriptedClient& late = stage_.client("late");
  ScriptedClient& later = stage_.client("late");
  stage_.enter(late);
  stage_.enter(later);
  stage_.until_all_see_each_other({&late, &later});
  EXPECT_NE(stage_.bridge_of(late.endpoint()), &bridge);
  const json change = read("/v1/audit").at("entries").at(0);
  EXPECT_EQ(change.at("what"), "evacuate");
  EXPECT_EQ(change.at("after"), "evacuated: disk");
}

TEST_F(Orders, AKilledFocusGoesOnEmptyingTheBridge) {
  const peers::Bridge& bridge = busy();
  put_drain(bridge, R"({"evacuate":true})");
  stage_.daemon.kill();
  stage_.is_amnesia_expected = true;
  stage_.daemon.start();
  stage_.until_ready();
  until_empty(bridge);
  // A new process cannot know whether the end of a session was heard, and tells it again.
  for (const auto& client : stage_.clients) {
    std::erase_if(client->wrong,
                  [](const std::string& what) { return what.starts_with("session-terminate"); });
  }
  EXPECT_EQ(read("/v1/drains").at("drains").size(), 1U);
}

TEST_F(Orders, AMeetingMovesToTheBridgeThatWasNamed) {
  const peers::Bridge& from = busy();
  const peers::Bridge& to = *stage_.bridges[&from == stage_.bridges[0].get() ? 1 : 0];
  const HttpAnswer answer = stage_.daemon.post_json(
      "/v1/conferences/" + stage_.room("tea") + "/move", R"({"to":")" + nick_of(to) + R"("})");
  ASSERT_EQ(answer.status, 202U) << answer.body;
  EXPECT_EQ(json::parse(answer.body).at("moving"), 2);
  stage_.until("both are there", [&] {
    return stage_.bridge_of(rooms_[0][0]->endpoint()) == &to &&
           stage_.bridge_of(rooms_[0][1]->endpoint()) == &to;
  });
  stage_.until_all_see_each_other(rooms_[0]);
}

}  // namespace
}  // namespace bascule::test
