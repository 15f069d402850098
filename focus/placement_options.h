#pragma once

#include <cstddef>
#include <cstdint>

#include "base/stress.h"
#include "base/time.h"

namespace bascule::focus {

/// Everything an operator may change about choosing bridges. Limits are shares of a bridge's own
/// capacity in millionths; a bridge reports 1'000'000 when it calls itself full
/// (jitsi-videobridge: JvbLoadManager.kt).
struct PlacementOptions {
  // Limits on the expected stress after a placement. Nothing lifts them: who does not fit waits.

  /// New conferences, first choice. Default 0.75: leaves room for the growth of what is there.
  Stress limit_new{750'000};
  /// New conferences, second choice. Default 0.85: noise of a report is about 0.05.
  Stress limit_join{850'000};
  /// Displaced participants, and joins while the fleet is full. Default 0.90, at most 0.94.
  Stress limit_max{900'000};
  /// Joins to a conference that cannot be split. Default 0.94, at most 0.95: cutting a meeting in
  /// two is worse than four percent of load.
  Stress limit_single_join{940'000};

  // Load model.

  /// Stress of one load unit before anything was learned and when the bridge does not report
  /// `average_participant_stress`. Default 0.01 (jitsi-videobridge reference.conf).
  Stress stress_per_unit{10'000};
  /// Safety margin on the learned cost, in thousandths of its mean deviation; 0 to 3000.
  /// Default 1000: one deviation.
  std::int64_t margin_permille = 1000;
  /// Time in which a new participant reaches its full load; 0 to 120 s. Default 20 s: a third above
  /// what was measured, because too slow is the safe side.
  Duration ramp = std::chrono::seconds{20};
  /// Averaging window of the bridge's load sampler; 1 to 60 s. Default 10 s (jitsi-videobridge).
  Duration sample_window = std::chrono::seconds{10};
  /// Time between two reports of one bridge; 1 to 30 s. Default 5 s (`videobridge.stats.interval`).
  Duration publish_period = std::chrono::seconds{5};
  /// Stress that may be placed on a bridge whose cost was never measured before a report confirms
  /// it; doubled by the first confirmation, lifted by the second. 0 switches it off. Default 0.35.
  Stress unknown_window{350'000};
  /// Age of a report after which the model's value is inflated. Default 15 s: three periods.
  Duration stale_after = std::chrono::seconds{15};
  /// Age of a report after which only our own counts are believed. Default 30 s: six periods.
  Duration blind_after = std::chrono::seconds{30};

  // Pace.

  /// Steady spacing of placements on one bridge. Default 50 ms: 20 joins/s cost about 0.24 stress.
  Duration placement_interval = std::chrono::milliseconds{50};
  /// Placements at once on one bridge after a quiet spell. Default 20.
  std::uint32_t placement_burst = 20;
  /// Steady spacing of all placements. Default 2 ms: protects the XMPP server (500/s).
  Duration global_interval = std::chrono::milliseconds{2};
  /// Placements at once over all bridges. Default 200.
  std::uint32_t global_burst = 200;
  /// A bridge that (re)started while we watched gets its full pace after this time. Default 20 s.
  Duration slow_start = std::chrono::seconds{20};
  /// Pace right after such a start, in thousandths. Default 200.
  std::int64_t slow_start_floor_permille = 200;
  /// Above this reported stress the pace drops to a quarter for `hot_brake_time`. Default 0.95.
  Stress hot_brake{950'000};
  /// Default 10 s: one sampler window.
  Duration hot_brake_time = std::chrono::seconds{10};
  /// Allocations one bridge may have unanswered. Default 32.
  std::uint32_t max_in_flight = 32;

  // Reservations for growth.

  /// A new conference is expected to reach at least this many people. Default 6.
  std::uint32_t growth_min = 6;
  /// How long such an expectation, or the plan for a displaced conference, holds room on a bridge.
  /// Default 90 s: the longest return of a client (reload overlay, boot, retries).
  Duration reservation_ttl = std::chrono::seconds{90};
  /// A first placement that found no room for the expected size accepts less after this. 10 s.
  Duration small_need_after = std::chrono::seconds{10};
  /// A region that has room but no pace is preferred for this long. Default 2 s.
  Duration region_patience = std::chrono::seconds{2};

  // The queue.

  /// Tickets one room may get served per visit. Default 4, 1 to 64.
  std::uint32_t quantum = 4;
  /// Tickets waiting at most; beyond it `enqueue` answers kUnavailable. Default 50'000.
  std::size_t max_tickets = 50'000;
  /// Decisions per call of `drain`. Default 256: keeps one call short; the next continues.
  std::size_t max_decisions_per_drain = 256;
  /// Rooms in a row, per class, that may be found waiting before a call of `drain` stops; the next
  /// call continues there. Default 250.
  std::size_t max_blocked_rooms_per_drain = 250;
  /// A non-empty queue is looked at again after this time at the latest. Default 100 ms.
  Duration recheck = std::chrono::milliseconds{100};
  /// ... and not more often than this while it is blocked, whatever happens. Default 10 ms.
  Duration drain_spacing = std::chrono::milliseconds{10};

  // Retries after a failed allocation.

  /// A bridge that refused a participant is avoided for it this long, if there is another. 10 s.
  Duration avoid_time = std::chrono::seconds{10};
  /// Failures of one room within `retry_memory` before the room has to wait. Default 3.
  std::uint32_t retry_free = 3;
  /// First wait of a room; doubles with every further failure up to `retry_wait_max`. Default 5 s.
  Duration retry_wait = std::chrono::seconds{5};
  Duration retry_wait_max = std::chrono::seconds{60};  ///< Default 60 s.
  Duration retry_memory = std::chrono::seconds{60};    ///< Default 60 s without a failure forgets.

  // Bridges that fail.

  /// Quarantine after the first failure; doubles with the second. Default 30 s.
  Duration quarantine_base = std::chrono::seconds{30};
  Duration quarantine_max = std::chrono::seconds{300};  ///< Longest doubled quarantine. 300 s.
  /// Failures within `quarantine_memory` that make the bridge count as flapping. Default 3.
  std::uint32_t flapping_failures = 3;
  Duration quarantine_flapping =
      std::chrono::seconds{600};                           ///< Quarantine of such a bridge. 600 s.
  Duration quarantine_memory = std::chrono::seconds{600};  ///< Without a failure forgets. 600 s.
  /// Capacity kept after dying while busy, in thousandths. Default 850.
  std::int64_t capacity_cut_permille = 850;
  Stress capacity_floor{500'000};  ///< Repeated cuts stop here. Default 0.5.
  /// Capacity regained per `capacity_recovery_period`. Default 0.05.
  Stress capacity_recovery{50'000};
  Duration capacity_recovery_period = std::chrono::seconds{600};  ///< Default 600 s.

  // After the service link came (back) up.

  /// Placements start when no new bridge appeared for this long. Default 5 s: one report period,
  /// in which every bridge that is there has spoken.
  Duration settle_quiet = std::chrono::seconds{5};
  /// ... or after this long in any case. Default 20 s.
  Duration settle_max = std::chrono::seconds{20};
  /// New rooms are put off while settling with fewer bridges than this. Default 3.
  std::size_t settle_min_bridges = 3;

  // When new rooms are put off (`ready=false`).

  /// The queue is long when it holds more than this many seconds of the fleet's pace. Default 2.
  std::int64_t overload_queue_seconds = 2;
  /// The fleet is full when fewer than this share of its bridges has room, in thousandths. 50.
  std::int64_t pressure_permille = 50;
  /// ... and new rooms are put off when one has been waiting this long. Default 5 s.
  Duration overload_wait = std::chrono::seconds{5};

  /// Bridges known at once; a report of one more is refused and counted. Default 2000.
  std::size_t max_bridges = 2000;
};

}  // namespace bascule::focus
