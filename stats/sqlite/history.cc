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

Error to_error(const SqlError& error) {
  return {Errc::kUnavailable, error.what};
}

bool is_named(std::string_view address, std::string_view wanted) {
  const auto slash = address.find('/');
  return address == wanted ||
         (slash != std::string_view::npos && address.substr(slash + 1) == wanted);
}

Result<std::string> find_bridge(Database& database, const std::string& wanted) {
  auto select = database.prepare("SELECT DISTINCT bridge FROM bridge_sample ORDER BY bridge");
  if (!select) {
    return tl::make_unexpected(to_error(select.error()));
  }
  for (;;) {
    const auto row = select->step();
    if (!row) {
      return tl::make_unexpected(to_error(row.error()));
    }
    if (!*row) {
      return fail(Errc::kNotFound, "no history of a bridge " + wanted);
    }
    if (is_named(select->bytes(0), wanted)) {
      return std::string(select->bytes(0));
    }
  }
}

/// Adds reports in their order to points.
class Points {
 public:
  Points(const HistoryQuery& query, std::vector<HistoryPoint>& points)
      : query_(query), points_(points) {}

  void add(WallTime at, const BridgeReport& report) {
    const WallTime start = query_.from + (at - query_.from) / query_.step * query_.step;
    if (points_.empty() || points_.back().at != start) {
      points_.push_back({.at = start});
      stress_sum_ = stress_count_ = 0;
    }
    HistoryPoint& point = points_.back();
    ++point.reports;
    if (report.stress) {
      const std::int64_t stress = report.stress->millionths();
      point.stress_max = std::max(point.stress_max.value_or(stress), stress);
      stress_sum_ += stress;
      point.stress_mean = stress_sum_ / ++stress_count_;
    }
    if (report.local_endpoints) {
      point.endpoints_max = std::max(point.endpoints_max.value_or(0), *report.local_endpoints);
    }
  }

 private:
  const HistoryQuery& query_;
  std::vector<HistoryPoint>& points_;
  std::int64_t stress_sum_ = 0;
  std::int64_t stress_count_ = 0;
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
  auto bridge = find_bridge(*database, query.bridge);
  if (!bridge) {
    return tl::make_unexpected(bridge.error());
  }
  auto select = database->prepare(
      "SELECT id, hlc, raw, crc FROM bridge_sample WHERE bridge=?1 AND hlc>=?2 AND hlc<?3"
      " ORDER BY id");
  if (!select) {
    return tl::make_unexpected(to_error(select.error()));
  }
  select->bind_text(1, *bridge).bind(2, first_hlc(query.from)).bind(3, first_hlc(query.to));
  History history{.bridge = *bridge};
  Points points(query, history.points);
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
    points.add(WallTime(std::chrono::milliseconds(static_cast<std::int64_t>(hlc >> 16U))),
               report->report);
  }
}

}  // namespace bascule::stats::sqlite
