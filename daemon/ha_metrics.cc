#include "daemon/ha_metrics.h"

#include <algorithm>

namespace bascule::daemon {

void add_ha(const HaStatus& status, admin::Metrics& metrics) {
  std::uint64_t lag = 0;
  std::optional<Duration> waited;
  for (const HaStatus::Peer& peer : status.peers) {
    lag = std::max(lag, peer.lag);
    waited = std::max(waited, peer.waited);
  }
  metrics.state("bascule_ha_role", "1 for what this process is.", "role", status.is_active ? 0 : 1,
                2, [](std::size_t i) { return i == 0 ? "active" : "standby"; });
  metrics.gauges({
      {"bascule_ha_epoch", "How often an active process began, as far as it is known.",
       status.epoch},
      {"bascule_ha_peers", "Processes connected to this one.", status.peers.size()},
      {"bascule_ha_in_sync", "1 while a standby has everything.", status.has_peer_in_sync()},
      {"bascule_ha_lag_commits", "Commits the standby does not have.", lag},
  });
  if (waited) {
    metrics.gauge("bascule_ha_replication_lag_seconds",
                  "Age of the oldest commit the standby has not confirmed.", *waited);
  }
  const HaCounters& counters = status.counters;
  metrics.counters({
      {"bascule_ha_takeovers_total", "Times this process became the active one.",
       counters.takeovers},
      {"bascule_ha_takeovers_stale_total", "Of these, without what the other one knew last.",
       counters.takeovers_stale},
      {"bascule_ha_switchovers_total", "Times this process handed over in order.",
       counters.switchovers},
      {"bascule_ha_switchovers_aborted_total", "Times it wanted to and went on.",
       counters.switchovers_aborted},
      {"bascule_ha_fenced_total", "Active processes killed because they hung.", counters.fenced},
      {"bascule_ha_degraded_total", "Times a standby was not waited for any more.",
       counters.degraded},
      {"bascule_ha_snapshots_total", "Whole states sent or received.", counters.snapshots},
  });
}

}  // namespace bascule::daemon
