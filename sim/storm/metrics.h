#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/storm/policy.h"
#include "sim/storm/scenario.h"
#include "sim/storm/truth_options.h"

namespace bascule::sim::storm {

/// Stress over the bridges of the fleet at one time, for plots.
struct LoadPoint {
  double time_s = 0;
  double p10 = 0, p50 = 0, p90 = 0, max = 0;
  double waiting = 0;  ///< People.
};

/// What one run came to. Seconds of people are counted from the end of the warm phase.
struct RunResult {
  std::size_t kills = 0;           ///< Deaths by load.
  std::size_t bridges_killed = 0;  ///< Different bridges among them.
  double max_stress = 0;           ///< Of any bridge at any time.
  double over_s_per_user = 0;      ///< Seconds on a bridge above 1, mean.
  /// Seconds without usable media while wanting it, by person, ascending: waiting for a place, or
  /// on a dead bridge, or on one above its maximum.
  std::vector<double> down_s;
  double jain =
      0;  ///< Fairness of the load at the end over bridges that are there; 1: all the same.
  std::size_t splits = 0, moves = 0, unplaced = 0;
  std::size_t poisoned = 0;       ///< Deaths by a conference that kills bridges; not in `kills`.
  std::optional<double> at_home;  ///< Share of the people with a place who are in their region.
  /// Against what a fluid could do; absent where the scenario has no single event.
  std::optional<double> optimum_ratio;
  std::vector<LoadPoint> series;    ///< Only when asked for.
  std::uint64_t arrivals_hash = 0;  ///< Of everything the truth drew for the people.
};

/// Share `q` of 0 to 1; 0 of an empty list. `sorted` ascending.
[[nodiscard]] double quantile(const std::vector<double>& sorted, double q);
[[nodiscard]] double jain_index(const std::vector<double>& values);

/// One line of the result: means over seeds, maxima for `max_stress` and `down_max_s`.
struct Row {
  std::string scenario, policy, fleet;
  std::size_t bridges = 0, seeds = 0;
  double kills = 0, bridges_killed = 0, max_stress = 0, over_s_per_user = 0;
  double down_p50_s = 0, down_p99_s = 0, down_max_s = 0, jain = 0;
  double splits = 0, moves = 0, unplaced = 0;
  std::optional<double> optimum_ratio;

  friend bool operator==(const Row&, const Row&) = default;
};
/// `runs` are the seeds of one scenario and policy; not empty.
[[nodiscard]] Row summarize(const std::vector<RunResult>& runs);

}  // namespace bascule::sim::storm
