// What outlives a process besides conferences: costs and failures of bridges, where rooms were, and
// why everybody was placed where they are.

#include <gtest/gtest.h>

#include "focus/memory_keeper.h"
#include "stage.h"

namespace bascule::focus {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

BridgeJid bridge(const std::string& nick) {
  return BridgeJid(Stage::make_options().brewery.jid().with_resource(nick));
}

class MemoryTest : public ::testing::Test {
 protected:
  void begin(Restored restored = {}) {
    stage = std::make_unique<Stage>(std::move(restored));
    stage->start_all();
    for (const char* nick : {"jvb1", "jvb2", "jvb3"}) {
      stage->add_bridge(nick);
    }
    stage->advance(seconds{6});
  }

  void meet(const std::string& room, const std::vector<std::string>& nicks) {
    const std::string id = stage->ask(room);
    stage->advance(milliseconds{100});
    ASSERT_TRUE(stage->answered_ready(id)) << room;
    for (const auto& nick : nicks) {
      stage->join(room, nick);
    }
    stage->advance(seconds{2});
  }
  void report_all(const std::string& stress, Duration duration) {
    for (Duration left = duration; left > Duration::zero(); left -= seconds{5}) {
      for (const auto& [nick, in] : stage->bridges) {
        stage->report(nick, stress);
      }
      stage->advance(seconds{5});
    }
  }

  /// Room `i` of eight, with three people each: most of everybody is more than twenty.
  static std::string room(int i) { return "room" + std::to_string(i); }
  std::map<std::string, std::string> meet_in_eight_rooms() {
    std::map<std::string, std::string> homes;
    for (int i = 0; i < 8; ++i) {
      meet(room(i), {"a", "b", "c"});
      homes[room(i)] = stage->bridge_of(room(i), "a").value_or("none");
    }
    EXPECT_GT(std::set<std::string>({homes["room0"], homes["room1"], homes["room2"]}).size(), 1U)
        << "on one bridge, coming back would prove nothing";
    return homes;
  }
  /// The others first this time, and the server knows nothing of before.
  void return_to_eight_rooms() {
    for (int i = 7; i >= 0; --i) {
      meet(room(i), {"c", "b", "a"});
    }
  }
  void expect_homes(const std::map<std::string, std::string>& homes) {
    for (const auto& [room, home] : homes) {
      for (const char* nick : {"a", "b", "c"}) {
        EXPECT_EQ(stage->bridge_of(room, nick), home) << room << " " << nick;
      }
    }
  }
  void forget_rooms() {
    for (int i = 0; i < 8; ++i) {
      stage->room(room(i)).clients.clear();
      stage->room(room(i)).focus_in = false;
    }
  }

