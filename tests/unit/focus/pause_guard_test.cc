#include "focus/pause_guard.h"

#include <gtest/gtest.h>

namespace bascule::focus {
namespace {

using std::chrono::milliseconds, std::chrono::minutes, std::chrono::seconds;
constexpr Instant kStart{seconds{1000}};

TEST(PauseGuardTest, TimeRunsAsItDoesWhileThereIsNoPause) {
  PauseGuard guard(seconds{5});
  for (Instant now = kStart; now < kStart + minutes{1}; now += seconds{5}) {
    EXPECT_FALSE(guard.advance(now, true));
    EXPECT_EQ(guard.inside(now), now);
    EXPECT_EQ(guard.outside(now), now);
  }
}

TEST(PauseGuardTest, AllButOneSecondOfAPauseIsTakenOut) {
  PauseGuard guard(seconds{5});
  guard.advance(kStart, true);
  EXPECT_TRUE(guard.advance(kStart + minutes{1}, true));
  EXPECT_EQ(guard.inside(kStart + minutes{1}), kStart + seconds{1});
  EXPECT_EQ(guard.outside(kStart + seconds{1}), kStart + minutes{1});
  EXPECT_FALSE(guard.advance(kStart + minutes{1} + seconds{3}, true));
  EXPECT_EQ(guard.inside(kStart + minutes{1} + seconds{3}), kStart + seconds{4});
}

TEST(PauseGuardTest, PausesAddUp) {
  PauseGuard guard(seconds{5});
  guard.advance(kStart, true);
  EXPECT_TRUE(guard.advance(kStart + seconds{11}, true));
  EXPECT_TRUE(guard.advance(kStart + seconds{32}, true));
  EXPECT_EQ(guard.inside(kStart + seconds{32}), kStart + seconds{2});
}

TEST(PauseGuardTest, AGapInWhichNoCallWasDueIsNoPause) {
  PauseGuard guard(seconds{5});
  EXPECT_FALSE(guard.advance(kStart, false));
  EXPECT_FALSE(guard.advance(kStart + minutes{10}, false));
  EXPECT_EQ(guard.inside(kStart + minutes{10}), kStart + minutes{10});
}

TEST(PauseGuardTest, TheFirstCallIsNoPause) {
  PauseGuard guard(seconds{5});
  EXPECT_FALSE(guard.advance(kStart, true));
}

TEST(PauseGuardTest, AGapOfExactlyTheLongestIsNone) {
  PauseGuard guard(seconds{5});
  guard.advance(kStart, true);
  EXPECT_FALSE(guard.advance(kStart + seconds{5}, true));
  EXPECT_TRUE(guard.advance(kStart + seconds{10} + milliseconds{1}, true));
}

TEST(PauseGuardTest, ZeroSwitchesItOff) {
  PauseGuard guard(Duration::zero());
  guard.advance(kStart, true);
  EXPECT_FALSE(guard.advance(kStart + minutes{10}, true));
  EXPECT_EQ(guard.inside(kStart + minutes{10}), kStart + minutes{10});
}

}  // namespace
}  // namespace bascule::focus
