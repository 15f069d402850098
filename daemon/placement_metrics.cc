#include "daemon/placement_metrics.h"

#include <string>
#include <vector>

namespace bascule::daemon {
namespace {

using admin::Metrics;
using focus::PlacementCounters;

constexpr admin::CounterRow<PlacementCounters> kCounters[] = {
    {"bascule_tickets_total", "Participants that asked for a place.",
     &focus::PlacementCounters::tickets},
    {"bascule_tickets_refused_total", "Tickets the full queue did not take; asked again later.",
     &focus::PlacementCounters::tickets_refused},
    {"bascule_tickets_cancelled_total", "Tickets given back before they were served.",
     &focus::PlacementCounters::tickets_cancelled},
    {"bascule_splits_total", "Conferences that got a second bridge.",
     &focus::PlacementCounters::splits},
    {"bascule_spares_activated_total", "Standby bridges taken into use.",
     &focus::PlacementCounters::spares_activated},
    {"bascule_ice_quarantines_total", "Bridges put aside because participants could not connect.",
     &focus::PlacementCounters::ice_quarantines},
    {"bascule_isolations_total", "Conferences suspected of killing bridges.",
     &focus::PlacementCounters::isolations},
    {"bascule_mass_drops_total", "Times most participants vanished at once.",
     &focus::PlacementCounters::mass_drops},
    {"bascule_pauses_total", "Times the process or its machine had been stopped.",
     &focus::PlacementCounters::pauses},
};

template <class Enum>
auto names() {
  return [](std::size_t i) { return focus::to_string(static_cast<Enum>(i)); };
}

void add_estimate_errors(const PlacementCounters& counters, Metrics& metrics) {
  std::vector<double> edges;
  for (const std::int64_t edge : focus::kEstimateErrorEdges) {
    edges.push_back(static_cast<double>(edge) / 1e6);
  }
  metrics.histogram("bascule_bridge_estimate_error",
                    "How far new reports were from what was expected of them; 1 is full.", edges,
                    {counters.estimate_errors.begin(), counters.estimate_errors.end()},
                    static_cast<double>(counters.estimate_error_sum) / 1e6);
}

void add_queue(const focus::Placement& placement, Now now, Metrics& metrics) {
  for (std::size_t i = 0; i < focus::kTicketClassCount; ++i) {
    const auto ticket_class = static_cast<focus::TicketClass>(i);
    const admin::MetricLabels labels{{"class", std::string(focus::to_string(ticket_class))}};
    metrics.gauge("bascule_queue_tickets", "Participants waiting for a bridge.",
                  placement.queued(ticket_class), labels);
    metrics.histogram("bascule_queue_wait_seconds",
                      "From a participant's ticket to its place, by class.",
                      placement.counters().queue_wait.at(i), labels);
  }
  metrics.gauges({
      {"bascule_queue_oldest_wait_seconds", "Wait of the oldest ticket.",
       placement.oldest_wait(now)},
      {"bascule_overloaded", "1 while new rooms are answered ready=false.",
       placement.overload(now) != focus::Overload::kNone},
  });
}

}  // namespace

void add_placement(const focus::Placement& placement, Now now, Metrics& metrics) {
  const PlacementCounters& counters = placement.counters();
  metrics.counters(kCounters, counters);
  metrics.counters_by("bascule_placements_total",
                      "Placements on bridges, by the rule that made them.", "reason",
                      counters.placed, names<focus::PlacementReason>());
  metrics.counters_by("bascule_waits_total",
                      "Looks at a ticket that had to wait, by what it lacked.", "reason",
                      counters.waits, names<focus::WaitReason>());
  metrics.counters_by("bascule_moves_wanted_total",
                      "Participants asked to leave a bridge that works.", "cause", counters.moves,
                      names<focus::MoveCause>());
  metrics.counters_by("bascule_bridge_failures_total",
                      "Bridges that failed or went away, by cause.", "cause",
                      counters.bridge_failures, names<focus::FailureCause>());
  add_estimate_errors(counters, metrics);
  metrics.state("bascule_mode", "1 for the mode in force.", "mode",
                static_cast<std::size_t>(placement.mode()), focus::kModeCount,
                names<focus::Mode>());
  metrics.state("bascule_stats_blind", "1 for how much of the fleet tells no load.", "extent",
                static_cast<std::size_t>(placement.blindness().extent()),
                focus::kBlindnessExtentCount, names<focus::Blindness::Extent>());
  add_queue(placement, now, metrics);
}

}  // namespace bascule::daemon
