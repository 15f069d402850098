#include "stats/sqlite/maintenance.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stats/sqlite/directory.h"
#include "stats/sqlite/examine.h"
#include "stats/sqlite/loader.h"

namespace bascule::stats::sqlite {
namespace {

namespace fs = std::filesystem;

constexpr std::array<const char*, 2> kFiles = {kStateFileName, kStatsFileName};

std::uint64_t bytes_of(const std::string& path) {
  std::uint64_t bytes = 0;
  for (const char* suffix : {"", "-wal"}) {
    std::error_code error;
    const auto size = fs::file_size(path + suffix, error);
    bytes += error ? 0 : size;
  }
  return bytes;
}

struct CheckedFile {
  FileCheck check;
  LogPosition tip;
};

/// Marks must have been read before: a running process moves them on.
template <class Read>
CheckedFile check_file(const Expected& expected, const std::string& directory, const Marks& marks,
                       LogPosition Head::*mark, const Read& read) {
  const std::string path = directory + "/" + expected.name;
  CheckedFile checked{.check = {.name = expected.name, .bytes = bytes_of(path)}};
  const bool existed = marks.newest ? ((*marks.newest).*mark).seq > 0 : marks.damaged;
  Examined examined = examine(expected, path, existed, /*clean=*/false, OpenMode::kReadOnly);
  checked.check.findings = std::move(examined.findings);
  if (examined.database) {
    // One snapshot for everything that is compared: a running process goes on writing.
    if (auto begun = examined.database->execute("BEGIN"); !begun) {
      checked.check.findings.push_back(
          {.file = expected.name, .damage = Damage::kUnreadable, .detail = begun.error().what});
    }
    read(*examined.database, checked);
  }
  if (marks.newest && (existed || examined.has_ours)) {
    // A running process has got further than its marks; only what is missing counts.
    const LogPosition& marked = (*marks.newest).*mark;
    if (marked.seq >= checked.tip.seq) {
      check_marks(expected.name, marked, checked.tip, checked.check.findings);
    }
  }
  checked.check.newest = wall_time_of(checked.tip);
  return checked;
}

template <class Content>
void take(Content&& content, std::uint64_t records, CheckedFile& checked) {
  checked.tip = content.tip;
  checked.check.records = records;
  auto& findings = checked.check.findings;
  findings.insert(findings.end(), content.findings.begin(), content.findings.end());
}

struct Checked {
  DirectoryCheck check;
  Head head;
};

Result<Checked> check_files(const std::string& directory) {
  std::error_code error;
  if (!fs::is_directory(directory, error)) {
    return fail(Errc::kUnavailable, directory + " is not a directory");
  }
  const Marks marks = read_marks(directory);
  Checked all;
  all.check.stopped_in_order = marks.newest && marks.newest->clean;
  if (marks.damaged) {
    all.check.marks.push_back(marks_finding());
  }
  CheckedFile state =
      check_file(kState, directory, marks, &Head::state, [](Database& file, CheckedFile& checked) {
        const StateContent content = read_state(file);
        take(content, content.operations, checked);
      });
  CheckedFile stats =
      check_file(kStats, directory, marks, &Head::stats, [](Database& file, CheckedFile& checked) {
        const ReportContent content = read_reports(file, kEveryRow);
        take(content, content.rows, checked);
      });
  all.head = {.clean = true, .state = state.tip, .stats = stats.tip};
  all.check.files = {std::move(state.check), std::move(stats.check)};
  return all;
}

Result<> sync_path(const std::string& path) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd || fsync(fd.get()) != 0) {
    return fail(Errc::kUnavailable, "cannot sync " + path + ": " + std::strerror(errno));
  }
  return {};
}

Result<> copy_database(const std::string& from, const std::string& to) {
  auto database = Database::open(from, OpenMode::kReadOnly);
  auto done = database ? database->copy_to(to) : SqlResult<>(tl::make_unexpected(database.error()));
  if (!done) {
    return fail(done.error().is_damage() ? Errc::kCorrupt : Errc::kUnavailable,
                "cannot copy " + from + ": " + done.error().what);
  }
  return sync_path(to);
}

