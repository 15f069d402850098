// A start, and a run, on a disk that is full, read-only, or fails to sync; and what a process that
// was killed leaves behind.

#include <array>
#include <atomic>
#include <csignal>
#include <fstream>
#include <map>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/stats/store_support.h"

namespace bascule::stats::sqlite {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using testing::HasSubstr;

/// A file system of its own; needs the right to mount.
class SmallDisk {
 public:
  explicit SmallDisk(const std::string& path) : path_(path) {
    fs::create_directory(path);
    is_there_ = mount("none", path.c_str(), "tmpfs", 0, "size=1m") == 0;
  }
  ~SmallDisk() {
    if (is_there_) {
      umount2(path_.c_str(), MNT_DETACH);
    }
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  [[nodiscard]] bool is_there() const { return is_there_; }
  bool set_read_only(bool read_only) const {
    return mount("none", path_.c_str(), "tmpfs", read_only ? MS_REMOUNT | MS_RDONLY : MS_REMOUNT,
                 "size=1m") == 0;
  }
  [[nodiscard]] std::string path() const { return path_; }

 private:
  std::string path_;
  bool is_there_ = false;
};

// ---- a file system that fails to sync --------------------------------------------------------

std::atomic<bool> syncs_fail{false};
sqlite3_vfs* real_vfs = nullptr;
int (*real_sync)(sqlite3_file*, int) = nullptr;

int sync_or_fail(sqlite3_file* file, int flags) {
  return syncs_fail ? SQLITE_IOERR_FSYNC : real_sync(file, flags);
}

int open_with_own_sync(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags,
                       int* out_flags) {
  // Databases and their logs have different tables of methods.
  static std::map<const sqlite3_io_methods*, sqlite3_io_methods> tables;
  const int code = real_vfs->xOpen(real_vfs, name, file, flags, out_flags);
  if (code == SQLITE_OK) {
    real_sync = file->pMethods->xSync;
    sqlite3_io_methods& own = tables.try_emplace(file->pMethods, *file->pMethods).first->second;
    own.xSync = sync_or_fail;
    file->pMethods = &own;
  }
  return code;
}

/// The default VFS while it lives.
class FailingSyncs {
 public:
  FailingSyncs() {
    real_vfs = sqlite3_vfs_find("unix");
    vfs_ = *real_vfs;
    vfs_.zName = "failing-syncs";
    vfs_.xOpen = open_with_own_sync;
    sqlite3_vfs_register(&vfs_, 1);
  }
  ~FailingSyncs() {
    sqlite3_vfs_unregister(&vfs_);
    sqlite3_vfs_register(real_vfs, 1);
    syncs_fail = false;
  }
  FailingSyncs(const FailingSyncs&) = delete;
  FailingSyncs& operator=(const FailingSyncs&) = delete;

 private:
  sqlite3_vfs vfs_{};
};

struct StoreDiskTest : testing::Test {
  TempFolder folder;
  Completions done;
  std::uint64_t next_turn = 1;

  Store::Opened open(const std::string& directory) {
    auto opened = Store::open(
        {.directory = directory, .boot_id = "boot", .retry_after = milliseconds{50}}, done.sink());
    EXPECT_TRUE(opened.has_value()) << (opened ? "" : opened.error().what);
    return std::move(*opened);
  }
  Result<> commit(Store& store) {
    const CommitId id(next_turn++);
    store.commit(id, numbered_turn(id.value()));
    return done.wait(id);
  }
  /// Until the store has made up for what failed.
  void commit_until_it_works(Store& store) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    while (!commit(store) && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(milliseconds{20});
    }
    EXPECT_TRUE(commit(store));
    EXPECT_TRUE(store.status().state_ok);
  }
  /// Everything is there, also what could not be written at first.
  void expect_all_turns(const std::string& directory) {
    const auto opened = open(directory);
    EXPECT_TRUE(opened.report.findings.empty());
    EXPECT_EQ(opened.restored.tables, tables_after(next_turn - 1, "boot"));
  }
};

// Goal: what a killed process locked is free, whatever its lock file holds.
TEST_F(StoreDiskTest, TheLockOfAKilledProcessIsFree) {
  const std::string directory = folder / "state";
  std::array<int, 2> opened_it{};
  ASSERT_EQ(pipe(opened_it.data()), 0);
  const pid_t child = fork();
  if (child == 0) {
    const auto opened = Store::open({.directory = directory, .boot_id = "boot"}, done.sink());
    const char yes = opened ? 'y' : 'n';
    static_cast<void>(write(opened_it[1], &yes, 1));
    for (;;) {
      pause();
    }
  }
  char answer = 0;
  ASSERT_EQ(read(opened_it[0], &answer, 1), 1);
  ASSERT_EQ(answer, 'y');
  const auto held = Store::open({.directory = directory}, done.sink());
  ASSERT_FALSE(held.has_value());
  EXPECT_EQ(held.error().code, Errc::kConflict);
  kill(child, SIGKILL);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  std::ofstream(directory + "/instance.lock") << child << " was here\n";
  auto opened = open(directory);
  EXPECT_TRUE(opened.report.findings.empty());
  EXPECT_TRUE(commit(*opened.store));
}

/// A disk of one MiB of its own.
struct StoreOnSmallDiskTest : StoreDiskTest {
  SmallDisk disk{folder / "disk"};
  std::string directory = disk.path() + "/state";
  std::string ballast = disk.path() + "/ballast";

