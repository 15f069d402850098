#include "xmpp/proto/colibri2.h"

#include <limits>

#include "xmpp/proto/codec.h"
#include "xmpp/proto/colibri2_parts.h"

namespace bascule::proto {
namespace {

constexpr std::string_view kModifyName = "conference-modify";
constexpr std::string_view kModifiedName = "conference-modified";
constexpr std::string_view kMeetingIdName = "meeting-id";
constexpr std::string_view kNameName = "name";
constexpr std::string_view kCreateName = "create";
constexpr std::string_view kExpireName = "expire";
constexpr std::string_view kRtcstatsEnabledName = "rtcstats-enabled";
constexpr std::string_view kEndpointName = "endpoint";
constexpr std::string_view kEndpointsName = "endpoints";
constexpr std::string_view kRelayName = "relay";
constexpr std::string_view kIdName = "id";
constexpr std::string_view kMeshIdName = "mesh-id";
constexpr std::string_view kStatsIdName = "stats-id";
constexpr std::string_view kMucRoleName = "muc-role";
constexpr std::string_view kDiarizeName = "diarize";
constexpr std::string_view kForceMuteName = "force-mute";
constexpr std::string_view kAudioName = "audio";
constexpr std::string_view kVideoName = "video";
constexpr std::string_view kCapabilityName = "capability";
constexpr std::string_view kInitialLastNName = "initial-last-n";
constexpr std::string_view kValueName = "value";
constexpr std::string_view kErrorName = "error";
constexpr std::string_view kReasonName = "reason";
constexpr std::string_view kFalse = "false";

constexpr Names<EndpointRole, 4> kEndpointRoles{{
    {EndpointRole::kModerator, "moderator"},
    {EndpointRole::kParticipant, "participant"},
    {EndpointRole::kNone, "none"},
    {EndpointRole::kVisitor, "visitor"},
}};

constexpr Names<Colibri2Reason, 6> kReasons{{
    {Colibri2Reason::kUnspecified, "unspecified"},
    {Colibri2Reason::kConferenceNotFound, "conference_not_found"},
    {Colibri2Reason::kConferenceAlreadyExists, "conference_already_exists"},
    {Colibri2Reason::kFeatureNotImplemented, "feature_not_implemented"},
    {Colibri2Reason::kGracefulShutdown, "graceful_shutdown"},
    {Colibri2Reason::kUnknownEndpoint, "unknown_endpoint"},
}};

xml::Element encode_endpoint(const Endpoint& endpoint) {
  xml::Element element = make_element(kEndpointName, kColibri2Namespace);
  element.set(kIdName, endpoint.id);
  set_flag(element, kCreateName, endpoint.create);
  set_flag(element, kExpireName, endpoint.expire);
  set_optional(element, kStatsIdName, endpoint.stats_id);
  if (endpoint.muc_role) {
    element.set(kMucRoleName, name_of(kEndpointRoles, *endpoint.muc_role));
  }
  set_flag(element, kDiarizeName, endpoint.diarize);
  for (const Media& media : endpoint.media) {
    element.add(encode_media(media));
  }
  if (endpoint.transport) {
    element.add(encode_transport(*endpoint.transport));
  }
  if (endpoint.sources) {
    element.add(encode_sources(*endpoint.sources));
  }
  if (endpoint.force_mute) {
    xml::Element& force_mute = element.add(make_element(kForceMuteName, kColibri2Namespace));
    set_flag(force_mute, kAudioName, endpoint.force_mute->audio);
    set_flag(force_mute, kVideoName, endpoint.force_mute->video);
  }
  for (const std::string& capability : endpoint.capabilities) {
    element.add(make_element(kCapabilityName, kColibri2Namespace)).set(kNameName, capability);
  }
  if (endpoint.initial_last_n) {
    element.add(encode_initial_last_n(*endpoint.initial_last_n));
  }
  return element;
}

void decode_endpoint_child(const xml::Element& child, Endpoint& endpoint, Reader& reader) {
  Reader child_reader(child);
  if (is_media(child)) {
    endpoint.media.push_back(reader.take(decode_media(child)));
  } else if (is_transport(child)) {
    endpoint.transport = reader.take(decode_transport(child));
  } else if (is_sources(child)) {
    endpoint.sources = reader.take(decode_sources(child));
  } else if (child.is(kForceMuteName, kColibri2Namespace)) {
    endpoint.force_mute =
        ForceMute{.audio = child_reader.flag(kAudioName), .video = child_reader.flag(kVideoName)};
  } else if (child.is(kCapabilityName, kColibri2Namespace)) {
    endpoint.capabilities.push_back(
        reader.take(child_reader.finish(child_reader.required(kNameName))));
  } else if (is_initial_last_n(child)) {
    endpoint.initial_last_n = reader.take(decode_initial_last_n(child));
  }
}

Result<Endpoint> decode_endpoint(const xml::Element& element) {
  Reader reader(element);
  Endpoint endpoint{.id = reader.required(kIdName),
                    .create = reader.flag(kCreateName),
                    .expire = reader.flag(kExpireName),
                    .stats_id = optional_text(element, kStatsIdName),
                    .muc_role = reader.optional_enum(kEndpointRoles, kMucRoleName),
                    .diarize = reader.flag(kDiarizeName)};
  for (const xml::Element& child : element.children) {
    if (child.ns == kColibri2Namespace) {
      decode_endpoint_child(child, endpoint, reader);
    }
  }
  return reader.finish(std::move(endpoint));
}

xml::Element encode_relay(const Relay& relay) {
  xml::Element element = make_element(kRelayName, kColibri2Namespace);
  element.set(kIdName, relay.id);
  set_optional(element, kMeshIdName, relay.mesh_id);
  set_flag(element, kCreateName, relay.create);
  set_flag(element, kExpireName, relay.expire);
  for (const Media& media : relay.media) {
    element.add(encode_media(media));
  }
  if (relay.transport) {
    element.add(encode_transport(*relay.transport));
  }
  if (!relay.endpoints.empty()) {
    xml::Element& endpoints = element.add(make_element(kEndpointsName, kColibri2Namespace));
    for (const Endpoint& endpoint : relay.endpoints) {
      endpoints.add(encode_endpoint(endpoint));
    }
  }
  return element;
}

Result<Relay> decode_relay(const xml::Element& element) {
  Reader reader(element);
  Relay relay{.id = reader.required(kIdName),
              .mesh_id = optional_text(element, kMeshIdName),
              .create = reader.flag(kCreateName),
              .expire = reader.flag(kExpireName)};
  for (const xml::Element& child : element.children) {
    if (is_media(child)) {
      relay.media.push_back(reader.take(decode_media(child)));
    } else if (is_transport(child)) {
      relay.transport = reader.take(decode_transport(child));
    } else if (child.is(kEndpointsName, kColibri2Namespace)) {
      for (const xml::Element& endpoint : child.children) {
        if (endpoint.is(kEndpointName, kColibri2Namespace)) {
          relay.endpoints.push_back(reader.take(decode_endpoint(endpoint)));
        }
      }
    }
  }
  return reader.finish(std::move(relay));
}

/// Endpoints and relays, which request and result have alike.
template <class Conference>
void encode_members(const Conference& conference, xml::Element& element) {
  for (const Endpoint& endpoint : conference.endpoints) {
    element.add(encode_endpoint(endpoint));
  }
  for (const Relay& relay : conference.relays) {
    element.add(encode_relay(relay));
  }
}

template <class Conference>
void decode_members(const xml::Element& element, Conference& conference, Reader& reader) {
  for (const xml::Element& child : element.children) {
    if (child.is(kEndpointName, kColibri2Namespace)) {
      conference.endpoints.push_back(reader.take(decode_endpoint(child)));
    } else if (child.is(kRelayName, kColibri2Namespace)) {
      conference.relays.push_back(reader.take(decode_relay(child)));
    }
  }
}

}  // namespace

xml::Element encode_initial_last_n(int value) {
  xml::Element element = make_element(kInitialLastNName, kColibri2Namespace);
  set_number(element, kValueName, value);
  return element;
}

bool is_initial_last_n(const xml::Element& element) {
  return element.is(kInitialLastNName, kColibri2Namespace);
}

Result<int> decode_initial_last_n(const xml::Element& element) {
  Reader reader(element);
  return reader.finish(reader.required_integer<int>(kValueName, {.min = -1}));
}

bool is_conference_modify(const xml::Element& element) {
  return element.is(kModifyName, kColibri2Namespace);
}

xml::Element encode(const ConferenceModify& message) {
  xml::Element element = make_element(kModifyName, kColibri2Namespace);
  element.set(kMeetingIdName, message.meeting_id);
  set_optional(element, kNameName, message.name);
  set_flag(element, kCreateName, message.create);
  set_flag(element, kExpireName, message.expire);
  if (!message.rtcstats_enabled) {
    element.set(kRtcstatsEnabledName, kFalse);
  }
  encode_members(message, element);
  return element;
}

xml::Element encode(const ConferenceModified& message) {
  xml::Element element = make_element(kModifiedName, kColibri2Namespace);
  encode_members(message, element);
  if (message.sources) {
    element.add(encode_sources(*message.sources));
  }
  return element;
}

Result<ConferenceModify> decode_conference_modify(const xml::Element& element) {
  Reader reader(element);
  reader.expect(kModifyName, kColibri2Namespace);
  ConferenceModify message{
      .meeting_id = reader.required(kMeetingIdName),
      .name = optional_text(element, kNameName),
      .create = reader.flag(kCreateName),
      .expire = reader.flag(kExpireName),
      .rtcstats_enabled = reader.optional_flag(kRtcstatsEnabledName).value_or(true)};
  if (trim(message.meeting_id).empty()) {
    reader.reject("meeting-id is blank");
  }
  decode_members(element, message, reader);
  return reader.finish(std::move(message));
}

Result<ConferenceModified> decode_conference_modified(const xml::Element& element) {
  Reader reader(element);
  reader.expect(kModifiedName, kColibri2Namespace);
  ConferenceModified message;
  decode_members(element, message, reader);
  for (const xml::Element& child : element.children) {
    if (is_sources(child)) {
      message.sources = reader.take(decode_sources(child));
    }
  }
  return reader.finish(std::move(message));
}

std::vector<xml::Element> encode(const Colibri2Error& error) {
  std::vector<xml::Element> elements;
  elements.push_back(make_element(kErrorName, kColibri2Namespace));
  elements.back().set(kReasonName, name_of(kReasons, error.reason));
  if (error.endpoint_id) {
    elements.push_back(make_element(kEndpointName, kColibri2Namespace));
    elements.back().set(kIdName, *error.endpoint_id);
  }
  return elements;
}

std::optional<Colibri2Error> decode_colibri2_error(const StanzaError& error) {
  const xml::Element* reason = error.find_application(kErrorName, kColibri2Namespace);
  if (reason == nullptr) {
    return std::nullopt;
  }
  Colibri2Error decoded;
  decoded.reason = value_of(kReasons, to_lower(reason->attribute_or_empty(kReasonName)))
                       .value_or(Colibri2Reason::kUnspecified);
  if (const xml::Element* endpoint = error.find_application(kEndpointName, kColibri2Namespace)) {
    decoded.endpoint_id = optional_text(*endpoint, kIdName);
  }
  return decoded;
}

}  // namespace bascule::proto
