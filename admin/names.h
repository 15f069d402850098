#pragma once

#include <optional>
#include <string>

#include <tl/expected.hpp>

#include "admin/http.h"
#include "base/jid.h"
#include "base/result.h"
#include "focus/placement.h"

/// What requests name, and what is answered when it is not there or cannot be done.
namespace bascule::admin {

/// A value of a request, or the answer to one that makes no sense.
template <class T>
using Parsed = tl::expected<T, HttpResponse>;
[[nodiscard]] inline tl::unexpected<HttpResponse> refused(HttpResponse response) {
  return tl::make_unexpected(std::move(response));
}

/// nullopt: not the bare address of a room.
[[nodiscard]] std::optional<RoomJid> find_room(const std::string& text);
/// The same; else 400.
[[nodiscard]] Parsed<RoomJid> room_named(const std::string& text);

/// `text` is the nick of a bridge that is known, or a full address, known or not.
[[nodiscard]] std::optional<BridgeJid> find_bridge(const std::string& text,
                                                   const focus::Placement& placement, Now now);
/// The same; else 404.
[[nodiscard]] Parsed<BridgeJid> bridge_named(const std::string& text,
                                             const focus::Placement& placement, Now now);

/// An order that the focus did not carry out: 400, 404, 409 (not as things are), else 503.
[[nodiscard]] HttpResponse order_refused(const Error& error);

}  // namespace bascule::admin