  std::unique_ptr<Stage> stage;
};

TEST_F(MemoryTest, ANewProcessKnowsWhatABridgeCosts) {
  Restored restored;
  restored.tables.apply(op::BridgeLearned{.bridge = bridge("jvb1"),
                                          .wall = WallTime(seconds{1'799'999'000}),
                                          .cost = Stress(20'000),
                                          .deviation = Stress(2'000),
                                          .capacity = Stress::full(),
                                          .confirmations = 3});
  begin(std::move(restored));
  EXPECT_EQ(stage->focus.placement().bridge_memory(bridge("jvb1"), stage->now)->confirmations, 3);
  EXPECT_EQ(stage->focus.placement().bridge(bridge("jvb2"), stage->now)->confirmations, 0);
  meet("tea", {"a", "b", "c", "d", "e", "f", "g", "h"});
  for (int round = 0; round < 6; ++round) {
    report_all("0.40", seconds{10});  // The same value again would be the same sample.
    report_all("0.41", seconds{10});
  }
  const std::string home = *stage->bridge_of("tea", "a");
  const op::BridgeLearned written = stage->tables.bridges.at(bridge(home));
  EXPECT_GT(written.confirmations, 0U);
  EXPECT_LE(stage->now.mono - written.at, MemoryKeeper::kPeriod);
  stage->crash_and_restore();
  for (const char* nick : {"jvb1", "jvb2", "jvb3"}) {
    const op::BridgeLearned& before = stage->tables.bridges.at(bridge(nick));
    const auto after = stage->focus.placement().bridge_memory(bridge(nick), stage->now);
    ASSERT_TRUE(after.has_value()) << nick;
    EXPECT_EQ(after->cost, before.cost);
    EXPECT_EQ(after->deviation, before.deviation);
    EXPECT_EQ(static_cast<std::uint32_t>(after->confirmations), before.confirmations);
    EXPECT_EQ(after->version, "2.3");
  }
}

TEST_F(MemoryTest, OnlyWhatChangedIsWritten) {
  begin();
  report_all("0.1", seconds{120});
  const auto before = stage->tables.bridges;
  ASSERT_EQ(before.size(), 3U);
  report_all("0.1", seconds{120});
  EXPECT_EQ(stage->tables.bridges, before);
}

TEST_F(MemoryTest, AFailureIsDurableAtOnce) {
  begin();
  meet("tea", {"a", "b"});
  const std::string dead = *stage->bridge_of("tea", "a");
  stage->remove_bridge(dead);
  EXPECT_EQ(stage->tables.bridges.at(bridge(dead)).failures, 1U);
  stage->crash_and_restore();
  stage->start_all();
  stage->add_bridge(dead);
  const auto view = stage->focus.placement().bridge(bridge(dead), stage->now);
  ASSERT_TRUE(view->quarantined_until.has_value());
  // 30 s after the failure, of which 21 have gone by.
  EXPECT_NEAR(static_cast<double>((*view->quarantined_until - stage->now.mono) / milliseconds{1}),
              9'000.0, 100.0);
}

// The server crashes with everything it knew; all links are lost and all rooms are entered anew.
TEST_F(MemoryTest, AfterACrashOfTheServerConferencesReturnToTheirBridges) {
  begin();
  const auto homes = meet_in_eight_rooms();
  for (const StreamId stream : {StreamId::kClient, StreamId::kService, StreamId::kRequests}) {
    stage->down(stream);
  }
  forget_rooms();
  stage->advance(seconds{3});
  for (const StreamId stream : {StreamId::kRequests, StreamId::kClient, StreamId::kService}) {
    stage->up(stream);
  }
  stage->advance(milliseconds{500});
  EXPECT_EQ(stage->focus.conference_count(), 0U);
  EXPECT_EQ(stage->focus.placement().counters().mass_drops, 1U);
  EXPECT_EQ(stage->logged("placement.mass_drop"), 1U);
  return_to_eight_rooms();
  expect_homes(homes);
}

// The focus is updated: it ends all conferences, and the next process starts half a minute later.
TEST_F(MemoryTest, ANewProcessPlansRoomsBackToTheirBridges) {
  begin();
  const auto homes = meet_in_eight_rooms();
  stage->give(in::Shutdown{});
  stage->advance(seconds{3});
  ASSERT_TRUE(stage->stopped);
  EXPECT_EQ(stage->tables.rooms.size(), 8U);
  forget_rooms();
  stage->crash_and_restore(seconds{30});
  for (const StreamId stream : {StreamId::kRequests, StreamId::kClient, StreamId::kService}) {
    stage->up(stream);
  }
  stage->advance(milliseconds{500});
  return_to_eight_rooms();
  expect_homes(homes);
}

TEST_F(MemoryTest, EveryDecisionIsDurable) {
  begin();
  meet("tea", {"a", "b"});
  ASSERT_EQ(stage->tables.decisions.size(), 2U);
  const op::Decision& first = stage->tables.decisions.begin()->second;
  EXPECT_EQ(first.bridge, bridge(*stage->bridge_of("tea", "a")));
  EXPECT_EQ(first.ticket_class, "first");
  EXPECT_EQ(first.reason, "new");
  EXPECT_EQ(first.candidates, 3U);
  EXPECT_EQ(first.reported, Stress(100'000));
  EXPECT_LE(first.at, stage->now.wall);
  EXPECT_EQ(stage->tables.decisions.rbegin()->second.ticket_class, "joins_live");
  EXPECT_EQ(stage->logged("bridge.placed"), 2U);
}

TEST_F(MemoryTest, ALongWaitIsExplained) {
  begin();
  meet("tea", {"a", "b"});
  for (const char* nick : {"jvb1", "jvb2", "jvb3"}) {
    stage->remove_bridge(nick);
  }
  stage->advance(seconds{9});
  EXPECT_EQ(stage->logged("bridge.wait"), 0U);
  const std::size_t before = stage->tables.decisions.size();
  stage->advance(seconds{60});
  // Once per ticket that is looked at, not at every look.
  EXPECT_GE(stage->logged("bridge.wait"), 1U);
  EXPECT_LE(stage->logged("bridge.wait"), 2U);
  EXPECT_EQ(stage->tables.decisions.size(), before + stage->logged("bridge.wait"));
  const op::Decision& last = stage->tables.decisions.rbegin()->second;
  EXPECT_EQ(last.bridge, std::nullopt);
  EXPECT_EQ(last.reason, "no_bridge");
  EXPECT_EQ(last.ticket_class, "displaced");
  EXPECT_GE(last.waited, seconds{10});
}

TEST_F(MemoryTest, ChangesOfTheModeAreLogged) {
  begin();
  const std::size_t before = stage->logged("placement.mode");
  EXPECT_GE(before, 2U);  // Settling, then normal.
  stage->down(StreamId::kService);
  stage->advance(seconds{1});
  EXPECT_EQ(stage->logged("placement.mode"), before + 1);
}

}  // namespace
}  // namespace bascule::focus
