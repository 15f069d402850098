#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "base/time.h"
#include "stats/report.h"
#include "stats/sqlite/database.h"

namespace bascule::stats::sqlite {

/// What is left of the reports of one bridge in one minute when they are pruned.
struct MinuteSum {
  std::uint64_t reports = 0;
  std::uint64_t loads = 0;          ///< Reports that told a load.
  std::int64_t load_sum = 0;        ///< Millionths.
  std::int64_t load_max = 0;        ///< Millionths; of no meaning without loads.
  std::int64_t endpoints_max = -1;  ///< -1: no report told it.

  void add(const BridgeReport& report);
  void add(const MinuteSum& other);
  friend bool operator==(const MinuteSum&, const MinuteSum&) = default;
};

/// Full address of the bridge, and minutes since 1970.
using MinuteKey = std::pair<std::string, std::int64_t>;
using MinuteSums = std::map<MinuteKey, MinuteSum>;

[[nodiscard]] std::int64_t minute_of(WallTime time);
[[nodiscard]] WallTime start_of(std::int64_t minute);

inline constexpr const char* kMinuteSchema =
    "CREATE TABLE bridge_minute(bridge TEXT NOT NULL, minute INTEGER NOT NULL,"
    " reports INTEGER NOT NULL, loads INTEGER NOT NULL, load_sum INTEGER NOT NULL,"
    " load_max INTEGER NOT NULL, endpoints_max INTEGER NOT NULL, crc INTEGER NOT NULL,"
    " PRIMARY KEY(bridge, minute)) WITHOUT ROWID;"
    "CREATE INDEX ix_minute ON bridge_minute(minute);";

/// The table `bridge_minute` of a `stats.db`. Each row has a CRC-32C of its content; they are not
/// chained: a row that vanished as a whole is not noticed.
class MinuteTable {
 public:
  struct Limits {
    std::uint64_t rows_max = 1'000'000;
    Duration age_max = std::chrono::hours{90 * 24};
  };

  static SqlResult<MinuteTable> open(Database& database, const Limits& limits);

  /// Within the transaction of the caller. A damaged row is replaced.
  SqlResult<> add(const MinuteSums& sums);
  /// Removes a slice of the oldest rows that are over a limit; true when there are more.
  SqlResult<bool> prune(Database& database, WallTime now);
  /// All sound rows of another file, in slices; the caller's transaction. Errors: of writing.
  SqlResult<> copy(Database& from);

 private:
  MinuteTable(Statement select, Statement insert, Statement oldest, Statement prune, Limits limits)
      : select_(std::move(select)),
        insert_(std::move(insert)),
        oldest_(std::move(oldest)),
        prune_(std::move(prune)),
        limits_(limits) {}
  SqlResult<> write(const MinuteKey& key, const MinuteSum& sum);

  Statement select_;
  Statement insert_;
  Statement oldest_;
  Statement prune_;
  Limits limits_;
  std::uint64_t rows_ = 0;
};

/// Visits the sound rows of a bridge from one minute on (empty: of all bridges), in their order,
/// and returns how many damaged ones were passed over. Errors: of reading.
SqlResult<std::uint64_t> read_minutes(
    Database& database, const std::string& bridge, std::int64_t first,
    const std::function<void(const MinuteKey&, const MinuteSum&)>& visit);

}  // namespace bascule::stats::sqlite
