#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "stage.h"

namespace bascule::focus {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Remote = std::optional<std::map<std::string, std::size_t>>;

const std::string kMeeting = "meeting-tea";

/// Conferences that span bridges. What brings them there is the tables: a focus restarts and finds
/// people on several bridges.
class RelaysTest : public ::testing::Test {
 protected:
  RelaysTest() {
    stage.start_all();
    stage.add_bridge("jvb1");
    stage.add_bridge("jvb2");
    stage.advance(seconds{6});
  }
  ~RelaysTest() override { EXPECT_EQ(stage.focus.counters().bugs, 0U); }

  void report_all() {
    for (const auto& [nick, bridge] : stage.bridges) {
      if (bridge.in_brewery) {
        stage.report(nick, "0.1");
      }
    }
  }
  void pass(Duration time) {
    for (; time > seconds{5}; time -= seconds{5}) {
      stage.advance(seconds{5});
      report_all();
    }
    stage.advance(time);
  }
  void meet(const std::vector<std::string>& nicks) {
    stage.ask("tea");
    stage.advance(milliseconds{10});
    for (const auto& nick : nicks) {
      stage.join("tea", nick);
    }
    stage.advance(seconds{2});
    home = stage.bridge_of("tea", nicks.front()).value();
    other = home == "jvb1" ? "jvb2" : "jvb1";
  }
  /// These people have been on `to` all the time.
  void put_on(const std::string& to, const std::vector<std::string>& nicks) {
    auto& row = stage.tables.conferences.begin()->second;
    auto session = row.bridge_sessions.begin()->second;
    const BridgeJid bridge(session.bridge.jid().with_resource(to));
    session.bridge = bridge;
    session.relay_id = to + "-relay";
    session.links.clear();
    row.bridge_sessions.emplace(bridge, session);
    for (const auto& nick : nicks) {
      row.participants.at(EndpointId(nick)).endpoint->bridge = bridge;
      stage.bridges.at(home).meetings.at(kMeeting).erase(nick);
      stage.bridges.at(to).meetings[kMeeting].insert(nick);
    }
  }
  void restart() {
    stage.crash_and_restore();
    stage.start_all();
    report_all();
    stage.advance(seconds{3});
  }
  /// alice and bob at home, carol and dave elsewhere.
  void span() {
    meet({"alice", "bob", "carol", "dave"});
    put_on(other, {"carol", "dave"});
    restart();
  }
  void add_source(const std::string& nick, std::uint32_t ssrc) {
    proto::Jingle jingle;
    jingle.action = proto::JingleAction::kSourceAdd;
    jingle.sid = stage.client("tea", nick).sid;
    proto::Content content;
    content.name = "video";
    content.description = proto::RtpDescription{.media = proto::MediaType::kVideo};
    content.description->sources.push_back({.ssrc = Ssrc(ssrc),
                                            .name = nick + "-v0",
                                            .msid = nick + "-video-0 " + std::to_string(ssrc)});
    jingle.contents.push_back(content);
    const std::string id = stage.jingle("tea", nick, jingle);
    EXPECT_FALSE(stage.refused_with(id));
  }
  [[nodiscard]] std::size_t relay_requests() const {
    return static_cast<std::size_t>(
        std::count_if(stage.colibri.begin(), stage.colibri.end(),
                      [](const auto& message) { return !message.relays.empty(); }));
  }

