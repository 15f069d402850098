// Two runs of one history that must decide the same.

#include "tests/unit/focus/properties/run_property.h"

namespace bascule::focus::properties {
namespace {

using std::chrono::hours, std::chrono::milliseconds, std::chrono::seconds;
using H = Happening;

/// What a bridge is, without the instants in it.
struct Shown {
  BridgeState state;
  Stress reported, expected, reserved, cost;
  std::optional<Duration> report_age, quarantine_left;
  std::size_t participants, in_flight;
  Milliunits load, unaccounted;

  friend bool operator==(const Shown&, const Shown&) = default;
};

std::vector<Shown> shown(World& world) {
  std::vector<Shown> all;
  for (const BridgeView& seen : world.placement().bridges(world.now())) {
    Shown one{.state = seen.state,
              .reported = seen.reported,
              .expected = seen.expected,
              .reserved = seen.reserved,
              .cost = seen.cost_per_unit,
              .report_age = seen.report_age,
              .quarantine_left = {},
              .participants = seen.participants,
              .in_flight = seen.in_flight,
              .load = seen.load,
              .unaccounted = seen.unaccounted};
    if (seen.quarantined_until) {
      one.quarantine_left = *seen.quarantined_until - world.now().mono;
    }
    all.push_back(one);
  }
  return all;
}

void check_twins(const Theme& theme, const Variation& variation) {
  std::size_t decisions = 0;
  check_property([&] {
    const History history = *histories(theme);
    Evaluated evaluated;
    World one(history.setup, evaluated);
    World other(history.setup, evaluated, variation);
    for (const Command& command : history.commands) {
      one.apply(command);
      other.apply(command);
      RC_ASSERT(shown(one) == shown(other));
    }
    RC_ASSERT(one.log() == other.log());
    decisions += one.log().size();
  });
  EXPECT_GT(decisions, 100U);
}

TEST(PlacementProperties, Q11_SameSeedAndCallsGiveTheSameDecisions) {
  check_twins(everything(), {});
}

TEST(PlacementProperties, Q12_NeitherAnOffsetNorTheWallClockChangesAnything) {
  check_twins(everything(), {.offset = hours{123'456}, .wall = WallTime{hours{-7}}});
  check_twins(everything(), {.offset = -hours{5}, .wall = WallTime::max()});
}

TEST(PlacementProperties, Q14_AReportThatArrivesAgainChangesNothing) {
  check_twins(mostly({H::kReport, H::kWildReport, H::kReportsAll, H::kBridgeFails}),
              {.repeats_reports = true});
}

// Between a second and an hour without a call: afterwards everything is as if one second had
// passed, and what follows is decided alike.
TEST(PlacementProperties, Q22_APauseOfTheProcessAgesNothing) {
  std::size_t quarantines = 0;
  check_property([&] {
    const History history =
        *histories(mostly({H::kBridgeFails, H::kRestartWanted, H::kMassDrop, H::kReportsAll}));
    const auto gap = seconds{*rc::gen::inRange(6, 3600)};
    Evaluated evaluated;
    World awake(history.setup, evaluated);
    World paused(history.setup, evaluated);
    awake.run(history.commands);
    paused.run(history.commands);
    awake.drain();
    awake.pass_time(seconds{1});
    awake.drain();
    paused.pause(gap);
    // Samples teach nothing for a while after a pause, so none is told.
    for (int i = 0; i < 40; ++i) {
      const std::vector<Shown> expected = shown(awake);
      RC_ASSERT(shown(paused) == expected);
      for (const Shown& one : expected) {
        quarantines += one.quarantine_left ? 1U : 0U;
      }
      for (World* world : {&awake, &paused}) {
        world->pass_time(milliseconds{2'500});
        world->drain();
      }
    }
    RC_ASSERT(awake.log() == paused.log());
  });
  EXPECT_GT(quarantines, 100U);
}

}  // namespace
}  // namespace bascule::focus::properties
