#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "ctl/ask.h"
#include "stats/sqlite/json.h"

namespace bascule::ctl {

/// Each command prints its result to stdout, as one JSON object when asked to, errors to stderr,
/// and returns the exit status. It works on the files in `directory`, or asks the running bascule
/// at `url`; the answers are the same.
struct StatsCommands {
  std::string url = kDefaultUrl;
  std::optional<std::string> directory;
  bool json = false;

  /// Of a running bascule: the store, and its last verification, backup and rebuild.
  [[nodiscard]] int status() const;
  /// Reads every page and record.
  [[nodiscard]] int verify() const;
  /// `target`: with a directory only; a running bascule has one of its own.
  [[nodiscard]] int backup(const std::string& target) const;
  /// With a directory only.
  [[nodiscard]] int restore(const std::string& backup) const;
  /// `from` and `to` in RFC 3339; empty: an hour before `to`, and now.
  [[nodiscard]] int history(const std::string& bridge, const std::string& from,
                            const std::string& to, int step_seconds) const;
  /// Waits for the end, and tells how far it is on stderr. When one runs already it follows that.
  [[nodiscard]] int rebuild(bool dry_run, bool force) const;

 private:
  using Json = stats::sqlite::Json;
  [[nodiscard]] Result<Json> check() const;
  [[nodiscard]] Result<Json> rebuild_running(bool dry_run, bool force) const;
  [[nodiscard]] int finish(const Result<Json>& outcome, void (*print)(const Json&)) const;
};

}  // namespace bascule::ctl
