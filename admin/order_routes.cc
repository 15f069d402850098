#include "admin/order_routes.h"

#include <charconv>
#include <initializer_list>
#include <memory>
#include <utility>

#include "admin/drain_json.h"
#include "admin/json.h"
#include "admin/names.h"
#include "base/time_text.h"

namespace bascule::admin {
namespace {

namespace order = focus::order;
namespace op = focus::op;

struct Context {
  OrderDesk& desk;
  OrderSources sources;
};
using Shared = std::shared_ptr<const Context>;

// ---- what is asked -----------------------------------------------------------------------------

Parsed<BridgeJid> bridge_in(const Context& context, const std::string& text) {
  return bridge_named(text, context.sources.placement(), context.sources.now());
}

/// The members of a body, each read once; what is left over is an error.
class Body {
 public:
  /// An absent body is an empty object.
  static Parsed<Body> of(const HttpRequest& request) {
    if (request.body.empty()) {
      return Body(nlohmann::json::object());
    }
    auto object = json_object_body(request);
    return object ? Parsed<Body>(Body(*std::move(object))) : refused(std::move(object.error()));
  }

  template <class T>
  Parsed<std::optional<T>> take(const char* name, const char* expected) {
    const auto found = object_.find(name);
    if (found == object_.end() || found->is_null()) {
      object_.erase(name);
      return std::optional<T>();
    }
    const bool fits = std::is_same_v<T, bool>          ? found->is_boolean()
                      : std::is_same_v<T, std::string> ? found->is_string()
                                                       : found->is_number_unsigned();
    if (!fits) {
      return refused(bad_request(std::string(name) + " is " + expected));
    }
    std::optional<T> value = found->get<T>();
    object_.erase(name);
    return value;
  }
  /// nullopt: nothing is left over.
  [[nodiscard]] std::optional<HttpResponse> surplus(std::string_view known) const {
    return object_.empty()
               ? std::nullopt
               : std::optional(bad_request("there is no member " + object_.begin().key() + "; " +
                                           std::string(known) + " exist"));
  }

