#include "stats/sqlite/disk.h"

#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include <sys/stat.h>

#include "stats/sqlite/loader.h"

namespace bascule::stats::sqlite {
namespace {

constexpr std::chrono::seconds kUpkeepInterval{1};

std::uint64_t wall_ms() {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count());
}

std::string read_boot_id() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string boot_id;
  std::getline(file, boot_id);
  return boot_id;
}

std::optional<ino_t> inode_of(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 ? std::optional<ino_t>(status.st_ino) : std::nullopt;
}

}  // namespace

Disk::Disk(const StoreOptions& options, StateDirectory directory)
    : options_(options),
      state_options_{.pages_max = options.pages_max, .snapshot_every = options.snapshot_every},
      report_options_{.pages_max = options.pages_max,
                      .rows_max = options.reports_max,
                      .age_max_ms = static_cast<std::uint64_t>(options.reports_age_max /
                                                               std::chrono::milliseconds(1)),
                      .minutes = {.rows_max = options.minutes_max}},
      directory_(std::move(directory)) {
}

void Disk::load(focus::Restored& restored, LoadReport& report) {
  const auto head = directory_.read_head();
  report.clean = head && head->clean;
  if (directory_.marks_damaged()) {
    report.findings.push_back(marks_finding());
  }
  LoadedState state = load_state(directory_, head, state_options_, report);
  LoadedReports reports = load_reports(directory_, head, report_options_, report);
  report.operations = state.content.operations;
  report.reports = reports.content.rows;
  state_ = std::move(state.file);
  reports_ = std::move(reports.file);
  state_problem_ = state.problem;
  reports_problem_ = reports.problem;
  tables_ = std::move(state.content.tables);
  state_tip_ = state.content.tip;
  reports_tip_ = reports.content.tip;

  const std::string boot_id = options_.boot_id.empty() ? read_boot_id() : options_.boot_id;
  restored.same_boot = !boot_id.empty() && tables_.boot_id == boot_id;
  if (state_tip_.seq > 0) {
    restored.last_commit = wall_time_of(state_tip_);
  }
  const std::vector<focus::Operation> started{focus::op::Started{.boot_id = boot_id}};
  tables_.apply(started.front());
  if (!append_turns({&started}) && !state_) {
    // The first transaction is the proof that the file can be written. What failed it is noted.
    retry_state_ = {};
    if (auto again = append_turns({&started}); !again) {
      note_problem(again.error().what);
    }
  }
  restored.tables = tables_;
  for (auto& [bridge, received] : reports.content.latest) {
    if (!restored.same_boot) {
      received.received = Instant{};
    }
    restored.reports.push_back(std::move(received));
  }
  state_inode_ = inode_of(directory_.file(kStateFileName));
  reports_inode_ = inode_of(directory_.file(kStatsFileName));
  if (!reports_) {
    note_problem(reports_problem_);
  }
  write_marks(/*clean=*/false, /*sync=*/true);
}

// ---- state.db ----------------------------------------------------------------------------------

Result<> Disk::commit(const Turns& turns) {
  for (const auto* turn : turns) {
    for (const focus::Operation& operation : *turn) {
      tables_.apply(operation);
    }
  }
  return append_turns(turns);
}

/// As after a failure: memory has what the file has not.
void Disk::replace(focus::Tables tables) {
  tables_ = std::move(tables);
  memory_is_ahead_ = true;
  retry_state_ = {};
}

/// `tables_` holds the turns already.
Result<> Disk::append_turns(const Turns& turns) {
  const auto now = std::chrono::steady_clock::now();
  if (!state_ || memory_is_ahead_) {
    memory_is_ahead_ = true;
    if (now < retry_state_) {
      return fail(Errc::kUnavailable, state_problem_);
    }
    retry_state_ = now + options_.retry_after;
  }
  Result<> opened;
  if (!state_) {
    opened = open_new_state();
  } else if (memory_is_ahead_) {
    opened = settle_state(state_->rewrite(tables_));
  }
  if (!opened) {
    return opened;
  }
  // Also after a rewrite: the sequence must grow with every answer, or an older file would pass for
  // this one at the next start. Operations are idempotent.
  Result<> appended = settle_state(state_->append(turns, wall_ms()));
  if (appended) {
    memory_is_ahead_ = false;
    state_tip_ = state_->tip();
    state_->plan_snapshot(tables_);
    write_marks(/*clean=*/false, /*sync=*/false);
  }
  return appended;
}

Result<> Disk::settle_state(const SqlResult<>& done) {
  if (done) {
    return {};
  }
  memory_is_ahead_ = true;
  retry_state_ = std::chrono::steady_clock::now() + options_.retry_after;
  state_problem_ = done.error().what;
  note_problem(state_problem_);
  if (done.error().is_damage()) {
    state_.reset();  // After a failed fsync the same file is never trusted again.
  }
  return fail(Errc::kUnavailable, state_problem_);
}

Result<> Disk::open_new_state() {
  if (auto writable = ensure_writable(); !writable) {
    state_problem_ = writable.error().what;
    return writable;
  }
  std::vector<std::string> moved_to;
  auto file = replace_state(directory_, state_options_, tables_, state_tip_, "untrusted", moved_to);
  if (!file) {
    state_problem_ = file.error().what;
    note_problem(state_problem_);
    return tl::make_unexpected(file.error());
  }
  state_.emplace(std::move(*file));
  state_inode_ = inode_of(directory_.file(kStateFileName));
  ++counters_.files_replaced;
  return {};
}

