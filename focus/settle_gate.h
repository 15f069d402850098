#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>

#include "base/time.h"

namespace bascule::focus {

/// Holds placements until the bridges have come back after the service link did.
///
/// Why: bridges re-enter the brewery in random order within seconds. Whoever places on the first
/// one that is back kills it (Jicofo does: BridgeSelector.kt has no such rule).
///
/// Opens at the first of: every bridge that was there before the link went down is back; at least
/// one bridge is there and no other appeared for `quiet`; `longest` after the link came up.
class SettleGate {
 public:
  SettleGate(Duration quiet, Duration longest) : quiet_(quiet), longest_(longest) {}

  void link_up(Instant now) {
    up_ = true;
    opens_at_ = now + longest_;
    opens_latest_ = opens_at_;
  }
  void link_down() {
    up_ = false;
    opens_at_.reset();
  }
  /// A bridge became present; `missing` of those expected are not back, of `expected` in all.
  void bridge_appeared(Instant now, std::size_t missing, std::size_t expected) {
    if (opens_at_) {
      opens_at_ =
          expected > 0 && missing == 0 ? now : std::min(opens_latest_.value(), now + quiet_);
    }
  }
  /// Opens when due; whether it did so in this call.
  bool open_if_due(Instant now) {
    if (!opens_at_ || now < *opens_at_) {
      return false;
    }
    opens_at_.reset();
    return true;
  }

  [[nodiscard]] bool link_is_up() const { return up_; }
  [[nodiscard]] bool settling() const { return opens_at_.has_value(); }
  [[nodiscard]] bool open() const { return up_ && !opens_at_; }
  [[nodiscard]] std::optional<Instant> deadline() const { return opens_at_; }

 private:
  Duration quiet_, longest_;
  bool up_ = false;
  std::optional<Instant> opens_at_, opens_latest_;
};

}  // namespace bascule::focus
