#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/prng.h"
#include "base/stress.h"
#include "focus/bridge_registry.h"
#include "focus/load_units.h"

namespace bascule::focus {

/// A bridge as selection sees it, frozen until the next `update`.
struct Candidate {
  const Bridge* bridge = nullptr;
  Stress estimate;       ///< Expected load now.
  Stress growth;         ///< Reserved for conferences that are growing or coming.
  Stress capacity;       ///< Limits are shares of this.
  Stress cost_per_unit;  ///< Margin included.
  bool takes_new = false;
  bool ready = false;  ///< Pace, window and open requests allow one placement now.
};

/// What is asked of a bridge.
struct Need {
  Milliunits load = 0;
  Stress limit;                         ///< Share of capacity not to be exceeded afterwards.
  bool respect_growth = true;           ///< Whether room reserved for others is taken.
  bool pace_matters = true;             ///< False for plans: they take no token.
  const std::string* region = nullptr;  ///< Only bridges of this region.
  std::span<const Bridge* const> avoid;
};

struct Choice {
  std::optional<std::size_t> candidate;  ///< Index of the chosen one.
  /// Somebody has room, but may not take anybody right now.
  bool capacity_seen = false;
};

/// Chooses among the bridges that take new conferences.
///
/// Rule: of the candidates with room for the *whole* need and free pace, a random one of the first
/// bucket of load, one percent wide, that has any. Differences below one percent are noise, and
/// choosing at random inside a bucket spreads what would otherwise all go to one bridge. There is
/// no least bad choice: nobody with room means nobody. Cost: O(log n) for `update`; `choose` visits
/// candidates in ascending load until the first fits, and remembers refusals, so that 1000 waiting
/// rooms do not look at all bridges 1000 times.
class Selector {
 public:
  /// Replaces all candidates; indices are positions in `candidates`.
  void reset(std::vector<Candidate> candidates);
  /// The load or readiness of one changed.
  void update(std::size_t index, const Candidate& candidate);

  [[nodiscard]] Choice choose(const Need& need, Prng& prng);
  [[nodiscard]] const std::vector<Candidate>& candidates() const { return candidates_; }
  [[nodiscard]] std::size_t open_count() const { return by_load_.size(); }

  /// Whether `load` fits on a candidate by `limit`.
  [[nodiscard]] static bool fits(const Candidate& candidate, Milliunits load, Stress limit,
                                 bool respect_growth);

 private:
  /// A need that found nobody; a larger one of the same kind cannot find anybody either.
  struct Refused {
    Stress limit;
    bool respect_growth;
    Milliunits load;
    bool capacity_seen;
  };

  static std::int64_t bucket_of(const Candidate& candidate);
  [[nodiscard]] Refused* refused_before(const Need& need);
  void remember_refusal(const Need& need, bool capacity_seen);
  [[nodiscard]] Choice scan(const Need& need, Prng& prng) const;

  std::vector<Candidate> candidates_;
  std::set<std::pair<std::int64_t, std::size_t>> by_load_;  // (bucket, index) of `takes_new`.
  std::vector<Refused> refused_;  // One per limit and growth rule; dropped when anybody gets room.
};

}  // namespace bascule::focus
