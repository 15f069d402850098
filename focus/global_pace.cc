#include "focus/global_pace.h"

#include <algorithm>

#include "base/check.h"

namespace bascule::focus {
namespace {

constexpr Duration kPeriod = std::chrono::milliseconds{250};
constexpr Duration kBetweenCuts = std::chrono::seconds{1};  // Until a cut shows in the answers.
constexpr std::int64_t kStep = 13;                          // 50 per second.
constexpr std::int64_t kCutPermille = 700;
constexpr std::uint32_t kAnswersMin = 10;  // Fewer say nothing about a tenth.

PlacementLimit limit_of(std::int64_t rate, std::uint32_t burst) {
  // A quarter of a second's work at once, so that the rate is reached with coarse calls too.
  const auto quarter = static_cast<std::uint32_t>(std::min<std::int64_t>(rate / 4, 10'000));
  return {.interval = Duration(std::chrono::seconds{1}) / std::max<std::int64_t>(rate, 1),
          .burst = std::max(burst, quarter)};
}

PlacementLimiter make_limiter(const PlacementOptions& options) {
  auto limiter = PlacementLimiter::create(limit_of(options.global_rate, options.global_burst));
  BASCULE_CHECK(limiter.has_value());  // Options are validated where they are read.
  return *limiter;
}

}  // namespace

GlobalPace::GlobalPace(const PlacementOptions& options)
    : rate_(options.global_rate),
      rate_min_(options.global_rate_min),
      ceiling_(options.global_rate),
      burst_(options.global_burst),
      good_(options.latency_good),
      bad_(options.latency_bad),
      limiter_(make_limiter(options)) {
}

void GlobalPace::answered(Duration took) {
  ++answers_;
  quick_ += took < good_ ? 1U : 0U;
  slow_ += took > bad_ ? 1U : 0U;
}

void GlobalPace::adapt(Instant now) {
  if (!counted_since_) {
    counted_since_ = now;
  }
  const Duration counted = now - *counted_since_;
  if (counted < kPeriod || answers_ < kAnswersMin) {
    return;
  }
  const bool late = std::uint64_t{slow_} * 10 > answers_;
  const bool early = std::uint64_t{quick_} * 10 >= std::uint64_t{answers_} * 9;
  const bool needed =
      std::int64_t{placed_} * 2 >= rate_ * (counted / std::chrono::milliseconds{1}) / 1000;
  if (late) {
    if (!cut_at_ || now - *cut_at_ >= kBetweenCuts) {
      set_rate(rate_ * kCutPermille / 1000, now);
      cut_at_ = now;
    }
  } else if (early && needed) {
    // Bridges that are not back yet are no reason to become slower.
    set_rate(std::min(rate_ + (cut_at_ ? kStep : rate_), std::max(ceiling_, rate_)), now);
  }
  answers_ = quick_ = slow_ = placed_ = 0;
  counted_since_ = now;
}

void GlobalPace::set_rate(std::int64_t rate, Instant now) {
  if (std::max(rate, rate_min_) != rate_) {
    rate_ = std::max(rate, rate_min_);
    limiter_.set_limit(limit_of(rate_, burst_), now);
  }
}

bool GlobalPace::try_place(Instant now) {
  const bool placed = limiter_.try_place(now);
  placed_ += placed ? 1 : 0;
  return placed;
}

}  // namespace bascule::focus
