#pragma once

#include <cstdint>
#include <string_view>

namespace bascule::focus {

/// Where one member of a room stands on its way to media (one MUC stay of one occupant).
enum class ParticipantState : std::uint8_t {
  kDiscovering,  ///< Its features are being asked for.
  kWaiting,      ///< No session wanted: too few members.
  kQueued,       ///< Has a ticket in the placement queue and no session.
  kAllocating,   ///< Placed; the bridge has not answered yet. No session.
  kInviting,     ///< session-initiate is sent and not accepted yet.
  kActive,       ///< session-accept arrived.
  kMoving,       ///< Its bridge is lost: keeps its session until its ticket is served.
  kBackoff,      ///< The invitation failed; invited again when the retry timer fires.
  kDetached,     ///< Ended its session itself; a member without media.
  kGone,         ///< Left the room.
};
inline constexpr std::size_t kParticipantStateCount = 10;

enum class ParticipantEvent : std::uint8_t {
  kDiscovered,        ///< Features are known or assumed.
  kWanted,            ///< The conference has enough members.
  kUnwanted,          ///< The conference has had one participant for too long.
  kPlaced,            ///< The ticket was served.
  kAllocated,         ///< The bridge has the endpoint.
  kAllocationFailed,  ///< It has not: another placement is needed.
  kAllocationBroken,  ///< It refused what we sent; the same again would be refused again.
  kInviteFailed,      ///< The client refused or did not accept the offer.
  kAccepted,          ///< session-accept.
  kRestart,           ///< The client ended its session and asks for another.
  kEnded,             ///< The client ended its session.
  kBridgeLost,        ///< Its bridge is lost, or it has to leave it.
  kRetryDue,
  kLeft,  ///< Left, was kicked, or the conference ends.
};
inline constexpr std::size_t kParticipantEventCount = 14;

/// What the conference has to do for a transition.
enum class ParticipantEffect : std::uint8_t {
  kNothing,
  kImpossible,  ///< A bug of ours: counted, logged, the state stays.
  kEnqueue,     ///< A ticket for a first or renewed invitation.
  kEnqueueMove,
  kAllocate,        ///< colibri2 create on the bridge placed on.
  kReplace,         ///< session-terminate "moving" first, then as kAllocate.
  kInvite,          ///< session-initiate.
  kActivate,        ///< Give the bridge the transport and everybody else the sources.
  kRequeue,         ///< The placement failed: the ticket goes back to the queue.
  kRetryLater,      ///< Drop session and endpoint, start the retry timer.
  kReleaseEnqueue,  ///< The session is over: drop it and its endpoint, then as kEnqueue.
  kRelease,         ///< Drop ticket, session and endpoint, whichever exist.
  kExpire,          ///< session-terminate "expired" first, then as kRelease.
};

struct ParticipantStep {
  ParticipantState next;
  ParticipantEffect effect;
  friend bool operator==(const ParticipantStep&, const ParticipantStep&) = default;
};

/// The transition table. `=` means that nothing happens; an empty cell is kImpossible.
///
/// |             | Discov- | Queued- | Allocat-| Inviting| Active  | Moving  | Backoff | Detached|
/// |             | ering   | Waiting*| ing     |         |         |         |         |         |
/// |-------------|---------|---------|---------|---------|---------|---------|---------|---------|
/// | Discovered  | Waiting |         |         |         |         |         |         |         |
/// | Wanted      | =       | Queued  | =       | =       | =       | =       | =       | Queued  |
/// | Unwanted    | =       | Waiting | Waiting | Waiting | Waiting | Waiting | Waiting | Waiting |
/// | Placed      |         | Alloc.  |         |         |         | Alloc.  |         |         |
/// | Allocated   |         |         | Inviting|         |         |         |         |         |
/// | Alloc.Failed|         |         | Queued  |         |         |         |         |         |
/// | Alloc.Broken|         |         | Backoff |         |         |         |         |         |
/// | InviteFailed|         |         |         | Backoff | =       | Queued  |         |         |
/// | Accepted    |         |         |         | Active  | =       | =       |         |         |
/// | Restart     |         |         |         | Queued  | Queued  | Queued  |         |         |
/// | Ended       |         |         |         | Detached| Detached| Detached|         |         |
/// | BridgeLost  | =       | =       | Queued  | Moving  | Moving  | =       | =       | =       |
/// | RetryDue    |         |         |         |         |         |         | Queued  |         |
/// | Left        | Gone    | Gone    | Gone    | Gone    | Gone    | Gone    | Gone    | Gone    |
///
/// (*) Placed only in Queued; Wanted is `=` in Queued. In Gone every event is `=`.
[[nodiscard]] ParticipantStep step(ParticipantState state, ParticipantEvent event);

/// Whether a Jingle session exists in this state.
[[nodiscard]] bool has_session(ParticipantState state);
/// Whether a ticket is in the placement queue in this state.
[[nodiscard]] bool has_ticket(ParticipantState state);

/// Names for logs and views: static storage.
[[nodiscard]] std::string_view name_of(ParticipantState state);
[[nodiscard]] std::string_view name_of(ParticipantEvent event);

}  // namespace bascule::focus
