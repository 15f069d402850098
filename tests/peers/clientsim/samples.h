#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
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

/// How people wait for what they ask the focus in their rooms, since the runner last said `mark`.
class AnswerWatch {
 public:
  using Time = std::chrono::steady_clock::time_point;
  void begin(Time now);
  void answered(Time asked, Time now);
  /// {"answers","first_answer_ms","slowest_answer_ms"}: from `begin` to the first answer to what
  /// was asked after it (null before that), and the longest anybody waited for an answer since.
  [[nodiscard]] Json status() const;

 private:
  Time since_;
  std::optional<double> first_ms_;
  double slowest_ms_ = 0;
  std::uint64_t answers_ = 0;
};

}  // namespace bascule::peers
