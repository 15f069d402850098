#include "admin/queue_routes.h"

#include <memory>
#include <utility>

namespace bascule::admin {
namespace {

constexpr QueryNumber kLimit{.name = "limit", .fallback = 100, .min = 1, .max = 1'000};

void write(const focus::WaitingView& waiting, JsonWriter& json) {
  json.begin_object();
  json.member("room", waiting.ticket.room.to_string());
  json.member("endpoint", waiting.ticket.participant.jid().resource());
  json.member("class", focus::to_string(waiting.ticket_class));
  json.member("kind", focus::to_string(waiting.ticket.kind));
  json.member("waited_ms", milliseconds(waiting.waited));
  json.member("why",
              waiting.reason ? std::optional(focus::to_string(*waiting.reason)) : std::nullopt);
  json.end_object();
}

HttpResponse queue(const PlacementSources& sources, const std::string& query_text) {
  const auto query = parse_query(query_text, {"limit"});
  const auto limit = query ? number_of(*query, kLimit) : tl::make_unexpected(query.error());
  if (!limit) {
    return bad_request(limit.error());
  }
  const focus::Placement& placement = sources.placement();
  const Now now = sources.now();
  JsonWriter json;
  json.begin_object();
  write_queue_totals(placement, now, json);
  json.key("tickets");
  json.begin_array();
  for (const focus::WaitingView& waiting : placement.longest_waiting(*limit, now)) {
    write(waiting, json);
  }
  json.end_array();
  json.end_object();
  return json_text_response(json.take());
}

}  // namespace

Json queued_by_class(const focus::Placement& placement) {
  Json queue = Json::object();
  for (std::size_t i = 0; i < focus::kTicketClassCount; ++i) {
    const auto ticket_class = static_cast<focus::TicketClass>(i);
    queue[std::string(focus::to_string(ticket_class))] = placement.queued(ticket_class);
  }
  return queue;
}

void write_queue_totals(const focus::Placement& placement, Now now, JsonWriter& json) {
  json.member("total", placement.queued());
  json.key("by_class");
  json.raw(queued_by_class(placement).dump());
  json.member("oldest_wait_ms", milliseconds(placement.oldest_wait(now)));
}

void add_queue_routes(Router& router, PlacementSources given) {
  router.add("GET", "/v1/queue",
             [sources = std::make_shared<const PlacementSources>(std::move(given))](
                 const HttpRequest& request, const Respond& respond) {
               respond(queue(*sources, request.query));
             });
}

}  // namespace bascule::admin
