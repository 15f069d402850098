#pragma once

// The conference request of Jitsi clients, as IQ and as HTTP body (jitsi-xmpp-extensions:
// ConferenceIq.java, LoginUrlIq.java, LogoutIq.java; Jicofo: rest/ConferenceRequest.kt).

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/jid.h"
#include "base/result.h"
#include "xmpp/proto/stanza_error.h"
#include "xmpp/xml/element.h"

namespace bascule::proto {

inline constexpr std::string_view kFocusNamespace = "http://jitsi.org/protocol/focus";

/// Empty attribute values are absent.
struct ConferenceRequest {
  RoomJid room;  ///< Bare, with localpart.
  std::optional<std::string> machine_uid;
  std::optional<std::string> session_id;
  std::optional<std::string> token;
  std::map<std::string, std::string> properties;
  friend bool operator==(const ConferenceRequest&, const ConferenceRequest&) = default;
  [[nodiscard]] std::optional<std::string_view> property(std::string_view name) const;
};

struct ConferenceAnswer {
  RoomJid room;
  bool ready = false;
  std::optional<Jid> focus_jid;  ///< Bare.
  std::optional<std::string> session_id;
  std::optional<std::string> identity;
  std::optional<std::string> vnode;
  std::map<std::string, std::string> properties;
  friend bool operator==(const ConferenceAnswer&, const ConferenceAnswer&) = default;
};

struct LoginUrlRequest {
  std::optional<Jid> room;
  std::optional<std::string> machine_uid;
  bool popup = false;
  friend bool operator==(const LoginUrlRequest&, const LoginUrlRequest&) = default;
};

struct LoginUrl {
  std::optional<std::string> url;
  friend bool operator==(const LoginUrl&, const LoginUrl&) = default;
};

struct LogoutRequest {
  std::optional<std::string> session_id;
  friend bool operator==(const LogoutRequest&, const LogoutRequest&) = default;
};

struct LogoutAnswer {
  std::optional<std::string> logout_url;
  friend bool operator==(const LogoutAnswer&, const LogoutAnswer&) = default;
};

/// A bare room address with localpart. Errors: kMalformed, with a text for the client.
Result<Jid> parse_room(std::string_view text);

bool is_conference(const xml::Element& element);
bool is_login_url(const xml::Element& element);
bool is_logout(const xml::Element& element);
xml::Element encode(const ConferenceRequest& request);
xml::Element encode(const ConferenceAnswer& answer);
xml::Element encode(const LoginUrlRequest& request);
xml::Element encode(const LoginUrl& answer);
xml::Element encode(const LogoutRequest& request);
xml::Element encode(const LogoutAnswer& answer);
/// Errors: kMalformed when the room is missing, no address, or without localpart.
Result<ConferenceRequest> decode_conference_request(const xml::Element& element);
/// `ready` is true only for the text "true".
Result<ConferenceAnswer> decode_conference_answer(const xml::Element& element);
Result<LoginUrlRequest> decode_login_url_request(const xml::Element& element);
Result<LoginUrl> decode_login_url(const xml::Element& element);
Result<LogoutRequest> decode_logout_request(const xml::Element& element);
Result<LogoutAnswer> decode_logout_answer(const xml::Element& element);

/// The HTTP body. Numbers and booleans in `properties` become text; unknown fields are ignored; the
/// token comes from the Authorization header, see `parse_bearer_token`. Errors: kMalformed.
Result<ConferenceRequest> decode_conference_request_json(std::string_view body);
std::string encode_conference_request_json(const ConferenceRequest& request);
/// `ready` is a JSON boolean and `properties` is always present: clients rely on both.
std::string encode_conference_answer_json(const ConferenceAnswer& answer);
Result<ConferenceAnswer> decode_conference_answer_json(std::string_view body);
/// `Bearer x` and `x` both give x; empty gives nullopt.
std::optional<std::string> parse_bearer_token(std::string_view authorization);

/// `not-acceptable` with `<session-invalid/>`: the client forgets its session id and retries.
StanzaError make_session_invalid_error();

}  // namespace bascule::proto
