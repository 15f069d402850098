#include "sim/storm/jicofo_selection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bascule::sim::storm {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::Eq;
using ::testing::Optional;

Instant at(Duration time) {
  return Instant{time};
}

JicofoSelection three_bridges(const JicofoOptions& options) {
  JicofoSelection selection(options, 3);
  for (JicofoSelection::Index bridge = 0; bridge < 3; ++bridge) {
    selection.add(bridge);
  }
  return selection;
}

TEST(JicofoSelection, AddsRecentParticipantsForTwentySeconds) {
  auto selection = three_bridges({});
  selection.reported(1, 0.3);
  selection.endpoint_added(1, at(milliseconds{50}));
  selection.endpoint_added(1, at(seconds{5}));
  EXPECT_DOUBLE_EQ(selection.corrected_stress(1, at(seconds{6})), 0.32);
  EXPECT_DOUBLE_EQ(selection.corrected_stress(1, at(seconds{20})), 0.31);
  EXPECT_DOUBLE_EQ(selection.corrected_stress(1, at(seconds{25})), 0.30);
}

TEST(JicofoSelection, SingleStrategyTakesTheLeastLoadedHoweverFullAndStaysThere) {
  auto selection = three_bridges({});
  selection.reported(0, 1.5);
  selection.reported(1, 1.2);
  selection.reported(2, 1.3);
  EXPECT_THAT(selection.select({}, at({})), Optional(Eq(1U)));
  EXPECT_THAT(selection.select({{.bridge = 0, .participants = 200}}, at({})), Optional(Eq(0U)));
  EXPECT_EQ(selection.select({{.bridge = 0}, {.bridge = 1}}, at({})), std::nullopt);
  selection.remove(0);
  EXPECT_EQ(selection.select({{.bridge = 0}}, at({})), std::nullopt);
}

TEST(JicofoSelection, RegionStrategyPrefersTheBridgesOfTheConferenceThenOthersThenAnything) {
  auto selection = three_bridges({.relays = true, .max_per_minute = 30});
  selection.reported(0, 0.5);
  selection.reported(1, 0.2);
  selection.reported(2, 0.1);
  EXPECT_THAT(selection.select({{.bridge = 0, .participants = 10}}, at({})), Optional(Eq(0U)));
  EXPECT_THAT(selection.select({{.bridge = 0, .participants = 80}}, at({})), Optional(Eq(2U)));
  EXPECT_THAT(
      selection.select({{.bridge = 0, .participants = 40, .added_last_minute = 30}}, at({})),
      Optional(Eq(2U)));
  selection.reported(0, 0.8);
  EXPECT_THAT(selection.select({{.bridge = 0, .participants = 10}}, at({})), Optional(Eq(2U)));
  selection.reported(1, 0.9);
  selection.reported(2, 0.85);
  EXPECT_THAT(selection.select({{.bridge = 1, .participants = 10}}, at({})), Optional(Eq(1U)));
  EXPECT_THAT(selection.select({{.bridge = 1, .participants = 80}}, at({})), Optional(Eq(0U)));
}

TEST(JicofoSelection, ABridgeThatComesBackIsANewOne) {
  auto selection = three_bridges({});
  selection.reported(2, 0.9);
  selection.endpoint_added(2, at({}));
  selection.remove(2);
  EXPECT_FALSE(selection.known(2));
  selection.add(2);
  EXPECT_DOUBLE_EQ(selection.corrected_stress(2, at(seconds{1})), 0);
}

}  // namespace
}  // namespace bascule::sim::storm
