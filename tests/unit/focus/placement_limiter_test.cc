#include "focus/placement_limiter.h"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

#include "base/prng.h"

namespace bascule::focus {
namespace {

using std::chrono::hours, std::chrono::milliseconds, std::chrono::seconds;
constexpr Instant kStart{seconds{1000}};

PlacementLimiter make_limiter(Duration interval, std::uint32_t burst) {
  return PlacementLimiter::create({.interval = interval, .burst = burst}).value();
}

TEST(PlacementLimiterTest, RefusesLimitsOutsideTheirRange) {
  for (const PlacementLimit limit : {PlacementLimit{.interval = Duration::zero(), .burst = 1},
                                     PlacementLimit{.interval = seconds{3601}, .burst = 1},
                                     PlacementLimit{.interval = seconds{1}, .burst = 0},
                                     PlacementLimit{.interval = seconds{1}, .burst = 10'001}}) {
    const auto limiter = PlacementLimiter::create(limit);
    ASSERT_FALSE(limiter.has_value());
    EXPECT_EQ(limiter.error().code, Errc::kInvalidArgument);
  }
}

TEST(PlacementLimiterTest, AllowsABurstThenOnePerInterval) {
  auto limiter = make_limiter(milliseconds{50}, 3);
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(limiter.try_place(kStart));
  }
  EXPECT_FALSE(limiter.try_place(kStart));
  EXPECT_EQ(limiter.earliest(), kStart + milliseconds{50});
  EXPECT_FALSE(limiter.try_place(kStart + milliseconds{49}));
  EXPECT_TRUE(limiter.try_place(kStart + milliseconds{50}));
}

TEST(PlacementLimiterTest, IdleTimeIsNotSavedUpBeyondTheBurst) {
  auto limiter = make_limiter(milliseconds{50}, 2);
  ASSERT_TRUE(limiter.try_place(kStart));
  EXPECT_TRUE(limiter.try_place(kStart + hours{24}));
  EXPECT_TRUE(limiter.try_place(kStart + hours{24}));
  EXPECT_FALSE(limiter.try_place(kStart + hours{24}));
}

TEST(PlacementLimiterTest, TellsHowManyConform) {
  auto limiter = make_limiter(milliseconds{50}, 3);
  for (std::uint32_t left = 3; left > 0; --left) {
    EXPECT_EQ(limiter.available(kStart), left);
    ASSERT_TRUE(limiter.try_place(kStart));
  }
  EXPECT_EQ(limiter.available(kStart), 0u);
  EXPECT_EQ(limiter.available(kStart + milliseconds{99}), 1u);
  EXPECT_EQ(limiter.available(kStart + milliseconds{100}), 2u);
  EXPECT_EQ(limiter.available(kStart + hours{24}), 3u);
}

TEST(PlacementLimiterTest, AStretchedPaceIsSlowerAndEndsWithTheStretch) {
  auto limiter = make_limiter(milliseconds{50}, 1);
  ASSERT_TRUE(limiter.try_place(kStart, 5'000));
  EXPECT_EQ(limiter.earliest(), kStart + milliseconds{250});
  ASSERT_TRUE(limiter.try_place(kStart + milliseconds{250}));
  EXPECT_EQ(limiter.earliest(), kStart + milliseconds{300});
}

// Goal: the documented guarantee, for any pattern of arrivals and stretches. Method: 50 seeded
// storms; count the accepted ones in every 5 s window that starts at an accepted one.
TEST(PlacementLimiterTest, NoWindowHoldsMoreThanTheGuarantee) {
  constexpr Duration kWindow = seconds{5};
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Prng prng(seed);
    const auto interval = Duration(1 + static_cast<std::int64_t>(prng.below(500'000)));
    const auto burst = static_cast<std::uint32_t>(1 + prng.below(8));
    auto limiter = make_limiter(interval, burst);
    std::vector<Instant> placed;
    Instant now = kStart;
    for (int arrival = 0; arrival < 2'000; ++arrival) {
      now += Duration(static_cast<std::int64_t>(prng.below(40'000)));
      const std::int64_t stretch = prng.below(10) == 0 ? 4'000 : 1'000;
      if (limiter.try_place(now, stretch)) {
        placed.push_back(now);
      }
    }
    ASSERT_FALSE(placed.empty());
    for (auto first = placed.begin(); first != placed.end(); ++first) {
      const auto last = std::lower_bound(first, placed.end(), *first + kWindow);
      ASSERT_LE(last - first, burst + kWindow / interval);
    }
  }
}

TEST(PlacementLimiterTest, AnotherPaceKeepsWhatWasTakenAheadOfTime) {
  auto limiter = make_limiter(milliseconds{100}, 10);
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(limiter.try_place(kStart));
  }
  limiter.set_limit({.interval = milliseconds{10}, .burst = 10}, kStart);
  EXPECT_EQ(limiter.available(kStart), 0u);
  EXPECT_EQ(limiter.earliest(), kStart + milliseconds{10});
  limiter.set_limit({.interval = milliseconds{200}, .burst = 10}, kStart);
  EXPECT_EQ(limiter.earliest(), kStart + milliseconds{200});
  limiter.set_limit({.interval = milliseconds{200}, .burst = 12}, kStart);
  EXPECT_EQ(limiter.available(kStart), 2u);
}

TEST(PlacementLimiterTest, AnotherPaceGivesNoBurstToOneThatWasIdle) {
  auto limiter = make_limiter(milliseconds{100}, 2);
  limiter.set_limit({.interval = milliseconds{10}, .burst = 3}, kStart);
  EXPECT_EQ(limiter.available(kStart), 3u);
  ASSERT_TRUE(limiter.try_place(kStart));
  EXPECT_EQ(limiter.available(kStart), 2u);
}

}  // namespace
}  // namespace bascule::focus
