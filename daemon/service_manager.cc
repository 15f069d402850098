#include "daemon/service_manager.h"

#include <cstdint>
#include <ctime>
#include <string>

#include <systemd/sd-daemon.h>

namespace bascule::daemon {

void notify_service_manager(std::string_view state) {
  // A service manager that cannot be reached is not a reason to stop signalling conferences.
  (void)sd_notify(0, std::string(state).c_str());
}

void notify_reloading() {
  // The same clock as systemd's, which tells this reload from an earlier one by it.
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  const std::int64_t micros = std::int64_t{time.tv_sec} * 1'000'000 + time.tv_nsec / 1'000;
  notify_service_manager("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(micros));
}

}  // namespace bascule::daemon
