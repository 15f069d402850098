#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <variant>

#include "base/ids.h"
#include "base/jid.h"
#include "base/time.h"

namespace bascule::focus {

/// An order of an operator that waits for its answer.
using OrderId = Strong<struct OrderIdTag, std::uint64_t>;

/// What operators want changed while the focus runs. Bridges and rooms are whole addresses; who
/// typed a nick has looked it up.
namespace order {

inline constexpr std::size_t kEverybody = std::numeric_limits<std::size_t>::max();

/// Nobody new on the bridge until Undrain, also across restarts. Repeating it changes `evacuate`
/// and `reason`, and is otherwise without effect.
struct Drain {
  BridgeJid bridge;
  bool evacuate = false;  ///< Whoever is there is moved elsewhere, as the queue allows.
  std::string reason;     ///< For people; at most kOrderTextMax bytes.
};
struct Undrain {
  BridgeJid bridge;
};
/// Only bridges of this version for the conference; replaces an earlier pin of it.
struct Pin {
  RoomJid room;
  std::string version;
  Duration for_time{};  ///< 1 s to kPinMax.
};
struct Unpin {
  RoomJid room;
};
/// Asks participants to move; where they get is decided as for everybody, but never where they
/// are, and never beyond the limit of a bridge.
struct Move {
  std::optional<RoomJid> room;         ///< Absent: conferences on `from`, the largest first.
  std::optional<EndpointId> endpoint;  ///< Of that room; absent: everybody.
  std::optional<BridgeJid> from;       ///< Only who is there.
  std::optional<BridgeJid> to;         ///< Preferred while it has room, see Placement::order_move.
  std::size_t people_max = kEverybody;
};
/// Something outside the focus was changed: nothing to do, only to be recorded.
struct Record {
  std::string what;    ///< E.g. `log_level`.
  std::string target;  ///< May be empty.
  std::string before, after;
};

}  // namespace order

using Order = std::variant<order::Drain, order::Undrain, order::Pin, order::Unpin, order::Move,
                           order::Record>;

/// Texts of operators are cut to this many bytes.
inline constexpr std::size_t kOrderTextMax = 500;
inline constexpr Duration kPinMax = std::chrono::hours{24 * 7};

/// What came of an order.
struct OrderDone {
  std::size_t participants = 0;  ///< Asked to move.
  std::size_t conferences = 0;   ///< Of these.
  bool changed = false;          ///< False: it was so already.
  friend bool operator==(const OrderDone&, const OrderDone&) = default;
};

}  // namespace bascule::focus
