#include "stats/batch.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "stats/record.h"

namespace bascule::stats {
namespace {

constexpr std::uint16_t kReportTable = 1;

// One canonical row per report. Columns are only ever appended, so that older rows stay readable.
template <class Visitor, class Received>
void visit_columns(Visitor& visit, Received& r) {
  visit(r.source);
  visit(r.received);
  visit(r.received_wall);
  visit(r.report.bridge);
  visit(r.report.stress);
  visit(r.report.average_participant_stress);
  visit(r.report.healthy);
  visit(r.report.drain);
  visit(r.report.graceful_shutdown);
  visit(r.report.shutting_down);
  visit(r.report.version);
  visit(r.report.release);
  visit(r.report.region);
  visit(r.report.relay_id);
  visit(r.report.local_endpoints);
  visit(r.report.total_participants);
  visit(r.report.bridge_timestamp);
}

struct ColumnWriter {
  std::vector<Value> columns;

  void operator()(ReportSource source) { columns.emplace_back(static_cast<std::int64_t>(source)); }
  template <class C>
  void operator()(std::chrono::time_point<C> time) {
    columns.emplace_back(time.time_since_epoch().count());
  }
  void operator()(const BridgeJid& bridge) { columns.emplace_back(bridge.to_string()); }
  void operator()(const std::string& text) { columns.emplace_back(text); }
  template <class T>
  void operator()(const std::optional<T>& value) {
    columns.push_back(value ? to_column(*value) : Value());
  }

 private:
  static Value to_column(Stress stress) { return stress.millionths(); }
  static Value to_column(const std::string& text) { return text; }
  template <class T>
  static Value to_column(T number) {
    return static_cast<std::int64_t>(number);
  }
};

struct ColumnReader {
  const std::vector<Value>& columns;
  std::size_t next = 0;
  bool ok = true;

  template <class T>
  const T* take() {
    const T* value = next < columns.size() ? std::get_if<T>(&columns[next]) : nullptr;
    ++next;
    ok = ok && value != nullptr;
    return value;
  }
  void operator()(ReportSource& source) {
    const auto* value = take<std::int64_t>();
    ok = ok && *value >= 0 && *value <= static_cast<std::int64_t>(ReportSource::kRestored);
    if (ok) {
      source = static_cast<ReportSource>(*value);
    }
  }
  template <class C>
  void operator()(std::chrono::time_point<C>& time) {
    if (const auto* value = take<std::int64_t>()) {
      time = std::chrono::time_point<C>(Duration(*value));
    }
  }
  void operator()(BridgeJid& bridge) {
    const auto* text = take<std::string>();
    if (text == nullptr) {
      return;
    }
    auto jid = Jid::parse(*text);
    ok = ok && jid.has_value();
    if (jid) {
      bridge = BridgeJid(std::move(*jid));
    }
  }
  void operator()(std::string& text) {
    if (const auto* value = take<std::string>()) {
      text = *value;
    }
  }
  template <class T>
  void operator()(std::optional<T>& field) {
    if (next < columns.size() && std::holds_alternative<std::monostate>(columns[next])) {
      ++next;
      return;
    }
    if constexpr (std::is_same_v<T, std::string>) {
      if (const auto* value = take<std::string>()) {
        field = *value;
      }
    } else if (const auto* value = take<std::int64_t>()) {
      if constexpr (std::is_same_v<T, bool>) {
        ok = ok && (*value == 0 || *value == 1);
        field = *value == 1;
      } else {
        field.emplace(*value);
      }
    }
  }
};

}  // namespace

Result<> Batch::add(ReceivedReport report) {
  if (reports_.size() < max_) {
    reports_.push_back(std::move(report));
    return {};
  }
  const auto same =
      std::find_if(reports_.rbegin(), reports_.rend(), [&report](const ReceivedReport& other) {
        return other.report.bridge == report.report.bridge;
      });
  if (same == reports_.rend()) {
    return fail(Errc::kUnavailable, "batch of reports is full");
  }
  *same = std::move(report);
  return {};
}

std::string encode(const ReceivedReport& report) {
  ColumnWriter writer;
  visit_columns(writer, report);
  return encode_row(Row{.table = kReportTable, .columns = std::move(writer.columns)});
}

Result<ReceivedReport> decode_report(std::string_view bytes) {
  const auto row = decode_row(bytes);
  if (!row) {
    return tl::make_unexpected(row.error());
  }
  if (row->table != kReportTable) {
    return fail(Errc::kCorrupt, "row is not a bridge report");
  }
  ReceivedReport report;
  ColumnReader reader{row->columns};
  visit_columns(reader, report);
  // More columns than ours: a newer version appended some.
  if (!reader.ok || reader.next > row->columns.size()) {
    return fail(Errc::kCorrupt, "bridge report: wrong or missing column");
  }
  return report;
}

}  // namespace bascule::stats
