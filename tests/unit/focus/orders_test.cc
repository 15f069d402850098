// What operators order, through the whole focus: answered when durable, kept across processes,
// recorded.

#include "focus/orders.h"

#include <string>

#include <gtest/gtest.h>

#include "stage.h"

namespace bascule::focus {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

BridgeJid bridge_jid(const std::string& nick) {
  return BridgeJid(Jid::parse("jvbbrewery@internal.auth.example.net/" + nick).value());
}
RoomJid room_jid(const std::string& name) {
  return RoomJid(Jid::parse(name + "@conference.example.net").value());
}

class OrdersTest : public ::testing::Test {
 protected:
  OrdersTest() : stage({}, 1, Stage::make_options()) {
    stage.start_all();
    for (const char* nick : {"jvb1", "jvb2"}) {
      stage.add_bridge(nick);
    }
    stage.advance(seconds{6});
  }
  ~OrdersTest() override { EXPECT_EQ(stage.focus.counters().bugs, 0U); }

  Result<OrderDone> order(Order what) {
    const OrderId id{++last_};
    stage.give(in::OperatorOrder{id, "anna", std::move(what)});
    EXPECT_TRUE(stage.order_answers.contains(id)) << "every order is answered";
    return stage.order_answers.at(id);
  }
  BridgeView view(const std::string& nick) {
    return stage.focus.placement().bridge(bridge_jid(nick), stage.now).value();
  }
  void report_all() {
    for (const auto& [nick, bridge] : stage.bridges) {
      stage.report(nick, "0.1");
    }
  }
  void restart() {
    stage.crash_and_restore(seconds{1});
    stage.start_all();
    report_all();
    stage.advance(seconds{2});
  }

  Stage stage;

