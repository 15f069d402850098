#include "focus/global_pace.h"

#include <algorithm>
#include <bit>

#include "base/check.h"

namespace bascule::focus {
namespace {

constexpr std::int64_t kStep = 50;
constexpr std::int64_t kCutPermille = 700;
constexpr std::uint32_t kAnswersMin = 10;  // Fewer say nothing about a decile.

Duration spacing(std::int64_t rate) {
  return Duration(std::chrono::seconds{1}) / std::max<std::int64_t>(rate, 1);
}

PlacementLimiter make_limiter(const PlacementOptions& options) {
  auto limiter = PlacementLimiter::create(
      {.interval = spacing(options.global_rate), .burst = options.global_burst});
  BASCULE_CHECK(limiter.has_value());  // Options are validated where they are read.
  return *limiter;
}

}  // namespace

GlobalPace::GlobalPace(const PlacementOptions& options)
    : rate_(options.global_rate),
      rate_min_(options.global_rate_min),
      good_(options.latency_good),
      bad_(options.latency_bad),
      limiter_(make_limiter(options)) {
}

void GlobalPace::answered(Duration took) {
  const auto ms = std::max<std::int64_t>(took / std::chrono::milliseconds{1}, 0);
  const auto width = static_cast<std::size_t>(std::bit_width(static_cast<std::uint64_t>(ms)));
  ++answers_.at(std::min(width, kClasses - 1));
  ++answer_count_;
}

void GlobalPace::tick(std::int64_t fleet_rate) {
  const std::int64_t most = std::max(fleet_rate, rate_min_);
  const bool needed = static_cast<std::int64_t>(placed_) * 2 >= rate_;
  if (answer_count_ >= kAnswersMin) {
    const Duration late = ninth_decile();
    if (late > bad_) {
      rate_ = rate_ * kCutPermille / 1000;
      was_cut_ = true;
    } else if (late < good_ && needed) {
      rate_ += was_cut_ ? kStep : rate_;
    }
  }
  rate_ = std::clamp(rate_, rate_min_, most);
  limiter_.set_interval(spacing(rate_));
  answers_.fill(0);
  answer_count_ = placed_ = 0;
}

bool GlobalPace::try_place(Instant now) {
  const bool placed = limiter_.try_place(now);
  placed_ += placed ? 1 : 0;
  return placed;
}

/// The upper edge of the class that holds it.
Duration GlobalPace::ninth_decile() const {
  std::uint32_t seen = 0;
  for (std::size_t i = 0; i < kClasses; ++i) {
    seen += answers_[i];
    if (std::uint64_t{seen} * 10 >= std::uint64_t{answer_count_} * 9) {
      return std::chrono::milliseconds{std::int64_t{1} << i};
    }
  }
  return std::chrono::milliseconds{std::int64_t{1} << kClasses};
}

}  // namespace bascule::focus
