#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include "base/stress.h"
#include "base/time.h"
#include "focus/confidence.h"
#include "focus/load_units.h"
#include "focus/placement_options.h"

namespace bascule::focus {

/// What we know of the load of one bridge: its last report, and what that report cannot contain.
///
/// Why: a report averages the last ten seconds, is repeated until the next sample, and a
/// participant needs twenty seconds to reach its full load. A placement is therefore invisible for
/// long after it was made; correcting that with a fixed time window counts it twice first and not
/// at all later. Here every change of load is an entry that later *samples* pay off by the share
/// they can contain (`visible_join_share`); mere repetitions of a sample pay off nothing.
///
/// Estimate: max(report + unaccounted * (cost + margin), all our load * cost). The first trusts
/// the bridge, the second our own counts; the larger one protects against either being too low.
/// The cost of a unit is learned per bridge from its samples, so that machines may differ.
///
/// Invariants: `own()` is the exact sum of all changes; entries are in order of time and their
/// number is bounded by the time they stay visible. Cost: `change` amortised O(1), `sample`
/// O(entries) <= 270 at the default options.
class StressLedger {
 public:
  /// What outlives a process: the learned cost and how sure it is.
  struct Learned {
    Stress cost;        ///< Per unit.
    Stress deviation;   ///< Mean deviation of it.
    int confirmations;  ///< Samples it rests on, counted up to 3.
  };

  explicit StressLedger(const PlacementOptions& options);

  /// A placement, or load that our placements add to people already there. `load` > 0.
  void joined(Milliunits load, Instant at);
  /// Load that ended. `own_join` is what the leaving participant's own join added to this bridge at
  /// `joined_at`: a short stay is taken out of the entry of its join, because join and leave become
  /// visible at different speeds and would leave a phantom.
  void left(Milliunits load, Milliunits own_join, Instant joined_at, Instant at);
  /// Load that every future report contains: participants restored after a restart of ours.
  void restored(Milliunits load);
  /// The same for load that an earlier process placed at `joined_at`: a report contains it as far
  /// as it would contain ours. In any order, before the first report.
  void restored(Milliunits load, Instant joined_at);
  /// The process behind the bridge is new: nothing is on it.
  void cleared();

  /// A report with this stress arrived at `at`. The same value again is the same sample again (a
  /// bridge publishes more often than it measures) and pays off nothing, until a whole window and a
  /// publish period have passed: then it must be a new one that happens to be equal. `learn` is
  /// false while the counts behind it are in doubt. Returns whether it was a new sample.
  bool report(Stress stress, Instant at, bool learn, ReportOrigin origin = ReportOrigin::kBrewery);
  /// Load of others on the same bridge, from its own count of endpoints.
  void set_foreign(Milliunits load) { foreign_ = load; }
  /// The bridge's own figure for one participant; used until something was learned.
  void set_prior(Stress cost_per_unit);
  /// A sample of the bridge while it served nobody: what its machine does besides. 0 to 0.3 of it
  /// is not counted as cost of participants.
  void idle_sample(Stress stress);
  /// How many focuses place here without telling each other, in thousandths: each of them doubles
  /// what no report contains yet. 1000: only this one.
  void set_focuses(std::int64_t permille) { focuses_permille_ = permille; }
  /// The bridge died under what was on it: if its cost was never measured, or long ago, a unit
  /// cannot cost less than 0.95 / load.
  void died(Instant now);
  void set_learned(const Learned& learned);

  /// Best guess of the true load at `now`. O(1).
  [[nodiscard]] Stress estimate(Instant now) const;
  /// Whether `load` more may be placed before the cost of this bridge is confirmed.
  [[nodiscard]] bool within_window(Milliunits load, Instant now) const;

  /// Learned cost plus margin: what a planned unit is counted with.
  [[nodiscard]] Stress cost_with_margin() const;
  /// The same at full confidence; what a unit adds to the raised estimate otherwise.
  [[nodiscard]] Stress cost_of_more(Instant now) const;
  [[nodiscard]] Learned learned() const {
    return {Stress(cost_), Stress(deviation_), confirmations_};
  }
  /// How far the latest new sample was from what its contents should have cost, millionths; absent
  /// until the cost is confirmed. The best single sign of how good the model is.
  [[nodiscard]] std::optional<std::int64_t> sample_error() const { return sample_error_; }
  [[nodiscard]] Milliunits own() const { return own_; }
  [[nodiscard]] Milliunits foreign() const { return foreign_; }
  [[nodiscard]] Milliunits unaccounted() const { return unaccounted_; }
  [[nodiscard]] Milliunits uncertain() const { return uncertain_; }
  [[nodiscard]] Stress reported() const { return reported_; }
  /// Load of others that the last sample shows beyond ours; zero while ours is not settled or the
  /// cost not confirmed. For bridges that do not tell how many endpoints they have.
  [[nodiscard]] Milliunits unexplained() const;
  [[nodiscard]] std::optional<Instant> heard_at() const { return heard_at_; }
  [[nodiscard]] ReportOrigin origin() const { return origin_; }  ///< Of what was heard then.
  /// See confidence.h. The estimate is made with it: below full the model counts with its margin
  /// and raised by `caution`; below kLateConfidence nothing else counts.
  [[nodiscard]] std::int64_t confidence(Instant now) const;
  /// Thousandths the model is raised by.
  [[nodiscard]] std::int64_t caution(Instant now) const {
    return caution_permille(confidence(now), long_silence_permille_);
  }

  /// Aborts when an entry is out of order or the sums differ from the entries.
  void check_invariants() const;

 private:
  struct Entry {
    Instant at;
    Milliunits load;
  };
  using Entries = std::deque<Entry>;
  /// How a change becomes visible: joins slowly, leaves at once.
  enum class Kind : bool { kJoin, kLeave };

  [[nodiscard]] Stress raised(Stress stress, Instant now) const;
  [[nodiscard]] Entries& entries(Kind kind) { return kind == Kind::kJoin ? joins_ : leaves_; }
  void append(Kind kind, Milliunits load, Instant at);
  void change(Kind kind, Entry& entry, Milliunits delta);
  [[nodiscard]] Milliunits hidden_part(Kind kind, const Entry& entry) const;
  void recount();
  void accept_sample(Instant sampled_at);
  void learn_from_sample();
  void move_cost_toward(std::int64_t quotient, std::int64_t cost_step, std::int64_t deviation_step);

  // Copied from the options: a ledger is a value.
  Duration ramp_, window_, half_period_, stale_after_, blind_after_;
  std::int64_t margin_permille_;
  std::int64_t long_silence_permille_;
  bool windowed_;

  Stress reported_;
  std::optional<Instant> heard_at_;
  ReportOrigin origin_ = ReportOrigin::kBrewery;
  std::optional<Instant> sampled_at_;       // Estimated end of the window of `reported_`.
  std::optional<Instant> sample_heard_at_;  // When we first heard of it.
  Milliunits contained_ = 0;                // All load less `unaccounted_` as of the last sample.
  Milliunits own_ = 0;
  Milliunits foreign_ = 0;
  Entries joins_, leaves_;
  Milliunits unaccounted_ = 0;  // Sum over the entries of the part the last sample cannot contain.
  Milliunits uncertain_ = 0;    // The same of absolute values.
  std::int64_t cost_, deviation_;  // Millionths per unit.
  int confirmations_ = 0;
  std::int64_t unknown_window_;  // Millionths, before the first confirmation.
  std::optional<std::int64_t> sample_error_;
  std::int64_t base_ = 0;  // Millionths; see idle_sample.
  std::int64_t focuses_permille_ = 1000;
};

}  // namespace bascule::focus
