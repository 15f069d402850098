#include <algorithm>
#include <optional>
#include <utility>

#include "base/crc32c.h"
#include "stats/batch.h"
#include "stats/sqlite/database.h"
#include "stats/sqlite/maintenance.h"
#include "stats/sqlite/report_file.h"

namespace bascule::stats::sqlite {
namespace {

bool is_named(std::string_view address, std::string_view wanted) {
  const auto slash = address.find('/');
  return address == wanted ||
         (slash != std::string_view::npos && address.substr(slash + 1) == wanted);
}

/// The first row of `select` with a bridge of this name. The bridge is column 0; `select` gives
/// rows after the one whose bridge is its parameter, when it has one.
Result<std::optional<std::string>> find_in(Database& database, std::string_view sql, bool leaps,
                                           const std::string& wanted) {
  auto select = database.prepare(sql);
  if (!select) {
    return tl::make_unexpected(to_error(select.error()));
  }
  std::string last;
  for (;;) {
    if (leaps) {
      select->reset();
      select->bind_text(1, last);
    }
    const auto row = select->step();
    if (!row) {
      return tl::make_unexpected(to_error(row.error()));
    }
    if (!*row) {
      return std::nullopt;
    }
    if (is_named(select->bytes(0), wanted)) {
      return std::string(select->bytes(0));
    }
    if (leaps) {
      last = std::string(select->bytes(0));
    }
  }
}

/// Sums have an index by bridge. Reports have none: a bridge in use is among the newest, and only
/// for one that nobody knows all of them are looked at.
Result<std::string> find_bridge(Database& database, const std::string& wanted) {
  auto found =
      find_in(database, "SELECT bridge FROM bridge_minute WHERE bridge>?1 ORDER BY bridge LIMIT 1",
              /*leaps=*/true, wanted);
  if (found && !*found) {
    found = find_in(database, "SELECT bridge FROM bridge_sample ORDER BY id DESC",
                    /*leaps=*/false, wanted);
  }
  if (!found) {
    return tl::make_unexpected(found.error());
  }
  if (*found) {
    return **std::move(found);
  }
  return fail(Errc::kNotFound, "no history of a bridge " + wanted);
}

/// The lowest id of a report that is not older; one more than the highest when all are.
SqlResult<std::int64_t> first_id_since(Database& database, std::int64_t hlc) {
  const auto lowest = database.query_integer("SELECT min(id) FROM bridge_sample");
  const auto highest = database.query_integer("SELECT max(id) FROM bridge_sample");
  auto select =
      database.prepare("SELECT id, hlc FROM bridge_sample WHERE id>=?1 ORDER BY id LIMIT 1");
  if (!lowest || !highest || !select) {
    return tl::make_unexpected(!lowest ? lowest.error()
                                       : (!highest ? highest.error() : select.error()));
  }
  std::int64_t first = *lowest;
  std::int64_t last = *highest + 1;
  while (first < last) {
    const std::int64_t middle = first + (last - first) / 2;
    const auto row = select->bind(1, middle).step();
    if (!row) {
      return tl::make_unexpected(row.error());
    }
    if (*row && select->integer(1) < hlc) {
      first = select->integer(0) + 1;
    } else {
      last = middle;
    }
    select->reset();
  }
  return first;
}

/// Adds sums of reports, in the order of their time, to points.
class Points {
 public:
  Points(const HistoryQuery& query, std::vector<HistoryPoint>& points)
      : query_(query), points_(points) {}

  void add(WallTime at, const MinuteSum& sum) {
    const WallTime start =
        query_.from + (std::max(at, query_.from) - query_.from) / query_.step * query_.step;
    if (points_.empty() || points_.back().at != start) {
      points_.push_back({.at = start});
      total_ = {};
    }
    total_.add(sum);
    HistoryPoint& point = points_.back();
    point.reports = total_.reports;
    if (total_.loads > 0) {
      point.stress_max = total_.load_max;
      point.stress_mean = total_.load_sum / static_cast<std::int64_t>(total_.loads);
    }
    if (total_.endpoints_max >= 0) {
      point.endpoints_max = total_.endpoints_max;
    }
  }

 private:
  const HistoryQuery& query_;
  std::vector<HistoryPoint>& points_;
  MinuteSum total_;  // Of the last point.
};

Result<> check_range(const HistoryQuery& query) {
  if (query.step < std::chrono::seconds{1} || query.from >= query.to) {
    return fail(Errc::kInvalidArgument, "the range is empty, or the step is below a second");
  }
  if ((query.to - query.from) / query.step >= static_cast<std::int64_t>(kHistoryPointsMax)) {
    return fail(Errc::kInvalidArgument,
                "more than " + std::to_string(kHistoryPointsMax) + " steps; use a longer one");
  }
  return {};
}

std::int64_t first_hlc(WallTime time) {
  return (time.time_since_epoch() / std::chrono::milliseconds{1}) << 16;
}

}  // namespace

Result<History> read_history(const std::string& directory, const HistoryQuery& query) {
  if (auto range = check_range(query); !range) {
    return tl::make_unexpected(range.error());
  }
  auto database = Database::open(directory + "/" + kStatsFileName, OpenMode::kReadOnly);
  if (!database) {
    return tl::make_unexpected(to_error(database.error()));
  }
  if (auto begun = database->execute("BEGIN"); !begun) {  // Sums and reports as of one moment.
    return tl::make_unexpected(to_error(begun.error()));
  }
  auto bridge = find_bridge(*database, query.bridge);
  if (!bridge) {
    return tl::make_unexpected(bridge.error());
  }
  History history{.bridge = *bridge};
  Points points(query, history.points);
  // Reports first become sums when they are pruned: what is in sums is the older part.
  const auto damaged = read_minutes(*database, *bridge, minute_of(query.from),
                                    [&](const MinuteKey& key, const MinuteSum& sum) {
                                      if (start_of(key.second) < query.to) {
                                        points.add(start_of(key.second), sum);
                                      }
                                    });
  if (!damaged) {
    return tl::make_unexpected(to_error(damaged.error()));
  }
  history.damaged = *damaged;
  auto first = first_id_since(*database, first_hlc(query.from));
  auto select = database->prepare(
      "SELECT id, hlc, raw, crc FROM bridge_sample WHERE id>=?1 AND hlc<?2 AND bridge=?3"
      " ORDER BY id");
  if (!first || !select) {
    return tl::make_unexpected(to_error(first ? select.error() : first.error()));
  }
  select->bind(1, *first).bind(2, first_hlc(query.to)).bind_text(3, *bridge);
  for (;;) {
    const auto row = select->step();
    if (!row) {
      return tl::make_unexpected(to_error(row.error()));
    }
    if (!*row) {
      return history;
    }
    const auto hlc = static_cast<std::uint64_t>(select->integer(1));
    const std::string bytes =
        canonical_sample(static_cast<std::uint64_t>(select->integer(0)), hlc, select->bytes(2));
    const auto report = decode_report(select->bytes(2));
    if (crc32c(bytes) != select->integer(3) || !report) {
      ++history.damaged;
      continue;
    }
    MinuteSum one;
    one.add(report->report);
    points.add(WallTime(std::chrono::milliseconds(static_cast<std::int64_t>(hlc >> 16U))), one);
  }
}

}  // namespace bascule::stats::sqlite
