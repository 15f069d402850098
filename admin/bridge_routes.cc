#include "admin/bridge_routes.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "admin/bridge_json.h"
#include "admin/json.h"
#include "admin/names.h"

namespace bascule::admin {
namespace {

constexpr std::size_t kRoomsMax = 1'000;

HttpResponse all_bridges(const BridgeSources& sources) {
  const Now now = sources.now();
  JsonWriter json;
  json.begin_object();
  json.key("bridges");
  write_bridges(sources.placement(), sources.drains(), now, json);
  json.end_object();
  return json_text_response(json.take());
}

HttpResponse one_bridge(const BridgeSources& sources, const std::string& text) {
  const Now now = sources.now();
  const focus::Placement& placement = sources.placement();
  const auto jid = find_bridge(text, placement, now);
  const auto view = jid ? placement.bridge(*jid, now) : std::nullopt;
  if (!view) {
    return not_found("no bridge is known as " + text + "; GET /v1/bridges lists them");
  }
  std::vector<RoomJid> rooms = placement.conferences_on(*jid);
  std::sort(rooms.begin(), rooms.end());
  JsonWriter json;
  json.begin_object();
  const auto& drains = sources.drains();
  const auto drain = drains.find(*jid);
  write_members(*view, drain == drains.end() ? nullptr : &drain->second, now, json);
  json.key("rooms");
  json.begin_array();
  for (std::size_t i = 0; i < std::min(rooms.size(), kRoomsMax); ++i) {
    json.value(rooms[i].to_string());
  }
  json.end_array();
  json.end_object();
  return json_text_response(json.take());
}

}  // namespace

void add_bridge_routes(Router& router, BridgeSources given) {
  const auto sources = std::make_shared<const BridgeSources>(std::move(given));
  router.add("GET", "/v1/bridges", [sources](const HttpRequest& request, const Respond& respond) {
    respond(request.query.empty() ? all_bridges(*sources) : no_parameters());
  });
  router.add(
      "GET", "/v1/bridges/{}", [sources](const HttpRequest& request, const Respond& respond) {
        respond(request.query.empty() ? one_bridge(*sources, request.segment) : no_parameters());
      });
}

}  // namespace bascule::admin
