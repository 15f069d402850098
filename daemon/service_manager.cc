#include "daemon/service_manager.h"

#include <string>

#include <systemd/sd-daemon.h>

namespace bascule::daemon {

void notify_service_manager(std::string_view state) {
  // A service manager that cannot be reached is not a reason to stop signalling conferences.
  (void)sd_notify(0, std::string(state).c_str());
}

}  // namespace bascule::daemon
