#pragma once

#include <cstdint>
#include <iosfwd>
#include <string_view>
#include <vector>

#include <rapidcheck.h>

#include "focus/placement_options.h"

namespace bascule::focus::properties {

/// What happens in a generated history. Every command is meaningful in every state (numbers are
/// taken modulo what there is, or the command does nothing), so that a failing history stays valid
/// when rapidcheck removes parts of it. The simplest ones first: shrinking goes that way.
enum class Happening : std::uint8_t {
  kJoin,         ///< Somebody wants a place.
  kJoinMany,     ///< Several of one room at once.
  kReinvite,     ///< Somebody lost its media.
  kMove,         ///< Somebody has to leave its bridge.
  kFollowMoves,  ///< The moves Placement asked for are enqueued.
  kCancel,       ///< A ticket is withdrawn; perhaps one that is not the latest.
  kConfirmAll,   ///< Bridges answer what is in flight.
  kAllocationFails,
  kLeaves,
  kConferenceEnds,
  kReport,      ///< One bridge reports about what its load is.
  kReportsAll,  ///< All that are there do.
  kWildReport,  ///< Any value, or none, or flags.
  kBridgeLeaves,
  kBridgeFails,
  kBridgeRestarts,
  kSuspect,
  kCordon,
  kStandby,
  kRestartWanted,  ///< Participants of a bridge ask for new sessions.
  kPin,
  kRestore,  ///< A participant of an earlier life.
  kMassDrop,
  kServiceDown,
  kServiceUp,
  kRest,   ///< Time passes, nothing happens.
  kPause,  ///< The process is stopped for a while.
};
inline constexpr std::size_t kHappeningCount = 27;
[[nodiscard]] std::string_view to_string(Happening happening);

struct Command {
  Happening what = Happening::kJoin;
  int room = 0, person = 0, bridge = 0;
  int amount = 0;  ///< 0 to 99: meaning by `what`.
  int pause = 0;   ///< Index into kPauses: time that passes before.
};

/// Before a command; the shortest lets it share its instant with the one before.
inline constexpr std::int64_t kPausesMs[] = {0, 10, 60, 250, 1000, 4000};

struct Setup {
  int seed = 0;
  bool relays = false;
  int strategy = 0;
  int bridges = 1;                ///< 1 to 6.
  int cost = 0;                   ///< Index into costs of a unit.
  bool known_cost = true;         ///< Learned in an earlier life; else measured now.
  bool single_decisions = false;  ///< One per call of `drain`.
  bool regions = false;
  bool narrow = false;  ///< Few tickets fit into the queue, few requests may be open.
};

struct History {
  Setup setup;
  std::vector<Command> commands;
};

std::ostream& operator<<(std::ostream& out, const Command& command);
std::ostream& operator<<(std::ostream& out, const History& history);

/// What histories are about: how often each command comes, in relation to the others.
struct Theme {
  std::vector<std::pair<std::size_t, Happening>> weights;
  bool relays_too = true;
  bool strategies = true;
  bool single_decisions = false;  ///< Always; otherwise sometimes.
  std::size_t longest = 120;
};

/// Joins and leaves, reports, a few of everything else.
[[nodiscard]] Theme everything();
/// Mostly what is named, on top of people coming and going.
[[nodiscard]] Theme mostly(std::vector<Happening> happenings);

[[nodiscard]] rc::Gen<History> histories(const Theme& theme);

/// Options of a history: defaults but for what it is about.
[[nodiscard]] PlacementOptions options_of(const Setup& setup);
/// True stress of one unit on every bridge, millionths.
[[nodiscard]] std::int64_t true_cost(const Setup& setup);

}  // namespace bascule::focus::properties