  void SetUp() override {
    if (!disk.is_there()) {
      GTEST_SKIP() << "no right to mount";
    }
  }
  void write_five_turns() {
    auto opened = open(directory);
    for (int i = 0; i < 5; ++i) {
      ASSERT_TRUE(commit(*opened.store));
    }
  }
  void fill_disk() { std::ofstream(ballast) << std::string(1U << 20U, 'x'); }
};

TEST_F(StoreOnSmallDiskTest, AReadOnlyDiskIsReadReportedAndWrittenToWhenItCanBe) {
  write_five_turns();
  ASSERT_TRUE(disk.set_read_only(true));
  {
    auto opened = open(directory);
    EXPECT_TRUE(opened.report.findings.empty());
    EXPECT_EQ(opened.restored.tables, tables_after(5, "boot"));
    EXPECT_FALSE(commit(*opened.store));
    EXPECT_FALSE(opened.store->status().state_ok);
    EXPECT_THAT(opened.store->status().last_problem, HasSubstr("read-only"));
    ASSERT_TRUE(disk.set_read_only(false));
    commit_until_it_works(*opened.store);
  }
  expect_all_turns(directory);
}

TEST_F(StoreOnSmallDiskTest, ADiskThatBecomesFullIsMadeUpForWhenThereIsRoom) {
  {
    auto opened = open(directory);
    ASSERT_TRUE(commit(*opened.store));
    fill_disk();
    Result<> outcome;
    while (next_turn < 2'000 && outcome) {
      outcome = commit(*opened.store);
    }
    ASSERT_FALSE(outcome);
    EXPECT_FALSE(opened.store->status().state_ok);
    EXPECT_FALSE(commit(*opened.store));
    fs::remove(ballast);
    commit_until_it_works(*opened.store);
  }
  expect_all_turns(directory);
}

TEST_F(StoreOnSmallDiskTest, AStartOnAFullDiskServesWhatIsThere) {
  write_five_turns();
  fill_disk();
  {
    auto opened = open(directory);
    for (const auto& finding : opened.report.findings) {
      ADD_FAILURE() << to_text(finding);
    }
    EXPECT_EQ(opened.restored.tables, tables_after(5, "boot"));
    commit(*opened.store);  // May fit into what is left of a page.
    fs::remove(ballast);
    commit_until_it_works(*opened.store);
  }
  expect_all_turns(directory);
}

// The kernel may have dropped what it could not write, and says so once: the same file is never
// trusted again.
TEST_F(StoreDiskTest, AFileWhoseSyncFailedIsReplaced) {
  const FailingSyncs disk;
  const std::string directory = folder / "state";
  {
    auto opened = open(directory);
    ASSERT_TRUE(commit(*opened.store));
    syncs_fail = true;
    EXPECT_FALSE(commit(*opened.store));
    EXPECT_FALSE(opened.store->status().state_ok);
    syncs_fail = false;
    commit_until_it_works(*opened.store);
    EXPECT_GE(opened.store->status().files_replaced, 1U);
    EXPECT_FALSE(fs::is_empty(directory + "/quarantine"));
  }
  expect_all_turns(directory);
}

}  // namespace
}  // namespace bascule::stats::sqlite
