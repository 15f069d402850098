#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "base/prng.h"
#include "base/time.h"
#include "focus/conference_loads.h"
#include "focus/placement_options.h"
#include "focus/selector.h"
#include "focus/ticket.h"

namespace bascule::focus {

/// One ticket with what the rules need to know.
struct TicketCase {
  const Ticket& ticket;
  const ConferenceLoad& room;
  const Bridge* current = nullptr;   ///< Where the participant is now; only for moves.
  std::vector<const Bridge*> avoid;  ///< Of the ticket, and remembered failures.
  std::size_t waiting_in_room = 1;   ///< Tickets of the room, this one included.
  Duration waited{};
  bool fleet_full = false;           ///< Hardly any bridge has room: existing meetings come first.
  std::optional<WaitReason> nobody;  ///< Why no bridge takes new conferences, if none does.
};

/// Where a ticket goes.
struct Spot {
  std::size_t candidate;
  PlacementReason reason;
  std::optional<std::int64_t> reserve;  ///< Keep room for a conference of this size.
};

/// The rules for one ticket: its conference's bridge while it fits; else the bridge planned for the
/// conference; else, for a first placement, the least loaded with room for everybody expected,
/// then with room for a few. A conference lives on one bridge; whoever does not fit waits.
/// Changes nothing but `prng` and the selector's memory of refusals.
std::variant<Spot, WaitReason> find_spot(const TicketCase& ticket_case,
                                         const PlacementOptions& options, Selector& selector,
                                         Prng& prng, Instant now);

}  // namespace bascule::focus
