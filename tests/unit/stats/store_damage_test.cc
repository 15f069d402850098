#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>
#include <sqlite3.h>

#include "base/prng.h"
#include "stats/sqlite/directory.h"
#include "stats/sqlite/loader.h"
#include "tests/unit/stats/store_support.h"

namespace bascule::stats::sqlite {
namespace {

namespace fs = std::filesystem;

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

/// A directory with some history, and a scratch copy to damage.
struct StoreDamageTest : testing::Test {
  static constexpr std::uint64_t kTurns = 60;
  TempFolder folder{Medium::kMemory};
  std::string original = folder / "original";
  std::string copy = folder / "copy";
  focus::Restored sound;

  /// `live`: copy while the store is open, so that the write-ahead logs are full.
  void make(bool live, std::uint64_t snapshot_every = 100) {
    Completions done;
    {
      auto opened = open(original, snapshot_every, done);
      for (std::uint64_t turn = 1; turn <= kTurns; ++turn) {
        opened.store->commit(CommitId(turn), numbered_turn(turn));
        Batch batch;
        ASSERT_TRUE(batch.add(numbered_report(turn)));
        opened.store->write(WriteId(turn), batch);
        ASSERT_TRUE(done.wait(CommitId(turn)));
        ASSERT_TRUE(done.wait(WriteId(turn)));
      }
      if (live) {
        fs::copy(original, folder / "live", fs::copy_options::recursive);
      }
    }
    if (live) {
      original = folder / "live";
    }
    restore();
    sound = open(copy, snapshot_every, done).restored;
    ASSERT_EQ(sound.tables, tables_after(kTurns, "boot"));
    ASSERT_EQ(sound.reports.size(), 3U);
    restore();
  }
  void restore() {
    fs::remove_all(copy);
    fs::copy(original, copy, fs::copy_options::recursive);
  }
  static Store::Opened open(const std::string& directory, std::uint64_t snapshot_every,
                            Completions& done) {
    auto opened = Store::open(
        {.directory = directory, .boot_id = "boot", .snapshot_every = snapshot_every}, done.sink());
    EXPECT_TRUE(opened.has_value());
    return std::move(*opened);
  }

  /// Without the monotonic times: they mean nothing when the state, and so the boot, was lost.
  static std::vector<ReceivedReport> ageless(std::vector<ReceivedReport> reports) {
    for (ReceivedReport& report : reports) {
      report.received = Instant{};
    }
    return reports;
  }

  /// Opens the damaged copy: either everything is there, or the loss is reported; and either way
  /// the store works, and what it then holds is sound at the next start.
  LoadReport open_damaged() {
    Completions done;
    LoadReport report;
    focus::Restored restored;
    {
      auto opened = open(copy, 100, done);
      report = opened.report;
      restored = opened.restored;
      opened.store->commit(CommitId(1), {focus::op::Note{"after"}});
      EXPECT_TRUE(done.wait(CommitId(1)));
    }
    if (report.findings.empty()) {
      EXPECT_EQ(restored.tables, sound.tables);
      EXPECT_EQ(restored.reports, sound.reports);
    }
    if (++opens_ % 8 == 0) {
      const auto again = open(copy, 100, done);
      EXPECT_TRUE(again.report.findings.empty());
      EXPECT_EQ(again.restored.tables, restored.tables);
      EXPECT_EQ(ageless(again.restored.reports), ageless(restored.reports));
    }
    return report;
  }

  /// Flips one bit at `flips` places spread over the file; returns how many were found.
  int flip(const std::string& name, int flips, std::uint64_t seed) {
    const std::string bytes = read_file(original + "/" + name);
    EXPECT_FALSE(bytes.empty()) << name;
    Prng prng(seed);
    int found = 0;
    for (int i = 0; i < flips && !bytes.empty(); ++i) {
      const std::size_t region =
          bytes.size() * static_cast<std::size_t>(i) / static_cast<std::size_t>(flips);
      const std::size_t width =
          std::max<std::size_t>(1, bytes.size() / static_cast<std::size_t>(flips));
      const std::size_t at = std::min(bytes.size() - 1, region + prng.below(width));
      const unsigned bit = static_cast<unsigned>(prng.below(8));
      SCOPED_TRACE(testing::Message() << name << " byte " << at << " bit " << bit);
      restore();
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
      write_file(copy + "/" + name, damaged);
      found += open_damaged().findings.empty() ? 0 : 1;
    }
    return found;
  }

