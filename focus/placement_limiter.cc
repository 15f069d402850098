#include "focus/placement_limiter.h"

#include <algorithm>

#include "base/check.h"

namespace bascule::focus {

Result<PlacementLimiter> PlacementLimiter::create(PlacementLimit limit) {
  if (limit.interval <= Duration::zero() || limit.interval > std::chrono::hours{1}) {
    return fail(Errc::kInvalidArgument, "placement interval must be in (0, 1 h]");
  }
  if (limit.burst < 1 || limit.burst > 10'000) {
    return fail(Errc::kInvalidArgument, "placement burst must be in [1, 10000]");
  }
  return PlacementLimiter(limit);
}

PlacementLimiter::PlacementLimiter(PlacementLimit limit)
    : interval_(limit.interval),
      tolerance_(limit.interval * (limit.burst - 1)),
      theoretical_arrival_(Instant::min() + tolerance_) {
}  // earliest() must not underflow.

std::uint32_t PlacementLimiter::available(Instant now) const {
  // Compared, not subtracted, first: the arrival time starts at the minimum.
  if (theoretical_arrival_ <= now) {
    return static_cast<std::uint32_t>(tolerance_ / interval_) + 1;
  }
  const Instant first = earliest();
  return now < first ? 0 : static_cast<std::uint32_t>((now - first) / interval_) + 1;
}

bool PlacementLimiter::try_place(Instant now, std::int64_t stretch_permille) {
  BASCULE_CHECK(now >= last_seen_);
  BASCULE_CHECK(stretch_permille >= 1000 && stretch_permille <= 1'000'000);
  last_seen_ = now;
  if (now < earliest()) {
    return false;
  }
  // Idle time is not saved up beyond `burst`: the schedule restarts from now, never from the past.
  theoretical_arrival_ = std::max(theoretical_arrival_, now) + interval_ * stretch_permille / 1000;
  return true;
}

void PlacementLimiter::set_limit(PlacementLimit limit, Instant now) {
  BASCULE_CHECK(limit.interval > Duration::zero() && limit.interval <= std::chrono::minutes{1});
  BASCULE_CHECK(limit.burst >= 1);
  if (theoretical_arrival_ > now) {
    const std::int64_t ahead = (theoretical_arrival_ - now).count();
    const std::int64_t before = interval_.count();
    theoretical_arrival_ =
        now + limit.interval * (ahead / before) + limit.interval * (ahead % before) / before;
  }
  interval_ = limit.interval;
  tolerance_ = limit.interval * (limit.burst - 1);
  // earliest() must not underflow.
  theoretical_arrival_ = std::max(theoretical_arrival_, Instant::min() + tolerance_);
}

}  // namespace bascule::focus
