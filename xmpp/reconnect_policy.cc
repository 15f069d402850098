#include "xmpp/reconnect_policy.h"

#include <algorithm>

#include "base/check.h"

namespace bascule::xmpp {
namespace {

/// Uniform in [-20 %, +20 %] of `delay`, in microseconds.
Duration jitter(Duration delay, Prng& prng) {
  const std::int64_t spread = delay.count() / 5;
  const auto offset = prng.below(static_cast<std::uint64_t>(2 * spread + 1));
  return Duration(static_cast<std::int64_t>(offset) - spread);
}

}  // namespace

ReconnectPolicy::ReconnectPolicy(const Options& options) : options_(options), step_(options.first) {
  BASCULE_CHECK(options.first > Duration::zero() && options.first <= options.eager &&
                options.eager <= options.max && options.eager_for >= Duration::zero());
  BASCULE_CHECK(options.conflict > Duration::zero() && options.authentication > Duration::zero() &&
                options.certificate > Duration::zero());
}

Duration ReconnectPolicy::next_delay(DownKind kind, Prng& prng, Duration up_for) {
  if (was_up_ && up_for >= options_.stable_after) {
    step_ = options_.first;
    waited_ = Duration::zero();
  }
  was_up_ = false;
  const Duration step = step_;
  waited_ += step;
  step_ = std::min(step_ * 2, waited_ < options_.eager_for ? options_.eager : options_.max);
  switch (kind) {
    case DownKind::kConflict: {
      const Duration delay = std::max(step, options_.conflict);
      const Duration offset = jitter(delay, prng);
      return delay + (offset < Duration::zero() ? -offset : offset);
    }
    case DownKind::kAuthentication:
      return options_.authentication + jitter(options_.authentication, prng);
    case DownKind::kCertificate:
      return options_.certificate + jitter(options_.certificate, prng);
    case DownKind::kConnection:
    case DownKind::kProtocol:
    case DownKind::kClosedByUs:
      break;
  }
  return step + jitter(step, prng);
}

}  // namespace bascule::xmpp
