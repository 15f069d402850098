#include "daemon/reload_metrics.h"

namespace bascule::daemon {

void add_reloads(const Reloader* reloader, admin::Metrics& metrics) {
  if (reloader == nullptr) {
    return;
  }
  const Reloader::Status& status = reloader->status();
  constexpr auto kReloads = "bascule_config_reloads_total";
  constexpr auto kHelp = "Times the configuration was read again.";
  metrics.counters({{kReloads, kHelp, status.succeeded, {{"outcome", "success"}}},
                    {kReloads, kHelp, status.failed, {{"outcome", "failure"}}}});
  metrics.gauges({
      {"bascule_config_last_reload_successful", "0 after one that failed.", !status.last_failed},
      {"bascule_config_last_reload_success_timestamp_seconds",
       "When it last succeeded, seconds since 1970; 0: never.",
       status.last_success.value_or(WallTime()).time_since_epoch()},
  });
}

}  // namespace bascule::daemon
