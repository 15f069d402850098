// Properties that are looked at after every command of a history; see checks.cc. Every test makes
// all the checks and has histories in which its own can fail.

#include "tests/unit/focus/properties/run_property.h"

namespace bascule::focus::properties {
namespace {

using H = Happening;

TEST(PlacementProperties, I1_I8_BookkeepingSurvivesAnyHistory) {
  check_histories(everything(), "I1", 200);
}

TEST(PlacementProperties, Q01_NobodyIsPutAboveTheLimitOfTheRule) {
  check_histories(mostly({H::kJoinMany, H::kWildReport, H::kFollowMoves, H::kRest}), "Q1");
}

TEST(PlacementProperties, Q02_EveryBridgeIsPaced) {
  check_histories(mostly({H::kJoinMany, H::kConferenceEnds, H::kConfirmAll, H::kPause}), "Q2");
}

TEST(PlacementProperties, Q03_APlacementRaisesTheEstimate) {
  Theme theme = mostly({H::kWildReport, H::kReinvite, H::kLeaves, H::kServiceUp});
  theme.single_decisions = true;
  check_histories(theme, "Q3");
}

TEST(PlacementProperties, Q06_WhoeverWaitsForCapacityFitsNowhere) {
  Theme theme = mostly({H::kJoinMany, H::kWildReport, H::kReinvite, H::kBridgeFails});
  theme.strategies = false;
  check_histories(theme, "Q6", 150);
}

TEST(PlacementProperties, Q07_NobodyOvertakesInsideARoomAndClass) {
  check_histories(
      mostly({H::kJoinMany, H::kReinvite, H::kMove, H::kCancel, H::kAllocationFails, H::kLeaves}),
      "Q7");
}

TEST(PlacementProperties, Q13_ASilentBridgeIsFilledByOurOwnCountOnly) {
  Theme theme = mostly({H::kJoinMany, H::kRest, H::kConfirmAll, H::kLeaves});
  std::erase_if(theme.weights, [](const auto& weight) { return weight.second == H::kReportsAll; });
  theme.single_decisions = true;
  check_histories(theme, "Q13");
}

TEST(PlacementProperties, Q15_AFailureLeavesNothingBehindAndIsFollowedByQuarantine) {
  check_histories(mostly({H::kBridgeFails, H::kBridgeRestarts, H::kRestartWanted, H::kBridgeLeaves,
                          H::kReportsAll}),
                  "Q15");
}

TEST(PlacementProperties, Q16_AFlappingBridgeIsLeftAloneForTenMinutes) {
  check_histories(mostly({H::kBridgeFails, H::kReportsAll, H::kRest}), "Q16");
}

TEST(PlacementProperties, Q20_WhoLeavesFreesEverythingAndStaleTicketsAreNeverServed) {
  check_histories(
      mostly({H::kCancel, H::kReinvite, H::kMove, H::kLeaves, H::kConferenceEnds, H::kMassDrop}),
      "Q20", 100, [](World& world) {
        world.everybody_leaves();
        world.check_state();
        // Plans for those who come back end, too.
        for (int i = 0; i < 50; ++i) {
          world.pass_time(std::chrono::milliseconds{2'000});
          world.drain();
        }
        world.check_state();
        RC_ASSERT(world.placement().queued() == 0U);
        for (const BridgeView& seen : world.placement().bridges(world.now())) {
          RC_ASSERT(seen.load == seen.foreign);
          RC_ASSERT(seen.reserved == Stress());
          RC_ASSERT(seen.conferences == 0U);
        }
      });
}

TEST(PlacementProperties, Q21_PlansOfOnePassStayWithinTheLimit) {
  Theme theme = mostly({H::kJoinMany, H::kBridgeFails, H::kWildReport, H::kReportsAll});
  theme.strategies = false;
  check_histories(theme, "Q21");
}

TEST(PlacementProperties, Q24_ADrainingBridgeGetsNoNewConference) {
  check_histories(mostly({H::kCordon, H::kWildReport, H::kFollowMoves, H::kMove}), "Q24");
}

}  // namespace
}  // namespace bascule::focus::properties
