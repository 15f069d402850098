#include "sim/storm/thresholds.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <limits>
#include <string_view>

namespace bascule::sim::storm {
namespace {

constexpr double kAny = std::numeric_limits<double>::infinity();

struct Threshold {
  std::string_view scenario;
  double kills = 0, max_stress = 0, down_p50_s = 0, down_p99_s = 0;
  double splits = kAny, moves = kAny, over_s_per_user = kAny;
};

constexpr std::array<Threshold, 23> kRelay = {{
    {"S1", 0, 1.05, 0, 1, 450},
    {"S2", 0, 1.05, 0, 3},
    {"S7", 0, 1.05, 0, 3},
    {"S2n", 0, 1.10, 0, 3, 200},
    {"S2c", 1, 1.25, 12, 80},
    {"S3", 0, 1.10, 0, 3},
    {"S5", 0, 1.10, 0, 3},
    {"S5s", 0, 1.10, 0, 3},
    {"S4", 0, 1.12, 0, 3, kAny, 300},
    {"S4x", 1, 1.25, 0, 100, kAny, kAny, 10},
    {"S6", 0, 1.10, 0, 1},
    {"S8", 0, 1.10, 3, 15},
    {"S8n", 0, 1.20, 4, 45},
    {"S10", 0, 1.05, 0, 1},
    {"X1", 0, 1.10, 0, 15},
    {"X2", 0, 1.05, 15, 25},
    {"X3", 0, 1.12, 0, 80},
    {"X4", 0, 1.10, 0, 3},
    {"X5", 0, 1.10, 0, 3},
    {"X6", 0, 1.10, 0, 1},
    {"X7", 0, 1.05, 0, 3},
    {"X8", 0, 1.10, 0, 60},
    {"X9", 1, 1.50, 16, 80},
}};
constexpr std::array<Threshold, 7> kSingle = {{
    {"S1", 0, 1.15, 3, 30},
    {"S2", 0, 1.15, 3, 30},
    {"S3", 0, 1.15, 3, 30},
    {"S5", 0, 1.15, 3, 30},
    {"S7", 0, 1.15, 3, 30},
    {"S8", 0, 1.15, 3, 30},
    {"S4", 0, kAny, kAny, 65},
}};

/// A mixed fleet has bridges whose capacity has to be learned first.
Threshold for_fleet(Threshold threshold, const Row& row) {
  if (row.fleet == "mixed") {
    threshold.max_stress = std::max(threshold.max_stress, 1.25);
    threshold.down_p99_s += 20;
  }
  return threshold;
}

void compare(const Row& row, std::string_view what, double value, double limit,
             std::vector<std::string>& out) {
  // Waits are counted in steps of 0.1 s and end with one: what is given as 0 is at most one step.
  constexpr double kOneStep = 0.1;
  const bool is_wait = what.substr(0, 4) == "down";
  if (value > limit + (is_wait ? kOneStep : 0) + 1e-9) {
    std::array<char, 160> text{};
    std::snprintf(text.data(), text.size(), "%s %s (%s fleet): %.*s is %.2f, allowed %.2f",
                  row.scenario.c_str(), row.policy.c_str(), row.fleet.c_str(),
                  static_cast<int>(what.size()), what.data(), value, limit);
    out.emplace_back(text.data());
  }
}

template <class Table>
void check(const Row& row, const Table& table, std::vector<std::string>& out) {
  const auto found = std::find_if(table.begin(), table.end(), [&](const Threshold& threshold) {
    return threshold.scenario == row.scenario;
  });
  if (found == table.end()) {
    return;
  }
  const Threshold limit = for_fleet(*found, row);
  compare(row, "kills", row.kills, limit.kills, out);
  compare(row, "max_stress", row.max_stress, limit.max_stress, out);
  compare(row, "down_p50_s", row.down_p50_s, limit.down_p50_s, out);
  compare(row, "down_p99_s", row.down_p99_s, limit.down_p99_s, out);
  compare(row, "splits", row.splits, limit.splits, out);
  compare(row, "moves", row.moves, limit.moves, out);
  compare(row, "over_s_per_user", row.over_s_per_user, limit.over_s_per_user, out);
}

}  // namespace

std::vector<std::string> exceeded(const std::vector<Row>& rows) {
  std::vector<std::string> problems;
  for (const Row& row : rows) {
    if (row.policy == "bascule-relay") {
      check(row, kRelay, problems);
    } else if (row.policy == "bascule") {
      check(row, kSingle, problems);
    }
  }
  return problems;
}

}  // namespace bascule::sim::storm
