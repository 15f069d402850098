#include "tests/proto/recode.h"

#include <utility>

#include "xmpp/proto/message.h"
#include "xmpp/proto/muc.h"
#include "xmpp/proto/request.h"

namespace bascule::proto {
namespace {

template <class T, class Encode>
Result<xml::Element> recode(Result<T> decoded, Encode encode_value) {
  if (!decoded) {
    return tl::make_unexpected(decoded.error());
  }
  return encode_value(*decoded);
}

Result<xml::Element> recode_iq(const xml::Element& iq) {
  const auto envelope = decode_iq_envelope(iq);
  if (!envelope) {
    return tl::make_unexpected(envelope.error());
  }
  if (envelope->type == IqType::kError) {
    return recode(decode_iq_error(iq),
                  [&](const StanzaError& error) { return encode_iq(*envelope, encode(error)); });
  }
  if (envelope->type == IqType::kResult) {
    return recode(decode_answer(iq, request_index_for(iq_payload(iq))), [&](const Answer& answer) {
      return encode_iq(*envelope, encode_answer(answer));
    });
  }
  return recode(decode_request(iq), [&](const Request& request) {
    EncodedRequest encoded = encode_request(request);
    IqEnvelope sent = *envelope;
    sent.type = encoded.type;
    return encode_iq(sent, std::move(encoded.payload));
  });
}

}  // namespace

std::size_t request_index_for(const xml::Element* payload) {
  if (payload == nullptr) {
    return request_index_of<UnknownRequest>();
  }
  if (payload->ns == kDiscoInfoNamespace) {
    return request_index_of<DiscoInfoRequest>();
  }
  if (payload->ns == kDiscoItemsNamespace) {
    return request_index_of<DiscoItemsRequest>();
  }
  if (payload->ns == kMucOwnerNamespace) {
    return request_index_of<MucOwnerFormRequest>();
  }
  if (is_conference(*payload)) {
    return request_index_of<ConferenceRequest>();
  }
  if (is_login_url(*payload)) {
    return request_index_of<LoginUrlRequest>();
  }
  if (is_logout(*payload)) {
    return request_index_of<LogoutRequest>();
  }
  if (payload->ns == kColibri2Namespace) {
    return request_index_of<ConferenceModify>();
  }
  return is_pubsub(*payload) ? request_index_of<PubsubRequest>()
                             : request_index_of<UnknownRequest>();
}

Result<xml::Element> recode_stanza(const xml::Element& stanza) {
  if (stanza.name == "iq") {
    return recode_iq(stanza);
  }
  if (stanza.name == "presence") {
    return recode(decode_muc_presence(stanza),
                  [](const MucPresence& value) { return encode(value); });
  }
  return recode(decode_message(stanza), [](const Message& value) { return encode(value); });
}

}  // namespace bascule::proto