std::string first_finding(const DirectoryCheck& check) {
  for (const FileCheck& file : check.files) {
    if (!file.findings.empty()) {
      return to_text(file.findings.front());
    }
  }
  return check.marks.empty() ? "" : to_text(check.marks.front());
}

/// Fills `partial`, which gets its name when everything in it has been read back.
Result<DirectoryCheck> fill_backup(const std::string& directory, const std::string& partial) {
  for (const char* name : kFiles) {
    if (auto copied = copy_database(directory + "/" + name, partial + "/" + name); !copied) {
      return tl::make_unexpected(copied.error());
    }
  }
  auto copy = check_files(partial);
  if (!copy) {
    return tl::make_unexpected(copy.error());
  }
  if (!copy->check.is_sound()) {
    return fail(Errc::kCorrupt, "the copy is not sound: " + first_finding(copy->check));
  }
  auto marked = StateDirectory::open(partial);
  if (!marked) {
    return tl::make_unexpected(marked.error());
  }
  if (auto written = marked->write_head(copy->head, /*sync=*/true); !written) {
    return tl::make_unexpected(written.error());
  }
  if (auto synced = marked->sync(); !synced) {
    return tl::make_unexpected(synced.error());
  }
  copy->check.stopped_in_order = true;
  return copy->check;
}

}  // namespace

bool DirectoryCheck::is_sound() const {
  return marks.empty() && std::all_of(files.begin(), files.end(),
                                      [](const FileCheck& file) { return file.findings.empty(); });
}

Result<DirectoryCheck> check_directory(const std::string& directory) {
  return check_files(directory).map([](Checked&& checked) { return std::move(checked.check); });
}

Result<DirectoryCheck> back_up(const std::string& directory, const std::string& target) {
  std::error_code error;
  if (fs::exists(target, error)) {
    return fail(Errc::kConflict, target + " exists already");
  }
  const std::string partial = target + ".partial";
  fs::remove_all(partial, error);  // Of a backup that was interrupted.
  if (mkdir(partial.c_str(), S_IRWXU) != 0) {
    return fail(Errc::kUnavailable, "cannot create " + partial + ": " + std::strerror(errno));
  }
  auto filled = fill_backup(directory, partial);
  if (!filled) {
    fs::remove_all(partial, error);
    return filled;
  }
  fs::rename(partial, target, error);
  if (error) {
    return fail(Errc::kUnavailable, "cannot rename " + partial + ": " + error.message());
  }
  const fs::path parent = fs::absolute(target, error).parent_path();
  if (auto synced = sync_path(parent.string()); !synced) {
    return tl::make_unexpected(synced.error());
  }
  return filled;
}

Result<DirectoryCheck> restore(const std::string& backup, const std::string& directory) {
  auto checked = check_files(backup);
  if (!checked) {
    return tl::make_unexpected(checked.error());
  }
  if (!checked->check.is_sound()) {
    return fail(Errc::kCorrupt, "the backup is not sound: " + first_finding(checked->check));
  }
  auto opened = StateDirectory::open(directory);
  if (!opened) {
    return tl::make_unexpected(opened.error());
  }
  if (!opened->is_writable()) {
    return fail(Errc::kUnavailable, directory + " cannot be written");
  }
  static_cast<void>(opened->read_head());  // Continues the count of marks.
  std::vector<std::string> moved_to;
  for (const char* name : kFiles) {
    std::error_code error;
    const std::string fresh = opened->file(name) + ".new";
    fs::remove(fresh, error);
    if (auto copied = copy_database(backup + "/" + name, fresh); !copied) {
      return tl::make_unexpected(copied.error());
    }
    if (auto named = take_name(*opened, name, "restored-over", moved_to); !named) {
      return tl::make_unexpected(named.error());
    }
  }
  if (auto written = opened->write_heads(checked->head); !written) {
    return tl::make_unexpected(written.error());
  }
  return checked->check;
}

}  // namespace bascule::stats::sqlite
