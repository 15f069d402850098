#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/result.h"
#include "stats/load_report.h"
#include "stats/sqlite/state_reader.h"

namespace bascule::stats::sqlite {

// Making a state directory sound again while it is used. Every sound record goes into a new file
// beside the damaged one; only when it is complete does it take the name, and the damaged one goes
// to `quarantine/`. A process that ends at any moment leaves either file whole under the name.

struct RebuildOptions {
  bool dry_run = false;  ///< Says what would be kept and dropped, and changes nothing.
  bool force = false;    ///< Writes the history anew although nothing is wrong with it.
};

/// How far it is; other threads may read it. Rows are those of the history.
struct RebuildProgress {
  std::atomic<std::uint64_t> rows_expected{0};
  std::atomic<std::uint64_t> rows_read{0};  ///< Of the expected ones: looked at.
  std::atomic<std::uint64_t> rows_kept{0};
};

/// A new history, complete but for the rows above `copied_up_to` that are written meanwhile.
struct HistoryCopy {
  std::string path;
  ino_t original = 0;  ///< The file it was made of.
  std::uint64_t copied_up_to = 0;
  LogPosition floor;  ///< Of the copy.
  LogPosition tip;
  std::uint64_t expected = 0;  ///< Rows the original should have held.
  std::uint64_t kept = 0;
};

/// What a rebuild found and did.
struct Rebuilt {
  std::vector<Finding> findings;  ///< Of the verification it began with; empty: all was sound.
  std::uint64_t rows_expected = 0;
  std::uint64_t rows_kept = 0;
  bool history_replaced = false;
  bool state_replaced = false;
  std::vector<std::string> moved_to;  ///< Where what was replaced lies.
  [[nodiscard]] std::uint64_t rows_dropped() const {
    return rows_expected > rows_kept ? rows_expected - rows_kept : 0;
  }
};

/// What uses the directory, and is told to go on with the new files.
struct RebuildTarget {
  /// While held, reports are not pruned.
  std::function<void(bool hold)> hold_pruning;
  /// Returns where the old history was moved.
  std::function<Result<std::string>(const HistoryCopy&)> take_history;
  std::function<Result<>()> renew_state;
};

/// Verifies both files, and replaces those that are damaged. Runs beside the store; blocks the
/// caller. Errors: kUnavailable when files cannot be read or written, kConflict when the store
/// replaced the history itself meanwhile (try again), kCorrupt when the result is not sound.
/// Whatever the error, what is under the names is as good as it was.
/// Cost: two readings of the history and a writing of it; docs/operations.md has figures.
Result<Rebuilt> rebuild(const std::string& directory, const RebuildOptions& options,
                        const RebuildTarget& target, RebuildProgress& progress);

/// The same for a directory no process uses. Errors also: kConflict when one does.
Result<Rebuilt> rebuild_stopped(const std::string& directory, const RebuildOptions& options,
                                RebuildProgress& progress);

}  // namespace bascule::stats::sqlite
