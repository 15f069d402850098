#pragma once

#include <string>

namespace bascule::ctl {

// Exit statuses (docs/operations.md).
inline constexpr int kExitOk = 0;
inline constexpr int kExitDamaged = 1;  ///< Something is damaged or lost.
inline constexpr int kExitUsage = 2;
inline constexpr int kExitFailed = 3;  ///< It could not be done.

/// Each command prints its result to stdout, as one JSON object when asked to, errors to stderr,
/// and returns the exit status.
struct StatsCommands {
  std::string directory;
  bool json = false;

  /// Reads every page and record.
  [[nodiscard]] int verify() const;
  [[nodiscard]] int backup(const std::string& target) const;
  [[nodiscard]] int restore(const std::string& backup) const;
  /// `from` and `to` in RFC 3339; empty: an hour before `to`, and now.
  [[nodiscard]] int history(const std::string& bridge, const std::string& from,
                            const std::string& to, int step_seconds) const;
};

}  // namespace bascule::ctl
