// The watch-dog of the pubsub node against every way it is lost (focus/stats_node.h).

#include "focus/stats_node.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "focus/stats_mirror.h"
#include "stage.h"

namespace bascule::focus {
namespace {

using std::chrono::minutes, std::chrono::seconds;
using testing::HasSubstr;

class StatsNodeTest : public ::testing::Test {
 protected:
  ~StatsNodeTest() override { EXPECT_EQ(stage.focus.counters().bugs, 0U); }

  static Options options(bool keeps_items, bool publishes) {
    Options made = Stage::make_options();
    made.pubsub_service = Jid::parse("pubsub.example.net").value();
    made.pubsub_node = "sharedStatsNode";
    made.pubsub_keeps_items = keeps_items;
    made.pubsub_publishes = publishes;
    return made;
  }
  explicit StatsNodeTest(bool keeps_items = true, bool publishes = false)
      : stage({}, 1, options(keeps_items, publishes)) {}

  void begin() {
    stage.start_all();
    for (const char* nick : {"jvb1", "jvb2"}) {
      stage.add_bridge(nick);
    }
    live(10);
  }
  /// Bridges report, and somebody publishes for them, every five seconds.
  void live(int for_seconds) {
    for (int i = 0; i < for_seconds; i += 5) {
      for (const char* nick : {"jvb1", "jvb2"}) {
        stage.report(nick, "0.1");
        if (publisher_lives) {
          stage.publish("jvb@auth.example.net/" + std::string(nick),
                        proto::ColibriStats{{{"stress_level", "0.1"},
                                             {"current_timestamp", std::to_string(++stamp)}}});
        }
      }
      stage.advance(seconds{5});
    }
  }
  [[nodiscard]] NodeState state() const { return stage.focus.stats_node().state(); }

