#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "stats/batch.h"
#include "stats/load_report.h"
#include "stats/sqlite/database.h"
#include "stats/sqlite/minutes.h"
#include "stats/sqlite/state_reader.h"

namespace bascule::stats::sqlite {

inline constexpr const char* kStatsFileName = "stats.db";
inline constexpr std::int64_t kStatsApplicationId = 0x42534353;  ///< "BSCS"
inline constexpr std::int64_t kStatsSchemaVersion = 2;

/// What is read of a `stats.db` at start: its newest rows, verified.
struct ReportContent {
  std::map<BridgeJid, ReceivedReport> latest;
  LogPosition floor;  ///< The newest pruned row.
  LogPosition tip;
  std::uint64_t rows = 0;  ///< Verified.
  std::vector<Finding> findings;
};

/// Canonical bytes of a row: id u64 | hlc u64 | the report's canonical bytes. `crc` is their
/// CRC-32C, `chain` is SHA-256(previous chain | them).
[[nodiscard]] std::string canonical_sample(std::uint64_t id, std::uint64_t hlc,
                                           std::string_view raw);

/// Ids, both ends included; empty when `last` is below `first`.
struct RowRange {
  std::uint64_t first = 1;
  std::uint64_t last = 0;
  bool guessed = false;  ///< The file cannot say where it ends; `last` is very high.
  [[nodiscard]] std::uint64_t size() const { return last < first ? 0 : last - first + 1; }
};
/// The rows a `stats.db` should hold: from the newest pruned one to its newest. Never fails.
[[nodiscard]] RowRange stored_rows(Database& database);

/// How many rows in a range match their own checksums.
[[nodiscard]] std::uint64_t count_sound(Database& database, const RowRange& range);

/// Rows that are verified at start.
inline constexpr std::uint64_t kVerifiedAtStart = 65'536;

/// Everything, the sums per minute as well.
inline constexpr std::uint64_t kEveryRow = std::numeric_limits<std::uint64_t>::max();

/// Verifies the newest `newest` rows and collects the last report of each bridge among them. Damage
/// never fails the call.
ReportContent read_reports(Database& database, std::uint64_t newest = kVerifiedAtStart);

/// `stats.db`: the history of reports, each row with a CRC-32C of its canonical bytes and a SHA-256
/// that chains it to the row before. Bounded: the oldest rows are pruned, in slices, and live on as
/// sums per minute, which are bounded too.
class ReportFile {
 public:
  struct Options {
    std::int64_t pages_max = 0;
    std::uint64_t rows_max = 1'000'000;
    std::uint64_t age_max_ms = std::uint64_t{7} * 24 * 3'600 * 1'000;
    MinuteTable::Limits minutes = {};
  };

  static SqlResult<ReportFile> create(const std::string& path, const Options& options,
                                      const LogPosition& at);
  /// Takes an open, verified file.
  static SqlResult<ReportFile> adopt(Database database, const Options& options,
                                     const ReportContent& content);

  /// One transaction. On error nothing of it is in the file.
  SqlResult<> append(const std::vector<ReceivedReport>& reports, std::uint64_t wall_ms);

  /// Copies the rows with ids in `range` whose own checksum is right from another file, in one
  /// transaction; adds the last report of each bridge to `content` and counts the rows. Errors are
  /// those of writing.
  SqlResult<> salvage(Database& damaged, const RowRange& range, ReportContent& content);

  /// Copies the sums per minute of another file. Errors are those of writing.
  SqlResult<> copy_minutes(Database& from);

  /// Prunes one slice when rows are over a limit; what it held goes into sums per minute.
  SqlResult<> work(std::uint64_t wall_ms);
  [[nodiscard]] bool has_work() const { return pruning_; }
  [[nodiscard]] const LogPosition& tip() const { return tip_; }

 private:
  struct Statements {
    Statement insert;
    Statement set_meta;
    Statement select_one;
    Statement select_from;
    Statement prune;
  };
  ReportFile(Database database, Statements statements, MinuteTable minutes, const Options& options)
      : database_(std::move(database)),
        statements_(std::move(statements)),
        minutes_(std::move(minutes)),
        options_(options) {}
  static SqlResult<ReportFile> prepare(Database database, const Options& options);

  SqlResult<> insert(const std::string& bridge, std::string_view raw, std::uint64_t hlc,
                     LogPosition& at);
  /// The newest row of the next slice to prune; nullopt: there is none.
  SqlResult<std::optional<LogPosition>> next_floor(std::uint64_t wall_ms);
  MinuteSums sums_up_to(std::uint64_t last);
  SqlResult<> write_position(std::string_view key, const LogPosition& position);

  Database database_;
  Statements statements_;
  MinuteTable minutes_;
  Options options_;
  LogPosition tip_;
  LogPosition floor_;
  std::uint64_t appended_ = 0;  // Since the last slice was pruned.
  bool pruning_ = true;
};

}  // namespace bascule::stats::sqlite
