#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "base/time.h"

namespace bascule::focus {

inline constexpr std::size_t kLatencyEdgeCount = 14;
/// Upper edges of the classes, inclusive, ascending; times above the last one are a class as well.
using LatencyEdges = std::array<Duration, kLatencyEdgeCount>;

/// For what people and other programs wait for: 5 ms to a minute. 15 s is the time limit of our
/// requests and 30 s that of an offer, so that a limit that was reached has its own class.
inline constexpr LatencyEdges kWaitEdges = {
    Duration{5'000},      Duration{10'000},    Duration{25'000},     Duration{50'000},
    Duration{100'000},    Duration{250'000},   Duration{500'000},    Duration{1'000'000},
    Duration{2'500'000},  Duration{5'000'000}, Duration{10'000'000}, Duration{15'000'000},
    Duration{30'000'000}, Duration{60'000'000}};
/// For what happens inside of the process and on its disk: 50 us to a second. 5 ms is what the
/// event loop may be away for, 500 ms what a commit is waited for (OutputGateOptions::hold_max).
inline constexpr LatencyEdges kInternalEdges = {
    Duration{50},      Duration{100},     Duration{250},     Duration{500},      Duration{1'000},
    Duration{2'500},   Duration{5'000},   Duration{10'000},  Duration{25'000},   Duration{50'000},
    Duration{100'000}, Duration{250'000}, Duration{500'000}, Duration{1'000'000}};

/// How long something took, counted in classes: integers only, no allocation, constant time.
class LatencyHistogram {
 public:
  constexpr LatencyHistogram() = default;
  /// `edges` outlives the histogram.
  explicit constexpr LatencyHistogram(const LatencyEdges& edges) : edges_(&edges) {}

  /// A negative time counts as none: it is a clock's doing.
  void record(Duration took) {
    const Duration counted = std::max(took, Duration::zero());
    const auto edge = std::lower_bound(edges_->begin(), edges_->end(), counted);
    ++counts_.at(static_cast<std::size_t>(edge - edges_->begin()));
    sum_ += counted;
  }

  [[nodiscard]] const LatencyEdges& edges() const { return *edges_; }
  /// Of each class, the one above the last edge at the end; not cumulative.
  [[nodiscard]] const std::array<std::uint64_t, kLatencyEdgeCount + 1>& counts() const {
    return counts_;
  }
  [[nodiscard]] Duration sum() const { return sum_; }

 private:
  const LatencyEdges* edges_ = &kWaitEdges;
  std::array<std::uint64_t, kLatencyEdgeCount + 1> counts_{};
  Duration sum_{};
};

}  // namespace bascule::focus