  Stage stage;
  bool publisher_lives = true;
  int stamp = 0;
};

TEST_F(StatsNodeTest, MakesTheNodeSubscribesAndListens) {
  begin();
  EXPECT_EQ(state(), NodeState::kWorking);
  EXPECT_TRUE(stage.node.subscribed);
  EXPECT_TRUE(stage.node.keeps_items);
  EXPECT_EQ(stage.node.max_items, "max");
  EXPECT_GE(stage.focus.stats_node().counters().events, 2U);
}

TEST_F(StatsNodeTest, ListThatIsTooShortForTheBridgesIsMadeLonger) {
  stage.node.exists = stage.node.keeps_items = true;
  begin();
  EXPECT_EQ(state(), NodeState::kWorking);
  EXPECT_EQ(stage.node.max_items, "max");
  stage.node.max_items = "20";
  live(40);
  EXPECT_EQ(stage.node.max_items, "max");
}

TEST_F(StatsNodeTest, LostNodeIsNoticedBySilenceAndMadeAnew) {
  begin();
  stage.node.exists = stage.node.subscribed = false;  // Prosody says nothing.
  const Instant lost = stage.now.mono;
  while (!stage.node.subscribed && stage.now.mono - lost < minutes{2}) {
    live(5);
  }
  EXPECT_LE(stage.now.mono - lost, seconds{20});
  live(5);
  EXPECT_EQ(state(), NodeState::kWorking);
}

TEST_F(StatsNodeTest, LostSubscriptionIsNoticedBySilence) {
  begin();
  stage.node.subscribed = false;
  const Instant lost = stage.now.mono;
  while (!stage.node.subscribed && stage.now.mono - lost < minutes{2}) {
    live(5);
  }
  EXPECT_LE(stage.now.mono - lost, seconds{20});
  EXPECT_EQ(stage.node.asked["create"], 1U);  // Only in the beginning.
}

TEST_F(StatsNodeTest, SubscriptionThatDeliversNothingIsFoundByTheCanary) {
  begin();
  stage.node.deaf = true;
  live(25);
  EXPECT_FALSE(stage.node.deaf);
  EXPECT_EQ(state(), NodeState::kWorking);
  EXPECT_EQ(stage.node.asked["unsubscribe"], 1U);
  EXPECT_FALSE(stage.node.items.contains("bascule-canary"));
}

TEST_F(StatsNodeTest, SilentPublishersAreNamedAndNothingIsRepaired) {
  begin();
  publisher_lives = false;
  live(120);
  EXPECT_EQ(state(), NodeState::kSilent);
  EXPECT_EQ(stage.logged("pubsub.silent"), 1U);
  EXPECT_EQ(stage.node.asked["unsubscribe"], 0U);
  publisher_lives = true;
  live(5);
  EXPECT_EQ(state(), NodeState::kWorking);
}

TEST_F(StatsNodeTest, NobodyToPublishIsNoFault) {
  stage.start_all();
  stage.advance(minutes{5});
  EXPECT_EQ(state(), NodeState::kWorking);
  EXPECT_EQ(stage.logged("pubsub.silent"), 0U);
}

TEST_F(StatsNodeTest, CorruptListIsPurged) {
  begin();
  stage.node.corrupt = true;
  live(30);
  EXPECT_EQ(state(), NodeState::kWorking);
  EXPECT_EQ(stage.node.asked["purge"], 1U);
  EXPECT_EQ(stage.node.asked["delete"], 0U);
}

TEST_F(StatsNodeTest, ListThatStaysCorruptCostsTheNode) {
  stage.node.purge_helps = false;
  begin();
  stage.node.corrupt = true;
  live(60);
  EXPECT_EQ(state(), NodeState::kWorking);
  EXPECT_EQ(stage.node.asked["delete"], 1U);
  EXPECT_TRUE(stage.node.subscribed);
}

TEST_F(StatsNodeTest, DamagedRecordIsForTheOperatorWhoIsToldTheFile) {
  begin();
  stage.node.record_damaged = true;
  live(120);
  EXPECT_EQ(state(), NodeState::kServiceBroken);
  EXPECT_EQ(stage.logged("pubsub.needs_operator"), 1U);
  EXPECT_THAT(stage.last_action["pubsub.needs_operator"],
              HasSubstr("pubsub%2eexample%2enet/pubsub_nodes/sharedStatsNode.dat"));
  stage.node.record_damaged = false;  // As after the operator did it.
  stage.node.exists = stage.node.subscribed = false;
  live(30);
  EXPECT_EQ(state(), NodeState::kWorking);
}

TEST_F(StatsNodeTest, ServiceThatIsNotThereIsForTheOperator) {
  stage.node.service_answers = false;
  begin();
  live(60);
  EXPECT_EQ(state(), NodeState::kServiceGone);
  EXPECT_EQ(stage.logged("pubsub.needs_operator"), 1U);
  EXPECT_TRUE(stage.focus.stats_node().needs_operator());
}

TEST_F(StatsNodeTest, WithoutRightsTheNodeIsReadAndTheOperatorToldOnce) {
  stage.node.we_are_admin = false;
  begin();
  live(300);
  EXPECT_EQ(state(), NodeState::kMissing);
  EXPECT_EQ(stage.logged("pubsub.needs_operator"), 1U);
  EXPECT_THAT(stage.last_action["pubsub.needs_operator"],
              HasSubstr("add \"bascule.example.net\" to admins of pubsub.example.net"));
  EXPECT_LE(stage.node.asked["create"], 8U);  // 10 s apart, then ever slower.
  stage.node.exists = true;                   // Somebody else makes it.
  live(60);
  EXPECT_EQ(state(), NodeState::kWorking);
  EXPECT_EQ(stage.logged("pubsub.not_owner"), 1U);
}

TEST_F(StatsNodeTest, NodeThatIsDeletedAgainAndAgainIsMadeEverSlower) {
  begin();
  for (int i = 0; i < 60; ++i) {
    stage.node.exists = stage.node.subscribed = false;
    live(10);
  }
  EXPECT_LE(stage.node.asked["create"], 8U);
}

TEST_F(StatsNodeTest, ServerRestartIsALookAtOnce) {
  begin();
  stage.down(StreamId::kService);
  stage.node.exists = stage.node.subscribed = false;
  EXPECT_EQ(state(), NodeState::kOff);
  stage.up(StreamId::kService);
  EXPECT_TRUE(stage.node.subscribed);
}

TEST_F(StatsNodeTest, DamageIsFoundWithoutEvents) {
  begin();
  publisher_lives = false;
  stage.remove_bridge("jvb1");
  stage.remove_bridge("jvb2");
  stage.node.subscribed = false;
  stage.advance(seconds{40});  // Nobody is there whose silence could tell.
  EXPECT_TRUE(stage.node.subscribed);
}

class StatsMirrorTest : public StatsNodeTest {
 protected:
  StatsMirrorTest() : StatsNodeTest(true, true) { publisher_lives = false; }
  [[nodiscard]] const StatsMirror::Counters& mirrored() const {
    return stage.focus.stats_mirror().counters();
  }
};

TEST_F(StatsMirrorTest, KeepsTheNodeFilledWithOneItemPerBridge) {
  begin();
  live(60);
  EXPECT_EQ(state(), NodeState::kWorking);  // Its own events tell that the node delivers.
  EXPECT_EQ(stage.node.items.size(), 2U);
  EXPECT_TRUE(stage.node.items.contains("jvbbrewery@internal.auth.example.net/jvb1"));
  EXPECT_GE(mirrored().published, 20U);
  EXPECT_EQ(stage.focus.counters().items_used, 0U);  // An echo is no news.
  stage.remove_bridge("jvb1");
  EXPECT_EQ(stage.node.items.size(), 1U);
}

TEST_F(StatsMirrorTest, RefusalToPublishIsToldAndTriedAgain) {
  stage.node.exists = stage.node.keeps_items = true;
  stage.node.we_are_admin = stage.node.we_may_publish = false;
  begin();
  live(120);
  EXPECT_EQ(stage.logged("pubsub.publish_refused"), 1U);
  EXPECT_THAT(stage.last_action["pubsub.publish_refused"], HasSubstr("affiliation publisher"));
  EXPECT_LE(stage.node.asked["publish"], 12U);
  stage.node.we_may_publish = true;
  live(40);
  EXPECT_EQ(stage.logged("pubsub.publishes_again"), 1U);
}

TEST_F(StatsMirrorTest, CorruptListIsNoticedByThePublishAtOnce) {
  begin();
  stage.node.corrupt = true;
  live(5);
  EXPECT_FALSE(stage.node.corrupt);
  EXPECT_EQ(state(), NodeState::kWorking);
  live(10);
  EXPECT_EQ(stage.node.items.size(), 2U);
}

}  // namespace
}  // namespace bascule::focus
