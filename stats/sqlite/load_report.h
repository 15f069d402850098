#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bascule::stats::sqlite {

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

struct Finding {
  std::string file;  ///< `state.db` or `stats.db`.
  Damage damage;
  std::string detail;
  /// Records known to be lost; nullopt when nobody can tell.
  std::optional<std::uint64_t> lost;
  friend bool operator==(const Finding&, const Finding&) = default;
};

/// What starting from the state directory cost. Empty findings: everything ever acknowledged is
/// there.
struct LoadReport {
  std::vector<Finding> findings;
  /// Where damaged files were moved; the newest 10 such folders are kept.
  std::vector<std::string> moved_to;
  /// The last process stopped in order.
  bool clean = false;
  /// Records read.
  std::uint64_t operations = 0;
  std::uint64_t reports = 0;
};

}  // namespace bascule::stats::sqlite
