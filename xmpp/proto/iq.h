#pragma once

// RFC 6120 8: the stanza namespace and IQ envelopes. In the core every stanza is in
// `jabber:client`; the component transport renames to and from `jabber:component:accept`
// (xml::rename_namespace).

#include <optional>
#include <string>
#include <string_view>

#include "base/jid.h"
#include "base/result.h"
#include "xmpp/proto/stanza_error.h"
#include "xmpp/xml/element.h"

namespace bascule::proto {

inline constexpr std::string_view kStanzaNamespace = "jabber:client";
inline constexpr std::string_view kComponentNamespace = "jabber:component:accept";

enum class IqType { kGet, kSet, kResult, kError };

std::string_view to_string(IqType type);

struct IqEnvelope {
  Jid from;  ///< Empty: no `from`.
  Jid to;    ///< Empty: no `to`.
  std::string id;
  IqType type = IqType::kGet;
  friend bool operator==(const IqEnvelope&, const IqEnvelope&) = default;
};

/// A result without payload.
struct Empty {
  friend bool operator==(const Empty&, const Empty&) = default;
};

/// Errors: kMalformed when it is no IQ, has no id, an unknown type, or a malformed address.
Result<IqEnvelope> decode_iq_envelope(const xml::Element& iq);
/// The IQ element around a payload.
xml::Element encode_iq(const IqEnvelope& envelope, std::optional<xml::Element> payload = {});
/// The result for a request: addresses swapped, same id.
xml::Element encode_iq_result(const IqEnvelope& request, std::optional<xml::Element> payload = {});
/// The error for a request: addresses swapped, same id.
xml::Element encode_iq_error(const IqEnvelope& request, const StanzaError& error);
/// The payload: the first child that is no `<error/>`, or nullptr.
const xml::Element* iq_payload(const xml::Element& iq);
/// The error of an IQ of type error. Errors: kMalformed when there is none.
Result<StanzaError> decode_iq_error(const xml::Element& iq);

}  // namespace bascule::proto
