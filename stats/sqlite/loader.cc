#include "stats/sqlite/loader.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <system_error>
#include <utility>

#include <sqlite3.h>
#include <sys/stat.h>

namespace bascule::stats::sqlite {

std::string_view to_string(Damage damage) {
  switch (damage) {
    case Damage::kMissing:
      return "missing";
    case Damage::kForeign:
      return "foreign";
    case Damage::kTooNew:
      return "too-new";
    case Damage::kUnreadable:
      return "unreadable";
    case Damage::kStructure:
      return "structure";
    case Damage::kRecord:
      return "record";
    case Damage::kChain:
      return "chain";
    case Damage::kRolledBack:
      return "rolled-back";
  }
  return "unknown";
}

namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kAlwaysCheckedBytes = 16U << 20U;

/// A new log starts from a random value, so that two files never share a history.
Digest random_seed() {
  std::random_device device;
  Digest seed{};
  for (std::uint8_t& byte : seed) {
    byte = static_cast<std::uint8_t>(device());
  }
  return seed;
}

struct Expected {
  const char* name;
  std::int64_t application_id;
  std::int64_t version;
};
constexpr Expected kState{kStateFileName, kApplicationId, kStateSchemaVersion};
constexpr Expected kStats{kStatsFileName, kStatsApplicationId, kStatsSchemaVersion};

/// What stands under a name before its records are read.
struct Examined {
  std::optional<Database> database;  // Ours, and open.
  std::vector<Finding> findings;
  bool is_there = false;  // Something has the name and must be moved aside when it is not used.
  bool has_ours = false;  // Its rows, as far as they can be read, are ours.
};

bool is_there(const std::string& path) {
  std::error_code error;
  return fs::exists(path, error);
}

void remove_new(const std::string& path) {
  std::error_code error;
  for (const char* suffix : {"", "-wal", "-shm"}) {
    fs::remove(path + suffix, error);
  }
}

/// A read-only directory does not let SQLite make its side files: a private copy is read instead.
class PrivateCopy {
 public:
  PrivateCopy(const StateDirectory& directory, const char* name) {
    std::error_code error;
    std::string pattern = (fs::temp_directory_path(error) / "bascule-read-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) {
      return;
    }
    folder_ = pattern;
    for (const char* suffix : {"", "-wal"}) {
      const std::string source = directory.file(name) + suffix;
      if (is_there(source)) {
        fs::copy_file(source, folder_ + "/" + name + suffix, error);
      }
    }
    path_ = folder_ + "/" + name;
  }
  ~PrivateCopy() {
    if (!folder_.empty()) {
      std::error_code error;
      fs::remove_all(folder_, error);
    }
  }
  PrivateCopy(const PrivateCopy&) = delete;
  PrivateCopy& operator=(const PrivateCopy&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string folder_;
  std::string path_;
};

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
  } else if (*version < expected.version) {
    found(Damage::kForeign, "schema version " + std::to_string(*version));
  } else {
    examined.has_ours = true;
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

Examined examine(const Expected& expected, const std::string& path, bool existed, bool clean) {
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
  auto database = Database::open(path, OpenMode::kReadWrite);
  if (!database) {
    const int code = database.error().code & 0xFF;
    const Damage damage = code == SQLITE_NOTADB          ? Damage::kForeign
                          : database.error().is_damage() ? Damage::kStructure
                                                         : Damage::kUnreadable;
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

/// A crash between moving the old file aside and renaming the complete new one.
void finish_replacement(StateDirectory& directory, const Expected& expected) {
  const std::string path = directory.file(expected.name);
  const std::string fresh = path + ".new";
  std::error_code error;
  if (!is_there(path) && is_there(fresh) && !is_there(fresh + "-wal")) {
    fs::rename(fresh, path, error);
  }
  remove_new(fresh);
}

/// Compares with the marks: says that something is missing, or how much of what is reported
/// already.
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
                                  " was committed, the file ends at " + std::to_string(tip.seq),
                        .lost = lost});
  } else if (marked.seq == tip.seq && marked.hash != tip.hash) {
    findings.push_back(
        {.file = name, .damage = Damage::kRolledBack, .detail = "another history of this file"});
  }
}

bool must_replace(const std::vector<Finding>& findings) {
  return std::any_of(findings.begin(), findings.end(),
                     [](const Finding& finding) { return finding.damage != Damage::kRolledBack; });
}

template <class... Lists>
void append(std::vector<Finding>& to, const Lists&... lists) {
  (to.insert(to.end(), lists.begin(), lists.end()), ...);
}

Error to_error(const SqlError& error) {
  return {Errc::kUnavailable, error.what};
}

/// Gives the complete file `fresh` the name of the database.
Result<> take_name(StateDirectory& directory, const char* name, std::string_view reason,
                   std::vector<std::string>& moved_to) {
  const std::string path = directory.file(name);
  if (is_there(path)) {
    auto moved = directory.move_aside(name, reason);
    if (!moved) {
      return tl::make_unexpected(moved.error());
    }
    moved_to.push_back(*moved);
  } else {
    remove_new(path);  // Side files of a database that is gone belong to nothing.
  }
  std::error_code error;
  fs::rename(path + ".new", path, error);
  if (error) {
    return fail(Errc::kUnavailable, "cannot rename " + path + ".new: " + error.message());
  }
  return directory.sync();
}

}  // namespace

