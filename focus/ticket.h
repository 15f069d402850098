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

/// One participant waiting for a place. At most one ticket per participant exists.
struct Ticket {
  RoomJid room;
  OccupantJid participant;       ///< Its bare address is `room`.
  std::uint32_t generation = 0;  ///< Grows with every ticket of this participant; stale ones die.
  TicketKind kind = TicketKind::kJoin;
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

/// The rule that made a placement: a closed list for logs and metric labels.
enum class PlacementReason : std::uint8_t {
  kJoin,       ///< The bridge of the conference.
  kPlan,       ///< The bridge reserved for a displaced conference.
  kNew,        ///< Least loaded with room for the whole expected conference, `limit_new`.
  kNewFull,    ///< The same at `limit_join`.
  kNewMax,     ///< The same at `limit_max`; displaced only.
  kSmallNeed,  ///< Room for four people was enough.
  kNoGrowth,   ///< Room for two people was enough, reservations of others ignored.
};
inline constexpr std::size_t kPlacementReasonCount = 7;
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
};
inline constexpr std::size_t kWaitReasonCount = 9;
[[nodiscard]] std::string_view to_string(WaitReason reason);

/// One placement. The load is reserved when the decision exists; end it with `confirmed`,
/// `allocation_failed` or `left`.
struct Decision {
  Ticket ticket;
  BridgeJid bridge;
  PlacementReason reason = PlacementReason::kJoin;
  Stress expected;             ///< Expected stress of the bridge with this participant.
  Duration waited{};           ///< Since `enqueue`.
  std::size_t candidates = 0;  ///< Bridges that passed the filters.

  friend bool operator==(const Decision&, const Decision&) = default;
};

}  // namespace bascule::focus
