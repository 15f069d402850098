#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/prng.h"
#include "base/stress.h"
#include "focus/bridge_registry.h"
#include "focus/load_units.h"

namespace bascule::focus {

/// A bridge as selection sees it at one instant.
struct Candidate {
  Stress estimate;       ///< Expected load now.
  Stress growth;         ///< Reserved for conferences that are growing or coming.
  Stress capacity;       ///< Limits are shares of this.
  Stress cost_per_unit;  ///< Margin included, and the inflation of an old report.
};

/// What is asked of a bridge.
struct Need {
  Milliunits load = 0;
  Stress limit;                ///< Share of capacity not to be exceeded afterwards.
  bool respect_growth = true;  ///< Whether room reserved for others is taken.
  bool pace_matters = true;    ///< False for plans: they take no token.
  bool wants_relay = false;    ///< Only bridges with a relay id.
  bool lowest = false;         ///< The very lowest instead of one of the lowest.
  /// Only bridges of one of these regions; null: of any.
  const std::vector<std::string>* regions = nullptr;
  const std::string* version = nullptr;  ///< Only bridges of this version.
  std::span<const Bridge* const> avoid;
  std::optional<Stress> emptier_than;  ///< Only bridges expected below this that serve nobody else.
  bool beside_suspect = false;         ///< Also bridges kept for a conference that killed others.
};

struct Choice {
  Bridge* bridge = nullptr;
  bool capacity_seen = false;  ///< Somebody has room, but may not take anybody right now.
  bool anybody_suits = false;  ///< Somebody passed the filters, with room or without.
  std::size_t looked_at = 0;
};

/// Chooses among the bridges that take new conferences.
///
/// Rule: of the candidates with room for the *whole* need and free pace, a random one of the first
/// class of load, one percent wide, that has any. Differences below one percent are noise, and
/// choosing at random inside a class spreads what would otherwise all go to one bridge. With
/// several focuses on the fleet, the less loaded of two random ones: all of them see the same
/// order, and would all choose its head (Mitzenmacher 2000). There is no least bad choice: nobody
/// with room means nobody.
///
/// A bucket queue: `sort_in` and `take_out` are O(1), `choose` finds the first class by a bitmap
/// and passes over full or unready bridges only once per pass (`begin_pass`): what found nobody
/// is not looked for again with a larger need.
class Selector {
 public:
  Selector(const BridgeRegistry& registry, const PlacementOptions& options);

  /// Puts the bridge where its load belongs, or takes it out when it takes no conferences.
  void sort_in(Bridge& bridge, Instant now);
  void take_out(Bridge& bridge);
  /// Time passed or somebody got room: forget who was refused.
  void begin_pass() { refused_.clear(); }

  [[nodiscard]] Candidate look(const Bridge& bridge, Instant now) const;
  [[nodiscard]] Choice choose(const Need& need, Instant now, Prng& prng);
  /// Whether `load` fits by `limit`.
  [[nodiscard]] static bool fits(const Candidate& candidate, Milliunits load, Stress limit,
                                 bool respect_growth);
  [[nodiscard]] bool suits(const Bridge& bridge, const Need& need, Instant now) const;
  /// Some of the least loaded ones, in order of load class.
  [[nodiscard]] std::vector<const Bridge*> lowest(std::size_t count) const;
  [[nodiscard]] std::size_t open_count() const { return open_.size(); }
  [[nodiscard]] const std::vector<Bridge*>& open() const { return open_; }

  void check_invariants(Instant now) const;

 private:
  static constexpr std::size_t kBuckets = 256;

  /// A need that found nobody; a larger one of the same kind cannot find anybody either.
  struct Refused {
    Stress limit;
    bool respect_growth;
    Milliunits load;
    Choice choice;
  };

  [[nodiscard]] std::size_t bucket_of(const Candidate& candidate) const;
  [[nodiscard]] std::optional<std::size_t> next_bucket(std::size_t from) const;
  [[nodiscard]] Refused* refused_before(const Need& need);
  void remember_refusal(const Need& need, const Choice& choice);
  [[nodiscard]] Choice scan(const Need& need, Instant now, Prng& prng) const;
  [[nodiscard]] Choice draw_two(const Need& need, Instant now, Prng& prng) const;

  const BridgeRegistry& registry_;
  Stress bucket_width_;
  std::array<std::vector<Bridge*>, kBuckets> buckets_;
  std::array<std::uint64_t, kBuckets / 64> occupied_{};
  std::vector<Bridge*> open_;  // All, in no particular order.
  std::vector<Refused> refused_;
};

}  // namespace bascule::focus
