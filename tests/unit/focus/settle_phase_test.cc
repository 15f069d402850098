#include "focus/settle_phase.h"

#include <gtest/gtest.h>

namespace bascule::focus {
namespace {

using std::chrono::milliseconds, std::chrono::seconds;
constexpr Instant kStart{seconds{1000}};

SettlePhase begun() {
  SettlePhase phase(seconds{5}, seconds{20});
  phase.link_up(kStart);
  return phase;
}

TEST(SettlePhaseTest, BeginsWhenTheLinkComesUp) {
  SettlePhase phase(seconds{5}, seconds{20});
  EXPECT_FALSE(phase.link_is_up());
  EXPECT_FALSE(phase.settling());
  EXPECT_FALSE(phase.end_if_due(kStart, true));
  phase.link_up(kStart);
  EXPECT_TRUE(phase.link_is_up());
  EXPECT_TRUE(phase.settling());
}

TEST(SettlePhaseTest, EndsAfterTheLongestTimeWhenNobodyAppears) {
  SettlePhase phase = begun();
  EXPECT_EQ(phase.deadline(), kStart + seconds{20});
  EXPECT_FALSE(phase.end_if_due(kStart + seconds{20} - milliseconds{1}, false));
  EXPECT_TRUE(phase.end_if_due(kStart + seconds{20}, false));
  EXPECT_FALSE(phase.settling());
  EXPECT_FALSE(phase.deadline().has_value());
  EXPECT_FALSE(phase.end_if_due(kStart + seconds{21}, false)) << "it ends only once";
}

TEST(SettlePhaseTest, EndsWhenNobodyNewAppearedForTheQuietTime) {
  SettlePhase phase = begun();
  phase.bridge_appeared(kStart + seconds{1});
  EXPECT_EQ(phase.deadline(), kStart + seconds{6});
  phase.bridge_appeared(kStart + seconds{4});
  EXPECT_FALSE(phase.end_if_due(kStart + seconds{6}, false));
  EXPECT_TRUE(phase.end_if_due(kStart + seconds{9}, false));
}

TEST(SettlePhaseTest, BridgesThatKeepAppearingDoNotProlongItBeyondTheLongestTime) {
  SettlePhase phase = begun();
  for (int second = 1; second <= 19; ++second) {
    phase.bridge_appeared(kStart + seconds{second});
    EXPECT_FALSE(phase.end_if_due(kStart + seconds{second}, false));
  }
  EXPECT_EQ(phase.deadline(), kStart + seconds{20});
}

TEST(SettlePhaseTest, EndsAtOnceWithEnoughBridges) {
  SettlePhase phase = begun();
  EXPECT_TRUE(phase.end_if_due(kStart + seconds{1}, true));
  EXPECT_FALSE(phase.settling());
}

TEST(SettlePhaseTest, ABridgeThatAppearsLaterDoesNotBeginItAgain) {
  SettlePhase phase = begun();
  phase.end_if_due(kStart, true);
  phase.bridge_appeared(kStart + seconds{1});
  EXPECT_FALSE(phase.settling());
}

TEST(SettlePhaseTest, AnotherMassDropRestartsIt) {
  SettlePhase phase = begun();
  phase.bridge_appeared(kStart + seconds{1});
  phase.begin(kStart + seconds{3});
  EXPECT_EQ(phase.deadline(), kStart + seconds{23});
  EXPECT_TRUE(phase.link_is_up());
}

TEST(SettlePhaseTest, ALostLinkEndsIt) {
  SettlePhase phase = begun();
  phase.link_down();
  EXPECT_FALSE(phase.link_is_up());
  EXPECT_FALSE(phase.settling());
  EXPECT_FALSE(phase.end_if_due(kStart + seconds{30}, true));
}

}  // namespace
}  // namespace bascule::focus
