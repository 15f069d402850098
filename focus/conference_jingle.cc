// What clients ask of us by Jingle, and what the others are told of it.

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"
#include "focus/conference.h"
#include "focus/source_records.h"
#include "xmpp/xml/writer.h"

namespace bascule::focus {
namespace {

/// Receivers told in one turn; the rest follows in the next, so that inputs are not held up.
constexpr std::size_t kReceiversPerTurn = 200;
constexpr Duration kReceiversPause = std::chrono::milliseconds{1};
constexpr Duration kSignalingRetry = std::chrono::milliseconds{200};

template <class... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};
template <class... Handlers>
Overloaded(Handlers...) -> Overloaded<Handlers...>;

IqReply done() {
  return proto::Answer(proto::Empty{});
}

IqReply refused(const SourceError& error, Turn& turn) {
  ++turn.counters().sources_refused.at(static_cast<std::size_t>(error.rule));
  return tl::make_unexpected(to_stanza_error(error));
}

}  // namespace

void Conference::on_jingle(const in::IqRequest& request, const proto::Jingle& jingle, Turn& turn,
                           Surroundings& around) {
  Participant* participant = find(EndpointId(request.from.resource()));
  ++turn.counters().jingle_received.at(static_cast<std::size_t>(jingle.action));
  const bool restarts_ice = jingle.bridge_session && jingle.bridge_session->ice_restart;
  turn.counters().ice_restarts_asked += restarts_ice ? 1U : 0U;
  IqReply reply = tl::make_unexpected(proto::make_unknown_session_error());
  if (participant == nullptr) {
    ++turn.counters().iq_from_strangers;
  } else {
    reply = judge(*participant, jingle, turn, around);
  }
  if (!reply) {
    turn.counters().ice_restarts_failed += restarts_ice ? 1U : 0U;
    ++turn.counters().jingle_refused.at(static_cast<std::size_t>(reply.error().condition));
    turn.counters().jingle_unknown_session += proto::is_unknown_session(reply.error()) ? 1U : 0U;
    turn.debug("jingle.refused",
               {{"room", room_jid().to_string()},
                {"from", request.from.resource()},
                {"action", std::string(proto::to_string(jingle.action))},
                {"error", std::string(proto::to_string(reply.error().condition))}});
  }
  turn.act(
      out::AnswerIq{request.stream, request.to, request.from, request.stanza_id, std::move(reply)});
}

IqReply Conference::judge(Participant& participant, const proto::Jingle& jingle, Turn& turn,
                          Surroundings& around) {
  const bool is_about_sources = jingle.action == proto::JingleAction::kSourceAdd ||
                                jingle.action == proto::JingleAction::kSourceRemove;
  if (is_about_sources && !participant.stale_sid.empty() && jingle.sid == participant.stale_sid) {
    return done();  // It will hear that this session is over, and says all it sends to the next.
  }
  // Also after the bridge is lost: a client that asks for a restart then must not be refused.
  const OfferOptions& offer = turn.options().offer;
  const JingleContext context{.bridge_session_id = participant.bridge_session_id,
                              .audio_senders_full = senders_.audio >= offer.max_audio_senders,
                              .video_senders_full = senders_.video >= offer.max_video_senders,
                              .tells_nothing_new = repeats_accept(participant, jingle)};
  const JingleVerdict verdict = participant.jingle.judge(jingle, context, turn.now.mono);
  return std::visit(
      Overloaded{
          [](const jingle::Acknowledge&) { return done(); },
          [](const jingle::Refuse& refuse) -> IqReply { return tl::make_unexpected(refuse.error); },
          [&](const jingle::Accept& accepted) {
            return accept(participant, accepted, turn, around);
          },
          [&](const jingle::RejectAccept& rejected) -> IqReply {
            persist_jingle(participant, JingleState::kEnded, turn);
            apply(participant, ParticipantEvent::kInviteFailed, turn, around);
            return tl::make_unexpected(rejected.error);
          },
          [&](const jingle::UpdateTransport& update) {
            tell_bridge(participant, {.id = participant.endpoint, .transport = update.transport},
                        turn);
            return done();
          },
          [&](const jingle::AddSources& add) {
            return add_sources(participant, add.sources, turn);
          },
          [&](const jingle::RemoveSources& remove) {
            return remove_sources(participant, remove.sources, turn);
          },
          [&](const jingle::Terminated& over) {
            return terminated(participant, over, turn, around);
          },
          [&](const jingle::RestartIce&) {
            if (participant.bridge && bridges_.contains(*participant.bridge)) {
              send_to_bridge(
                  *participant.bridge,
                  bridges_.at(*participant.bridge).session.restart_ice(participant.endpoint), turn);
            }
            return done();
          },
          [&](const jingle::IceFailed&) {
            ++turn.counters().restarts;
            ++turn.counters().ice_failed;
            count_restart(participant, turn);
            reinvite(participant, turn, around);
            return done();
          }},
      verdict);
}

