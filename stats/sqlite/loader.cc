#include "stats/sqlite/loader.h"

#include <cstdlib>
#include <filesystem>
#include <random>
#include <system_error>
#include <utility>

#include <sys/stat.h>

#include "stats/sqlite/examine.h"
#include "stats/sqlite/migrations.h"

namespace bascule::stats::sqlite {
namespace {

namespace fs = std::filesystem;

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

/// What cannot be migrated is damaged: its records go to a new file.
void bring_up_to_date(StateDirectory& directory, const Expected& expected, Examined& examined,
                      LoadReport& report) {
  auto copy =
      migrate(*examined.database, directory, expected.name, examined.version, expected.version);
  if (copy) {
    report.migrations.push_back({expected.name, examined.version, expected.version, *copy});
  } else {
    examined.findings.push_back({.file = expected.name,
                                 .damage = Damage::kStructure,
                                 .detail = "schema version " + std::to_string(examined.version) +
                                           " cannot be brought up to date: " + copy.error().what});
  }
}

void append(std::vector<Finding>& to, const std::vector<Finding>& more) {
  to.insert(to.end(), more.begin(), more.end());
}

/// `take_name`, and opens it under its name.
Result<Database> take_place(StateDirectory& directory, const char* name, std::int64_t pages_max,
                            std::string_view reason, std::vector<std::string>& moved_to) {
  if (auto named = take_name(directory, name, reason, moved_to); !named) {
    return tl::make_unexpected(named.error());
  }
  return Database::open(directory.file(name), OpenMode::kReadWrite, pages_max).map_error(to_error);
}

/// The steps both files are loaded in. `read` gives the content of an open database; `replace`
/// makes a new file of the content: (content, has_ours, reason) -> Result<File>.
template <class File, class Content, class Read, class Replace>
Loaded<File, Content> load(StateDirectory& directory, const Expected& expected,
                           const std::optional<Head>& head, LogPosition Head::*mark,
                           const typename File::Options& options, LoadReport& report,
                           const Read& read, const Replace& replace) {
  Loaded<File, Content> loaded;
  std::optional<PrivateCopy> copy;
  std::string path = directory.file(expected.name);
  // A file in which no record was ever acknowledged may be missing: its making failed or was cut.
  const bool existed = head ? ((*head).*mark).seq > 0 : directory.marks_damaged();
  if (directory.is_writable()) {
    finish_replacement(directory, expected.name, existed);
  } else {
    path = copy.emplace(directory, expected.name).path();
  }
  Examined examined = examine(expected, path, existed, head && head->clean);
  if (examined.failed_to_open && directory.is_writable()) {
    // A full disk has no room for what SQLite wants beside the file; what is in it is as good.
    const std::string why = examined.findings.front().detail;
    if (Examined alone = examine(expected, path, existed, false, OpenMode::kAlone);
        alone.has_ours) {
      examined = std::move(alone);
      loaded.problem = why;
    }
  }
  if (examined.has_ours && directory.is_writable() && loaded.problem.empty() &&
      examined.findings.empty() && examined.version < expected.version) {
    bring_up_to_date(directory, expected, examined, report);
  }
  if (examined.has_ours) {
    loaded.content = read(*examined.database);
  }
  std::vector<Finding> findings = examined.findings;
  append(findings, loaded.content.findings);
  if (head && (existed || examined.has_ours)) {
    check_marks(expected.name, (*head).*mark, loaded.content.tip, findings);
  }
  append(report.findings, findings);
  if (!directory.is_writable()) {
    loaded.problem = "the state directory is read-only";
    return loaded;
  }
  if (!loaded.problem.empty() && !must_replace(findings)) {
    return loaded;  // Sound, but to be written to it needs the room: for later, from memory.
  }
  const auto result = [&]() -> Result<File> {
    if (examined.has_ours && !must_replace(findings)) {
      if (auto file = File::adopt(std::move(*examined.database), options, loaded.content)) {
        return std::move(*file);
      }
    }
    examined.database.reset();
    if (loaded.content.tip.seq == 0) {
      // Numbers are never used twice.
      loaded.content.tip = head ? (*head).*mark : LogPosition{.hash = random_digest()};
    }
    return replace(loaded.content, examined.has_ours,
                   findings.empty() ? "replaced" : to_string(findings.front().damage));
  };
  if (auto file = result()) {
    loaded.problem.clear();
    loaded.file = std::move(*file);
  } else {
    loaded.problem = file.error().what;
  }
  return loaded;
}

}  // namespace

Digest random_digest() {
  std::random_device device;
  Digest seed{};
  for (std::uint8_t& byte : seed) {
    byte = static_cast<std::uint8_t>(device());
  }
  return seed;
}

void finish_replacement(StateDirectory& directory, const char* name, bool existed) {
  const std::string path = directory.file(name);
  const std::string fresh = path + ".new";
  std::error_code error;
  if (existed && !is_there(path) && is_there(fresh) && !is_there(fresh + "-wal")) {
    fs::rename(fresh, path, error);
  }
  remove_new(fresh);
  remove_new(path + kRebuildSuffix);
}

Result<> take_name(StateDirectory& directory, const char* name, std::string_view reason,
                   std::vector<std::string>& moved_to) {
  const std::string path = directory.file(name);
  if (is_there(path + ".new-wal")) {
    // Closing could not move everything from the log into the file; alone it would be a torso.
    remove_new(path + ".new");
    return fail(Errc::kUnavailable, path + ".new is not complete");
  }
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
  auto database = take_place(directory, kStateFileName, options.pages_max, reason, moved_to);
  if (!database) {
    return tl::make_unexpected(database.error());
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
  finish_replacement(directory, kStatsFileName);
  content.rows = 0;
  const auto write = [&]() -> SqlResult<> {
    LogPosition at = content.tip;
    if (salvage) {
      at.hlc = 0;  // Rows keep the time they were written at.
    }
    auto fresh = ReportFile::create(path + ".new", options, at);
    if (!fresh) {
      return tl::make_unexpected(fresh.error());
    }
    if (!salvage) {
      return {};
    }
    auto damaged = Database::open(path, OpenMode::kReadWrite);
    if (!damaged) {
      return {};
    }
    if (auto copied = fresh->copy_minutes(*damaged); !copied) {
      return copied;
    }
    return fresh->salvage(*damaged, stored_rows(*damaged), content);
  };
  if (auto written = write(); !written) {
    remove_new(path + ".new");
    return tl::make_unexpected(to_error(written.error()));
  }
  auto database = take_place(directory, kStatsFileName, options.pages_max, reason, moved_to);
  if (!database) {
    return tl::make_unexpected(database.error());
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
  return load<StateFile, StateContent>(
      directory, kState, head, &Head::state, options, report, read_state,
      [&](const StateContent& content, bool, std::string_view reason) {
        return replace_state(directory, options, content.tables, content.tip, reason,
                             report.moved_to);
      });
}

LoadedReports load_reports(StateDirectory& directory, const std::optional<Head>& head,
                           const ReportFile::Options& options, LoadReport& report) {
  return load<ReportFile, ReportContent>(
      directory, kStats, head, &Head::stats, options, report,
      [](Database& database) { return read_reports(database); },
      [&](ReportContent& content, bool has_ours, std::string_view reason) {
        return replace_reports(directory, options, content, has_ours, reason, report.moved_to);
      });
}

}  // namespace bascule::stats::sqlite
