#include "xmpp/proto/iq.h"

#include "xmpp/proto/codec.h"

namespace bascule::proto {
namespace {

constexpr std::string_view kIqName = "iq";
constexpr std::string_view kErrorName = "error";
constexpr std::string_view kTypeName = "type";
constexpr std::string_view kIdName = "id";
constexpr std::string_view kFromName = "from";
constexpr std::string_view kToName = "to";

constexpr Names<IqType, 4> kTypes{{
    {IqType::kGet, "get"},
    {IqType::kSet, "set"},
    {IqType::kResult, "result"},
    {IqType::kError, "error"},
}};

IqEnvelope answer_envelope(const IqEnvelope& request, IqType type) {
  return IqEnvelope{.from = request.to, .to = request.from, .id = request.id, .type = type};
}

}  // namespace

std::string_view to_string(IqType type) {
  return name_of(kTypes, type);
}

Result<IqEnvelope> decode_iq_envelope(const xml::Element& iq) {
  Reader reader(iq);
  reader.expect(kIqName, kStanzaNamespace);
  IqEnvelope envelope;
  reader.require_enum(kTypes, kTypeName, envelope.type);
  envelope.id = reader.required(kIdName);
  envelope.from = reader.optional_jid(kFromName).value_or(Jid());
  envelope.to = reader.optional_jid(kToName).value_or(Jid());
  return reader.finish(std::move(envelope));
}

xml::Element encode_iq(const IqEnvelope& envelope, std::optional<xml::Element> payload) {
  xml::Element iq = make_element(kIqName, kStanzaNamespace);
  iq.set(kTypeName, to_string(envelope.type)).set(kIdName, envelope.id);
  if (!envelope.from.empty()) {
    iq.set(kFromName, envelope.from.to_string());
  }
  if (!envelope.to.empty()) {
    iq.set(kToName, envelope.to.to_string());
  }
  if (payload) {
    iq.add(std::move(*payload));
  }
  return iq;
}

xml::Element encode_iq_result(const IqEnvelope& request, std::optional<xml::Element> payload) {
  return encode_iq(answer_envelope(request, IqType::kResult), std::move(payload));
}

xml::Element encode_iq_error(const IqEnvelope& request, const StanzaError& error) {
  return encode_iq(answer_envelope(request, IqType::kError), encode(error));
}

const xml::Element* iq_payload(const xml::Element& iq) {
  for (const xml::Element& child : iq.children) {
    if (!child.is(kErrorName, kStanzaNamespace)) {
      return &child;
    }
  }
  return nullptr;
}

Result<StanzaError> decode_iq_error(const xml::Element& iq) {
  const xml::Element* error = iq.child(kErrorName, kStanzaNamespace);
  if (error == nullptr) {
    return fail(Errc::kMalformed, "IQ without <error/>");
  }
  return decode_stanza_error(*error);
}

}  // namespace bascule::proto