bool Conference::repeats_accept(const Participant& participant, const proto::Jingle& jingle) const {
  return jingle.action == proto::JingleAction::kSessionAccept &&
         participant.jingle.state() == JingleSession::State::kActive &&
         sources_.has_all(participant.endpoint, proto::collect_sources(jingle.contents));
}

IqReply Conference::accept(Participant& participant, const jingle::Accept& accepted, Turn& turn,
                           Surroundings& around) {
  const SourceSnapshot before = sources_.snapshot(participant.endpoint);
  const auto added = sources_.add(participant.endpoint, accepted.sources);
  if (!added) {
    if (!accepted.again) {
      participant.jingle.reject_accept();
      persist_jingle(participant, JingleState::kEnded, turn);
      apply(participant, ParticipantEvent::kInviteFailed, turn, around);
    }
    return refused(added.error(), turn);
  }
  ++turn.counters().accepted;
  participant.retry_delay.reset();
  participant.transport =
      accepted.transport ? xml::to_string(proto::encode(*accepted.transport)) : std::string();
  participant.no_audit_before =
      std::max(participant.no_audit_before, turn.now.mono + turn.options().audit_source_patience);
  persist_jingle(participant, JingleState::kActive, turn);
  if (!added->empty()) {
    turn.persist(make_sources_add(room_jid(), participant.endpoint, *added));
  }
  apply(participant, ParticipantEvent::kAccepted, turn, around);
  turn.info("invite.accepted",
            {{"room", room_jid().to_string()}, {"endpoint", participant.endpoint.value()}});
  tell_bridge(participant,
              {.id = participant.endpoint,
               .transport = accepted.transport,
               .sources = sources_.snapshot(participant.endpoint).sources(),
               .initial_last_n = accepted.initial_last_n},
              turn);
  if (!added->empty()) {
    sources_changed(participant.endpoint, before, turn);
  }
  tell_sources(signaler_.activate(participant.endpoint, sources_), turn);
  return done();
}

IqReply Conference::add_sources(Participant& participant, const proto::EndpointSources& sources,
                                Turn& turn) {
  const SourceSnapshot before = sources_.snapshot(participant.endpoint);
  const auto added = sources_.add(participant.endpoint, sources);
  if (!added) {
    return refused(added.error(), turn);
  }
  if (!added->empty()) {
    turn.persist(make_sources_add(room_jid(), participant.endpoint, *added));
    tell_bridge(
        participant,
        {.id = participant.endpoint, .sources = sources_.snapshot(participant.endpoint).sources()},
        turn);
    sources_changed(participant.endpoint, before, turn);
  }
  return done();
}

IqReply Conference::remove_sources(Participant& participant, const proto::EndpointSources& sources,
                                   Turn& turn) {
  const SourceSnapshot before = sources_.snapshot(participant.endpoint);
  const auto removed = sources_.remove(
      participant.endpoint,
      participant.recent_sources.what_is_left(sources, before.sources(), turn.now.mono));
  if (!removed) {
    return refused(removed.error(), turn);
  }
  if (!removed->empty()) {
    participant.recent_sources.removed(*removed, turn.now.mono);
    turn.persist(make_sources_remove(room_jid(), participant.endpoint, *removed));
    tell_bridge(
        participant,
        {.id = participant.endpoint, .sources = sources_.snapshot(participant.endpoint).sources()},
        turn);
    sources_changed(participant.endpoint, before, turn);
  }
  return done();
}

