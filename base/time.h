#pragma once

#include <chrono>
#include <cstdint>

namespace bascule {

/// A clock without `now()`: only the daemon and the simulator can mint a time point, so core code
/// cannot read the time behind the back of its caller.
template <class Tag, bool Steady>
struct Clock {
  using rep = std::int64_t;
  using period = std::micro;
  using duration = std::chrono::duration<rep, period>;
  using time_point = std::chrono::time_point<Clock>;
  static constexpr bool is_steady = Steady;
};

using Duration = std::chrono::duration<std::int64_t, std::micro>;
/// Monotonic, since boot (CLOCK_BOOTTIME in the shell); for every decision.
using Instant = Clock<struct MonotonicTag, true>::time_point;
/// UTC since the Unix epoch; for records and people only.
using WallTime = Clock<struct WallTag, false>::time_point;

/// Both clocks, read once per event.
struct Now {
  Instant mono;
  WallTime wall;
};

}  // namespace bascule
