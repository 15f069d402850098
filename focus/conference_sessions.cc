// What a transition of a participant makes necessary: tickets, endpoints, offers, goodbyes.

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "focus/colibri_outcome.h"
#include "focus/conference.h"
#include "focus/offer.h"
#include "focus/source_records.h"

namespace bascule::focus {
void Conference::apply(Participant& participant, ParticipantEvent event, Turn& turn,
                       Surroundings& around, TicketKind kind) {
  const ParticipantState before = participant.state;
  const ParticipantStep taken = step(before, event);
  if (taken.effect == ParticipantEffect::kImpossible) {
    ++turn.counters().bugs;
    turn.error("bug.participant_event", {{"room", room_jid().to_string()},
                                         {"endpoint", participant.endpoint.value()},
                                         {"state", std::string(name_of(before))},
                                         {"event", std::string(name_of(event))}});
    return;
  }
  participant.clock.step(before, event, taken, kind, turn.now.mono, turn.counters().timings);
  participant.state = taken.next;
  accepted_ += taken.next == ParticipantState::kActive ? 1U : 0U;
  accepted_ -= before == ParticipantState::kActive ? 1U : 0U;
  if (before == ParticipantState::kInviting && taken.next != before) {
    turn.clear_timer(timer(TimerKind::kAccept, participant));
  }
  if (taken.next != before) {
    turn.clear_timer(timer(TimerKind::kInviteRetry, participant));
    participant.parked = false;
  }
  perform(participant, taken.effect, kind, turn, around);
}

void Conference::perform(Participant& participant, ParticipantEffect effect, TicketKind kind,
                         Turn& turn, Surroundings& around) {
  switch (effect) {
    case ParticipantEffect::kNothing:
    case ParticipantEffect::kImpossible:
      return;
    case ParticipantEffect::kEnqueue:
    case ParticipantEffect::kEnqueueMove:
      enqueue(participant, kind, turn);
      return;
    case ParticipantEffect::kRequeue:
      enqueue(participant, participant.invited_before ? TicketKind::kReinvite : TicketKind::kJoin,
              turn);
      return;
    case ParticipantEffect::kAllocate:
      allocate(participant, turn, around);
      return;
    case ParticipantEffect::kReplace:
      ++turn.counters().participants_moved;
      end_session(participant, proto::ReasonCondition::kSuccess, "moving", turn);
      drop_sources(participant, Announce::kRemoval, turn);
      drop_endpoint(participant, turn);
      allocate(participant, turn, around);
      return;
    case ParticipantEffect::kInvite:
      invite(participant, turn);
      return;
    case ParticipantEffect::kActivate:
      return;  // Carried out by `accept`, which has what the client sent.
    case ParticipantEffect::kRetryLater:
      release(participant, turn);
      turn.set_timer(timer(TimerKind::kInviteRetry, participant),
                     participant.next_retry_delay(turn.options().invite_retry_initial));
      return;
    case ParticipantEffect::kReleaseEnqueue:
      drop_sources(participant, Announce::kRemoval, turn);
      drop_endpoint(participant, turn);
      enqueue(participant, TicketKind::kReinvite, turn);
      return;
    case ParticipantEffect::kExpire:
      end_session(participant, proto::ReasonCondition::kExpired, "Idle session timeout", turn);
      release(participant, turn);
      return;
    case ParticipantEffect::kRelease:
      release(participant, turn);
      return;
  }
  check_failed("effect is one of ParticipantEffect", __FILE__, __LINE__);
}

void Conference::enqueue(Participant& participant, TicketKind kind, Turn& turn) {
  const Ticket ticket = participant.make_ticket(room_jid(), kind);
  const auto outcome = turn.shared.placement.enqueue(ticket, turn.now);
  participant.parked = !outcome;
  if (!outcome) {
    // The queue is full. Nobody is harmed by waiting; ask again later.
    turn.debug("ticket.refused", {{"room", room_jid().to_string()},
                                  {"endpoint", participant.endpoint.value()},
                                  {"error", outcome.error().what}});
    turn.set_timer(timer(TimerKind::kInviteRetry, participant),
                   participant.next_retry_delay(turn.options().invite_retry_initial));
  }
}

void Conference::move_wanted(const Move& move, Turn& turn, Surroundings& around) {
  Participant* participant = find(EndpointId(move.participant.jid().resource()));
  const bool there = state_ == ConferenceState::kActive && participant != nullptr &&
                     participant->bridge == move.from &&
                     participant->state != ParticipantState::kAllocating;
  if (!there) {
    ++turn.counters().answers_late;
    return;
  }
  turn.info("participant.moves", {{"room", room_jid().to_string()},
                                  {"endpoint", participant->endpoint.value()},
                                  {"bridge", move.from.to_string()},
                                  {"cause", std::string(to_string(move.cause))}});
  // The session, and the place, are kept until there is another.
  apply(*participant, ParticipantEvent::kBridgeLost, turn, around, TicketKind::kMove);
}

void Conference::placed(const Decision& decision, const DecisionRecord& record, Turn& turn,
                        Surroundings& around) {
  Participant* participant = find(EndpointId(decision.ticket.participant.jid().resource()));
  if (participant == nullptr || !has_ticket(participant->state) ||
      participant->ticket_generation != decision.ticket.generation) {
    ++turn.counters().answers_late;
    turn.shared.placement.left(decision.ticket.participant, turn.now);
    return;
  }
  if (!turn.shared.is_up(StreamId::kClient)) {
    // It could not be told. It keeps what it has and asks again when the link is back.
    turn.shared.placement.left(participant->occupant, turn.now);
    participant->parked = true;
    turn.set_timer(timer(TimerKind::kInviteRetry, *participant),
                   turn.options().invite_retry_initial);
    return;
  }
  ++turn.counters().placements;
  turn.counters().moves += decision.ticket.kind == TicketKind::kJoin ? 0 : 1;
  const CandidateFigures seen =
      record.figures.empty() ? CandidateFigures{} : record.figures.front();
  turn.info("bridge.placed", {{"room", room_jid().to_string()},
                              {"endpoint", participant->endpoint.value()},
                              {"bridge", decision.bridge.to_string()},
                              {"reason", std::string(to_string(decision.reason))},
                              {"class", std::string(to_string(record.ticket_class))},
                              {"expected", seen.expected.millionths()},
                              {"limit", record.limit.millionths()},
                              {"reported", seen.reported.millionths()},
                              {"unaccounted", seen.unaccounted},
                              {"load", seen.load},
                              {"cost", seen.cost_per_unit.millionths()},
                              {"growth", seen.reserved.millionths()},
                              {"candidates", static_cast<std::int64_t>(record.open_bridges)},
                              {"waited", record.waited}});
  participant->next_bridge = decision.bridge;
  apply(*participant, ParticipantEvent::kPlaced, turn, around);
}

void Conference::allocate(Participant& participant, Turn& turn, Surroundings& around) {
  BASCULE_CHECK(participant.next_bridge.has_value());
  const BridgeJid bridge = *std::exchange(participant.next_bridge, std::nullopt);
  const OfferOptions& offer = turn.options().offer;
  EndpointRequest request;
  request.id = participant.endpoint;
  request.stats_id = participant.stats_id;
  request.media = make_colibri_media(make_contents(offer, participant.features));
  request.sctp = offers_data(offer, participant.features);
  request.ssrc_rewriting = uses_ssrc_rewriting(offer, participant.features);
  request.rtp_mid_demux = uses_rtp_mid_demux(offer, participant.features);
  BridgeUse& use = use_of(bridge, turn, around);
  participant.bridge = bridge;
  participant.force_mute = forbidden_to(participant);
  request.force_mute = participant.force_mute;
  persist_endpoint(participant, turn);
  if (relays_stale_) {
    settle_relays(turn);
  }
  send_relays(relays_.clear_way(bridge, participant.endpoint), turn);
  const auto requests = use.session.allocate(std::move(request));
  if (!requests) {
    turn.warn("bridge.not_asked", {{"room", room_jid().to_string()},
                                   {"bridge", bridge.to_string()},
                                   {"error", requests.error().what}});
    apply(participant, ParticipantEvent::kAllocationBroken, turn, around);
    return;
  }
  send_to_bridge(bridge, *requests, turn);
}

proto::Jingle Conference::make_offer(Participant& participant, const Allocation& allocation,
                                     const BridgeUse& use, Turn& turn) {
  const OfferOptions& offer = turn.options().offer;
  const auto view = turn.shared.placement.bridge(*participant.bridge, turn.now);
  return make_session_initiate({.options = offer,
                                .features = participant.features,
                                .endpoint = participant.endpoint,
                                .sid = participant.jingle.sid(),
                                .initiator = turn.shared.client_jid,
                                .allocation = allocation,
                                .sources = sources_,
                                .bridge_session_id = use.session.bridge_session_id(),
                                .bridge_region = view ? view->region : std::nullopt,
                                .start_muted = start_muted(participant, offer)});
}

void Conference::invite(Participant& participant, Turn& turn) {
  const auto granted = granted_.extract(participant.id);
  BASCULE_CHECK(!granted.empty() && participant.bridge.has_value());
  const OfferOptions& offer = turn.options().offer;
  if (!participant.stale_sid.empty()) {
    send_jingle(participant,
                make_session_terminate(std::exchange(participant.stale_sid, {}),
                                       proto::ReasonCondition::kSuccess, "moving"),
                IqPurpose::kJingle, turn);
  }
  const std::uint32_t generation = participant.jingle.next_generation();
  participant.jingle.invite(make_sid(sid_secret_, meeting_id_, participant.endpoint, generation),
                            turn.now.mono);
  participant.bridge_session_id = bridges_.at(*participant.bridge).session.bridge_session_id();
  proto::Jingle jingle =
      make_offer(participant, granted.mapped(), bridges_.at(*participant.bridge), turn);
  signaler_.offered(participant.endpoint,
                    {.filter = source_filter(offer, participant.features),
                     .json = uses_json_sources(offer, participant.features),
                     .ssrc_rewriting = uses_ssrc_rewriting(offer, participant.features)});
  participant.invited_before = true;
  participant.transport.clear();
  ++turn.counters().invites;
  persist_jingle(participant, JingleState::kPending, turn);
  turn.set_timer(timer(TimerKind::kAccept, participant), turn.options().accept_timeout);
  send_jingle(participant, std::move(jingle), IqPurpose::kInvite, turn);
}

void Conference::on_invite_answer(Participant& participant, const IqNote& note,
                                  const IqOutcome& outcome, Turn& turn, Surroundings& around) {
  const bool current =
      participant.jingle.is_open() && note.generation == participant.jingle.generation();
  if (!current) {
    ++turn.counters().answers_late;
    return;
  }
  if (outcome) {
    return;
  }
  const auto* own = std::get_if<Error>(&outcome.error());
  if (own != nullptr && own->code == Errc::kTimeout) {
    return;  // Slow clients in big rooms: what counts is session-accept, which has its own timer.
  }
  if (participant.jingle.state() == JingleSession::State::kActive) {
    ++turn.counters().answers_late;  // It has accepted: what it says of the offer is of the past.
    return;
  }
  if (is_link_down(outcome.error())) {
    participant.stale_sid = participant.jingle.sid();  // It may have arrived.
  }
  if (const auto* error = std::get_if<proto::StanzaError>(&outcome.error());
      error != nullptr && error->condition == proto::Condition::kNotAcceptable) {
    room_.ping(turn);  // No client says so: perhaps the room has lost us, see Audit.
  }
  ++turn.counters().invites_refused;
  turn.info("invite.refused", {{"room", room_jid().to_string()},
                               {"endpoint", participant.endpoint.value()},
                               {"error", describe(outcome.error())}});
  end_session(participant, proto::ReasonCondition::kGeneralError, "jingle session failed", turn);
  apply(participant, ParticipantEvent::kInviteFailed, turn, around);
}

void Conference::on_participant_timer(Participant& participant, TimerKind kind, Turn& turn,
                                      Surroundings& around) {
  const bool link_up = turn.shared.is_up(StreamId::kClient);
  if (kind == TimerKind::kAccept) {
    if (participant.state != ParticipantState::kInviting) {
      return;
    }
    if (!link_up) {
      turn.set_timer(timer(kind, participant), turn.options().accept_timeout);
      return;
    }
    ++turn.counters().accept_timeouts;
    turn.info("invite.not_accepted",
              {{"room", room_jid().to_string()}, {"endpoint", participant.endpoint.value()}});
    end_session(participant, proto::ReasonCondition::kExpired, "session-accept timeout", turn);
    apply(participant, ParticipantEvent::kInviteFailed, turn, around);
  } else if (kind == TimerKind::kInviteRetry) {
    if (!link_up) {
      turn.set_timer(timer(kind, participant), turn.options().invite_retry_initial);
    } else if (participant.parked) {
      enqueue(participant, participant.invited_before ? TicketKind::kReinvite : TicketKind::kJoin,
              turn);
    } else if (state_ != ConferenceState::kActive) {
      apply(participant, ParticipantEvent::kUnwanted, turn, around);
    } else if (participant.state == ParticipantState::kDetached) {
      apply(participant, ParticipantEvent::kWanted, turn, around);
    } else {
      apply(participant, ParticipantEvent::kRetryDue, turn, around);
    }
  }
}

void Conference::end_session(Participant& participant, proto::ReasonCondition reason,
                             std::string text, Turn& turn) {
  auto terminate = participant.jingle.end(reason, std::move(text));
  if (!terminate) {
    return;
  }
  persist_jingle(participant, JingleState::kEnded, turn);
  if (turn.shared.is_up(StreamId::kClient)) {
    send_jingle(participant, std::move(*terminate), IqPurpose::kJingle, turn);
  } else {
    participant.stale_sid = participant.jingle.sid();
  }
}

/// A new session instead of one that is open.
void Conference::reinvite(Participant& participant, Turn& turn, Surroundings& around) {
  end_session(participant, proto::ReasonCondition::kSuccess, "moving", turn);
  apply(participant, ParticipantEvent::kRestart, turn, around);
}

void Conference::drop_endpoint(Participant& participant, Turn& turn) {
  signaler_.session_ended(participant.endpoint);
  granted_.erase(participant.id);
  if (!participant.bridge) {
    return;
  }
  const BridgeJid bridge = *std::exchange(participant.bridge, std::nullopt);
  turn.persist(op::EndpointRemove{room_jid(), participant.endpoint});
  relays_.endpoint_removed(bridge, participant.endpoint);
  touch_relays(turn);
  const auto use = bridges_.find(bridge);
  if (use != bridges_.end()) {
    send_to_bridge(bridge, use->second.session.remove({&participant.endpoint, 1}), turn);
    release_if_unused(bridge, turn);
  }
}

void Conference::drop_sources(Participant& participant, Announce announce, Turn& turn) {
  const SourceSnapshot before = sources_.snapshot(participant.endpoint);
  const auto removed = sources_.remove_owner(participant.endpoint);
  if (announce == Announce::kNothing) {
    signaler_.left(participant.endpoint);
  } else if (!removed.empty()) {
    participant.recent_sources.removed(removed, turn.now.mono);
    turn.persist(make_sources_remove(room_jid(), participant.endpoint, removed));
    sources_changed(participant.endpoint, before, turn);
  }
}

void Conference::release(Participant& participant, Turn& turn) {
  const bool gone = participant.state == ParticipantState::kGone;
  if (gone) {
    participant.jingle.forget();
  }
  turn.shared.placement.left(participant.occupant, turn.now);
  drop_sources(participant, gone ? Announce::kNothing : Announce::kRemoval, turn);
  drop_endpoint(participant, turn);
}

void Conference::send_jingle(const Participant& participant, proto::Jingle jingle,
                             IqPurpose purpose, Turn& turn) {
  ++turn.counters().jingle_sent.at(static_cast<std::size_t>(jingle.action));
  turn.send_iq({.purpose = purpose,
                .stream = StreamId::kClient,
                .conference = id_,
                .participant = participant.id,
                .generation = participant.jingle.generation()},
               participant.occupant.jid(), std::move(jingle));
}

void Conference::persist_jingle(const Participant& participant, JingleState state, Turn& turn) {
  turn.persist(op::JingleSet{.room = room_jid(),
                             .endpoint = participant.endpoint,
                             .sid = participant.jingle.sid(),
                             .generation = participant.jingle.generation(),
                             .state = state,
                             .transport = participant.transport});
}

void Conference::persist_endpoint(const Participant& participant, Turn& turn) {
  turn.persist(op::EndpointSet{.room = room_jid(),
                               .endpoint = participant.endpoint,
                               .bridge = *participant.bridge,
                               .audio_force_muted = participant.force_mute.audio,
                               .video_force_muted = participant.force_mute.video});
}

}  // namespace bascule::focus
