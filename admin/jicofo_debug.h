#pragma once

#include <cstdint>
#include <map>
#include <string>

#include <nlohmann/json.hpp>

#include "focus/conference_details.h"
#include "focus/focus.h"

/// What Jicofo tells for people who look for a fault, with its keys (the `debugState` of
/// JitsiMeetConferenceImpl.java, ChatRoomImpl.kt, Bridge.kt, ColibriV2SessionManager.kt). Facts
/// that Bascule does not have are told as Jicofo tells them when there is nothing.
namespace bascule::admin {

/// Sorted by name: finding a member must not be linear, conferences have thousands.
using DebugJson = nlohmann::json;

/// Whether the sources each participant has are part of it.
enum class SourceDetail : std::uint8_t { kWith, kWithout };

/// One conference.
[[nodiscard]] DebugJson jicofo_conference(const focus::ConferenceDetails& details,
                                          SourceDetail sources);
/// Whether `/rtcstats` has it: the room is entered, and its first request did not forbid it.
[[nodiscard]] bool is_in_rtcstats(const focus::ConferenceDetails& details);

/// `/debug` without its member `focus_manager`. O(bridges).
[[nodiscard]] DebugJson jicofo_debug(const focus::Focus& focus, Now now);

/// `/debug/xmpp-caps`: by `node#ver`, how many had it and what it means. At most 1000.
[[nodiscard]] DebugJson jicofo_caps(const std::map<std::string, focus::CapsSeen>& capabilities);

}  // namespace bascule::admin
