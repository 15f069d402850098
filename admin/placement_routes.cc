#include "admin/placement_routes.h"

#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

#include "base/time_text.h"

namespace bascule::admin {
namespace {

using Json = nlohmann::ordered_json;
using focus::BridgeView;
using focus::CandidateFigures;
using focus::DecisionRecord;
using focus::Placement;

constexpr std::size_t kLimitDefault = 50;
constexpr std::size_t kLimitMax = 1000;

HttpResponse json(const Json& body) {
  return {.status = 200,
          .content_type = "application/json",
          .body = body.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n",
          .headers = {}};
}

// ---- the query ---------------------------------------------------------------------------------

tl::expected<std::size_t, std::string> limit_of(const Query& query) {
  const auto given = query.find("limit");
  if (given == query.end()) {
    return kLimitDefault;
  }
  const std::string& text = given->second;
  std::size_t limit = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), limit);
  const bool whole = read.ec == std::errc() && read.ptr == text.data() + text.size();
  if (!whole || limit == 0 || limit > kLimitMax) {
    return tl::make_unexpected("limit is a number from 1 to " + std::to_string(kLimitMax));
  }
  return limit;
}

// ---- values ------------------------------------------------------------------------------------

double share(Stress stress) {
  return static_cast<double>(stress.millionths()) / 1e6;
}
double units(std::int64_t thousandths) {
  return static_cast<double>(thousandths) / 1e3;
}
std::int64_t milliseconds(Duration duration) {
  return duration / std::chrono::milliseconds{1};
}

