#include "xmpp/proto/ice_udp.h"

#include "xmpp/proto/codec.h"

namespace bascule::proto {
namespace {

constexpr std::string_view kTransportName = "transport";
constexpr std::string_view kUfragName = "ufrag";
constexpr std::string_view kPwdName = "pwd";
constexpr std::string_view kIceGenerationName = "ice-generation";
constexpr std::string_view kRtcpMuxName = "rtcp-mux";
constexpr std::string_view kCandidateName = "candidate";
constexpr std::string_view kComponentName = "component";
constexpr std::string_view kFoundationName = "foundation";
constexpr std::string_view kGenerationName = "generation";
constexpr std::string_view kIdName = "id";
constexpr std::string_view kIpName = "ip";
constexpr std::string_view kNetworkName = "network";
constexpr std::string_view kPortName = "port";
constexpr std::string_view kPriorityName = "priority";
constexpr std::string_view kProtocolName = "protocol";
constexpr std::string_view kTypeName = "type";
constexpr std::string_view kRelAddrName = "rel-addr";
constexpr std::string_view kRelPortName = "rel-port";
constexpr std::string_view kTcpTypeName = "tcptype";
constexpr std::string_view kFingerprintName = "fingerprint";
constexpr std::string_view kHashName = "hash";
constexpr std::string_view kSetupName = "setup";
constexpr std::string_view kRequiredName = "required";
constexpr std::string_view kCryptexName = "cryptex";
constexpr std::string_view kWebSocketName = "web-socket";
constexpr std::string_view kWebSocketNamespace = "http://jitsi.org/protocol/colibri";
constexpr std::string_view kUrlName = "url";
constexpr std::string_view kActiveName = "active";
constexpr std::string_view kSctpMapName = "sctpmap";
constexpr std::string_view kNumberName = "number";
constexpr std::string_view kStreamsName = "streams";
constexpr std::string_view kTrue = "true";
constexpr std::string_view kFalse = "false";

constexpr Names<CandidateType, 4> kCandidateTypes{{
    {CandidateType::kHost, "host"},
    {CandidateType::kServerReflexive, "srflx"},
    {CandidateType::kPeerReflexive, "prflx"},
    {CandidateType::kRelayed, "relay"},
}};

constexpr Names<DtlsSetup, 4> kSetups{{
    {DtlsSetup::kActpass, "actpass"},
    {DtlsSetup::kActive, "active"},
    {DtlsSetup::kPassive, "passive"},
    {DtlsSetup::kHoldconn, "holdconn"},
}};

void set_optional_flag(xml::Element& element, std::string_view name, std::optional<bool> value) {
  if (value) {
    element.set(name, *value ? kTrue : kFalse);
  }
}

xml::Element encode_candidate(const IceCandidate& candidate) {
  xml::Element element = make_element(kCandidateName, kIceUdpNamespace);
  set_number(element, kComponentName, candidate.component);
  element.set(kFoundationName, candidate.foundation);
  set_optional_number(element, kGenerationName, candidate.generation);
  set_optional(element, kIdName, candidate.id);
  element.set(kIpName, candidate.ip);
  set_optional_number(element, kNetworkName, candidate.network);
  set_number(element, kPortName, candidate.port);
  set_number(element, kPriorityName, candidate.priority);
  element.set(kProtocolName, candidate.protocol);
  element.set(kTypeName, name_of(kCandidateTypes, candidate.type));
  set_optional(element, kRelAddrName, candidate.rel_addr);
  set_optional_number(element, kRelPortName, candidate.rel_port);
  set_optional(element, kTcpTypeName, candidate.tcptype);
  return element;
}

Result<IceCandidate> decode_candidate(const xml::Element& element) {
  Reader reader(element);
  IceCandidate candidate{
      .component = reader.required_integer<std::uint32_t>(kComponentName, {.min = 1, .max = 256}),
      .foundation = reader.required(kFoundationName),
      .generation = reader.optional_integer<std::uint32_t>(kGenerationName),
      .id = optional_text(element, kIdName),
      .ip = reader.required(kIpName),
      .network = reader.optional_integer<std::uint32_t>(kNetworkName),
      .port = reader.required_integer<std::uint16_t>(kPortName),
      .priority = reader.required_integer<std::uint32_t>(kPriorityName),
      .protocol = reader.required(kProtocolName),
      .rel_addr = optional_text(element, kRelAddrName),
      .rel_port = reader.optional_integer<std::uint16_t>(kRelPortName),
      .tcptype = optional_text(element, kTcpTypeName)};
  reader.require_enum(kCandidateTypes, kTypeName, candidate.type);
  return reader.finish(std::move(candidate));
}

xml::Element encode_fingerprint(const DtlsFingerprint& fingerprint) {
  xml::Element element = make_text_element(kFingerprintName, kDtlsNamespace, fingerprint.value);
  element.set(kHashName, fingerprint.hash);
  if (fingerprint.setup) {
    element.set(kSetupName, name_of(kSetups, *fingerprint.setup));
  }
  set_optional_flag(element, kRequiredName, fingerprint.required);
  set_optional_flag(element, kCryptexName, fingerprint.cryptex);
  return element;
}

Result<DtlsFingerprint> decode_fingerprint(const xml::Element& element) {
  Reader reader(element);
  DtlsFingerprint fingerprint{.hash = reader.required(kHashName),
                              .setup = reader.optional_enum(kSetups, kSetupName),
                              .required = reader.optional_flag(kRequiredName),
                              .cryptex = reader.optional_flag(kCryptexName),
                              .value = std::string(trim(element.text))};
  return reader.finish(std::move(fingerprint));
}

xml::Element encode_sctp_map(const SctpMap& sctp_map) {
  xml::Element element = make_element(kSctpMapName, kSctpMapNamespace);
  set_number(element, kNumberName, sctp_map.number);
  element.set(kProtocolName, sctp_map.protocol);
  set_optional_number(element, kStreamsName, sctp_map.streams);
  return element;
}

Result<SctpMap> decode_sctp_map(const xml::Element& element) {
  Reader reader(element);
  SctpMap sctp_map{.number = reader.required_integer<std::uint16_t>(kNumberName),
                   .protocol = reader.required(kProtocolName),
                   .streams = reader.optional_integer<std::uint32_t>(kStreamsName)};
  return reader.finish(std::move(sctp_map));
}

}  // namespace

xml::Element encode(const IceUdpTransport& transport) {
  xml::Element element = make_element(kTransportName, kIceUdpNamespace);
  set_optional(element, kUfragName, transport.ufrag);
  set_optional(element, kPwdName, transport.pwd);
  set_optional_number(element, kIceGenerationName, transport.ice_generation);
  for (const WebSocket& web_socket : transport.web_sockets) {
    xml::Element& child = element.add(make_element(kWebSocketName, kWebSocketNamespace));
    set_optional(child, kUrlName, web_socket.url);
    set_flag(child, kActiveName, web_socket.active);
  }
  if (transport.rtcp_mux) {
    element.add(make_element(kRtcpMuxName, kIceUdpNamespace));
  }
  for (const DtlsFingerprint& fingerprint : transport.fingerprints) {
    element.add(encode_fingerprint(fingerprint));
  }
  if (transport.sctp_map) {
    element.add(encode_sctp_map(*transport.sctp_map));
  }
  for (const IceCandidate& candidate : transport.candidates) {
    element.add(encode_candidate(candidate));
  }
  return element;
}

bool is_ice_udp_transport(const xml::Element& element) {
  return element.is(kTransportName, kIceUdpNamespace);
}

Result<IceUdpTransport> decode_ice_udp_transport(const xml::Element& transport) {
  Reader reader(transport);
  reader.expect(kTransportName, kIceUdpNamespace);
  IceUdpTransport decoded{
      .ufrag = optional_text(transport, kUfragName),
      .pwd = optional_text(transport, kPwdName),
      .ice_generation = reader.optional_integer<std::uint32_t>(kIceGenerationName)};
  for (const xml::Element& child : transport.children) {
    if (child.is(kRtcpMuxName, kIceUdpNamespace)) {
      decoded.rtcp_mux = true;
    } else if (child.is(kCandidateName, kIceUdpNamespace)) {
      decoded.candidates.push_back(reader.take(decode_candidate(child)));
    } else if (child.is(kFingerprintName, kDtlsNamespace)) {
      decoded.fingerprints.push_back(reader.take(decode_fingerprint(child)));
    } else if (child.is(kWebSocketName, kWebSocketNamespace)) {
      decoded.web_sockets.push_back({.url = optional_text(child, kUrlName),
                                     .active = is_true(child.attribute_or_empty(kActiveName))});
    } else if (child.is(kSctpMapName, kSctpMapNamespace)) {
      decoded.sctp_map = reader.take(decode_sctp_map(child));
    }
  }
  return reader.finish(std::move(decoded));
}

}  // namespace bascule::proto
