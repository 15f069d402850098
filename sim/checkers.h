#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "focus/action.h"
#include "focus/placement_options.h"
#include "sim/fake_bridge.h"

namespace bascule::sim {

/// Watches what the focus asks bridges for: no bridge may get more new endpoints in any window than
/// its pace allows, whatever the storm (ADR 0004).
class PaceChecker {
 public:
  explicit PaceChecker(const focus::PlacementOptions& options) : options_(options) {}
  /// Also across lives of the focus: the next one knows what the last one placed.
  void observe(const focus::Action& action, Instant now);
  [[nodiscard]] const std::vector<std::string>& complaints() const { return complaints_; }
  [[nodiscard]] std::size_t placements() const { return placements_; }
  /// The most placements on one bridge in one window of `kWindow`.
  [[nodiscard]] std::size_t window_max() const { return window_max_; }
  [[nodiscard]] std::size_t window_limit() const;

  static constexpr Duration kWindow = std::chrono::seconds{5};
  /// Decisions leave when the store has them: commits of different length can close a gap by this.
  static constexpr Duration kJitter = std::chrono::milliseconds{100};

 private:
  focus::PlacementOptions options_;
  std::map<Jid, std::deque<Instant>> recent_;
  std::size_t placements_ = 0;
  std::size_t window_max_ = 0;
  std::vector<std::string> complaints_;
};

/// What is wrong with the relays of the conferences that are on several of these bridges, or empty:
/// every two have a relay to each other with the transport of the other's, know exactly the
/// endpoints that are there with exactly their sources, and no bridge has a relay to one where the
/// conference is not. For a moment in which nothing is under way. `gone`: endpoints that may still
/// be remote ones although they are nowhere.
[[nodiscard]] std::string relay_problem(const std::vector<std::unique_ptr<FakeBridge>>& bridges,
                                        const std::function<bool(const std::string&)>& gone);

}  // namespace bascule::sim