template <class T, class F>
Json or_null(const std::optional<T>& value, F convert) {
  return value ? Json(convert(*value)) : Json(nullptr);
}
Json or_null(const std::optional<std::string>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json to_json(const CandidateFigures& figures) {
  const bool reported = figures.report_age >= Duration::zero();
  return {{"bridge", figures.bridge.to_string()},
          {"fits", figures.fits},
          {"expected", share(figures.expected)},
          {"reported", share(figures.reported)},
          {"report_age_ms", reported ? Json(milliseconds(figures.report_age)) : Json(nullptr)},
          {"reserved", share(figures.reserved)},
          {"cost_per_unit", share(figures.cost_per_unit)},
          {"capacity", share(figures.capacity)},
          {"load_units", units(figures.load)},
          {"unaccounted_units", units(figures.unaccounted)},
          {"in_flight", figures.in_flight},
          {"tokens", figures.tokens}};
}

Json to_json(const DecisionRecord& record, Now now) {
  Json candidates = Json::array();
  for (const CandidateFigures& figures : record.figures) {
    candidates.push_back(to_json(figures));
  }
  const auto name = [](auto value) { return std::string(focus::to_string(value)); };
  return {{"at", to_text(now.wall - (now.mono - record.at))},
          {"number", record.number},
          {"room", record.ticket.room.to_string()},
          {"endpoint", record.ticket.participant.jid().resource()},
          {"kind", name(record.ticket.kind)},
          {"generation", record.ticket.generation},
          {"class", name(record.ticket_class)},
          {"bridge", record.reason ? Json(record.bridge.to_string()) : Json(nullptr)},
          {"rule", or_null(record.reason, name)},
          {"wait", or_null(record.wait, name)},
          {"waited_ms", milliseconds(record.waited)},
          {"limit", share(record.limit)},
          {"people", record.people},
          {"open_bridges", record.open_bridges},
          {"looked_at", record.looked_at},
          {"settling", record.settling},
          {"fleet_full", record.fleet_full},
          {"earlier_process", false},
          {"candidates", std::move(candidates)}};
}

Json to_json(const focus::op::Decision& decision) {
  Json candidates = Json::array();
  if (decision.bridge) {
    candidates.push_back({{"bridge", decision.bridge->to_string()},
                          {"fits", true},
                          {"expected", share(decision.expected)},
                          {"reported", share(decision.reported)},
                          {"report_age_ms", milliseconds(decision.report_age)},
                          {"reserved", share(decision.reserved)},
                          {"cost_per_unit", share(decision.cost_per_unit)},
                          {"capacity", share(decision.capacity)},
                          {"load_units", units(decision.load)},
                          {"unaccounted_units", units(decision.unaccounted)},
                          {"in_flight", decision.in_flight}});
  }
  return {{"at", to_text(decision.at)},
          {"number", decision.number},
          {"room", decision.room.to_string()},
          {"endpoint", decision.endpoint.value()},
          {"kind", decision.kind},
          {"class", decision.ticket_class},
          {"bridge", decision.bridge ? Json(decision.bridge->to_string()) : Json(nullptr)},
          {"rule", decision.bridge ? Json(decision.reason) : Json(nullptr)},
          {"wait", decision.bridge ? Json(nullptr) : Json(decision.reason)},
          {"waited_ms", milliseconds(decision.waited)},
          {"limit", share(decision.limit)},
          {"people", decision.people},
          {"open_bridges", decision.candidates},
          {"looked_at", decision.looked_at},
          {"settling", decision.settling},
          {"fleet_full", decision.fleet_full},
          {"earlier_process", true},
          {"candidates", std::move(candidates)}};
}

Json to_json(const BridgeView& view, Now now) {
  Json flags = Json::array();
  const auto flag = [&flags](bool set, const char* name) {
    if (set) {
      flags.push_back(name);
    }
  };
  flag(view.drain, "drain");
  flag(view.cordoned, "cordoned");
  flag(view.graceful_shutdown, "graceful_shutdown");
  flag(view.shutting_down, "shutting_down");
  flag(!view.healthy, "unhealthy");
  flag(view.suspect, "suspect");
  flag(view.ice_failing, "ice_failing");
  flag(view.standby, "standby");
  flag(view.activated, "activated");
  return {{"bridge", view.bridge.to_string()},
          {"state", focus::to_string(view.state)},
          {"present", view.present},
          {"flags", std::move(flags)},
          {"quarantine_left_ms",
           or_null(view.quarantined_until,
                   [&](Instant until) { return milliseconds(until - now.mono); })},
          {"reported", share(view.reported)},
          {"report_age_ms", or_null(view.report_age, milliseconds)},
          {"report_source",
           view.report_age ? Json(focus::to_string(view.report_origin)) : Json(nullptr)},
          {"confidence", static_cast<double>(view.confidence_permille) / 1000},
          {"confidence_level", focus::to_string(focus::level_of(view.confidence_permille))},
          {"caution", static_cast<double>(view.caution_permille) / 1000},
          {"expected", share(view.expected)},
          {"reserved", share(view.reserved)},
          {"limit", share(view.limit)},
          {"capacity", share(view.capacity)},
          {"cost_per_unit", share(view.cost_per_unit)},
          {"confirmations", view.confirmations},
          {"load_units", units(view.load)},
          {"unaccounted_units", units(view.unaccounted)},
          {"foreign_units", units(view.foreign)},
          {"participants", view.participants},
          {"conferences", view.conferences},
          {"in_flight", view.in_flight},
          {"version", or_null(view.version)},
          {"region", or_null(view.region)},
          {"relay_id", or_null(view.relay_id)}};
}

/// One entry per value of the closed list, named by its `to_string`.
template <class Enum, std::size_t N>
Json by_name(const std::array<std::uint64_t, N>& counts) {
  Json object = Json::object();
  for (std::size_t i = 0; i < N; ++i) {
    object[std::string(focus::to_string(static_cast<Enum>(i)))] = counts.at(i);
  }
  return object;
}

Json to_json(const focus::PlacementCounters& counters) {
  return {{"placed", by_name<focus::PlacementReason>(counters.placed)},
          {"waits", by_name<focus::WaitReason>(counters.waits)},
          {"moves", by_name<focus::MoveCause>(counters.moves)},
          {"bridge_failures", by_name<focus::FailureCause>(counters.bridge_failures)},
          {"tickets", counters.tickets},
          {"tickets_refused", counters.tickets_refused},
          {"tickets_cancelled", counters.tickets_cancelled},
          {"confirmed", counters.confirmed},
          {"allocation_failures", counters.allocation_failures},
          {"reports", counters.reports},
          {"reports_repeated", counters.reports_repeated},
          {"reports_bad", counters.reports_bad},
          {"reports_refused", counters.reports_refused},
          {"plans", counters.plans},
          {"plans_without_room", counters.plans_without_room},
          {"splits", counters.splits},
          {"spares_activated", counters.spares_activated},
          {"ice_quarantines", counters.ice_quarantines},
          {"isolations", counters.isolations},
          {"mass_drops", counters.mass_drops},
          {"pauses", counters.pauses}};
}

// ---- answers -----------------------------------------------------------------------------------

/// A nick of a bridge that is known, or a full address.
std::optional<BridgeJid> find_bridge(const std::string& text, const PlacementSources& sources) {
  if (text.find('/') != std::string::npos) {
    const auto jid = Jid::parse(text);
    return jid && !jid->resource().empty() ? std::optional(BridgeJid(*jid)) : std::nullopt;
  }
  for (const BridgeView& view : sources.placement().bridges(sources.now())) {
    if (view.bridge.jid().resource() == text) {
      return view.bridge;
    }
  }
  return std::nullopt;
}

template <class Matches>
void append_earlier(const PlacementSources& sources, std::size_t limit, Matches matches, Json& to) {
  if (sources.earlier == nullptr) {
    return;
  }
  for (auto it = sources.earlier->rbegin(); it != sources.earlier->rend() && to.size() < limit;
       ++it) {
    if (matches(it->second)) {
      to.push_back(to_json(it->second));
    }
  }
}

HttpResponse decisions(const PlacementSources& sources, const std::string& query_text) {
  const auto bad = [](const std::string& detail) { return problem(400, "Bad request", detail); };
  const auto query = parse_query(query_text, {"room", "bridge", "limit"});
  if (!query) {
    return bad(query.error());
  }
  const auto limit = limit_of(*query);
  if (!limit) {
    return bad(limit.error());
  }
  const auto room_text = query->find("room");
  const auto bridge_text = query->find("bridge");
  if ((room_text == query->end()) == (bridge_text == query->end())) {
    return bad("either room or bridge is needed, not both");
  }
  std::vector<DecisionRecord> records;
  Json told = Json::array();
  const auto tell = [&] {
    for (const DecisionRecord& record : records) {
      told.push_back(to_json(record, sources.now()));
    }
  };
  if (room_text != query->end()) {
    const auto jid = Jid::parse(room_text->second);
    if (!jid || !jid->is_bare() || jid->local().empty()) {
      return bad("room is an address like name@conference.example.net");
    }
    const RoomJid room(*jid);
    records = sources.placement().explain(room, *limit);
    tell();
    append_earlier(
        sources, *limit, [&](const auto& each) { return each.room == room; }, told);
  } else {
    const auto bridge = find_bridge(bridge_text->second, sources);
    if (!bridge) {
      return problem(404, "Not found", "no bridge is known as " + bridge_text->second);
    }
    records = sources.placement().explain(*bridge, *limit);
    tell();
    append_earlier(
        sources, *limit, [&](const auto& each) { return each.bridge == *bridge; }, told);
  }
  return json({{"decisions", std::move(told)}});
}

HttpResponse bridges(const PlacementSources& sources) {
  Json list = Json::array();
  for (const BridgeView& view : sources.placement().bridges(sources.now())) {
    list.push_back(to_json(view, sources.now()));
  }
  return json({{"bridges", std::move(list)}});
}

HttpResponse overview(const PlacementSources& sources) {
  const Placement& placement = sources.placement();
  const Now now = sources.now();
  const focus::Blindness blindness = placement.blindness();
  Json queue = Json::object();
  for (std::size_t i = 0; i < focus::kTicketClassCount; ++i) {
    const auto ticket_class = static_cast<focus::TicketClass>(i);
    queue[std::string(focus::to_string(ticket_class))] = placement.queued(ticket_class);
  }
  return json({{"mode", focus::to_string(placement.mode())},
               {"overload", focus::to_string(placement.overload(now))},
               {"queue", std::move(queue)},
               {"oldest_wait_ms", milliseconds(placement.oldest_wait(now))},
               {"stats",
                {{"blind", focus::to_string(blindness.extent())},
                 {"bridges", blindness.working},
                 {"blind_bridges", blindness.blind}}},
               {"counters", to_json(placement.counters())}});
}

}  // namespace

void add_placement_routes(Router& router, PlacementSources given) {
  const auto sources = std::make_shared<const PlacementSources>(std::move(given));
  router.add("GET", "/v1/decisions", [sources](const HttpRequest& request, const Respond& respond) {
    respond(decisions(*sources, request.query));
  });
  router.add("GET", "/v1/bridges", [sources](const HttpRequest& request, const Respond& respond) {
    respond(request.query.empty() ? bridges(*sources)
                                  : problem(400, "Bad request", "there are no parameters"));
  });
  router.add("GET", "/v1/placement", [sources](const HttpRequest& request, const Respond& respond) {
    respond(request.query.empty() ? overview(*sources)
                                  : problem(400, "Bad request", "there are no parameters"));
  });
}

}  // namespace bascule::admin
