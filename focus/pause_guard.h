#pragma once

#include <optional>

#include "base/time.h"

namespace bascule::focus {

/// Time as Placement sees it: it stands still while the process does.
///
/// Why: a virtual machine that was paused for a minute finds every report a minute old and would
/// take all bridges for blind, although nothing happened. Everything inside is kept in a time from
/// which pauses are taken out, all but one second of each; so nothing has to be shifted.
class PauseGuard {
 public:
  /// `longest`: a longer gap between two calls is a pause; zero: never.
  explicit PauseGuard(Duration longest) : longest_(longest) {}

  /// Whether the gap since the last call was a pause. `expected`: a call was due in between.
  bool advance(Instant outside, bool expected) {
    const bool paused =
        expected && seen_ && longest_ > Duration::zero() && outside - *seen_ > longest_;
    if (paused) {
      taken_out_ += outside - *seen_ - std::chrono::seconds{1};
    }
    seen_ = outside;
    return paused;
  }
  [[nodiscard]] Instant inside(Instant outside) const { return outside - taken_out_; }
  [[nodiscard]] Instant outside(Instant inside) const { return inside + taken_out_; }

 private:
  Duration longest_;
  Duration taken_out_{};
  std::optional<Instant> seen_;
};

}  // namespace bascule::focus
