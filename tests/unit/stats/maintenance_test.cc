#include "stats/sqlite/maintenance.h"

#include <fstream>

#include <gtest/gtest.h>

#include "tests/unit/stats/running_store.h"

namespace bascule::stats::sqlite {
namespace {

namespace fs = std::filesystem;

using MaintenanceTest = RunningStoreTest;

TEST_F(MaintenanceTest, ARunningStoreIsVerifiedWithoutDisturbingIt) {
  const auto check = check_directory(state);
  ASSERT_TRUE(check.has_value());
  EXPECT_TRUE(check->is_sound());
  EXPECT_FALSE(check->stopped_in_order);
  ASSERT_EQ(check->files.size(), 2U);
  EXPECT_EQ(check->files[1].records, kTurns);
  EXPECT_TRUE(check->files[0].newest.has_value());
  write(kTurns + 1);
  EXPECT_EQ(check_directory(state)->files[1].records, kTurns + 1);
}

TEST_F(MaintenanceTest, VerifyNamesTheDamageAndSinceWhen) {
  store.reset();
  execute_sql(state + "/stats.db", "UPDATE bridge_sample SET raw=x'00' WHERE id=7");
  const auto check = check_directory(state);
  ASSERT_TRUE(check.has_value());
  EXPECT_FALSE(check->is_sound());
  ASSERT_EQ(check->files[1].findings.size(), 1U);
  const Finding& finding = check->files[1].findings[0];
  EXPECT_EQ(finding.damage, Damage::kChain);
  EXPECT_TRUE(finding.since.has_value());  // Row 6.
  EXPECT_EQ(check->files[1].records, kTurns - 1);
  EXPECT_NE(to_text(finding).find("since 2"), std::string::npos) << to_text(finding);
  EXPECT_TRUE(check->files[0].findings.empty());
}

TEST_F(MaintenanceTest, ABackupOfARunningStoreCanBeRestored) {
  const auto backed_up = back_up(state, copy);
  ASSERT_TRUE(backed_up.has_value()) << backed_up.error().what;
  EXPECT_TRUE(backed_up->is_sound());
  EXPECT_EQ(back_up(state, copy).error().code, Errc::kConflict);
  write(kTurns + 1);

  EXPECT_EQ(restore(copy, state).error().code, Errc::kConflict) << "the store runs";
  store.reset();
  for (int repeat = 0; repeat < 2; ++repeat) {
    const auto restored = restore(copy, state);
    ASSERT_TRUE(restored.has_value()) << restored.error().what;
  }
  const auto opened = open(state);
  EXPECT_TRUE(opened.report.findings.empty());
  EXPECT_TRUE(opened.report.clean);
  EXPECT_EQ(opened.restored.tables, tables_after(kTurns, "boot"));
  EXPECT_EQ(opened.restored.reports.size(), 3U);
  EXPECT_FALSE(fs::is_empty(state + "/quarantine")) << "what was replaced is kept";
}

TEST_F(MaintenanceTest, ADamagedBackupChangesNothing) {
  ASSERT_TRUE(back_up(state, copy).has_value());
  store.reset();
  execute_sql(copy + "/state.db", "DELETE FROM oplog WHERE seq=(SELECT max(seq) FROM oplog)");
  EXPECT_EQ(restore(copy, state).error().code, Errc::kCorrupt);
  const auto opened = open(state);
  EXPECT_TRUE(opened.report.findings.empty());
  EXPECT_EQ(opened.restored.tables, tables_after(kTurns, "boot"));
}

TEST_F(MaintenanceTest, ADamagedStoreGivesNoBackup) {
  store.reset();
  execute_sql(state + "/stats.db", "DELETE FROM bridge_sample WHERE id=9");
  EXPECT_EQ(back_up(state, copy).error().code, Errc::kCorrupt);
  EXPECT_FALSE(fs::exists(copy));
}

TEST_F(MaintenanceTest, HistoryGroupsTheReportsOfOneBridge) {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  const WallTime now(std::chrono::duration_cast<Duration>(since_epoch));
  HistoryQuery query{.bridge = "jvb1",
                     .from = now - std::chrono::hours{1},
                     .to = now + std::chrono::hours{1},
                     .step = std::chrono::hours{2}};
  const auto history = read_history(state, query);
  ASSERT_TRUE(history.has_value()) << history.error().what;
  EXPECT_EQ(history->bridge, "brewery@internal.example.net/jvb1");
  ASSERT_EQ(history->points.size(), 1U);
  EXPECT_EQ(history->points[0].reports, kTurns / 3);
  EXPECT_EQ(history->points[0].stress_max, 250'000);
  EXPECT_EQ(history->points[0].endpoints_max, 28);  // The newest number that is 1 modulo 3.
  EXPECT_EQ(history->damaged, 0U);

  query.bridge = "nobody";
  EXPECT_EQ(read_history(state, query).error().code, Errc::kNotFound);
  query.step = std::chrono::milliseconds{1};
  EXPECT_EQ(read_history(state, query).error().code, Errc::kInvalidArgument);

  store.reset();
  execute_sql(state + "/stats.db", "UPDATE bridge_sample SET raw=x'00' WHERE id=4");
  query = {.bridge = "brewery@internal.example.net/jvb1",
           .from = now - std::chrono::hours{1},
           .to = now + std::chrono::hours{1},
           .step = std::chrono::hours{2}};
  EXPECT_EQ(read_history(state, query)->damaged, 1U);
}

}  // namespace
}  // namespace bascule::stats::sqlite
