#pragma once

#include <cstdint>

#include "base/result.h"
#include "base/time.h"

namespace bascule::focus {

/// How fast new participants may land on one bridge.
struct PlacementLimit {
  Duration interval;    ///< Steady spacing between two placements; 1 us to 1 h.
  std::uint32_t burst;  ///< Placements allowed at once after a quiet spell; 1 to 10 000.
};

/// Paces placements onto one bridge (GCRA, "virtual scheduling" form of ITU-T I.371 Annex A).
///
/// Why: joins cost a bridge more than their steady state (DTLS, key frames), and its next report
/// comes too late to tell. A bridge that is starting, or hot, is paced slower still: its steady
/// spacing is stretched while the tolerance stays.
///
/// Guarantee: any half-open window of length W holds at most burst + W / interval placements.
/// Cost: O(1), no timer. A refusal changes nothing, so callers may ask at any rate.
class PlacementLimiter {
 public:
  /// Errors: kInvalidArgument when a field is outside the range given in PlacementLimit.
  static Result<PlacementLimiter> create(PlacementLimit limit);

  /// The first instant at which a placement conforms; in the past when one conforms already.
  [[nodiscard]] Instant earliest() const { return theoretical_arrival_ - tolerance_; }

  /// How many placements conform at `now`; at most `burst`.
  [[nodiscard]] std::uint32_t available(Instant now) const;

  /// Takes one placement if it conforms at `now`, and spaces the next by `interval` times
  /// `stretch_permille` / 1000 (1000 to 1 000 000). `now` must not run backwards between calls.
  [[nodiscard]] bool try_place(Instant now, std::int64_t stretch_permille = 1000);

  /// Another pace from now on, in the same ranges (interval at most a minute). Placements taken
  /// ahead of time stay taken: as many of them, at the new spacing.
  void set_limit(PlacementLimit limit, Instant now);

 private:
  explicit PlacementLimiter(PlacementLimit limit);

  Duration interval_;
  Duration tolerance_;           // (burst - 1) * interval: how early a placement may come.
  Instant theoretical_arrival_;  // "TAT": when the next one is due if all came evenly spaced.
  Instant last_seen_ = Instant::min();
};

}  // namespace bascule::focus
