#pragma once

#include <cstdint>

#include "base/time.h"

namespace bascule::sim::storm {

/// How much a participant costs by the size k of the conference, in hundredths of a unit.
enum class CostShape : std::uint8_t {
  kStandard,  ///< 0.4 + 0.06 min(k, 20)
  kFlat,      ///< 1
  kSteep,     ///< 0.2 + 0.08 min(k, 30)
};

enum class FleetKind : std::uint8_t {
  kEqual,
  kMixed,  ///< One bridge in four has half the capacity, one in four the double.
};

/// What may differ from deployment to deployment; the defaults are the reference model.
struct TruthOptions {
  CostShape shape = CostShape::kStandard;
  Duration ramp = std::chrono::seconds{15};     ///< From nothing to full load; at least one step.
  Duration sampler = std::chrono::seconds{10};  ///< Averaging window and period of the load gauge.
  Duration publish = std::chrono::seconds{5};   ///< Between two reports of a bridge.
  /// Time a bridge needs to answer an allocation; the policy hears of it that much later.
  Duration answer = std::chrono::milliseconds{50};
  /// After a mass drop a bridge still counts its old endpoints, for this long at most.
  Duration ghosts{};
  double idle_load = 0;  ///< Stress of a bridge without anybody on it.
  /// Placements per second the XMPP server gets through, in order; 0: as many as come.
  double server_rate = 0;
};

/// Stress of one unit on a bridge of ordinary capacity.
inline constexpr double kBaseStress = 0.008;
/// What a CPU gauge reads at most, and what kills a bridge that stays above it.
inline constexpr double kGaugeMax = 1.11;
/// Stress-seconds a join costs an ordinary bridge, spread over its first second.
inline constexpr double kJoinCost = 0.012;

[[nodiscard]] constexpr std::int64_t weight_hundredths(CostShape shape, std::int64_t k) {
  switch (shape) {
    case CostShape::kFlat:
      return 100;
    case CostShape::kSteep:
      return 20 + 8 * (k < 30 ? k : 30);
    case CostShape::kStandard:
      break;
  }
  return 40 + 6 * (k < 20 ? k : 20);
}

/// A visitor receives from `senders` members and sends nothing.
[[nodiscard]] constexpr std::int64_t visitor_weight_hundredths(std::int64_t senders) {
  return 30 + 5 * (senders < 20 ? senders : 20);
}

/// Stress per unit of bridge `index`.
[[nodiscard]] constexpr double base_stress(FleetKind kind, std::uint32_t index) {
  if (kind == FleetKind::kMixed) {
    return index % 4 == 0 ? 2 * kBaseStress : index % 4 == 3 ? kBaseStress / 2 : kBaseStress;
  }
  return kBaseStress;
}

}  // namespace bascule::sim::storm
