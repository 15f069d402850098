#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/ids.h"
#include "base/jid.h"
#include "focus/features.h"
#include "focus/iq_ledger.h"
#include "focus/jingle_session.h"
#include "focus/operation.h"
#include "focus/options.h"
#include "focus/participant_state.h"
#include "focus/recent_sources.h"
#include "focus/ticket.h"
#include "focus/timings.h"
#include "focus/view.h"
#include "xmpp/proto/colibri2.h"
#include "xmpp/proto/muc.h"

namespace bascule::focus {

/// By its name, which ends in `-a<n>` or `-v<n>` (lib-jitsi-meet: SignalingLayerImpl.ts).
[[nodiscard]] bool is_audio_source(const std::string& name);

/// One member of a room, from its first presence to its last. A value: what happens to it is
/// decided by `step` and carried out by its Conference.
struct Participant {
  Participant(ParticipantId number, OccupantJid occupant_jid, const Options& options);

  /// Takes over what the presence says; absent parts stay as they were. Returns whether something
  /// changed that the store or the conference has to know.
  bool update(const proto::MucPresence& presence, const Options& options, Instant now);

  /// Whether it gets media: visitors are members only (Jicofo: `visitors.enabled = false`).
  [[nodiscard]] bool is_invitable() const { return role != ParticipantRole::kVisitor; }
  [[nodiscard]] bool is_moderator() const { return role == ParticipantRole::kModerator; }
  /// A recorder, gateway or transcriber: never made owner.
  [[nodiscard]] bool is_service() const { return member_kind != ParticipantKind::kUser; }
  /// Nobody mutes it: a recorder, a visitor, or a gateway that could not obey.
  [[nodiscard]] bool is_exempt_from_mute() const;
  [[nodiscard]] op::ParticipantAdd to_operation(const RoomJid& room) const;
  [[nodiscard]] Ticket make_ticket(const RoomJid& room, TicketKind kind);
  [[nodiscard]] ParticipantView view() const;
  /// The wait before the next invitation; doubles up to four times the initial one.
  Duration next_retry_delay(Duration initial);

  ParticipantId id;
  OccupantJid occupant;
  EndpointId endpoint;
  ParticipantState state = ParticipantState::kDiscovering;

  std::optional<Jid> real_jid;
  std::optional<proto::Caps> caps;
  std::string stats_id;
  std::string region;
  ParticipantRole role = ParticipantRole::kVisitor;
  ParticipantKind member_kind = ParticipantKind::kUser;
  bool owner = false;
  bool audio_muted = true;
  bool video_muted = true;
  Features features = Features::assumed();
  WallTime joined{};

  JingleSession jingle;
  std::optional<BridgeJid> bridge;       ///< Where its endpoint is, or is being, allocated.
  std::optional<BridgeJid> next_bridge;  ///< Placed on, and not allocated there yet.
  proto::ForceMute force_mute;           ///< What its bridge was told to drop.
  std::uint32_t ticket_generation = 0;
  bool parked = false;            ///< The queue was full: ask again when the timer fires.
  std::string transport;          ///< Of its session-accept, as XML.
  bool is_bridge_untold = false;  ///< Our link was down when it changed; told when it is up again.
  /// What the client was told with its current offer, and names when it asks for another.
  std::optional<std::string> bridge_session_id;
  /// A session the client may still have although we have ended it: it has to be told first.
  std::string stale_sid;
  RecentSources recent_sources;
  bool invited_before = false;
  std::optional<Duration> retry_delay;  ///< Of the last failed invitation.
  /// Sources it shows to the room as unmuted, by name.
  std::map<std::string, Instant> unmuted_since;
  Instant no_audit_before{};         ///< Its sources are not compared with these until then.
  std::uint32_t audit_restarts = 0;  ///< Sessions made anew because they differed.
  ParticipantClock clock;
};

}  // namespace bascule::focus
