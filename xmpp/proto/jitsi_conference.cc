#include "xmpp/proto/jitsi_conference.h"

#include "xmpp/proto/codec.h"

namespace bascule::proto {
namespace {

constexpr std::string_view kConferenceName = "conference";
constexpr std::string_view kRoomName = "room";
constexpr std::string_view kMachineUidName = "machine-uid";
constexpr std::string_view kSessionIdName = "session-id";
constexpr std::string_view kTokenName = "token";
constexpr std::string_view kReadyName = "ready";
constexpr std::string_view kFocusJidName = "focusjid";
constexpr std::string_view kIdentityName = "identity";
constexpr std::string_view kVnodeName = "vnode";
constexpr std::string_view kPropertyName = "property";
constexpr std::string_view kNameName = "name";
constexpr std::string_view kValueName = "value";
constexpr std::string_view kLoginUrlName = "login-url";
constexpr std::string_view kPopupName = "popup";
constexpr std::string_view kUrlName = "url";
constexpr std::string_view kLogoutName = "logout";
constexpr std::string_view kLogoutUrlName = "logout-url";
constexpr std::string_view kSessionInvalidName = "session-invalid";
constexpr std::string_view kTrue = "true";
constexpr std::string_view kFalse = "false";

/// An attribute that is absent or blank is absent.
std::optional<std::string> filled_text(const xml::Element& element, std::string_view name) {
  const auto value = element.attribute(name);
  if (!value || trim(*value).empty()) {
    return std::nullopt;
  }
  return std::string(*value);
}

void encode_properties(const std::map<std::string, std::string>& properties,
                       xml::Element& element) {
  for (const auto& [name, value] : properties) {
    element.add(make_element(kPropertyName, kFocusNamespace))
        .set(kNameName, name)
        .set(kValueName, value);
  }
}

std::map<std::string, std::string> decode_properties(const xml::Element& element) {
  std::map<std::string, std::string> properties;
  for (const xml::Element& child : element.children) {
    if (!child.is(kPropertyName, kFocusNamespace)) {
      continue;
    }
    auto name = filled_text(child, kNameName);
    auto value = filled_text(child, kValueName);
    if (name && value) {
      properties.emplace(std::move(*name), std::move(*value));
    }
  }
  return properties;
}

RoomJid read_room(const xml::Element& element, Reader& reader) {
  return RoomJid(reader.take(parse_room(element.attribute_or_empty(kRoomName))));
}

}  // namespace

Result<Jid> parse_room(std::string_view text) {
  if (text.empty()) {
    return fail(Errc::kMalformed, "No 'room' specified.");
  }
  auto room = Jid::parse(text);
  if (!room || room->local().empty() || !room->is_bare()) {
    return fail(Errc::kMalformed, "'room' is not the bare address of a room");
  }
  return room;
}

std::optional<std::string_view> ConferenceRequest::property(std::string_view name) const {
  const auto found = properties.find(std::string(name));
  if (found == properties.end()) {
    return std::nullopt;
  }
  return found->second;
}

xml::Element encode(const ConferenceRequest& request) {
  xml::Element element = make_element(kConferenceName, kFocusNamespace);
  element.set(kRoomName, request.room.to_string());
  set_optional(element, kMachineUidName, request.machine_uid);
  set_optional(element, kSessionIdName, request.session_id);
  set_optional(element, kTokenName, request.token);
  encode_properties(request.properties, element);
  return element;
}

xml::Element encode(const ConferenceAnswer& answer) {
  xml::Element element = make_element(kConferenceName, kFocusNamespace);
  element.set(kRoomName, answer.room.to_string()).set(kReadyName, answer.ready ? kTrue : kFalse);
  set_optional(element, kFocusJidName, answer.focus_jid);
  set_optional(element, kSessionIdName, answer.session_id);
  set_optional(element, kIdentityName, answer.identity);
  set_optional(element, kVnodeName, answer.vnode);
  encode_properties(answer.properties, element);
  return element;
}

xml::Element encode(const LoginUrlRequest& request) {
  xml::Element element = make_element(kLoginUrlName, kFocusNamespace);
  set_optional(element, kRoomName, request.room);
  set_optional(element, kMachineUidName, request.machine_uid);
  set_flag(element, kPopupName, request.popup);
  return element;
}

xml::Element encode(const LoginUrl& answer) {
  xml::Element element = make_element(kLoginUrlName, kFocusNamespace);
  set_optional(element, kUrlName, answer.url);
  return element;
}

xml::Element encode(const LogoutRequest& request) {
  xml::Element element = make_element(kLogoutName, kFocusNamespace);
  set_optional(element, kSessionIdName, request.session_id);
  return element;
}

xml::Element encode(const LogoutAnswer& answer) {
  xml::Element element = make_element(kLogoutName, kFocusNamespace);
  set_optional(element, kLogoutUrlName, answer.logout_url);
  return element;
}

Result<ConferenceRequest> decode_conference_request(const xml::Element& element) {
  Reader reader(element);
  reader.expect(kConferenceName, kFocusNamespace);
  ConferenceRequest request{.room = read_room(element, reader),
                            .machine_uid = filled_text(element, kMachineUidName),
                            .session_id = filled_text(element, kSessionIdName),
                            .token = filled_text(element, kTokenName),
                            .properties = decode_properties(element)};
  return reader.finish(std::move(request));
}

Result<ConferenceAnswer> decode_conference_answer(const xml::Element& element) {
  Reader reader(element);
  reader.expect(kConferenceName, kFocusNamespace);
  ConferenceAnswer answer{.room = read_room(element, reader),
                          .ready = element.attribute(kReadyName) == kTrue,
                          .focus_jid = reader.optional_jid(kFocusJidName),
                          .session_id = filled_text(element, kSessionIdName),
                          .identity = filled_text(element, kIdentityName),
                          .vnode = filled_text(element, kVnodeName),
                          .properties = decode_properties(element)};
  return reader.finish(std::move(answer));
}

Result<LoginUrlRequest> decode_login_url_request(const xml::Element& element) {
  Reader reader(element);
  reader.expect(kLoginUrlName, kFocusNamespace);
  LoginUrlRequest request{.room = reader.optional_jid(kRoomName),
                          .machine_uid = filled_text(element, kMachineUidName),
                          .popup = reader.flag(kPopupName)};
  return reader.finish(std::move(request));
}

Result<LoginUrl> decode_login_url(const xml::Element& element) {
  Reader reader(element);
  reader.expect(kLoginUrlName, kFocusNamespace);
  return reader.finish(LoginUrl{.url = filled_text(element, kUrlName)});
}

Result<LogoutRequest> decode_logout_request(const xml::Element& element) {
  Reader reader(element);
  reader.expect(kLogoutName, kFocusNamespace);
  return reader.finish(LogoutRequest{.session_id = filled_text(element, kSessionIdName)});
}

Result<LogoutAnswer> decode_logout_answer(const xml::Element& element) {
  Reader reader(element);
  reader.expect(kLogoutName, kFocusNamespace);
  return reader.finish(LogoutAnswer{.logout_url = filled_text(element, kLogoutUrlName)});
}

bool is_conference(const xml::Element& element) {
  return element.is(kConferenceName, kFocusNamespace);
}
bool is_login_url(const xml::Element& element) {
  return element.is(kLoginUrlName, kFocusNamespace);
}
bool is_logout(const xml::Element& element) {
  return element.is(kLogoutName, kFocusNamespace);
}

StanzaError make_session_invalid_error() {
  return make_error(Condition::kNotAcceptable, "invalid session",
                    {make_element(kSessionInvalidName, kFocusNamespace)});
}

}  // namespace bascule::proto
