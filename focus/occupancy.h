#pragma once

#include <cstddef>

#include "base/check.h"
#include "base/time.h"

namespace bascule::focus {

/// How many of something are here, and how long all that ever came stayed, together. O(1) per
/// event: the time passes for all of them at once.
class Occupancy {
 public:
  /// `now` must not run backwards between calls.
  void enter(Instant now) {
    pass(now);
    ++present_;
  }
  void leave(Instant now, std::size_t count = 1) {
    BASCULE_CHECK(count <= present_);
    pass(now);
    present_ -= count;
  }

  [[nodiscard]] std::size_t present() const { return present_; }
  /// The sum of all stays, those that go on included.
  [[nodiscard]] Duration total(Instant now) const {
    return total_ + (now - since_) * static_cast<Duration::rep>(present_);
  }

 private:
  void pass(Instant now) {
    total_ = total(now);
    since_ = now;
  }

  std::size_t present_ = 0;
  Duration total_{};
  Instant since_{};  // Of the last change.
};

}  // namespace bascule::focus
