#pragma once

#include <algorithm>
#include <cstdint>

#include "base/stress.h"
#include "base/time.h"

namespace bascule::focus {

/// Load that does not depend on the machine, in thousandths of a unit: one unit is one participant
/// of a conference of ten. What a unit costs in stress is learned per bridge (StressLedger).
using Milliunits = std::int64_t;

/// Load of one participant in a conference of `size` people: 0.40 + 0.06 * min(size, 20). Everyone
/// receives more streams as the conference grows, until last-N and the layout end it. Only the
/// shape matters, the learned cost absorbs the scale.
[[nodiscard]] constexpr Milliunits participant_load(std::int64_t size) {
  return 400 + 60 * std::clamp<std::int64_t>(size, 0, 20);
}

/// Load of one visitor, who only receives: 0.30 + 0.05 * min(senders, 20).
[[nodiscard]] constexpr Milliunits visitor_load(std::int64_t senders) {
  return 300 + 50 * std::clamp<std::int64_t>(senders, 0, 20);
}

/// Load of a whole conference of `size` people on one bridge.
[[nodiscard]] constexpr Milliunits conference_load(std::int64_t size) {
  return size * participant_load(size);
}

/// `load` at `per_unit` each, rounded up: for what will be reserved.
[[nodiscard]] constexpr Stress stress_of(Milliunits load, Stress per_unit) {
  const std::int64_t product = load * per_unit.millionths();
  // Division truncates toward zero, which is up for credits already.
  return Stress(product > 0 ? (product + 999) / 1000 : product / 1000);
}

/// Shares in 1/32768.
inline constexpr std::int64_t kWholeShare = 32'768;

/// How much of a load of age `age` the average over the last `window` contains, in 1/32768, when
/// the load starts one second after its placement and rises evenly during `ramp`.
/// `window` >= 1 ms; exact integer arithmetic on milliseconds, rounded to nearest.
[[nodiscard]] std::int64_t visible_join_share(Duration age, Duration ramp, Duration window);

/// The same for load that left: no ramp.
[[nodiscard]] std::int64_t visible_leave_share(Duration age, Duration window);

/// exp(-age / decay) in 1/32768, for whole seconds of `age`; `decay` >= 1 s. Integer arithmetic: a
/// decision must not depend on floating point rounding.
[[nodiscard]] std::int64_t faded_share(Duration age, Duration decay);

}  // namespace bascule::focus
