#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "base/prng.h"
#include "tests/peers/bridgesim/colibri.h"
#include "tests/peers/bridgesim/load_parameters.h"
#include "tests/peers/common/timer.h"

namespace bascule::peers {

/// How loaded a simulated bridge really is, and what it measures of that.
///
/// An endpoint costs one unit in a conference of ten senders; in general
/// `0.4 + 0.06 * min(senders, 20)`, reached linearly within the ramp after its connection
/// (bandwidth ramp-up); a relay costs 0.1 for each endpoint behind it, at most 2, and its senders
/// count. A join costs some endpoint-seconds on top, spread over a second (DTLS, key
/// frames). Slow noise (AR(1), 60 s) is added. Like a JVB, the bridge samples every 10 s the mean
/// of the last 10 s, which cannot exceed 1.11 (100 % CPU over the 0.9 that counts as full), and
/// publishes that later: a reader sees the past.
class LoadModel {
 public:
  LoadModel(const LoadParameters& parameters, std::uint64_t seed, SteadyTime now);

  /// Advances to `now`; call it several times a second.
  void step(const Colibri& colibri, SteadyTime now);
  /// The process restarted: nothing has been measured yet.
  void reset(SteadyTime now);

  [[nodiscard]] double true_stress() const { return true_stress_; }
  [[nodiscard]] double measured_stress() const { return measured_; }
  /// How much slower than normal everything is: 1 up to full load, then steeply more.
  [[nodiscard]] double slowdown() const;
  /// The load has been more than the machine survives, and it dies of that.
  [[nodiscard]] bool fatal(SteadyTime now) const;
  /// Is a report published now lost? Only under overload.
  [[nodiscard]] bool report_is_lost();

 private:
  double demand(const Colibri& colibri, SteadyTime now);
  double join_cost(const Colibri& colibri, SteadyTime now);
  void sample(SteadyTime now);

  LoadParameters parameters_;
  Prng random_;
  double noise_ = 0;
  double true_stress_ = 0;
  double measured_ = 0;
  double window_sum_ = 0;
  double window_seconds_ = 0;
  std::uint64_t joins_seen_ = 0;
  std::deque<SteadyTime> recent_joins_;
  SteadyTime last_step_;
  SteadyTime next_sample_;
  std::optional<SteadyTime> above_limit_since_;
  std::optional<SteadyTime> above_sudden_since_;
};

}  // namespace bascule::peers
