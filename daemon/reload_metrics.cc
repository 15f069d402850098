#include "daemon/reload_metrics.h"

namespace bascule::daemon {

void add_reloads(const Reloader* reloader, admin::Metrics& metrics) {
  if (reloader == nullptr) {
    return;
  }
  const Reloader::Status& status = reloader->status();
  constexpr const char* kReloads = "bascule_config_reloads_total";
  constexpr const char* kReloadsHelp = "Times the configuration was read again.";
  metrics.counter(kReloads, kReloadsHelp, static_cast<double>(status.succeeded),
                  {{"outcome", "success"}});
  metrics.counter(kReloads, kReloadsHelp, static_cast<double>(status.failed),
                  {{"outcome", "failure"}});
  metrics.gauge("bascule_config_last_reload_successful", "0 after one that failed.",
                status.last_failed ? 0 : 1);
  metrics.gauge("bascule_config_last_reload_success_timestamp_seconds",
                "When it last succeeded, seconds since 1970; 0: never.",
                status.last_success
                    ? static_cast<double>(status.last_success->time_since_epoch().count()) / 1e6
                    : 0);
}

}  // namespace bascule::daemon
