#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/prng.h"
#include "base/time.h"
#include "focus/conference_loads.h"
#include "focus/placement_options.h"
#include "focus/selector.h"
#include "focus/ticket.h"

namespace bascule::focus {

/// What the rules may look at; changes only `prng` and the selector's memory of refusals.
struct RuleContext {
  const PlacementOptions& options;
  const ConferenceLoads& loads;
  const BridgeRegistry& registry;
  Selector& selector;
  Prng& prng;
  Instant now;
  bool fleet_full = false;  ///< Hardly any bridge has room: existing meetings come first.
};

/// One ticket with what the rules need to know.
struct TicketCase {
  const Ticket& ticket;
  const ConferenceLoad& room;
  TicketClass ticket_class = TicketClass::kFirst;
  const Bridge* current = nullptr;   ///< Where the participant is now; only for moves.
  std::vector<const Bridge*> avoid;  ///< Of the ticket, and remembered failures.
  std::size_t waiting_in_room = 1;   ///< Tickets of the room, this one included.
  Duration waited{};
  Bridge* wished = nullptr;           ///< The bridge an operator named; only for moves.
  std::optional<std::string> pinned;  ///< Version the operator wants for the conference.
};

/// Where a ticket goes.
struct Spot {
  Bridge* bridge = nullptr;
  PlacementReason reason = PlacementReason::kJoin;
  Stress limit;
  std::size_t looked_at = 0;
};

/// Why it goes nowhere yet.
struct Wait {
  WaitReason reason = WaitReason::kCapacity;
  bool make_room = false;  ///< Its bridge is full and cannot be split: others may have to move.
};

using RuleVerdict = std::variant<Spot, Wait>;

/// The rules for one ticket (docs/selection.md): its conference's bridge while it fits; another one
/// if the conference may span bridges; the bridge planned for the conference; else, for a first
/// placement, the least loaded with room for everybody expected, then with room for a few. Whoever
/// does not fit waits.
[[nodiscard]] RuleVerdict find_spot(const TicketCase& ticket_case, const RuleContext& context);

/// The order of a Jicofo strategy (jicofo: *SelectionStrategy.kt) under Bascule's limits and pace.
[[nodiscard]] RuleVerdict find_preferred(const TicketCase& ticket_case, Strategy strategy,
                                         const RuleContext& context);

// Shared by both.

/// Room for `size` more people in a conference that has `people`.
[[nodiscard]] constexpr Milliunits need_of(std::int64_t people, std::int64_t size) {
  return size * participant_load(people + size);
}
/// Load the participant adds on `bridge`.
[[nodiscard]] inline Milliunits added_load(const TicketCase& c, const RuleContext& x,
                                           const Bridge& bridge) {
  return x.loads.load_of_join(c.room, bridge, c.ticket.role);
}
/// The participant cannot stay there, or go there: it moves away, an operator empties the bridge,
/// or the bridge is about to exit.
[[nodiscard]] bool must_leave(const TicketCase& c, const Bridge& bridge);
[[nodiscard]] inline bool is_displaced(const TicketCase& c) {
  return c.ticket_class == TicketClass::kDisplaced;
}
/// The regions of the group that `region` is in; itself at least.
[[nodiscard]] std::vector<std::string> region_group(const PlacementOptions& options,
                                                    const std::string& region);
/// The version new bridges of the conference must have; null: any.
[[nodiscard]] const std::string* required_version(const TicketCase& c, const RuleContext& x);
/// Whether another bridge can join those of the conference: all of them have a relay. If not, it
/// stays where it is as without relays.
[[nodiscard]] inline bool can_span(const ConferenceLoad& room) {
  return std::all_of(room.hosts.begin(), room.hosts.end(),
                     [](const auto& host) { return host.bridge->relay_id.has_value(); });
}
[[nodiscard]] std::vector<const Bridge*> bridges_of(const ConferenceLoad& room);
/// Bridges of the conference and those to avoid: not to be chosen as new ones.
[[nodiscard]] std::vector<const Bridge*> taken_bridges(const TicketCase& c);

}  // namespace bascule::focus
