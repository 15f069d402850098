#pragma once

#include <string_view>

#include "base/result.h"
#include "tests/peers/common/timer.h"

namespace bascule::peers {

/// What one endpoint costs, how that is measured, and how much a bridge survives. The defaults are
/// those of the storm studies: an eight-core JVB as its reports and its deaths in a storm show it.
struct LoadParameters {
  /// Stress of one endpoint in a conference of ten senders (LoadModel). Default 1/120.
  double stress_per_unit = 1.0 / 120;
  /// Relative deviation of slow noise. Default 0.05.
  double noise = 0.05;
  /// Cost of a join in endpoint-seconds, spread over a second (DTLS, key frames). Default 1.5.
  double join_cost = 1.5;
  /// Time in which an endpoint reaches its full load (bandwidth ramp-up). Default 15 s.
  Milliseconds ramp{15'000};
  /// Window and period of the load sampler (jitsi-videobridge: JvbLoadManager.kt). Default 10 s.
  Milliseconds sample{10'000};
  /// Time between two reports while not overloaded. Default 5 s.
  Milliseconds publish{5'000};
  /// Share of the reports lost while the true stress is above 1; 0 to 1. Default 0.
  double lost = 0;
  /// True stress that kills when it lasts for `death_after`. Default 1.11 (100 % CPU over the 0.9
  /// that counts as full) for 10 s.
  double death = 1.11;
  Milliseconds death_after{10'000};
  /// ... and the one that does so at once, more or less. Default 1.5 for 3 s.
  double sudden_death = 1.5;
  Milliseconds sudden_death_after{3'000};
  /// An overloaded bridge dies; otherwise it only gets slow. Default false.
  bool dies = false;
  /// A bridge that died is back, empty, after this. Default 8 s.
  Milliseconds restart{8'000};
};

/// `storm`, `storm,restart=8s,base=0.016`: the model of the storm studies (reports are lost with
/// probability 0.5 under overload, bridges die and return after 60 s) with changed parameters.
/// Keys: base (stress per unit), noise, join, ramp, sample, publish, lost, death and sudden
/// (`STRESS:DURATION`), restart. Starts from `defaults`. Error: kInvalidArgument, naming the word.
Result<LoadParameters> parse_overload_model(std::string_view text, LoadParameters defaults);

}  // namespace bascule::peers
