#include "base/timer_table.h"

#include <gtest/gtest.h>

namespace bascule {
namespace {

enum class Timer { kFirst, kSecond, kCount };
constexpr Instant kStart{std::chrono::seconds{10}};

TEST(TimerTableTest, GivesTheEarliestDeadlineAndTakesDueTimersOnce) {
  TimerTable<Timer> timers;
  EXPECT_EQ(timers.next(), std::nullopt);
  timers.set(Timer::kSecond, kStart);
  timers.set(Timer::kFirst, kStart + Duration{5});
  EXPECT_EQ(timers.next(), kStart);
  EXPECT_EQ(timers.take_due(kStart), Timer::kSecond);
  EXPECT_EQ(timers.take_due(kStart), std::nullopt);
  EXPECT_EQ(timers.take_due(kStart + Duration{5}), Timer::kFirst);
  EXPECT_EQ(timers.next(), std::nullopt);
}

}  // namespace
}  // namespace bascule
