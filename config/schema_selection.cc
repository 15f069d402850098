// The section [selection]: choosing bridges, pace, and what to do with failures. The reasons for
// the defaults are told in focus/placement_options.h.

#include <chrono>

#include "config/schema.h"

namespace bascule::config {
namespace {

using std::chrono::hours, std::chrono::milliseconds, std::chrono::minutes, std::chrono::seconds;

constexpr IntegerRange kCount{.min = 1, .max = 100'000};
constexpr FractionRange kShare{.min = 0, .max = 1'000'000};
constexpr DurationRange kShortWait{.min = milliseconds{1}, .max = minutes{10}};
constexpr DurationRange kLongWait{.min = seconds{1}, .max = hours{24}};

void add_load_keys(std::vector<Key>& table) {
  table.push_back({"selection.limit-new",
                   stress(BASCULE_CONFIG_AT(focus.placement.limit_new), {300'000, 900'000}), "",
                   "Stress a bridge may be expected to reach by a new conference.", ""});
  table.push_back({"selection.limit-join",
                   stress(BASCULE_CONFIG_AT(focus.placement.limit_join), {300'000, 940'000}),
                   "BRIDGE_STRESS_THRESHOLD", "... by somebody who joins a conference.", ""});
  table.push_back({"selection.limit-max",
                   stress(BASCULE_CONFIG_AT(focus.placement.limit_max), {300'000, 940'000}), "",
                   "... by somebody who lost a bridge, and while the fleet is full.", ""});
  table.push_back({"selection.limit-single-join",
                   stress(BASCULE_CONFIG_AT(focus.placement.limit_single_join), {300'000, 950'000}),
                   "", "... by a join to a conference that must stay on one bridge.", ""});
  table.push_back({"selection.stress-per-unit",
                   stress(BASCULE_CONFIG_AT(focus.placement.stress_per_unit), {500, 250'000}),
                   "BRIDGE_AVG_PARTICIPANT_STRESS",
                   "Cost of a participant while nothing better is known.", ""});
  table.push_back({"selection.margin",
                   permille(BASCULE_CONFIG_AT(focus.placement.margin_permille), {0, 3'000'000}), "",
                   "Safety margin on the learned cost, in deviations.", ""});
  table.push_back({"selection.ramp",
                   duration(BASCULE_CONFIG_AT(focus.placement.ramp), {seconds{0}, seconds{120}}),
                   "", "Time in which a new participant reaches the full load.", ""});
  table.push_back(
      {"selection.sample-window",
       duration(BASCULE_CONFIG_AT(focus.placement.sample_window), {seconds{1}, seconds{60}}), "",
       "Averaging window of the bridges' load sampler.", ""});
  table.push_back(
      {"selection.publish-period",
       duration(BASCULE_CONFIG_AT(focus.placement.publish_period), {seconds{1}, seconds{30}}), "",
       "Time between two reports of a bridge.", ""});
  table.push_back({"selection.unknown-window",
                   stress(BASCULE_CONFIG_AT(focus.placement.unknown_window), kShare), "",
                   "Stress placed on an unmeasured bridge before a report confirms it. 0.0: off.",
                   ""});
  table.push_back(
      {"selection.stale-after",
       duration(BASCULE_CONFIG_AT(focus.placement.stale_after), {seconds{1}, minutes{10}}), "",
       "Older reports are trusted less.", ""});
  table.push_back(
      {"selection.blind-after",
       duration(BASCULE_CONFIG_AT(focus.placement.blind_after), {seconds{1}, minutes{10}}), "",
       "Older reports are not trusted at all.", ""});
}

void add_pace_keys(std::vector<Key>& table) {
  table.push_back(
      {"selection.placement-interval",
       duration(BASCULE_CONFIG_AT(focus.placement.placement_interval), {milliseconds{1}, hours{1}}),
       "", "Steady spacing of placements on one bridge.", ""});
  table.push_back({"selection.placement-burst",
                   integer(BASCULE_CONFIG_AT(focus.placement.placement_burst), {1, 10'000}), "",
                   "Placements at once after a quiet spell.", ""});
  table.push_back(
      {"selection.global-rate",
       integer(BASCULE_CONFIG_AT(focus.placement.global_rate), {1, 100'000}), "",
       "Placements per second over all bridges at first; adapts to how fast answers come.", ""});
  table.push_back({"selection.global-rate-min",
                   integer(BASCULE_CONFIG_AT(focus.placement.global_rate_min), {1, 100'000}), "",
                   "... and never falls below this.", ""});
  table.push_back({"selection.latency-good",
                   duration(BASCULE_CONFIG_AT(focus.placement.latency_good), kShortWait), "",
                   "The rate rises while nine of ten answers come within this time ...", ""});
  table.push_back({"selection.latency-bad",
                   duration(BASCULE_CONFIG_AT(focus.placement.latency_bad), kShortWait), "",
                   "... and is cut when they take longer than this.", ""});
  table.push_back({"selection.global-burst",
                   integer(BASCULE_CONFIG_AT(focus.placement.global_burst), {1, 10'000}), "",
                   "Placements at once over all bridges.", ""});
  table.push_back(
      {"selection.slow-start",
       duration(BASCULE_CONFIG_AT(focus.placement.slow_start), {seconds{0}, minutes{10}}), "",
       "A started bridge gets its full pace after this time.", ""});
  table.push_back(
      {"selection.slow-start-floor",
       permille(BASCULE_CONFIG_AT(focus.placement.slow_start_floor_permille), {1'000, 1'000'000}),
       "", "Share of the pace right after the start.", ""});
  table.push_back(
      {"selection.slow-start-full",
       permille(BASCULE_CONFIG_AT(focus.placement.slow_start_full_permille), {1'000, 1'000'000}),
       "", "... while the fleet is full.", ""});
  table.push_back({"selection.hot-brake",
                   stress(BASCULE_CONFIG_AT(focus.placement.hot_brake), {300'000, 2'000'000}), "",
                   "Reported stress above which the pace drops to a quarter.", ""});
  table.push_back(
      {"selection.hot-brake-time",
       duration(BASCULE_CONFIG_AT(focus.placement.hot_brake_time), {seconds{0}, minutes{10}}), "",
       "For this long.", ""});
  table.push_back({"selection.max-in-flight",
                   integer(BASCULE_CONFIG_AT(focus.placement.max_in_flight), {1, 10'000}), "",
                   "Allocations one bridge may have unanswered.", ""});
}

void add_queue_keys(std::vector<Key>& table) {
  table.push_back({"selection.small-need-after",
                   duration(BASCULE_CONFIG_AT(focus.placement.small_need_after), kShortWait), "",
                   "After this wait a new conference accepts less room.", ""});
  table.push_back({"selection.region-patience",
                   duration(BASCULE_CONFIG_AT(focus.placement.region_patience), kShortWait), "",
                   "A region with room but without pace is preferred for this long.", ""});
  table.push_back({"selection.quantum",
                   integer(BASCULE_CONFIG_AT(focus.placement.quantum), {1, 64}), "",
                   "Placements of one room per turn of the queue.", ""});
  table.push_back({"selection.max-tickets",
                   integer(BASCULE_CONFIG_AT(focus.placement.max_tickets), {1, 1'000'000}), "",
                   "Placements waiting at most.", ""});
  table.push_back({"selection.max-decisions-per-drain",
                   integer(BASCULE_CONFIG_AT(focus.placement.max_decisions_per_drain), kCount), "",
                   "Work of one turn.", ""});
  table.push_back({"selection.max-blocked-rooms-per-drain",
                   integer(BASCULE_CONFIG_AT(focus.placement.max_blocked_rooms_per_drain), kCount),
                   "", "Rooms found waiting before a turn ends.", ""});
  table.push_back({"selection.recheck",
                   duration(BASCULE_CONFIG_AT(focus.placement.recheck), kShortWait), "",
                   "The queue is looked at again after this time at the latest.", ""});
  table.push_back({"selection.drain-spacing",
                   duration(BASCULE_CONFIG_AT(focus.placement.drain_spacing), kShortWait), "",
                   "... and not more often than this while it is blocked.", ""});
}

void add_retry_keys(std::vector<Key>& table) {
  table.push_back({"selection.avoid-time",
                   duration(BASCULE_CONFIG_AT(focus.placement.avoid_time), kShortWait), "",
                   "A bridge that refused a participant is avoided for this long.", ""});
  table.push_back({"selection.retry-free",
                   integer(BASCULE_CONFIG_AT(focus.placement.retry_free), {0, 1000}), "",
                   "Failures of a room before it has to wait.", ""});
  table.push_back({"selection.retry-wait",
                   duration(BASCULE_CONFIG_AT(focus.placement.retry_wait), kShortWait), "",
                   "First wait; doubles.", ""});
  table.push_back({"selection.retry-wait-max",
                   duration(BASCULE_CONFIG_AT(focus.placement.retry_wait_max), kShortWait), "",
                   "Longest wait.", ""});
  table.push_back({"selection.retry-memory",
                   duration(BASCULE_CONFIG_AT(focus.placement.retry_memory), kLongWait), "",
                   "So long without a failure forgets.", ""});
  table.push_back({"selection.retry-budget",
                   integer(BASCULE_CONFIG_AT(focus.placement.retry_budget), {1, 1000}), "",
                   "Re-invites of a conference in that time, in multiples of its size, before ...",
                   ""});
  table.push_back({"selection.retry-budget-wait",
                   duration(BASCULE_CONFIG_AT(focus.placement.retry_budget_wait), kShortWait), "",
                   "... every further one makes it wait this long.", ""});
}

void add_failure_keys(std::vector<Key>& table) {
  table.push_back({"selection.quarantine-base",
                   duration(BASCULE_CONFIG_AT(focus.placement.quarantine_base), kLongWait), "",
                   "Quarantine after the first failure of a bridge; doubles.", ""});
  table.push_back({"selection.quarantine-max",
                   duration(BASCULE_CONFIG_AT(focus.placement.quarantine_max), kLongWait), "",
                   "Longest doubled quarantine.", ""});
  table.push_back({"selection.flapping-failures",
                   integer(BASCULE_CONFIG_AT(focus.placement.flapping_failures), {1, 1000}), "",
                   "Failures that make a bridge count as flapping.", ""});
  table.push_back({"selection.quarantine-flapping",
                   duration(BASCULE_CONFIG_AT(focus.placement.quarantine_flapping), kLongWait), "",
                   "Quarantine of such a bridge.", ""});
  table.push_back({"selection.quarantine-memory",
                   duration(BASCULE_CONFIG_AT(focus.placement.quarantine_memory), kLongWait), "",
                   "So long without a failure forgets.", ""});
  table.push_back(
      {"selection.capacity-cut",
       permille(BASCULE_CONFIG_AT(focus.placement.capacity_cut_permille), {100'000, 1'000'000}), "",
       "Share of the capacity a bridge keeps after dying while busy.", ""});
  table.push_back({"selection.capacity-floor",
                   stress(BASCULE_CONFIG_AT(focus.placement.capacity_floor), {100'000, 1'000'000}),
                   "", "Repeated cuts stop here.", ""});
  table.push_back({"selection.capacity-recovery",
                   stress(BASCULE_CONFIG_AT(focus.placement.capacity_recovery), kShare), "",
                   "Capacity regained per period.", ""});
  table.push_back({"selection.capacity-recovery-period",
                   duration(BASCULE_CONFIG_AT(focus.placement.capacity_recovery_period), kLongWait),
                   "", "The period.", ""});
}

void add_settle_keys(std::vector<Key>& table) {
  table.push_back({"selection.settle-quiet",
                   duration(BASCULE_CONFIG_AT(focus.placement.settle_quiet), kShortWait), "",
                   "After a reconnect limits are lower until no new bridge came for this long ...",
                   ""});
  table.push_back({"selection.settle-max",
                   duration(BASCULE_CONFIG_AT(focus.placement.settle_max), kShortWait), "",
                   "... or after this time.", ""});
  table.push_back(
      {"selection.settle-factor",
       permille(BASCULE_CONFIG_AT(focus.placement.settle_permille), {100'000, 1'000'000}), "",
       "Share of every limit in force meanwhile.", ""});
  table.push_back(
      {"selection.settle-present",
       permille(BASCULE_CONFIG_AT(focus.placement.settle_present_permille), {100'000, 1'000'000}),
       "", "... or when this share of the known bridges is there.", ""});
  table.push_back({"selection.settle-min-bridges",
                   integer(BASCULE_CONFIG_AT(focus.placement.settle_min_bridges), {0, 1000}), "",
                   "New rooms are put off while settling with fewer bridges.", ""});
  table.push_back({"selection.overload-queue-seconds",
                   integer(BASCULE_CONFIG_AT(focus.placement.overload_queue_seconds), {0, 600}), "",
                   "New rooms are put off when the queue holds more seconds of work.", ""});
  table.push_back({"selection.pressure",
                   permille(BASCULE_CONFIG_AT(focus.placement.pressure_permille), kShare), "",
                   "The fleet is full when a smaller share of its bridges has room.", ""});
  table.push_back({"selection.overload-wait",
                   duration(BASCULE_CONFIG_AT(focus.placement.overload_wait), kShortWait), "",
                   "... or when one has been waiting for this long.", ""});
  table.push_back({"selection.max-bridges",
                   integer(BASCULE_CONFIG_AT(focus.placement.max_bridges), {1, 100'000}), "",
                   "Bridges known at once.", ""});
}

}  // namespace

void add_selection_keys(std::vector<Key>& table) {
  add_selection_rule_keys(table);
  add_load_keys(table);
  add_pace_keys(table);
  add_queue_keys(table);
  add_retry_keys(table);
  add_failure_keys(table);
  add_settle_keys(table);
}

}  // namespace bascule::config
