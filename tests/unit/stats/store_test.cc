#include "stats/sqlite/store.h"

#include <csignal>
#include <fstream>
#include <thread>

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/stats/store_support.h"

namespace bascule::stats::sqlite {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

StoreOptions options_for(const std::string& directory) {
  return {.directory = directory, .boot_id = "boot", .retry_after = milliseconds{50}};
}

struct StoreTest : testing::Test {
  TempFolder folder;
  std::string directory = folder / "state";
  Completions done;
  std::uint64_t next_turn = 1;

  Store::Opened open(const StoreOptions& options) {
    auto opened = Store::open(options, done.sink());
    EXPECT_TRUE(opened.has_value()) << (opened ? "" : opened.error().what);
    return std::move(*opened);
  }
  Store::Opened open() { return open(options_for(directory)); }

  Result<> commit(Store& store) {
    const CommitId id(next_turn++);
    store.commit(id, numbered_turn(id.value()));
    return done.wait(id);
  }
  Result<> write(Store& store, std::uint64_t number) {
    Batch batch;
    EXPECT_TRUE(batch.add(numbered_report(number)));
    store.write(WriteId(number), batch);
    return done.wait(WriteId(number));
  }
  void expect_turns(const focus::Tables& tables, std::uint64_t turns) {
    EXPECT_EQ(last_turn(tables), turns);
    EXPECT_EQ(tables, tables_after(turns, "boot"));
  }
};

TEST_F(StoreTest, AFirstStartIsEmptyAndSound) {
  const auto opened = open();
  EXPECT_TRUE(opened.report.findings.empty());
  EXPECT_TRUE(opened.restored.reports.empty());
  EXPECT_FALSE(opened.restored.last_commit.has_value());
  EXPECT_FALSE(opened.restored.same_boot);
  EXPECT_EQ(opened.restored.tables, tables_after(0, "boot"));
  struct stat status {};
  ASSERT_EQ(stat(directory.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0700U);
}

TEST_F(StoreTest, WhatWasCommittedIsThereAfterARestart) {
  {
    auto opened = open();
    for (int i = 0; i < 50; ++i) {
      ASSERT_TRUE(commit(*opened.store));
    }
    for (std::uint64_t number = 1; number <= 7; ++number) {
      ASSERT_TRUE(write(*opened.store, number));
    }
  }
  const auto opened = open();
  EXPECT_TRUE(opened.report.findings.empty());
  EXPECT_TRUE(opened.report.clean);
  EXPECT_TRUE(opened.restored.same_boot);
  EXPECT_TRUE(opened.restored.last_commit.has_value());
  expect_turns(opened.restored.tables, 50);
  ASSERT_EQ(opened.restored.reports.size(), 3U);
  for (const ReceivedReport& report : opened.restored.reports) {
    const auto number = static_cast<std::uint64_t>(*report.report.local_endpoints);
    EXPECT_GE(number, 5U);
    ReceivedReport expected = numbered_report(number);
    expected.source = ReportSource::kRestored;
    EXPECT_EQ(report, expected);
  }
}

TEST_F(StoreTest, EverythingIsReplaced) {
  focus::Tables other = tables_after(40, "boot");
  {
    const auto opened = open();
    for (int i = 0; i < 5; ++i) {
      ASSERT_TRUE(commit(*opened.store));
    }
    // Queued together: what comes before is gone, what comes after is kept.
    opened.store->commit(CommitId(next_turn), {focus::op::Note{"before"}});
    opened.store->replace(CommitId(next_turn + 1), other);
    opened.store->commit(CommitId(next_turn + 2), numbered_turn(41));
    for (int i = 0; i < 3; ++i) {
      EXPECT_TRUE(done.wait(CommitId(next_turn++)));
    }
  }
  const auto again = open();
  EXPECT_TRUE(again.report.findings.empty());
  expect_turns(again.restored.tables, 41);
}

TEST_F(StoreTest, AnotherBootMakesMonotonicTimesMeaningless) {
  {
    auto opened = open();
    opened.store->commit(
        CommitId(1), {focus::op::PendingSet{.stanza_id = "x", .deadline = Instant(Duration(5))}});
    ASSERT_TRUE(done.wait(CommitId(1)));
    ASSERT_TRUE(write(*opened.store, 4));
  }
  StoreOptions options = options_for(directory);
  options.boot_id = "another";
  const auto opened = open(options);
  EXPECT_FALSE(opened.restored.same_boot);
  EXPECT_TRUE(opened.restored.tables.pending.empty());
  ASSERT_EQ(opened.restored.reports.size(), 1U);
  EXPECT_EQ(opened.restored.reports[0].received, Instant{});
}

TEST_F(StoreTest, CompletionsComeInOrder) {
  auto opened = open();
  std::vector<std::uint64_t> expected;
  for (std::uint64_t id = 1; id <= 500; ++id) {
    opened.store->commit(CommitId(id), numbered_turn(id));
    expected.push_back(id);
  }
  ASSERT_TRUE(done.wait(CommitId(500)));
  EXPECT_EQ(done.order(), expected);
  EXPECT_LT(opened.store->status().transactions, 500U);  // Some shared a transaction.
}

// Goal: snapshots bound the log, and the state is right whichever of them a start reads.
TEST_F(StoreTest, TheLogIsBoundedBySnapshots) {
  StoreOptions options = options_for(directory);
  options.snapshot_every = 40;
  for (int start = 0; start < 6; ++start) {
    auto opened = open(options);
    ASSERT_TRUE(opened.report.findings.empty());
    expect_turns(opened.restored.tables, next_turn - 1);
    for (int i = 0; i < 100; ++i) {
      ASSERT_TRUE(commit(*opened.store));
    }
  }
  sqlite3* handle = nullptr;
  ASSERT_EQ(sqlite3_open((directory + "/state.db").c_str(), &handle), SQLITE_OK);
  sqlite3_stmt* count = nullptr;
  ASSERT_EQ(sqlite3_prepare_v2(handle, "SELECT count(*) FROM oplog", -1, &count, nullptr),
            SQLITE_OK);
  ASSERT_EQ(sqlite3_step(count), SQLITE_ROW);
  EXPECT_LT(sqlite3_column_int(count, 0), 1'500);  // Of some 3 600.
  sqlite3_finalize(count);
  sqlite3_close(handle);
}

TEST_F(StoreTest, HistoryIsBounded) {
  StoreOptions options = options_for(directory);
  options.reports_max = 1'000;
  {
    auto opened = open(options);
    for (std::uint64_t batch_number = 1; batch_number <= 30; ++batch_number) {
      Batch batch;
      for (std::uint64_t i = 0; i < 100; ++i) {
        ASSERT_TRUE(batch.add(numbered_report(batch_number * 100 + i)));
      }
      opened.store->write(WriteId(batch_number), batch);
      ASSERT_TRUE(done.wait(WriteId(batch_number)));
    }
  }
  const auto opened = open(options);
  EXPECT_TRUE(opened.report.findings.empty());
  EXPECT_LE(opened.report.reports, 1'000U + 500U);
  EXPECT_GE(opened.report.reports, 1'000U);
}

TEST_F(StoreTest, OnlyOneProcessMayUseADirectory) {
  const auto first = open();
  const auto second = Store::open(options_for(directory), [](const Completion&) {});
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, Errc::kConflict);
}

TEST_F(StoreTest, ADirectoryThatCannotBeIsRefused) {
  std::ofstream(folder / "file") << "x";
  const auto opened = Store::open(options_for(folder / "file"), [](const Completion&) {});
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, Errc::kInvalidArgument);
}

TEST_F(StoreTest, AFullDiskFailsCompletionsAndIsMadeUpForLater) {
  StoreOptions small = options_for(directory);
  small.pages_max = 60;
  std::uint64_t acknowledged = 0;
  {
    auto opened = open(small);
    while (next_turn < 5'000) {
      if (!commit(*opened.store)) {
        break;
      }
      acknowledged = next_turn - 1;
    }
    ASSERT_LT(next_turn, 5'000U);
    EXPECT_GT(opened.store->status().failures, 0U);
    EXPECT_THAT(opened.store->status().last_problem, testing::HasSubstr("full"));
  }
  const auto opened = open();
  EXPECT_TRUE(opened.report.findings.empty());
  EXPECT_GE(last_turn(opened.restored.tables), acknowledged);
  expect_turns(opened.restored.tables, last_turn(opened.restored.tables));
}

// Goal: after an I/O error nothing acknowledged is lost, and what failed meanwhile is written
// later. Method: a file size limit of this process makes every write beyond it fail.
TEST_F(StoreTest, AnIoErrorIsSurvivedAndMadeUpFor) {
  std::signal(SIGXFSZ, SIG_IGN);
  struct rlimit before {};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  {
    auto opened = open();
    ASSERT_TRUE(commit(*opened.store));
    struct rlimit tight = before;
    tight.rlim_cur = 4'096;
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &tight), 0);
    Result<> outcome;
    for (int i = 0; i < 50 && outcome; ++i) {
      outcome = commit(*opened.store);
    }
    EXPECT_FALSE(outcome.has_value());
    EXPECT_FALSE(commit(*opened.store));
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{10};
    while (!commit(*opened.store) && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(milliseconds{20});
    }
    ASSERT_TRUE(commit(*opened.store));
    EXPECT_TRUE(opened.store->status().state_ok);
  }
  const auto opened = open();
  EXPECT_TRUE(opened.report.findings.empty());
  expect_turns(opened.restored.tables, next_turn - 1);
}

TEST_F(StoreTest, FilesDeletedWhileRunningAreWrittenAgain) {
  {
    auto opened = open();
    ASSERT_TRUE(commit(*opened.store));
    ASSERT_TRUE(write(*opened.store, 1));
    for (const char* name : {"/state.db", "/state.db-wal", "/state.db-shm", "/stats.db",
                             "/stats.db-wal", "/stats.db-shm"}) {
      fs::remove(directory + name);
    }
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{10};
    std::uint64_t report = 2;
    while (opened.store->status().files_replaced < 2 &&
           std::chrono::steady_clock::now() < deadline) {
      commit(*opened.store);
      write(*opened.store, report++);
      std::this_thread::sleep_for(milliseconds{20});
    }
    EXPECT_EQ(opened.store->status().files_replaced, 2U);
    ASSERT_TRUE(commit(*opened.store));
    ASSERT_TRUE(write(*opened.store, report));
  }
  const auto opened = open();
  EXPECT_TRUE(opened.report.findings.empty());
  expect_turns(opened.restored.tables, next_turn - 1);
  EXPECT_FALSE(opened.restored.reports.empty());
}

TEST_F(StoreTest, AFullQueueIsAnErrorThatIsNotForgotten) {
  StoreOptions options = options_for(directory);
  options.queue_operations_max = 5;
  auto opened = open(options);
  std::vector<focus::Operation> too_many(6, focus::op::Note{"x"});
  opened.store->commit(CommitId(1), too_many);
  EXPECT_EQ(done.wait(CommitId(1)).error().code, Errc::kUnavailable);
  opened.store->commit(CommitId(2), {focus::op::Note{"x"}});
  EXPECT_EQ(done.wait(CommitId(2)).error().code, Errc::kUnavailable);
  EXPECT_FALSE(opened.store->status().state_ok);
}

// Goal: a directory without write permission is read, never written, and said to be so. Permission
// bits do not bind root, so a root test run borrows another user id for the effective one.
TEST_F(StoreTest, AReadOnlyDirectoryIsReadAndReported) {
  {
    auto opened = open();
    for (int i = 0; i < 5; ++i) {
      ASSERT_TRUE(commit(*opened.store));
    }
    ASSERT_TRUE(write(*opened.store, 1));
  }
  constexpr uid_t kNobody = 65534;
  const bool is_root = geteuid() == 0;
  if (is_root) {
    fs::permissions(folder.path(), fs::perms::all);
    for (const auto& entry : fs::recursive_directory_iterator(folder.path())) {
      ASSERT_EQ(chown(entry.path().c_str(), kNobody, kNobody), 0);
      if (entry.is_regular_file()) {
        fs::permissions(entry.path(), fs::perms::owner_read);
      }
    }
    ASSERT_EQ(seteuid(kNobody), 0);
  }
  fs::permissions(directory, fs::perms::owner_read | fs::perms::owner_exec);
  {
    auto opened = open();
    expect_turns(opened.restored.tables, 5);
    EXPECT_EQ(opened.restored.reports.size(), 1U);
    EXPECT_FALSE(commit(*opened.store));
    EXPECT_FALSE(write(*opened.store, 2));
    EXPECT_FALSE(opened.store->status().state_ok);
    EXPECT_THAT(opened.store->status().last_problem, testing::HasSubstr("read-only"));
  }
  fs::permissions(directory, fs::perms::owner_all);
  if (is_root) {
    ASSERT_EQ(seteuid(0), 0);
  }
}

}  // namespace
}  // namespace bascule::stats::sqlite
