#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "stats/load_report.h"
#include "stats/sqlite/database.h"
#include "stats/sqlite/report_file.h"
#include "stats/sqlite/state_file.h"
#include "stats/sqlite/state_reader.h"

namespace bascule::stats::sqlite {

/// How one of our files is known.
struct Expected {
  const char* name;
  std::int64_t application_id;
  std::int64_t version;
};
inline constexpr Expected kState{kStateFileName, kApplicationId, kStateSchemaVersion};
inline constexpr Expected kStats{kStatsFileName, kStatsApplicationId, kStatsSchemaVersion};

/// What stands under a name before its records are read.
struct Examined {
  std::optional<Database> database;  // Ours, and open.
  std::vector<Finding> findings;
  bool is_there = false;     // Something has the name and must be moved aside when it is not used.
  bool has_ours = false;     // Its rows, as far as they can be read, are ours.
  std::int64_t version = 0;  // When it is ours: of its schema, at most the expected one.
  bool failed_to_open = false;  // For another reason than what is in it.
};

/// Looks at the file without changing it. `existed`: it is a finding when it is not there. `clean`:
/// it was closed in order, so that a large one need not be read as a whole. kReadOnly leaves even
/// the write-ahead log alone.
Examined examine(const Expected& expected, const std::string& path, bool existed, bool clean,
                 OpenMode mode = OpenMode::kReadWrite);

/// Compares the end of a log with what the mark file says of it; adds a finding when something is
/// missing, or how much of what is reported already.
void check_marks(const char* name, const LogPosition& marked, const LogPosition& tip,
                 std::vector<Finding>& findings);

/// Whether a file with these findings must make way for a new one. A file that has only lost its
/// end is sound and goes on.
[[nodiscard]] bool must_replace(const std::vector<Finding>& findings);

}  // namespace bascule::stats::sqlite
