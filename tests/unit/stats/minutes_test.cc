// Sums per minute, and files of the schema that had none.

#include "stats/sqlite/minutes.h"

#include "stats/sqlite/maintenance.h"
#include "stats/sqlite/rebuild.h"
#include "stats/sqlite/report_file.h"
#include "tests/unit/stats/running_store.h"

namespace bascule::stats::sqlite {
namespace {

namespace fs = std::filesystem;

std::int64_t integer(const std::string& path, const std::string& sql) {
  auto database = Database::open(path, OpenMode::kReadOnly);
  return database ? database->query_integer(sql).value_or(-1) : -1;
}

/// A store that keeps 600 reports.
struct MinutesTest : testing::Test {
  static constexpr std::uint64_t kReports = 2'000;
  TempFolder folder{Medium::kMemory};
  std::string state = folder / "state";
  std::string history = state + "/stats.db";
  Completions done;
  std::unique_ptr<Store> store;

  void SetUp() override {
    auto opened =
        Store::open({.directory = state, .boot_id = "boot", .reports_max = 600}, done.sink());
    ASSERT_TRUE(opened.has_value());
    store = std::move(opened->store);
    Batch batch(kReports);
    for (std::uint64_t number = 1; number <= kReports; ++number) {
      ASSERT_TRUE(batch.add(numbered_report(number)).has_value());
    }
    store->write(WriteId(1), std::move(batch));
    ASSERT_TRUE(done.wait(WriteId(1)).has_value());
    store.reset();  // Pruning goes on until nothing is over the limit.
    opened = Store::open({.directory = state, .boot_id = "boot", .reports_max = 600}, done.sink());
    store = std::move(opened->store);
    until_pruned();
  }
  void until_pruned() {
    while (integer(history, "SELECT count(*) FROM bridge_sample") > 600) {
      std::this_thread::yield();
    }
  }
  History all_of(const std::string& bridge) {
    const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
    const WallTime now(std::chrono::duration_cast<Duration>(since_epoch));
    auto read = read_history(state, {.bridge = bridge,
                                     .from = now - std::chrono::hours{1},
                                     .to = now + std::chrono::hours{1},
                                     .step = std::chrono::hours{2}});
    EXPECT_TRUE(read.has_value());
    return read.value_or(History{});
  }
};

TEST_F(MinutesTest, HistoryIsTheSameBeforeAndAfterPruning) {
  EXPECT_EQ(integer(history, "SELECT count(*) FROM bridge_sample"), 600);
  EXPECT_EQ(integer(history, "SELECT sum(reports) FROM bridge_minute"), kReports - 600);
  std::uint64_t reports = 0;
  for (const char* bridge : {"jvb0", "jvb1", "jvb2"}) {
    const History read = all_of(bridge);
    ASSERT_EQ(read.points.size(), 1U);
    EXPECT_EQ(read.points[0].stress_max, 250'000);
    EXPECT_EQ(read.points[0].stress_mean, 250'000);
    EXPECT_GE(read.points[0].endpoints_max, 1'998);
    reports += read.points[0].reports;
  }
  EXPECT_EQ(reports, kReports);
  EXPECT_TRUE(check_directory(state)->is_sound());
}

TEST_F(MinutesTest, ADamagedSumIsFoundAndLeftOut) {
  execute_sql(history, "UPDATE bridge_minute SET reports=reports+1 WHERE bridge LIKE '%jvb1'");
  const auto check = check_directory(state);
  ASSERT_EQ(check->files[1].findings.size(), 1U);
  EXPECT_EQ(check->files[1].findings[0].damage, Damage::kRecord);
  EXPECT_GE(check->files[1].findings[0].lost, 1U);
  EXPECT_GE(all_of("jvb1").damaged, 1U);
  EXPECT_EQ(all_of("jvb0").damaged, 0U);

  RebuildProgress progress;
  const auto rebuilt = rebuild(state, {}, store->rebuild_target(), progress);
  ASSERT_TRUE(rebuilt.has_value()) << rebuilt.error().what;
  EXPECT_TRUE(check_directory(state)->is_sound());
  EXPECT_EQ(all_of("jvb1").damaged, 0U);
  EXPECT_EQ(rebuilt->rows_kept, 600U);
}

TEST_F(MinutesTest, ARebuildCountsNothingTwice) {
  RebuildProgress progress;
  ASSERT_TRUE(rebuild(state, {.force = true}, store->rebuild_target(), progress).has_value());
  EXPECT_EQ(integer(history, "SELECT sum(reports) FROM bridge_minute"), kReports - 600);
  Batch batch(1'000);
  for (std::uint64_t number = kReports + 1; number <= kReports + 1'000; ++number) {
    ASSERT_TRUE(batch.add(numbered_report(number)).has_value());
  }
  store->write(WriteId(2), std::move(batch));
  ASSERT_TRUE(done.wait(WriteId(2)).has_value());
  until_pruned();
  EXPECT_EQ(integer(history, "SELECT sum(reports) FROM bridge_minute"), kReports + 400);
}

TEST(MinuteTable, TheOldestGoFirstByAgeAndByNumber) {
  TempFolder folder{Medium::kMemory};
  auto file = Database::open(folder / "minutes.db", OpenMode::kCreate);
  ASSERT_TRUE(file && file->execute(kMinuteSchema));
  auto table = MinuteTable::open(*file, {.rows_max = 5, .age_max = std::chrono::minutes{60}});
  ASSERT_TRUE(table.has_value());
  MinuteSums sums;
  for (std::int64_t minute = 100; minute < 110; ++minute) {
    sums[{"jvb", minute}] = {.reports = 1};
  }
  ASSERT_TRUE(table->add(sums));
  ASSERT_TRUE(table->add({{{"jvb", 109}, {.reports = 2}}}));
  EXPECT_TRUE(*table->prune(*file, start_of(110)));
  EXPECT_FALSE(*table->prune(*file, start_of(110)));
  EXPECT_EQ(integer(folder / "minutes.db", "SELECT min(minute) FROM bridge_minute"), 105);
  EXPECT_EQ(integer(folder / "minutes.db", "SELECT sum(reports) FROM bridge_minute"), 7);
  EXPECT_TRUE(*table->prune(*file, start_of(168)));
  EXPECT_EQ(integer(folder / "minutes.db", "SELECT min(minute) FROM bridge_minute"), 109);
}

// What the operations of the fixture are is a matter of the version that made it.
constexpr std::uint64_t kFixtureOperations = 35;

/// Made by the version with schema 1: 30 turns and 30 reports, stopped in order.
struct SchemaTest : testing::Test {
  TempFolder folder{Medium::kMemory};
  std::string state = folder / "state";
  Completions done;
  void SetUp() override {
    fs::copy(BASCULE_SOURCE_DIR "/tests/unit/stats/fixtures/schema-1", state);
  }
};

TEST_F(SchemaTest, AnOldFileIsVerifiedAsItIsAndBroughtUpToDateByTheStart) {
  EXPECT_TRUE(check_directory(state)->is_sound());
  auto opened = Store::open({.directory = state, .boot_id = "boot"}, done.sink());
  ASSERT_TRUE(opened.has_value());
  EXPECT_TRUE(opened->report.findings.empty());
  ASSERT_EQ(opened->report.migrations.size(), 1U);
  const auto& migration = opened->report.migrations[0];
  EXPECT_EQ(migration.file, "stats.db");
  EXPECT_EQ(migration.from, 1);
  EXPECT_EQ(integer(migration.copy + "/stats.db", "PRAGMA user_version"), 1);
  EXPECT_EQ(integer(state + "/stats.db", "PRAGMA user_version"), kStatsSchemaVersion);
  EXPECT_EQ(opened->report.operations, kFixtureOperations);
  EXPECT_EQ(opened->restored.tables.boot_id, "boot");
  EXPECT_EQ(opened->restored.reports.size(), 3U);
  EXPECT_TRUE(check_directory(state)->is_sound());
  opened->store.reset();
  EXPECT_TRUE(Store::open({.directory = state}, done.sink())->report.migrations.empty());
}

TEST_F(SchemaTest, WhatCannotBeMigratedIsCopiedRecordByRecord) {
  execute_sql(state + "/stats.db", "DROP INDEX ix_sample");  // Which the migration replaces.
  auto opened = Store::open({.directory = state, .boot_id = "boot"}, done.sink());
  ASSERT_TRUE(opened.has_value());
  ASSERT_EQ(opened->report.findings.size(), 1U);
  EXPECT_NE(opened->report.findings[0].detail.find("cannot be brought up to date"),
            std::string::npos);
  EXPECT_EQ(opened->report.reports, 30U);
  EXPECT_TRUE(check_directory(state)->is_sound());
}

}  // namespace
}  // namespace bascule::stats::sqlite
