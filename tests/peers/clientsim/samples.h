#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/peers/common/event_log.h"

namespace bascule::peers {

/// Latencies by kind and phase. Kinds:
/// - request: first conference request of a page to `ready='true'`, back-off included;
/// - invite: own MUC presence came back, or the second participant entered the room, whichever was
///   later, to session-initiate;
/// - accept: session-accept sent to its result;
/// - move: session-terminate received, or the bridge died, whichever was earlier, to the next
///   session-initiate.
class Samples {
 public:
  void add(const std::string& kind, double milliseconds);
  /// Samples from now on belong to this phase.
  void set_phase(std::string phase) { phase_ = std::move(phase); }
  [[nodiscard]] const std::string& phase() const { return phase_; }
  /// {"invite":{"all":{"n","p50","p99","max"},"<phase>":{...}},...}
  [[nodiscard]] Json summary() const;

 private:
  std::string phase_ = "start";
  std::map<std::string, std::map<std::string, std::vector<double>>> values_;
};

}  // namespace bascule::peers
