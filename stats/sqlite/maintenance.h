#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "stats/load_report.h"

namespace bascule::stats::sqlite {

// What an operator does with a state directory. Nothing here changes a file of a running process:
// checks, backups and history read a consistent snapshot beside it; `restore` refuses.

struct FileCheck {
  std::string name;
  std::uint64_t bytes = 0;    ///< With the write-ahead log.
  std::uint64_t records = 0;  ///< Verified.
  std::optional<WallTime> newest;
  std::vector<Finding> findings;
};

struct DirectoryCheck {
  std::vector<FileCheck> files;
  std::vector<Finding> marks;  ///< What is wrong with `head.a` and `head.b`.
  bool stopped_in_order = false;
  /// Every record that was ever acknowledged is there.
  [[nodiscard]] bool is_sound() const;
};

/// Reads every page and every record of both databases: structure, checksums, chain, and the marks.
/// Errors: kUnavailable when there is no such directory. Cost: docs/operations.md.
Result<DirectoryCheck> check_directory(const std::string& directory);

/// Writes a copy of both databases to the new directory `target` (mode 0700), reads it back in
/// full, and only then gives it its name. It is a state directory itself. Errors: kConflict when
/// `target` exists, kCorrupt when the copy is not sound, kUnavailable when it cannot be written.
Result<DirectoryCheck> back_up(const std::string& directory, const std::string& target);

/// Puts a backup in the place of a state directory's files, which go to `quarantine/`. Safe to
/// repeat and to interrupt. Errors: kConflict while a process uses the directory, kCorrupt when the
/// backup is not sound (nothing is changed then), kUnavailable when files cannot be written.
Result<DirectoryCheck> restore(const std::string& backup, const std::string& directory);

struct HistoryQuery {
  std::string bridge;  ///< Nick or full address.
  WallTime from;
  WallTime to;                              ///< Exclusive.
  Duration step = std::chrono::minutes{1};  ///< One point for each step that has reports; >= 1 s.
};

struct HistoryPoint {
  WallTime at;  ///< Start of the step.
  std::uint64_t reports = 0;
  std::optional<std::int64_t> stress_max;   ///< Millionths.
  std::optional<std::int64_t> stress_mean;  ///< Millionths.
  std::optional<std::int64_t> endpoints_max;
};

struct History {
  std::string bridge;  ///< Full address.
  std::vector<HistoryPoint> points;
  std::uint64_t damaged = 0;  ///< Rows left out because they do not match their checksum.
};

inline constexpr std::size_t kHistoryPointsMax = 10'000;

/// Errors: kNotFound when the bridge has no history, kInvalidArgument for a bad range or more than
/// kHistoryPointsMax steps, kUnavailable when the file cannot be read.
Result<History> read_history(const std::string& directory, const HistoryQuery& query);

}  // namespace bascule::stats::sqlite
