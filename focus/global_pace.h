#pragma once

#include <cstdint>
#include <optional>

#include "base/time.h"
#include "focus/placement_limiter.h"
#include "focus/placement_options.h"

namespace bascule::focus {

/// Paces all placements together, by how fast the XMPP server and the bridges answer.
///
/// Why: every placement is a dozen stanzas, and how many a server carries is not known before. A
/// fixed rate is either too low for a fleet of hundreds of bridges or too high for one server. As
/// TCP does, the rate doubles while answers are quick, is cut when they are slow, and rises in
/// small steps after the first cut.
///
/// Cost: O(1); no timer of its own: `adapt` before every pass.
class GlobalPace {
 public:
  explicit GlobalPace(const PlacementOptions& options);

  void answered(Duration took);
  /// Adapts the rate to the answers since it did so last, every quarter of a second.
  void adapt(Instant now);
  /// Placements per second that all bridges together may take: there is no use in more.
  void set_ceiling(std::int64_t rate) { ceiling_ = rate; }

  [[nodiscard]] std::uint32_t available(Instant now) const { return limiter_.available(now); }
  [[nodiscard]] Instant earliest() const { return limiter_.earliest(); }
  [[nodiscard]] bool try_place(Instant now);
  [[nodiscard]] std::int64_t rate() const { return rate_; }

 private:
  void set_rate(std::int64_t rate, Instant now);

  std::int64_t rate_, rate_min_, ceiling_;
  std::uint32_t burst_;
  Duration good_, bad_;
  PlacementLimiter limiter_;
  std::uint32_t answers_ = 0, quick_ = 0, slow_ = 0;  // Since `counted_since_`.
  std::uint32_t placed_ = 0;
  std::optional<Instant> counted_since_, cut_at_;
};

}  // namespace bascule::focus
