#pragma once

// colibri2: what the focus asks of a bridge (jitsi-xmpp-extensions: colibri2/*.kt; Jitsi
// Videobridge: Colibri2ConferenceHandler.kt).

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "xmpp/proto/ice_udp.h"
#include "xmpp/proto/rtp.h"
#include "xmpp/proto/source.h"
#include "xmpp/proto/stanza_error.h"
#include "xmpp/xml/element.h"

namespace bascule::proto {

inline constexpr std::string_view kColibri2Namespace = "jitsi:colibri2";

/// Capabilities of an endpoint (Colibri2Endpoint.java).
inline constexpr std::string_view kCapabilitySourceNames = "source-names";
inline constexpr std::string_view kCapabilitySsrcRewriting = "ssrc-rewriting";
inline constexpr std::string_view kCapabilityPrivateAddresses = "private-address-connectivity";
inline constexpr std::string_view kCapabilityRtpMidDemux = "rtp-mid-demux";

struct Media {
  MediaType type = MediaType::kAudio;  ///< kAudio or kVideo.
  std::vector<PayloadType> payload_types;
  std::vector<RtpHeaderExtension> header_extensions;
  bool extmap_allow_mixed = false;
  friend bool operator==(const Media&, const Media&) = default;
};

enum class SctpRole { kClient, kServer };

struct Sctp {
  std::optional<SctpRole> role;
  std::optional<std::uint16_t> port;
  friend bool operator==(const Sctp&, const Sctp&) = default;
};

struct Transport {
  bool ice_controlling = false;
  bool use_unique_port = false;  ///< Relays only.
  bool ice_restart = false;
  std::optional<IceUdpTransport> ice_udp;
  std::optional<Sctp> sctp;
  friend bool operator==(const Transport&, const Transport&) = default;
};

struct MediaSource {
  MediaType type = MediaType::kAudio;
  std::string id;  ///< Source name.
  bool synthetic = false;
  std::vector<Source> sources;
  std::vector<SourceGroup> source_groups;
  friend bool operator==(const MediaSource&, const MediaSource&) = default;
};

/// In a request the complete set: present and empty clears, absent leaves unchanged.
struct Sources {
  std::vector<MediaSource> media_sources;
  friend bool operator==(const Sources&, const Sources&) = default;
};

/// Sets both flags; an absent element changes nothing.
struct ForceMute {
  bool audio = false;
  bool video = false;
  friend bool operator==(const ForceMute&, const ForceMute&) = default;
};

enum class EndpointRole { kModerator, kParticipant, kNone, kVisitor };

struct Endpoint {
  std::string id;
  bool create = false;
  bool expire = false;
  std::optional<std::string> stats_id;
  std::optional<EndpointRole> muc_role;
  bool diarize = false;
  std::vector<Media> media;
  std::optional<Transport> transport;
  std::optional<Sources> sources;
  std::optional<ForceMute> force_mute;
  std::vector<std::string> capabilities;
  std::optional<int> initial_last_n;
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

struct Relay {
  std::string id;  ///< `relay_id` of the remote bridge.
  std::optional<std::string> mesh_id;
  bool create = false;
  bool expire = false;
  std::vector<Media> media;
  std::optional<Transport> transport;
  std::vector<Endpoint> endpoints;
  friend bool operator==(const Relay&, const Relay&) = default;
};

/// Sent as IQ get (as Jicofo does); read from get and set.
struct ConferenceModify {
  std::string meeting_id;
  std::optional<std::string> name;  ///< Room address; read by the bridge only with `create`.
  bool create = false;
  bool expire = false;
  bool rtcstats_enabled = true;
  std::vector<Endpoint> endpoints;
  std::vector<Relay> relays;
  friend bool operator==(const ConferenceModify&, const ConferenceModify&) = default;
};

struct ConferenceModified {
  std::vector<Endpoint> endpoints;
  std::vector<Relay> relays;
  std::optional<Sources> sources;  ///< The bridge's feedback sources, when something was created.
  friend bool operator==(const ConferenceModified&, const ConferenceModified&) = default;
};

enum class Colibri2Reason {
  kUnspecified,
  kConferenceNotFound,
  kConferenceAlreadyExists,
  kFeatureNotImplemented,
  kGracefulShutdown,
  kUnknownEndpoint,
};

/// The application elements of a bridge's stanza error.
struct Colibri2Error {
  Colibri2Reason reason = Colibri2Reason::kUnspecified;
  std::optional<std::string> endpoint_id;  ///< With kUnknownEndpoint.
  friend bool operator==(const Colibri2Error&, const Colibri2Error&) = default;
};

bool is_conference_modify(const xml::Element& element);
xml::Element encode(const ConferenceModify& message);
xml::Element encode(const ConferenceModified& message);
/// Errors: kMalformed when meeting-id is missing or blank, an id is missing, or a known part is out
/// of range.
Result<ConferenceModify> decode_conference_modify(const xml::Element& element);
Result<ConferenceModified> decode_conference_modified(const xml::Element& element);

/// The elements to put into StanzaError::application.
std::vector<xml::Element> encode(const Colibri2Error& error);
/// nullopt when the error has no colibri2 element: then it comes from the room or the server, or
/// the bridge gave no reason. An unknown reason reads as kUnspecified.
std::optional<Colibri2Error> decode_colibri2_error(const StanzaError& error);

}  // namespace bascule::proto
