#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/time.h"

namespace bascule::sim {

/// Virtual time: events in the order of (time, sequence of scheduling). Nothing else in the
/// simulator has a notion of "later", so a run is a pure function of its seed.
class Schedule {
 public:
  explicit Schedule(Instant start) : now_(start) {}

  [[nodiscard]] Instant now() const { return now_; }
  [[nodiscard]] Now both_clocks() const {
    return {.mono = now_, .wall = WallTime{now_.time_since_epoch() + kWallOffset}};
  }
  [[nodiscard]] std::uint64_t events_run() const { return events_run_; }
  [[nodiscard]] bool empty() const { return events_.empty(); }

  /// Runs `event` at `when`, or as soon as possible when that is past.
  void at(Instant when, std::function<void()> event) {
    events_.emplace(std::pair{when < now_ ? now_ : when, next_sequence_++}, std::move(event));
  }
  void after(Duration delay, std::function<void()> event) { at(now_ + delay, std::move(event)); }

  /// Advances to the next event and runs it; false when there is none until `end`.
  bool step(Instant end) {
    const auto next = events_.begin();
    if (next == events_.end() || next->first.first > end) {
      now_ = end;
      return false;
    }
    BASCULE_CHECK(next->first.first >= now_);
    now_ = next->first.first;
    const auto event = std::move(next->second);
    events_.erase(next);
    ++events_run_;
    event();
    return true;
  }

 private:
  static constexpr Duration kWallOffset = std::chrono::hours{24 * 365 * 56};

  Instant now_;
  std::uint64_t next_sequence_ = 0;
  std::uint64_t events_run_ = 0;
  std::map<std::pair<Instant, std::uint64_t>, std::function<void()>> events_;
};

}  // namespace bascule::sim
