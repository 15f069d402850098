// What a new process, or a link that comes back, must find as it was: the load of each bridge, how
// fast people were placed, who drains, and what bridges still have.

#include <algorithm>
#include <map>

#include <gtest/gtest.h>

#include "stage.h"

namespace bascule::focus {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

BridgeJid bridge_jid(const std::string& nick) {
  return BridgeJid(Jid::parse("jvbbrewery@internal.auth.example.net/" + nick).value());
}

class RestartTest : public ::testing::Test {
 protected:
  explicit RestartTest(Options options = Stage::make_options()) : stage({}, 1, options) {
    stage.start_all();
    for (const char* nick : {"jvb1", "jvb2"}) {
      stage.add_bridge(nick);
    }
    stage.advance(seconds{6});
  }
  ~RestartTest() override {
    EXPECT_EQ(stage.focus.counters().bugs, 0U);
    stage.focus.check_invariants();
  }

  BridgeView view(const std::string& nick) {
    return stage.focus.placement().bridge(bridge_jid(nick), stage.now).value();
  }
  void report_all() {
    for (const auto& [nick, bridge] : stage.bridges) {
      if (bridge.in_brewery) {
        stage.report(nick, "0.1");
      }
    }
  }
  void restart() {
    stage.crash_and_restore(seconds{1});
    stage.start_all();
    report_all();
    stage.advance(seconds{2});
  }
  struct Asked {
    Instant at;
    std::string bridge;
  };
  /// Requests to bridges after the first `from` of everything sent, of which `fits` holds.
  template <class Fits>
  std::vector<Asked> asked(std::size_t from, Fits fits) const {
    std::vector<Asked> found;
    for (std::size_t i = from; i < stage.sent.size(); ++i) {
      const auto* iq = std::get_if<out::SendIq>(&stage.sent[i].what);
      const auto* modify =
          iq == nullptr ? nullptr : std::get_if<proto::ConferenceModify>(&iq->payload);
      if (modify != nullptr && fits(*modify)) {
        found.push_back({stage.sent[i].at, iq->to.resource()});
      }
    }
    return found;
  }
  static bool creates(const proto::ConferenceModify& modify) {
    return std::any_of(modify.endpoints.begin(), modify.endpoints.end(),
                       [](const auto& endpoint) { return endpoint.create; });
  }
  static bool asks_whether_it_is_there(const proto::ConferenceModify& modify) {
    return !modify.create && !modify.expire && modify.endpoints.size() == 1 &&
           modify.endpoints[0].transport == proto::Transport{};
  }
  static bool expires(const proto::ConferenceModify& modify) {
    return modify.expire || std::any_of(modify.endpoints.begin(), modify.endpoints.end(),
                                        [](const auto& endpoint) { return endpoint.expire; });
  }

  Stage stage;
};

TEST_F(RestartTest, TheLoadOfABridgeIsKnownBeforeItReports) {
  for (int i = 0; i < 4; ++i) {
    stage.meet("room" + std::to_string(i), {"a", "b", "c"});
  }
  stage.report("jvb1", "0.11");
  stage.report("jvb2", "0.11");
  const BridgeView before1 = view("jvb1");
  const BridgeView before2 = view("jvb2");
  ASSERT_EQ(before1.participants + before2.participants, 12U);
  ASSERT_GT(before1.unaccounted + before2.unaccounted, 0) << "no report can contain the last ones";
  stage.crash_and_restore();
  for (const auto& [nick, before] : {std::pair{"jvb1", before1}, std::pair{"jvb2", before2}}) {
    EXPECT_EQ(view(nick).participants, before.participants) << nick;
    EXPECT_EQ(view(nick).load, before.load) << nick;
  }
  stage.up(StreamId::kService);
  stage.report("jvb1", "0.11");
  stage.report("jvb2", "0.11");
  for (const auto& [nick, before] : {std::pair{"jvb1", before1}, std::pair{"jvb2", before2}}) {
    const BridgeView after = view(nick);
    EXPECT_EQ(after.participants, before.participants) << nick;
    EXPECT_EQ(after.conferences, before.conferences) << nick;
    EXPECT_EQ(after.load, before.load) << nick;
    EXPECT_GE(after.unaccounted, before.unaccounted * 9 / 10) << nick;
    EXPECT_GE(after.expected.millionths(), before.expected.millionths() * 9 / 10)
        << "never believed emptier: " << nick;
  }
}

TEST_F(RestartTest, ADrainThatABridgeAnnouncesHoldsBeforeAnythingIsPlaced) {
  stage.meet("tea", {"alice", "bob"});
  const std::string home = *stage.bridge_of("tea", "alice");
  const std::string other = home == "jvb1" ? "jvb2" : "jvb1";
  stage.bridges.at(other).drain = true;
  stage.crash_and_restore(seconds{1});
  stage.up(StreamId::kRequests);
  stage.up(StreamId::kClient);
  stage.up(StreamId::kService);
  stage.advance(seconds{1});
  report_all();
  EXPECT_TRUE(view(other).drain);
  stage.advance(seconds{21});
  for (int i = 0; i < 6; ++i) {
    report_all();
    stage.meet("new" + std::to_string(i), {"x", "y"});
    EXPECT_EQ(stage.bridge_of("new" + std::to_string(i), "x"), home);
  }
}

/// A slow pace: a burst of 4, then one in twenty seconds.
class PacedRestart : public RestartTest {
 protected:
  static constexpr Duration kInterval = seconds{20};
  static Options options() {
    Options options = Stage::make_options();
    options.placement.placement_burst = 4;
    options.placement.placement_interval = kInterval;
    return options;
  }
  PacedRestart() : RestartTest(options()) {}

