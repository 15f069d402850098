#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "sim/storm/ids.h"
#include "sim/storm/truth_options.h"

namespace bascule::sim::storm {

enum class ScenarioId : std::uint8_t {
  kS1,
  kS2,
  kS2n,
  kS2c,
  kS3,
  kS4,
  kS4x,
  kS5,
  kS5s,
  kS6,
  kS7,
  kS8,
  kS8n,
  kS10,
  kX1,
  kX2,
  kX3,
  kX4,
  kX5,
  kX6,
  kX7,
  kX8,
  kX9
};

/// What a policy still has after the event.
enum class MemoryKept : std::uint8_t {
  kAlive,    ///< The process runs on.
  kAll,      ///< A new process with everything that is stored.
  kBridges,  ///< The process runs on, but never remembers rooms.
  kNoCosts,  ///< As kBridges, and what was learned about the bridges is lost.
  kNothing,  ///< A new process with an empty store.
};

/// For `dying_permille`.
inline constexpr int kOneBridge = -1;

struct Scenario {
  ScenarioId id;
  std::string_view name;
  std::string_view title;
  double load = 0;      ///< Share of the fleet's capacity used before the event; 0: starts empty.
  Duration duration{};  ///< After the warm phase.
  bool mass_drop = false;               ///< At 0 everybody loses the session ...
  Duration return_from{}, return_to{};  ///< ... and comes back evenly in this time.
  MemoryKept memory = MemoryKept::kAlive;
  int dying_permille = 0;       ///< Share of bridges that die at 0, or kOneBridge.
  Duration blind_until{};       ///< No reports before.
  bool bridges_absent = false;  ///< At 0; most are back with the first people, the rest later.

  // Only in X scenarios.
  std::uint32_t slow_every =
      0;  ///< Every so-maniest bridge takes `slow_answer` to answer; 0: none.
  Duration slow_answer{};
  double server_rate = 0;  ///< At least, like the next two; see `TruthOptions`.
  Duration ghosts{};
  double idle_load = 0;
  int spare_permille = 0;     ///< Share of the bridges that stand by; the load is for the others.
  std::uint32_t regions = 1;  ///< Bridges are dealt out; most people are where their room is.
};

/// The S scenarios; then the X ones, for parts of the core which the S ones do not touch.
[[nodiscard]] const std::vector<Scenario>& scenarios();
[[nodiscard]] const Scenario* find_scenario(std::string_view name);

/// Something of the truth that happens whatever the policy does.
struct ScriptEvent {
  enum class Kind : std::uint8_t {
    kMassDrop,
    kServiceDown,
    kServiceUp,
    kStatsOff,
    kStatsOn,
    kBridgeDies,
    kBridgeAbsent,
    kBridgeBack,
    kJoin,
    kLeave,
  };
  Duration at{};
  Kind kind{};
  std::uint32_t who = 0;  ///< Bridge or person.
};

/// Everything about a run that does not depend on the policy.
struct Script {
  std::vector<std::uint32_t> room_size;  ///< By room.
  std::vector<RoomId> room_of;           ///< By person.
  std::vector<BridgeId> starts_on;       ///< By person, for the first `warm_people` of them.
  std::size_t warm_people = 0;
  std::vector<bool> visitor;            ///< By person; empty: nobody is.
  std::vector<std::uint8_t> region_of;  ///< By person; empty: nobody says.
  std::optional<RoomId> poison;         ///< Kills the bridges it uses.
  std::size_t serving = 0;              ///< Bridges; those with higher indices stand by.
  Duration warm{};                      ///< Length of the warm phase.
  Duration duration{};
  std::vector<ScriptEvent> events;  ///< In order of time.
  /// When the event begins for the people; absent where waiting is not about one event.
  std::optional<Duration> disturbed_at;
};

struct ScriptSetup {
  std::size_t bridges = 200;
  FleetKind fleet = FleetKind::kEqual;
  CostShape shape = CostShape::kStandard;
  std::uint64_t seed = 1;
};
[[nodiscard]] Script make_script(const Scenario& scenario, const ScriptSetup& setup);

}  // namespace bascule::sim::storm
