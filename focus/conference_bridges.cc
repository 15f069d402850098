// Our use of bridges: requests to them and what their answers mean for participants.

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "focus/colibri_outcome.h"
#include "focus/conference.h"
#include "focus/source_records.h"
#include "focus/uuid.h"
#include "xmpp/xml/parser.h"

namespace bascule::focus {
namespace {

/// Nothing when an older version did not store it.
std::optional<proto::IceUdpTransport> read_transport(const std::string& text) {
  const auto element = xml::parse(text);
  const auto transport = element.and_then(proto::decode_ice_udp_transport);
  return transport ? std::optional(*transport) : std::nullopt;
}

}  // namespace

Conference::BridgeUse& Conference::use_of(const BridgeJid& bridge, Turn& turn,
                                          Surroundings& around) {
  const auto found = bridges_.find(bridge);
  if (found != bridges_.end()) {
    return found->second;
  }
  ColibriSessionOptions options;
  options.meeting_id = meeting_id_;
  options.room = room_jid();
  options.bridge_session_id = make_uuid(turn.shared.prng);
  const auto rtcstats = properties_.find("rtcstatsEnabled");
  options.rtcstats = rtcstats == properties_.end() || rtcstats->second != "false";
  op::BridgeSessionAdd row{.room = room_jid(),
                           .bridge = bridge,
                           .meeting_id = meeting_id_,
                           .bridge_session_id = options.bridge_session_id};
  BridgeUse& use = bridges_
                       .emplace(bridge, BridgeUse{.serial = ++turn.shared.last_number,
                                                  .session = ColibriSession(std::move(options)),
                                                  .row = std::move(row)})
                       .first->second;
  if (around.cleanup.take_over(bridge, meeting_id_)) {
    use.session.restore({}, {}, 0);  // It expires what is left there, then creates.
  }
  turn.persist(use.row);
  publish_soon(turn);
  return use;
}

void Conference::send_to_bridge(const BridgeJid& bridge, const ColibriSession::Requests& requests,
                                Turn& turn) {
  if (requests.empty()) {
    return;
  }
  const std::uint64_t serial = bridges_.at(bridge).serial;
  for (const auto& request : requests) {
    turn.send_iq({.purpose = IqPurpose::kBridge,
                  .stream = StreamId::kService,
                  .conference = id_,
                  .participant = ParticipantId(serial),
                  .generation = request.ticket.value(),
                  .bridge = bridge},
                 bridge.jid(), request.message);
  }
}

void Conference::on_answer(const IqNote& note, const IqOutcome& outcome, Turn& turn,
                           Surroundings& around) {
  std::vector<RoomEvent> events;
  switch (note.purpose) {
    case IqPurpose::kRoomProbe:
    case IqPurpose::kRoomForm:
    case IqPurpose::kRoomConfigure:
      room_.on_answer(note, outcome, turn, events);
      handle(events, turn, around);
      return;
    case IqPurpose::kSelfPing:
      on_self_ping(note, outcome, turn, around);
      return;
    case IqPurpose::kGrantOwner:
      if (!outcome) {
        turn.warn("owner.not_granted",
                  {{"room", room_jid().to_string()}, {"error", describe(outcome.error())}});
      }
      return;
    case IqPurpose::kBridge:
      on_bridge_answer(note, outcome, turn, around);
      return;
    case IqPurpose::kInvite:
      if (Participant* participant = find(note.participant)) {
        on_invite_answer(*participant, note, outcome, turn, around);
      } else {
        ++turn.counters().answers_late;
      }
      return;
    case IqPurpose::kJingle:
    case IqPurpose::kMute:
    case IqPurpose::kServices:
    case IqPurpose::kProxyFence:
    case IqPurpose::kMemberDisco:
    case IqPurpose::kCleanup:
    case IqPurpose::kHealth:
    case IqPurpose::kPubsub:
    case IqPurpose::kPubsubPublish:
      return;  // Nobody here waits for these.
  }
  check_failed("purpose is one of IqPurpose", __FILE__, __LINE__);
}

void Conference::on_bridge_answer(const IqNote& note, const IqOutcome& outcome, Turn& turn,
                                  Surroundings& around) {
  const auto use = bridges_.find(note.bridge);
  if (use == bridges_.end() || use->second.serial != note.participant.value()) {
    ++turn.counters().answers_late;
    return;
  }
  const bool was_present = use->second.session.is_present();
  auto step = use->second.session.answered(ColibriTicket(note.generation),
                                           to_colibri_answer(outcome), turn.now.mono);
  send_to_bridge(note.bridge, step.send, turn);
  if (use->second.session.is_present() != was_present || !step.outcome.lost.empty()) {
    touch_relays(turn);
  }
  on_audited(use->second, note, step.outcome, turn);
  on_outcome(note.bridge, step.outcome, turn, around);
  if (step.outcome.relay) {
    carry_out(relays_.answered(*step.outcome.relay, turn.now.mono), turn);
  }
  release_if_unused(note.bridge, turn);
  arm_bridge_timer(turn);
}

void Conference::on_outcome(const BridgeJid& bridge, ColibriOutcome& outcome, Turn& turn,
                            Surroundings& around) {
  switch (outcome.kind) {
    case ColibriOutcomeKind::kAllocated:
      allocated(bridge, outcome, turn, around);
      return;
    case ColibriOutcomeKind::kDone:
    case ColibriOutcomeKind::kStale:
    case ColibriOutcomeKind::kRetried:
      return;
    case ColibriOutcomeKind::kTransport:
      if (Participant* participant = outcome.endpoint ? find(*outcome.endpoint) : nullptr) {
        ice_restarted(*participant, outcome.transport, turn, around);
      }
      return;
    case ColibriOutcomeKind::kTimeout:
    case ColibriOutcomeKind::kBridgeFailed:
      around.news.emplace_back(news::BridgeDoubted{bridge, to_string(outcome.kind)});
      break;
    case ColibriOutcomeKind::kNotInBrewery:
      ++turn.counters().room_errors;
      around.news.emplace_back(news::NotInBrewery{});
      break;
    case ColibriOutcomeKind::kEndpointUnknown:
    case ColibriOutcomeKind::kEndpointExists:
    case ColibriOutcomeKind::kBadRequest:
    case ColibriOutcomeKind::kIncompleteAnswer:
    case ColibriOutcomeKind::kConferenceGone:
    case ColibriOutcomeKind::kConferenceExists:
    case ColibriOutcomeKind::kBridgeShuttingDown:
    case ColibriOutcomeKind::kBridgeLeft:
    case ColibriOutcomeKind::kServerRefused:
      break;
    case ColibriOutcomeKind::kLinkDown:
      if (Participant* untold = outcome.endpoint ? find(*outcome.endpoint) : nullptr) {
        untold->is_bridge_untold = outcome.lost.empty();
      }
      break;
  }
  turn.info("bridge.refused", {{"room", room_jid().to_string()},
                               {"bridge", bridge.to_string()},
                               {"kind", std::string(to_string(outcome.kind))},
                               {"lost", static_cast<std::int64_t>(outcome.lost.size())},
                               {"detail", outcome.detail}});
  lost_on(bridge, outcome, turn, around);
}

void Conference::ice_restarted(Participant& participant,
                               const std::optional<proto::IceUdpTransport>& transport, Turn& turn,
                               Surroundings& around) {
  if (!transport) {
    ++turn.counters().ice_restarts_failed;
    // The bridge cannot: the client gets a new session instead of waiting for its own timeout.
    if (has_session(participant.state)) {
      reinvite(participant, turn, around);
    }
    return;
  }
  if (auto jingle = participant.jingle.relay_ice_restart(*transport)) {
    ++turn.counters().ice_restarts_relayed;
    send_jingle(participant, std::move(*jingle), IqPurpose::kJingle, turn);
  } else {
    ++turn.counters().ice_restarts_needless;
  }
}

void Conference::allocated(const BridgeJid& bridge, ColibriOutcome& outcome, Turn& turn,
                           Surroundings& around) {
  Participant* participant = outcome.endpoint ? find(*outcome.endpoint) : nullptr;
  if (participant == nullptr || participant->state != ParticipantState::kAllocating ||
      participant->bridge != bridge || !outcome.allocation) {
    ++turn.counters().answers_late;
    if (outcome.endpoint) {
      send_to_bridge(bridge, bridges_.at(bridge).session.remove({&*outcome.endpoint, 1}), turn);
    }
    return;
  }
  BridgeUse& use = bridges_.at(bridge);
  if (!use.confirmed) {
    use.confirmed = true;
    const auto view = turn.shared.placement.bridge(bridge, turn.now);
    use.row.bridge_session_id = use.session.bridge_session_id();
    use.row.relay_id = view ? view->relay_id.value_or("") : std::string();
    use.row.region = view ? view->region.value_or("") : std::string();
    use.row.version = view ? view->version.value_or("") : std::string();
    use.row.created = true;
    use.row.feedback_sources = to_records(outcome.allocation->feedback);
    turn.persist(use.row);
  }
  relays_.endpoint_added(bridge, participant->endpoint);
  touch_relays(turn);
  turn.shared.placement.confirmed(participant->occupant, turn.now);
  granted_.insert_or_assign(participant->id, std::move(*outcome.allocation));
  apply(*participant, ParticipantEvent::kAllocated, turn, around);
}

void Conference::lost_on(const BridgeJid& bridge, const ColibriOutcome& outcome, Turn& turn,
                         Surroundings& around) {
  for (const EndpointId& endpoint : outcome.lost) {
    Participant* participant = find(endpoint);
    if (participant == nullptr || participant->bridge != bridge) {
      continue;
    }
    participant->bridge.reset();
    relays_.endpoint_removed(bridge, endpoint);
    turn.persist(op::EndpointRemove{room_jid(), endpoint});
    if (participant->state != ParticipantState::kAllocating) {
      apply(*participant, ParticipantEvent::kBridgeLost, turn, around, TicketKind::kReinvite);
      continue;
    }
    ++turn.counters().allocations_failed;
    if (outcome.kind == ColibriOutcomeKind::kLinkDown ||
        outcome.kind == ColibriOutcomeKind::kServerRefused) {
      turn.shared.placement.left(participant->occupant, turn.now);  // Nobody's failure.
    } else {
      turn.shared.placement.allocation_failed(participant->occupant, turn.now);
    }
    // The same request would get the same answer: not at once, then.
    const bool broken = outcome.kind == ColibriOutcomeKind::kBadRequest ||
                        outcome.kind == ColibriOutcomeKind::kIncompleteAnswer;
    apply(*participant,
          broken ? ParticipantEvent::kAllocationBroken : ParticipantEvent::kAllocationFailed, turn,
          around);
  }
}

void Conference::bridge_lost(const BridgeJid& bridge, bool alive, TicketKind kind, Turn& turn,
                             Surroundings& around) {
  const auto use = bridges_.find(bridge);
  if (use == bridges_.end() || state_ == ConferenceState::kEnded) {
    return;
  }
  const std::vector<EndpointId> endpoints = use->second.session.endpoints();
  ++turn.counters().bridges_removed;
  turn.info("conference.moves", {{"room", room_jid().to_string()},
                                 {"bridge", bridge.to_string()},
                                 {"participants", static_cast<std::int64_t>(endpoints.size())}});
  if (!alive) {
    // It may have lost its connection only, and come back with everybody on it.
    around.cleanup.add(bridge, std::move(use->second.session), BridgeCleanup::Pace::kPaced, turn);
    forget_bridge(bridge, turn);
  }
  for (const EndpointId& endpoint : endpoints) {
    Participant* participant = find(endpoint);
    if (participant == nullptr || participant->bridge != bridge) {
      continue;
    }
    if (participant->state == ParticipantState::kAllocating) {
      turn.shared.placement.allocation_failed(participant->occupant, turn.now);
      drop_endpoint(*participant, turn);
    } else if (!alive) {
      participant->bridge.reset();
    }
    apply(*participant, ParticipantEvent::kBridgeLost, turn, around, kind);
  }
}

void Conference::probe_bridges(Turn& turn) {
  // An earlier process may have stored a change and died before it could tell the bridge.
  const bool all = std::exchange(restored_, false);
  for (auto& [id, participant] : participants_) {
    const bool untold = std::exchange(participant.is_bridge_untold, false);
    if ((all || untold) && participant.state == ParticipantState::kActive) {
      tell_bridge(participant,
                  {.id = participant.endpoint,
                   .transport = read_transport(participant.transport),
                   .sources = sources_.snapshot(participant.endpoint).sources()},
                  turn);
    }
  }
  for (auto& [bridge, use] : bridges_) {
    send_to_bridge(bridge, use.session.probe(), turn);
  }
  touch_relays(turn);
}

void Conference::forget_bridge(const BridgeJid& bridge, Turn& turn) {
  if (bridges_.erase(bridge) > 0) {
    relays_.forget(bridge);
    relays_stale_ = true;
    touch_relays(turn);
    turn.persist(op::BridgeSessionRemove{room_jid(), bridge});
    publish_soon(turn);
  }
}

void Conference::release_if_unused(const BridgeJid& bridge, Turn& turn) {
  const auto use = bridges_.find(bridge);
  if (use != bridges_.end() && use->second.session.is_idle()) {
    forget_bridge(bridge, turn);
  }
}

void Conference::expire_all(BridgeCleanup::Pace pace, Turn& turn, Surroundings& around) {
  auto bridges = std::exchange(bridges_, {});
  relays_.clear();
  for (auto& [bridge, use] : bridges) {
    around.cleanup.add(bridge, std::move(use.session), pace, turn);
  }
}

/// What a lost link or a silent bridge left undone is done when the bridge can be asked again.
void Conference::tidy_bridges(Turn& turn) {
  for (auto& [bridge, use] : bridges_) {
    if (use.session.owes_cleanup() && BridgeCleanup::can_ask(bridge, turn)) {
      send_to_bridge(bridge, use.session.clean_up(), turn);
    }
  }
}

void Conference::arm_bridge_timer(Turn& turn) {
  for (const auto& [bridge, use] : bridges_) {
    if (use.session.owes_cleanup()) {
      const Duration spread = turn.jitter(BridgeCleanup::kRetry / 2);
      turn.shared.deadlines.set_no_later(timer(TimerKind::kBridgeRetry),
                                         turn.now.mono + BridgeCleanup::kRetry / 2 + spread);
    }
    if (const auto due = use.session.next_deadline()) {
      turn.shared.deadlines.set_no_later(timer(TimerKind::kBridgeRetry), *due);
    }
  }
}

void Conference::check_invariants() const {
  BASCULE_CHECK(participants_.size() == by_endpoint_.size());
  std::size_t accepted = 0;
  std::size_t invitable = 0;
  std::size_t owners = 0;
  SenderCount senders;
  for (const auto& [id, participant] : participants_) {
    BASCULE_CHECK(by_endpoint_.at(participant.endpoint) == id);
    BASCULE_CHECK(participant.state != ParticipantState::kGone);
    BASCULE_CHECK(has_session(participant.state) == participant.jingle.is_open());
    if (participant.bridge) {
      BASCULE_CHECK(bridges_.contains(*participant.bridge));
    }
    BASCULE_CHECK(participant.state != ParticipantState::kAllocating || participant.bridge);
    accepted += participant.state == ParticipantState::kActive ? 1U : 0U;
    invitable += participant.is_invitable() ? 1U : 0U;
    owners += participant.owner ? 1U : 0U;
    senders.audio += participant.audio_muted ? 0U : 1U;
    senders.video += participant.video_muted ? 0U : 1U;
  }
  BASCULE_CHECK(accepted == accepted_ && invitable == invitable_ && owners == owners_);
  BASCULE_CHECK(senders == senders_);
  for (const auto& [endpoint, snapshot] : sources_.owners()) {
    BASCULE_CHECK(by_endpoint_.contains(endpoint));
  }
  sources_.check_invariants();
  check_relays();
}

}  // namespace bascule::focus
