#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/jid.h"
#include "base/stress.h"
#include "base/time.h"

namespace bascule::focus {

/// Why a participant needs a place. Every one goes through the same queue.
enum class TicketKind : std::uint8_t {
  kJoin,      ///< First place of a participant.
  kReinvite,  ///< Had media and lost it (its bridge died, or ICE failed): served first.
  kMove,      ///< Still has media on a bridge it has to leave (drain, shutdown, rebalancing).
};
inline constexpr std::size_t kTicketKindCount = 3;
[[nodiscard]] std::string_view to_string(TicketKind kind);

/// How a participant takes part.
enum class Role : std::uint8_t {
  kMember,   ///< Sends and receives.
  kVisitor,  ///< Receives only.
};

/// One participant waiting for a place. At most one ticket per participant exists.
struct Ticket {
  RoomJid room;
  OccupantJid participant;       ///< Its bare address is `room`.
  std::uint32_t generation = 0;  ///< Grows with every ticket of this participant; stale ones die.
  TicketKind kind = TicketKind::kJoin;
  Role role = Role::kMember;
  std::optional<std::string> region;  ///< Preferred, never required.
  std::vector<BridgeJid> avoid;       ///< Avoided when there is another; at most 8.

  friend bool operator==(const Ticket&, const Ticket&) = default;
};

/// Order of service: strict per round, but a waiting ticket never holds up another room.
enum class TicketClass : std::uint8_t {
  kDisplaced,  ///< Lost its media.
  kJoinsLive,  ///< The conference has a bridge.
  kFirst,      ///< First of its conference.
};
inline constexpr std::size_t kTicketClassCount = 3;
[[nodiscard]] std::string_view to_string(TicketClass ticket_class);

/// The rule that made a placement: a closed list for logs and metric labels.
enum class PlacementReason : std::uint8_t {
  kJoin,        ///< A bridge of the conference.
  kJoinLate,    ///< The same, a little above its limit, after a long wait.
  kSplit,       ///< Another bridge for a conference whose own are full.
  kPlan,        ///< The bridge planned for a conference that was displaced, dropped or moves.
  kNew,         ///< Least loaded with room for the whole expected conference, `limit_new`.
  kNewFull,     ///< The same at `limit_join`.
  kNewMax,      ///< The same at `limit_max`; displaced only.
  kSmallNeed,   ///< Room for four people was enough.
  kNoGrowth,    ///< Room for two people was enough, reservations of others ignored.
  kAlone,       ///< An almost idle bridge for a conference that killed others.
  kPreference,  ///< The order of a Jicofo strategy.
  kOrder,       ///< An operator named the bridge.
};
inline constexpr std::size_t kPlacementReasonCount = 12;
[[nodiscard]] std::string_view to_string(PlacementReason reason);

/// Why a ticket still waits; for a filter that left no bridge, which one. A closed list.
enum class WaitReason : std::uint8_t {
  kServiceDown,   ///< The link to the brewery is down.
  kSettling,      ///< The link is new; bridges are still arriving.
  kNoBridge,      ///< Not one bridge is present.
  kAllFailed,     ///< All present ones are unhealthy, suspect or in quarantine.
  kAllDraining,   ///< All working ones are draining, cordoned or shutting down.
  kCapacity,      ///< All suitable ones would exceed their limit.
  kPace,          ///< One fits, but its pace, its window or its open requests forbid it now.
  kRetryWait,     ///< The room failed repeatedly and has to wait.
  kBridgeAbsent,  ///< The conference lives on a bridge that is not present or does not work.
  kVersion,       ///< None of the version that the conference runs or is pinned to.
};
inline constexpr std::size_t kWaitReasonCount = 10;
[[nodiscard]] std::string_view to_string(WaitReason reason);

/// Why a participant should move although its bridge works. A closed list.
enum class MoveCause : std::uint8_t {
  kMakeRoom,  ///< Its whole conference makes room for others.
  kOutgrown,  ///< Its whole conference no longer fits where it is.
  kRelief,    ///< Its bridge is too busy; others of its conference stay.
  kEvacuate,  ///< An operator empties its bridge.
  kOrder,     ///< An operator wants it elsewhere.
};
inline constexpr std::size_t kMoveCauseCount = 5;
[[nodiscard]] std::string_view to_string(MoveCause cause);

/// A wish of Placement: enqueue a kMove ticket for this participant. It keeps its place until the
/// decision.
struct Move {
  RoomJid room;
  OccupantJid participant;
  BridgeJid from;
  MoveCause cause = MoveCause::kMakeRoom;

  friend bool operator==(const Move&, const Move&) = default;
};

/// A bridge as it looked when a decision was made.
struct CandidateFigures {
  BridgeJid bridge;
  Duration report_age{};  ///< Since the last report; negative: none yet.
  Stress reported;        ///< Last sample.
  Stress expected;        ///< Estimate before the placement.
  Stress reserved;        ///< For growth and plans of others.
  Stress cost_per_unit;   ///< Margin included.
  Stress capacity;
  std::int64_t load = 0;         ///< Of ours and others, thousandths of a unit.
  std::int64_t unaccounted = 0;  ///< Of that, what no report can contain yet.
  std::uint32_t in_flight = 0;   ///< Allocations not answered.
  std::uint32_t tokens = 0;      ///< Placements its pace allowed at once.
  bool fits = false;             ///< Below the limit of the deciding rule.

  friend bool operator==(const CandidateFigures&, const CandidateFigures&) = default;
};

/// Bridges told in one decision at most: the chosen one and the least loaded.
inline constexpr std::size_t kFiguresMax = 3;

/// One placement. The load is reserved when the decision exists; end it with `confirmed`,
/// `allocation_failed` or `left`.
struct Decision {
  Ticket ticket;
  BridgeJid bridge;
  PlacementReason reason = PlacementReason::kJoin;
  Stress expected;             ///< Expected stress of the bridge with this participant.
  Stress limit;                ///< What it was not to exceed.
  Duration waited{};           ///< Since `enqueue`.
  std::size_t candidates = 0;  ///< Bridges that take new conferences.

  friend bool operator==(const Decision&, const Decision&) = default;
};

/// A decision with what it rests on, to be explained later.
struct DecisionRecord {
  std::uint64_t number = 0;  ///< Counts decisions of this process.
  Instant at{};
  Ticket ticket;
  TicketClass ticket_class = TicketClass::kFirst;
  std::optional<PlacementReason> reason;  ///< Absent: it had to wait.
  std::optional<WaitReason> wait;         ///< Absent: it was placed.
  BridgeJid bridge;                       ///< Chosen; empty when it had to wait.
  Stress limit;
  Duration waited{};
  std::int64_t people = 0;                ///< Of the conference, before.
  std::size_t open_bridges = 0;           ///< Those that take new conferences.
  std::size_t looked_at = 0;              ///< Of them, in order of load, until one was chosen.
  bool settling = false;                  ///< Limits were lower.
  bool fleet_full = false;                ///< Hardly any bridge had room.
  std::vector<CandidateFigures> figures;  ///< Chosen first; at most kFiguresMax.
};

}  // namespace bascule::focus
