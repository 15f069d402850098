#pragma once

#include <array>
#include <cstddef>
#include <optional>

#include "base/time.h"

namespace bascule {

/// One optional deadline per enumerator of `Timer`, whose last enumerator is `kCount`. Everything
/// that can time out in one object is thus readable in one enum (quinn-proto has the same idea).
template <class Timer>
class TimerTable {
 public:
  void set(Timer timer, Instant deadline) { slot(timer) = deadline; }
  void clear(Timer timer) { slot(timer).reset(); }
  [[nodiscard]] std::optional<Instant> get(Timer timer) const {
    return deadlines_[static_cast<std::size_t>(timer)];
  }
  [[nodiscard]] bool is_set(Timer timer) const { return get(timer).has_value(); }

  /// The earliest deadline. Cost: O(number of enumerators).
  [[nodiscard]] std::optional<Instant> next() const {
    std::optional<Instant> earliest;
    for (const auto& deadline : deadlines_) {
      if (deadline && (!earliest || *deadline < *earliest)) {
        earliest = deadline;
      }
    }
    return earliest;
  }

  /// Clears and returns one timer that is due at `now`, in enumerator order; nullopt when none is.
  std::optional<Timer> take_due(Instant now) {
    for (std::size_t i = 0; i < deadlines_.size(); ++i) {
      if (deadlines_[i] && *deadlines_[i] <= now) {
        deadlines_[i].reset();
        return static_cast<Timer>(i);
      }
    }
    return std::nullopt;
  }

 private:
  std::optional<Instant>& slot(Timer timer) { return deadlines_[static_cast<std::size_t>(timer)]; }

  std::array<std::optional<Instant>, static_cast<std::size_t>(Timer::kCount)> deadlines_{};
};

}  // namespace bascule
