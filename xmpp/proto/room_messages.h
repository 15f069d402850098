#pragma once

// What the room services of a Jitsi server say in `<json-message/>`: room metadata
// (jitsi-meet: mod_room_metadata_component.lua) and who may unmute while a moderator restricts it
// (mod_av_moderation_component.lua).

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>

#include "base/jid.h"
#include "base/result.h"
#include "xmpp/proto/mute.h"

namespace bascule::proto {

/// The settings of a room, always as a whole; absent fields stay as they were. Settings the focus
/// does not use are not kept.
struct RoomMetadata {
  std::optional<bool> start_audio_muted;  ///< `startMuted.audio`: newcomers begin muted.
  std::optional<bool> start_video_muted;
  friend bool operator==(const RoomMetadata&, const RoomMetadata&) = default;
};

/// A change of the moderation of one room.
struct AvModeration {
  RoomJid room;
  MuteMedia media = MuteMedia::kAudio;  ///< Of `enabled`.
  std::optional<bool> enabled;
  std::optional<Jid> actor;  ///< The moderator who switched it. Absent when it is no address.
  /// Occupants that may unmute; replaces the earlier list of that medium.
  std::map<MuteMedia, std::set<Jid>> whitelists;
  friend bool operator==(const AvModeration&, const AvModeration&) = default;
};

/// Valid JSON of another type: not for the focus.
struct OtherRoomMessage {
  std::string type;  ///< Empty when it has none.
  friend bool operator==(const OtherRoomMessage&, const OtherRoomMessage&) = default;
};

using RoomMessage = std::variant<OtherRoomMessage, RoomMetadata, AvModeration>;

/// Unknown fields are ignored. Errors: kMalformed when it is no JSON object, or a field the focus
/// uses has the wrong type.
Result<RoomMessage> decode_room_message(std::string_view json);

}  // namespace bascule::proto
