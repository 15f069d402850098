#include "stats/sqlite/examine.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include <sqlite3.h>

#include "stats/sqlite/migrations.h"

namespace bascule::stats::sqlite {

namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kAlwaysCheckedBytes = 16U << 20U;

void check_identity(Database& database, const Expected& expected, Examined& examined) {
  const auto found = [&](Damage damage, std::string detail) {
    examined.findings.push_back(
        {.file = expected.name, .damage = damage, .detail = std::move(detail)});
  };
  const auto application = database.query_integer("PRAGMA application_id");
  const auto version = database.query_integer("PRAGMA user_version");
  if (!application || !version) {
    found(Damage::kStructure, application ? version.error().what : application.error().what);
    return;
  }
  if (*application != expected.application_id) {
    found(Damage::kForeign, "application id " + std::to_string(*application));
  } else if (*version > expected.version) {
    found(Damage::kTooNew, "schema version " + std::to_string(*version));
  } else if (*version < kOldestSchemaVersion) {
    found(Damage::kForeign, "schema version " + std::to_string(*version));
  } else {
    examined.has_ours = true;
    examined.version = *version;
  }
}

void check_structure(Database& database, const char* name, std::vector<Finding>& findings) {
  auto check = database.prepare("PRAGMA quick_check(1)");
  const auto row = check ? check->step() : tl::make_unexpected(check.error());
  if (!row) {
    findings.push_back({.file = name, .damage = Damage::kStructure, .detail = row.error().what});
  } else if (*row && check->bytes(0) != "ok") {
    findings.push_back(
        {.file = name, .damage = Damage::kStructure, .detail = std::string(check->bytes(0))});
  }
}

}  // namespace

Examined examine(const Expected& expected, const std::string& path, bool existed, bool clean,
                 OpenMode mode) {
  Examined examined;
  std::error_code error;
  const auto size = fs::file_size(path, error);
  examined.is_there = !error;
  if (error || size == 0) {
    if (existed || examined.is_there) {
      examined.findings.push_back({.file = expected.name,
                                   .damage = Damage::kMissing,
                                   .detail = error ? "the file is gone" : "the file is empty"});
    }
    return examined;
  }
  auto database = Database::open(path, mode);
  if (!database) {
    const int code = database.error().code & 0xFF;
    const Damage damage = code == SQLITE_NOTADB          ? Damage::kForeign
                          : database.error().is_damage() ? Damage::kStructure
                                                         : Damage::kUnreadable;
    examined.failed_to_open = code != SQLITE_NOTADB && code != SQLITE_CORRUPT;
    examined.findings.push_back(
        {.file = expected.name, .damage = damage, .detail = database.error().what});
    return examined;
  }
  check_identity(*database, expected, examined);
  if (examined.has_ours) {
    if (!clean || size <= kAlwaysCheckedBytes) {
      check_structure(*database, expected.name, examined.findings);
    }
    examined.database = std::move(*database);
  }
  return examined;
}

void check_marks(const char* name, const LogPosition& marked, const LogPosition& tip,
                 std::vector<Finding>& findings) {
  const std::uint64_t lost = marked.seq > tip.seq ? marked.seq - tip.seq : 0;
  if (!findings.empty()) {
    if (!findings.front().lost && lost > 0) {
      findings.front().lost = lost;
    }
  } else if (lost > 0) {
    findings.push_back({.file = name,
                        .damage = Damage::kRolledBack,
                        .detail = "record " + std::to_string(marked.seq) +
                                  " belongs to it, the file ends at " + std::to_string(tip.seq),
                        .lost = lost,
                        .since = wall_time_of(tip)});
  } else if (marked.seq == tip.seq && marked.hash != tip.hash) {
    findings.push_back({.file = name,
                        .damage = Damage::kRolledBack,
                        .detail = "another history of this file",
                        .lost = std::nullopt,
                        .since = std::nullopt});
  }
}

bool must_replace(const std::vector<Finding>& findings) {
  return std::any_of(findings.begin(), findings.end(),
                     [](const Finding& finding) { return finding.damage != Damage::kRolledBack; });
}

}  // namespace bascule::stats::sqlite
