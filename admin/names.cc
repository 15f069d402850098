#include "admin/names.h"

#include "admin/json.h"

namespace bascule::admin {

std::optional<RoomJid> find_room(const std::string& text) {
  auto jid = Jid::parse(text);
  return jid && jid->is_bare() && !jid->local().empty() ? std::optional(RoomJid(*std::move(jid)))
                                                        : std::nullopt;
}

Parsed<RoomJid> room_named(const std::string& text) {
  auto room = find_room(text);
  return room ? Parsed<RoomJid>(*std::move(room))
              : refused(bad_request("a conference is an address like name@conference.example.net"));
}

std::optional<BridgeJid> find_bridge(const std::string& text, const focus::Placement& placement,
                                     Now now) {
  if (text.find('/') != std::string::npos) {
    const auto jid = Jid::parse(text);
    return jid && !jid->resource().empty() ? std::optional(BridgeJid(*jid)) : std::nullopt;
  }
  for (const focus::BridgeView& view : placement.bridges(now)) {
    if (view.bridge.jid().resource() == text) {
      return view.bridge;
    }
  }
  return std::nullopt;
}

Parsed<BridgeJid> bridge_named(const std::string& text, const focus::Placement& placement,
                               Now now) {
  auto bridge = find_bridge(text, placement, now);
  return bridge ? Parsed<BridgeJid>(*std::move(bridge))
                : refused(not_found("no bridge is known as " + text));
}

HttpResponse order_refused(const Error& error) {
  switch (error.code) {
    case Errc::kInvalidArgument:
      return bad_request(error.what);
    case Errc::kNotFound:
      return not_found(error.what);
    case Errc::kConflict:
      return problem(409, "Not possible now", error.what);
    default:
      return problem(503, "Unavailable", error.what);
  }
}

}  // namespace bascule::admin
