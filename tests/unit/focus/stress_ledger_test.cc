#include "focus/stress_ledger.h"

#include <deque>

#include <gtest/gtest.h>

#include "base/prng.h"

namespace bascule::focus {
namespace {

using std::chrono::milliseconds, std::chrono::seconds;

constexpr Instant at(double s) {
  return Instant{Duration(static_cast<std::int64_t>(s * 1e6))};
}
constexpr Milliunits kUnit = 1000;

StressLedger measured_ledger(std::int64_t cost, std::int64_t deviation, Milliunits settled) {
  StressLedger ledger{PlacementOptions{}};
  ledger.set_learned({Stress(cost), Stress(deviation), 3});
  ledger.restored(settled);
  return ledger;
}

/// As printed: to a hundredth of a thousandth per unit.
void expect_learned(const StressLedger& ledger, std::int64_t cost, std::int64_t deviation) {
  EXPECT_NEAR(static_cast<double>(ledger.learned().cost.millionths()), static_cast<double>(cost),
              10);
  EXPECT_NEAR(static_cast<double>(ledger.learned().deviation.millionths()),
              static_cast<double>(deviation), 10);
}

/// Within a thousandth of full: what rounding of cost and shares can add up to.
void expect_close(Stress actual, std::int64_t millionths) {
  EXPECT_NEAR(static_cast<double>(actual.millionths()), static_cast<double>(millionths), 1'000);
}

// A worked example: 50 units settled at 0.40, 30 placed at 100 s, reports repeat their samples.
TEST(StressLedgerTest, ReportsPayOffPlacementsBySample) {
  StressLedger ledger = measured_ledger(8'000, 2'400, 50 * kUnit);
  ASSERT_TRUE(ledger.report(Stress(400'000), at(98), false));
  ledger.joined(30 * kUnit, at(100));
  expect_close(ledger.estimate(at(100)), 712'000);

  EXPECT_FALSE(ledger.report(Stress(400'000), at(103), true));
  expect_close(ledger.estimate(at(103)), 712'000);

  EXPECT_TRUE(ledger.report(Stress(420'000), at(108), true));
  EXPECT_NEAR(static_cast<double>(ledger.unaccounted()), 28'480, 10);
  expect_learned(ledger, 8'080, 1'280);
  expect_close(ledger.estimate(at(108)), 686'000);

  EXPECT_FALSE(ledger.report(Stress(420'000), at(113), true));
  expect_close(ledger.estimate(at(113)), 686'000);

  EXPECT_TRUE(ledger.report(Stress(600'000), at(118), true));
  EXPECT_NEAR(static_cast<double>(ledger.unaccounted()), 15'750, 20);
  expect_learned(ledger, 8'710, 1'270);
  expect_close(ledger.estimate(at(118)), 757'000);

  EXPECT_TRUE(ledger.report(Stress(630'000), at(128), true));
  EXPECT_NEAR(static_cast<double>(ledger.unaccounted()), 2'270, 20);
  expect_learned(ledger, 8'560, 1'100);
  expect_close(ledger.estimate(at(128)), 685'000);

  EXPECT_TRUE(ledger.report(Stress(640'000), at(138), true));
  EXPECT_EQ(ledger.unaccounted(), 0);
  expect_learned(ledger, 8'420, 970);
  expect_close(ledger.estimate(at(138)), 673'000);
  ledger.check_invariants();
}

TEST(StressLedgerTest, EveryPlacementCountsAtOnce) {
  StressLedger ledger = measured_ledger(10'000, 0, 0);
  ledger.report(Stress(0), at(0), false);
  Stress before = ledger.estimate(at(1));
  for (int i = 0; i < 50; ++i) {
    ledger.joined(460, at(1));
    const Stress after = ledger.estimate(at(1));
    EXPECT_GE(after - before, Stress(4'600));
    before = after;
  }
}

TEST(StressLedgerTest, ACreditLowersTheReportButNotBelowOurOwnCount) {
  StressLedger ledger = measured_ledger(10'000, 200, 60 * kUnit);
  ledger.report(Stress(700'000), at(0), false);
  ledger.left(20 * kUnit, 0, at(-1000), at(1));
  // 0.70 less 20 * 0.0102 is above 40 * 0.01.
  expect_close(ledger.estimate(at(1)), 496'000);
  ledger.left(20 * kUnit, 0, at(-1000), at(1));
  expect_close(ledger.estimate(at(1)), 292'000);
  ledger.report(Stress(100'000), at(5), false);
  expect_close(ledger.estimate(at(5)), 200'000);
}

TEST(StressLedgerTest, AShortStayLeavesNothingBehind) {
  StressLedger ledger = measured_ledger(10'000, 3'000, 30 * kUnit);
  ledger.report(Stress(300'000), at(0), false);
  const Stress before = ledger.estimate(at(30));
  for (int i = 0; i < 40; ++i) {  // A client that fails and comes back every five seconds.
    const Instant joined = at(1 + i * 0.5);
    ledger.joined(460, joined);
    ledger.left(460, 460, joined, joined + milliseconds{400});
  }
  EXPECT_EQ(ledger.unaccounted(), 0);
  EXPECT_EQ(ledger.own(), 30 * kUnit);
  ledger.report(Stress(300'001), at(22), false);
  EXPECT_EQ(ledger.unaccounted(), 0);
  EXPECT_LE(ledger.estimate(at(30)), before + Stress(1));
  ledger.check_invariants();
}

TEST(StressLedgerTest, AnOldReportIsNotBelieved) {
  StressLedger ledger = measured_ledger(10'000, 1'000, 50 * kUnit);
  ledger.report(Stress(900'000), at(0), false);
  EXPECT_EQ(ledger.estimate(at(10)), Stress(900'000));
  EXPECT_EQ(ledger.estimate(at(29)), Stress(900'000));
  // Only our own count, with margin, and a little more for the delay.
  EXPECT_GE(ledger.estimate(at(31)), Stress(550'000));
  EXPECT_LE(ledger.estimate(at(31)), Stress(578'000));
  EXPECT_LE(ledger.estimate(at(100'000)), Stress(578'000));
}

TEST(StressLedgerTest, AnEqualValueIsANewSampleOnlyAfterAWholeWindow) {
  StressLedger ledger = measured_ledger(10'000, 1'000, 0);
  ASSERT_TRUE(ledger.report(Stress(50'000), at(0), true));
  ledger.joined(10 * kUnit, at(1));
  for (const double t : {5.0, 10.0, 14.9}) {
    EXPECT_FALSE(ledger.report(Stress(50'000), at(t), true));
    EXPECT_EQ(ledger.unaccounted(), 10 * kUnit);
  }
  EXPECT_TRUE(ledger.report(Stress(50'000), at(15), true));
  // A gauge that never moves pays everything off in the end, and teaches nothing.
  for (double t = 20; t < 90; t += 5) {
    ledger.report(Stress(50'000), at(t), true);
  }
  EXPECT_EQ(ledger.unaccounted(), 0);
  EXPECT_EQ(ledger.learned().cost, Stress(10'000));
}

TEST(StressLedgerTest, AnUnmeasuredBridgeGetsALimitedAmountUntilASampleConfirms) {
  StressLedger ledger{PlacementOptions{}};  // 0.01 and 0.003 per unit: 0.35 is 26.9 units.
  ledger.report(Stress(0), at(0), true);
  EXPECT_TRUE(ledger.within_window(26 * kUnit, at(1)));
  EXPECT_FALSE(ledger.within_window(27 * kUnit, at(1)));
  ledger.joined(20 * kUnit, at(1));
  EXPECT_TRUE(ledger.within_window(6 * kUnit, at(1)));
  EXPECT_FALSE(ledger.within_window(7 * kUnit, at(1)));
  ledger.report(Stress(95'000), at(23), true);  // Half of it can be in this one: it costs 0.008.
  EXPECT_EQ(ledger.learned().confirmations, 1);
  EXPECT_FALSE(ledger.within_window(1'000 * kUnit, at(23)));
  ledger.report(Stress(150'000), at(33), true);
  EXPECT_EQ(ledger.learned().confirmations, 2);
  EXPECT_FALSE(ledger.within_window(1'000 * kUnit, at(33)));
  ledger.report(Stress(161'000), at(43), true);
  EXPECT_EQ(ledger.learned().confirmations, 3);
  EXPECT_TRUE(ledger.within_window(1'000 * kUnit, at(43)));
}

// Goal: the window goes with what is known, however it became known.
TEST(StressLedgerTest, ARestoredCostBringsItsWindow) {
  StressLedger ledger{PlacementOptions{}};
  ledger.report(Stress(0), at(0), true);
  ledger.set_learned({Stress(10'000), Stress(3'000), 1});
  EXPECT_TRUE(ledger.within_window(53 * kUnit, at(1)));
  EXPECT_FALSE(ledger.within_window(54 * kUnit, at(1)));
  ledger.set_learned({Stress(10'000), Stress(3'000), 3});
  EXPECT_TRUE(ledger.within_window(1'000 * kUnit, at(1)));
  ledger.set_learned({Stress(10'000), Stress(3'000), 0});
  EXPECT_FALSE(ledger.within_window(27 * kUnit, at(1)));
}

// Goal: whatever a bridge reports, the learned cost stays in its bounds.
TEST(StressLedgerTest, LearningIsBoundedForAnyReports) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    Prng prng(seed);
    StressLedger ledger{PlacementOptions{}};
    Instant now = at(1000);
    std::deque<std::pair<Instant, Milliunits>> present;
    for (int step = 0; step < 500; ++step) {
      now += Duration(static_cast<std::int64_t>(prng.below(9'000'000)));
      const auto load = static_cast<Milliunits>(1 + prng.below(5'000));
      if (prng.below(3) > 0) {
        ledger.joined(load, now);
        present.emplace_back(now, load);
      } else if (!present.empty()) {
        ledger.left(present.front().second, present.front().second, present.front().first, now);
        present.pop_front();
      }
      ledger.report(Stress(static_cast<std::int64_t>(prng.below(10'000'001))), now, true);
      const auto learned = ledger.learned();
      ASSERT_GE(learned.cost, Stress(500));
      ASSERT_LE(learned.cost, Stress(250'000));
      ASSERT_GE(learned.deviation.millionths(), learned.cost.millionths() / 50);
      ASSERT_LE(learned.deviation, learned.cost);
      ASSERT_GE(ledger.estimate(now), Stress());
      ledger.check_invariants();
    }
  }
}

TEST(StressLedgerTest, AConstantTruthIsLearnedWithinTwoPercent) {
  for (const std::int64_t truth : {3'000, 5'000, 20'000}) {
    StressLedger ledger{PlacementOptions{}};
    ledger.restored(40 * kUnit);
    for (int i = 0; i < 8; ++i) {
      ledger.report(Stress(40 * truth + i), at(10.0 * i), true);
    }
    EXPECT_NEAR(static_cast<double>(ledger.learned().cost.millionths()), static_cast<double>(truth),
                static_cast<double>(truth) / 50);
  }
}

TEST(StressLedgerTest, ASaturatedGaugeNeverLowersTheCost) {
  StressLedger ledger = measured_ledger(10'000, 1'000, 150 * kUnit);
  for (int i = 0; i < 10; ++i) {
    ledger.report(Stress(1'110'000 + i), at(10.0 * i), true);
  }
  EXPECT_EQ(ledger.learned().cost, Stress(10'000));
}

TEST(StressLedgerTest, DeathTeachesTheCostOfAnUnmeasuredBridge) {
  StressLedger ledger{PlacementOptions{}};
  ledger.restored(50 * kUnit);
  ledger.died(at(10));
  EXPECT_EQ(ledger.learned().cost, Stress(19'000));
  StressLedger known = measured_ledger(10'000, 1'000, 50 * kUnit);
  known.report(Stress(500'000), at(9), true);
  known.died(at(10));
  EXPECT_EQ(known.learned().cost, Stress(10'000));
}

TEST(StressLedgerTest, ABridgeThatNeverReportsNeedsBoundedMemoryAndIsStillCounted) {
  StressLedger ledger{PlacementOptions{}};
  for (int i = 0; i < 5'000; ++i) {
    ledger.joined(460, at(i));
  }
  ledger.check_invariants();
  EXPECT_EQ(ledger.unaccounted(), 5'000 * 460);
  EXPECT_GE(ledger.estimate(at(5'000)), Stress(23'000'000));
}

}  // namespace
}  // namespace bascule::focus
