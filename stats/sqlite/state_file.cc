#include "stats/sqlite/state_file.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/crc32c.h"

namespace bascule::stats::sqlite {
namespace {

constexpr std::size_t kRowsPerSlice = 256;
constexpr std::uint64_t kEpoch = 1;

constexpr std::string_view kInsertLog =
    "INSERT INTO oplog(seq, epoch, hlc, code, closes, payload, hash) VALUES(?1,?2,?3,?4,?5,?6,?7)";
constexpr std::string_view kSweepLog =
    "DELETE FROM oplog WHERE seq IN"
    " (SELECT seq FROM oplog WHERE seq<=?1 ORDER BY seq LIMIT 1000)";
constexpr std::string_view kSweepRows =
    "DELETE FROM snapshot WHERE (generation, ordinal) IN"
    " (SELECT generation, ordinal FROM snapshot WHERE generation<>?1 LIMIT 1000)";

std::string schema() {
  return "BEGIN IMMEDIATE;"
         "CREATE TABLE meta(k TEXT PRIMARY KEY, v BLOB NOT NULL, crc INTEGER NOT NULL)"
         " WITHOUT ROWID;"
         "CREATE TABLE oplog(seq INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, hlc INTEGER NOT NULL,"
         " code INTEGER NOT NULL, closes INTEGER NOT NULL, payload BLOB NOT NULL,"
         " hash BLOB NOT NULL CHECK(length(hash)=32));"
         "CREATE TABLE snapshot_head(generation INTEGER PRIMARY KEY, v BLOB NOT NULL,"
         " crc INTEGER NOT NULL);"
         "CREATE TABLE snapshot(generation INTEGER NOT NULL, ordinal INTEGER NOT NULL,"
         " code INTEGER NOT NULL, payload BLOB NOT NULL, crc INTEGER NOT NULL,"
         " PRIMARY KEY(generation, ordinal)) WITHOUT ROWID;"
         "PRAGMA application_id=" +
         std::to_string(kApplicationId) +
         ";"
         "PRAGMA user_version=" +
         std::to_string(kStateSchemaVersion) +
         ";"
         "COMMIT;";
}

std::string text_of(const std::vector<std::uint8_t>& bytes) {
  return {bytes.begin(), bytes.end()};
}

}  // namespace

SqlResult<StateFile> StateFile::prepare(Database database, const Options& options) {
  auto prepared = database.prepare_all({
      kInsertLog,
      "INSERT INTO snapshot(generation, ordinal, code, payload, crc) VALUES(?1,?2,?3,?4,?5)",
      "INSERT INTO snapshot_head(generation, v, crc) VALUES(?1,?2,?3)",
      "INSERT OR REPLACE INTO meta(k, v, crc) VALUES(?1,?2,?3)",
      kSweepLog,
      kSweepRows,
      "DELETE FROM snapshot_head WHERE generation<>?1",
  });
  if (!prepared) {
    return tl::make_unexpected(prepared.error());
  }
  return StateFile(
      std::move(database),
      Statements{std::move((*prepared)[0]), std::move((*prepared)[1]), std::move((*prepared)[2]),
                 std::move((*prepared)[3]), std::move((*prepared)[4]), std::move((*prepared)[5]),
                 std::move((*prepared)[6])},
      options);
}

SqlResult<StateFile> StateFile::create(const std::string& path, const Options& options,
                                       const focus::Tables& tables, const LogPosition& at) {
  auto database = Database::open(path, OpenMode::kCreate, options.pages_max);
  if (!database) {
    return tl::make_unexpected(database.error());
  }
  if (auto made = database->execute(schema()); !made) {
    return tl::make_unexpected(made.error());
  }
  auto file = prepare(std::move(*database), options);
  if (!file) {
    return file;
  }
  file->tip_ = at;
  if (auto written = file->rewrite(tables); !written) {
    return tl::make_unexpected(written.error());
  }
  return file;
}

SqlResult<StateFile> StateFile::adopt(Database database, const Options& options,
                                      const StateContent& content) {
  BASCULE_CHECK(content.findings.empty());
  auto file = prepare(std::move(database), options);
  if (file) {
    file->tip_ = content.tip;
    file->floor_ = content.floor;
    file->generation_ = content.generation;
    file->generation_max_ = content.generation_max;
  }
  return file;
}

SqlResult<> StateFile::append(const std::vector<const std::vector<focus::Operation>*>& turns,
                              std::uint64_t wall_ms) {
  LogPosition at = tip_;
  auto done = database_.in_transaction([&]() -> SqlResult<> {
    if (auto inserted = insert_operations(turns, wall_ms, at); !inserted) {
      return inserted;
    }
    return write_tip(at);
  });
  if (done) {
    tip_ = at;
  }
  return done;
}

SqlResult<> StateFile::insert_operations(
    const std::vector<const std::vector<focus::Operation>*>& turns, std::uint64_t wall_ms,
    LogPosition& at) {
  for (const auto* turn : turns) {
    BASCULE_CHECK(!turn->empty());
    for (const focus::Operation& operation : *turn) {
      const LogRecord record{.epoch = kEpoch,
                             .seq = at.seq + 1,
                             .hlc = std::max(at.hlc + 1, wall_ms << 16U),
                             .code = focus::code_of(operation),
                             .closes_turn = &operation == &turn->back(),
                             .payload = text_of(focus::encode(operation))};
      at = {.seq = record.seq, .hlc = record.hlc, .hash = chain(at.hash, canonical(record))};
      statements_.insert_log.bind(1, static_cast<std::int64_t>(record.seq))
          .bind(2, static_cast<std::int64_t>(record.epoch))
          .bind(3, static_cast<std::int64_t>(record.hlc))
          .bind(4, record.code)
          .bind(5, record.closes_turn ? 1 : 0)
          .bind_blob(6, record.payload)
          .bind_blob(7, to_view(at.hash));
      if (auto done = statements_.insert_log.run(); !done) {
        return done;
      }
    }
  }
  return {};
}

SqlResult<> StateFile::write_tip(const LogPosition& at) {
  const std::string bytes = encode_position(at);
  return statements_.set_meta.bind_text(1, "tip").bind_blob(2, bytes).bind(3, crc32c(bytes)).run();
}

SqlResult<> StateFile::write_rows(SnapshotJob& job, std::size_t count) {
  for (; count > 0 && job.next < job.rows.size(); --count, ++job.next) {
    const focus::Operation& operation = job.rows[job.next];
    const std::uint16_t code = focus::code_of(operation);
    const std::string payload = text_of(focus::encode(operation));
    const std::uint64_t ordinal = job.next + 1;
    const std::string bytes = canonical_snapshot_row(job.generation, ordinal, code, payload);
    job.digest = chain(job.digest, bytes);
    statements_.insert_row.bind(1, static_cast<std::int64_t>(job.generation))
        .bind(2, static_cast<std::int64_t>(ordinal))
        .bind(3, code)
        .bind_blob(4, payload)
        .bind(5, crc32c(bytes));
    if (auto done = statements_.insert_row.run(); !done) {
      return done;
    }
  }
  return {};
}

SqlResult<> StateFile::write_head(const SnapshotJob& job) {
  const std::string bytes = encode_head(
      job.generation, SnapshotHead{.at = job.at, .rows = job.rows.size(), .digest = job.digest});
  if (auto done = statements_.set_meta.bind_text(1, "snapshot")
                      .bind_blob(2, bytes)
                      .bind(3, crc32c(bytes))
                      .run();
      !done) {
    return done;
  }
  return statements_.insert_head.bind(1, static_cast<std::int64_t>(job.generation))
      .bind_blob(2, bytes)
      .bind(3, crc32c(bytes))
      .run();
}

SqlResult<> StateFile::rewrite(const focus::Tables& tables) {
  job_.reset();
  SnapshotJob job{.generation = generation_max_ + 1, .at = tip_, .rows = tables.to_operations()};
  auto done = database_.in_transaction([&]() -> SqlResult<> {
    if (auto cleared = database_.execute(
            "DELETE FROM oplog; DELETE FROM snapshot; DELETE FROM snapshot_head;");
        !cleared) {
      return cleared;
    }
    if (auto written = write_rows(job, job.rows.size()); !written) {
      return written;
    }
    if (auto written = write_head(job); !written) {
      return written;
    }
    return write_tip(tip_);
  });
  if (done) {
    floor_ = tip_;
    generation_ = generation_max_ = job.generation;
    sweeping_ = false;
  }
  return done;
}

void StateFile::plan_snapshot(const focus::Tables& tables) {
  if (!has_work() && tip_.seq - floor_.seq >= options_.snapshot_every) {
    job_ = SnapshotJob{.generation = ++generation_max_, .at = tip_, .rows = tables.to_operations()};
  }
}

SqlResult<> StateFile::work() {
  if (!job_) {
    if (sweeping_) {
      const auto swept = sweep_slice();
      if (!swept) {
        return tl::make_unexpected(swept.error());
      }
      sweeping_ = *swept;
    }
    return {};
  }
  SnapshotJob& job = *job_;
  auto done = database_.in_transaction([&]() -> SqlResult<> {
    if (auto written = write_rows(job, kRowsPerSlice); !written) {
      return written;
    }
    return job.next == job.rows.size() ? write_head(job) : SqlResult<>{};
  });
  if (done && job.next < job.rows.size()) {
    return {};
  }
  if (done) {
    floor_ = job.at;
    generation_ = job.generation;
  }
  job_.reset();  // When it failed its rows are swept, and a later plan starts anew.
  sweeping_ = true;
  return done;
}

SqlResult<bool> StateFile::sweep_slice() {
  std::int64_t changes = 0;
  auto done = database_.in_transaction([&]() -> SqlResult<> {
    if (auto swept = statements_.sweep_log.bind(1, static_cast<std::int64_t>(floor_.seq)).run();
        !swept) {
      return swept;
    }
    changes += database_.changes();
    const auto generation = static_cast<std::int64_t>(generation_);
    if (auto swept = statements_.sweep_rows.bind(1, generation).run(); !swept) {
      return swept;
    }
    changes += database_.changes();
    return statements_.sweep_heads.bind(1, generation).run();
  });
  if (!done) {
    return tl::make_unexpected(done.error());
  }
  return changes > 0;
}

}  // namespace bascule::stats::sqlite
