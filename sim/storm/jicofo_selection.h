#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "base/time.h"

// A yardstick: how Jicofo chooses a bridge, written from a description of its rules, so that the
// simulator and the benchmark can compare. It never becomes part of the daemon.

namespace bascule::sim::storm {

/// Settings of Jicofo that matter here, with its defaults (jicofo-selector: reference.conf).
struct JicofoOptions {
  bool relays = false;  ///< RegionBasedBridgeSelectionStrategy instead of the single one.
  double average_participant_stress = 0.01;
  double stress_threshold = 0.8;
  Duration rampup = std::chrono::seconds{20};
  std::int64_t max_bridge_participants = 80;  ///< Per conference and bridge.
  /// New participants per minute, conference and bridge; not limited when absent.
  std::optional<std::int64_t> max_per_minute;
};

/// The bridges as Jicofo sees them, and its selection for one participant
/// (BridgeSelector.kt, Bridge.kt, SingleBridgeSelectionStrategy.kt,
/// RegionBasedBridgeSelectionStrategy.kt with all bridges in one region).
class JicofoSelection {
 public:
  using Index = std::uint32_t;

  /// A conference's use of one bridge.
  struct Use {
    Index bridge = 0;
    std::int64_t participants = 0;
    std::int64_t added_last_minute = 0;
  };

  JicofoSelection(const JicofoOptions& options, std::size_t bridges);

  /// Appears in the brewery, without any memory of an earlier life.
  void add(Index bridge);
  /// Gone from the brewery: not known any more.
  void remove(Index bridge);
  void reported(Index bridge, double stress) { bridges_[bridge].reported = stress; }
  /// A participant was put on the bridge; to be called after every selection that is used.
  void endpoint_added(Index bridge, Instant now);

  /// The bridge for the next participant of a conference that uses `conference`; nullopt when the
  /// strategy yields none. Sorts all bridges, as the original does: O(n log n).
  [[nodiscard]] std::optional<Index> select(const std::vector<Use>& conference, Instant now);

  /// Reported stress plus what was added within the ramp-up interval.
  [[nodiscard]] double corrected_stress(Index bridge, Instant now);
  [[nodiscard]] bool overloaded(Index bridge, Instant now) {
    return corrected_stress(bridge, now) >= options_.stress_threshold;
  }
  [[nodiscard]] bool known(Index bridge) const { return bridges_[bridge].known; }
  [[nodiscard]] std::size_t size() const { return bridges_.size(); }

 private:
  /// Jicofo counts in buckets of 100 ms.
  struct Added {
    Instant bucket;
    std::int64_t count = 0;
  };
  struct Bridge {
    bool known = false;
    double reported = 0;
    std::deque<Added> added;
    std::int64_t recent = 0;
  };
  struct Candidate {
    double stress = 0;
    Index bridge = 0;
  };

  [[nodiscard]] bool overloaded_for(const Use* use, double stress) const;
  [[nodiscard]] std::optional<Index> select_region_based(const std::vector<Use>& conference) const;

  JicofoOptions options_;
  std::vector<Bridge> bridges_;
  std::vector<Candidate> sorted_;  ///< Scratch of `select`.
};

}  // namespace bascule::sim::storm
