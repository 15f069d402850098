#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/jid.h"
#include "focus/features.h"
#include "focus/offer_options.h"
#include "focus/source_map.h"
#include "xmpp/proto/colibri2.h"
#include "xmpp/proto/jingle.h"

namespace bascule::focus {

/// What a bridge granted one endpoint.
struct Allocation {
  proto::IceUdpTransport transport;
  std::optional<std::uint16_t> sctp_port;  ///< Present iff SCTP was asked for.
  proto::EndpointSources feedback;         ///< The bridge's own sources, msids included.
  friend bool operator==(const Allocation&, const Allocation&) = default;
};

/// Whether the bridge maps sources for this participant, so that none are signaled to it.
[[nodiscard]] bool uses_ssrc_rewriting(const OfferOptions& options, Features features);
/// Whether the bridge shall tag rewritten streams with their MID.
[[nodiscard]] bool uses_rtp_mid_demux(const OfferOptions& options, Features features);
/// Whether sources are signaled to this participant in the compact JSON form.
[[nodiscard]] bool uses_json_sources(const OfferOptions& options, Features features);
/// Whether the offer has a `data` content and SCTP is asked of the bridge.
[[nodiscard]] bool offers_data(const OfferOptions& options, Features features);

/// The contents `audio`, `video` and `data`, as far as the participant has the features, without
/// transports and sources. Order of contents, payload types, feedback and header extensions is that
/// of Jicofo (JingleOfferFactory.java, CodecUtil.kt), which clients have been tuned for.
[[nodiscard]] std::vector<proto::Content> make_contents(const OfferOptions& options,
                                                        Features features);

/// What the bridge has to know of these contents: one `media` for audio and for video.
[[nodiscard]] std::vector<proto::Media> make_colibri_media(
    const std::vector<proto::Content>& contents);

/// Everything an offer is made of. References must outlive the call only.
struct OfferInput {
  const OfferOptions& options;
  Features features;
  EndpointId endpoint{""};  ///< The invited participant; its own sources are left out.
  std::string sid;
  Jid initiator;  ///< The address the client knows as the focus: our own full address.
  const Allocation& allocation;
  const ConferenceSourceMap& sources;
  std::string bridge_session_id;
  std::optional<std::string> bridge_region;
  proto::StartMuted start_muted;
};

/// The session-initiate (XEP-0166 6.2; Jicofo: ParticipantInviteRunnable.java). Every content gets
/// the same transport: they share one BUNDLE. Cost: O(sources of the conference), O(1) with SSRC
/// rewriting. The caller calls SourceSignaler::offered in the same turn.
[[nodiscard]] proto::Jingle make_session_initiate(const OfferInput& input);

/// Who starts muted (Jicofo: ParticipantInviteRunnable.java). One media type.
struct StartMutedInput {
  bool room_policy = false;  ///< The room mutes newcomers.
  bool just_joined = false;  ///< First invite of this occupant.
  std::size_t participants;  ///< In the conference, the invitee included.
  std::size_t senders_max;   ///< OfferOptions::max_audio_senders or max_video_senders.
  std::optional<std::size_t> start_muted_after;  ///< Property of the conference request.
  bool force_muted = false;                      ///< By moderation, and not exempt.
};
[[nodiscard]] bool starts_muted(const StartMutedInput& input);

/// The request to the client to let go of a session (XEP-0166 6.8), as the focus sends it.
[[nodiscard]] proto::Jingle make_session_terminate(std::string sid, proto::ReasonCondition reason,
                                                   std::string text);

}  // namespace bascule::focus