 private:
  std::uint64_t last_ = 0;
};

TEST_F(OrdersTest, ADrainedBridgeGetsNobodyAlsoAfterACrash) {
  ASSERT_TRUE(order(order::Drain{.bridge = bridge_jid("jvb1"), .reason = "disk"})->changed);
  for (const bool crashed : {false, true}) {
    if (crashed) {
      restart();
    }
    EXPECT_TRUE(view("jvb1").cordoned) << crashed;
    EXPECT_EQ(stage.focus.orders().drains().at(bridge_jid("jvb1")).reason, "disk");
    for (int i = 0; i < 4; ++i) {
      const std::string name = "room" + std::to_string(crashed) + std::to_string(i);
      stage.meet(name, {"a", "b"});
      EXPECT_EQ(stage.bridge_of(name, "a"), "jvb2") << crashed;
    }
  }
  ASSERT_TRUE(order(order::Undrain{bridge_jid("jvb1")})->changed);
  restart();
  EXPECT_FALSE(view("jvb1").cordoned);
  EXPECT_TRUE(stage.focus.orders().drains().empty());
}

TEST_F(OrdersTest, AnEvacuatedBridgeLosesItsPeopleAndNobodyLosesMedia) {
  for (int i = 0; i < 4; ++i) {
    stage.meet("room" + std::to_string(i), {"a", "b", "c"});
  }
  const std::size_t before = view("jvb1").participants;
  ASSERT_GT(before, 0U);
  ASSERT_TRUE(order(order::Drain{.bridge = bridge_jid("jvb1"), .evacuate = true}).has_value());
  for (int i = 0; i < 10; ++i) {
    stage.advance(seconds{1});
    report_all();
  }
  EXPECT_EQ(view("jvb1").participants, 0U);
  for (int i = 0; i < 4; ++i) {
    for (const char* nick : {"a", "b", "c"}) {
      const std::string name = "room" + std::to_string(i);
      EXPECT_EQ(stage.bridge_of(name, nick), "jvb2") << name << nick;
      EXPECT_EQ(stage.state_of(name, nick), ParticipantState::kActive) << name << nick;
    }
  }
}

TEST_F(OrdersTest, AnEvacuationGoesOnInTheNextProcess) {
  for (int i = 0; i < 4; ++i) {
    stage.meet("room" + std::to_string(i), {"a", "b", "c"});
  }
  ASSERT_TRUE(order(order::Drain{.bridge = bridge_jid("jvb1"), .evacuate = true}).has_value());
  restart();
  for (int i = 0; i < 40; ++i) {
    stage.advance(seconds{1});
    report_all();
  }
  EXPECT_EQ(view("jvb1").participants, 0U);
  EXPECT_EQ(view("jvb2").participants, 12U);
}

TEST_F(OrdersTest, RepeatingAnOrderChangesNothing) {
  const order::Drain drain{.bridge = bridge_jid("jvb1"), .reason = "disk"};
  EXPECT_TRUE(order(drain)->changed);
  const WallTime since = stage.focus.orders().drains().at(drain.bridge).since;
  stage.advance(seconds{5});
  EXPECT_FALSE(order(drain)->changed);
  EXPECT_TRUE(
      order(order::Drain{.bridge = drain.bridge, .evacuate = true, .reason = "disk"})->changed);
  EXPECT_EQ(stage.focus.orders().drains().at(drain.bridge).since, since) << "drained since then";
  EXPECT_TRUE(order(order::Undrain{drain.bridge})->changed);
  EXPECT_FALSE(order(order::Undrain{drain.bridge})->changed);
  EXPECT_EQ(stage.focus.orders().audit().size(), 3U);
}

TEST_F(OrdersTest, APinHoldsForItsTimeAndAcrossACrash) {
  const RoomJid tea = room_jid("tea");
  ASSERT_TRUE(order(order::Pin{.room = tea, .version = "2.3", .for_time = hours{1}}).has_value());
  restart();
  ASSERT_TRUE(stage.focus.orders().pins().contains(tea));
  EXPECT_EQ(stage.focus.orders().pins().at(tea).version, "2.3");
  EXPECT_TRUE(order(order::Unpin{tea})->changed);
  EXPECT_FALSE(order(order::Unpin{tea})->changed);
  ASSERT_TRUE(order(order::Pin{.room = tea, .version = "2.3", .for_time = seconds{5}}).has_value());
  stage.advance(seconds{6});
  ASSERT_TRUE(
      order(order::Pin{.room = room_jid("x"), .version = "2", .for_time = seconds{5}}).has_value());
  EXPECT_FALSE(stage.focus.orders().pins().contains(tea)) << "expired, and forgotten";
}

TEST_F(OrdersTest, WhatCannotBeDoneIsRefusedWithTheReason) {
  const auto code = [&](Order what) {
    const auto done = order(std::move(what));
    return done ? std::nullopt : std::optional(done.error().code);
  };
  EXPECT_EQ(code(order::Drain{.bridge = bridge_jid("nobody")}), Errc::kNotFound);
  EXPECT_EQ(code(order::Pin{.room = room_jid("a"), .version = "", .for_time = hours{1}}),
            Errc::kInvalidArgument);
  EXPECT_EQ(code(order::Pin{.room = room_jid("a"), .version = "1", .for_time = hours{200}}),
            Errc::kInvalidArgument);
  EXPECT_EQ(code(order::Move{.room = room_jid("nobody")}), Errc::kNotFound);
  EXPECT_EQ(stage.focus.counters().orders_refused, 4U);
  EXPECT_TRUE(stage.focus.orders().audit().empty()) << "nothing was changed";
}

TEST_F(OrdersTest, WhoChangedWhatIsKept) {
  ASSERT_TRUE(order(order::Drain{.bridge = bridge_jid("jvb1"), .reason = "disk"}).has_value());
  ASSERT_TRUE(
      order(order::Record{.what = "log_level", .target = "", .before = "info", .after = "debug"})
          .has_value());
  restart();
  const auto& audit = stage.focus.orders().audit();
  ASSERT_EQ(audit.size(), 2U);
  const op::AuditEntry& first = audit.begin()->second;
  EXPECT_EQ(first.by, "anna");
  EXPECT_EQ(first.what, "drain");
  EXPECT_EQ(first.target, bridge_jid("jvb1").to_string());
  EXPECT_EQ(first.before, "in use");
  EXPECT_EQ(first.after, "drained: disk");
  EXPECT_EQ(audit.rbegin()->second.after, "debug");
}

TEST_F(OrdersTest, LongTextsAreCutAtACharacter) {
  std::string reason;
  while (reason.size() < 2 * kOrderTextMax) {
    reason += "\u00e4";
  }
  ASSERT_TRUE(
      order(order::Drain{.bridge = bridge_jid("jvb1"), .reason = "x" + reason}).has_value());
  const std::string& kept = stage.focus.orders().drains().at(bridge_jid("jvb1")).reason;
  EXPECT_LE(kept.size(), kOrderTextMax);
  EXPECT_EQ(kept.size() % 2, 1U);
}

TEST_F(OrdersTest, AConferenceMovesWhenItIsTold) {
  stage.meet("tea", {"alice", "bob"});
  const std::string home = *stage.bridge_of("tea", "alice");
  const std::string other = home == "jvb1" ? "jvb2" : "jvb1";
  report_all();
  const auto done = order(order::Move{.room = room_jid("tea"), .to = bridge_jid(other)});
  ASSERT_TRUE(done.has_value()) << done.error().what;
  EXPECT_EQ(done->participants, 2U);
  stage.advance(seconds{5});
  EXPECT_EQ(stage.bridge_of("tea", "alice"), other);
  EXPECT_EQ(stage.bridge_of("tea", "bob"), other);
  EXPECT_EQ(stage.state_of("tea", "bob"), ParticipantState::kActive);
}

TEST_F(OrdersTest, ConferencesAreListedInOrderFromACursor) {
  for (const char* name : {"b", "a", "c"}) {
    stage.meet(name, {"x", "y"});
  }
  std::vector<std::string> seen;
  stage.focus.conferences_after(std::nullopt, [&](const ConferenceSummary& summary) {
    seen.push_back(summary.room.jid().local());
    EXPECT_EQ(summary.participants, 2U);
    EXPECT_EQ(summary.sessions, 2U);
    return seen.size() < 2;
  });
  EXPECT_EQ(seen, (std::vector<std::string>{"a", "b"}));
  stage.focus.conferences_after(room_jid("b"), [&](const ConferenceSummary& summary) {
    seen.push_back(summary.room.jid().local());
    return true;
  });
  EXPECT_EQ(seen.back(), "c");
  EXPECT_EQ(seen.size(), 3U);
  const auto view = stage.focus.conference(room_jid("a"));
  ASSERT_TRUE(view.has_value());
  ASSERT_EQ(view->participants.size(), 2U);
  EXPECT_EQ(view->participants[0].role, ParticipantRole::kParticipant);
  EXPECT_FALSE(stage.focus.conference(room_jid("nobody")).has_value());
}

}  // namespace
}  // namespace bascule::focus
