#include "daemon/ha_metrics.h"

#include <algorithm>

namespace bascule::daemon {

void add_ha(const HaStatus& status, admin::Metrics& metrics) {
  for (const bool active : {true, false}) {
    metrics.gauge("bascule_ha_role", "1 for what this process is.",
                  status.is_active == active ? 1 : 0, {{"role", active ? "active" : "standby"}});
  }
  metrics.gauge("bascule_ha_epoch", "How often an active process began, as far as it is known.",
                static_cast<double>(status.epoch));
  metrics.gauge("bascule_ha_peers", "Processes connected to this one.",
                static_cast<double>(status.peers.size()));
  metrics.gauge("bascule_ha_in_sync", "1 while a standby has everything.",
                status.has_peer_in_sync() ? 1 : 0);
  std::uint64_t lag = 0;
  for (const HaStatus::Peer& peer : status.peers) {
    lag = std::max(lag, peer.lag);
  }
  metrics.gauge("bascule_ha_lag_commits", "Commits the standby does not have.",
                static_cast<double>(lag));
  const HaCounters& counters = status.counters;
  metrics.counter("bascule_ha_takeovers_total", "Times this process became the active one.",
                  static_cast<double>(counters.takeovers));
  metrics.counter("bascule_ha_takeovers_stale_total",
                  "Of these, without what the other one knew last.",
                  static_cast<double>(counters.takeovers_stale));
  metrics.counter("bascule_ha_switchovers_total", "Times this process handed over in order.",
                  static_cast<double>(counters.switchovers));
  metrics.counter("bascule_ha_switchovers_aborted_total", "Times it wanted to and went on.",
                  static_cast<double>(counters.switchovers_aborted));
  metrics.counter("bascule_ha_fenced_total", "Active processes killed because they hung.",
                  static_cast<double>(counters.fenced));
  metrics.counter("bascule_ha_degraded_total", "Times a standby was not waited for any more.",
                  static_cast<double>(counters.degraded));
  metrics.counter("bascule_ha_snapshots_total", "Whole states sent or received.",
                  static_cast<double>(counters.snapshots));
}

}  // namespace bascule::daemon
