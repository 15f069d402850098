#include "xmpp/proto/muc_presence_parts.h"

#include <nlohmann/json.hpp>

#include "xmpp/proto/iq.h"
#include "xmpp/proto/jitsi_conference.h"

namespace bascule::proto {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kNickName = "nick";
constexpr std::string_view kNickNamespace = "http://jabber.org/protocol/nick";
constexpr std::string_view kStatsIdName = "stats-id";
constexpr std::string_view kRegionName = "jitsi_participant_region";
constexpr std::string_view kCodecListName = "jitsi_participant_codecList";
constexpr std::string_view kCodecTypeName = "jitsi_participant_codecType";
constexpr std::string_view kDiarizeName = "jitsi_participant_diarize";
constexpr std::string_view kAudioMutedName = "audiomuted";
constexpr std::string_view kVideoMutedName = "videomuted";
constexpr std::string_view kSourceInfoName = "SourceInfo";
constexpr std::string_view kFeaturesName = "features";
constexpr std::string_view kFeatureName = "feature";
constexpr std::string_view kVarName = "var";
constexpr std::string_view kUserInfoName = "userInfo";
constexpr std::string_view kRobotName = "robot";
constexpr std::string_view kStatusName = "status";
constexpr std::string_view kTrue = "true";
constexpr std::string_view kFalse = "false";

constexpr std::string_view kEtherpadName = "etherpad";
constexpr std::string_view kEtherpadNamespace = "http://jitsi.org/jitmeet/etherpad";
constexpr std::string_view kVersionsName = "versions";
constexpr std::string_view kComponentName = "component";
constexpr std::string_view kNameName = "name";
constexpr std::string_view kPropertiesName = "conference-properties";
constexpr std::string_view kPropertyName = "property";
constexpr std::string_view kKeyName = "key";
constexpr std::string_view kValueName = "value";
constexpr std::string_view kBridgeNotAvailableName = "bridgeNotAvailable";

constexpr const char* kMutedKey = "muted";
constexpr const char* kVideoTypeKey = "videoType";

void add_text(xml::Element& presence, std::string_view name,
              const std::optional<std::string>& text) {
  if (text) {
    presence.add(make_text_element(name, kStanzaNamespace, *text));
  }
}

void add_flag(xml::Element& presence, std::string_view name, std::optional<bool> flag) {
  if (flag) {
    presence.add(make_text_element(name, kStanzaNamespace, *flag ? kTrue : kFalse));
  }
}

std::set<std::string> decode_features(const xml::Element& element) {
  std::set<std::string> features;
  for (const xml::Element& child : element.children) {
    const auto var = child.attribute(kVarName);
    if (child.name == kFeatureName && var) {
      features.emplace(*var);
    }
  }
  return features;
}

/// Children named `name` as pairs of an attribute and what `value_of_child` takes from them.
template <class ValueOfChild>
std::map<std::string, std::string> decode_map(const xml::Element& element, std::string_view name,
                                              std::string_view key_name,
                                              ValueOfChild value_of_child) {
  std::map<std::string, std::string> values;
  for (const xml::Element& child : element.children) {
    const auto key = child.attribute(key_name);
    if (child.is(name, element.ns) && key) {
      values.emplace(*key, value_of_child(child));
    }
  }
  return values;
}

}  // namespace

void encode_participant(const ParticipantInfo& participant, xml::Element& presence) {
  add_text(presence, kStatsIdName, participant.stats_id);
  add_text(presence, kRegionName, participant.region);
  add_text(presence, kCodecListName, participant.codec_list);
  add_text(presence, kCodecTypeName, participant.codec_type);
  add_flag(presence, kDiarizeName, participant.diarize);
  add_flag(presence, kAudioMutedName, participant.audio_muted);
  add_flag(presence, kVideoMutedName, participant.video_muted);
  add_text(presence, kSourceInfoName, participant.source_info);
  if (participant.features) {
    xml::Element& features = presence.add(make_element(kFeaturesName, kStanzaNamespace));
    for (const std::string& feature : *participant.features) {
      features.add(make_element(kFeatureName, kStanzaNamespace)).set(kVarName, feature);
    }
  }
  if (participant.robot) {
    presence.add(make_element(kUserInfoName, kStanzaNamespace))
        .set(kRobotName, *participant.robot ? kTrue : kFalse);
  }
  add_text(presence, kStatusName, participant.status);
  if (participant.nick) {
    presence.add(make_text_element(kNickName, kNickNamespace, *participant.nick));
  }
}

