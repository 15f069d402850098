#include "stats/sqlite/minutes.h"

#include <algorithm>
#include <chrono>
#include <functional>

#include "base/crc32c.h"
#include "stats/record.h"

namespace bascule::stats::sqlite {
namespace {

constexpr int kRowsPerSlice = 1'000;
constexpr std::string_view kColumns =
    "bridge, minute, reports, loads, load_sum, load_max, endpoints_max, crc";

std::string canonical(const MinuteKey& key, const MinuteSum& sum) {
  std::string out;
  append_u64(out, static_cast<std::uint64_t>(key.second));
  append_u64(out, sum.reports);
  append_u64(out, sum.loads);
  append_u64(out, static_cast<std::uint64_t>(sum.load_sum));
  append_u64(out, static_cast<std::uint64_t>(sum.load_max));
  append_u64(out, static_cast<std::uint64_t>(sum.endpoints_max));
  return out + key.first;
}

struct Row {
  MinuteKey key;
  MinuteSum sum;
  bool is_sound = false;
};

/// A row with the columns of kColumns.
Row read_row(const Statement& row) {
  Row read{.key = {std::string(row.bytes(0)), row.integer(1)},
           .sum = {.reports = static_cast<std::uint64_t>(row.integer(2)),
                   .loads = static_cast<std::uint64_t>(row.integer(3)),
                   .load_sum = row.integer(4),
                   .load_max = row.integer(5),
                   .endpoints_max = row.integer(6)}};
  read.is_sound = crc32c(canonical(read.key, read.sum)) == row.integer(7);
  return read;
}

std::string select_from(std::string_view where) {
  return "SELECT " + std::string(kColumns) + " FROM bridge_minute " + std::string(where);
}

}  // namespace

void MinuteSum::add(const BridgeReport& report) {
  MinuteSum one{.reports = 1};
  if (report.stress) {
    one.loads = 1;
    one.load_sum = one.load_max = report.stress->millionths();
  }
  if (report.local_endpoints) {
    one.endpoints_max = *report.local_endpoints;
  }
  add(one);
}

void MinuteSum::add(const MinuteSum& other) {
  load_max = loads == 0         ? other.load_max
             : other.loads == 0 ? load_max
                                : std::max(load_max, other.load_max);
  reports += other.reports;
  loads += other.loads;
  load_sum += other.load_sum;
  endpoints_max = std::max(endpoints_max, other.endpoints_max);
}

std::int64_t minute_of(WallTime time) {
  return time.time_since_epoch() / std::chrono::minutes{1};
}

WallTime start_of(std::int64_t minute) {
  return WallTime(std::chrono::minutes{minute});
}

SqlResult<MinuteTable> MinuteTable::open(Database& database, const Limits& limits) {
  auto prepared = database.prepare_all({
      select_from("WHERE bridge=?1 AND minute=?2"),
      "INSERT OR REPLACE INTO bridge_minute(" + std::string(kColumns) +
          ") VALUES(?1,?2,?3,?4,?5,?6,?7,?8)",
      "SELECT min(minute) FROM bridge_minute",
      "DELETE FROM bridge_minute WHERE (bridge, minute) IN"
      " (SELECT bridge, minute FROM bridge_minute WHERE minute<=?1 ORDER BY minute LIMIT ?2)",
  });
  if (!prepared) {
    return tl::make_unexpected(prepared.error());
  }
  const auto rows = database.query_integer("SELECT count(*) FROM bridge_minute");
  if (!rows) {
    return tl::make_unexpected(rows.error());
  }
  MinuteTable table(std::move((*prepared)[0]), std::move((*prepared)[1]), std::move((*prepared)[2]),
                    std::move((*prepared)[3]), limits);
  table.rows_ = static_cast<std::uint64_t>(*rows);
  return table;
}

SqlResult<> MinuteTable::write(const MinuteKey& key, const MinuteSum& sum) {
  return insert_.bind_text(1, key.first)
      .bind(2, key.second)
      .bind(3, static_cast<std::int64_t>(sum.reports))
      .bind(4, static_cast<std::int64_t>(sum.loads))
      .bind(5, sum.load_sum)
      .bind(6, sum.load_max)
      .bind(7, sum.endpoints_max)
      .bind(8, crc32c(canonical(key, sum)))
      .run();
}

SqlResult<> MinuteTable::add(const MinuteSums& sums) {
  for (const auto& [key, sum] : sums) {
    const auto found = select_.bind_text(1, key.first).bind(2, key.second).step();
    MinuteSum total = sum;
    if (found && *found) {
      if (const Row before = read_row(select_); before.is_sound) {
        total.add(before.sum);
      }
    }
    select_.reset();
    if (!found) {
      return tl::make_unexpected(found.error());
    }
    if (auto written = write(key, total); !written) {
      return written;
    }
    rows_ += *found ? 0U : 1U;
  }
  return {};
}

SqlResult<bool> MinuteTable::prune(Database& database, WallTime now) {
  const std::uint64_t excess = rows_ > limits_.rows_max ? rows_ - limits_.rows_max : 0;
  std::int64_t last = std::numeric_limits<std::int64_t>::max();
  std::int64_t slice = std::min<std::int64_t>(static_cast<std::int64_t>(excess), kRowsPerSlice);
  if (excess == 0) {
    last = minute_of(now - limits_.age_max);
    slice = kRowsPerSlice;
    const auto oldest = oldest_.step();
    const bool due = oldest && *oldest && rows_ > 0 && oldest_.integer(0) <= last;
    oldest_.reset();
    if (!oldest) {
      return tl::make_unexpected(oldest.error());
    }
    if (!due) {
      return false;
    }
  }
  if (auto pruned = prune_.bind(1, last).bind(2, slice).run(); !pruned) {
    return tl::make_unexpected(pruned.error());
  }
  const auto gone = static_cast<std::uint64_t>(database.changes());
  rows_ -= std::min(rows_, gone);
  return gone > 0;
}

SqlResult<> MinuteTable::copy(Database& from) {
  SqlResult<> written;
  std::uint64_t copied = 0;
  // What cannot be read is lost here as well, and was reported by whoever verified the file.
  static_cast<void>(read_minutes(from, "", std::numeric_limits<std::int64_t>::min(),
                                 [&](const MinuteKey& key, const MinuteSum& sum) {
                                   if (written) {
                                     written = write(key, sum);
                                     ++copied;
                                   }
                                 }));
  rows_ += copied;
  return written;
}

SqlResult<std::uint64_t> read_minutes(
    Database& database, const std::string& bridge, std::int64_t first,
    const std::function<void(const MinuteKey&, const MinuteSum&)>& visit) {
  auto select = database.prepare(
      bridge.empty() ? select_from("WHERE minute>=?2 AND ?1='' ORDER BY bridge, minute")
                     : select_from("WHERE bridge=?1 AND minute>=?2 ORDER BY minute"));
  if (!select) {
    return tl::make_unexpected(select.error());
  }
  select->bind_text(1, bridge).bind(2, first);
  std::uint64_t damaged = 0;
  for (;;) {
    const auto row = select->step();
    if (!row) {
      return tl::make_unexpected(row.error());
    }
    if (!*row) {
      return damaged;
    }
    const Row read = read_row(*select);
    if (read.is_sound) {
      visit(read.key, read.sum);
    } else {
      ++damaged;
    }
  }
}

}  // namespace bascule::stats::sqlite
