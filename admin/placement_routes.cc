#include "admin/placement_routes.h"

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "admin/bridge_json.h"
#include "admin/json.h"
#include "admin/names.h"
#include "admin/queue_routes.h"

namespace bascule::admin {
namespace {

using focus::DecisionRecord;
using focus::Placement;

constexpr QueryNumber kLimit{.name = "limit", .fallback = 50, .min = 1, .max = 1000};

// ---- values ------------------------------------------------------------------------------------

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

HttpResponse decisions_json(const std::vector<DecisionRecord>& records,
                            const PlacementSources& sources, std::size_t limit,
                            const std::function<bool(const focus::op::Decision&)>& matches) {
  JsonWriter json;
  json.begin_object();
  json.key("decisions");
  write_decisions(records, sources.earlier, matches, limit, sources.now(), json);
  json.end_object();
  return json_text_response(json.take());
}

HttpResponse decisions_of_room(const PlacementSources& sources, const std::string& room_text,
                               const std::optional<std::string>& endpoint, std::size_t limit) {
  const auto named = room_named(room_text);
  if (!named) {
    return named.error();
  }
  const RoomJid& room = *named;
  const Placement& placement = sources.placement();
  const auto records = endpoint ? decisions_about(placement, room, *endpoint, limit)
                                : placement.explain(room, limit);
  return decisions_json(records, sources, limit, [&](const focus::op::Decision& each) {
    return each.room == room && (!endpoint || each.endpoint.value() == *endpoint);
  });
}

HttpResponse decisions_of_bridge(const PlacementSources& sources, const std::string& text,
                                 std::size_t limit) {
  const auto bridge = bridge_named(text, sources.placement(), sources.now());
  if (!bridge) {
    return bridge.error();
  }
  return decisions_json(sources.placement().explain(*bridge, limit), sources, limit,
                        [&](const focus::op::Decision& each) { return each.bridge == *bridge; });
}

HttpResponse decisions(const PlacementSources& sources, const std::string& query_text) {
  const auto query = parse_query(query_text, {"room", "endpoint", "bridge", "limit"});
  if (!query) {
    return bad_request(query.error());
  }
  const auto limit = number_of(*query, kLimit);
  if (!limit) {
    return bad_request(limit.error());
  }
  const auto room = text_of(*query, "room");
  const auto endpoint = text_of(*query, "endpoint");
  const auto bridge = text_of(*query, "bridge");
  if (room.has_value() == bridge.has_value()) {
    return bad_request("either room or bridge is needed, not both");
  }
  if (endpoint && (!room || endpoint->empty())) {
    return bad_request("endpoint is one of the room that is named beside it");
  }
  return room ? decisions_of_room(sources, *room, endpoint, *limit)
              : decisions_of_bridge(sources, *bridge, *limit);
}

HttpResponse placement_now(const PlacementSources& sources) {
  const Placement& placement = sources.placement();
  const Now now = sources.now();
  const focus::Blindness blindness = placement.blindness();
  return json_response({{"mode", focus::to_string(placement.mode())},
                        {"overload", focus::to_string(placement.overload(now))},
                        {"queue", queued_by_class(placement)},
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
  router.add("GET", "/v1/placement", [sources](const HttpRequest& request, const Respond& respond) {
    respond(request.query.empty() ? placement_now(*sources) : no_parameters());
  });
}

}  // namespace bascule::admin
