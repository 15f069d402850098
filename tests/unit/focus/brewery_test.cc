#include <algorithm>

#include <gtest/gtest.h>

#include "focus/member_features.h"
#include "stage.h"

namespace bascule::focus {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class BreweryTest : public ::testing::Test {
 protected:
  BreweryTest() {
    stage.start_all();
    for (const char* nick : {"jvb1", "jvb2"}) {
      stage.add_bridge(nick);
    }
    stage.advance(seconds{6});
  }
  ~BreweryTest() override { EXPECT_EQ(stage.focus.counters().bugs, 0U); }

  void meet(const std::string& room, const std::vector<std::string>& nicks) {
    stage.ask(room);
    for (const auto& nick : nicks) {
      stage.join(room, nick);
    }
    stage.advance(seconds{2});
  }
  proto::MucPresence presence_of(const std::string& nick) {
    proto::MucPresence presence;
    presence.from = Jid::parse("jvbbrewery@internal.auth.example.net/" + nick).value();
    presence.items.push_back({.affiliation = proto::Affiliation::kOwner});
    presence.colibri_stats = proto::ColibriStats{{{"stress_level", "0.1"}}};
    return presence;
  }
  void give_stats(const std::string& nick, const std::string& name, const std::string& value) {
    proto::MucPresence presence = presence_of(nick);
    presence.colibri_stats->values[name] = value;
    stage.give(in::PresenceReceived{StreamId::kService, presence});
  }