Result<> Disk::ensure_writable() {
  std::error_code error;
  if (directory_.is_writable() && std::filesystem::is_directory(options_.directory, error)) {
    return {};
  }
  auto again = StateDirectory::open(options_.directory);
  if (!again || !again->is_writable()) {
    return fail(Errc::kUnavailable,
                again ? "the state directory is read-only" : again.error().what);
  }
  static_cast<void>(again->read_head());  // Continues the count of marks.
  directory_ = std::move(*again);
  return {};
}

void Disk::admit_loss(std::uint64_t operations) {
  lost_ = operations;
  write_marks(/*clean=*/false, /*sync=*/true);
}

// ---- stats.db ----------------------------------------------------------------------------------

Result<> Disk::write(const std::vector<ReceivedReport>& reports) {
  Result<> outcome = reports_ ? Result<>{} : open_new_reports();
  if (outcome) {
    if (const auto done = reports_->append(reports, wall_ms()); !done) {
      reports_problem_ = done.error().what;
      note_problem(reports_problem_);
      outcome = fail(Errc::kUnavailable, reports_problem_);
      if (done.error().is_damage()) {
        reports_.reset();
        retry_reports_ = std::chrono::steady_clock::now() + options_.retry_after;
      }
    }
  }
  if (outcome) {
    reports_tip_ = reports_->tip();
    write_marks(/*clean=*/false, /*sync=*/false);
  }
  reports_failing_ = !outcome;
  return outcome;
}

Result<> Disk::open_new_reports() {
  const auto now = std::chrono::steady_clock::now();
  if (now < retry_reports_) {
    return fail(Errc::kUnavailable, reports_problem_);
  }
  retry_reports_ = now + options_.retry_after;
  if (auto writable = ensure_writable(); !writable) {
    reports_problem_ = writable.error().what;
    return writable;
  }
  ReportContent content{.tip = reports_tip_};
  std::vector<std::string> moved_to;
  auto file = replace_reports(directory_, report_options_, content, /*salvage=*/true, "untrusted",
                              moved_to);
  if (!file) {
    reports_problem_ = file.error().what;
    note_problem(reports_problem_);
    return tl::make_unexpected(file.error());
  }
  reports_.emplace(std::move(*file));
  reports_inode_ = inode_of(directory_.file(kStatsFileName));
  ++counters_.files_replaced;
  return {};
}

// ---- between transactions ----------------------------------------------------------------------

bool Disk::has_work() const {
  return std::chrono::steady_clock::now() >= next_work_ &&
         ((state_ && state_->has_work()) || (reports_ && reports_->has_work() && !holds_pruning_));
}

void Disk::close() {
  state_.reset();  // Closing ends the write-ahead logs; the mark comes after.
  reports_.reset();
  write_marks(/*clean=*/!memory_is_ahead_, /*sync=*/true);
}

void Disk::upkeep() {
  const auto now = std::chrono::steady_clock::now();
  if (has_work()) {
    if (state_) {
      settle_work(state_->work());
    }
    if (reports_ && !holds_pruning_) {
      settle_work(reports_->work(wall_ms()));
    }
  }
  if (now < next_upkeep_) {
    return;
  }
  next_upkeep_ = now + kUpkeepInterval;
  check_files();
  if (memory_is_ahead_) {
    const std::vector<focus::Operation> note{focus::op::Note{"operations were kept in memory"}};
    append_turns({&note});  // A failure is noted where it happens and tried again later.
  }
  if (marks_unsynced_) {
    write_marks(/*clean=*/false, /*sync=*/true);
  }
}

/// Somebody deleted or replaced a file under us: what is written now would be lost with it.
void Disk::check_files() {
  if (state_ && inode_of(directory_.file(kStateFileName)) != state_inode_) {
    state_problem_ = "state.db was deleted or replaced";
    note_problem(state_problem_);
    state_.reset();
    memory_is_ahead_ = true;
    retry_state_ = {};
  }
  if (reports_ && inode_of(directory_.file(kStatsFileName)) != reports_inode_) {
    reports_problem_ = "stats.db was deleted or replaced";
    note_problem(reports_problem_);
    reports_.reset();
    retry_reports_ = {};
  }
}

void Disk::settle_work(const SqlResult<>& done) {
  if (!done) {
    next_work_ = std::chrono::steady_clock::now() + options_.retry_after;
    note_problem(done.error().what);
  }
}

void Disk::write_marks(bool clean, bool sync) {
  if (!directory_.is_writable()) {
    return;
  }
  Head head{.clean = clean, .state = state_tip_, .stats = reports_tip_};
  head.state.seq += lost_;
  marks_unsynced_ = !sync;
  if (auto written = directory_.write_head(head, sync); !written) {
    note_problem(written.error().what);
  }
}

void Disk::note_problem(const std::string& problem) {
  counters_.last_problem = problem;
  ++counters_.failures;
}

}  // namespace bascule::stats::sqlite
