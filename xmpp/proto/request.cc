#include "xmpp/proto/request.h"

#include <utility>

#include "xmpp/proto/codec.h"

namespace bascule::proto {
namespace {

constexpr std::string_view kQueryName = "query";

/// The IQ type each request is sent in.
IqType type_of(const Request& request) {
  return std::visit(Overloaded{
                        [](const UnknownRequest& unknown) { return unknown.type; },
                        [](const PubsubRequest& pubsub) {
                          return direction_of(pubsub) == PubsubDirection::kGet ? IqType::kGet
                                                                               : IqType::kSet;
                        },
                        // Jicofo sends it as get, although it changes things.
                        [](const ConferenceModify&) { return IqType::kGet; },
                        [](const Ping&) { return IqType::kGet; },
                        [](const DiscoInfoRequest&) { return IqType::kGet; },
                        [](const DiscoItemsRequest&) { return IqType::kGet; },
                        [](const LoginUrlRequest&) { return IqType::kGet; },
                        [](const HealthCheck&) { return IqType::kGet; },
                        [](const MucOwnerFormRequest&) { return IqType::kGet; },
                        [](const auto&) { return IqType::kSet; },
                    },
                    request);
}

template <class T>
Result<Request> widen(Result<T> decoded) {
  if (!decoded) {
    return tl::make_unexpected(std::move(decoded.error()));
  }
  return Request(std::in_place_type<T>, std::move(*decoded));
}

template <class T>
Result<Answer> widen_answer(Result<T> decoded) {
  if (!decoded) {
    return tl::make_unexpected(std::move(decoded.error()));
  }
  return Answer(std::in_place_type<T>, std::move(*decoded));
}

Result<Request> decode_get(const xml::Element& payload) {
  if (payload.ns == kPingNamespace) {
    return widen(decode_ping(payload));
  }
  if (payload.is(kQueryName, kDiscoInfoNamespace)) {
    return widen(decode_disco_info_request(payload));
  }
  if (payload.is(kQueryName, kDiscoItemsNamespace)) {
    return widen(decode_disco_items_request(payload));
  }
  if (is_login_url(payload)) {
    return widen(decode_login_url_request(payload));
  }
  if (is_conference_modify(payload)) {
    return widen(decode_conference_modify(payload));
  }
  if (payload.ns == kHealthCheckNamespace) {
    return widen(decode_health_check(payload));
  }
  if (payload.is(kQueryName, kMucOwnerNamespace)) {
    return widen(decode_muc_owner_form_request(payload));
  }
  if (is_pubsub(payload)) {
    return widen(decode_pubsub_request(payload, PubsubDirection::kGet));
  }
  return UnknownRequest{.type = IqType::kGet, .payload = payload};
}

Result<Request> decode_set(const xml::Element& payload) {
  if (is_jingle(payload)) {
    return widen(decode_jingle(payload));
  }
  if (is_conference(payload)) {
    return widen(decode_conference_request(payload));
  }
  if (is_logout(payload)) {
    return widen(decode_logout_request(payload));
  }
  if (is_conference_modify(payload)) {
    return widen(decode_conference_modify(payload));
  }
  if (is_mute(payload)) {
    return widen(decode_mute(payload));
  }
  if (is_muc_destroy(payload)) {
    return widen(decode_muc_destroy(payload));
  }
  if (payload.is(kQueryName, kMucOwnerNamespace)) {
    return widen(decode_muc_owner_form_submit(payload));
  }
  if (payload.is(kQueryName, kMucAdminNamespace)) {
    return widen(decode_muc_admin_set(payload));
  }
  if (is_pubsub(payload)) {
    return widen(decode_pubsub_request(payload, PubsubDirection::kSet));
  }
  return UnknownRequest{.type = IqType::kSet, .payload = payload};
}

}  // namespace

EncodedRequest encode_request(const Request& request) {
  xml::Element payload =
      std::visit(Overloaded{[](const UnknownRequest& unknown) { return unknown.payload; },
                            [](const auto& known) { return encode(known); }},
                 request);
  return EncodedRequest{.type = type_of(request), .payload = std::move(payload)};
}

std::optional<xml::Element> encode_answer(const Answer& answer) {
  return std::visit(
      Overloaded{[](const Empty&) -> std::optional<xml::Element> { return std::nullopt; },
                 [](const UnknownAnswer& unknown) -> std::optional<xml::Element> {
                   return unknown.payload;
                 },
                 [](const auto& known) -> std::optional<xml::Element> { return encode(known); }},
      answer);
}

Result<Request> decode_request(const xml::Element& iq) {
  auto envelope = decode_iq_envelope(iq);
  if (!envelope) {
    return tl::make_unexpected(std::move(envelope.error()));
  }
  if (iq.children.size() != 1) {
    return fail(Errc::kMalformed, "an IQ request has exactly one child");
  }
  switch (envelope->type) {
    case IqType::kGet:
      return decode_get(iq.children.front());
    case IqType::kSet:
      return decode_set(iq.children.front());
    case IqType::kResult:
    case IqType::kError:
      break;
  }
  return fail(Errc::kMalformed, "not an IQ request");
}

Result<Answer> decode_answer(const xml::Element& iq, std::size_t request_index) {
  const xml::Element* payload = iq_payload(iq);
  if (payload == nullptr) {
    return Empty{};
  }
  switch (request_index) {
    case request_index_of<DiscoInfoRequest>():
      return widen_answer(decode_disco_info(*payload));
    case request_index_of<DiscoItemsRequest>():
      return widen_answer(decode_disco_items(*payload));
    case request_index_of<ConferenceRequest>():
      return widen_answer(decode_conference_answer(*payload));
    case request_index_of<LoginUrlRequest>():
      return widen_answer(decode_login_url(*payload));
    case request_index_of<LogoutRequest>():
      return widen_answer(decode_logout_answer(*payload));
    case request_index_of<ConferenceModify>():
      return widen_answer(decode_conference_modified(*payload));
    case request_index_of<MucOwnerFormRequest>():
      return widen_answer(decode_muc_form(*payload));
    case request_index_of<PubsubRequest>():
      return widen_answer(decode_pubsub_answer(*payload));
    default:
      return UnknownAnswer{.payload = *payload};
  }
}

}  // namespace bascule::proto
