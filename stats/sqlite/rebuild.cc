#include "stats/sqlite/rebuild.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include <sys/stat.h>

#include "stats/sqlite/directory.h"
#include "stats/sqlite/loader.h"
#include "stats/sqlite/maintenance.h"
#include "stats/sqlite/report_file.h"

namespace bascule::stats::sqlite {
namespace {

namespace fs = std::filesystem;

// One transaction each: small enough for a modest write-ahead log, large enough for few syncs.
constexpr std::uint64_t kRowsPerSlice = 10'000;

void remove_database(const std::string& path) {
  std::error_code error;
  for (const char* suffix : {"", "-wal", "-shm"}) {
    fs::remove(path + suffix, error);
  }
}

/// Numbers are never used twice: a copy goes on counting above every one that was.
std::uint64_t highest_number(const std::string& directory, const RowRange& rows) {
  const Marks marks = read_marks(directory);
  return std::max(marks.newest ? marks.newest->stats.seq : 0, rows.guessed ? 0 : rows.last);
}

/// Copies slice by slice until it has caught up with the writer.
SqlResult<> copy_rows(Database& source, ReportFile& fresh, HistoryCopy& copy,
                      RebuildProgress& progress) {
  ReportContent content;
  RowRange rows = stored_rows(source);
  std::uint64_t next = rows.first;
  while (next <= rows.last) {
    const RowRange slice{
        .first = next,
        .last = rows.guessed ? rows.last : std::min(next + kRowsPerSlice - 1, rows.last)};
    const std::uint64_t kept_before = content.rows;
    if (auto salvaged = fresh.salvage(source, slice, content); !salvaged) {
      return salvaged;
    }
    // Where the end is a guess nobody can tell what is missing.
    copy.expected += rows.guessed ? content.rows - kept_before : slice.size();
    rows = stored_rows(source);
    copy.kept = content.rows;
    copy.copied_up_to = slice.last;
    next = slice.last + 1;
    progress.rows_kept = content.rows;
    progress.rows_read = copy.expected;
    progress.rows_expected = copy.expected + RowRange{.first = next, .last = rows.last}.size();
  }
  return is_interrupted() ? SqlResult<>(tl::make_unexpected(SqlError{0, "interrupted"}))
                          : SqlResult<>{};
}

Result<HistoryCopy> copy_history(const std::string& directory, RebuildProgress& progress) {
  const std::string original = directory + "/" + kStatsFileName;
  HistoryCopy copy{.path = original + kRebuildSuffix};
  remove_database(copy.path);  // Of a rebuild that was interrupted.
  struct stat status {};
  auto source = Database::open(original, OpenMode::kReadOnly);
  if (!source || stat(original.c_str(), &status) != 0) {
    return fail(Errc::kUnavailable,
                "cannot read " + original + (source ? "" : ": " + source.error().what));
  }
  copy.original = status.st_ino;
  const LogPosition start{.seq = highest_number(directory, stored_rows(*source)) + 1,
                          .hash = random_digest()};
  auto fresh = ReportFile::create(copy.path, {}, start);
  if (!fresh) {
    return tl::make_unexpected(to_error(fresh.error()));
  }
  auto copied = fresh->copy_minutes(*source);
  if (copied) {
    copied = copy_rows(*source, *fresh, copy, progress);
  }
  if (!copied) {
    remove_database(copy.path);
    return tl::make_unexpected(to_error(copied.error()));
  }
  copy.floor = start;
  copy.tip = fresh->tip();
  return copy;
}

/// What a copy would hold.
Result<> count_history(const std::string& directory, Rebuilt& rebuilt, RebuildProgress& progress) {
  auto source = Database::open(directory + "/" + kStatsFileName, OpenMode::kReadOnly);
  if (!source) {
    return tl::make_unexpected(to_error(source.error()));
  }
  const RowRange rows = stored_rows(*source);
  rebuilt.rows_kept = count_sound(*source, rows);
  rebuilt.rows_expected = rows.guessed ? rebuilt.rows_kept : rows.size();
  progress.rows_expected = progress.rows_read = rebuilt.rows_expected;
  progress.rows_kept = rebuilt.rows_kept;
  return {};
}

const FileCheck& file_named(const DirectoryCheck& check, std::string_view name) {
  return *std::find_if(check.files.begin(), check.files.end(),
                       [&](const FileCheck& file) { return file.name == name; });
}

bool is_unreadable(const FileCheck& file) {
  return std::any_of(file.findings.begin(), file.findings.end(), [](const Finding& finding) {
    return finding.damage == Damage::kMissing || finding.damage == Damage::kForeign ||
           finding.damage == Damage::kTooNew || finding.damage == Damage::kUnreadable;
  });
}

Result<> replace_history(const std::string& directory, const RebuildTarget& target,
                         Rebuilt& rebuilt, RebuildProgress& progress) {
  // What is pruned meanwhile would be in the copy as a report and in a sum as well.
  target.hold_pruning(true);
  auto copy = copy_history(directory, progress);
  auto moved =
      copy ? target.take_history(*copy) : Result<std::string>(tl::make_unexpected(copy.error()));
  target.hold_pruning(false);
  if (!copy) {
    return tl::make_unexpected(copy.error());
  }
  remove_database(copy->path);  // Gone already when it was taken.
  if (!moved) {
    return tl::make_unexpected(moved.error());
  }
  rebuilt.rows_expected = copy->expected;
  rebuilt.rows_kept = copy->kept;
  rebuilt.history_replaced = true;
  rebuilt.moved_to.push_back(*std::move(moved));
  return {};
}

RebuildTarget target_without_store(StateDirectory& directory) {
  return {.hold_pruning = [](bool) {},
          .take_history = [&directory](const HistoryCopy& copy) -> Result<std::string> {
            std::vector<std::string> moved_to;
            std::error_code error;
            fs::rename(copy.path, directory.file(kStatsFileName) + ".new", error);
            if (error) {
              return fail(Errc::kUnavailable,
                          "cannot rename " + copy.path + ": " + error.message());
            }
            return take_name(directory, kStatsFileName, "rebuilt", moved_to).map([&] {
              return moved_to.front();
            });
          },
          .renew_state =
              [] {
                // It was read and repaired a moment ago.
                return Result<>(fail(Errc::kUnavailable, "state.db is damaged again"));
              }};
}

Result<> check_result(const std::string& directory) {
  const auto check = check_directory(directory);
  if (!check) {
    return tl::make_unexpected(check.error());
  }
  for (const FileCheck& file : check->files) {
    if (!file.findings.empty()) {
      return fail(Errc::kCorrupt, "still damaged: " + to_text(file.findings.front()));
    }
  }
  return {};
}

}  // namespace

Result<Rebuilt> rebuild(const std::string& directory, const RebuildOptions& options,
                        const RebuildTarget& target, RebuildProgress& progress) {
  auto check = check_directory(directory);
  if (!check) {
    return tl::make_unexpected(check.error());
  }
  if (is_interrupted()) {
    return fail(Errc::kUnavailable, "interrupted");
  }
  Rebuilt rebuilt;
  for (const FileCheck& file : check->files) {
    rebuilt.findings.insert(rebuilt.findings.end(), file.findings.begin(), file.findings.end());
  }
  const FileCheck& history = file_named(*check, kStatsFileName);
  const bool state_damaged = !file_named(*check, kStateFileName).findings.empty();
  const bool replaces_history = options.force || !history.findings.empty();
  Result<> done;
  if (is_unreadable(history)) {
    // There is nothing to salvage; a running store makes a new file by itself.
    done =
        options.dry_run ? Result<>{} : fail(Errc::kUnavailable, to_text(history.findings.front()));
  } else if (options.dry_run || !replaces_history) {
    done = count_history(directory, rebuilt, progress);
  } else {
    done = replace_history(directory, target, rebuilt, progress);
  }
  if (done && state_damaged && !options.dry_run) {
    done = target.renew_state();
    rebuilt.state_replaced = done.has_value();
  }
  if (done && (rebuilt.history_replaced || rebuilt.state_replaced)) {
    done = check_result(directory);
  }
  if (!done) {
    return tl::make_unexpected(done.error());
  }
  return rebuilt;
}

Result<Rebuilt> rebuild_stopped(const std::string& directory, const RebuildOptions& options,
                                RebuildProgress& progress) {
  auto opened = StateDirectory::open(directory);
  if (!opened) {
    return tl::make_unexpected(opened.error());
  }
  if (options.dry_run) {
    return rebuild(directory, options, {}, progress);
  }
  if (!opened->is_writable()) {
    return fail(Errc::kUnavailable, directory + " cannot be written");
  }
  // A start repairs `state.db`, and a history of which nothing can be read.
  const auto head = opened->read_head();
  LoadReport report;
  const LoadedState state = load_state(*opened, head, {}, report);
  const auto mark = [&](const LogPosition& history) -> Result<> {
    if (!state.file) {
      return fail(Errc::kUnavailable, state.problem);
    }
    return opened->write_heads({.clean = true, .state = state.file->tip(), .stats = history});
  };
  if (auto marked = mark(head ? head->stats : LogPosition{}); !marked) {
    return tl::make_unexpected(marked.error());
  }
  if (const auto check = check_directory(directory);
      check && is_unreadable(file_named(*check, kStatsFileName))) {
    load_reports(*opened, head, {}, report);  // A failure shows below, and is said there.
  }
  auto rebuilt = rebuild(directory, options, target_without_store(*opened), progress);
  if (!rebuilt) {
    return rebuilt;
  }
  rebuilt->findings.insert(rebuilt->findings.begin(), report.findings.begin(),
                           report.findings.end());
  rebuilt->moved_to.insert(rebuilt->moved_to.begin(), report.moved_to.begin(),
                           report.moved_to.end());
  LoadReport again;
  const LoadedReports reports = load_reports(*opened, head, {}, again);
  if (!reports.file) {
    return fail(Errc::kUnavailable, reports.problem);
  }
  if (auto marked = mark(reports.file->tip()); !marked) {
    return tl::make_unexpected(marked.error());
  }
  return rebuilt;
}

}  // namespace bascule::stats::sqlite