  Stage stage;
};

TEST_F(BreweryTest, ABridgeThatAnnouncesItsEndIsLeftInOrder) {
  meet("tea", {"alice", "bob"});
  const std::string old = *stage.bridge_of("tea", "alice");
  give_stats(old, "shutting_down", "true");
  stage.advance(seconds{3});
  EXPECT_NE(stage.bridge_of("tea", "alice"), old);
  EXPECT_EQ(stage.state_of("tea", "bob"), ParticipantState::kActive);
  EXPECT_TRUE(stage.bridges.at(old).meetings.empty());  // It still answers: it was told.
  EXPECT_EQ(stage.focus.counters().bridges_lost, 0U);
}

TEST_F(BreweryTest, AnUnhealthyBridgeIsLeftOnce) {
  meet("tea", {"alice", "bob"});
  const std::string old = *stage.bridge_of("tea", "alice");
  give_stats(old, "healthy", "false");
  give_stats(old, "healthy", "false");
  stage.advance(seconds{3});
  EXPECT_NE(stage.bridge_of("tea", "alice"), old);
  EXPECT_EQ(stage.focus.counters().bridges_lost, 1U);
  EXPECT_EQ(stage.client("tea", "alice").sids.size(), 2U);
}

TEST_F(BreweryTest, ARequeryHearsEveryBridgeAgainAndDisturbsNobody) {
  meet("tea", {"alice", "bob"});
  EXPECT_FALSE(stage.focus.stats_requery().has_value());
  const std::uint64_t reports = stage.focus.counters().reports;
  stage.give(in::RequeryStats{});
  const auto requery = stage.focus.stats_requery();
  ASSERT_TRUE(requery.has_value());
  EXPECT_EQ(requery->expected, 2U);
  EXPECT_EQ(requery->seen, 2U);
  EXPECT_EQ(stage.focus.counters().reports, reports + 2);
  stage.give(in::RequeryStats{});  // The answer to the first may be on its way.
  EXPECT_EQ(stage.focus.counters().reports, reports + 2);
  EXPECT_EQ(stage.focus.stats_requery()->seen, 2U);
  EXPECT_EQ(stage.focus.counters().bridges_lost, 0U);
  EXPECT_EQ(stage.client("tea", "alice").sids.size(), 1U);
  EXPECT_EQ(stage.logged("placement.mode"), 2U) << "settling and normal";
}

TEST_F(BreweryTest, ABridgeThatDoesNotAnswerARequeryIsNotSeen) {
  stage.advance(seconds{1});
  stage.bridges.at("jvb2").in_brewery = false;  // It hangs: the room still has it.
  stage.give(in::RequeryStats{});
  EXPECT_EQ(stage.focus.stats_requery()->expected, 2U);
  EXPECT_EQ(stage.focus.stats_requery()->seen, 1U);
  stage.report("jvb2", "0.2");
  EXPECT_EQ(stage.focus.stats_requery()->seen, 2U);
}

TEST_F(BreweryTest, LoadThatIsNoneIsCountedAndTheRestOfTheReportUsed) {
  const std::uint64_t reports = stage.focus.counters().reports;
  proto::MucPresence presence = presence_of("jvb1");
  presence.colibri_stats = proto::ColibriStats{{{"stress_level", "-0.3"}, {"healthy", "true"}}};
  stage.give(in::PresenceReceived{StreamId::kService, presence});
  EXPECT_EQ(stage.focus.counters().reports_invalid, 1U);
  EXPECT_EQ(stage.focus.counters().reports, reports + 1);
}

TEST_F(BreweryTest, ReportsWithoutASingleKnownFigureAreDropped) {
  proto::MucPresence presence = presence_of("jvb1");
  presence.colibri_stats = proto::ColibriStats{{{"stress_level", "NaN"}, {"nonsense", "1"}}};
  stage.give(in::PresenceReceived{StreamId::kService, presence});
  EXPECT_EQ(stage.focus.counters().reports_invalid, 1U);
}

TEST_F(BreweryTest, TwoSessionsUnderOneNickAreToldOnce) {
  proto::MucPresence presence = presence_of("jvb1");
  presence.items.push_back({.affiliation = proto::Affiliation::kOwner});
  stage.give(in::PresenceReceived{StreamId::kService, presence});
  stage.give(in::PresenceReceived{StreamId::kService, presence});
  EXPECT_EQ(stage.logged("bridge.twins"), 1U);
}

TEST_F(BreweryTest, BeingOutsideTheBreweryIsOurProblemNotTheBridges) {
  stage.expel_focus = true;  // The room answers every IQ with not-acceptable.
  stage.ask("tea");
  stage.join("tea", "alice");
  stage.join("tea", "bob");
  stage.advance(seconds{5});
  const std::size_t expelled = stage.logged("brewery.not_in");
  EXPECT_GE(expelled, 1U);
  EXPECT_LE(expelled, 5U);  // At most once per second, however many answers say so.
  stage.expel_focus = false;
  stage.advance(seconds{40});
  EXPECT_EQ(stage.focus.counters().bridges_lost, 0U);
  EXPECT_EQ(stage.state_of("tea", "alice"), ParticipantState::kActive);
  EXPECT_EQ(stage.state_of("tea", "bob"), ParticipantState::kActive);
}

TEST_F(BreweryTest, PlacementsHoldUntilTheBreweryHasSettled) {
  stage.down(StreamId::kService);
  stage.bridges.at("jvb2").in_brewery = false;  // One of two has not come back yet.
  stage.advance(seconds{1});
  stage.up(StreamId::kService);
  EXPECT_TRUE(stage.focus.placement().settling());
  const auto reasons = stage.focus.readiness(stage.now).reasons;
  EXPECT_NE(std::find(reasons.begin(), reasons.end(), NotReady::kSettling), reasons.end());
}

TEST_F(BreweryTest, ReportsReachTheStoreInBatches) {
  for (int i = 0; i < 10; ++i) {
    stage.report("jvb1", "0.2");
    stage.report("jvb2", "0.3");
  }
  const std::size_t before = stage.store_writes;
  stage.advance(seconds{2});
  EXPECT_EQ(stage.store_writes, before + 1);
}

TEST_F(BreweryTest, CapabilitiesAreAskedOncePerBuildOnlyWhenTheHashIsTrue) {
  proto::DiscoInfo info;
  info.features = {"urn:xmpp:jingle:apps:rtp:audio", "urn:xmpp:jingle:apps:rtp:video",
                   "http://jitsi.org/json-encoded-sources"};
  stage.caps = proto::Caps{
      .node = "https://jitsi.org/jitsi-meet", .ver = caps_verification(info), .hash = "sha-1"};
  stage.features_known = true;
  meet("tea", {"alice"});
  meet("milk", {"bob", "carol", "dave"});
  EXPECT_EQ(stage.focus.counters().disco_asked, 1U);
  EXPECT_EQ(stage.focus.counters().disco_shared, 3U);
  stage.caps->ver = "bm9ib2R5";  // A hash nobody's answer has.
  meet("beer", {"eve", "mallory"});
  meet("beer", {"trent"});
  EXPECT_EQ(stage.focus.counters().disco_asked, 4U);
  EXPECT_EQ(stage.state_of("beer", "trent"), ParticipantState::kActive);
}

TEST(CapsVerification, MatchesTheExampleOfTheSpecification) {
  // XEP-0115 5.2.
  proto::DiscoInfo info;
  info.identities = {{"client", "pc", "Exodus 0.9.1"}};
  info.features = {"http://jabber.org/protocol/disco#info",
                   "http://jabber.org/protocol/disco#items", "http://jabber.org/protocol/muc",
                   "http://jabber.org/protocol/caps"};
  EXPECT_EQ(caps_verification(info), "QgayPKawpkPSDYmwT/WM94uAlu0=");
}

}  // namespace
}  // namespace bascule::focus
