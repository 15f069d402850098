#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/jid.h"
#include "base/prng.h"
#include "base/time.h"
#include "focus/placement.h"

namespace bascule::bench {

/// Fleet sizes everything is measured at.
inline constexpr std::int64_t kFleetSizes[] = {10, 100, 1'000, 10'000};

/// A `focus::Placement` with bridges that carry a bit less than half of what they can, in virtual
/// time.
class FleetFixture {
 public:
  enum class Load { kIdle, kBusy };
  FleetFixture(std::size_t bridges, Load load);

  [[nodiscard]] focus::Placement& placement() { return placement_; }
  [[nodiscard]] Now now() const { return {now_, WallTime{now_.time_since_epoch()}}; }
  /// Moves time on. Bridges report every 5 s, with a new sample each time.
  void advance(Duration by);
  void report(std::size_t bridge);
  /// Reports of all bridges, whether or not they are due.
  void report_all();
  /// Whether `advance` by this much would make bridges report.
  [[nodiscard]] bool reports_due(Duration by) const { return now_ + by >= next_reports_; }

  /// Addresses of a bridge, of a room that has nobody yet, and of people in it.
  [[nodiscard]] static BridgeJid bridge(std::size_t index);
  [[nodiscard]] static RoomJid room(std::uint64_t index);
  [[nodiscard]] static OccupantJid person(const RoomJid& room, std::uint64_t index);

 private:
  struct Bridge {
    BridgeJid jid;
    std::int64_t stress = 0;  ///< Millionths, around which samples vary.
    std::int64_t people = 0;
  };
  std::vector<Bridge> bridges_;
  focus::Placement placement_;
  Prng prng_;
  Instant now_;
  Instant next_reports_;
  std::uint64_t reports_ = 0;
};

}  // namespace bascule::bench
