#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/time.h"
#include "focus/iq_ledger.h"
#include "focus/latency_histogram.h"
#include "focus/participant_state.h"
#include "focus/ticket.h"

namespace bascule::focus {

/// Why somebody who has a session needs another one.
enum class MoveNeed : std::uint8_t {
  kBridgeLost,  ///< Its bridge, or its place there, is gone.
  kWish,        ///< It leaves a bridge that works: drain, relief, room for others.
  kRestart,     ///< The client asked for it.
};
inline constexpr std::size_t kMoveNeedCount = 3;
[[nodiscard]] std::string_view name_of(MoveNeed need);

/// How long those waited whom the focus serves, and the focus for others. From the event that
/// reached the core to the action that left it: what the commit in between takes is in
/// OutputGate::commit_times.
struct Timings {
  LatencyHistogram request_new;    ///< Request to ready=true; the room had to be entered first.
  LatencyHistogram request_known;  ///< The same; the focus was in the room.
  LatencyHistogram invite;         ///< In a room with enough people, to session-initiate.
  LatencyHistogram accept;         ///< session-initiate to session-accept.
  std::array<LatencyHistogram, kMoveNeedCount> move;  ///< The need to session-accept elsewhere.
  std::array<LatencyHistogram, kIqKindCount> iq;      ///< A request of ours to its answer.
  std::array<std::uint64_t, kIqKindCount> iq_timeouts{};
};

/// Since when one participant waits for what comes next. Not stored: a new process does not count
/// who waited already.
class ParticipantClock {
 public:
  /// It is in a room with enough people; the first call since its last invitation counts.
  void wanted(Instant now);
  /// A transition from `before`; `kind` is that of the ticket it leads to, if any.
  void step(ParticipantState before, ParticipantEvent event, const ParticipantStep& taken,
            TicketKind kind, Instant now, Timings& timings);

 private:
  struct Need {
    MoveNeed why;
    Instant since;
  };
  void needs_move(MoveNeed why, Instant now);

  std::optional<Instant> wanted_;
  std::optional<Instant> invited_;
  std::optional<Need> need_;
};

}  // namespace bascule::focus
