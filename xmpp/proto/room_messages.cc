#include "xmpp/proto/room_messages.h"

#include <utility>

#include <nlohmann/json.hpp>

namespace bascule::proto {
namespace {

using Json = nlohmann::json;

constexpr const char* kRoomMetadata = "room_metadata";
constexpr const char* kAvModeration = "av_moderation";

/// Reads one document and remembers the first thing that was wrong.
class JsonFields {
 public:
  /// The member, when there is one of the expected kind.
  const Json* object(const Json& parent, const char* name) { return take(parent, name, "object"); }
  std::optional<bool> boolean(const Json& parent, const char* name) {
    const Json* value = take(parent, name, "boolean");
    return value == nullptr ? std::nullopt : std::optional(value->get<bool>());
  }
  std::optional<std::string> text(const Json& parent, const char* name) {
    const Json* value = take(parent, name, "string");
    return value == nullptr ? std::nullopt : std::optional(value->get<std::string>());
  }

  std::set<Jid> addresses(const Json& list, const char* name) {
    std::set<Jid> all;
    if (!list.is_array()) {
      reject(std::string("'") + name + "' is not an array");
      return all;
    }
    for (const Json& entry : list) {
      const auto address =
          entry.is_string() ? Jid::parse(entry.get<std::string>()) : fail(Errc::kMalformed, "");
      if (address) {
        all.insert(*address);
      } else {
        reject(std::string("'") + name + "' contains something that is no address");
      }
    }
    return all;
  }

  void reject(std::string what) {
    if (!failure_) {
      failure_ = std::move(what);
    }
  }
  Result<RoomMessage> finish(RoomMessage message) {
    if (failure_) {
      return fail(Errc::kMalformed, *failure_);
    }
    return message;
  }

 private:
  const Json* take(const Json& parent, const char* name, std::string_view type) {
    const auto found = parent.find(name);
    if (found == parent.end() || found->is_null()) {
      return nullptr;
    }
    if (found->type_name() != type) {
      reject(std::string("'") + name + "' is not of type " + std::string(type));
      return nullptr;
    }
    return &*found;
  }

  std::optional<std::string> failure_;
};

RoomMetadata read_metadata(const Json& document, JsonFields& fields) {
  RoomMetadata metadata;
  const Json* all = fields.object(document, "metadata");
  const Json* muted = all == nullptr ? nullptr : fields.object(*all, "startMuted");
  if (muted != nullptr) {
    metadata.start_audio_muted = fields.boolean(*muted, "audio");
    metadata.start_video_muted = fields.boolean(*muted, "video");
  }
  return metadata;
}

AvModeration read_moderation(const Json& document, JsonFields& fields) {
  AvModeration moderation;
  const auto room = Jid::parse(fields.text(document, "room").value_or(""));
  if (room && room->is_bare()) {
    moderation.room = RoomJid(*room);
  } else {
    fields.reject("'room' is no room address");
  }
  moderation.enabled = fields.boolean(document, "enabled");
  const auto switched = parse_mute_media(fields.text(document, "mediaType").value_or(""));
  if (switched) {
    moderation.media = *switched;
  } else if (moderation.enabled) {
    fields.reject("'mediaType' is none of audio, video, desktop");
  }
  // Who switched it is only spared its own mute: without a usable address nobody is.
  if (const auto actor = Jid::parse(fields.text(document, "actor").value_or(""))) {
    moderation.actor = *actor;
  }
  if (const Json* lists = fields.object(document, "whitelists")) {
    for (const MuteMedia media : kMuteMedia) {
      const auto list = lists->find(std::string(to_string(media)));
      if (list != lists->end()) {
        moderation.whitelists[media] = fields.addresses(*list, "whitelists");
      }
    }
  }
  return moderation;
}

}  // namespace

Result<RoomMessage> decode_room_message(std::string_view json) {
  const Json document = Json::parse(json, nullptr, false);
  if (!document.is_object()) {
    return fail(Errc::kMalformed, "not a JSON object");
  }
  JsonFields fields;
  const std::string type = fields.text(document, "type").value_or("");
  if (type == kRoomMetadata) {
    return fields.finish(read_metadata(document, fields));
  }
  if (type == kAvModeration) {
    return fields.finish(read_moderation(document, fields));
  }
  return fields.finish(OtherRoomMessage{type});
}

}  // namespace bascule::proto
