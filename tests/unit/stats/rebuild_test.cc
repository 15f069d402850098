#include "stats/sqlite/rebuild.h"

#include <fstream>
#include <stop_token>
#include <thread>

#include "stats/sqlite/maintenance.h"
#include "tests/unit/stats/running_store.h"

namespace bascule::stats::sqlite {
namespace {

namespace fs = std::filesystem;

struct RebuildTest : RunningStoreTest {
  std::string history = state + "/stats.db";
  RebuildProgress progress;

  Result<Rebuilt> rebuild_beside(RebuildOptions options = {}) {
    return rebuild(state, options, store->rebuild_target(), progress);
  }
  void damage_row(int id) {
    execute_sql(history, "UPDATE bridge_sample SET raw=x'00' WHERE id=" + std::to_string(id));
  }
  std::uint64_t verified_rows() {
    const auto check = check_directory(state);
    return check ? check->files[1].records : 0;
  }
  /// Findings of a start from what is there.
  std::vector<Finding> findings_after_restart() {
    store.reset();
    return open(state).report.findings;
  }
};

TEST_F(RebuildTest, WhatIsSoundIsLeftAlone) {
  const auto rebuilt = rebuild_beside();
  ASSERT_TRUE(rebuilt.has_value()) << rebuilt.error().what;
  EXPECT_FALSE(rebuilt->history_replaced);
  EXPECT_FALSE(rebuilt->state_replaced);
  EXPECT_EQ(rebuilt->rows_expected, kTurns);
  EXPECT_EQ(rebuilt->rows_kept, kTurns);
  EXPECT_FALSE(fs::exists(state + "/quarantine"));
}

TEST_F(RebuildTest, DamagedRowsGoAndTheStoreWritesOn) {
  damage_row(7);
  execute_sql(history, "DELETE FROM bridge_sample WHERE id=12");
  const auto rebuilt = rebuild_beside();
  ASSERT_TRUE(rebuilt.has_value()) << rebuilt.error().what;
  EXPECT_TRUE(rebuilt->history_replaced);
  EXPECT_EQ(rebuilt->rows_expected, kTurns);
  EXPECT_EQ(rebuilt->rows_kept, kTurns - 2);
  EXPECT_EQ(rebuilt->rows_dropped(), 2U);
  ASSERT_EQ(rebuilt->moved_to.size(), 1U);
  EXPECT_TRUE(fs::exists(rebuilt->moved_to[0] + "/stats.db"));
  EXPECT_EQ(progress.rows_kept, kTurns - 2);
  write(kTurns + 1);
  EXPECT_EQ(verified_rows(), kTurns - 1);
  EXPECT_TRUE(store->status().reports_ok);
  EXPECT_TRUE(findings_after_restart().empty());
}

TEST_F(RebuildTest, KeptRowsKeepTheirTime) {
  const auto newest = check_directory(state)->files[1].newest;
  damage_row(7);
  ASSERT_TRUE(rebuild_beside().has_value());
  EXPECT_EQ(check_directory(state)->files[1].newest, newest);
}

TEST_F(RebuildTest, ASecondRebuildFindsNothingToDo) {
  damage_row(7);
  ASSERT_TRUE(rebuild_beside()->history_replaced);
  const auto again = rebuild_beside();
  ASSERT_TRUE(again.has_value());
  EXPECT_FALSE(again->history_replaced);
  EXPECT_EQ(again->rows_kept, kTurns - 1);
  EXPECT_EQ(again->rows_dropped(), 0U);
  EXPECT_TRUE(rebuild_beside({.force = true})->history_replaced);
  EXPECT_EQ(verified_rows(), kTurns - 1);
}

TEST_F(RebuildTest, ADryRunSaysWhatWouldGoAndChangesNothing) {
  damage_row(7);
  const auto dry = rebuild_beside({.dry_run = true});
  ASSERT_TRUE(dry.has_value());
  EXPECT_FALSE(dry->findings.empty());
  EXPECT_EQ(dry->rows_dropped(), 1U);
  EXPECT_FALSE(dry->history_replaced);
  EXPECT_FALSE(check_directory(state)->is_sound());
  EXPECT_FALSE(fs::exists(state + "/quarantine"));
}

TEST_F(RebuildTest, ADamagedLogIsWrittenAnewFromMemory) {
  execute_sql(state + "/state.db", "UPDATE oplog SET payload=x'00'");
  const auto rebuilt = rebuild_beside();
  ASSERT_TRUE(rebuilt.has_value()) << rebuilt.error().what;
  EXPECT_TRUE(rebuilt->state_replaced);
  EXPECT_FALSE(rebuilt->history_replaced);
  write(kTurns + 1);
  store.reset();
  const auto opened = open(state);
  EXPECT_TRUE(opened.report.findings.empty());
  EXPECT_EQ(opened.restored.tables, tables_after(kTurns + 1, "boot"));
}

TEST_F(RebuildTest, NothingAcknowledgedMeanwhileIsLost) {
  std::uint64_t last = kTurns;
  std::jthread writer([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      write(++last);
    }
  });
  std::uint64_t kept = 0;
  for (int i = 0; i < 20; ++i) {
    const auto rebuilt = rebuild_beside({.force = true});
    ASSERT_TRUE(rebuilt.has_value()) << rebuilt.error().what;
    EXPECT_EQ(rebuilt->rows_dropped(), 0U);
    EXPECT_GE(rebuilt->rows_kept, kept);
    kept = rebuilt->rows_kept;
  }
  writer.request_stop();
  writer.join();
  EXPECT_EQ(verified_rows(), last);
  EXPECT_TRUE(findings_after_restart().empty());
}

TEST_F(RebuildTest, AHistoryThatWasReplacedMeanwhileIsNotOverwritten) {
  RebuildTarget target = store->rebuild_target();
  target.take_history = [this](const HistoryCopy& taken) {
    HistoryCopy other = taken;
    ++other.original;
    return store->rebuild_target().take_history(other);
  };
  const auto rebuilt = rebuild(state, {.force = true}, target, progress);
  ASSERT_FALSE(rebuilt.has_value());
  EXPECT_EQ(rebuilt.error().code, Errc::kConflict);
  EXPECT_FALSE(fs::exists(history + ".rebuild"));
  write(kTurns + 1);
  EXPECT_EQ(verified_rows(), kTurns + 1);
}

TEST_F(RebuildTest, WhatAnInterruptedRebuildLeftIsNoObstacle) {
  std::ofstream(history + ".rebuild") << "half of a database";
  EXPECT_TRUE(rebuild_beside({.force = true})->history_replaced);
  EXPECT_FALSE(fs::exists(history + ".rebuild"));
  std::ofstream(history + ".rebuild") << "half of a database";
  EXPECT_TRUE(findings_after_restart().empty());
  EXPECT_FALSE(fs::exists(history + ".rebuild"));
  // Ended after the damaged file was moved away and before the new one took its name.
  store.reset();
  fs::rename(history, history + ".new");
  EXPECT_TRUE(findings_after_restart().empty());
  EXPECT_EQ(verified_rows(), kTurns);
}

TEST_F(RebuildTest, AStoppedDirectoryIsRebuiltInPlace) {
  EXPECT_EQ(rebuild_stopped(state, {}, progress).error().code, Errc::kConflict) << "the store runs";
  store.reset();
  damage_row(7);
  execute_sql(state + "/state.db",
              "UPDATE oplog SET payload=x'00' WHERE seq=(SELECT max(seq) FROM oplog)");
  const auto dry = rebuild_stopped(state, {.dry_run = true}, progress);
  ASSERT_TRUE(dry.has_value());
  EXPECT_EQ(dry->findings.size(), 3U);  // The broken log also ends too early.
  const auto rebuilt = rebuild_stopped(state, {}, progress);
  ASSERT_TRUE(rebuilt.has_value()) << rebuilt.error().what;
  EXPECT_EQ(rebuilt->findings.size(), 3U);
  EXPECT_EQ(rebuilt->rows_dropped(), 1U);
  EXPECT_EQ(rebuilt->moved_to.size(), 2U);
  EXPECT_TRUE(check_directory(state)->is_sound());
  EXPECT_EQ(verified_rows(), kTurns - 1);
  EXPECT_TRUE(rebuild_stopped(state, {.force = true}, progress)->history_replaced);
  EXPECT_EQ(verified_rows(), kTurns - 1);
  EXPECT_TRUE(findings_after_restart().empty());
}

TEST_F(RebuildTest, AHistoryThatCannotBeReadIsMadeAnewByTheStart) {
  store.reset();
  std::ofstream(history, std::ios::trunc)
      << "this is no database, it is a text that is long enough";
  const auto rebuilt = rebuild_stopped(state, {}, progress);
  ASSERT_TRUE(rebuilt.has_value()) << rebuilt.error().what;
  EXPECT_FALSE(rebuilt->findings.empty());
  EXPECT_TRUE(check_directory(state)->is_sound());
}

}  // namespace
}  // namespace bascule::stats::sqlite
