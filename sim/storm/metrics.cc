#include "sim/storm/metrics.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace bascule::sim::storm {

double quantile(const std::vector<double>& sorted, double q) {
  if (sorted.empty()) {
    return 0;
  }
  const auto rank = static_cast<std::size_t>(q * static_cast<double>(sorted.size()));
  return sorted[std::min(rank, sorted.size() - 1)];
}

double jain_index(const std::vector<double>& values) {
  double sum = 0;
  double squares = 0;
  for (const double value : values) {
    sum += value;
    squares += value * value;
  }
  return squares > 0 ? sum * sum / (static_cast<double>(values.size()) * squares) : 0;
}

Row summarize(const std::vector<RunResult>& runs) {
  BASCULE_CHECK(!runs.empty());
  Row row{.seeds = runs.size()};
  double ratio = 0;
  bool ratio_known = true;
  for (const RunResult& run : runs) {
    row.kills += static_cast<double>(run.kills);
    row.bridges_killed += static_cast<double>(run.bridges_killed);
    row.max_stress = std::max(row.max_stress, run.max_stress);
    row.over_s_per_user += run.over_s_per_user;
    row.down_p50_s += quantile(run.down_s, 0.5);
    row.down_p99_s += quantile(run.down_s, 0.99);
    row.down_max_s = std::max(row.down_max_s, quantile(run.down_s, 1));
    row.jain += run.jain;
    row.splits += static_cast<double>(run.splits);
    row.moves += static_cast<double>(run.moves);
    row.unplaced += static_cast<double>(run.unplaced);
    ratio_known = ratio_known && run.optimum_ratio.has_value();
    ratio += run.optimum_ratio.value_or(0);
  }
  const auto seeds = static_cast<double>(runs.size());
  for (double* mean : {&row.kills, &row.bridges_killed, &row.over_s_per_user, &row.down_p50_s,
                       &row.down_p99_s, &row.jain, &row.splits, &row.moves, &row.unplaced}) {
    *mean /= seeds;
  }
  if (ratio_known) {
    row.optimum_ratio = ratio / seeds;
  }
  return row;
}

}  // namespace bascule::sim::storm
