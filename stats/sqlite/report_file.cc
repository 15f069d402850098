#include "stats/sqlite/report_file.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/crc32c.h"

namespace bascule::stats::sqlite {
namespace {

constexpr std::uint64_t kRowsPerSlice = 500;

std::string schema() {
  return "BEGIN IMMEDIATE;"
         "CREATE TABLE meta(k TEXT PRIMARY KEY, v BLOB NOT NULL, crc INTEGER NOT NULL)"
         " WITHOUT ROWID;"
         "CREATE TABLE bridge_sample(id INTEGER PRIMARY KEY, hlc INTEGER NOT NULL,"
         " bridge TEXT NOT NULL, raw BLOB NOT NULL, crc INTEGER NOT NULL,"
         " chain BLOB NOT NULL CHECK(length(chain)=32));" +
         std::string(kMinuteSchema) +
         "PRAGMA application_id=" + std::to_string(kStatsApplicationId) +
         ";"
         "PRAGMA user_version=" +
         std::to_string(kStatsSchemaVersion) +
         ";"
         "COMMIT;";
}

constexpr std::string_view kSelectFrom =
    "SELECT id, hlc, raw, crc, chain FROM bridge_sample WHERE id>=?1 ORDER BY id";

struct Sample {
  std::uint64_t id;
  std::uint64_t hlc;
  std::string_view raw;
  std::optional<Digest> chained;
  std::optional<ReceivedReport> report;  // nullopt: the row is damaged.
};

Sample read_sample(Statement& row) {
  Sample sample{.id = static_cast<std::uint64_t>(row.integer(0)),
                .hlc = static_cast<std::uint64_t>(row.integer(1)),
                .raw = row.bytes(2),
                .chained = to_digest(row.bytes(4))};
  if (crc32c(canonical_sample(sample.id, sample.hlc, sample.raw)) == row.integer(3)) {
    if (auto report = decode_report(sample.raw)) {
      report->source = ReportSource::kRestored;
      sample.report = std::move(*report);
    }
  }
  return sample;
}

std::optional<LogPosition> read_position(Database& database, std::string_view key,
                                         std::vector<Finding>& findings) {
  auto select = database.prepare("SELECT v, crc FROM meta WHERE k=?1");
  if (select) {
    select->bind_text(1, key);
    const auto row = select->step();
    if (row && *row && crc32c(select->bytes(0)) == select->integer(1)) {
      if (const auto position = decode_position(select->bytes(0))) {
        return *position;
      }
    }
  }
  findings.push_back({.file = kStatsFileName,
                      .damage = Damage::kRecord,
                      .detail = "position '" + std::string(key) + "' is damaged"});
  return std::nullopt;
}

void check_minutes(Database& database, std::vector<Finding>& findings) {
  const auto version = database.query_integer("PRAGMA user_version");
  if (version && *version < 2) {
    return;  // There were none.
  }
  const auto damaged = read_minutes(database, "", std::numeric_limits<std::int64_t>::min(),
                                    [](const MinuteKey&, const MinuteSum&) {});
  if (!damaged || *damaged > 0) {
    findings.push_back(
        {.file = kStatsFileName,
         .damage = damaged ? Damage::kRecord : Damage::kStructure,
         .detail = damaged ? "sums per minute do not match their checksums" : damaged.error().what,
         .lost = damaged ? std::optional(*damaged) : std::nullopt});
  }
}

}  // namespace

std::string canonical_sample(std::uint64_t id, std::uint64_t hlc, std::string_view raw) {
  std::string out;
  append_u64(out, id);
  append_u64(out, hlc);
  return out.append(raw);
}

RowRange stored_rows(Database& database) {
  // Without a readable end every key is possible; `scan` leaps through what is not there.
  constexpr std::int64_t kAnyRow = std::int64_t{1} << 40U;
  std::vector<Finding> ignored;
  const auto floor = read_position(database, "floor", ignored);
  const auto first = database.query_integer("SELECT min(id) FROM bridge_sample");
  const auto last = database.query_integer("SELECT max(id) FROM bridge_sample");
  return {.first = floor ? floor->seq + 1
                         : static_cast<std::uint64_t>(std::max<std::int64_t>(first.value_or(1), 1)),
          .last = static_cast<std::uint64_t>(std::max<std::int64_t>(last.value_or(kAnyRow), 0)),
          .guessed = !last};
}

std::uint64_t count_sound(Database& database, const RowRange& range) {
  std::uint64_t sound = 0;
  if (auto select = database.prepare(kSelectFrom)) {
    scan(*select, 1, static_cast<std::int64_t>(range.first), static_cast<std::int64_t>(range.last),
         [&sound](Statement& row) { sound += read_sample(row).report ? 1U : 0U; });
  }
  return sound;
}

ReportContent read_reports(Database& database, std::uint64_t newest) {
  ReportContent content;
  std::optional<LogPosition> before_loss;
  const auto found = [&](Damage damage, std::string detail,
                         std::optional<std::uint64_t> lost = std::nullopt) {
    content.findings.push_back({.file = kStatsFileName,
                                .damage = damage,
                                .detail = std::move(detail),
                                .lost = lost,
                                .since = before_loss ? wall_time_of(*before_loss) : std::nullopt});
  };
  const auto floor = read_position(database, "floor", content.findings);
  const auto tip = read_position(database, "tip", content.findings);
  auto select = database.prepare(kSelectFrom);
  if (!select) {
    found(Damage::kStructure, select.error().what);
  }
  if (!select || !floor || !tip) {
    return content;
  }
  content.floor = *floor;
  content.tip = *tip;
  const std::uint64_t first =
      std::max(floor->seq + 1, tip->seq >= newest ? tip->seq - newest + 1 : 0);
  LogPosition at = *floor;
  bool chained = first == floor->seq + 1;
  std::uint64_t broken = 0;
  const std::uint64_t failures = scan(
      *select, 1, static_cast<std::int64_t>(first), static_cast<std::int64_t>(tip->seq),
      [&](Statement& row) {
        Sample sample = read_sample(row);
        const bool follows =
            !chained ||
            (sample.id == at.seq + 1 &&
             sample.chained == chain(at.hash, canonical_sample(sample.id, sample.hlc, sample.raw)));
        chained = true;
        if (!follows || !sample.report) {
          before_loss = before_loss.value_or(at);
          ++broken;
        }
        at = {.seq = sample.id, .hlc = sample.hlc, .hash = sample.chained.value_or(Digest{})};
        if (sample.report) {
          ++content.rows;
          content.latest.insert_or_assign(sample.report->report.bridge, *sample.report);
        }
      });
  if (newest == kEveryRow) {
    check_minutes(database, content.findings);
  }
  if (failures > 0) {
    found(Damage::kStructure, "rows cannot be read");
  } else if (broken > 0) {
    found(Damage::kChain, "rows do not match their checksums", broken);
  } else if (tip->seq > floor->seq && at != *tip) {
    before_loss = at;
    found(Damage::kChain, "the newest rows are missing", tip->seq - at.seq);
  }
  return content;
}

SqlResult<ReportFile> ReportFile::prepare(Database database, const Options& options) {
  auto prepared = database.prepare_all({
      "INSERT INTO bridge_sample(id, hlc, bridge, raw, crc, chain) VALUES(?1,?2,?3,?4,?5,?6)",
      "INSERT OR REPLACE INTO meta(k, v, crc) VALUES(?1,?2,?3)",
      "SELECT id, hlc, chain FROM bridge_sample WHERE id=?1",
      kSelectFrom,
      "DELETE FROM bridge_sample WHERE id<=?1",
  });
  if (!prepared) {
    return tl::make_unexpected(prepared.error());
  }
  auto minutes = MinuteTable::open(database, options.minutes);
  if (!minutes) {
    return tl::make_unexpected(minutes.error());
  }
  return ReportFile(
      std::move(database),
      Statements{std::move((*prepared)[0]), std::move((*prepared)[1]), std::move((*prepared)[2]),
                 std::move((*prepared)[3]), std::move((*prepared)[4])},
      std::move(*minutes), options);
}

SqlResult<ReportFile> ReportFile::create(const std::string& path, const Options& options,
                                         const LogPosition& at) {
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
  file->tip_ = file->floor_ = at;
  for (const char* key : {"floor", "tip"}) {
    if (auto written = file->write_position(key, at); !written) {
      return tl::make_unexpected(written.error());
    }
  }
  return file;
}

SqlResult<ReportFile> ReportFile::adopt(Database database, const Options& options,
                                        const ReportContent& content) {
  auto file = prepare(std::move(database), options);
  if (file) {
    file->tip_ = content.tip;
    file->floor_ = content.floor;
  }
  return file;
}

SqlResult<> ReportFile::write_position(std::string_view key, const LogPosition& position) {
  const std::string bytes = encode_position(position);
  return statements_.set_meta.bind_text(1, key).bind_blob(2, bytes).bind(3, crc32c(bytes)).run();
}

SqlResult<> ReportFile::insert(const std::string& bridge, std::string_view raw, std::uint64_t hlc,
                               LogPosition& at) {
  const std::string bytes = canonical_sample(at.seq + 1, hlc, raw);
  at = {.seq = at.seq + 1, .hlc = hlc, .hash = chain(at.hash, bytes)};
  return statements_.insert.bind(1, static_cast<std::int64_t>(at.seq))
      .bind(2, static_cast<std::int64_t>(hlc))
      .bind_text(3, bridge)
      .bind_blob(4, raw)
      .bind(5, crc32c(bytes))
      .bind_blob(6, to_view(at.hash))
      .run();
}

SqlResult<> ReportFile::append(const std::vector<ReceivedReport>& reports, std::uint64_t wall_ms) {
  LogPosition at = tip_;
  auto done = database_.in_transaction([&]() -> SqlResult<> {
    for (const ReceivedReport& report : reports) {
      auto inserted = insert(report.report.bridge.to_string(), encode(report),
                             std::max(at.hlc + 1, wall_ms << 16U), at);
      if (!inserted) {
        return inserted;
      }
    }
    return write_position("tip", at);
  });
  if (done) {
    tip_ = at;
    appended_ += reports.size();
    pruning_ = true;
  }
  return done;
}

SqlResult<> ReportFile::salvage(Database& damaged, const RowRange& range, ReportContent& content) {
  auto select = damaged.prepare(kSelectFrom);
  if (!select) {
    return {};  // Nothing is readable; the caller has reported the damage.
  }
  LogPosition at = tip_;
  auto done = database_.in_transaction([&]() -> SqlResult<> {
    SqlResult<> written;
    scan(*select, 1, static_cast<std::int64_t>(range.first), static_cast<std::int64_t>(range.last),
         [&](Statement& row) {
           const Sample sample = read_sample(row);
           if (!sample.report || !written) {
             return;
           }
           const BridgeJid& bridge = sample.report->report.bridge;
           ++content.rows;
           content.latest.insert_or_assign(bridge, *sample.report);
           written = insert(bridge.to_string(), sample.raw, std::max(at.hlc + 1, sample.hlc), at);
         });
    return written ? write_position("tip", at) : written;
  });
  if (done) {
    tip_ = at;
  }
  return done;
}

SqlResult<> ReportFile::copy_minutes(Database& from) {
  return database_.in_transaction([&] { return minutes_.copy(from); });
}

SqlResult<std::optional<LogPosition>> ReportFile::next_floor(std::uint64_t wall_ms) {
  const std::uint64_t rows = tip_.seq - floor_.seq;
  const std::uint64_t oldest = (wall_ms > options_.age_max_ms ? wall_ms - options_.age_max_ms : 0)
                               << 16U;
  // By number: only what is over the limit. By age: whole slices, judged by their newest row.
  const std::uint64_t excess = rows > options_.rows_max ? rows - options_.rows_max : 0;
  // Twice what came: a slice of fixed size would fall behind a fast feed, and the file would grow.
  const std::uint64_t slice = std::max(kRowsPerSlice, 2 * std::exchange(appended_, 0));
  const std::uint64_t count = std::min(excess > 0 ? excess : rows, slice);
  if (excess == 0 && rows < slice) {
    return std::nullopt;
  }
  statements_.select_one.bind(1, static_cast<std::int64_t>(floor_.seq + count));
  const auto row = statements_.select_one.step();
  std::optional<LogPosition> next;
  if (row && *row) {
    const auto hash = to_digest(statements_.select_one.bytes(2));
    next = LogPosition{.seq = floor_.seq + count,
                       .hlc = static_cast<std::uint64_t>(statements_.select_one.integer(1)),
                       .hash = hash.value_or(Digest{})};
  }
  statements_.select_one.reset();
  if (!row) {
    return tl::make_unexpected(row.error());
  }
  if (next && excess == 0 && next->hlc >= oldest) {
    return std::nullopt;
  }
  return next;
}

MinuteSums ReportFile::sums_up_to(std::uint64_t last) {
  MinuteSums sums;
  scan(statements_.select_from, 1, static_cast<std::int64_t>(floor_.seq + 1),
       static_cast<std::int64_t>(last), [&sums](Statement& row) {
         if (const Sample sample = read_sample(row); sample.report) {
           const WallTime at(
               std::chrono::milliseconds(static_cast<std::int64_t>(sample.hlc >> 16U)));
           sums[{sample.report->report.bridge.to_string(), minute_of(at)}].add(
               sample.report->report);
         }
       });
  return sums;
}

SqlResult<> ReportFile::work(std::uint64_t wall_ms) {
  pruning_ = false;
  const auto next = next_floor(wall_ms);
  if (!next) {
    return tl::make_unexpected(next.error());
  }
  const WallTime now(std::chrono::milliseconds(static_cast<std::int64_t>(wall_ms)));
  bool more_minutes = false;
  auto done = database_.in_transaction([&]() -> SqlResult<> {
    const auto pruned = minutes_.prune(database_, now);
    if (!pruned) {
      return tl::make_unexpected(pruned.error());
    }
    more_minutes = *pruned;
    if (!*next) {
      return {};
    }
    if (auto added = minutes_.add(sums_up_to((*next)->seq)); !added) {
      return added;
    }
    if (auto removed = statements_.prune.bind(1, static_cast<std::int64_t>((*next)->seq)).run();
        !removed) {
      return removed;
    }
    return write_position("floor", **next);
  });
  if (done && *next) {
    floor_ = **next;
  }
  pruning_ = done && (*next || more_minutes);
  return done;
}

}  // namespace bascule::stats::sqlite
