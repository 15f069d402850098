#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "base/jid.h"
#include "base/stress.h"
#include "base/time.h"
#include "focus/placement.h"
#include "focus/placement_limiter.h"
#include "focus/placement_options.h"
#include "focus/settle_phase.h"
#include "focus/stress_ledger.h"
#include "stats/report.h"

namespace bascule::focus {

struct ConferenceLoad;

/// Everything known of one bridge. Survives its absence: a bridge that flaps does not come back as
/// an empty, attractive one. About 4 kB with a full ledger.
struct Bridge {
  Bridge(const BridgeJid& address, std::uint32_t id, const PlacementOptions& options);

  BridgeJid jid;
  std::uint32_t number;  // In decision records; never used twice.

  // What it said.
  bool present = false;
  bool healthy = true;
  bool drain = false;
  bool graceful_shutdown = false;  // Latched until its process restarts.
  bool shutting_down = false;      // Likewise.
  std::optional<std::string> version, region, relay_id;
  std::deque<std::string> last_timestamps;  // Identities of the last few reports.
  std::optional<std::int64_t> total_participants;

  // What others told us about it.
  bool suspect = false;
  bool cordoned = false;
  bool evacuating = false;     // Its people are asked to move, a few at a time.
  bool expected_back = false;  // Was present when the service link went down.
  bool standby = false;        // Used only when the others are full ...
  bool activated = false;      // ... which is the case.

  // Load.
  StressLedger ledger;
  PlacementLimiter limiter;
  std::size_t participants = 0;  // Visitors included.
  std::size_t in_flight = 0;
  std::uint64_t placed = 0;  // Since the process started.
  Duration answer_time{};  // Smoothed; of allocations.
  Milliunits growth = 0;   // Reserved for conferences that live or will live here.
  std::map<std::uint64_t, ConferenceLoad*> conferences;  // With participants here, by number.
  std::map<std::uint64_t, ConferenceLoad*> plans;        // Planned here.
  std::int64_t ghosts = 0;              // Endpoints left over from before a mass reconnect ...
  std::optional<Instant> ghosts_since;  // ... which expire on the bridge within two minutes.
  Milliunits residual = 0;              // Smoothed load of others, where endpoints are not told.

  // Pace and memory of failures.
  std::optional<Instant> started_at;  // Of a process whose start we watched: slow start.
  std::optional<Instant> hot_until;
  std::optional<Instant> quarantined_until;
  std::optional<Instant> last_failure;
  std::optional<Instant> heard_before;  // By an earlier process.
  std::uint32_t failures = 0;
  std::uint64_t restarts_asked = 0;  // By participants on it, since it is known.
  std::uint64_t relieved = 0;        // Participants asked to leave it because it is too busy.
  Stress cut_capacity = Stress::full();
  Instant cut_at{};
  std::deque<Instant> restart_requests;         // Of participants, within the interval.
  std::optional<Instant> ice_failing_until;     // Serves what it has, takes nothing new.
  std::optional<std::uint64_t> isolates_alone;  // Number of the suspicious conference it serves.

  // As of the last second of an evacuation.
  std::size_t leaving = 0;  // Asked to move and still here.
  std::size_t stuck = 0;    // Would be, or are, but no other bridge has room.

  // Everybody leaving at once.
  std::uint64_t departures_window = 0;  // In which `departures` were counted.
  std::int64_t departures = 0;

  // Relief.
  std::uint32_t hot_samples = 0;  // New ones in a row above the mark.
  std::optional<Instant> relieved_at;
  Instant empty_since{};  // Of an activated spare.

  // Its place in the Selector.
  std::optional<std::size_t> bucket;
  std::size_t position = 0;
  std::size_t open_position = 0;
  bool touched = false;  // Its load changed since it was sorted in.
};

/// What a report changed, besides the numbers.
enum class ReportEffect : std::uint8_t {
  kUpdated,
  kRepeated,   ///< Redelivered, or the same sample again.
  kAppeared,   ///< The bridge became present.
  kRestarted,  ///< Its counters started again: the caller drops what was on it.
  kRefused,    ///< One bridge too many.
};

/// The bridges: what their reports say, which of them may be used, and their failures.
///
/// States (BridgeState): unknown -> fresh <-> stale by the age of the report; failed while
/// unhealthy, suspect or in quarantine. Draining and shutting down are orthogonal flags.
/// Cost: O(log n) per call unless said otherwise.
class BridgeRegistry {
 public:
  explicit BridgeRegistry(const PlacementOptions& options);

