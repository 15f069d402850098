#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "focus/placement.h"
#include "focus/turn.h"

namespace bascule::focus {

/// Tells the store and the log what Placement decided and noticed. All of it is taken from the
/// records and counters of Placement, nothing is computed anew: what an operator reads is what the
/// decision was made with.
class DecisionChronicle {
 public:
  /// Makes the decisions since the last call durable, and logs those who wait for long. Returns
  /// them, oldest first.
  std::vector<DecisionRecord> take(Turn& turn);
  /// Logs what changed since the last call: the mode, how much of the fleet tells nothing, spares
  /// in use, people gone at once.
  void notice(Turn& turn);

 private:
  void notice_blindness(Turn& turn);

  std::uint64_t told_ = 0;  // Number of the last record.
  Mode mode_ = Mode::kServiceDown;
  Blindness::Extent blindness_ = Blindness::Extent::kNone;
  Instant blind_since_{};
  std::uint64_t spares_activated_ = 0;
  std::uint64_t mass_drops_ = 0;
};

/// The record of `decision`, searched from `next` on, which moves behind it: both lists are in
/// order of time. When the log keeps none, what the decision itself says.
[[nodiscard]] DecisionRecord record_of(const Decision& decision,
                                       const std::vector<DecisionRecord>& records,
                                       std::size_t& next);

}  // namespace bascule::focus
