// The state directory: who owns it, how much room there is, what is stored.

#include <cerrno>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>

#include <pwd.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "ctl/doctor/checks.h"
#include "ctl/doctor/running.h"
#include "ctl/doctor/unit_file.h"
#include "stats/sqlite/maintenance.h"

namespace bascule::ctl::doctor {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMiB = 1024UL * 1024;
/// Below this the history of bridges and a snapshot of the state may not fit any more.
constexpr std::uint64_t kFreeFail = 64 * kMiB;
constexpr std::uint64_t kFreeWarn = 1024 * kMiB;
/// More takes longer to read than somebody who waits for an answer likes (12 s per GiB).
constexpr std::uint64_t kReadMax = 512 * kMiB;

std::string user_name(uid_t user) {
  const passwd* known = ::getpwuid(user);
  return known == nullptr ? "user " + std::to_string(user) : known->pw_name;
}

/// Whose the directory must be, and why.
struct Owner {
  uid_t user = 0;
  std::string why;
};
std::optional<Owner> expected_owner(Examination& examination) {
  struct stat status {};
  if (const auto pid = examination.process();
      pid && ::stat(("/proc/" + std::to_string(*pid)).c_str(), &status) == 0) {
    return Owner{status.st_uid, "the running bascule is that user"};
  }
  if (const auto unit = find_unit(examination.place().root)) {
    const passwd* user = unit->user.empty() ? nullptr : ::getpwnam(unit->user.c_str());
    return user == nullptr ? std::nullopt
                           : std::optional(Owner{user->pw_uid, unit->path + " says User="});
  }
  return ::geteuid() == 0 ? std::nullopt : std::optional(Owner{::geteuid(), "as whom you ask"});
}

void check_owner(Examination& examination, const std::string& dir, const struct stat& status,
                 Finding& finding) {
  const auto owner = expected_owner(examination);
  if (owner && owner->user != status.st_uid) {
    finding.fail(dir + " belongs to " + user_name(status.st_uid) + " and not to " +
                     user_name(owner->user) + " (" + owner->why + ")",
                 "chown -R " + user_name(owner->user) + " " + dir);
  } else {
    finding.ok(dir + " belongs to " + user_name(status.st_uid));
  }
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    finding.warn("others may enter " + dir + ", which holds what is as good as a password",
                 "chmod 0700 " + dir + " (a start of bascule does it as well)");
  }
}

void check_space(const std::string& dir, Finding& finding) {
  struct statvfs space {};
  if (::statvfs(dir.c_str(), &space) != 0) {
    finding.fail(dir + ": " + std::generic_category().message(errno), "is its disk mounted?");
    return;
  }
  const std::uint64_t free = static_cast<std::uint64_t>(space.f_bavail) * space.f_frsize;
  const std::string seen = std::to_string(free / kMiB) + " MiB are free in " + dir;
  if ((space.f_flag & ST_RDONLY) != 0) {
    finding.fail(dir + " is on a read-only file system",
                 "mount it writable; when the kernel made it so, the disk is failing: see dmesg");
  } else if (space.f_files != 0 && space.f_favail == 0) {
    finding.fail("no inode is free in " + dir, "remove files from that file system");
  } else if (free < kFreeFail) {
    finding.fail(seen, "make room: what happens now cannot be stored, and a restart would lose it");
  } else if (free < kFreeWarn) {
    finding.warn(seen, "make room, or lower state.history-rows");
  } else {
    finding.ok(seen);
  }
}

std::uint64_t bytes_of(const fs::path& dir) {
  std::uint64_t bytes = 0;
  for (const char* name : {"state.db", "state.db-wal", "stats.db", "stats.db-wal"}) {
    std::error_code error;
    const auto size = fs::file_size(dir / name, error);
    bytes += error ? 0 : size;
  }
  return bytes;
}

void check_stopped_store(const std::string& dir, Finding& finding) {
  const std::uint64_t bytes = bytes_of(dir);
  if (bytes > kReadMax) {
    finding.ok("not read, because it is large (" + std::to_string(bytes / kMiB) +
               " MiB): basculectl stats verify --dir " + dir);
    return;
  }
  const auto checked = stats::sqlite::check_directory(dir);
  if (!checked) {
    finding.fail(checked.error().what, "is it the directory of Bascule?");
    return;
  }
  if (checked->is_sound()) {
    finding.ok("every page and record of it is sound");
    return;
  }
  finding.fail("what is stored there is damaged",
               "basculectl stats verify --dir " + dir +
                   " tells what; a start keeps what is sound and the damaged files aside");
}

void check_running_store(Examination& examination, Finding& finding) {
  const auto health = examination.running().get_json("/v1/stats/health");
  if (!health) {
    finding.warn("the running bascule does not tell how sound its store is",
                 "basculectl stats status");
    return;
  }
  bool sick = false;
  const nlohmann::json ready =
      examination.running().health()->value("problems", nlohmann::json::array());
  for (const nlohmann::json& problem : ready) {
    const std::string text = problem.is_string() ? problem.get<std::string>() : problem.dump();
    if (text.starts_with("store_") || text.starts_with("commit_")) {
      sick = true;
      finding.fail("the running bascule says " + text,
                   "basculectl stats status; is the disk full?");
    }
  }
  if (!sick) {
    finding.ok("the running bascule has no complaint about its store");
  }
}

}  // namespace

void check_state(Examination& examination, Finding& finding) {
  const std::string& dir = examination.config().state.dir;
  struct stat status {};
  if (::stat(dir.c_str(), &status) != 0) {
    const bool missing = errno == ENOENT;
    finding.fail(dir + ": " + std::generic_category().message(errno),
                 missing ? "install -d -m 0700 -o bascule -g bascule " + dir +
                               " (the systemd unit does it by StateDirectory=)"
                         : "run this as root, or as the user of bascule");
    return;
  }
  if (!S_ISDIR(status.st_mode)) {
    finding.fail(dir + " is no directory", "set state.dir to a directory");
    return;
  }
  check_owner(examination, dir, status, finding);
  check_space(dir, finding);
  if (examination.is_running()) {
    check_running_store(examination, finding);
  } else if (bytes_of(dir) == 0) {
    finding.ok("nothing is stored yet");
  } else {
    check_stopped_store(dir, finding);
  }
}

}  // namespace bascule::ctl::doctor
