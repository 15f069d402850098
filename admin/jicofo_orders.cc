#include "admin/jicofo_orders.h"

#include <charconv>
#include <cmath>
#include <memory>
#include <utility>

#include "admin/json.h"
#include "admin/names.h"
#include "base/time_text.h"
#include "focus/orders.h"

namespace bascule::admin {
namespace {

using focus::order::Move;
using Outcome = Result<focus::OrderDone>;
using Sources = std::shared_ptr<const JicofoOrderSources>;

// ---- what a request names ----------------------------------------------------------------------

/// A conference there is.
Parsed<RoomJid> known_room(const JicofoOrderSources& sources, const std::string& text) {
  auto room = room_named(text);
  if (room && !sources.focus().details(*room)) {
    return refused(not_found("there is no conference " + text));
  }
  return room;
}

/// A bridge there is, or was.
Parsed<BridgeJid> known_bridge(const JicofoOrderSources& sources, const std::string& text) {
  const focus::Placement& placement = sources.focus().placement();
  auto bridge = bridge_named(text, placement, sources.now());
  return !bridge || placement.bridge(*bridge, sources.now())
             ? bridge
             : refused(not_found("no bridge is known as " + text));
}

Parsed<Query> query_of(const HttpRequest& request, std::initializer_list<std::string_view> names) {
  auto query = parse_query(request.query, names);
  return query ? Parsed<Query>(*std::move(query)) : refused(bad_request(query.error()));
}

Parsed<std::string> needed(const Query& query, const std::string& name) {
  auto value = text_of(query, name);
  return value && !value->empty() ? Parsed<std::string>(*std::move(value))
                                  : refused(bad_request(name + " is needed"));
}

/// 0 to 1.
Parsed<double> fraction_of(const Query& query) {
  const std::string text = text_of(query, "fraction").value_or("0.1");
  double value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = read.ec == std::errc() && read.ptr == text.data() + text.size();
  return whole && value >= 0 && value <= 1
             ? Parsed<double>(value)
             : refused(bad_request("fraction is a number from 0 to 1, for example 0.1"));
}

// ---- moves -------------------------------------------------------------------------------------

Parsed<Move> one_endpoint(const JicofoOrderSources& sources, const HttpRequest& request) {
  const auto query = query_of(request, {"conference", "endpoint", "bridge"});
  if (!query) {
    return refused(query.error());
  }
  const auto conference = needed(*query, "conference");
  const auto endpoint = needed(*query, "endpoint");
  if (!conference || !endpoint) {
    return refused(conference ? endpoint.error() : conference.error());
  }
  const auto room = room_named(*conference);
  if (!room) {
    return refused(room.error());
  }
  const auto details = sources.focus().details(*room);
  if (!details) {
    return refused(not_found("there is no conference " + *conference));
  }
  Move move{
      .room = *room, .endpoint = EndpointId(*endpoint), .from = {}, .to = {}, .people_max = 1};
  const focus::MemberDetails* member = nullptr;
  for (const focus::MemberDetails& each : details->members) {
    member = each.endpoint == move.endpoint ? &each : member;
  }
  if (member == nullptr) {
    return refused(not_found("nobody in " + *conference + " is called " + *endpoint));
  }
  move.from = member->bridge;
  if (const auto bridge = text_of(*query, "bridge")) {
    const auto asked = known_bridge(sources, *bridge);
    if (!asked) {
      return refused(asked.error());
    }
    move.people_max = move.from == *asked ? 1 : 0;
  }
  move.people_max = move.from ? move.people_max : 0;
  return move;
}

Parsed<Move> some_endpoints(const JicofoOrderSources& sources, const HttpRequest& request) {
  constexpr std::size_t kEndpointsMax = 1'000'000;
  const auto query = query_of(request, {"bridge", "conference", "numEndpoints"});
  if (!query) {
    return refused(query.error());
  }
  const auto text = needed(*query, "bridge");
  if (!text) {
    return refused(text.error());
  }
  const auto most =
      number_of(*query, {.name = "numEndpoints", .fallback = 1, .min = 0, .max = kEndpointsMax});
  if (!most) {
    return refused(bad_request(most.error()));
  }
  const auto bridge = known_bridge(sources, *text);
  if (!bridge) {
    return refused(bridge.error());
  }
  Move move{.room = {}, .endpoint = {}, .from = *bridge, .to = {}, .people_max = *most};
  if (const auto conference = text_of(*query, "conference")) {
    const auto room = known_room(sources, *conference);
    if (!room) {
      return refused(room.error());
    }
    move.room = *room;
  }
  return move;
}

Parsed<Move> a_fraction(const JicofoOrderSources& sources, const HttpRequest& request) {
  const auto query = query_of(request, {"bridge", "fraction"});
  if (!query) {
    return refused(query.error());
  }
  const auto text = needed(*query, "bridge");
  if (!text) {
    return refused(text.error());
  }
  const auto fraction = fraction_of(*query);
  if (!fraction) {
    return refused(fraction.error());
  }
  const auto bridge = known_bridge(sources, *text);
  if (!bridge) {
    return refused(bridge.error());
  }
  const auto view = sources.focus().placement().bridge(*bridge, sources.now());
  const double there = view ? static_cast<double>(view->participants) : 0;
  return Move{.room = {},
              .endpoint = {},
              .from = *bridge,
              .to = {},
              .people_max = static_cast<std::size_t>(std::llround(*fraction * there))};
}

HttpResponse moved(const focus::OrderDone& done) {
  return json_response(
      Json{{"movedEndpoints", done.participants}, {"conferences", done.conferences}});
}

/// Nobody being there is no error here (jicofo: LoadRedistributor.kt): what was named is known.
HttpResponse moved_response(const Outcome& outcome) {
  if (outcome) {
    return moved(*outcome);
  }
  return outcome.error().code == Errc::kNotFound ? moved({}) : order_refused(outcome.error());
}

using ParseMove = Parsed<Move> (*)(const JicofoOrderSources&, const HttpRequest&);

void add_move(Router& router, const Sources& sources, const std::string& path, ParseMove parse) {
  const auto move = [sources, parse](const HttpRequest& request, const Respond& respond) {
    const auto order = parse(*sources, request);
    if (!order) {
      respond(order.error());
    } else if (order->people_max == 0) {
      respond(moved({}));
    } else {
      sources->order(request.principal.name, *order,
                     [respond](const Outcome& outcome) { respond(moved_response(outcome)); });
    }
  };
  router.add("POST", path, move);
  // For those who may move people, although it is a GET; Access then looks at the page as well.
  router.add("GET", path, Role::kOperate,
             [sources, path, move](const HttpRequest& request, const Respond& respond) {
               if (sources->get_moves && request.method == "GET") {
                 move(request, respond);
                 return;
               }
               HttpResponse response = problem(405, "Method not allowed",
                                               "this moves people: use POST " + path +
                                                   "; admin.jicofo-get-moves lets GET do so, too");
               response.headers.emplace_back("Allow", sources->get_moves ? "POST, GET" : "POST");
               respond(std::move(response));
             });
}

// ---- pins --------------------------------------------------------------------------------------

Parsed<std::string> text_member(const nlohmann::json& body, const char* name) {
  const auto value = body.find(name);
  return value != body.end() && value->is_string() && !value->get_ref<const std::string&>().empty()
             ? Parsed<std::string>(value->get<std::string>())
             : refused(bad_request(std::string(name) + " is needed, a text"));
}

Parsed<RoomJid> room_of(const nlohmann::json& body) {
  const auto text = text_member(body, "conferenceId");
  return text ? room_named(*text) : refused(text.error());
}

std::function<void(const Outcome&)> when_done(const Respond& respond) {
  return [respond](const Outcome& outcome) {
    respond(outcome ? HttpResponse() : order_refused(outcome.error()));
  };
}

void pin(const JicofoOrderSources& sources, const HttpRequest& request, const Respond& respond) {
  constexpr std::int64_t kMinutesMax = focus::kPinMax / std::chrono::minutes{1};
  const auto body = json_object_body(request);
  const auto room = body ? room_of(*body) : refused(body.error());
  const auto version = body ? text_member(*body, "jvbVersion") : refused(body.error());
  if (!room || !version) {
    respond(room ? version.error() : room.error());
    return;
  }
  const auto minutes = body->find("durationMinutes");
  const bool valid = minutes != body->end() && minutes->is_number_integer() && *minutes >= 1 &&
                     *minutes <= kMinutesMax;
  if (!valid) {
    respond(bad_request("durationMinutes is needed, a number from 1 to " +
                        std::to_string(kMinutesMax)));
    return;
  }
  sources.order(request.principal.name,
                focus::order::Pin{.room = *room,
                                  .version = *version,
                                  .for_time = std::chrono::minutes(minutes->get<std::int64_t>())},
                when_done(respond));
}

HttpResponse pins(const JicofoOrderSources& sources) {
  Json list = Json::array();
  for (const auto& [room, pin] : sources.focus().orders().pins()) {
    if (pin.until > sources.now().wall) {
      list.push_back({{"conferenceId", room.to_string()},
                      {"jvbVersion", pin.version},
                      {"expiresAt", to_text(pin.until)}});
    }
  }
  return json_response(list);
}

void add_pins(Router& router, const Sources& sources) {
  router.add("GET", "/pin",
             [sources](const HttpRequest&, const Respond& respond) { respond(pins(*sources)); });
  router.add("POST", "/pin", [sources](const HttpRequest& request, const Respond& respond) {
    pin(*sources, request, respond);
  });
  router.add("POST", "/pin/remove", [sources](const HttpRequest& request, const Respond& respond) {
    const auto body = json_object_body(request);
    const auto room = body ? room_of(*body) : refused(body.error());
    if (!room) {
      respond(room.error());
      return;
    }
    sources->order(request.principal.name, focus::order::Unpin{*room}, when_done(respond));
  });
}

}  // namespace

void add_jicofo_order_routes(Router& router, JicofoOrderSources given) {
  const auto sources = std::make_shared<const JicofoOrderSources>(std::move(given));
  add_pins(router, sources);
  add_move(router, sources, "/move-endpoints/move-endpoint", one_endpoint);
  add_move(router, sources, "/move-endpoints/move-endpoints", some_endpoints);
  add_move(router, sources, "/move-endpoints/move-fraction", a_fraction);
}

}  // namespace bascule::admin
