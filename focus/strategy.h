#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace bascule::focus {

/// The order in which bridges are preferred. Names are Jicofo's (jicofo: BridgeConfig.kt,
/// `selection-strategy`), so that a deployment can keep its setting.
enum class Strategy : std::uint8_t {
  kBascule,      ///< Least expected load with room for everybody expected (docs/selection.md).
  kSingle,       ///< One bridge per conference: the first one's region, then anywhere.
  kSplit,        ///< A bridge the conference does not have yet; for tests of relays.
  kRegionBased,  ///< The participant's region, then its group, then anywhere.
  kIntraRegion,  ///< The region of the conference's first bridge only, while it has room.
  kVisitor,      ///< Members and visitors on bridges of their own, by a strategy each.
};
inline constexpr std::size_t kStrategyCount = 6;
inline constexpr std::array<std::string_view, kStrategyCount> kStrategyNames = {
    "Bascule",
    "SingleBridgeSelectionStrategy",
    "SplitBridgeSelectionStrategy",
    "RegionBasedBridgeSelectionStrategy",
    "IntraRegionBridgeSelectionStrategy",
    "VisitorSelectionStrategy"};

[[nodiscard]] constexpr std::string_view to_string(Strategy strategy) {
  return kStrategyNames.at(static_cast<std::size_t>(strategy));
}

/// Whether the strategy puts one conference on several bridges when relays are on.
[[nodiscard]] constexpr bool spans_bridges(Strategy strategy) {
  return strategy != Strategy::kSingle;
}

}  // namespace bascule::focus
