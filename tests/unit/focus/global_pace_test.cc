#include "focus/global_pace.h"

#include <gtest/gtest.h>

namespace bascule::focus {
namespace {

using std::chrono::milliseconds, std::chrono::seconds;
constexpr Instant kStart{seconds{1000}};
constexpr Duration kPeriod = milliseconds{250};
constexpr Duration kQuick = milliseconds{100};
constexpr Duration kSlow = seconds{5};

/// A pace with a clock: every call of `period` is a quarter of a second of work.
struct Worker {
  explicit Worker(const PlacementOptions& options = {}) : pace(options) { pace.adapt(now); }

  /// Places as much as is allowed, at most `wanted`, and hears `answers` answers of one duration.
  void period(std::size_t wanted, int answers, Duration took) {
    for (std::size_t i = 0; i < wanted && pace.try_place(now); ++i) {
    }
    for (int i = 0; i < answers; ++i) {
      pace.answered(took);
    }
    now += kPeriod;
    pace.adapt(now);
  }
  void busy(Duration took) { period(100'000, 20, took); }

  Instant now = kStart;
  GlobalPace pace;
};

TEST(GlobalPaceTest, StartsAtTheConfiguredRateAndAllowsTheBurstAtOnce) {
  GlobalPace pace{PlacementOptions{}};
  EXPECT_EQ(pace.rate(), 500);
  EXPECT_EQ(pace.available(kStart), 200u);
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(pace.try_place(kStart)) << i;
  }
  EXPECT_FALSE(pace.try_place(kStart));
  EXPECT_EQ(pace.available(kStart), 0u);
  EXPECT_EQ(pace.earliest(), kStart + milliseconds{2});
  EXPECT_EQ(pace.available(kStart + milliseconds{20}), 10u);
  EXPECT_EQ(pace.available(kStart + seconds{10}), 200u) << "idle time is not saved up";
}

TEST(GlobalPaceTest, DoublesEveryQuarterOfASecondWhileAnswersAreQuickUpToTheCeiling) {
  Worker worker;
  worker.pace.set_ceiling(4'500);
  for (const std::int64_t rate : {1'000, 2'000, 4'000, 4'500, 4'500}) {
    worker.busy(kQuick);
    EXPECT_EQ(worker.pace.rate(), rate);
  }
}

TEST(GlobalPaceTest, AHigherRateAllowsAQuarterOfASecondOfItAtOnce) {
  Worker worker;
  worker.pace.set_ceiling(4'000);
  for (int i = 0; i < 3; ++i) {
    worker.busy(kQuick);
  }
  EXPECT_EQ(worker.pace.available(worker.now + seconds{10}), 1'000u);
}

TEST(GlobalPaceTest, DoesNotRiseWhenLessThanHalfOfTheRateWasUsed) {
  Worker worker;
  worker.pace.set_ceiling(4'000);
  worker.period(60, 20, kQuick);  // 125 in a quarter of a second; half is 62.5.
  EXPECT_EQ(worker.pace.rate(), 500);
  worker.period(63, 20, kQuick);
  EXPECT_EQ(worker.pace.rate(), 1'000);
}

TEST(GlobalPaceTest, DoesNotChangeOnFewerThanTenAnswers) {
  Worker worker;
  worker.pace.set_ceiling(4'000);
  worker.period(1'000, 9, kSlow);
  EXPECT_EQ(worker.pace.rate(), 500);
  worker.period(1'000, 1, kSlow);  // Together ten.
  EXPECT_EQ(worker.pace.rate(), 350);
}

TEST(GlobalPaceTest, AdaptsOnlyEveryQuarterOfASecond) {
  GlobalPace pace{PlacementOptions{}};
  pace.adapt(kStart);
  for (int i = 0; i < 20; ++i) {
    pace.answered(kSlow);
  }
  pace.adapt(kStart + milliseconds{249});
  EXPECT_EQ(pace.rate(), 500);
  pace.adapt(kStart + milliseconds{250});
  EXPECT_EQ(pace.rate(), 350);
}

TEST(GlobalPaceTest, SlowAnswersCutToSeventyPercentAtMostOncePerSecond) {
  Worker worker;
  for (const std::int64_t rate : {350, 350, 350, 350, 245, 245}) {
    worker.busy(kSlow);
    EXPECT_EQ(worker.pace.rate(), rate);
  }
}

TEST(GlobalPaceTest, NeverFallsBelowTheMinimum) {
  Worker worker;
  for (int i = 0; i < 100; ++i) {
    worker.busy(kSlow);
    ASSERT_GE(worker.pace.rate(), 50);
  }
  EXPECT_EQ(worker.pace.rate(), 50);
  EXPECT_GT(worker.pace.available(worker.now + seconds{10}), 0u);
}

TEST(GlobalPaceTest, RisesInSmallStepsAfterACut) {
  Worker worker;
  worker.pace.set_ceiling(10'000);
  worker.busy(kSlow);
  for (const std::int64_t rate : {363, 376, 389, 402}) {  // 52 per second.
    worker.busy(kQuick);
    EXPECT_EQ(worker.pace.rate(), rate);
  }
}

TEST(GlobalPaceTest, NeitherQuickNorSlowAnswersChangeNothing) {
  for (const Duration took : {milliseconds{500}, milliseconds{1'100}, milliseconds{2'000}}) {
    Worker worker;
    worker.pace.set_ceiling(4'000);
    worker.busy(took);
    EXPECT_EQ(worker.pace.rate(), 500) << took.count();
  }
}

TEST(GlobalPaceTest, TheMarksAreThoseOfTheOptions) {
  Worker quick;
  quick.pace.set_ceiling(4'000);
  quick.busy(milliseconds{499});
  EXPECT_EQ(quick.pace.rate(), 1'000);
  Worker slow;
  slow.busy(milliseconds{2'001});
  EXPECT_EQ(slow.pace.rate(), 350);
}

TEST(GlobalPaceTest, OneAnswerInTenMayBeSlow) {
  Worker worker;
  worker.pace.set_ceiling(4'000);
  worker.period(100, 2, kSlow);  // Too few to judge by themselves.
  worker.period(400, 18, kQuick);
  EXPECT_EQ(worker.pace.rate(), 1'000);
  worker.period(400, 3, kSlow);
  worker.period(400, 17, kQuick);
  EXPECT_EQ(worker.pace.rate(), 700);
}

TEST(GlobalPaceTest, MissingBridgesAreNoReasonToBecomeSlower) {
  Worker worker;
  worker.pace.set_ceiling(60);
  worker.busy(kQuick);
  EXPECT_EQ(worker.pace.rate(), 500);
}

}  // namespace
}  // namespace bascule::focus
