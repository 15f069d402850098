#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/jid.h"
#include "base/stress.h"
#include "base/time.h"
#include "focus/placement.h"

namespace bascule::admin {

/// The expected load of every bridge over the last hour, for charts. Lives as long as the process;
/// what bridges reported before is in the store (`/v1/bridges/{bridge}/history`).
///
/// Memory: 800 bytes per bridge, for at most `bridges_max` of them: 1.6 MB for 2 000. A bridge that
/// is gone for an hour is forgotten. Cost of a sample: O(bridges).
class LoadHistory {
 public:
  static constexpr Duration kInterval = std::chrono::seconds{10};
  static constexpr std::size_t kSamples = 360;

  explicit LoadHistory(std::size_t bridges_max) : bridges_max_(bridges_max) {}

  /// To be called every kInterval. Later ones leave a gap.
  void sample(const std::vector<focus::BridgeView>& views, Now now);

  /// One bridge. Loads are shares, 1 is full.
  struct Line {
    std::string nick;
    double limit = 0;  ///< When it was seen last.
    /// The highest of each step, the newest last; nullopt: the bridge was not there.
    std::vector<std::optional<double>> loads;
  };
  /// Of all bridges seen in the last `steps` x `samples_per_step` samples, in order of address.
  [[nodiscard]] std::vector<Line> lines(std::size_t steps, std::size_t samples_per_step) const;
  /// Of `bridge` alone; no line when it was not seen.
  [[nodiscard]] std::vector<Line> line(const BridgeJid& bridge, std::size_t steps,
                                       std::size_t samples_per_step) const;

  [[nodiscard]] std::size_t bridge_count() const { return tracks_.size(); }
  /// Of the newest sample; nullopt before the first.
  [[nodiscard]] std::optional<WallTime> newest() const { return newest_at_; }

 private:
  struct Track {
    std::array<std::uint16_t, kSamples> permille;
    Stress limit;
    std::uint64_t seen = 0;  // Number of the last sample it was part of.
  };
  void advance(Now now);
  void next_slot();
  [[nodiscard]] Line to_line(const BridgeJid& bridge, const Track& track, std::size_t steps,
                             std::size_t samples_per_step) const;

  std::size_t bridges_max_;
  std::map<BridgeJid, Track> tracks_;
  std::uint64_t samples_ = 0;  // Taken, gaps included; the newest is in slot samples_ % kSamples.
  std::optional<WallTime> newest_at_;
  Instant sampled_at_{};
};

}  // namespace bascule::admin
