#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "focus/tables.h"
#include "stats/batch.h"
#include "stats/load_report.h"
#include "tests/torture/writer.h"

namespace bascule::torture {

/// What a writer did, as far as it told.
struct Told {
  std::uint64_t last_turn = 0;         ///< Acknowledged.
  std::uint64_t last_answered = 0;     ///< Acknowledged or refused; a refused one may be kept.
  std::vector<std::uint64_t> batches;  ///< Acknowledged.
};

/// Knows everything that writers may have stored in one state directory and compares.
class StoreOracle {
 public:
  explicit StoreOracle(std::string directory);

  /// Opens the store as the daemon does after a crash and reads the history behind its back.
  /// Returns what is wrong; empty: no acknowledged record is missing (unless the store says itself
  /// that it lost some), and everything it serves was written by a writer.
  std::string check(const Told& told);

  /// What the store said when it was opened last.
  [[nodiscard]] const std::vector<stats::Finding>& findings() const { return findings_; }
  [[nodiscard]] std::uint64_t turns() const { return turns_; }
  [[nodiscard]] std::uint64_t next_report() const { return next_report_; }
  /// Records compared so far.
  [[nodiscard]] std::uint64_t reports_compared() const { return reports_compared_; }

 private:
  std::string check_state(const focus::Tables& tables, const Told& told);
  std::string check_latest(const std::vector<stats::ReceivedReport>& reports);
  std::string check_history(const Told& told);

  std::string directory_;
  focus::Tables expected_;
  std::uint64_t turns_ = 0;
  std::uint64_t next_report_ = 1;
  std::uint64_t reports_compared_ = 0;
  std::vector<stats::Finding> findings_;
};

}  // namespace bascule::torture
