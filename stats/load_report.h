#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace bascule::stats {

/// What was found wrong with a file of the state directory.
enum class Damage {
  kMissing,     ///< It existed before and is gone or empty.
  kForeign,     ///< Not a database, or a database of another application.
  kTooNew,      ///< Written by a newer version; kept aside, not read.
  kUnreadable,  ///< Cannot be opened or read (permissions, I/O error).
  kStructure,   ///< SQLite reports a malformed file.
  kRecord,      ///< A record does not match its checksum, or its bytes mean nothing.
  kChain,       ///< The log is broken: a record was changed, lost or reordered.
  kRolledBack,  ///< Valid, but older than what this machine had committed.
};

[[nodiscard]] std::string_view to_string(Damage damage);

/// What the program did, or does when it starts, about a file with this damage; one clause for an
/// operator.
[[nodiscard]] std::string_view action_for(Damage damage);

struct Finding {
  std::string file;  ///< `state.db` or `stats.db`.
  Damage damage;
  std::string detail;
  /// Records known to be lost; nullopt when nobody can tell.
  std::optional<std::uint64_t> lost = std::nullopt;
  /// When the newest record before the first lost one was written; nullopt: anything may be lost.
  std::optional<WallTime> since = std::nullopt;
  friend bool operator==(const Finding&, const Finding&) = default;
};

/// One line for an operator: file, damage, detail, what is lost and since when, what was done.
[[nodiscard]] std::string to_text(const Finding& finding);

/// What starting from the state directory cost. Empty findings: everything ever acknowledged is
/// there.
struct LoadReport {
  std::vector<Finding> findings;
  /// Where damaged files were moved; the newest 10 such folders are kept.
  std::vector<std::string> moved_to;
  /// Files of an older version that were brought up to date.
  struct Migration {
    std::string file;
    std::int64_t from = 0;
    std::int64_t to = 0;
    std::string copy;  ///< The folder with the file as it was.
  };
  std::vector<Migration> migrations;
  /// The last process stopped in order.
  bool clean = false;
  /// Records read.
  std::uint64_t operations = 0;
  std::uint64_t reports = 0;
};

}  // namespace bascule::stats
