#pragma once

#include "base/time.h"

namespace bascule::stats {

/// How much a report of a certain age is worth.
enum class Freshness {
  kFresh,   ///< Use as it is.
  kStale,   ///< Keep the value, add what was placed since, place carefully.
  kFailed,  ///< The bridge does not count as alive.
};

/// jitsi-videobridge publishes every 5 s: three missed presences make a report stale.
struct FreshnessLimits {
  Duration stale_after = std::chrono::seconds{15};
  Duration failed_after = std::chrono::seconds{45};
};

/// Class of a report received at `received`. A `received` after `now` counts as fresh: events of
/// one loop turn share one time. Ages come from our monotonic clock only, never from a bridge's.
[[nodiscard]] constexpr Freshness freshness(Instant received, Instant now,
                                            const FreshnessLimits& limits = {}) {
  const Duration age = now - received;
  if (age > limits.failed_after) {
    return Freshness::kFailed;
  }
  return age > limits.stale_after ? Freshness::kStale : Freshness::kFresh;
}

}  // namespace bascule::stats
