#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/jid.h"
#include "base/time.h"
#include "focus/conference_state.h"
#include "focus/features.h"
#include "focus/jingle_session.h"
#include "focus/moderation.h"
#include "focus/operation.h"
#include "focus/participant_state.h"
#include "focus/source_map.h"
#include "xmpp/proto/colibri2.h"
#include "xmpp/proto/disco.h"

namespace bascule::focus {

/// How many are in one conference: cheap enough to be asked of all of them.
struct ConferenceSize {
  std::size_t participants = 0;  ///< Members of the room, visitors included.
  std::size_t visitors = 0;
  friend bool operator==(const ConferenceSize&, const ConferenceSize&) = default;
};

/// Everything known of one member of a room, for people who look for a fault.
struct MemberDetails {
  EndpointId endpoint{""};
  OccupantJid occupant;
  std::optional<Jid> real_jid;
  std::string stats_id;
  std::string region;
  ParticipantRole role = ParticipantRole::kVisitor;
  ParticipantKind kind = ParticipantKind::kUser;
  WallTime joined{};
  bool audio_muted = true;
  bool video_muted = true;
  std::optional<proto::Caps> caps;
  Features features;

  ParticipantState state = ParticipantState::kDiscovering;
  JingleSession::State jingle = JingleSession::State::kNone;
  std::string sid;  ///< Of the last Jingle session; empty when there was none.

  std::optional<BridgeJid> bridge;  ///< Where its endpoint is, or is being, allocated.
  proto::ForceMute force_mute;      ///< What the bridge was told to drop.
  bool ssrc_rewriting = false;      ///< What it was offered.
  bool rtp_mid_demux = false;
  SourceSnapshot sources;
};

/// The use a conference makes of one bridge.
struct BridgeUseDetails {
  BridgeJid bridge;
  std::string session_id;             ///< What clients are told as `bridge-session`.
  bool created = false;               ///< The bridge has the conference.
  std::vector<EndpointId> endpoints;  ///< Allocated there, or asked for.
  std::vector<BridgeJid> relays;      ///< The other bridges of the conference.
};

/// Everything known of one conference.
struct ConferenceDetails {
  RoomJid room;
  std::string meeting_id;  ///< Empty before the room was entered.
  ConferenceState state = ConferenceState::kJoining;
  WallTime created{};
  bool in_room = false;
  bool breakout = false;
  std::map<std::string, std::string> properties;  ///< Of the request that created it.
  std::map<std::string, std::string> published;   ///< What clients are told.
  bool start_audio_muted = false;
  bool start_video_muted = false;
  bool audio_limit_reached = false;
  bool video_limit_reached = false;
  bool audio_moderated = false;
  bool video_moderated = false;
  bool desktop_moderated = false;
  SenderCount senders;
  std::vector<MemberDetails> members;  ///< In order of their endpoint ids.
  std::vector<BridgeUseDetails> bridges;
};

/// Members seen with one set of capabilities (XEP-0115).
struct CapsSeen {
  std::uint64_t members = 0;
  Features features;
};

}  // namespace bascule::focus