  void link_up(Instant now);    ///< O(n).
  void link_down(Instant now);  ///< O(n).
  /// Everybody was dropped at once: what is still on the bridges is nobody's any more, and samples
  /// that hold it teach nothing. `window`: of the departures that were noticed before. O(n).
  void everybody_dropped(Instant now, std::uint64_t window);
  /// Samples teach nothing for `time`.
  void suspend_learning(Instant now, Duration time);
  ReportEffect report(const stats::BridgeReport& report, Instant now,
                      ReportOrigin origin = ReportOrigin::kBrewery);
  void left(const BridgeJid& bridge);
  /// Starts the quarantine (not after a shutdown or the restart of an idle bridge), teaches the
  /// ledger, empties it. Participants, conferences and plans are the caller's business, before.
  void failed(Bridge& bridge, FailureCause cause, Instant now);
  /// Another participant on it asked for a restart; whether that puts the bridge aside now: it
  /// keeps its conferences, most of whose people are connected, and gets no others. At most half
  /// of the fleet at a time. O(n) when many asked.
  bool restart_requested(Bridge& bridge, Instant now);
  /// An allocation was answered after `took`.
  static void answered(Bridge& bridge, Duration took);
  /// Forgets who was expected back.
  void settled();

  void restore(const BridgeMemory& memory, Instant now);
  [[nodiscard]] BridgeMemory memory_of(const Bridge& bridge, Instant now) const;

  [[nodiscard]] Bridge* find(const BridgeJid& bridge);
  [[nodiscard]] const Bridge* find(const BridgeJid& bridge) const;
  /// Creates an absent bridge when it is unknown; nullptr when there are too many.
  Bridge* find_or_create(const BridgeJid& bridge);
  [[nodiscard]] std::map<BridgeJid, Bridge>& all() { return bridges_; }
  [[nodiscard]] const std::map<BridgeJid, Bridge>& all() const { return bridges_; }
  [[nodiscard]] SettlePhase& phase() { return phase_; }
  [[nodiscard]] const SettlePhase& phase() const { return phase_; }
  [[nodiscard]] std::size_t present_count() const;       ///< O(n).
  [[nodiscard]] std::size_t expected_count() const;      ///< Present or expected back. O(n).
  [[nodiscard]] std::size_t known_before_count() const;  ///< Expected back, or already is. O(n).

  [[nodiscard]] BridgeState state(const Bridge& bridge, Instant now) const;
  /// Present, healthy, not suspect, not in quarantine.
  [[nodiscard]] static bool works(const Bridge& bridge, Instant now);
  /// `works`, and accepts conferences it does not have yet.
  [[nodiscard]] static bool takes_new(const Bridge& bridge, Instant now);
  /// The report is too old to be believed at all.
  [[nodiscard]] static bool is_blind(const Bridge& bridge, Instant now) {
    return bridge.ledger.confidence(now) < kLateConfidence;
  }
  /// `is_blind`, and had the time to tell something.
  [[nodiscard]] bool tells_nothing(const Bridge& bridge, Instant now) const {
    const bool just_started = bridge.started_at && now - *bridge.started_at <= options_.blind_after;
    return is_blind(bridge, now) && !just_started;
  }
  [[nodiscard]] Stress capacity(const Bridge& bridge, Instant now) const;
  /// Pace, window and open requests allow one placement now.
  [[nodiscard]] bool is_ready(const Bridge& bridge, Instant now) const;
  /// How much slower than the steady pace placements may come now; 1000 = not at all.
  [[nodiscard]] std::int64_t stretch_permille(const Bridge& bridge, bool fleet_full,
                                              Instant now) const;
  /// Focuses on the fleet, in thousandths; see PlacementOptions::focuses.
  [[nodiscard]] std::int64_t focuses_permille() const { return focuses_permille_; }
  /// Estimates the number of focuses anew, if it is not configured. O(n); once per second.
  void estimate_focuses();

 private:
  void apply_flags(Bridge& bridge, const stats::BridgeReport& report);
  void apply_endpoint_count(Bridge& bridge, const stats::BridgeReport& report, Instant now);
  void apply_residual(Bridge& bridge);
  /// What a node remembered is of unknown age: stale, and it teaches nothing.
  [[nodiscard]] Instant heard_at(ReportOrigin origin, Instant now) const {
    return origin == ReportOrigin::kPubsubList ? now - options_.stale_after - Duration(1) : now;
  }
  bool apply_stress(Bridge& bridge, Stress stress, bool learn, Instant now, ReportOrigin origin);
  bool appear(Bridge& bridge, Instant now);
  void cut_capacity(Bridge& bridge, Instant now);
  [[nodiscard]] bool may_put_aside(Instant now) const;
  void make_space();

  PlacementOptions options_;
  std::map<BridgeJid, Bridge> bridges_;
  SettlePhase phase_;
  Instant learn_from_;  // Samples before this may hold load of people who are gone.
  std::int64_t focuses_permille_;
  std::uint32_t last_number_ = 0;
};

}  // namespace bascule::focus
