#pragma once

#include <algorithm>
#include <optional>

#include "base/time.h"

namespace bascule::focus {

/// The time after the service link came up, or after everybody was dropped at once.
///
/// Why: bridges re-enter the brewery in random order within seconds, people too. Whoever fills the
/// first bridge that is back kills it (Jicofo does: BridgeSelector.kt has no such rule). Meanwhile
/// limits are lower and conferences wait for the bridge they had.
///
/// Ends at the first of: enough bridges are back (the caller knows); some are there and no other
/// appeared for `quiet`; `longest` after it began.
class SettlePhase {
 public:
  SettlePhase(Duration quiet, Duration longest) : quiet_(quiet), longest_(longest) {}

  void link_up(Instant now) {
    up_ = true;
    begin(now);
  }
  void link_down() {
    up_ = false;
    ends_at_.reset();
  }
  /// Restarts a phase that is under way.
  void begin(Instant now) {
    ends_at_ = now + longest_;
    ends_latest_ = *ends_at_;
  }
  /// A bridge became present.
  void bridge_appeared(Instant now) {
    if (ends_at_) {
      ends_at_ = std::min(ends_latest_, now + quiet_);
    }
  }
  /// Ends it when due or when there are `enough` bridges; whether it did so in this call.
  bool end_if_due(Instant now, bool enough) {
    if (!ends_at_ || (now < *ends_at_ && !enough)) {
      return false;
    }
    ends_at_.reset();
    return true;
  }

  [[nodiscard]] bool link_is_up() const { return up_; }
  [[nodiscard]] bool settling() const { return ends_at_.has_value(); }
  [[nodiscard]] std::optional<Instant> deadline() const { return ends_at_; }

 private:
  Duration quiet_, longest_;
  bool up_ = false;
  std::optional<Instant> ends_at_;
  Instant ends_latest_{};
};

}  // namespace bascule::focus