 private:
  explicit Body(nlohmann::json object) : object_(std::move(object)) {}
  nlohmann::json object_;
};

Parsed<order::Drain> drain_of(const HttpRequest& request, BridgeJid bridge) {
  auto body = Body::of(request);
  if (!body) {
    return refused(std::move(body.error()));
  }
  auto evacuate = body->take<bool>("evacuate", "true or false");
  if (!evacuate) {
    return refused(std::move(evacuate.error()));
  }
  auto reason = body->take<std::string>("reason", "a text");
  if (!reason) {
    return refused(std::move(reason.error()));
  }
  if (auto error = body->surplus("evacuate, reason")) {
    return refused(*std::move(error));
  }
  return order::Drain{.bridge = std::move(bridge),
                      .evacuate = evacuate->value_or(false),
                      .reason = reason->value_or("")};
}

Parsed<order::Pin> pin_of(const HttpRequest& request) {
  auto room = room_named(request.segment);
  if (!room) {
    return refused(std::move(room.error()));
  }
  auto body = Body::of(request);
  if (!body) {
    return refused(std::move(body.error()));
  }
  auto version =
      body->take<std::string>("version", "the version of a bridge, as /v1/bridges has it");
  if (!version) {
    return refused(std::move(version.error()));
  }
  auto minutes = body->take<std::uint32_t>("minutes", "a whole number");
  if (!minutes) {
    return refused(std::move(minutes.error()));
  }
  if (auto error = body->surplus("version, minutes")) {
    return refused(*std::move(error));
  }
  if (!*version || !*minutes) {
    return refused(bad_request("version and minutes are needed"));
  }
  return order::Pin{.room = *std::move(room),
                    .version = **std::move(version),
                    .for_time = std::chrono::minutes{**minutes}};
}

/// `people`: whether a whole conference is meant, so that some of it may be asked for.
Parsed<order::Move> move_of(const HttpRequest& request, const Context& context, bool people) {
  order::Move move;
  auto room = room_named(request.segment);
  if (!room) {
    return refused(std::move(room.error()));
  }
  move.room = *std::move(room);
  if (!people) {
    move.endpoint = EndpointId(request.segments.at(1));
  }
  auto body = Body::of(request);
  if (!body) {
    return refused(std::move(body.error()));
  }
  const auto take_bridge = [&](const char* name) -> Parsed<std::optional<BridgeJid>> {
    auto text = body->take<std::string>(name, "the nick or address of a bridge");
    if (!text) {
      return refused(std::move(text.error()));
    }
    if (!*text) {
      return std::optional<BridgeJid>();
    }
    auto bridge = bridge_in(context, **text);
    return bridge ? Parsed<std::optional<BridgeJid>>(*std::move(bridge))
                  : refused(std::move(bridge.error()));
  };
  for (const auto& [name, target] : {std::pair{"from", &move.from}, std::pair{"to", &move.to}}) {
    auto bridge = take_bridge(name);
    if (!bridge) {
      return refused(std::move(bridge.error()));
    }
    *target = *std::move(bridge);
  }
  if (people) {
    auto most = body->take<std::uint32_t>("participants", "a whole number");
    if (!most) {
      return refused(std::move(most.error()));
    }
    move.people_max = *most ? **most : order::kEverybody;
  }
  if (auto error = body->surplus(people ? "from, to, participants" : "from, to")) {
    return refused(*std::move(error));
  }
  return move;
}

// ---- what is answered --------------------------------------------------------------------------

HttpResponse drain_response(const Context& context, const BridgeJid& bridge) {
  const auto& drains = context.sources.orders().drains();
  const auto found = drains.find(bridge);
  if (found == drains.end()) {
    return not_found(bridge.jid().resource() + " is not drained by an operator");
  }
  const auto view = context.sources.placement().bridge(bridge, context.sources.now());
  JsonWriter json;
  write(found->second, view ? &*view : nullptr, json);
  return json_text_response(json.take());
}

HttpResponse drains_response(const Context& context) {
  JsonWriter json;
  json.begin_object();
  json.key("drains");
  json.begin_array();
  for (const auto& [bridge, drain] : context.sources.orders().drains()) {
    const auto view = context.sources.placement().bridge(bridge, context.sources.now());
    write(drain, view ? &*view : nullptr, json);
  }
  json.end_array();
  json.end_object();
  return json_text_response(json.take());
}

Json to_json(const op::PinSet& pin) {
  return {{"room", pin.room.to_string()},
          {"version", pin.version},
          {"until", to_text(pin.until)},
          {"by", pin.by}};
}

HttpResponse pins_response(const Context& context) {
  Json pins = Json::array();
  for (const auto& [room, pin] : context.sources.orders().pins()) {
    if (pin.until > context.sources.now().wall) {
      pins.push_back(to_json(pin));
    }
  }
  return json_response(Json{{"pins", std::move(pins)}});
}

using AuditKey = std::pair<WallTime, std::uint64_t>;

std::string cursor_of(const AuditKey& key) {
  return std::to_string(key.first.time_since_epoch().count()) + "-" + std::to_string(key.second);
}

std::optional<AuditKey> cursor_from(const std::string& text) {
  std::int64_t at = 0;
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, at);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != '-') {
    return std::nullopt;
  }
  const auto second = std::from_chars(first.ptr + 1, end, number);
  return second.ec == std::errc() && second.ptr == end
             ? std::optional(AuditKey{WallTime(Duration(at)), number})
             : std::nullopt;
}

HttpResponse audit_response(const Context& context, const std::string& query_text) {
  const auto query = parse_query(query_text, {"limit", "before"});
  if (!query) {
    return bad_request(query.error());
  }
  const auto limit = number_of(*query, {.name = "limit", .fallback = 50, .min = 1, .max = 1000});
  if (!limit) {
    return bad_request(limit.error());
  }
  const auto& audit = context.sources.orders().audit();
  auto next = audit.end();
  if (const auto before = text_of(*query, "before")) {
    const auto key = cursor_from(*before);
    if (!key) {
      return bad_request("before is what an earlier answer had as next");
    }
    next = audit.lower_bound(*key);
  }
  Json entries = Json::array();
  while (next != audit.begin() && entries.size() < *limit) {
    const op::AuditEntry& entry = (--next)->second;
    entries.push_back({{"at", to_text(entry.at)},
                       {"number", entry.number},
                       {"by", entry.by},
                       {"what", entry.what},
                       {"target", entry.target},
                       {"before", entry.before},
                       {"after", entry.after}});
  }
  const bool more = next != audit.begin();
  return json_response(Json{{"entries", std::move(entries)},
                            {"next", more ? Json(cursor_of(next->first)) : Json(nullptr)}});
}