  Stage stage;
  std::string home, other;
};

TEST_F(RelaysTest, OneBridgeHasNone) {
  meet({"alice", "bob"});
  add_source("alice", 5001);
  stage.advance(seconds{1});
  EXPECT_EQ(relay_requests(), 0U);
}

TEST_F(RelaysTest, TheBridgesOfAConferenceAreLinkedAndKnowEachOthersEndpoints) {
  span();
  EXPECT_EQ(stage.bridge_of("tea", "alice"), home);
  EXPECT_EQ(stage.bridge_of("tea", "carol"), other);
  EXPECT_EQ(stage.remote(other, home, kMeeting), (Remote{{{"alice", 1}, {"bob", 1}}}));
  EXPECT_EQ(stage.remote(home, other, kMeeting), (Remote{{{"carol", 1}, {"dave", 1}}}));
  EXPECT_EQ(stage.focus.counters().relays_linked, 1U);
  EXPECT_EQ(stage.logged("relay.linked"), 1U);
  EXPECT_EQ(stage.focus.counters().relays_failed, 0U);
}

TEST_F(RelaysTest, ANewSourceIsToldToTheOtherBridgeByOneRequest) {
  span();
  const std::size_t before = relay_requests();
  add_source("alice", 5001);
  stage.advance(milliseconds{10});
  EXPECT_EQ(relay_requests(), before + 1);
  EXPECT_EQ(stage.remote(other, home, kMeeting), (Remote{{{"alice", 2}, {"bob", 1}}}));
}

TEST_F(RelaysTest, WhoLeavesIsExpiredAndTheLastOneTakesTheRelayAlong) {
  span();
  stage.leave("tea", "dave");
  stage.advance(milliseconds{10});
  EXPECT_EQ(stage.remote(home, other, kMeeting), (Remote{{{"carol", 1}}}));
  stage.leave("tea", "carol");
  stage.advance(milliseconds{10});
  EXPECT_EQ(stage.remote(home, other, kMeeting), std::nullopt);
  EXPECT_TRUE(stage.bridges.at(home).relays[kMeeting].empty());
  EXPECT_TRUE(stage.bridges.at(other).meetings.empty());
  stage.leave("tea", "alice");
  stage.leave("tea", "bob");
  stage.advance(seconds{1});
  EXPECT_TRUE(stage.bridges.at(home).meetings.empty());
}

TEST_F(RelaysTest, WhenABridgeDiesItsPeopleMoveAndTheLinkIsRemoved) {
  span();
  stage.remove_bridge(other);
  stage.advance(seconds{3});
  EXPECT_EQ(stage.bridge_of("tea", "carol"), home);
  EXPECT_EQ(stage.state_of("tea", "carol"), ParticipantState::kActive);
  EXPECT_TRUE(stage.bridges.at(home).relays[kMeeting].empty());
  EXPECT_EQ(stage.bridges.at(home).meetings.at(kMeeting).size(), 4U);
}

TEST_F(RelaysTest, ANewProcessTakesOverLinksWithoutMakingThemAnew) {
  span();
  const std::size_t before = relay_requests();
  restart();
  EXPECT_EQ(relay_requests(), before + 2) << "each is told once who is on the other";
  EXPECT_EQ(stage.remote(other, home, kMeeting), (Remote{{{"alice", 1}, {"bob", 1}}}));
  EXPECT_EQ(stage.focus.counters().relays_linked, 0U);
  add_source("alice", 5001);
  stage.advance(milliseconds{10});
  EXPECT_EQ(stage.remote(other, home, kMeeting), (Remote{{{"alice", 2}, {"bob", 1}}}));
}

TEST_F(RelaysTest, ANewProcessMakesALinkAnewThatABridgeHasLost) {
  span();
  stage.bridges.at(other).relays.clear();
  restart();
  EXPECT_EQ(stage.remote(other, home, kMeeting), (Remote{{{"alice", 1}, {"bob", 1}}}));
  EXPECT_EQ(stage.remote(home, other, kMeeting), (Remote{{{"carol", 1}, {"dave", 1}}}));
}

TEST_F(RelaysTest, ALostServiceLinkLosesNoChange) {
  span();
  stage.down(StreamId::kService);
  add_source("alice", 5001);
  stage.leave("tea", "dave");
  stage.advance(seconds{1});
  stage.up(StreamId::kService);
  pass(seconds{30});
  EXPECT_EQ(stage.client("tea", "alice").sids.size(), 1U);
  EXPECT_EQ(stage.remote(other, home, kMeeting), (Remote{{{"alice", 2}, {"bob", 1}}}));
  EXPECT_EQ(stage.remote(home, other, kMeeting), (Remote{{{"carol", 1}}}));
}

TEST_F(RelaysTest, ABridgeWithoutRelaysIsTriedAgainAndReported) {
  stage.bridges["jvb1"].relays_work = false;
  stage.bridges["jvb2"].relays_work = false;
  meet({"alice", "bob"});
  for (auto& [bridge, session] : stage.tables.conferences.begin()->second.bridge_sessions) {
    session.relay_id = home + "-relay";  // It was configured otherwise when it told us.
  }
  put_on(other, {"bob"});
  restart();
  EXPECT_GE(stage.focus.counters().relays_failed, 2U);
  EXPECT_EQ(stage.focus.counters().relays_linked, 0U);
  EXPECT_EQ(stage.state_of("tea", "alice"), ParticipantState::kActive);
}

TEST_F(RelaysTest, ABridgeThatAnnouncesNoRelayIdIsNotLinked) {
  stage.bridges["jvb1"].relays_work = false;
  stage.bridges["jvb2"].relays_work = false;
  report_all();
  meet({"alice", "bob"});
  put_on(other, {"bob"});
  for (auto& [bridge, session] : stage.tables.conferences.begin()->second.bridge_sessions) {
    session.relay_id.clear();
  }
  restart();
  EXPECT_EQ(relay_requests(), 0U);
  EXPECT_EQ(stage.logged("relay.impossible"), 2U);
}

/// Two people of one conference on each bridge.
class SpanningTest : public ::testing::Test {
 protected:
  SpanningTest() {
    stage.start_all();
    for (const char* nick : {"jvb1", "jvb2", "jvb3", "jvb4"}) {
      stage.add_bridge(nick);
    }
    stage.advance(seconds{6});
  }
  ~SpanningTest() override { EXPECT_EQ(stage.focus.counters().bugs, 0U); }

