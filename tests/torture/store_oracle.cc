#include "tests/torture/store_oracle.h"

#include <memory>
#include <set>
#include <utility>

#include <sqlite3.h>

#include "tests/unit/stats/store_support.h"

namespace bascule::torture {
namespace {

using stats::ReceivedReport;
using stats::sqlite::Store;

// Written and stored, but not yet told: as many as a writer leaves unanswered.
constexpr std::uint64_t kTurnsAheadMax = kInFlightMax;

/// As stored: where it came from is not compared, because the store calls everything restored.
std::string bytes_of(ReceivedReport report) {
  report.source = stats::ReportSource::kBrewery;
  return encode(report);
}

std::string bytes_of_number(std::uint64_t number) {
  return bytes_of(stats::sqlite::numbered_report(number));
}

std::uint64_t number_of(const ReceivedReport& report) {
  return static_cast<std::uint64_t>(report.report.local_endpoints.value_or(0));
}

}  // namespace

StoreOracle::StoreOracle(std::string directory)
    : directory_(std::move(directory)), expected_(stats::sqlite::tables_after(0, "boot")) {
}

std::string StoreOracle::check(const Told& told) {
  std::string wrong;
  {
    const auto opened = Store::open(
        {.directory = directory_, .boot_id = "boot", .snapshot_every = 60, .reports_max = 1'200},
        [](const stats::sqlite::Completion&) {});
    if (!opened) {
      return "the store does not open: " + opened.error().what;
    }
    findings_ = opened->report.findings;
    wrong = check_state(opened->restored.tables, told);
    if (wrong.empty()) {
      wrong = check_latest(opened->restored.reports);
    }
  }
  return wrong.empty() ? check_history(told) : wrong;
}

/// With findings the tables are what could be saved, and only the report of the loss is checked.
std::string StoreOracle::check_state(const focus::Tables& tables, const Told& told) {
  if (!findings_.empty()) {
    return {};
  }
  const std::uint64_t found = stats::sqlite::last_turn(tables);
  if (found < told.last_turn) {
    return "turn " + std::to_string(told.last_turn) + " was acknowledged, the state ends at " +
           std::to_string(found);
  }
  if (found < turns_ || found > std::max(turns_, told.last_answered) + kTurnsAheadMax) {
    return "the state claims turn " + std::to_string(found);
  }
  for (; turns_ < found; ++turns_) {
    for (const focus::Operation& operation : stats::sqlite::numbered_turn(turns_ + 1)) {
      expected_.apply(operation);
    }
  }
  return tables == expected_ ? "" : "the tables are not what the turns add up to";
}

std::string StoreOracle::check_latest(const std::vector<ReceivedReport>& reports) {
  for (ReceivedReport report : reports) {
    // The age is forgotten with the boot id; the history has it.
    report.received = stats::sqlite::numbered_report(number_of(report)).received;
    if (bytes_of(report) != bytes_of_number(number_of(report))) {
      return "a latest report was served that nobody wrote";
    }
  }
  return {};
}

std::string StoreOracle::check_history(const Told& told) {
  sqlite3* raw = nullptr;
  const int code =
      sqlite3_open_v2((directory_ + "/stats.db").c_str(), &raw, SQLITE_OPEN_READWRITE, nullptr);
  const std::unique_ptr<sqlite3, int (*)(sqlite3*)> database(raw, sqlite3_close);
  sqlite3_stmt* raw_select = nullptr;
  if (code != SQLITE_OK || sqlite3_prepare_v2(database.get(), "SELECT raw FROM bridge_sample", -1,
                                              &raw_select, nullptr) != SQLITE_OK) {
    return "the history cannot be read";
  }
  const std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> select(raw_select, sqlite3_finalize);
  std::set<std::uint64_t> found;
  int step = SQLITE_OK;
  while ((step = sqlite3_step(select.get())) == SQLITE_ROW) {
    const auto* bytes = static_cast<const char*>(sqlite3_column_blob(select.get(), 0));
    const auto report = stats::decode_report(
        {bytes, static_cast<std::size_t>(sqlite3_column_bytes(select.get(), 0))});
    if (!report || bytes_of(*report) != bytes_of_number(number_of(*report))) {
      return "the history holds a report that nobody wrote";
    }
    found.insert(number_of(*report));
    ++reports_compared_;
  }
  if (step != SQLITE_DONE) {
    return std::string("the history cannot be read: ") + sqlite3_errmsg(database.get());
  }
  if (!found.empty()) {
    next_report_ = std::max(next_report_, *found.rbegin() + 1);
  }
  for (const std::uint64_t batch : told.batches) {
    for (std::uint64_t i = 0; findings_.empty() && i < kReportsPerBatch; ++i) {
      if (found.count(batch - i) == 0) {
        return "report " + std::to_string(batch - i) + " was acknowledged and is not there";
      }
    }
  }
  return {};
}

}  // namespace bascule::torture