/// Gives the order; `done` makes the answer when it was carried out.
void give(const Context& context, const HttpRequest& request, focus::Order what,
          const Respond& respond, std::function<HttpResponse(const focus::OrderDone&)> done) {
  context.desk.give(request.principal.name, std::move(what),
                    [respond, done = std::move(done)](const Result<focus::OrderDone>& outcome) {
                      respond(outcome ? done(*outcome) : order_refused(outcome.error()));
                    });
}

HttpResponse no_content(const focus::OrderDone& /*done*/) {
  HttpResponse response;
  response.status = 204;
  return response;
}

void move(const Context& context, const HttpRequest& request, const Respond& respond, bool people) {
  auto wanted = move_of(request, context, people);
  if (!wanted) {
    respond(std::move(wanted.error()));
    return;
  }
  give(context, request, *std::move(wanted), respond, [](const focus::OrderDone& done) {
    return json_response(202, Json{{"moving", done.participants}});
  });
}

void add_drain_routes(Router& router, const Shared& context) {
  router.add("GET", "/v1/drains", [context](const HttpRequest& request, const Respond& respond) {
    respond(request.query.empty() ? drains_response(*context) : no_parameters());
  });
  router.add("GET", "/v1/bridges/{}/drain",
             [context](const HttpRequest& request, const Respond& respond) {
               const auto bridge = bridge_in(*context, request.segment);
               respond(bridge ? drain_response(*context, *bridge) : bridge.error());
             });
  router.add("PUT", "/v1/bridges/{}/drain",
             [context](const HttpRequest& request, const Respond& respond) {
               auto bridge = bridge_in(*context, request.segment);
               auto drain = bridge ? drain_of(request, *bridge)
                                   : Parsed<order::Drain>(refused(std::move(bridge.error())));
               if (!drain) {
                 respond(std::move(drain.error()));
                 return;
               }
               give(*context, request, *std::move(drain), respond,
                    [context, jid = *bridge](const focus::OrderDone&) {
                      return drain_response(*context, jid);
                    });
             });
  router.add("DELETE", "/v1/bridges/{}/drain",
             [context](const HttpRequest& request, const Respond& respond) {
               auto bridge = bridge_in(*context, request.segment);
               if (!bridge) {
                 respond(std::move(bridge.error()));
                 return;
               }
               give(*context, request, order::Undrain{*std::move(bridge)}, respond, no_content);
             });
}

void add_pin_routes(Router& router, const Shared& context) {
  router.add("GET", "/v1/pins", [context](const HttpRequest& request, const Respond& respond) {
    respond(request.query.empty() ? pins_response(*context) : no_parameters());
  });
  router.add("PUT", "/v1/pins/{}", [context](const HttpRequest& request, const Respond& respond) {
    auto pin = pin_of(request);
    if (!pin) {
      respond(std::move(pin.error()));
      return;
    }
    give(*context, request, *pin, respond, [context, room = pin->room](const focus::OrderDone&) {
      return json_response(to_json(context->sources.orders().pins().at(room)));
    });
  });
  router.add("DELETE", "/v1/pins/{}",
             [context](const HttpRequest& request, const Respond& respond) {
               auto room = room_named(request.segment);
               if (!room) {
                 respond(std::move(room.error()));
                 return;
               }
               give(*context, request, order::Unpin{*std::move(room)}, respond, no_content);
             });
}

}  // namespace

void add_order_routes(Router& router, OrderDesk& desk, OrderSources sources) {
  const auto context = std::make_shared<const Context>(Context{desk, std::move(sources)});
  add_drain_routes(router, context);
  add_pin_routes(router, context);
  router.add("POST", "/v1/conferences/{}/move",
             [context](const HttpRequest& request, const Respond& respond) {
               move(*context, request, respond, /*people=*/true);
             });
  router.add("POST", "/v1/conferences/{}/participants/{}/move",
             [context](const HttpRequest& request, const Respond& respond) {
               move(*context, request, respond, /*people=*/false);
             });
  router.add("GET", "/v1/audit", [context](const HttpRequest& request, const Respond& respond) {
    respond(audit_response(*context, request.query));
  });
}

}  // namespace bascule::admin
