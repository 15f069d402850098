#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/result.h"
#include "focus/operation.h"
#include "focus/restored.h"
#include "focus/tables.h"
#include "stats/load_report.h"
#include "stats/sqlite/directory.h"
#include "stats/sqlite/rebuild.h"
#include "stats/sqlite/report_file.h"
#include "stats/sqlite/state_file.h"
#include "stats/sqlite/store.h"

namespace bascule::stats::sqlite {

/// The disk side of the store: both files, the marks, and what to do when one of them fails. Used
/// by one thread at a time.
///
/// It keeps the tables in memory as well: when a transaction fails, the operations it held exist
/// only here, and the first transaction that succeeds later writes all of them. A file that
/// reported damage or a failed fsync is never written again (the kernel may have dropped the pages
/// it could not write): a new one takes its place.
class Disk {
 public:
  using Turns = std::vector<const std::vector<focus::Operation>*>;

  Disk(const StoreOptions& options, StateDirectory directory);

  void load(focus::Restored& restored, LoadReport& report);

  /// Makes turns durable; remembers them in memory when it cannot.
  Result<> commit(const Turns& turns);
  /// The next commit writes these tables, and then its own operations.
  void replace(focus::Tables tables);
  Result<> write(const std::vector<ReceivedReport>& reports);
  /// So many operations after those committed will never come: the marks say so from now on, and
  /// the next start finds and reports it.
  void admit_loss(std::uint64_t operations);
  /// Snapshots, pruning, retries, marks: call it after each transaction and once per second.
  void upkeep();
  /// True when `upkeep` has something to do now.
  [[nodiscard]] bool has_work() const;
  /// Puts a rebuilt history in the place of the running one, with what was written since it was
  /// copied; returns where the old one was moved. Errors: kConflict when the running one is another
  /// than the one that was copied, kUnavailable when files cannot be written; the running one
  /// stays.
  Result<std::string> take_over(const HistoryCopy& copy);
  /// While held, no report is pruned.
  void hold_pruning(bool hold) { holds_pruning_ = hold; }
  /// Writes `state.db` anew from memory; what had the name is moved aside.
  Result<> renew_state();
  /// Closes the files and marks an orderly stop.
  void close();

  struct Counters {
    std::uint64_t failures = 0;
    std::uint64_t files_replaced = 0;
    std::string last_problem;
  };
  [[nodiscard]] const Counters& counters() const { return counters_; }
  [[nodiscard]] bool state_ok() const { return state_.has_value() && !memory_is_ahead_; }
  [[nodiscard]] bool reports_ok() const { return reports_.has_value() && !reports_failing_; }

 private:
  using SteadyTime = std::chrono::steady_clock::time_point;

  Result<> append_turns(const Turns& turns);
  Result<> settle_state(const SqlResult<>& done);
  void settle_work(const SqlResult<>& done);
  Result<> ensure_writable();
  Result<> open_new_state();
  Result<> open_new_reports();
  void check_files();
  void write_marks(bool clean, bool sync);
  void note_problem(const std::string& problem);

  StoreOptions options_;
  StateFile::Options state_options_;
  ReportFile::Options report_options_;
  StateDirectory directory_;
  focus::Tables tables_;  // Everything committed or at least asked for.
  LogPosition state_tip_;
  LogPosition reports_tip_;
  std::optional<StateFile> state_;
  std::optional<ReportFile> reports_;
  std::optional<ino_t> state_inode_;
  std::optional<ino_t> reports_inode_;
  bool memory_is_ahead_ = false;  // `tables_` holds operations that the file does not.
  bool reports_failing_ = false;
  bool holds_pruning_ = false;
  std::string state_problem_;  // Why the file could not be written the last time.
  std::string reports_problem_;
  SteadyTime retry_state_{};
  SteadyTime retry_reports_{};
  SteadyTime next_upkeep_{};
  SteadyTime next_work_{};
  bool marks_unsynced_ = false;
  std::uint64_t lost_ = 0;  // Operations that were never handed over.
  Counters counters_;
};

}  // namespace bascule::stats::sqlite
