// Properties that are looked at after every command of a history.

#include "tests/unit/focus/properties/run_property.h"

namespace bascule::focus::properties {
namespace {

TEST(PlacementProperties, I1_I8_BookkeepingSurvivesAnyHistory) {
  check_histories(everything(), "I1", 300);
}

TEST(PlacementProperties, Q01_NobodyIsPutAboveTheLimitOfTheRule) {
  check_histories(mostly({Happening::kJoinMany, Happening::kWildReport, Happening::kFollowMoves}),
                  "Q1");
}

}  // namespace
}  // namespace bascule::focus::properties