Result<StateFile> replace_state(StateDirectory& directory, const StateFile::Options& options,
                                const focus::Tables& tables, const LogPosition& at,
                                std::string_view reason, std::vector<std::string>& moved_to) {
  const std::string path = directory.file(kStateFileName);
  remove_new(path + ".new");
  // The file is closed again here, which ends its write-ahead log, so that it can be renamed.
  const auto written =
      StateFile::create(path + ".new", options, tables, at).map([](const StateFile&) {});
  if (!written) {
    remove_new(path + ".new");
    return tl::make_unexpected(to_error(written.error()));
  }
  if (auto named = take_name(directory, kStateFileName, reason, moved_to); !named) {
    return tl::make_unexpected(named.error());
  }
  auto database = Database::open(path, OpenMode::kReadWrite, options.pages_max);
  if (!database) {
    return tl::make_unexpected(to_error(database.error()));
  }
  const StateContent content = read_state(*database);
  if (!content.findings.empty() || content.tables != tables) {
    return fail(Errc::kCorrupt, "a new file does not hold what was written to it");
  }
  return StateFile::adopt(std::move(*database), options, content).map_error(to_error);
}

Result<ReportFile> replace_reports(StateDirectory& directory, const ReportFile::Options& options,
                                   ReportContent& content, bool salvage, std::string_view reason,
                                   std::vector<std::string>& moved_to) {
  const std::string path = directory.file(kStatsFileName);
  remove_new(path + ".new");
  content.rows = 0;
  const auto write = [&]() -> SqlResult<> {
    auto fresh = ReportFile::create(path + ".new", options, content.tip);
    if (!fresh) {
      return tl::make_unexpected(fresh.error());
    }
    if (!salvage) {
      return {};
    }
    auto damaged = Database::open(path, OpenMode::kReadWrite);
    return damaged ? fresh->salvage(*damaged, content) : SqlResult<>{};
  };
  if (auto written = write(); !written) {
    remove_new(path + ".new");
    return tl::make_unexpected(to_error(written.error()));
  }
  if (auto named = take_name(directory, kStatsFileName, reason, moved_to); !named) {
    return tl::make_unexpected(named.error());
  }
  auto database = Database::open(path, OpenMode::kReadWrite, options.pages_max);
  if (!database) {
    return tl::make_unexpected(to_error(database.error()));
  }
  const ReportContent fresh = read_reports(*database);
  if (!fresh.findings.empty()) {
    return fail(Errc::kCorrupt, "a new file does not hold what was written to it");
  }
  content.floor = fresh.floor;
  content.tip = fresh.tip;
  return ReportFile::adopt(std::move(*database), options, fresh).map_error(to_error);
}

LoadedState load_state(StateDirectory& directory, const std::optional<Head>& head,
                       const StateFile::Options& options, LoadReport& report) {
  LoadedState loaded;
  std::optional<PrivateCopy> copy;
  std::string path = directory.file(kStateFileName);
  if (directory.is_writable()) {
    finish_replacement(directory, kState);
  } else {
    path = copy.emplace(directory, kStateFileName).path();
  }
  Examined examined = examine(kState, path, head || directory.marks_damaged(), head && head->clean);
  if (examined.has_ours) {
    loaded.content = read_state(*examined.database);
  }
  std::vector<Finding> findings = examined.findings;
  append(findings, loaded.content.findings);
  if (head) {
    check_marks(kStateFileName, head->state, loaded.content.tip, findings);
  }
  append(report.findings, findings);
  if (!directory.is_writable()) {
    loaded.problem = "the state directory is read-only";
    return loaded;
  }
  const auto result = [&]() -> Result<StateFile> {
    if (examined.has_ours && !must_replace(findings)) {
      if (auto file = StateFile::adopt(std::move(*examined.database), options, loaded.content)) {
        return std::move(*file);
      }
    }
    examined.database.reset();
    if (loaded.content.tip.seq == 0) {
      // Numbers are never used twice.
      loaded.content.tip = head ? head->state : LogPosition{.hash = random_seed()};
    }
    const std::string_view reason =
        findings.empty() ? std::string_view("replaced") : to_string(findings.front().damage);
    return replace_state(directory, options, loaded.content.tables, loaded.content.tip, reason,
                         report.moved_to);
  };
  if (auto file = result()) {
    loaded.file = std::move(*file);
  } else {
    loaded.problem = file.error().what;
  }
  return loaded;
}

LoadedReports load_reports(StateDirectory& directory, const std::optional<Head>& head,
                           const ReportFile::Options& options, LoadReport& report) {
  LoadedReports loaded;
  std::optional<PrivateCopy> copy;
  std::string path = directory.file(kStatsFileName);
  if (directory.is_writable()) {
    finish_replacement(directory, kStats);
  } else {
    path = copy.emplace(directory, kStatsFileName).path();
  }
  Examined examined = examine(kStats, path, head || directory.marks_damaged(), head && head->clean);
  if (examined.has_ours) {
    loaded.content = read_reports(*examined.database);
  }
  std::vector<Finding> findings = examined.findings;
  append(findings, loaded.content.findings);
  if (head) {
    check_marks(kStatsFileName, head->stats, loaded.content.tip, findings);
  }
  append(report.findings, findings);
  if (!directory.is_writable()) {
    loaded.problem = "the state directory is read-only";
    return loaded;
  }
  const auto result = [&]() -> Result<ReportFile> {
    if (examined.has_ours && !must_replace(findings)) {
      if (auto file = ReportFile::adopt(std::move(*examined.database), options, loaded.content)) {
        return std::move(*file);
      }
    }
    examined.database.reset();
    if (loaded.content.tip.seq == 0) {
      loaded.content.tip = head ? head->stats : LogPosition{.hash = random_seed()};
    }
    const std::string_view reason =
        findings.empty() ? std::string_view("replaced") : to_string(findings.front().damage);
    return replace_reports(directory, options, loaded.content, examined.has_ours, reason,
                           report.moved_to);
  };
  if (auto file = result()) {
    loaded.file = std::move(*file);
  } else {
    loaded.problem = file.error().what;
  }
  return loaded;
}

}  // namespace bascule::stats::sqlite
