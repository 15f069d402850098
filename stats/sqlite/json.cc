#include "stats/sqlite/json.h"

#include <chrono>
#include <optional>
#include <utility>

#include "base/time_text.h"

namespace bascule::stats::sqlite {
namespace {

template <class T, class F>
Json or_null(const std::optional<T>& value, F convert) {
  return value ? Json(convert(*value)) : Json(nullptr);
}

Json all_of(const std::vector<Finding>& findings) {
  Json all = Json::array();
  for (const Finding& finding : findings) {
    all.push_back(to_json(finding));
  }
  return all;
}

Json point_of(const HistoryPoint& point) {
  const auto share = [](std::int64_t millionths) { return static_cast<double>(millionths) / 1e6; };
  return {{"at", to_text(point.at)},
          {"reports", point.reports},
          {"stress_max", or_null(point.stress_max, share)},
          {"stress_mean", or_null(point.stress_mean, share)},
          {"endpoints_max", or_null(point.endpoints_max, [](std::int64_t n) { return n; })}};
}

}  // namespace

Json to_json(const Finding& finding) {
  return {{"file", finding.file},
          {"damage", to_string(finding.damage)},
          {"detail", finding.detail},
          {"lost", or_null(finding.lost, [](std::uint64_t lost) { return lost; })},
          {"since", or_null(finding.since, [](WallTime at) { return to_text(at); })},
          {"action_at_start", action_for(finding.damage)}};
}

Json to_json(const DirectoryCheck& check) {
  Json files = Json::array();
  for (const FileCheck& file : check.files) {
    files.push_back({{"name", file.name},
                     {"bytes", file.bytes},
                     {"records", file.records},
                     {"newest", or_null(file.newest, [](WallTime at) { return to_text(at); })},
                     {"findings", all_of(file.findings)}});
  }
  return {{"sound", check.is_sound()},
          {"stopped_in_order", check.stopped_in_order},
          {"files", std::move(files)},
          {"marks", all_of(check.marks)}};
}

Json to_json(const History& history) {
  Json points = Json::array();
  for (const HistoryPoint& point : history.points) {
    points.push_back(point_of(point));
  }
  return {{"bridge", history.bridge}, {"damaged", history.damaged}, {"points", std::move(points)}};
}

Json to_json(const Rebuilt& rebuilt) {
  return {
      {"rows_expected", rebuilt.rows_expected},   {"rows_kept", rebuilt.rows_kept},
      {"rows_dropped", rebuilt.rows_dropped()},   {"history_replaced", rebuilt.history_replaced},
      {"state_replaced", rebuilt.state_replaced}, {"moved_to", rebuilt.moved_to},
      {"findings", all_of(rebuilt.findings)}};
}

Json to_json(const StoreStatus& status, const LoadReport& load) {
  return {{"sound", load.findings.empty() && status.state_ok && status.reports_ok},
          {"state_ok", status.state_ok},
          {"reports_ok", status.reports_ok},
          {"last_problem", status.last_problem},
          {"operations_committed", status.operations_committed},
          {"transactions", status.transactions},
          {"reports_written", status.reports_written},
          {"errors", status.failures},
          {"files_replaced", status.files_replaced},
          {"queued_operations", status.queued_operations},
          {"queued_batches", status.queued_batches},
          {"oldest_waiting_ms", status.oldest_waiting / std::chrono::milliseconds{1}},
          {"stalls", status.stalls},
          {"stalled_ms", status.stalled / std::chrono::milliseconds{1}},
          {"turns_refused", status.turns_refused},
          {"batches_refused", status.batches_refused},
          {"start",
           {{"clean", load.clean},
            {"operations", load.operations},
            {"reports", load.reports},
            {"findings", all_of(load.findings)},
            {"moved_to", load.moved_to}}}};
}

}  // namespace bascule::stats::sqlite
