#include "xmpp/reconnect_policy.h"

#include <array>

#include <gtest/gtest.h>

namespace bascule::xmpp {
namespace {

using std::chrono::milliseconds, std::chrono::seconds;

void expect_within(Duration delay, Duration low, Duration high) {
  EXPECT_GE(delay.count(), low.count());
  EXPECT_LE(delay.count(), high.count());
}

TEST(ReconnectPolicyTest, StaysEagerWhileARestartedServerMayComeBack) {
  Prng prng(3);
  ReconnectPolicy policy;
  Duration waited{};
  int attempts = 0;
  while (waited < seconds{15}) {
    const Duration delay = policy.next_delay(DownKind::kConnection, prng);
    EXPECT_LE(delay, milliseconds{300});
    waited += delay;
    ++attempts;
  }
  EXPECT_GE(attempts, 50);
}

TEST(ReconnectPolicyTest, DoublesFromATenthOfASecondToFiveSecondsWhenNotEager) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Prng prng(seed);
    ReconnectPolicy policy({.eager = milliseconds{100}, .eager_for = Duration::zero()});
    for (const int step_ms : {100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000}) {
      expect_within(policy.next_delay(DownKind::kConnection, prng), milliseconds{step_ms * 4 / 5},
                    milliseconds{step_ms * 6 / 5});
    }
  }
}

TEST(ReconnectPolicyTest, JitterReallySpreads) {
  Prng prng(1);
  Duration low = Duration::max();
  Duration high = Duration::min();
  for (int i = 0; i < 200; ++i) {
    ReconnectPolicy policy;
    const Duration delay = policy.next_delay(DownKind::kConnection, prng);
    low = std::min(low, delay);
    high = std::max(high, delay);
  }
  EXPECT_LT(low, milliseconds{85});
  EXPECT_GT(high, milliseconds{115});
}

TEST(ReconnectPolicyTest, AStableLinkStartsAgainFromTheFirstStep) {
  Prng prng(7);
  ReconnectPolicy policy;
  for (int i = 0; i < 5; ++i) {
    policy.next_delay(DownKind::kConnection, prng);
  }
  policy.went_up();
  expect_within(policy.next_delay(DownKind::kConnection, prng, seconds{10}), milliseconds{80},
                milliseconds{120});
}

TEST(ReconnectPolicyTest, AFlappingLinkKeepsBackingOff) {
  Prng prng(7);
  ReconnectPolicy policy({.eager_for = Duration::zero()});
  for (int i = 0; i < 6; ++i) {
    policy.went_up();
    policy.next_delay(DownKind::kConnection, prng, milliseconds{1});
  }
  policy.went_up();
  expect_within(policy.next_delay(DownKind::kConnection, prng, milliseconds{1}), seconds{4},
                seconds{6});
}

TEST(ReconnectPolicyTest, ALongLifeOnceDoesNotExcuseLaterFailures) {
  Prng prng(7);
  ReconnectPolicy policy;
  policy.went_up();
  policy.next_delay(DownKind::kConnection, prng);  // Reset by the stable link, first step used.
  expect_within(policy.next_delay(DownKind::kConnection, prng), milliseconds{160},
                milliseconds{240});
}

TEST(ReconnectPolicyTest, ConflictWaitsAtLeastFiveSeconds) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Prng prng(seed);
    ReconnectPolicy policy;
    expect_within(policy.next_delay(DownKind::kConflict, prng), seconds{5}, seconds{6});
  }
}

TEST(ReconnectPolicyTest, WhatOnlyAnOperatorCanEndIsRetriedSlowly) {
  Prng prng(3);
  for (const DownKind kind : {DownKind::kAuthentication, DownKind::kCertificate}) {
    ReconnectPolicy policy;
    for (int i = 0; i < 5; ++i) {
      expect_within(policy.next_delay(kind, prng), seconds{24}, seconds{36});
    }
  }
}

TEST(ReconnectPolicyTest, SameSeedSameDelays) {
  Prng one(42);
  Prng two(42);
  ReconnectPolicy first;
  ReconnectPolicy second;
  for (const DownKind kind : {DownKind::kConnection, DownKind::kConflict, DownKind::kProtocol,
                              DownKind::kAuthentication, DownKind::kConnection}) {
    EXPECT_EQ(first.next_delay(kind, one), second.next_delay(kind, two));
  }
}

}  // namespace
}  // namespace bascule::xmpp
