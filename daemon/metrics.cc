#include "daemon/metrics.h"

#include <utility>

#include "daemon/focus_metrics.h"
#include "daemon/http_metrics.h"
#include "daemon/link_metrics.h"
#include "daemon/placement_metrics.h"
#include "daemon/process_metrics.h"
#include "daemon/reload_metrics.h"
#include "daemon/session_metrics.h"
#include "daemon/store_metrics.h"

namespace bascule::daemon {
namespace {

using admin::Metrics;

/// The event loop and what leaves it.
void add_loop(const MetricsSources& sources, Metrics& metrics) {
  metrics.histogram("bascule_loop_turn_seconds", "How long turns of the event loop took.",
                    sources.loop.turns());
  metrics.histogram("bascule_loop_delay_seconds",
                    "How late a timer fired that is set ten times a second.",
                    sources.loop.delays());
  metrics.histogram("bascule_commit_seconds",
                    "From the end of a turn until what it changed was durable.",
                    sources.gate.commit_times());
  metrics.gauges({
      {"bascule_commit_degraded", "1 while effects leave before their operations are durable.",
       sources.gate.is_degraded()},
      {"bascule_commit_turns_waiting", "Loop turns waiting for the store.", sources.gate.waiting()},
  });
  metrics.counters({
      {"bascule_loop_turns_total", "Turns of the event loop.", sources.turns},
      {"bascule_commit_released_uncommitted_total",
       "Loop turns that left before their operations were durable.",
       sources.gate.released_uncommitted()},
      {"bascule_log_lines_suppressed_total", "Log lines over the rate limit.",
       sources.log_lines_suppressed},
  });
}

}  // namespace

admin::MetricsParts metrics_parts(MetricsSources given, Now now) {
  const auto sources = std::make_shared<const MetricsSources>(std::move(given));
  admin::MetricsParts parts;
  parts.emplace_back([sources, now](Metrics& metrics) {
    add_focus(sources->focus, now, metrics);
    add_placement(sources->focus.placement(), now, metrics);
  });
  parts.emplace_back([sources, now](Metrics& metrics) {
    add_focus_timings(sources->focus, metrics);
    add_sessions(sources->focus, now, metrics);
    add_links(sources->links, metrics);
  });
  parts.emplace_back([sources, now](Metrics& metrics) {
    add_loop(*sources, metrics);
    add_http(sources->http, metrics);
    add_process(sources->version, sources->revision, metrics);
    add_reloads(sources->reloader, metrics);
    add_store(sources->store, metrics);
    add_upkeep(sources->upkeep, now, metrics);
    if (sources->add) {
      sources->add(metrics);
    }
  });
  const auto views = std::make_shared<const std::vector<focus::BridgeView>>(
      sources->focus.placement().bridges(now));
  append_bridge_parts(views, sources->bridges.select(*views, now.mono), parts);
  return parts;
}

}  // namespace bascule::daemon
