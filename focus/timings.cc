#include "focus/timings.h"

#include "base/check.h"

namespace bascule::focus {

std::string_view name_of(MoveNeed need) {
  switch (need) {
    case MoveNeed::kBridgeLost:
      return "bridge_lost";
    case MoveNeed::kWish:
      return "wish";
    case MoveNeed::kRestart:
      return "restart";
  }
  check_failed("need is one of MoveNeed", __FILE__, __LINE__);
}

void ParticipantClock::wanted(Instant now) {
  wanted_ = wanted_.value_or(now);
}

void ParticipantClock::needs_move(MoveNeed why, Instant now) {
  if (!need_) {
    need_ = Need{why, now};
  }
}

void ParticipantClock::step(ParticipantState before, ParticipantEvent event,
                            const ParticipantStep& taken, TicketKind kind, Instant now,
                            Timings& timings) {
  switch (event) {
    case ParticipantEvent::kWanted:
      if (before == ParticipantState::kDiscovering || taken.effect == ParticipantEffect::kEnqueue) {
        wanted(now);
      }
      return;
    case ParticipantEvent::kBridgeLost:
      if (has_session(before)) {
        needs_move(kind == TicketKind::kMove ? MoveNeed::kWish : MoveNeed::kBridgeLost, now);
      }
      return;
    case ParticipantEvent::kRestart:
      needs_move(MoveNeed::kRestart, now);
      return;
    case ParticipantEvent::kAllocated:
      if (taken.effect == ParticipantEffect::kInvite) {
        if (wanted_) {
          timings.invite.record(now - *wanted_);
        }
        wanted_.reset();
        invited_ = now;
      }
      return;
    case ParticipantEvent::kAccepted:
      if (before == ParticipantState::kInviting) {  // Otherwise of a session about to be replaced.
        if (invited_) {
          timings.accept.record(now - *invited_);
        }
        if (need_) {
          timings.move.at(static_cast<std::size_t>(need_->why)).record(now - need_->since);
        }
        *this = {};
      }
      return;
    case ParticipantEvent::kUnwanted:
    case ParticipantEvent::kEnded:
    case ParticipantEvent::kLeft:
      *this = {};
      return;
    case ParticipantEvent::kDiscovered:
    case ParticipantEvent::kPlaced:
    case ParticipantEvent::kAllocationFailed:
    case ParticipantEvent::kAllocationBroken:
    case ParticipantEvent::kInviteFailed:
    case ParticipantEvent::kRetryDue:
      return;  // It goes on waiting for the same.
  }
  check_failed("event is one of ParticipantEvent", __FILE__, __LINE__);
}

}  // namespace bascule::focus
