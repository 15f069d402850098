#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/time.h"

namespace bascule::focus {

/// Who told us the figures of a bridge last.
enum class ReportOrigin : std::uint8_t {
  kBrewery,     ///< The bridge itself.
  kPubsub,      ///< Somebody else, just now.
  kPubsubList,  ///< A node remembered it: of unknown age, never fresh.
};
[[nodiscard]] std::string_view to_string(ReportOrigin origin);

/// What the figures of a bridge rest on.
enum class Confidence : std::uint8_t {
  kHigh,    ///< The bridge told us itself, just now.
  kMedium,  ///< Second hand, or late: it may raise what our own counts say, hardly lower it.
  kLow,     ///< Too old: our own counts and the learned cost decide alone.
  kNone,    ///< Never told: our own counts, with a cost that is remembered or assumed.
};
inline constexpr std::size_t kConfidenceCount = 4;
[[nodiscard]] std::string_view to_string(Confidence confidence);

// Thousandths. Each of the levels ends where the estimate of StressLedger changes its rule.
inline constexpr std::int64_t kFullConfidence = 1000;
inline constexpr std::int64_t kSecondHandConfidence = 750;
inline constexpr std::int64_t kLateConfidence = 500;       ///< The least while the report counts.
inline constexpr std::int64_t kSilenceConfidence = 100;    ///< After four minutes without it.
inline constexpr std::int64_t kRememberedConfidence = 50;  ///< Never told; cost of an earlier life.

/// Confidence in figures of this `origin` and `age`: full until `stale_after`, down to
/// kLateConfidence within three seconds, below it from `blind_after` on, down to
/// kSilenceConfidence within four more minutes; never more than the origin is worth. It never rises
/// without a report.
[[nodiscard]] constexpr std::int64_t confidence_permille(ReportOrigin origin, Duration age,
                                                         Duration stale_after,
                                                         Duration blind_after) {
  constexpr std::int64_t kLateMsPerPoint = 6;
  constexpr std::int64_t kBlindMsPerPoint = 600;
  const std::int64_t late_ms = (age - stale_after) / std::chrono::milliseconds{1};
  std::int64_t confidence =
      kFullConfidence -
      std::clamp<std::int64_t>(late_ms / kLateMsPerPoint, 0, kFullConfidence - kLateConfidence);
  if (age > blind_after) {
    const std::int64_t blind_ms = (age - blind_after) / std::chrono::milliseconds{1};
    confidence = std::max(kSilenceConfidence, kLateConfidence - 1 - blind_ms / kBlindMsPerPoint);
  }
  switch (origin) {
    case ReportOrigin::kBrewery:
      return confidence;
    case ReportOrigin::kPubsub:
      return std::min(confidence, kSecondHandConfidence);
    case ReportOrigin::kPubsubList:
      return std::min(confidence, kLateConfidence);
  }
  return 0;
}

[[nodiscard]] constexpr Confidence level_of(std::int64_t confidence_permille) {
  if (confidence_permille > kSecondHandConfidence) {
    return Confidence::kHigh;
  }
  if (confidence_permille >= kLateConfidence) {
    return Confidence::kMedium;
  }
  return confidence_permille >= kSilenceConfidence ? Confidence::kLow : Confidence::kNone;
}

/// What our own counts are raised by, thousandths: 50 at kLateConfidence, because a minute's delay
/// would be 100 % and late reports are themselves a sign of load; `long_silence` more at
/// kSilenceConfidence, because counts that no sample corrects drift.
[[nodiscard]] constexpr std::int64_t caution_permille(std::int64_t confidence_permille,
                                                      std::int64_t long_silence) {
  constexpr std::int64_t kLateCaution = 50;
  if (confidence_permille >= kLateConfidence) {
    return (kFullConfidence - confidence_permille) * kLateCaution /
           (kFullConfidence - kLateConfidence);
  }
  constexpr std::int64_t kSpan = kLateConfidence - kSilenceConfidence;
  return kLateCaution +
         std::min(kLateConfidence - confidence_permille, kSpan) * long_silence / kSpan;
}

/// How much of the fleet tells nothing that is believed. Bridges that are down do not count, nor
/// those that started within `blind_after`.
struct Blindness {
  enum class Extent : std::uint8_t { kNone, kPartly, kMostly, kWholly };

  std::size_t working = 0;  ///< Bridges that take part.
  std::size_t blind = 0;    ///< Of them, with low or no confidence.

  [[nodiscard]] Extent extent() const {
    if (blind == 0) {
      return Extent::kNone;
    }
    if (blind == working) {
      return Extent::kWholly;
    }
    return blind * 2 > working ? Extent::kMostly : Extent::kPartly;
  }
};
inline constexpr std::size_t kBlindnessExtentCount = 4;
[[nodiscard]] std::string_view to_string(Blindness::Extent extent);

}  // namespace bascule::focus
