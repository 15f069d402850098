// What the audit looks at in one conference, and the repair of what it finds.

#include <algorithm>
#include <utility>

#include "focus/bridge_cleanup.h"
#include "focus/conference.h"

namespace bascule::focus {
namespace {

/// Looked at in one step.
constexpr std::size_t kParticipantsPerStep = 50;
/// Between two restarts of one session by the audit, and how many there are: a client that goes on
/// saying so in spite of them will say so for ever.
constexpr Duration kRestartPause = std::chrono::minutes{1};
constexpr std::uint32_t kRestartsMax = 3;

bool has_name(const std::vector<proto::Source>& sources, const std::string& name) {
  return std::any_of(sources.begin(), sources.end(),
                     [&name](const proto::Source& source) { return source.name == name; });
}

}  // namespace

Conference::Audited Conference::audit(Turn& turn, Surroundings& around) {
  const bool settled = state_ == ConferenceState::kWaiting || state_ == ConferenceState::kActive;
  if (!settled) {
    return Audited::kWholly;
  }
  if (audited_ == ParticipantId(0)) {
    room_.ping(turn);
    audit_bridges(turn);
  }
  auto next = participants_.upper_bound(audited_);
  for (std::size_t i = 0; i < kParticipantsPerStep && next != participants_.end(); ++i) {
    Participant& participant = next->second;
    audited_ = participant.id;
    ++next;
    audit_sources(participant, turn, around);
  }
  if (next != participants_.end()) {
    return Audited::kPartly;
  }
  audited_ = ParticipantId(0);
  return Audited::kWholly;
}

void Conference::audit_bridges(Turn& turn) {
  for (auto& [bridge, use] : bridges_) {
    use.audited.reset();
    if (!BridgeCleanup::can_ask(bridge, turn)) {
      continue;
    }
    const auto requests = use.session.probe();
    if (!requests.empty()) {
      use.audited = requests.back().ticket;
    }
    send_to_bridge(bridge, requests, turn);
  }
}

/// A source that its sender shows to the room as unmuted, and that nobody else knows of: the
/// source-add was lost.
void Conference::audit_sources(Participant& participant, Turn& turn, Surroundings& around) {
  const Instant now = turn.now.mono;
  const Duration patience = turn.options().audit_source_patience;
  const bool may_restart = participant.state == ParticipantState::kActive &&
                           participant.audit_restarts < kRestartsMax &&
                           now >= participant.no_audit_before;
  if (!may_restart) {
    return;
  }
  const SourceSnapshot snapshot = sources_.snapshot(participant.endpoint);
  const proto::EndpointSources& known = snapshot.sources();
  for (const auto& [name, since] : participant.unmuted_since) {
    const bool is_full = is_audio_source(name)
                             ? senders_.audio >= turn.options().offer.max_audio_senders
                             : senders_.video >= turn.options().offer.max_video_senders;
    const bool is_known = has_name(known.audio, name) || has_name(known.video, name);
    // While there are more senders than allowed a source may have been refused for that.
    if (is_known || is_full || now - since < patience) {
      continue;
    }
    ++participant.audit_restarts;
    participant.no_audit_before = now + kRestartPause;
    ++turn.counters().audit_repaired_sources;
    turn.warn("audit.repaired", {{"room", room_jid().to_string()},
                                 {"kind", std::string("sources")},
                                 {"endpoint", participant.endpoint.value()},
                                 {"source", name}});
    reinvite(participant, turn, around);
    return;
  }
}

/// The answer to the ping of our own place in the room (XEP-0410).
void Conference::on_self_ping(const IqNote& note, const IqOutcome& outcome, Turn& turn,
                              Surroundings& around) {
  const auto* error = outcome ? nullptr : std::get_if<proto::StanzaError>(&outcome.error());
  const bool is_out = error != nullptr && (error->condition == proto::Condition::kNotAcceptable ||
                                           error->condition == proto::Condition::kItemNotFound);
  if (!is_out || !room_.is_current(note)) {
    return;
  }
  ++turn.counters().audit_repaired_rooms;
  turn.warn("audit.repaired", {{"room", room_jid().to_string()}, {"kind", std::string("room")}});
  suspend(turn);
  reenter(turn, around);
}

void Conference::on_audited(BridgeUse& use, const IqNote& note, const ColibriOutcome& outcome,
                            Turn& turn) const {
  if (use.audited != ColibriTicket(note.generation)) {
    return;
  }
  use.audited.reset();
  if (outcome.lost.empty() || !reaches_bridge(outcome.kind) ||
      outcome.kind == ColibriOutcomeKind::kTimeout) {
    return;
  }
  ++turn.counters().audit_repaired_bridges;
  turn.warn("audit.repaired", {{"room", room_jid().to_string()},
                               {"kind", std::string("bridge")},
                               {"bridge", note.bridge.to_string()},
                               {"participants", static_cast<std::int64_t>(outcome.lost.size())}});
}

}  // namespace bascule::focus