  static Options spanning() {
    Options options = Stage::make_options();
    options.placement.relays = true;
    options.placement.max_per_conference_bridge = 2;
    return options;
  }
  void join(const std::vector<std::string>& nicks) {
    for (const auto& nick : nicks) {
      stage.join("tea", nick);
    }
    pass(seconds{20});
  }
  void pass(Duration time) {
    for (; time > Duration{}; time -= seconds{2}) {
      stage.advance(seconds{2});
      for (const auto& [nick, bridge] : stage.bridges) {
        if (bridge.in_brewery && bridge.mood != Stage::BridgeMood::kSilent) {
          stage.report(nick, "0.1");
        }
      }
    }
  }
  /// The bridges the conference is on; each has a relay to each other with exactly who is there.
  std::set<std::string> check_mesh() {
    std::set<std::string> used;
    for (const auto& [nick, bridge] : stage.bridges) {
      if (bridge.meetings.contains(kMeeting)) {
        used.insert(nick);
      }
    }
    for (const auto& near : used) {
      EXPECT_EQ(stage.bridges[near].relays[kMeeting].size(), used.size() - 1) << near;
      for (const auto& far : used) {
        if (near != far) {
          std::map<std::string, std::size_t> there;
          for (const auto& id : stage.bridges[far].meetings[kMeeting]) {
            there.emplace(id, 1);
          }
          EXPECT_EQ(stage.remote(near, far, kMeeting), Remote(there)) << near << " of " << far;
        }
      }
    }
    return used;
  }

  Stage stage{{}, 1, spanning()};
};

TEST_F(SpanningTest, ThreeBridgesAreAMeshWhoeverComesGoesOrDies) {
  stage.ask("tea");
  join({"alice", "bob", "carol", "dave", "erin"});
  auto used = check_mesh();
  EXPECT_EQ(used.size(), 3U);
  EXPECT_EQ(stage.focus.counters().relays_linked, 3U);
  stage.leave("tea", "bob");
  join({"frank", "grace"});
  check_mesh();

  const std::string dead = *used.begin();
  stage.remove_bridge(dead);
  pass(seconds{30});
  used = check_mesh();
  EXPECT_EQ(used.size(), 3U);
  EXPECT_FALSE(used.contains(dead));
  for (const char* nick : {"alice", "carol", "dave", "erin", "frank", "grace"}) {
    EXPECT_EQ(stage.state_of("tea", nick), ParticipantState::kActive) << nick;
  }

  stage.crash_and_restore();
  stage.start_all();
  pass(seconds{10});
  EXPECT_EQ(check_mesh().size(), 3U);
  EXPECT_EQ(stage.focus.counters().relays_linked, 0U) << "all links were taken over";
  EXPECT_EQ(stage.focus.counters().relays_failed, 0U);

  for (const char* nick : {"alice", "carol", "dave", "erin", "frank", "grace"}) {
    stage.leave("tea", nick);
  }
  pass(seconds{2});
  for (const auto& [nick, bridge] : stage.bridges) {
    EXPECT_TRUE(bridge.meetings.empty()) << nick;
  }
}

TEST_F(SpanningTest, ASilentBridgeIsLeftAndItsLinksAreMadeElsewhere) {
  stage.ask("tea");
  join({"alice", "bob", "carol", "dave"});
  const auto used = check_mesh();
  const std::string silent = *used.begin();
  stage.bridges[silent].mood = Stage::BridgeMood::kSilent;
  join({"erin", "frank"});
  pass(seconds{60});
  EXPECT_GE(stage.focus.counters().bridges_lost, 1U);
  stage.bridges[silent].meetings.clear();
  stage.bridges[silent].relays.clear();
  check_mesh();
  for (const char* nick : {"alice", "bob", "carol", "dave", "erin", "frank"}) {
    EXPECT_EQ(stage.state_of("tea", nick), ParticipantState::kActive) << nick;
  }
}

}  // namespace
}  // namespace bascule::focus
