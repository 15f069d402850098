#include "xmpp/proto/jingle.h"

#include "xmpp/proto/codec.h"
#include "xmpp/proto/jingle_content.h"
#include "xmpp/proto/jitsi_conference.h"
#include "xmpp/xml/writer.h"

namespace bascule::proto {
namespace {

constexpr std::string_view kJingleName = "jingle";
constexpr std::string_view kActionName = "action";
constexpr std::string_view kSidName = "sid";
constexpr std::string_view kInitiatorName = "initiator";
constexpr std::string_view kResponderName = "responder";
constexpr std::string_view kNameName = "name";
constexpr std::string_view kGroupName = "group";
constexpr std::string_view kGroupNamespace = "urn:xmpp:jingle:apps:grouping:0";
constexpr std::string_view kSemanticsName = "semantics";
constexpr std::string_view kReasonName = "reason";
constexpr std::string_view kTextName = "text";
constexpr std::string_view kBridgeSessionName = "bridge-session";
constexpr std::string_view kIdName = "id";
constexpr std::string_view kRegionName = "region";
constexpr std::string_view kRestartName = "restart";
constexpr std::string_view kIceRestartName = "ice-restart";
constexpr std::string_view kIceStateName = "ice-state";
constexpr std::string_view kStartMutedName = "startmuted";
constexpr std::string_view kStartMutedNamespace = "http://jitsi.org/jitmeet/start-muted";
constexpr std::string_view kAudioName = "audio";
constexpr std::string_view kVideoName = "video";
constexpr std::string_view kUnknownSessionName = "unknown-session";
constexpr std::string_view kOutOfOrderName = "out-of-order";
constexpr std::string_view kTrue = "true";
constexpr std::string_view kFalse = "false";

/// The first spelling of an action is the one that is written.
constexpr Names<JingleAction, 20> kActions{{
    {JingleAction::kUnknown, "unknown"},
    {JingleAction::kContentAccept, "content-accept"},
    {JingleAction::kContentAdd, "content-add"},
    {JingleAction::kContentModify, "content-modify"},
    {JingleAction::kContentReject, "content-reject"},
    {JingleAction::kContentRemove, "content-remove"},
    {JingleAction::kDescriptionInfo, "description-info"},
    {JingleAction::kSecurityInfo, "security-info"},
    {JingleAction::kSessionAccept, "session-accept"},
    {JingleAction::kSessionInfo, "session-info"},
    {JingleAction::kSessionInitiate, "session-initiate"},
    {JingleAction::kSessionTerminate, "session-terminate"},
    {JingleAction::kSourceAdd, "source-add"},
    {JingleAction::kSourceAdd, "addsource"},
    {JingleAction::kSourceRemove, "source-remove"},
    {JingleAction::kSourceRemove, "removesource"},
    {JingleAction::kTransportAccept, "transport-accept"},
    {JingleAction::kTransportInfo, "transport-info"},
    {JingleAction::kTransportReject, "transport-reject"},
    {JingleAction::kTransportReplace, "transport-replace"},
}};

constexpr Names<ReasonCondition, 18> kReasons{{
    {ReasonCondition::kAlternativeSession, "alternative-session"},
    {ReasonCondition::kBusy, "busy"},
    {ReasonCondition::kCancel, "cancel"},
    {ReasonCondition::kConnectivityError, "connectivity-error"},
    {ReasonCondition::kDecline, "decline"},
    {ReasonCondition::kExpired, "expired"},
    {ReasonCondition::kFailedApplication, "failed-application"},
    {ReasonCondition::kFailedTransport, "failed-transport"},
    {ReasonCondition::kGeneralError, "general-error"},
    {ReasonCondition::kGone, "gone"},
    {ReasonCondition::kIncompatibleParameters, "incompatible-parameters"},
    {ReasonCondition::kMediaError, "media-error"},
    {ReasonCondition::kSecurityError, "security-error"},
    {ReasonCondition::kSuccess, "success"},
    {ReasonCondition::kTimeout, "timeout"},
    {ReasonCondition::kUndefined, "undefined"},
    {ReasonCondition::kUnsupportedApplications, "unsupported-applications"},
    {ReasonCondition::kUnsupportedTransports, "unsupported-transports"},
}};

std::string_view flag_text(bool value) {
  return value ? kTrue : kFalse;
}

xml::Element encode_group(const ContentGroup& group) {
  xml::Element element = make_element(kGroupName, kGroupNamespace);
  element.set(kSemanticsName, group.semantics);
  for (const std::string& content : group.contents) {
    element.add(make_element(kContentName, kGroupNamespace)).set(kNameName, content);
  }
  return element;
}

ContentGroup decode_group(const xml::Element& element, Reader& reader) {
  Reader group_reader(element);
  ContentGroup group{.semantics = group_reader.required(kSemanticsName)};
  for (const xml::Element& child : element.children) {
    // Some clients leave the namespace of <jingle/> on it.
    if (child.name == kContentName) {
      Reader content(child);
      group.contents.push_back(group_reader.take(content.finish(content.required(kNameName))));
    }
  }
  return reader.take(group_reader.finish(std::move(group)));
}

xml::Element encode_bridge_session(const BridgeSession& bridge_session) {
  xml::Element element = make_element(kBridgeSessionName, kFocusNamespace);
  set_optional(element, kIdName, bridge_session.id);
  set_optional(element, kRegionName, bridge_session.region);
  set_flag(element, kRestartName, bridge_session.restart);
  set_flag(element, kIceRestartName, bridge_session.ice_restart);
  return element;
}

BridgeSession decode_bridge_session(const xml::Element& element) {
  const Reader reader(element);
  return BridgeSession{.id = optional_text(element, kIdName),
                       .region = optional_text(element, kRegionName),
                       .restart = reader.flag(kRestartName),
                       .ice_restart = reader.flag(kIceRestartName)};
}

xml::Element encode_reason(const JingleReason& reason) {
  xml::Element element = make_element(kReasonName, kJingleNamespace);
  element.add(make_element(to_string(reason.condition), kJingleNamespace));
  if (!reason.text.empty()) {
    element.add(make_text_element(kTextName, kJingleNamespace, reason.text));
  }
  return element;
}

JingleReason decode_reason(const xml::Element& element) {
  JingleReason reason;
  for (const xml::Element& child : element.children) {
    if (child.is(kTextName, kJingleNamespace)) {
      reason.text = child.text;
    } else if (child.ns == kJingleNamespace) {
      reason.condition = value_of(kReasons, child.name).value_or(ReasonCondition::kUndefined);
    }
  }
  return reason;
}

void decode_child(const xml::Element& child, Jingle& jingle, Reader& reader) {
  const Reader child_reader(child);
  if (child.is(kContentName, kJingleNamespace)) {
    jingle.contents.push_back(reader.take(decode_content(child)));
  } else if (child.is(kGroupName, kGroupNamespace)) {
    jingle.group = decode_group(child, reader);
  } else if (child.is(kStartMutedName, kStartMutedNamespace)) {
    jingle.start_muted =
        StartMuted{.audio = child_reader.flag(kAudioName), .video = child_reader.flag(kVideoName)};
  } else if (child.is(kBridgeSessionName, kFocusNamespace)) {
    jingle.bridge_session = decode_bridge_session(child);
  } else if (is_json_message(child)) {
    jingle.json_message = reader.take(decode_json_message(child));
  } else if (child.is(kIceStateName, kFocusNamespace)) {
    jingle.ice_state = to_lower(trim(child.text));
  } else if (child.is(kReasonName, kJingleNamespace)) {
    jingle.reason = decode_reason(child);
  }
}

}  // namespace

std::string_view to_string(JingleAction action) {
  return name_of(kActions, action);
}

std::string_view to_string(ReasonCondition condition) {
  return name_of(kReasons, condition);
}

xml::Element encode(const Jingle& jingle) {
  xml::Element element = make_element(kJingleName, kJingleNamespace);
  if (jingle.action != JingleAction::kUnknown) {
    element.set(kActionName, to_string(jingle.action));
  } else if (!jingle.unknown_action.empty()) {
    element.set(kActionName, jingle.unknown_action);
  }
  set_optional(element, kInitiatorName, jingle.initiator);
  set_optional(element, kResponderName, jingle.responder);
  element.set(kSidName, jingle.sid);
  for (const Content& content : jingle.contents) {
    element.add(encode_content(content));
  }
  if (jingle.group) {
    element.add(encode_group(*jingle.group));
  }
  if (jingle.start_muted) {
    element.add(make_element(kStartMutedName, kStartMutedNamespace))
        .set(kAudioName, flag_text(jingle.start_muted->audio))
        .set(kVideoName, flag_text(jingle.start_muted->video));
  }
  if (jingle.bridge_session) {
    element.add(encode_bridge_session(*jingle.bridge_session));
  }
  if (jingle.json_message) {
    element.add(encode(*jingle.json_message));
  }
  if (jingle.ice_state) {
    element.add(make_text_element(kIceStateName, kFocusNamespace, *jingle.ice_state));
  }
  if (jingle.reason) {
    element.add(encode_reason(*jingle.reason));
  }
  if (jingle.shared) {
    element.prepared = jingle.shared->xml;
  }
  return element;
}

std::shared_ptr<const SharedSources> share_sources(std::vector<Content> contents,
                                                   std::optional<JsonMessage> json_message) {
  std::vector<xml::Element> children;
  for (const Content& content : contents) {
    children.push_back(encode_content(content));
  }
  if (json_message) {
    children.push_back(encode(*json_message));
  }
  return std::make_shared<const SharedSources>(
      SharedSources{.contents = std::move(contents),
                    .json_message = std::move(json_message),
                    .xml = xml::prepare(children, kJingleNamespace)});
}

bool is_jingle(const xml::Element& element) {
  return element.is(kJingleName, kJingleNamespace);
}

Result<Jingle> decode_jingle(const xml::Element& jingle) {
  Reader reader(jingle);
  reader.expect(kJingleName, kJingleNamespace);
  const std::string_view action = jingle.attribute_or_empty(kActionName);
  Jingle decoded{.action = value_of(kActions, action).value_or(JingleAction::kUnknown),
                 .sid = reader.required(kSidName),
                 .initiator = reader.optional_jid(kInitiatorName),
                 .responder = reader.optional_jid(kResponderName)};
  if (decoded.action == JingleAction::kUnknown) {
    decoded.unknown_action = action;
  }
  if (decoded.sid.empty()) {
    reader.reject("sid is empty");
  }
  for (const xml::Element& child : jingle.children) {
    decode_child(child, decoded, reader);
  }
  return reader.finish(std::move(decoded));
}

std::optional<Jingle> make_malformed_jingle(const xml::Element& jingle, std::string what) {
  const std::string_view sid = jingle.attribute_or_empty(kSidName);
  if (!is_jingle(jingle) || sid.empty()) {
    return std::nullopt;
  }
  const std::string_view action = jingle.attribute_or_empty(kActionName);
  Jingle malformed{.action = value_of(kActions, action).value_or(JingleAction::kUnknown),
                   .sid = std::string(sid),
                   .malformed = std::move(what)};
  if (malformed.action == JingleAction::kUnknown) {
    malformed.unknown_action = action;
  }
  return malformed;
}

StanzaError make_unknown_session_error() {
  return make_error(Condition::kItemNotFound, {},
                    {make_element(kUnknownSessionName, kJingleErrorsNamespace)});
}

StanzaError make_out_of_order_error(std::string text) {
  return make_error(Condition::kUnexpectedRequest, std::move(text),
                    {make_element(kOutOfOrderName, kJingleErrorsNamespace)});
}

bool is_unknown_session(const StanzaError& error) {
  return error.find_application(kUnknownSessionName, kJingleErrorsNamespace) != nullptr;
}

}  // namespace bascule::proto
