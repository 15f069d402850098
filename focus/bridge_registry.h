#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "base/jid.h"
#include "base/stress.h"
#include "base/time.h"
#include "focus/placement.h"
#include "focus/placement_limiter.h"
#include "focus/placement_options.h"
#include "focus/settle_gate.h"
#include "focus/stress_ledger.h"
#include "stats/report.h"

namespace bascule::focus {

/// Everything known of one bridge. Survives its absence: a bridge that flaps does not come back as
/// an empty, attractive one.
struct Bridge {
  Bridge(const BridgeJid& address, const PlacementOptions& options);

  BridgeJid jid;

  // What it said.
  bool present = false;
  bool healthy = true;
  bool drain = false;
  bool graceful_shutdown = false;  // Latched until its process restarts.
  bool shutting_down = false;      // Likewise.
  std::optional<std::string> version, region, relay_id;
  std::string last_timestamp;  // Identity of the last report.
  std::optional<std::int64_t> total_participants;

  // What others told us about it.
  bool suspect = false;
  bool cordoned = false;
  bool expected_back = false;  // Was present when the service link went down.

  // Load.
  std::size_t candidate = 0;  // Its index in the Selector, since the last snapshot.
  StressLedger ledger;
  PlacementLimiter limiter;
  std::size_t participants = 0;
  std::size_t in_flight = 0;
  Milliunits growth = 0;                // Reserved for conferences that live or will live here.
  std::set<RoomJid> rooms;              // With participants here.
  std::set<RoomJid> plans;              // With a reservation here.
  std::int64_t ghosts = 0;              // Endpoints left over from before a mass reconnect ...
  std::optional<Instant> ghosts_since;  // ... which expire on the bridge within two minutes.

  // Pace and memory of failures.
  std::optional<Instant> started_at;  // Of a process whose start we watched: slow start.
  std::optional<Instant> hot_until;
  std::optional<Instant> quarantined_until;
  std::optional<Instant> last_failure;
  std::uint32_t failures = 0;
  Stress cut_capacity = Stress::full();
  Instant cut_at{};
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
  ReportEffect report(const stats::BridgeReport& report, Instant now);
  void left(const BridgeJid& bridge);
  /// Starts the quarantine (not after a shutdown or the restart of an idle bridge), teaches the
  /// ledger, empties it. Participants, rooms and reservations are the caller's business, before.
  void failed(Bridge& bridge, FailureCause cause, Instant now);
  /// Opens the gate when due; true when that happened now.
  bool open_gate_if_due(Instant now);

  [[nodiscard]] Bridge* find(const BridgeJid& bridge);
  [[nodiscard]] const Bridge* find(const BridgeJid& bridge) const;
  /// Creates an absent bridge when it is unknown; nullptr when there are too many.
  Bridge* find_or_create(const BridgeJid& bridge);
  [[nodiscard]] std::map<BridgeJid, Bridge>& all() { return bridges_; }
  [[nodiscard]] const std::map<BridgeJid, Bridge>& all() const { return bridges_; }
  [[nodiscard]] const SettleGate& gate() const { return gate_; }
  [[nodiscard]] std::size_t present_count() const;  ///< O(n).

  [[nodiscard]] BridgeState state(const Bridge& bridge, Instant now) const;
  /// Present, healthy, not suspect, not in quarantine.
  [[nodiscard]] static bool works(const Bridge& bridge, Instant now);
  /// `works`, and accepts conferences it does not have yet.
  [[nodiscard]] static bool takes_new(const Bridge& bridge, Instant now);
  [[nodiscard]] Stress capacity(const Bridge& bridge, Instant now) const;
  /// How much slower than the steady pace placements may come now; 1000 = not at all.
  [[nodiscard]] std::int64_t stretch_permille(const Bridge& bridge, Instant now) const;

 private:
  void apply_flags(Bridge& bridge, const stats::BridgeReport& report);
  void apply_endpoint_count(Bridge& bridge, std::int64_t endpoints, Instant now);
  bool apply_stress(Bridge& bridge, Stress stress, Instant now);
  bool appear(Bridge& bridge, Instant now);
  /// Tells the gate how many bridges are back and how many are missing.
  void count_arrivals(Instant now);
  void make_space();

  PlacementOptions options_;
  std::map<BridgeJid, Bridge> bridges_;
  SettleGate gate_;
  Instant learn_from_;  // Samples before this may hold load of people who are gone.
};

}  // namespace bascule::focus
