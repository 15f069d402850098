#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/time.h"

namespace bascule::focus {

/// One video codec of the offer. A codec is offered when it is enabled and its payload type is not
/// 0; its retransmission format likewise (Jicofo: `codec.video.*` in reference.conf).
struct VideoCodecOptions {
  bool enabled = true;
  std::uint8_t payload_type = 0;      ///< RTP payload type, 1 to 127; 0 leaves the codec out.
  std::uint8_t rtx_payload_type = 0;  ///< RFC 4588 format, 1 to 127; 0 leaves RTX out.
  bool remb = true;                   ///< May offer `goog-remb` when transport-cc is not used.
};

/// Opus, and the redundancy format around it (RFC 2198). While `red` is enabled here nobody is
/// offered in-band FEC, whether or not that client understands RED.
struct OpusOptions {
  bool enabled = true;
  std::uint8_t payload_type = 111;
  std::uint32_t min_packet_time_ms = 10;  ///< `minptime`, milliseconds, 1 to 60.
  bool in_band_fec = true;                ///< `useinbandfec=1`.
  bool red = false;
  std::uint8_t red_payload_type = 112;
};

/// DTMF events (RFC 4733).
struct TelephoneEventOptions {
  bool enabled = true;
  std::uint8_t payload_type = 126;
};

/// One RTP header extension. The same identifier is used in audio and video because both travel
/// in one BUNDLE transport (RFC 8285 5).
struct HeaderExtensionOptions {
  bool enabled = false;
  std::uint8_t id = 0;  ///< 1 to 14: the one-byte form of RFC 8285.
};

/// Jicofo's `conference.source-signaling-delays`: from `participants` members on, changes of
/// sources are collected for `delay` before they are announced to a receiver.
struct SignalingDelay {
  std::size_t participants = 0;
  Duration delay{};  ///< 0 to 60 s.
};

/// What is offered to participants and how sources are signaled. Defaults are those of Jicofo
/// (reference.conf), which the stock clients and bridges are tuned for. Payload types and extension
/// identifiers must differ from each other; config validation checks that.
struct OfferOptions {
  VideoCodecOptions av1{.payload_type = 41, .rtx_payload_type = 42};
  VideoCodecOptions vp8{.payload_type = 100, .rtx_payload_type = 96};
  VideoCodecOptions vp9{.payload_type = 101, .rtx_payload_type = 97};
  VideoCodecOptions h264{.payload_type = 107, .rtx_payload_type = 99};
  OpusOptions opus;
  TelephoneEventOptions telephone_event;

  HeaderExtensionOptions audio_level{.enabled = true, .id = 1};      ///< RFC 6464; audio only.
  HeaderExtensionOptions time_offset{.enabled = false, .id = 2};     ///< RFC 5450; video only.
  HeaderExtensionOptions abs_send_time{.enabled = true, .id = 3};    ///< Video only.
  HeaderExtensionOptions rid{.enabled = false, .id = 4};             ///< RFC 8852; video only.
  HeaderExtensionOptions transport_cc{.enabled = true, .id = 5};     ///< Audio and video.
  HeaderExtensionOptions content_type{.enabled = false, .id = 7};    ///< Video only.
  HeaderExtensionOptions frame_marking{.enabled = false, .id = 9};   ///< Video only.
  HeaderExtensionOptions mid{.enabled = true, .id = 10};             ///< RFC 9143; both.
  HeaderExtensionOptions av1_dependency{.enabled = true, .id = 11};  ///< Video only.
  HeaderExtensionOptions video_layers{.enabled = false, .id = 12};   ///< Video only.
  bool extmap_allow_mixed = true;                                    ///< RFC 8285 6.

  /// Offer the `data` content (SCTP over DTLS). Must agree with the bridges' own switch: a bridge
  /// without SCTP refuses the allocation.
  bool sctp = true;
  /// Signal only the first layer of a simulcast group to receivers; the bridge forwards every
  /// layer rewritten onto it. Clients that are sent full simulcast drop the group.
  bool strip_simulcast = true;
  /// Let the bridge map sources to a fixed set of SSRCs for clients that can: they are told of no
  /// remote source over Jingle.
  bool ssrc_rewriting = true;
  /// Ask the bridge to tag rewritten streams with RTP MID; needs `ssrc_rewriting` and `mid`.
  bool rtp_mid_demux = true;
  /// Use the compact JSON form of sources towards clients that understand it.
  bool json_encoded_sources = true;
  /// Answer in-place ICE restart requests; otherwise clients fall back to a new session.
  bool in_place_ice_restart = true;

  std::size_t max_sources_per_endpoint = 20;  ///< SSRCs of one endpoint; 1 to 1000.
  std::size_t max_groups_per_endpoint = 20;   ///< SSRC groups of one endpoint; 1 to 1000.
  /// Beyond these numbers of unmuted senders newcomers start muted and source-add is refused.
  std::size_t max_audio_senders = 999'999;
  std::size_t max_video_senders = 999'999;

  /// Ascending by `participants`. Empty: changes are announced at once.
  std::vector<SignalingDelay> signaling_delays;
};

}  // namespace bascule::focus