 private:
  int opens_ = 0;
};

// The head of a page and the cells matter, the free space in it does not: so some flips are
// harmless.
TEST_F(StoreDamageTest, FlippedBitsAreFoundOrHarmless) {
  make(/*live=*/false);
  EXPECT_GT(flip("state.db", 120, 1), 20);
  EXPECT_GT(flip("stats.db", 80, 2), 20);
  flip("head.a", 12, 3);
  flip("head.b", 12, 4);
}

TEST_F(StoreDamageTest, FlippedBitsInTheDatabaseHeaderAreFoundOrHarmless) {
  make(/*live=*/false);
  const std::string bytes = read_file(original + "/state.db");
  for (std::size_t at = 0; at < 100; at += 3) {
    SCOPED_TRACE(testing::Message() << "byte " << at);
    restore();
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << (at % 8)));
    write_file(copy + "/state.db", damaged);
    open_damaged();
  }
}

TEST_F(StoreDamageTest, ADamagedWriteAheadLogIsARollbackThatIsFound) {
  make(/*live=*/true, /*snapshot_every=*/1'000'000);
  EXPECT_GT(flip("state.db-wal", 40, 5), 10);
  EXPECT_GT(flip("stats.db-wal", 25, 6), 5);
  restore();
  fs::remove(copy + "/state.db-wal");
  fs::remove(copy + "/state.db-shm");
  const auto report = open_damaged();
  ASSERT_FALSE(report.findings.empty());
  EXPECT_EQ(report.findings[0].file, "state.db");
}

