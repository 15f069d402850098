#include "admin/decision_json.h"

#include <algorithm>
#include <optional>

#include "admin/json.h"
#include "base/time_text.h"

namespace bascule::admin {
namespace {

using focus::CandidateFigures;
using focus::DecisionRecord;
using focus::op::Decision;

template <class T>
std::optional<std::string_view> name_or_null(const std::optional<T>& value) {
  return value ? std::optional(focus::to_string(*value)) : std::nullopt;
}

/// What both kinds of figures say in the same words.
template <class Figures>
void write_figures(const Figures& figures, const BridgeJid& bridge, bool fits, JsonWriter& json) {
  const bool reported = figures.report_age >= Duration::zero();
  json.member("bridge", bridge.to_string());
  json.member("fits", fits);
  json.member("expected", share(figures.expected));
  json.member("reported", share(figures.reported));
  json.member("report_age_ms",
              reported ? std::optional(milliseconds(figures.report_age)) : std::nullopt);
  json.member("reserved", share(figures.reserved));
  json.member("cost_per_unit", share(figures.cost_per_unit));
  json.member("capacity", share(figures.capacity));
  json.member("load_units", units(figures.load));
  json.member("unaccounted_units", units(figures.unaccounted));
  json.member("in_flight", figures.in_flight);
}

/// What both kinds of decisions say in the same words.
template <class Record>
void write_circumstances(const Record& record, std::size_t open_bridges, JsonWriter& json) {
  json.member("waited_ms", milliseconds(record.waited));
  json.member("limit", share(record.limit));
  json.member("people", record.people);
  json.member("open_bridges", open_bridges);
  json.member("looked_at", record.looked_at);
  json.member("settling", record.settling);
  json.member("fleet_full", record.fleet_full);
}

}  // namespace

void write(const DecisionRecord& record, Now now, JsonWriter& json) {
  json.begin_object();
  json.member("at", to_text(now.wall - (now.mono - record.at)));
  json.member("number", record.number);
  json.member("room", record.ticket.room.to_string());
  json.member("endpoint", record.ticket.participant.jid().resource());
  json.member("kind", focus::to_string(record.ticket.kind));
  json.member("generation", record.ticket.generation);
  json.member("class", focus::to_string(record.ticket_class));
  json.member("bridge", record.reason ? std::optional(record.bridge.to_string()) : std::nullopt);
  json.member("rule", name_or_null(record.reason));
  json.member("wait", name_or_null(record.wait));
  write_circumstances(record, record.open_bridges, json);
  json.member("earlier_process", false);
  json.key("candidates");
  json.begin_array();
  for (const CandidateFigures& figures : record.figures) {
    json.begin_object();
    write_figures(figures, figures.bridge, figures.fits, json);
    json.member("tokens", figures.tokens);
    json.end_object();
  }
  json.end_array();
  json.end_object();
}

void write(const Decision& decision, JsonWriter& json) {
  const auto if_placed = [&decision](bool is_placed) {
    return decision.bridge.has_value() == is_placed ? std::optional(decision.reason) : std::nullopt;
  };
  json.begin_object();
  json.member("at", to_text(decision.at));
  json.member("number", decision.number);
  json.member("room", decision.room.to_string());
  json.member("endpoint", decision.endpoint.value());
  json.member("kind", decision.kind);
  json.member("class", decision.ticket_class);
  json.member("bridge",
              decision.bridge ? std::optional(decision.bridge->to_string()) : std::nullopt);
  json.member("rule", if_placed(true));
  json.member("wait", if_placed(false));
  write_circumstances(decision, decision.candidates, json);
  json.member("earlier_process", true);
  json.key("candidates");
  json.begin_array();
  if (decision.bridge) {
    json.begin_object();
    write_figures(decision, *decision.bridge, /*fits=*/true, json);
    json.end_object();
  }
  json.end_array();
  json.end_object();
}

std::vector<DecisionRecord> decisions_about(const focus::Placement& placement, const RoomJid& room,
                                            const std::string& endpoint, std::size_t limit) {
  std::vector<DecisionRecord> records = placement.explain(room, kDecisionsSearched);
  std::erase_if(records, [&endpoint](const DecisionRecord& record) {
    return record.ticket.participant.jid().resource() != endpoint;
  });
  records.resize(std::min(records.size(), limit));
  return records;
}

void write_decisions(const std::vector<DecisionRecord>& records, const Decisions* earlier,
                     const std::function<bool(const Decision&)>& matches, std::size_t limit,
                     Now now, JsonWriter& json) {
  std::size_t told = 0;
  json.begin_array();
  for (auto record = records.begin(); record != records.end() && told < limit; ++record, ++told) {
    write(*record, now, json);
  }
  if (earlier != nullptr) {
    for (auto each = earlier->rbegin(); each != earlier->rend() && told < limit; ++each) {
      if (matches(each->second)) {
        write(each->second, json);
        ++told;
      }
    }
  }
  json.end_array();
}

}  // namespace bascule::admin