/// Many who cannot connect to one bridge say something about it.
void Conference::count_restart(const Participant& participant, Turn& turn) {
  if (participant.bridge &&
      turn.shared.placement.restart_requested(participant.occupant, turn.now)) {
    turn.warn("bridge.ice_failing", {{"bridge", participant.bridge->to_string()}});
  }
}

IqReply Conference::terminated(Participant& participant, const jingle::Terminated& over, Turn& turn,
                               Surroundings& around) {
  persist_jingle(participant, JingleState::kEnded, turn);
  turn.counters().restarts += over.reinvite ? 1U : 0U;
  turn.counters().restarts_limited += over.error ? 1U : 0U;
  turn.info("session.terminated", {{"room", room_jid().to_string()},
                                   {"endpoint", participant.endpoint.value()},
                                   {"reason", std::string(proto::to_string(over.reason.condition))},
                                   {"restart", over.reinvite}});
  if (over.counts_against_bridge) {
    count_restart(participant, turn);
  }
  apply(participant, over.reinvite ? ParticipantEvent::kRestart : ParticipantEvent::kEnded, turn,
        around);
  if (over.error) {
    // Web clients reload now and come back as somebody else. One that stays is not left without
    // media for ever: it is invited again, later.
    turn.set_timer(timer(TimerKind::kInviteRetry, participant),
                   2 * turn.options().restart_interval_min);
    return tl::make_unexpected(*over.error);
  }
  return done();
}

void Conference::tell_bridge(Participant& participant, EndpointUpdate update, Turn& turn) {
  const auto use = participant.bridge ? bridges_.find(*participant.bridge) : bridges_.end();
  if (use != bridges_.end()) {
    send_to_bridge(use->first, use->second.session.update(std::move(update)), turn);
  }
}

void Conference::sources_changed(const EndpointId& owner, const SourceSnapshot& before,
                                 Turn& turn) {
  if (const Participant* sender = find(owner); sender != nullptr && sender->bridge) {
    relays_.endpoint_changed(*sender->bridge, owner);
    touch_relays(turn);
  }
  auto receivers = signaler_.changed(owner, before, participants_.size(), turn.now.mono);
  if (!receivers.empty()) {
    turn.persist(make_sources_pending(room_jid(), owner, before.sources(), std::move(receivers)));
  }
  arm_signaling(turn);
}

void Conference::arm_signaling(Turn& turn) {
  if (const auto due = signaler_.next_deadline()) {
    turn.shared.deadlines.set_no_later(timer(TimerKind::kSourceSignaling), *due);
  }
}

void Conference::signal_due(Turn& turn) {
  // What is said on a broken link is lost; and until a room is entered again, who left it meanwhile
  // is not known, and would be announced.
  const bool outside =
      state_ == ConferenceState::kSuspended || state_ == ConferenceState::kRejoining;
  if (outside || !turn.shared.is_up(StreamId::kClient)) {
    turn.set_timer(timer(TimerKind::kSourceSignaling), kSignalingRetry);
    return;
  }
  tell_sources(signaler_.take_due(sources_, turn.now.mono, kReceiversPerTurn), turn);
  if (const auto due = signaler_.next_deadline()) {
    turn.shared.deadlines.set(timer(TimerKind::kSourceSignaling),
                              std::max(*due, turn.now.mono + kReceiversPause));
  }
}

void Conference::tell_sources(SourceRound round, Turn& turn) {
  if (!round.settled.empty()) {
    // Before the messages: these must not leave while the next process would send them again.
    turn.persist(op::SourcesTold{room_jid(), std::move(round.settled)});
  }
  for (const SourceMessage& message : round.messages) {
    const Participant* receiver = find(message.receiver);
    if (receiver == nullptr || !receiver->jingle.is_open()) {
      continue;
    }
    ++turn.counters().source_messages;
    send_jingle(*receiver, make_jingle(message, receiver->jingle.sid()), IqPurpose::kJingle, turn);
  }
}

}  // namespace bascule::focus
