#pragma once

#include <memory>
#include <string>

#include <gtest/gtest.h>
#include <sqlite3.h>

#include "tests/unit/stats/store_support.h"

namespace bascule::stats::sqlite {

/// Changes a file behind the back of whoever uses it.
inline void execute_sql(const std::string& path, const std::string& sql) {
  sqlite3* handle = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &handle), SQLITE_OK);
  sqlite3_busy_timeout(handle, 5'000);
  char* problem = nullptr;
  EXPECT_EQ(sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, &problem), SQLITE_OK) << problem;
  sqlite3_free(problem);
  sqlite3_close(handle);
}

/// A running store with some content.
struct RunningStoreTest : testing::Test {
  static constexpr std::uint64_t kTurns = 30;
  TempFolder folder{Medium::kMemory};
  std::string state = folder / "state";
  std::string copy = folder / "copy";
  Completions done;
  std::unique_ptr<Store> store;

  void SetUp() override {
    open_store(state);
    for (std::uint64_t turn = 1; turn <= kTurns; ++turn) {
      write(turn);
    }
  }
  Store::Opened open(const std::string& directory) {
    auto opened =
        Store::open({.directory = directory, .boot_id = "boot", .snapshot_every = 50}, done.sink());
    EXPECT_TRUE(opened.has_value());
    return std::move(*opened);
  }
  void open_store(const std::string& directory) { store = open(directory).store; }
  void write(std::uint64_t turn) {
    store->commit(CommitId(turn), numbered_turn(turn));
    Batch batch;
    ASSERT_TRUE(batch.add(numbered_report(turn)));
    store->write(WriteId(turn), std::move(batch));
    ASSERT_TRUE(done.wait(CommitId(turn)));
    ASSERT_TRUE(done.wait(WriteId(turn)));
  }
};

}  // namespace bascule::stats::sqlite
