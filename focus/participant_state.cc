#include "focus/participant_state.h"

#include "base/check.h"

namespace bascule::focus {
namespace {

using State = ParticipantState;
using Event = ParticipantEvent;
using Effect = ParticipantEffect;

ParticipantStep stay(State state) {
  return {state, Effect::kNothing};
}
ParticipantStep impossible(State state) {
  return {state, Effect::kImpossible};
}

ParticipantStep on_wanted(State state) {
  switch (state) {
    case State::kWaiting:
    case State::kDetached:
      return {State::kQueued, Effect::kEnqueue};
    case State::kDiscovering:
    case State::kQueued:
    case State::kAllocating:
    case State::kInviting:
    case State::kActive:
    case State::kMoving:
    case State::kBackoff:
    case State::kGone:
      return stay(state);
  }
  check_failed("state is one of ParticipantState", __FILE__, __LINE__);
}

ParticipantStep on_unwanted(State state) {
  switch (state) {
    case State::kInviting:
    case State::kActive:
    case State::kMoving:
      return {State::kWaiting, Effect::kExpire};
    case State::kQueued:
    case State::kAllocating:
    case State::kBackoff:
    case State::kDetached:
      return {State::kWaiting, Effect::kRelease};
    case State::kDiscovering:
    case State::kWaiting:
    case State::kGone:
      return stay(state);
  }
  check_failed("state is one of ParticipantState", __FILE__, __LINE__);
}

ParticipantStep on_bridge_lost(State state) {
  switch (state) {
    case State::kAllocating:
      return {State::kQueued, Effect::kRequeue};
    case State::kInviting:
    case State::kActive:
      return {State::kMoving, Effect::kEnqueueMove};
    case State::kDiscovering:
    case State::kWaiting:
    case State::kQueued:
    case State::kMoving:
    case State::kBackoff:
    case State::kDetached:
    case State::kGone:
      return stay(state);
  }
  check_failed("state is one of ParticipantState", __FILE__, __LINE__);
}

/// Events that only a session can cause: impossible without one.
ParticipantStep on_session_event(State state, Event event) {
  const bool queued_elsewhere = state == State::kMoving;
  if (!has_session(state)) {
    return state == State::kGone ? stay(state) : impossible(state);
  }
  if (event == Event::kAccepted) {
    return state == State::kInviting ? ParticipantStep{State::kActive, Effect::kActivate}
                                     : stay(state);
  }
  if (event == Event::kEnded) {
    return {State::kDetached, Effect::kRelease};
  }
  if (event == Event::kRestart) {
    return {State::kQueued, Effect::kReleaseEnqueue};
  }
  // kInviteFailed: too late to matter once the offer was accepted.
  if (state == State::kActive) {
    return stay(state);
  }
  return queued_elsewhere ? ParticipantStep{State::kQueued, Effect::kReleaseEnqueue}
                          : ParticipantStep{State::kBackoff, Effect::kRetryLater};
}

/// An event with one state it belongs to.
ParticipantStep only_in(State expected, State state, ParticipantStep taken) {
  if (state == expected) {
    return taken;
  }
  return state == State::kGone ? stay(state) : impossible(state);
}

}  // namespace

ParticipantStep step(ParticipantState state, ParticipantEvent event) {
  switch (event) {
    case Event::kDiscovered:
      return only_in(State::kDiscovering, state, {State::kWaiting, Effect::kNothing});
    case Event::kWanted:
      return on_wanted(state);
    case Event::kUnwanted:
      return on_unwanted(state);
    case Event::kPlaced:
      if (state == State::kMoving) {
        return {State::kAllocating, Effect::kReplace};
      }
      return only_in(State::kQueued, state, {State::kAllocating, Effect::kAllocate});
    case Event::kAllocated:
      return only_in(State::kAllocating, state, {State::kInviting, Effect::kInvite});
    case Event::kAllocationFailed:
      return only_in(State::kAllocating, state, {State::kQueued, Effect::kRequeue});
    case Event::kAllocationBroken:
      return only_in(State::kAllocating, state, {State::kBackoff, Effect::kRetryLater});
    case Event::kInviteFailed:
    case Event::kAccepted:
    case Event::kRestart:
    case Event::kEnded:
      return on_session_event(state, event);
    case Event::kBridgeLost:
      return on_bridge_lost(state);
    case Event::kRetryDue:
      return only_in(State::kBackoff, state, {State::kQueued, Effect::kEnqueue});
    case Event::kLeft:
      return {State::kGone, state == State::kGone ? Effect::kNothing : Effect::kRelease};
  }
  check_failed("event is one of ParticipantEvent", __FILE__, __LINE__);
}

bool has_session(ParticipantState state) {
  return state == State::kInviting || state == State::kActive || state == State::kMoving;
}

bool has_ticket(ParticipantState state) {
  return state == State::kQueued || state == State::kMoving;
}

std::string_view name_of(ParticipantState state) {
  switch (state) {
    case State::kDiscovering:
      return "discovering";
    case State::kWaiting:
      return "waiting";
    case State::kQueued:
      return "queued";
    case State::kAllocating:
      return "allocating";
    case State::kInviting:
      return "inviting";
    case State::kActive:
      return "active";
    case State::kMoving:
      return "moving";
    case State::kBackoff:
      return "backoff";
    case State::kDetached:
      return "detached";
    case State::kGone:
      return "gone";
  }
  check_failed("state is one of ParticipantState", __FILE__, __LINE__);
}

std::string_view name_of(ParticipantEvent event) {
  switch (event) {
    case Event::kDiscovered:
      return "discovered";
    case Event::kWanted:
      return "wanted";
    case Event::kUnwanted:
      return "unwanted";
    case Event::kPlaced:
      return "placed";
    case Event::kAllocated:
      return "allocated";
    case Event::kAllocationFailed:
      return "allocation_failed";
    case Event::kAllocationBroken:
      return "allocation_broken";
    case Event::kInviteFailed:
      return "invite_failed";
    case Event::kAccepted:
      return "accepted";
    case Event::kRestart:
      return "restart";
    case Event::kEnded:
      return "ended";
    case Event::kBridgeLost:
      return "bridge_lost";
    case Event::kRetryDue:
      return "retry_due";
    case Event::kLeft:
      return "left";
  }
  check_failed("event is one of ParticipantEvent", __FILE__, __LINE__);
}

}  // namespace bascule::focus
