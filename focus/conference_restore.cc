// A conference from the tables of an earlier process.

#include <algorithm>
#include <charconv>
#include <span>
#include <utility>

#include "focus/conference.h"
#include "focus/offer.h"
#include "focus/source_records.h"

namespace bascule::focus {
namespace {

constexpr std::size_t kUuidLength = 36;

/// `<uuid>-<n>`: the n-th new start of the conference on its bridge, see ColibriSessionOptions.
std::uint32_t incarnation_of(const std::string& bridge_session_id) {
  std::uint32_t value = 0;
  if (bridge_session_id.size() > kUuidLength + 1) {
    std::from_chars(bridge_session_id.data() + kUuidLength + 1,
                    bridge_session_id.data() + bridge_session_id.size(), value);
  }
  return value;
}

JingleSession::State to_state(JingleState state) {
  return state == JingleState::kActive    ? JingleSession::State::kActive
         : state == JingleState::kPending ? JingleSession::State::kPending
                                          : JingleSession::State::kEnded;
}

bool has_open_session(const ParticipantRow& row) {
  return row.jingle && row.jingle->state != JingleState::kEnded;
}

}  // namespace

void Conference::restore(const ConferenceRow& row, Turn& turn) {
  state_ = ConferenceState::kSuspended;
  restored_ = true;
  created_persisted_ = true;
  meeting_id_ = row.identity.meeting_id;
  created_ = row.identity.created;
  properties_ = row.identity.properties;
  start_audio_muted_ = row.identity.start_audio_muted;
  start_video_muted_ = row.identity.start_video_muted;
  for (const auto& [media, stored] : row.moderation) {
    moderation_.restore(stored);
  }
  for (const auto& [endpoint, member] : row.participants) {
    restore_member(endpoint, member, turn);
  }
  for (const auto& [bridge, stored] : row.bridge_sessions) {
    restore_bridge(stored, row, turn);
  }
  restore_relays(row);
  for (const auto& [endpoint, member] : row.participants) {
    restore_session(*find(endpoint), member, turn);
  }
  restore_pending_sources(row, turn);
  arm_bridge_timer(turn);
  ++turn.counters().conferences_restored;
  turn.info("conference.restored",
            {{"room", room_jid().to_string()},
             {"participants", static_cast<std::int64_t>(participants_.size())},
             {"sessions", static_cast<std::int64_t>(accepted_)}});
}

void Conference::restore_member(const EndpointId& endpoint, const ParticipantRow& row, Turn& turn) {
  const ParticipantId id(++turn.shared.last_number);
  Participant participant(id, row.identity.occupant, turn.options());
  participant.state = ParticipantState::kWaiting;
  participant.real_jid = row.identity.real_jid;
  participant.stats_id = row.identity.stats_id;
  participant.region = row.identity.region;
  participant.features = Features::from_words(row.identity.features);
  participant.role = row.identity.role;
  participant.joined = row.identity.joined;
  participant.audio_muted = row.identity.audio_muted;
  participant.video_muted = row.identity.video_muted;
  participant.member_kind =
      row.identity.kind == ParticipantKind::kVisitor ? ParticipantKind::kUser : row.identity.kind;
  count_sender(participant, true);
  invitable_ += participant.is_invitable() ? 1U : 0U;
  by_endpoint_.emplace(endpoint, id);
  participants_.emplace(id, std::move(participant));
  turn.counters().members.enter(turn.now.mono);
}

void Conference::restore_bridge(const op::BridgeSessionAdd& stored, const ConferenceRow& row,
                                Turn& turn) {
  std::vector<EndpointId> endpoints;
  std::vector<EndpointId> leftovers;  // Allocated, perhaps, and never invited, or moved away.
  const bool spans = row.bridge_sessions.size() > 1;
  for (const auto& [endpoint, member] : row.participants) {
    const bool is_here = member.endpoint && member.endpoint->bridge == stored.bridge;
    if (is_here && has_open_session(member)) {
      endpoints.push_back(endpoint);
    } else if (is_here || spans) {
      leftovers.push_back(endpoint);
    }
  }
  ColibriSessionOptions options;
  options.meeting_id = stored.meeting_id;
  options.room = room_jid();
  options.bridge_session_id = stored.bridge_session_id.substr(0, kUuidLength);
  BridgeUse use{.serial = ++turn.shared.last_number, .session = ColibriSession(std::move(options))};
  use.session.restore(endpoints, leftovers, incarnation_of(stored.bridge_session_id));
  use.confirmed = stored.created;
  use.row = stored;
  for (const EndpointId& endpoint : endpoints) {
    relays_.endpoint_added(stored.bridge, endpoint);
  }
  bridges_.emplace(stored.bridge, std::move(use));
}

void Conference::restore_session(Participant& participant, const ParticipantRow& row, Turn& turn) {
  if (row.jingle) {
    participant.invited_before = true;
    const bool usable =
        row.endpoint && has_open_session(row) && bridges_.contains(row.endpoint->bridge);
    const auto state = usable ? to_state(row.jingle->state) : JingleSession::State::kEnded;
    participant.jingle.restore(row.jingle->sid, row.jingle->generation, state, turn.now.mono);
  }
  if (!participant.jingle.is_open()) {
    // Whether the earlier process still told the client is unknown.
    participant.stale_sid = row.jingle ? row.jingle->sid : std::string();
    return;
  }
  participant.bridge = row.endpoint->bridge;
  participant.force_mute = {.audio = row.endpoint->audio_force_muted,
                            .video = row.endpoint->video_force_muted};
  participant.bridge_session_id = bridges_.at(*participant.bridge).session.bridge_session_id();
  turn.shared.placement.restore_participant(room_jid(), participant.occupant, *participant.bridge,
                                            turn.now);
  const OfferOptions& offer = turn.options().offer;
  signaler_.offered(participant.endpoint,
                    {.filter = source_filter(offer, participant.features),
                     .json = uses_json_sources(offer, participant.features),
                     .ssrc_rewriting = uses_ssrc_rewriting(offer, participant.features)});
  if (participant.jingle.state() == JingleSession::State::kPending) {
    participant.state = ParticipantState::kInviting;
    turn.set_timer(timer(TimerKind::kAccept, participant), turn.options().accept_timeout);
    return;
  }
  participant.state = ParticipantState::kActive;
  participant.transport = row.jingle->transport;
  ++accepted_;
  if (const auto sources = from_records(row); !sources.empty()) {
    if (const auto added = sources_.add(participant.endpoint, sources); !added) {
      turn.warn("sources.not_restored", {{"room", room_jid().to_string()},
                                         {"endpoint", participant.endpoint.value()},
                                         {"rule", std::string(to_string(added.error().rule))}});
    }
  }
  tell_sources(signaler_.activate(participant.endpoint, sources_), turn);
}

/// What was collected in the earlier process and not said. Each receiver must get exactly that: a
/// web client makes a second media line of a source it is told of again (lib-jitsi-meet:
/// JingleSessionPC.ts `_addOrRemoveRemoteStream`).
void Conference::restore_pending_sources(const ConferenceRow& row, Turn& turn) {
  for (const auto& [owner, entries] : row.pending_sources) {
    for (const PendingSources& pending : entries) {
      const SourceSnapshot before = sources_.snapshot_of(from_records(pending));
      for (const EndpointId& receiver : pending.receivers) {
        signaler_.restore(receiver, owner, before, participants_.size(), turn.now.mono);
      }
    }
  }
  // Who lost its bridge and has no other yet starts anew: what the others know of it is to go.
  for (const auto& [endpoint, member] : row.participants) {
    if (const auto known = from_records(member);
        !known.empty() && !find(endpoint)->jingle.is_open()) {
      turn.persist(make_sources_remove(room_jid(), endpoint, known));
      sources_changed(endpoint, sources_.snapshot_of(known), turn);
    }
  }
  arm_signaling(turn);
}

}  // namespace bascule::focus
