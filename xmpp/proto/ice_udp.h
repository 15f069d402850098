#pragma once

// XEP-0176 (ICE-UDP transport) with XEP-0320 (DTLS fingerprints), XEP-0343 (SCTP map) and Jitsi's
// web-socket element: the transport both Jingle and colibri2 carry.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "xmpp/xml/element.h"

namespace bascule::proto {

inline constexpr std::string_view kIceUdpNamespace = "urn:xmpp:jingle:transports:ice-udp:1";
inline constexpr std::string_view kDtlsNamespace = "urn:xmpp:jingle:apps:dtls:0";
inline constexpr std::string_view kSctpMapNamespace = "urn:xmpp:jingle:transports:dtls-sctp:1";

enum class CandidateType { kHost, kServerReflexive, kPeerReflexive, kRelayed };

struct IceCandidate {
  std::uint32_t component = 1;  ///< 1 to 256.
  std::string foundation;
  std::optional<std::uint32_t> generation;
  std::optional<std::string> id;
  std::string ip;
  std::optional<std::uint32_t> network;
  std::uint16_t port = 0;
  std::uint32_t priority = 0;
  std::string protocol;  ///< "udp" normally.
  CandidateType type = CandidateType::kHost;
  std::optional<std::string> rel_addr;
  std::optional<std::uint16_t> rel_port;
  std::optional<std::string> tcptype;
  friend bool operator==(const IceCandidate&, const IceCandidate&) = default;
};

enum class DtlsSetup { kActpass, kActive, kPassive, kHoldconn };

struct DtlsFingerprint {
  std::string hash;
  std::optional<DtlsSetup> setup;
  std::optional<bool> required;
  std::optional<bool> cryptex;
  std::string value;  ///< Colon separated hexadecimal bytes.
  friend bool operator==(const DtlsFingerprint&, const DtlsFingerprint&) = default;
};

struct WebSocket {
  std::optional<std::string> url;
  bool active = false;
  friend bool operator==(const WebSocket&, const WebSocket&) = default;
};

struct SctpMap {
  std::uint16_t number = 0;  ///< Port.
  std::string protocol;      ///< "webrtc-datachannel"
  std::optional<std::uint32_t> streams;
  friend bool operator==(const SctpMap&, const SctpMap&) = default;
};

struct IceUdpTransport {
  std::optional<std::string> ufrag;
  std::optional<std::string> pwd;
  std::optional<std::uint32_t> ice_generation;  ///< 1 upward; only in an ICE restart.
  bool rtcp_mux = false;
  std::vector<WebSocket> web_sockets;
  std::vector<DtlsFingerprint> fingerprints;
  std::optional<SctpMap> sctp_map;
  std::vector<IceCandidate> candidates;
  friend bool operator==(const IceUdpTransport&, const IceUdpTransport&) = default;
};

bool is_ice_udp_transport(const xml::Element& element);

xml::Element encode(const IceUdpTransport& transport);
/// Errors: kMalformed when a candidate or fingerprint lacks a mandatory attribute or one is out of
/// range.
Result<IceUdpTransport> decode_ice_udp_transport(const xml::Element& transport);

}  // namespace bascule::proto