  void expect_pace(const std::vector<Asked>& created) {
    for (const char* nick : {"jvb1", "jvb2"}) {
      std::vector<Instant> times;
      for (const Asked& one : created) {
        if (one.bridge == nick) {
          times.push_back(one.at);
        }
      }
      for (std::size_t i = 4; i < times.size(); ++i) {
        EXPECT_GE(times[i] - times[i - 4], kInterval) << nick << ": more than its pace";
      }
    }
  }
};

/// The process before has just placed a whole burst; its next placement was due in a minute.
TEST(PacedStart, WhatTheProcessBeforePlacedCountsForThePace) {
  Options options = Stage::make_options();
  options.placement.placement_burst = 4;
  options.placement.placement_interval = seconds{60};
  for (const bool placed_before : {false, true}) {
    Restored restored{.same_boot = true, .last_commit = WallTime(seconds{1'800'000'000})};
    for (std::uint64_t number = 1; placed_before && number <= 4; ++number) {
      op::Decision decision{.at = *restored.last_commit,
                            .number = number,
                            .room = Stage::request_for("milk").room,
                            .endpoint = EndpointId("m" + std::to_string(number)),
                            .bridge = bridge_jid("jvb1")};
      restored.tables.decisions.emplace(std::pair{decision.at, number}, decision);
    }
    Stage stage(restored, 1, options);
    stage.start_all();
    stage.add_bridge("jvb1");
    stage.advance(seconds{6});
    stage.meet("tea", {"alice", "bob"});
    EXPECT_EQ(stage.state_of("tea", "alice"),
              placed_before ? ParticipantState::kQueued : ParticipantState::kActive);
    for (int i = 0; i < 40; ++i) {
      stage.report("jvb1", "0.1");
      stage.advance(seconds{1});
    }
    EXPECT_EQ(stage.state_of("tea", "alice"), ParticipantState::kActive);
  }
}

TEST_F(PacedRestart, WhoWasOnABridgeThatVanishedMeanwhileIsPlacedAtThePaceOfTheOthers) {
  for (int i = 0; i < 6; ++i) {
    stage.meet("room" + std::to_string(i), {"a", "b"});
    for (int k = 0; k < 12; ++k) {
      report_all();
      stage.advance(seconds{5});
    }
  }
  const std::size_t on_dead = view("jvb1").participants;
  ASSERT_GE(on_dead, 4U);
  stage.down(StreamId::kService);
  stage.bridges.at("jvb1").in_brewery = false;
  stage.bridges.at("jvb1").meetings.clear();
  stage.advance(seconds{3});
  const std::size_t from = stage.sent.size();
  stage.up(StreamId::kService);
  for (int i = 0; i < 300; ++i) {
    report_all();
    stage.advance(seconds{1});
  }
  const auto moved = asked(from, creates);
  EXPECT_EQ(moved.size(), on_dead);
  expect_pace(moved);
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(stage.bridge_of("room" + std::to_string(i), "a"), "jvb2");
  }
}

TEST_F(RestartTest, AServiceLinkThatComesBackAsksAboutEachMeetingAndTearsNothingDown) {
  for (int i = 0; i < 20; ++i) {
    stage.meet("room" + std::to_string(i), {"a", "b"});
  }
  report_all();
  stage.down(StreamId::kService);
  stage.advance(seconds{2});
  const std::size_t from = stage.sent.size();
  stage.up(StreamId::kService);
  report_all();
  stage.advance(seconds{5});
  const auto probes = asked(from, asks_whether_it_is_there);
  EXPECT_GE(probes.size(), 20U);
  std::map<Instant, std::size_t> at_once;
  for (const Asked& probe : probes) {
    ++at_once[probe.at];
  }
  for (const auto& [at, count] : at_once) {
    EXPECT_LE(count, 2U) << "paced";
  }
  EXPECT_TRUE(asked(from, expires).empty());
  EXPECT_TRUE(asked(from, creates).empty());
  EXPECT_EQ(stage.focus.counters().bridges_lost, 0U);
  EXPECT_EQ(stage.client("room0", "a").sids.size(), 1U);
}

TEST_F(RestartTest, WhatABridgeForgotWhileTheLinkWasDownIsPlacedAgain) {
  stage.meet("tea", {"alice", "bob"});
  stage.meet("milk", {"carol", "dave"});
  stage.down(StreamId::kService);
  stage.bridges.at(*stage.bridge_of("tea", "alice")).meetings.erase("meeting-tea");
  stage.unexpected_meetings = true;
  stage.advance(seconds{2});
  stage.up(StreamId::kService);
  report_all();
  stage.advance(seconds{25});
  report_all();
  stage.advance(seconds{10});
  for (const char* nick : {"alice", "bob"}) {
    EXPECT_EQ(stage.state_of("tea", nick), ParticipantState::kActive);
    EXPECT_EQ(stage.client("tea", nick).sids.size(), 2U);
  }
  EXPECT_EQ(stage.client("milk", "carol").sids.size(), 1U);
}

}  // namespace
}  // namespace bascule::focus
