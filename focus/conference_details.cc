#include "focus/conference_details.h"

#include <algorithm>

#include "focus/conference.h"
#include "focus/offer.h"

namespace bascule::focus {
namespace {

MemberDetails details_of(const Participant& participant, const OfferOptions& offer) {
  return {.endpoint = participant.endpoint,
          .occupant = participant.occupant,
          .real_jid = participant.real_jid,
          .stats_id = participant.stats_id,
          .region = participant.region,
          .role = participant.role,
          .kind = participant.is_invitable() ? participant.member_kind : ParticipantKind::kVisitor,
          .joined = participant.joined,
          .audio_muted = participant.audio_muted,
          .video_muted = participant.video_muted,
          .caps = participant.caps,
          .features = participant.features,
          .state = participant.state,
          .jingle = participant.jingle.state(),
          .sid = participant.jingle.sid(),
          .bridge = participant.bridge,
          .force_mute = participant.force_mute,
          .ssrc_rewriting = uses_ssrc_rewriting(offer, participant.features),
          .rtp_mid_demux = uses_rtp_mid_demux(offer, participant.features),
          .sources = {}};
}

}  // namespace

ConferenceSize Conference::size() const {
  return {.participants = participants_.size(), .visitors = participants_.size() - invitable_};
}

ConferenceDetails Conference::details(const OfferOptions& offer) const {
  ConferenceDetails details{.room = room_jid(),
                            .meeting_id = meeting_id_,
                            .state = state_,
                            .created = created_,
                            .in_room = room_.is_in(),
                            .breakout = breakout_,
                            .properties = properties_,
                            .published = published_,
                            .start_audio_muted = start_audio_muted_,
                            .start_video_muted = start_video_muted_,
                            .audio_limit_reached = audio_limit_reached_.value_or(false),
                            .video_limit_reached = video_limit_reached_.value_or(false),
                            .audio_moderated = moderation_.is_enabled(proto::MuteMedia::kAudio),
                            .video_moderated = moderation_.is_enabled(proto::MuteMedia::kVideo),
                            .desktop_moderated = moderation_.is_enabled(proto::MuteMedia::kDesktop),
                            .senders = senders_,
                            .members = {},
                            .bridges = {}};
  details.members.reserve(participants_.size());
  for (const auto& [endpoint, id] : by_endpoint_) {
    details.members.push_back(details_of(participants_.at(id), offer));
    details.members.back().sources = sources_.snapshot(endpoint);
  }
  for (const auto& [bridge, use] : bridges_) {
    BridgeUseDetails& told = details.bridges.emplace_back();
    told.bridge = bridge;
    told.session_id = use.session.bridge_session_id();
    told.created = use.confirmed;
    told.endpoints = use.session.endpoints();
    for (const auto& [other, its_use] : bridges_) {
      if (other != bridge) {
        told.relays.push_back(other);
      }
    }
  }
  return details;
}

}  // namespace bascule::focus
