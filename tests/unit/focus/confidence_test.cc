#include "focus/confidence.h"

#include <gtest/gtest.h>

#include "focus/stress_ledger.h"
#include "tests/unit/focus/fleet.h"

namespace bascule::focus {
namespace {

using std::chrono::milliseconds, std::chrono::minutes, std::chrono::seconds;

constexpr Milliunits kUnit = 1000;

std::int64_t of(ReportOrigin origin, Duration age) {
  return confidence_permille(origin, age, seconds{15}, seconds{30});
}
constexpr Instant at(double s) {
  return Instant{Duration(static_cast<std::int64_t>(s * 1e6))};
}
StressLedger ledger_with(Milliunits settled) {
  StressLedger ledger{PlacementOptions{}};
  ledger.set_learned({Stress(10'000), Stress(1'000), 3});
  ledger.restored(settled);
  return ledger;
}

TEST(ConfidenceTest, FallsWithAgeAndNeverRises) {
  for (const auto origin :
       {ReportOrigin::kBrewery, ReportOrigin::kPubsub, ReportOrigin::kPubsubList}) {
    std::int64_t before = kFullConfidence;
    for (Duration age{}; age < minutes{10}; age += milliseconds{100}) {
      const std::int64_t now = of(origin, age);
      EXPECT_LE(now, before);
      before = now;
    }
    EXPECT_EQ(before, kSilenceConfidence);
  }
}

TEST(ConfidenceTest, LevelsEndWhereTheRulesOfTheEstimateDo) {
  EXPECT_EQ(level_of(of(ReportOrigin::kBrewery, seconds{15})), Confidence::kHigh);
  EXPECT_EQ(level_of(of(ReportOrigin::kBrewery, seconds{18})), Confidence::kMedium);
  EXPECT_EQ(level_of(of(ReportOrigin::kBrewery, seconds{30})), Confidence::kMedium);
  EXPECT_EQ(level_of(of(ReportOrigin::kBrewery, seconds{30} + milliseconds{1})), Confidence::kLow);
  EXPECT_EQ(level_of(of(ReportOrigin::kBrewery, minutes{60})), Confidence::kLow);
  EXPECT_EQ(level_of(of(ReportOrigin::kPubsub, seconds{0})), Confidence::kMedium);
  EXPECT_EQ(level_of(of(ReportOrigin::kPubsubList, seconds{0})), Confidence::kMedium);
  EXPECT_EQ(level_of(kRememberedConfidence), Confidence::kNone);
  EXPECT_GT(of(ReportOrigin::kBrewery, seconds{0}), of(ReportOrigin::kPubsub, seconds{0}));
  EXPECT_GT(of(ReportOrigin::kPubsub, seconds{0}), of(ReportOrigin::kPubsubList, seconds{0}));
  EXPECT_GT(of(ReportOrigin::kBrewery, minutes{60}), kRememberedConfidence);
}

TEST(ConfidenceTest, CautionGrowsWhileItFalls) {
  EXPECT_EQ(caution_permille(kFullConfidence, 60), 0);
  EXPECT_EQ(caution_permille(kSecondHandConfidence, 60), 25);
  EXPECT_EQ(caution_permille(kLateConfidence, 60), 50);
  EXPECT_EQ(caution_permille(kSilenceConfidence, 60), 110);
  EXPECT_EQ(caution_permille(0, 60), 110);
  EXPECT_EQ(caution_permille(0, 0), 50);
}

TEST(ConfidenceTest, WithoutAnyReportTheCostDecidesWhetherThereIsSome) {
  StressLedger ledger{PlacementOptions{}};
  EXPECT_EQ(ledger.confidence(at(0)), 0);
  ledger.set_learned({Stress(10'000), Stress(1'000), 3});
  EXPECT_EQ(ledger.confidence(at(0)), kRememberedConfidence);
  ledger.report(Stress(100'000), at(1), true);
  EXPECT_EQ(ledger.confidence(at(1)), kFullConfidence);
  ledger.cleared();
  EXPECT_EQ(ledger.confidence(at(1)), kRememberedConfidence);
}

TEST(ConfidenceTest, SecondHandReportsRaiseTheEstimateAndHardlyLowerIt) {
  StressLedger own = ledger_with(50 * kUnit);
  own.report(Stress(300'000), at(0), false);
  EXPECT_EQ(own.estimate(at(1)), Stress(500'000));  // 50 units at 0.01: the model is the floor.
  StressLedger told = ledger_with(50 * kUnit);
  told.report(Stress(300'000), at(0), false, ReportOrigin::kPubsub);
  EXPECT_EQ(told.estimate(at(1)), Stress(563'750));  // ... with its margin of 0.001, and 2.5 %.
  EXPECT_GT(told.cost_of_more(at(1)), own.cost_of_more(at(1)));
  told.report(Stress(700'000), at(2), false, ReportOrigin::kPubsub);
  EXPECT_EQ(told.estimate(at(3)), Stress(700'000));
  told.report(Stress(300'000), at(4), false);  // The bridge itself.
  EXPECT_EQ(told.estimate(at(5)), Stress(500'000));
}

TEST(ConfidenceTest, FleetIsBlindByWhoTellsNothingAndSeesAgainByFreshReports) {
  Fleet fleet({}, 4, {}, 10'000);
  EXPECT_EQ(fleet.placement.blindness().extent(), Blindness::Extent::kNone);
  EXPECT_EQ(fleet.placement.blindness().working, 4U);
  for (int i = 0; i < 8; ++i) {
    fleet.pass(seconds{5});
    fleet.say(0, 0);
    fleet.say(1, 0);
    fleet.say(2, 0);
  }
  EXPECT_EQ(fleet.placement.blindness().extent(), Blindness::Extent::kPartly);
  fleet.pass(seconds{28});
  EXPECT_EQ(fleet.placement.blindness().extent(), Blindness::Extent::kPartly);
  fleet.pass(seconds{4});
  EXPECT_EQ(fleet.placement.blindness().extent(), Blindness::Extent::kWholly);
  fleet.say(3, 0);
  fleet.pass(seconds{1});
  EXPECT_EQ(fleet.placement.blindness().extent(), Blindness::Extent::kMostly);
  EXPECT_EQ(fleet.placement.mode(), Mode::kBlind);
  fleet.say_all(0);
  fleet.pass(seconds{1});
  EXPECT_EQ(fleet.placement.blindness().extent(), Blindness::Extent::kNone);
}

TEST(ConfidenceTest, ARepeatedReportIsNoNews) {
  Fleet fleet({}, 1, {}, 10'000);
  fleet.say(0, 100'000);
  const stats::BridgeReport same = fleet.report(0);
  for (int i = 0; i < 10; ++i) {
    fleet.pass(seconds{5});
    fleet.placement.report(same, fleet.now());
  }
  EXPECT_EQ(level_of(fleet.placement.bridges(fleet.now()).at(0).confidence_permille),
            Confidence::kLow);
}

TEST(ConfidenceTest, ABridgeThatJustStartedIsNotBlind) {
  Fleet fleet({}, 2, {}, 10'000);
  fleet.report(0).total_participants = 50;
  fleet.say(0, 0);
  fleet.report(0).total_participants = 1;
  fleet.say(0, 0);  // Another process; what it says counts from its next report on.
  fleet.pass(seconds{2});
  EXPECT_LT(fleet.placement.bridges(fleet.now()).at(0).confidence_permille, kLateConfidence);
  EXPECT_EQ(fleet.placement.blindness().extent(), Blindness::Extent::kNone);
}

}  // namespace
}  // namespace bascule::focus
