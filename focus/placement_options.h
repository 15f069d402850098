#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/stress.h"
#include "base/time.h"
#include "focus/strategy.h"

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

  // Which bridge.

  /// How a bridge is chosen among those that fit. Default: the rules of docs/selection.md. Jicofo's
  /// strategies keep their order of preference, under the same limits, pace and queue.
  Strategy strategy = Strategy::kBascule;
  /// The strategies for members and for visitors; meaningful with `Strategy::kVisitor` only.
  Strategy participant_strategy = Strategy::kRegionBased;
  Strategy visitor_strategy = Strategy::kIntraRegion;
  /// Whether a conference may span bridges that have a relay id. Default off, as in Jicofo
  /// (`jicofo.octo.enabled`); strategies that split conferences need it.
  bool relays = false;
  /// Whether bridges of different versions may carry one conference. Default off.
  bool allow_mixed_versions = false;
  /// Participants of one conference on one bridge, with relays; 1 to 10 000. Default 80 (Jicofo:
  /// `max-bridge-participants`).
  std::int64_t max_per_conference_bridge = 80;
  /// Bridges of one conference; 1 to 32. Default 8: a full mesh of them has 28 links.
  std::size_t max_bridges_per_conference = 8;
  /// Regions that may stand in for each other, each at most in one group.
  std::vector<std::vector<std::string>> region_groups;
  /// Region of the focus; used by `Strategy::kRegionBased` only, as in Jicofo. Empty: none.
  std::string local_region;
  /// Load a relay puts on each bridge of a conference that spans several, in thousandths of a unit;
  /// 0 to 10 000. Default 1000: what a tenth of a unit per remote participant comes to.
  std::int64_t relay_load = 1000;
  /// A join waits this long for the pace of the conference's own bridges before another bridge
  /// joins in. Default 8 s: cheaper than a split.
  Duration split_wait = std::chrono::seconds{8};
  /// Independent focuses that place on the same bridges without telling each other; 1 to 8, 0
  /// estimates it from what bridges report. Default 1.
  std::uint32_t focuses = 1;
  /// Occupant nicks of bridges that are used only when the others are full.
  std::vector<std::string> standby_bridges;

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
  /// it; doubled by each of the first two confirmations, lifted by the third. 0 switches it off.
  /// Default 0.35.
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
  /// Placements per second over all bridges at first; 1 to 100 000. Default 500. Doubles every
  /// quarter of a second in which it was needed and nine of ten answers came within `latency_good`,
  /// up to the sum over the bridges; answers later than `latency_bad` cut it to 0.7, down to
  /// `global_rate_min`, and from then on it rises by 50 per second.
  std::uint32_t global_rate = 500;
  std::uint32_t global_rate_min = 50;  ///< Default 50 per second.
  Duration latency_good = std::chrono::milliseconds{500};
  Duration latency_bad = std::chrono::seconds{2};
  /// Placements at once over all bridges. Default 200.
  std::uint32_t global_burst = 200;
  /// A bridge that (re)started while we watched gets its full pace after this time. Default 20 s.
  Duration slow_start = std::chrono::seconds{20};
  /// Pace right after such a start, in thousandths. Default 200.
  std::int64_t slow_start_floor_permille = 200;
  /// ... while the fleet is full. Default 500: being careful costs more than it saves.
  std::int64_t slow_start_full_permille = 500;
  /// Above this reported stress the pace drops to a quarter for `hot_brake_time`. Default 0.95.
  Stress hot_brake{950'000};
  /// Default 10 s: one sampler window.
  Duration hot_brake_time = std::chrono::seconds{10};
  /// Allocations one bridge may have unanswered. Default 32.
  std::uint32_t max_in_flight = 32;

  // Reservations for growth.

  /// A new conference is expected to reach at least this many people. Default 6: their mean size.
  std::uint32_t growth_min = 6;
  /// How fast that expectation fades. Default 120 s.
  Duration growth_decay = std::chrono::seconds{120};
  /// A conference is expected to reach the size it had last time for this long. Default 600 s.
  Duration known_size_hold = std::chrono::seconds{600};
  /// ... and how fast that fades afterwards. Default 300 s.
  Duration known_size_decay = std::chrono::seconds{300};
  /// How long a plan holds room for a conference that comes back or moves; 10 to 600 s. Default
  /// 90 s: the longest return of a client (reload overlay, boot, retries).
  Duration plan_ttl = std::chrono::seconds{90};
  /// A first placement that found no room for the expected size accepts less after this. 10 s.
  Duration small_need_after = std::chrono::seconds{10};
  /// A region that has room but no pace is preferred for this long. Default 2 s.
  Duration region_patience = std::chrono::seconds{2};
  /// Rooms whose bridge and size are remembered. Default 200 000, about 200 bytes each.
  std::size_t max_remembered_rooms = 200'000;
  /// How long. Default 24 h: the same meeting tomorrow.
  Duration room_memory = std::chrono::hours{24};

  // The queue.

  /// Tickets one room may get served per visit. Default 4, 1 to 64.
  std::uint32_t quantum = 4;
  /// Tickets waiting at most; beyond it `enqueue` answers kUnavailable. Default 50'000.
  std::size_t max_tickets = 50'000;
  /// Decisions per call of `drain`. Default 256: keeps one call short; the next continues.
  std::size_t max_decisions_per_drain = 256;
  /// Rooms in a row, per class, that may be found waiting before a call of `drain` stops; the next
  /// call continues there. Default 3000: about two milliseconds.
  std::size_t max_blocked_rooms_per_drain = 3000;
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

  /// Re-invites of one conference within `retry_memory`, in multiples of its size, before every
  /// further one makes it wait `retry_budget_wait`. Default 3.
  std::uint32_t retry_budget = 3;
  Duration retry_budget_wait = std::chrono::seconds{10};  ///< Default 10 s.

  // Making room: single bridge per conference.

  /// Whether whole conferences may be moved to make room. Default on.
  bool make_room = true;
  /// A bridge expected above this share of its capacity hands conferences over. Default 0.90.
  Stress make_room_above{900'000};
  /// ... down to this. Default 0.88.
  Stress make_room_target{880'000};
  /// At most once per bridge and this. Default 2 s.
  Duration make_room_interval = std::chrono::seconds{2};
  /// Conferences up to this size are moved first. Default 8.
  std::int64_t make_room_size = 8;
  /// ... and if none helps, the smallest up to this size. Default 60.
  std::int64_t make_room_size_max = 60;
  /// People moved per run. Default 12.
  std::int64_t make_room_people = 12;
  /// A conference is moved again after this. Default 300 s.
  Duration move_cool = std::chrono::seconds{300};
  /// ... or after this, if it has members who wait. Default 120 s.
  Duration move_cool_waiting = std::chrono::seconds{120};
  /// ... and not before it is this old. Default 20 s.
  Duration move_age_min = std::chrono::seconds{20};

  // Relief: conferences that span bridges.

  /// A sample above this hands people over. Default 0.97: 1.0 to 1.1 do as well, less moves more.
  Stress relief_sample{970'000};
  /// An expectation above this does. Default 1.05.
  Stress relief_estimate{1'050'000};
  /// People handed over at once; 0 switches relief off. Default 12.
  std::int64_t relief_people = 12;
  /// At most once per bridge and this. Default 10 s: one sample.
  Duration relief_cool = std::chrono::seconds{10};
  /// ... and per conference and this. Default 30 s.
  Duration relief_conference_cool = std::chrono::seconds{30};

  // Participants that cannot connect (Jicofo: `ice-failure-detection`).

  /// Whether a bridge is put aside when many of its participants ask for a restart. Default on.
  bool ice_failure_detection = true;
  /// Share of a bridge's participants, in thousandths, who ask within `ice_failure_interval`.
  /// Default 300; Jicofo's 100 of at least 30 in two minutes is met by one bad access network.
  std::int64_t ice_failure_permille = 300;
  std::size_t ice_failure_min = 10;                            ///< At least so many. Default 10.
  Duration ice_failure_interval = std::chrono::seconds{60};    ///< Default 60 s.
  Duration ice_failure_quarantine = std::chrono::minutes{10};  ///< Default 10 min.

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

  /// Settling ends when no new bridge appeared for this long. Default 5 s: one report period,
  /// in which every bridge that is there has spoken.
  Duration settle_quiet = std::chrono::seconds{5};
  /// ... or after this long in any case. Default 20 s.
  Duration settle_max = std::chrono::seconds{20};
  /// Share of every limit in force meanwhile, in thousandths. Default 800: who comes first must not
  /// fill the bridges that come first.
  std::int64_t settle_permille = 800;
  /// ... or when this share of the known bridges is there, in thousandths. Default 800.
  std::int64_t settle_present_permille = 800;
  /// New rooms are put off while settling with fewer bridges than this. Default 3.
  std::size_t settle_min_bridges = 3;

  // When new rooms are put off (`ready=false`).

  /// The queue is long when it holds more than this many seconds of the fleet's pace. Default 2.
  std::int64_t overload_queue_seconds = 2;
  /// The fleet is full when fewer than this share of its bridges has room, in thousandths. 50.
  std::int64_t pressure_permille = 50;
  /// ... and new rooms are put off when one has been waiting this long. Default 5 s.
  Duration overload_wait = std::chrono::seconds{5};

  // Meetings that kill bridges.

  /// A bridge that dies idle within this time of a conference's arrival makes it a suspect; and
  /// whoever waits for longer than this may be put beside one. Default 60 s.
  Duration poison_after = std::chrono::seconds{60};
  /// The second time it gets a bridge of its own below this load (0.20), the third time it waits.
  Stress poison_limit{200'000};
  Duration poison_hold = std::chrono::minutes{10};  ///< Default 10 min.

  // Bounds.

  /// Width of the load classes among which bridges count as equal. Default 0.01: below the noise of
  /// a report.
  Stress bucket_width{10'000};
  /// Bridges known at once; a report of one more is refused and counted. Default 2000.
  std::size_t max_bridges = 2000;
  /// Decisions remembered to be explained. Default 10 000, about 700 bytes each when used.
  std::size_t max_decisions = 10'000;
  /// A process that was stopped longer than this between two deadlines ages nothing meanwhile; zero
  /// switches that off.
  /// Default 5 s.
  Duration pause_max = std::chrono::seconds{5};
};

}  // namespace bascule::focus
