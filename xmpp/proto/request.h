#pragma once

// Every IQ request and result the focus, a bridge or a client sends, as one type each.

#include <cstddef>
#include <optional>
#include <type_traits>
#include <variant>

#include "base/result.h"
#include "xmpp/proto/colibri2.h"
#include "xmpp/proto/disco.h"
#include "xmpp/proto/healthcheck.h"
#include "xmpp/proto/iq.h"
#include "xmpp/proto/jingle.h"
#include "xmpp/proto/jitsi_conference.h"
#include "xmpp/proto/muc_admin.h"
#include "xmpp/proto/mute.h"
#include "xmpp/proto/ping.h"
#include "xmpp/proto/pubsub.h"
#include "xmpp/xml/element.h"

namespace bascule::proto {

/// A payload no codec knows: answer `service-unavailable` (RFC 6120 8.4).
struct UnknownRequest {
  IqType type = IqType::kGet;
  xml::Element payload;
  friend bool operator==(const UnknownRequest&, const UnknownRequest&) = default;
};

using Request =
    std::variant<UnknownRequest, Ping, DiscoInfoRequest, DiscoItemsRequest, ConferenceRequest,
                 LoginUrlRequest, LogoutRequest, ConferenceModify, HealthCheck, Jingle, Mute,
                 MucOwnerFormRequest, MucOwnerFormSubmit, MucDestroy, MucAdminSet, PubsubRequest>;

template <class T, class... Types>
constexpr std::size_t alternative_index(const std::variant<Types...>* /*type*/) {
  std::size_t index = 0;
  static_cast<void>((... || (std::is_same_v<T, Types> || (++index, false))));
  return index;
}
/// `Request::index()` of a request of type T.
template <class T>
constexpr std::size_t request_index_of() {
  return alternative_index<T>(static_cast<const Request*>(nullptr));
}

/// A result payload no codec knows, or one that does not fit the request.
struct UnknownAnswer {
  xml::Element payload;
  friend bool operator==(const UnknownAnswer&, const UnknownAnswer&) = default;
};

using Answer = std::variant<Empty, UnknownAnswer, DiscoInfo, DiscoItems, ConferenceAnswer, LoginUrl,
                            LogoutAnswer, ConferenceModified, MucForm, PubsubAnswer>;

struct EncodedRequest {
  IqType type = IqType::kGet;  ///< kGet or kSet.
  xml::Element payload;
  friend bool operator==(const EncodedRequest&, const EncodedRequest&) = default;
};

/// The payload and the IQ type that goes with it.
EncodedRequest encode_request(const Request& request);
/// The payload, or nullopt for Empty.
std::optional<xml::Element> encode_answer(const Answer& answer);

/// Of an IQ get or set. Errors: kMalformed when a known payload is malformed or there is not
/// exactly one payload (answer `bad-request`). A known element in an IQ of the wrong type is
/// UnknownRequest.
Result<Request> decode_request(const xml::Element& iq);
/// Of an IQ result. `request_index` is `Request::index()` of what was asked. Errors: kMalformed
/// when the payload belongs to the request but is malformed.
Result<Answer> decode_answer(const xml::Element& iq, std::size_t request_index);

}  // namespace bascule::proto
