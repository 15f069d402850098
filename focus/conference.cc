#include "focus/conference.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "focus/uuid.h"

namespace bascule::focus {
namespace {

/// Presence of the focus goes to everybody in the room: changes within this time go together.
constexpr Duration kPresenceDelay = std::chrono::milliseconds{500};
constexpr Duration kPresenceRetry = std::chrono::seconds{2};  // While the link is down.
/// Owner of the bridge's feedback sources: nobody may pose as it.
const std::string kReservedEndpoint = "jvb";
constexpr std::string_view kSwitchRoom = "switch_room";

}  // namespace

std::string_view name_of(ConferenceState state) {
  switch (state) {
    case ConferenceState::kJoining:
      return "joining";
    case ConferenceState::kWaiting:
      return "waiting";
    case ConferenceState::kActive:
      return "active";
    case ConferenceState::kSuspended:
      return "suspended";
    case ConferenceState::kRejoining:
      return "rejoining";
    case ConferenceState::kEnded:
      return "ended";
  }
  check_failed("state is one of ConferenceState", __FILE__, __LINE__);
}

Conference::Conference(ConferenceId id, RoomJid room, std::map<std::string, std::string> properties,
                       std::string sid_secret, const Options& options, Now now)
    : id_(id),
      room_(std::move(room), id),
      sid_secret_(std::move(sid_secret)),
      properties_(std::move(properties)),
      created_(now.wall),
      sources_(SourceLimits{.sources_per_endpoint = options.offer.max_sources_per_endpoint,
                            .groups_per_endpoint = options.offer.max_groups_per_endpoint}),
      signaler_(options.offer.signaling_delays),
      relays_(options.offer.sctp) {
}

ConferenceView Conference::view() const {
  ConferenceView view{.summary = summary(), .participants = {}};
  view.participants.reserve(participants_.size());
  for (const auto& [endpoint, id] : by_endpoint_) {
    view.participants.push_back(participants_.at(id).view());
  }
  return view;
}

ConferenceSummary Conference::summary() const {
  return {.room = room_jid(),
          .meeting_id = meeting_id_,
          .state = state_,
          .created = created_,
          .participants = participants_.size(),
          .sessions = accepted_};
}

Participant* Conference::find(ParticipantId participant) {
  const auto entry = participants_.find(participant);
  return entry == participants_.end() ? nullptr : &entry->second;
}

Participant* Conference::find(const EndpointId& endpoint) {
  const auto entry = by_endpoint_.find(endpoint);
  return entry == by_endpoint_.end() ? nullptr : find(entry->second);
}

const Participant* Conference::find(const EndpointId& endpoint) const {
  const auto entry = by_endpoint_.find(endpoint);
  return entry == by_endpoint_.end() ? nullptr : &participants_.at(entry->second);
}

void Conference::start(Turn& turn) {
  room_.join(turn);
}

void Conference::requested(Turn& turn) {
  const TimerKey key = timer(TimerKind::kInitial);
  if (turn.shared.deadlines.is_set(key)) {
    turn.set_timer(key, turn.options().initial_timeout);
  }
}

void Conference::suspend(Turn& turn) {
  room_.lose(turn);
  state_ = ConferenceState::kSuspended;
  turn.clear_timer(timer(TimerKind::kInitial));
  turn.clear_timer(timer(TimerKind::kSingle));
}

void Conference::reenter(Turn& turn, Surroundings&) {
  if (created_persisted_) {
    state_ = ConferenceState::kRejoining;
    room_.rejoin(turn);
  } else {
    state_ = ConferenceState::kJoining;
    room_.join(turn);
  }
}

void Conference::end(std::string_view reason, BridgeCleanup::Pace pace, Turn& turn,
                     Surroundings& around) {
  if (state_ == ConferenceState::kEnded) {
    return;
  }
  state_ = ConferenceState::kEnded;
  room_.leave(turn);
  for (const TimerKind kind :
       {TimerKind::kInitial, TimerKind::kSingle, TimerKind::kPresence, TimerKind::kSourceSignaling,
        TimerKind::kBridgeRetry, TimerKind::kRelays}) {
    turn.clear_timer(timer(kind));
  }
  for (const auto& [id, participant] : participants_) {
    turn.clear_timer(timer(TimerKind::kAccept, participant));
    turn.clear_timer(timer(TimerKind::kInviteRetry, participant));
  }
  expire_all(pace, turn, around);
  turn.shared.placement.conference_ended(room_jid(), turn.now);
  if (created_persisted_) {
    turn.persist(op::ConferenceEnd{room_jid(), std::string(reason)});
  }
  ++turn.counters().conferences_ended;
  turn.counters().meetings.leave(turn.now.mono);
  turn.counters().members.leave(turn.now.mono, participants_.size());
  turn.info("conference.ended",
            {{"room", room_jid().to_string()},
             {"reason", std::string(reason)},
             {"participants", static_cast<std::int64_t>(participants_.size())}});
  around.news.emplace_back(news::ConferenceEnded{room_jid(), id_, std::string(reason),
                                                 reason == "vanished",
                                                 reason.starts_with("refused: not-allowed")});
}

void Conference::on_presence(const proto::MucPresence& presence, Turn& turn, Surroundings& around) {
  std::vector<RoomEvent> events;
  room_.on_presence(presence, turn, events);
  handle(events, turn, around);
}

void Conference::handle(std::vector<RoomEvent>& events, Turn& turn, Surroundings& around) {
  for (const RoomEvent& event : events) {
    if (state_ == ConferenceState::kEnded) {
      return;
    }
    if (const auto* in = std::get_if<room_event::Entered>(&event)) {
      entered(*in, turn, around);
    } else if (const auto* refused = std::get_if<room_event::Refused>(&event)) {
      turn.warn("room.refused", {{"room", room_jid().to_string()}, {"reason", refused->reason}});
      end("refused: " + refused->reason, BridgeCleanup::Pace::kPaced, turn, around);
    } else if (const auto* closed = std::get_if<room_event::Closed>(&event)) {
      turn.counters().rooms_vanished += closed->reason == "vanished" ? 1U : 0U;
      end(closed->reason, BridgeCleanup::Pace::kPaced, turn, around);
    } else if (const auto* seen = std::get_if<room_event::MemberSeen>(&event)) {
      member_seen(seen->presence, turn, around);
    } else if (const auto* update = std::get_if<room_event::MemberUpdated>(&event)) {
      if (find(EndpointId(update->presence.from.resource())) != nullptr) {
        member_seen(update->presence, turn, around);
      }
    } else if (const auto* left = std::get_if<room_event::MemberLeft>(&event)) {
      member_left(left->endpoint, left->status, turn, around);
    }
  }
}

void Conference::entered(const room_event::Entered& event, Turn& turn, Surroundings& around) {
  const bool again = state_ == ConferenceState::kRejoining;
  state_ = ConferenceState::kWaiting;
  breakout_ = event.breakout;
  if (meeting_id_.empty()) {
    meeting_id_ = event.meeting_id.empty() ? make_uuid(turn.shared.prng) : event.meeting_id;
  }
  if (!created_persisted_) {
    created_persisted_ = true;
    turn.persist(op::ConferenceCreate{.room = room_jid(),
                                      .meeting_id = meeting_id_,
                                      .created = created_,
                                      .properties = properties_});
  }
  turn.info("conference.joined",
            {{"room", room_jid().to_string()}, {"meeting", meeting_id_}, {"again", again}});
  publish(turn);
  around.news.emplace_back(news::RoomReady{room_jid()});
  around.news.emplace_back(news::Reconciled{id_});
  if (again) {
    std::vector<EndpointId> gone;
    for (const auto& [endpoint, id] : by_endpoint_) {
      if (!event.present.contains(endpoint)) {
        gone.push_back(endpoint);
      }
    }
    for (const auto& endpoint : gone) {
      remove(*find(endpoint), turn, around);
    }
    members_changed(turn, around);
  }
  if (participants_.empty()) {
    turn.set_timer(timer(TimerKind::kInitial), turn.options().initial_timeout);
  }
}

void Conference::member_seen(const proto::MucPresence& presence, Turn& turn, Surroundings& around) {
  const EndpointId endpoint(presence.from.resource());
  Participant* known = find(endpoint);
  const bool is_new = known == nullptr;
  if (is_new) {
    if (participants_.size() >= turn.options().limits.participants_per_conference ||
        endpoint.value() == kReservedEndpoint) {
      ++turn.counters().participants_refused;
      return;
    }
    ++turn.counters().participants_seen;
    turn.counters().members.enter(turn.now.mono);
    const ParticipantId id(++turn.shared.last_number);
    by_endpoint_.emplace(endpoint, id);
    known = &participants_.emplace(id, Participant(id, OccupantJid(presence.from), turn.options()))
                 .first->second;
    known->joined = turn.now.wall;
    if (state_ == ConferenceState::kActive) {
      known->clock.wanted(turn.now.mono);
    }
    turn.clear_timer(timer(TimerKind::kInitial));
    turn.info("participant.joined",
              {{"room", room_jid().to_string()}, {"endpoint", endpoint.value()}});
  }
  Participant& member = *known;
  const bool was_invitable = !is_new && member.is_invitable();
  const bool was_owner = member.owner;
  const bool was_moderator = member.is_moderator();
  count_sender(member, false);
  const bool changed = member.update(presence, turn.options(), turn.now.mono);
  count_sender(member, true);
  invitable_ += (member.is_invitable() ? 1U : 0U);
  invitable_ -= (was_invitable ? 1U : 0U);
  owners_ += (member.owner ? 1U : 0U);
  owners_ -= (was_owner ? 1U : 0U);
  if (is_new) {
    const auto features = around.features.find_or_ask({.conference = id_,
                                                       .participant = member.id,
                                                       .occupant = member.occupant,
                                                       .caps = member.caps},
                                                      turn);
    if (features) {
      discovered(member.id, *features, turn, around);
    }
  } else if (changed && member.state != ParticipantState::kDiscovering) {
    turn.persist(op::ParticipantSet{.room = room_jid(),
                                    .endpoint = endpoint,
                                    .stats_id = member.stats_id,
                                    .region = member.region,
                                    .role = member.role,
                                    .audio_muted = member.audio_muted,
                                    .video_muted = member.video_muted});
  }
  grant_owner(turn);
  senders_changed(turn);
  if (member.is_moderator() != was_moderator) {
    enforce_moderation(member, turn);
  }
  if (member.is_invitable() != was_invitable) {
    members_changed(turn, around);
    if (!is_new && member.is_invitable() && state_ == ConferenceState::kActive) {
      apply(member, ParticipantEvent::kWanted, turn, around);
    }
  }
}

void Conference::discovered(ParticipantId id, Features features, Turn& turn, Surroundings& around) {
  Participant* participant = find(id);
  if (participant == nullptr || participant->state != ParticipantState::kDiscovering) {
    ++turn.counters().answers_late;
    return;
  }
  participant->features = features;
  turn.persist(participant->to_operation(room_jid()));
  apply(*participant, ParticipantEvent::kDiscovered, turn, around);
  if (state_ == ConferenceState::kActive && participant->is_invitable()) {
    apply(*participant, ParticipantEvent::kWanted, turn, around);
  }
}

void Conference::member_left(const EndpointId& endpoint, const std::string& status, Turn& turn,
                             Surroundings& around) {
  Participant* participant = find(endpoint);
  if (participant == nullptr) {
    return;
  }
  turn.info("participant.left", {{"room", room_jid().to_string()}, {"endpoint", endpoint.value()}});
  if (participants_.size() == 1 && status != kSwitchRoom) {
    expire_all(BridgeCleanup::Pace::kAtOnce, turn, around);  // Instead of its endpoint, then again.
  }
  remove(*participant, turn, around);
  if (participants_.empty() && status != kSwitchRoom) {
    end("everybody left", BridgeCleanup::Pace::kAtOnce, turn, around);
    return;
  }
  if (participants_.empty()) {
    state_ = ConferenceState::kWaiting;
    turn.clear_timer(timer(TimerKind::kSingle));
    turn.set_timer(timer(TimerKind::kInitial), turn.options().initial_timeout);
  }
  grant_owner(turn);
  members_changed(turn, around);
}

void Conference::remove(Participant& participant, Turn& turn, Surroundings& around) {
  apply(participant, ParticipantEvent::kLeft, turn, around);
  turn.persist(op::ParticipantRemove{room_jid(), participant.endpoint});
  invitable_ -= participant.is_invitable() ? 1U : 0U;
  owners_ -= participant.owner ? 1U : 0U;
  count_sender(participant, false);
  senders_changed(turn);
  if (owner_asked_ == participant.id) {
    owner_asked_.reset();
  }
  granted_.erase(participant.id);
  const ParticipantId id = participant.id;
  by_endpoint_.erase(participant.endpoint);
  participants_.erase(id);
  turn.counters().members.leave(turn.now.mono);
}

void Conference::members_changed(Turn& turn, Surroundings& around) {
  if (state_ != ConferenceState::kWaiting && state_ != ConferenceState::kActive) {
    return;
  }
  if (invitable_ >= turn.options().participants_min) {
    turn.clear_timer(timer(TimerKind::kSingle));
    if (state_ != ConferenceState::kActive) {
      state_ = ConferenceState::kActive;
      want_all(turn, around);
    }
    return;
  }
  const TimerKey single = timer(TimerKind::kSingle);
  if (state_ == ConferenceState::kActive && !turn.shared.deadlines.is_set(single)) {
    turn.set_timer(single, turn.options().single_participant_timeout);
  } else if (state_ == ConferenceState::kWaiting && accepted_ > 0) {
    state_ = ConferenceState::kActive;  // Re-entered with one member that has a session.
    turn.set_timer(single, turn.options().single_participant_timeout);
  }
}

void Conference::want_all(Turn& turn, Surroundings& around) {
  for (auto& [id, participant] : participants_) {
    if (participant.is_invitable()) {
      apply(participant, ParticipantEvent::kWanted, turn, around);
    }
  }
}

void Conference::single_timeout(Turn& turn, Surroundings& around) {
  if (state_ != ConferenceState::kActive || invitable_ >= turn.options().participants_min) {
    return;
  }
  state_ = ConferenceState::kWaiting;
  turn.info("conference.single", {{"room", room_jid().to_string()}});
  for (auto& [id, participant] : participants_) {
    apply(participant, ParticipantEvent::kUnwanted, turn, around);
  }
}

void Conference::grant_owner(Turn& turn) {
  if (!turn.options().auto_owner || owners_ > 0 || owner_asked_ || breakout_ || !room_.is_in()) {
    return;
  }
  for (const auto& [id, participant] : participants_) {
    if (!participant.is_invitable() || participant.is_service() || !participant.real_jid) {
      continue;
    }
    owner_asked_ = id;
    ++turn.counters().owners_granted;
    proto::MucAdminItem item;
    item.affiliation = proto::Affiliation::kOwner;
    item.jid = participant.real_jid->bare();
    turn.send_iq({.purpose = IqPurpose::kGrantOwner,
                  .stream = StreamId::kClient,
                  .conference = id_,
                  .participant = id},
                 room_jid().jid(), proto::MucAdminSet{{std::move(item)}});
    return;
  }
}

void Conference::publish(Turn& turn) {
  if (!turn.shared.is_up(StreamId::kClient)) {
    turn.set_timer(timer(TimerKind::kPresence), kPresenceRetry);
    return;
  }
  turn.clear_timer(timer(TimerKind::kPresence));
  published_ = properties_to_publish();
  proto::FocusInfo info;
  if (!breakout_) {
    info.etherpad = room_jid().jid().local();
  }
  info.versions = {{"focus", "bascule-" + turn.options().version}};
  info.conference_properties = published_;
  room_.publish(info, turn);
}

std::map<std::string, std::string> Conference::properties_to_publish() const {
  const auto created =
      std::chrono::duration_cast<std::chrono::milliseconds>(created_.time_since_epoch()).count();
  std::map<std::string, std::string> properties{{"support-terminate-restart", "true"},
                                                {"bridge-count", std::to_string(bridges_.size())},
                                                {"created-ms", std::to_string(created)}};
  const auto say = [&](const char* name, std::optional<bool> value) {
    if (value) {
      properties.emplace(name, *value ? "true" : "false");
    }
  };
  say("audio-limit-reached", audio_limit_reached_);
  say("video-limit-reached", video_limit_reached_);
  return properties;
}

void Conference::publish_soon(Turn& turn) {
  const TimerKey key = timer(TimerKind::kPresence);
  if (!turn.shared.deadlines.is_set(key) && published_ != properties_to_publish()) {
    turn.set_timer(key, kPresenceDelay);
  }
}

void Conference::on_timer(const TimerKey& key, Turn& turn, Surroundings& around) {
  std::vector<RoomEvent> events;
  if (key.kind == TimerKind::kRoomJoin) {
    room_.on_join_timeout(turn, events);
    handle(events, turn, around);
  } else if (key.kind == TimerKind::kInitial) {
    if (participants_.empty()) {
      end("nobody came", BridgeCleanup::Pace::kPaced, turn, around);
    }
  } else if (key.kind == TimerKind::kSingle) {
    single_timeout(turn, around);
  } else if (key.kind == TimerKind::kPresence) {
    if (published_ != properties_to_publish()) {
      publish(turn);
    }
  } else if (key.kind == TimerKind::kSourceSignaling) {
    signal_due(turn);
  } else if (key.kind == TimerKind::kRelays) {
    settle_relays(turn);
  } else if (key.kind == TimerKind::kBridgeRetry) {
    for (auto& [bridge, use] : bridges_) {
      send_to_bridge(bridge, use.session.fire_timers(turn.now.mono), turn);
    }
    tidy_bridges(turn);
    arm_bridge_timer(turn);
  } else if (Participant* participant = find(ParticipantId(key.part)); participant != nullptr) {
    on_participant_timer(*participant, key.kind, turn, around);
  }
}

}  // namespace bascule::focus
