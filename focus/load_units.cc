#include "focus/load_units.h"

#include "base/check.h"

namespace bascule::focus {
namespace {

constexpr std::int64_t kSetupMs = 1000;  // ICE and DTLS before the first media packet.

std::int64_t to_ms(Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

/// Integral of the load from its placement to `age_ms`, times 2 * ramp: (age-setup)^2 while it
/// rises, then a straight line. In ms^2; the scale keeps it an integer.
std::int64_t doubled_integral(std::int64_t age_ms, std::int64_t ramp_ms) {
  const std::int64_t active = age_ms - kSetupMs;
  if (active <= 0) {
    return 0;
  }
  if (active < ramp_ms) {
    return active * active;
  }
  return ramp_ms * ramp_ms + 2 * ramp_ms * (active - ramp_ms);
}

}  // namespace

std::int64_t visible_join_share(Duration age, Duration ramp, Duration window) {
  // One hour bounds the squares below 2^63; every share is whole long before.
  const std::int64_t age_ms = std::clamp<std::int64_t>(to_ms(age), 0, 3'600'000);
  const std::int64_t ramp_ms = std::max<std::int64_t>(to_ms(ramp), 1);
  const std::int64_t window_ms = to_ms(window);
  BASCULE_CHECK(window_ms >= 1);
  const std::int64_t seen =
      doubled_integral(age_ms, ramp_ms) - doubled_integral(age_ms - window_ms, ramp_ms);
  const std::int64_t whole = 2 * ramp_ms * window_ms;
  return std::min(kWholeShare, (seen * kWholeShare + whole / 2) / whole);
}

std::int64_t visible_leave_share(Duration age, Duration window) {
  const std::int64_t window_ms = to_ms(window);
  BASCULE_CHECK(window_ms >= 1);
  const std::int64_t age_ms = std::clamp<std::int64_t>(to_ms(age), 0, window_ms);
  return age_ms * kWholeShare / window_ms;
}

std::int64_t faded_share(Duration age, Duration decay) {
  const std::int64_t decay_s = decay / std::chrono::seconds{1};
  BASCULE_CHECK(decay_s >= 1);
  std::int64_t exponent = std::max<std::int64_t>(age / std::chrono::seconds{1}, 0);
  if (exponent >= decay_s * 16) {
    return 0;  // Below the last bit.
  }
  // (1 - 1/d + 1/(2 d^2) - 1/(6 d^3) + ...) ^ exponent by squaring, in 1/2^30.
  constexpr std::int64_t kOne = std::int64_t{1} << 30U;
  std::int64_t base = kOne;
  std::int64_t term = kOne;
  for (std::int64_t k = 1; term != 0; ++k) {
    term = -term / (k * decay_s);
    base += term;
  }
  std::int64_t share = kOne;
  while (exponent > 0) {
    if ((exponent & 1) != 0) {
      share = share * base / kOne;
    }
    base = base * base / kOne;
    exponent /= 2;
  }
  return (share * kWholeShare + kOne / 2) / kOne;
}

}  // namespace bascule::focus
