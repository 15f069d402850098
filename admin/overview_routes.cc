#include "admin/overview_routes.h"

#include <memory>
#include <utility>

#include "admin/bridge_json.h"
#include "admin/json_writer.h"
#include "admin/queue_routes.h"
#include "base/time_text.h"
#include "focus/stats_node.h"

namespace bascule::admin {
namespace {

std::optional<std::string_view> known(std::string_view text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

void write_process(const OverviewSources& sources, Now now, JsonWriter& json) {
  const Health health = sources.health();
  json.member("version", sources.version);
  json.member("revision", known(sources.revision));
  json.member("started_at", to_text(sources.started_at));
  json.member("uptime_s", (now.wall - sources.started_at) / std::chrono::seconds{1});
  json.member("at", to_text(now.wall));
  json.member("ready", health.ready);
  json.key("problems");
  json.begin_array();
  for (const std::string& problem_text : health.problems) {
    json.value(problem_text);
  }
  json.end_array();
}

void write_work(const focus::Focus& focus, Now now, JsonWriter& json) {
  const focus::Placement& placement = focus.placement();
  json.member("mode", focus::to_string(placement.mode()));
  json.member("overload", focus::to_string(placement.overload(now)));
  json.key("queue");
  json.begin_object();
  write_queue_totals(placement, now, json);
  json.end_object();
  json.member("conferences", focus.conference_count());
  json.member("participants", focus.participant_count());
  json.member("sessions", focus.session_count());
  json.member("waiting_requests", focus.waiting_requests());
}

void write_links(const OverviewSources& sources, JsonWriter& json) {
  json.key("links");
  json.begin_array();
  for (const LinkStatus& status : sources.links()) {
    json.begin_object();
    json.member("link", status.link);
    json.member("up", status.is_up);
    json.member("address", status.address);
    json.end_object();
  }
  json.end_array();
}

void write_stats(const OverviewSources& sources, JsonWriter& json) {
  const focus::Blindness blindness = sources.focus->placement().blindness();
  json.key("stats");
  json.begin_object();
  json.member("blind", focus::to_string(blindness.extent()));
  json.member("bridges", blindness.working);
  json.member("blind_bridges", blindness.blind);
  json.member("node", focus::to_string(sources.focus->stats_node().state()));
  json.member("store", sources.store());
  json.end_object();
}

}  // namespace

std::string overview_json(const OverviewSources& sources) {
  const Now now = sources.now();
  JsonWriter json;
  json.begin_object();
  write_process(sources, now, json);
  write_work(*sources.focus, now, json);
  write_links(sources, json);
  write_stats(sources, json);
  json.key("ha");
  if (sources.ha) {
    json.raw(sources.ha().dump());
  } else {
    json.null();
  }
  json.key("bridges");
  write_bridges(sources.focus->placement(), sources.focus->orders().drains(), now, json);
  json.end_object();
  return json.take();
}

void add_overview_route(Router& router, OverviewSources given) {
  router.add("GET", "/v1/overview",
             [sources = std::make_shared<const OverviewSources>(std::move(given))](
                 const HttpRequest& request, const Respond& respond) {
               respond(request.query.empty() ? json_text_response(overview_json(*sources))
                                             : no_parameters());
             });
}

}  // namespace bascule::admin