TEST_F(StoreDamageTest, ATruncatedFileGivesWhatIsLeft) {
  make(/*live=*/false);
  for (const char* name : {"state.db", "stats.db"}) {
    const auto size = fs::file_size(original + "/" + name);
    std::vector<std::uintmax_t> lengths{0};
    for (std::uintmax_t page = 4'096; page < size; page += 4'096) {
      lengths.insert(lengths.end(), {page - 1, page, page + 1});
    }
    for (const std::uintmax_t length : lengths) {
      SCOPED_TRACE(testing::Message() << name << " cut to " << length);
      restore();
      fs::resize_file(copy + "/" + name, length);
      const auto report = open_damaged();
      if (report.findings.empty()) {
        // Only a free page may have been cut off: then open_damaged found everything there.
        ASSERT_GT(length + 8'192, size);
        continue;
      }
      EXPECT_EQ(report.findings[0].file, name);
      EXPECT_FALSE(report.moved_to.empty());
    }
  }
}

TEST_F(StoreDamageTest, AMissingFileIsNotAFirstStart) {
  make(/*live=*/false);
  for (const char* name : {"state.db", "stats.db"}) {
    SCOPED_TRACE(name);
    restore();
    fs::remove(copy + "/" + name);
    const auto report = open_damaged();
    ASSERT_EQ(report.findings.size(), 1U);
    EXPECT_EQ(report.findings[0].damage, Damage::kMissing);
    EXPECT_GE(report.findings[0].lost, kTurns);
    EXPECT_EQ(report.findings[0].file, name);
  }
}

TEST_F(StoreDamageTest, AFileThatIsNoDatabaseIsKeptAside) {
  make(/*live=*/false);
  write_file(copy + "/state.db", std::string(20'000, 'x'));
  const auto report = open_damaged();
  ASSERT_FALSE(report.findings.empty());
  EXPECT_EQ(report.findings[0].damage, Damage::kForeign);
  ASSERT_EQ(report.moved_to.size(), 1U);
  EXPECT_EQ(read_file(report.moved_to[0] + "/state.db"), std::string(20'000, 'x'));
}

TEST_F(StoreDamageTest, AnOlderCopyIsARollback) {
  make(/*live=*/false);
  Completions done;
  {
    auto opened = open(copy, 100, done);
    opened.store->commit(CommitId(1), {focus::op::Note{"newer"}, focus::op::Note{"newest"}});
    ASSERT_TRUE(done.wait(CommitId(1)));
  }
  fs::copy_file(original + "/state.db", copy + "/state.db", fs::copy_options::overwrite_existing);
  const auto opened = open(copy, 100, done);
  ASSERT_EQ(opened.report.findings.size(), 1U);
  EXPECT_EQ(opened.report.findings[0].damage, Damage::kRolledBack);
  EXPECT_EQ(opened.report.findings[0].lost, 3U);  // Two notes, and the start before them.
  EXPECT_EQ(opened.restored.tables, sound.tables);
}

void execute(const std::string& path, const std::string& sql) {
  sqlite3* handle = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &handle), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(handle);
}

TEST_F(StoreDamageTest, WrongIdentityAndVersionAreKeptAside) {
  make(/*live=*/false);
  for (const auto& [sql, damage] : {std::tuple{"PRAGMA user_version=99", Damage::kTooNew},
                                    std::tuple{"PRAGMA user_version=0", Damage::kForeign},
                                    std::tuple{"PRAGMA application_id=7", Damage::kForeign}}) {
    for (const char* name : {"state.db", "stats.db"}) {
      SCOPED_TRACE(testing::Message() << name << " " << sql);
      restore();
      execute(copy + "/" + name, sql);
      const auto report = open_damaged();
      ASSERT_FALSE(report.findings.empty());
      EXPECT_EQ(report.findings[0].damage, damage);
      EXPECT_EQ(report.moved_to.size(), 1U);
    }
  }
}

TEST_F(StoreDamageTest, WithoutMarksEverythingIsServedAndSaidToBeUnproved) {
  make(/*live=*/false);
  for (const char* name : {"head.a", "head.b"}) {
    write_file(copy + "/" + name, "xx");
  }
  Completions done;
  {
    const auto opened = open(copy, 100, done);
    ASSERT_EQ(opened.report.findings.size(), 1U);
    EXPECT_EQ(opened.report.findings[0].file, "head");
    EXPECT_FALSE(opened.report.findings[0].lost.has_value());
    EXPECT_EQ(opened.restored.tables, sound.tables);
  }
  EXPECT_TRUE(open(copy, 100, done).report.findings.empty());
}

// Goal: a record that SQLite finds perfectly valid is still not believed.
TEST_F(StoreDamageTest, RecordsChangedDeletedOrAddedBySqlAreFound) {
  make(/*live=*/false);
  for (const auto& [name, sql] :
       {std::tuple{"state.db",
                   "UPDATE oplog SET payload=x'a0' WHERE seq=(SELECT max(seq)-3 FROM oplog)"},
        std::tuple{"state.db", "DELETE FROM oplog WHERE seq=(SELECT max(seq) FROM oplog)"},
        std::tuple{"state.db", "DELETE FROM oplog WHERE seq=(SELECT max(seq)-5 FROM oplog)"},
        std::tuple{"state.db", "UPDATE snapshot SET payload=x'a0' WHERE ordinal=2"},
        std::tuple{"state.db",
                   "DELETE FROM snapshot WHERE ordinal=(SELECT max(ordinal) FROM snapshot)"},
        std::tuple{"state.db", "DELETE FROM snapshot_head"},
        std::tuple{"state.db", "DELETE FROM meta"}, std::tuple{"state.db", "DROP TABLE oplog"},
        std::tuple{"stats.db", "UPDATE bridge_sample SET raw=x'00' WHERE id=7"},
        std::tuple{"stats.db", "DELETE FROM bridge_sample WHERE id=9"},
        std::tuple{"stats.db", "DELETE FROM bridge_sample WHERE id=60"},
        std::tuple{"stats.db", "DELETE FROM meta WHERE k='tip'"},
        std::tuple{"stats.db", "DROP TABLE bridge_sample"}}) {
    SCOPED_TRACE(sql);
    restore();
    execute(copy + "/" + name, sql);
    const auto report = open_damaged();
    ASSERT_FALSE(report.findings.empty());
    EXPECT_EQ(report.findings[0].file, name);
  }
}

// Goal: a cut log loses whole turns only, from the damage on, and says how many operations.
TEST_F(StoreDamageTest, ABrokenLogIsUsedUpToItsLastSoundTurn) {
  make(/*live=*/false, /*snapshot_every=*/1'000'000);
  execute(copy + "/state.db",
          "UPDATE oplog SET payload=x'a0' WHERE seq=(SELECT max(seq)-1 FROM oplog)");
  Completions done;
  const auto opened = open(copy, 100, done);
  EXPECT_EQ(opened.restored.tables, tables_after(kTurns - 1, "boot"));
  std::uint64_t lost = 0;
  for (const Finding& finding : opened.report.findings) {
    lost = std::max(lost, finding.lost.value_or(0));
  }
  EXPECT_EQ(lost, numbered_turn(kTurns).size());
}

/// Rows of the snapshot that SQL calls damaged are gone with everything that belongs to them, and
/// the log is applied to the rest.
TEST_F(StoreDamageTest, ADamagedSnapshotServesWholeConferencesOnly) {
  make(/*live=*/false, /*snapshot_every=*/100);
  const focus::Tables whole = tables_after(kTurns, "boot");
  int partial = 0;
  for (int ordinal = 1;; ++ordinal) {
    SCOPED_TRACE(ordinal);
    restore();
    execute(copy + "/state.db",
            "UPDATE snapshot SET payload=x'a0' WHERE ordinal=" + std::to_string(ordinal));
    Completions done;
    const auto opened = open(copy, 100, done);
    if (opened.report.findings.empty()) {
      ASSERT_GT(ordinal, 10) << "there was no such row";
      break;
    }
    EXPECT_GE(opened.report.findings[0].lost, 1U);
    const focus::Tables& served = opened.restored.tables;
    for (const auto& [room, conference] : served.conferences) {
      EXPECT_EQ(conference, whole.conferences.at(room));
    }
    for (const auto& [stream, link] : served.links) {
      EXPECT_EQ(link, whole.links.at(stream));
    }
    partial += served.conferences.size() < whole.conferences.size() ? 1 : 0;
  }
  EXPECT_GT(partial, 0);
}

TEST_F(StoreDamageTest, TheSecondSnapshotHeadStandsInForTheFirst) {
  make(/*live=*/false);
  execute(copy + "/state.db", "DELETE FROM snapshot_head");
  Completions done;
  const auto opened = open(copy, 100, done);
  EXPECT_FALSE(opened.report.findings.empty());
  EXPECT_EQ(opened.restored.tables, sound.tables);
}

TEST_F(StoreDamageTest, WithoutAnySnapshotHeadNothingOfTheLogIsBelieved) {
  make(/*live=*/false);
  execute(copy + "/state.db", "DELETE FROM snapshot_head; DELETE FROM meta WHERE k='snapshot'");
  Completions done;
  const auto opened = open(copy, 100, done);
  EXPECT_FALSE(opened.report.findings.empty());
  bool is_of_one_moment = false;
  for (std::uint64_t turn = 0; turn <= kTurns; ++turn) {
    const focus::Tables moment = tables_after(turn, "boot");
    is_of_one_moment |=
        std::all_of(opened.restored.tables.conferences.begin(),
                    opened.restored.tables.conferences.end(), [&](const auto& row) {
                      const auto found = moment.conferences.find(row.first);
                      return found != moment.conferences.end() && found->second == row.second;
                    });
  }
  EXPECT_TRUE(is_of_one_moment);
}

// Found by the torture test: the checkpoint at closing failed, and the new file was empty.
TEST_F(StoreDamageTest, ANewFileThatIsNotCompleteTakesNoPlace) {
  make(/*live=*/false);
  const std::string before = read_file(copy + "/state.db");
  write_file(copy + "/state.db.new", "");
  write_file(copy + "/state.db.new-wal", "everything is still here");
  auto directory = StateDirectory::open(copy);
  ASSERT_TRUE(directory);
  std::vector<std::string> moved_to;
  EXPECT_FALSE(take_name(*directory, "state.db", "untrusted", moved_to));
  EXPECT_TRUE(moved_to.empty());
  EXPECT_EQ(read_file(copy + "/state.db"), before);
  EXPECT_FALSE(fs::exists(copy + "/state.db.new-wal"));
}

// Found by the torture test: killed while the first file was made.
TEST_F(StoreDamageTest, ARemnantOfAFirstStartIsNoLoss) {
  fs::create_directory(copy);
  for (const char* name : {"state.db.new", "stats.db.new"}) {
    write_file(copy + "/" + name, "");
  }
  Completions done;
  const auto opened = open(copy, 100, done);
  EXPECT_TRUE(opened.report.findings.empty());
  EXPECT_TRUE(opened.report.moved_to.empty());
}

TEST_F(StoreDamageTest, AReplacementThatWasCutShortIsFinished) {
  make(/*live=*/false);
  for (const char* name : {"state.db", "stats.db"}) {
    fs::rename(copy + "/" + name, copy + "/" + name + ".new");
  }
  EXPECT_TRUE(open_damaged().findings.empty());
}

}  // namespace
}  // namespace bascule::stats::sqlite