void decode_participant_child(const xml::Element& child, ParticipantInfo& participant) {
  if (child.is(kNickName, kNickNamespace)) {
    participant.nick = child.text;
    return;
  }
  if (child.ns != kStanzaNamespace) {
    return;
  }
  if (child.name == kStatsIdName) {
    participant.stats_id = child.text;
  } else if (child.name == kRegionName) {
    participant.region = child.text;
  } else if (child.name == kCodecListName) {
    participant.codec_list = child.text;
  } else if (child.name == kCodecTypeName) {
    participant.codec_type = child.text;
  } else if (child.name == kDiarizeName) {
    participant.diarize = is_true(trim(child.text));
  } else if (child.name == kAudioMutedName) {
    participant.audio_muted = is_true(trim(child.text));
  } else if (child.name == kVideoMutedName) {
    participant.video_muted = is_true(trim(child.text));
  } else if (child.name == kSourceInfoName) {
    participant.source_info = child.text;
  } else if (child.name == kFeaturesName) {
    participant.features = decode_features(child);
  } else if (child.name == kUserInfoName) {
    participant.robot = is_true(child.attribute_or_empty(kRobotName));
  } else if (child.name == kStatusName) {
    participant.status = child.text;
  }
}

void encode_focus(const FocusInfo& focus, xml::Element& presence) {
  if (focus.etherpad) {
    presence.add(make_text_element(kEtherpadName, kEtherpadNamespace, *focus.etherpad));
  }
  if (!focus.versions.empty()) {
    xml::Element& versions = presence.add(make_element(kVersionsName, kJitsiMeetNamespace));
    for (const auto& [component, version] : focus.versions) {
      versions.add(make_text_element(kComponentName, kJitsiMeetNamespace, version))
          .set(kNameName, component);
    }
  }
  if (!focus.conference_properties.empty()) {
    xml::Element& properties = presence.add(make_element(kPropertiesName, kFocusNamespace));
    for (const auto& [key, value] : focus.conference_properties) {
      properties.add(make_element(kPropertyName, kFocusNamespace))
          .set(kKeyName, key)
          .set(kValueName, value);
    }
  }
  if (focus.bridge_not_available) {
    presence.add(make_element(kBridgeNotAvailableName, kFocusNamespace));
  }
}

void decode_focus_child(const xml::Element& child, FocusInfo& focus) {
  if (child.is(kEtherpadName, kEtherpadNamespace)) {
    focus.etherpad = child.text;
  } else if (child.is(kVersionsName, kJitsiMeetNamespace)) {
    focus.versions = decode_map(child, kComponentName, kNameName,
                                [](const xml::Element& component) { return component.text; });
  } else if (child.is(kPropertiesName, kFocusNamespace)) {
    focus.conference_properties =
        decode_map(child, kPropertyName, kKeyName, [](const xml::Element& property) {
          return std::string(property.attribute_or_empty(kValueName));
        });
  } else if (child.is(kBridgeNotAvailableName, kFocusNamespace)) {
    focus.bridge_not_available = true;
  }
}

Result<std::map<std::string, SourceState>> decode_source_info(std::string_view json) {
  const Json document = Json::parse(json, nullptr, false);
  if (!document.is_object()) {
    return fail(Errc::kMalformed, "SourceInfo is no JSON object");
  }
  std::map<std::string, SourceState> sources;
  for (const auto& [name, state] : document.items()) {
    if (!state.is_object()) {
      return fail(Errc::kMalformed, "SourceInfo has a source that is no object");
    }
    SourceState decoded;
    const auto muted = state.find(kMutedKey);
    if (muted != state.end() && muted->is_boolean()) {
      decoded.muted = muted->get<bool>();
    }
    const auto video_type = state.find(kVideoTypeKey);
    if (video_type != state.end() && video_type->is_string()) {
      const auto parsed = parse_video_type(video_type->get<std::string>());
      if (parsed) {
        decoded.video_type = *parsed;
      }
    }
    sources.emplace(name, decoded);
  }
  return sources;
}

std::string encode_source_info(const std::map<std::string, SourceState>& sources) {
  Json document = Json::object();
  for (const auto& [name, state] : sources) {
    Json object = Json::object();
    object[kMutedKey] = state.muted;
    if (state.video_type) {
      object[kVideoTypeKey] = to_string(*state.video_type);
    }
    document[name] = std::move(object);
  }
  return document.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace bascule::proto
