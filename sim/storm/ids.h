#pragma once

#include <chrono>
#include <cstdint>

#include "base/time.h"

namespace bascule::sim::storm {

// Everything in a run is an index into arrays made at its start.
using BridgeId = std::uint32_t;
using RoomId = std::uint32_t;
using PersonId = std::uint32_t;

/// Steps of the truth model since the end of the warm phase; negative during it.
using Step = std::int64_t;
inline constexpr Duration kStep = std::chrono::milliseconds{100};
inline constexpr double kStepSeconds = 0.1;

/// Since the end of the warm phase.
[[nodiscard]] constexpr Duration time_of(Step step) {
  return step * kStep;
}
[[nodiscard]] constexpr double seconds(Duration duration) {
  return static_cast<double>(duration.count()) / 1e6;
}
[[nodiscard]] constexpr Duration from_seconds(double value) {
  return Duration{static_cast<std::int64_t>(value * 1e6)};
}
/// The first step that begins at or after `time`, which is not negative.
[[nodiscard]] constexpr Step step_after(Duration time) {
  return (time + kStep - Duration{1}) / kStep;
}

}  // namespace bascule::sim::storm
