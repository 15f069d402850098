#pragma once

#include "base/prng.h"
#include "base/time.h"
#include "xmpp/transport.h"

namespace bascule::xmpp {

/// When to open a link again.
///
/// A cut connection is retried almost at once, because every second without the focus is seen by
/// users; failures that only an operator (or the other instance) can end are retried slowly, so
/// that a wrong password does not fill the server's log. Jitter keeps many instances apart that
/// lost the same server. Deterministic: all randomness comes from the generator passed in.
class ReconnectPolicy {
 public:
  struct Options {
    Duration first = std::chrono::milliseconds{100};
    /// A server that restarts is back within seconds, and meanwhile every conference request is
    /// answered by an error that ends the meeting of its user (lib-jitsi-meet: moderator.js). So
    /// attempts stay this close together until `eager_for` has been waited.
    Duration eager = std::chrono::milliseconds{250};
    Duration eager_for = std::chrono::seconds{20};
    Duration max = std::chrono::seconds{5};       ///< After that the doubling stops here.
    Duration conflict = std::chrono::seconds{5};  ///< At least; another instance holds the address.
    Duration authentication = std::chrono::seconds{30};
    Duration certificate = std::chrono::seconds{30};
    /// A link that came up and fell sooner than this counts as one more failure.
    Duration stable_after = std::chrono::seconds{10};
  };

  ReconnectPolicy() : ReconnectPolicy(Options{}) {}
  /// Every duration must be positive and `first` at most `eager`, that at most `max` (checked).
  explicit ReconnectPolicy(const Options& options);

  /// Records `on_up`.
  void went_up() { was_up_ = true; }

  /// How long to wait after this failure. `up_for` is the time between the last `went_up()` and
  /// now; a caller that does not measure it treats every link that came up as stable. The result is
  /// within ±20 % of the step, for a conflict between +0 and +20 %.
  Duration next_delay(DownKind kind, Prng& prng, Duration up_for = Duration::max());

 private:
  Options options_;
  Duration step_;
  Duration waited_{};  // Since the last stable link.
  bool was_up_ = false;
};

}  // namespace bascule::xmpp
