// What earlier processes left: conferences to go on with, bridges to ask about them, and
// conferences that are left out because processes die of them, with their way back (ADR 0017).

#include <utility>

#include "focus/focus_impl.h"

namespace bascule::focus {
namespace {

constexpr TimerKey kGraceTimer{TimerKind::kLinkGrace};
constexpr TimerKey kProbeTimer{TimerKind::kProbe};
constexpr Duration kProbeSpacing = std::chrono::milliseconds{20};
constexpr Duration kBreweryAwait = std::chrono::seconds{1};
constexpr TimerKey kQuarantineTimer{TimerKind::kQuarantine};
constexpr Duration kReleaseRetry = std::chrono::seconds{1};
constexpr Duration kBridgesForget = std::chrono::seconds{2};

/// People and the rules of the room; nothing of their sessions, except how to end them.
ConferenceRow without_sessions(const ConferenceRow& row) {
  ConferenceRow bare;
  bare.identity = row.identity;
  bare.moderation = row.moderation;
  for (const auto& [endpoint, member] : row.participants) {
    ParticipantRow& kept = bare.participants[endpoint];
    kept.identity = member.identity;
    kept.jingle = member.jingle;
    if (kept.jingle) {
      kept.jingle->state = JingleState::kEnded;
    }
  }
  return bare;
}

}  // namespace

void Focus::Impl::restore(const Restored& restored, Turn& turn) {
  memory_.restore(restored, turn);  // First: who is placed below was placed on known bridges.
  orders_.restore(restored.tables, turn);
  brewery_.restore(restored.reports, turn);
  hold_back(restored, turn);
  for (const auto& [room, row] : restored.tables.conferences) {
    if (quarantine_.holds(room)) {
      continue;
    }
    conferences_.create(room, row.identity.properties, sid_secret_, turn).restore(row, turn);
    for (const auto& [bridge, session] : row.bridge_sessions) {
      brewery_.expect(bridge, turn);
    }
  }
  if (conferences_.size() + quarantine_.size() > 0) {
    turn.set_timer(kGraceTimer, turn.options().link_grace);
  }
}

void Focus::Impl::probe_next(Turn& turn) {
  if (!brewery_.is_in()) {
    turn.set_timer(kProbeTimer, kBreweryAwait);
    return;
  }
  if (Conference* conference = conferences_.after(probed_)) {
    probed_ = conference->id();
    conference->probe_bridges(turn);
    turn.set_timer(kProbeTimer, kProbeSpacing);
  }
}

void Focus::Impl::hold_back(const Restored& restored, Turn& turn) {
  for (const auto& [room, until] : restored.poisoned) {
    const auto row = restored.tables.conferences.find(room);
    const bool is_known = row != restored.tables.conferences.end();
    const auto people = is_known ? row->second.participants.size() : std::size_t{0};
    quarantine_.hold(room,
                     {.until = until, .row = is_known ? std::optional(row->second) : std::nullopt});
    ++turn.counters().conferences_poisoned;
    turn.error("conference.poisoned", {{"room", room.to_string()},
                                       {"for", until - turn.now.mono},
                                       {"participants", static_cast<std::int64_t>(people)}});
  }
  arm_quarantine(turn);
}

void Focus::Impl::arm_quarantine(Turn& turn) {
  if (const auto due = quarantine_.next_deadline()) {
    turn.shared.deadlines.set(kQuarantineTimer, *due);
  }
}

void Focus::Impl::release_quarantine(Turn& turn) {
  if (!turn.shared.is_up(StreamId::kClient)) {
    turn.set_timer(kQuarantineTimer, kReleaseRetry);  // Nobody could be told anything.
    return;
  }
  while (const auto due = quarantine_.take_due(turn.now.mono)) {
    const auto& [room, held] = *due;
    if (held.row) {
      forget_stored(room, *held.row, turn);
      const ConferenceRow bare = without_sessions(*held.row);
      store(room, bare, turn);
      if (!held.row->bridge_sessions.empty()) {
        // A bridge loses what comes before it is done with the end of the meeting (Jitsi
        // Videobridge: Conference.java), and the meeting may well come to the same bridge again.
        quarantine_.hold(room, {.until = turn.now.mono + kBridgesForget, .row = bare});
        continue;
      }
      adopt(room, bare, turn);
    }
    turn.info("conference.released", {{"room", room.to_string()}});
  }
  arm_quarantine(turn);
}

void Focus::Impl::forget_stored(const RoomJid& room, const ConferenceRow& row, Turn& turn) {
  turn.persist(op::ConferenceEnd{room, "poisoned"});
  for (const auto& [bridge, stored] : row.bridge_sessions) {
    ColibriSession session({.meeting_id = stored.meeting_id, .room = room});
    session.restore({}, {}, 0);
    cleanup_.add(bridge, std::move(session), BridgeCleanup::Pace::kPaced, turn);
  }
}

/// The room is entered again, which repeats who is there; they are invited as after the loss of
/// their bridge.
void Focus::Impl::adopt(const RoomJid& room, const ConferenceRow& row, Turn& turn) {
  conferences_.create(room, row.identity.properties, sid_secret_, turn).restore(row, turn);
  conferences_.hurry(room, turn, around_);
}

void Focus::Impl::store(const RoomJid& room, const ConferenceRow& row, Turn& turn) {
  Tables stored;
  stored.conferences.emplace(room, row);
  for (Operation& operation : stored.to_operations()) {
    turn.persist(std::move(operation));
  }
}

void Focus::Impl::give_up_quarantine(Turn& turn) {
  for (const auto& [room, held] : quarantine_.take_all()) {
    if (held.row) {
      forget_stored(room, *held.row, turn);
    }
  }
}

}  // namespace bascule::focus
