#pragma once

#include <string_view>

namespace bascule::daemon {

/// Tells systemd, when it started us (`NOTIFY_SOCKET`), what sd_notify(3) describes: "READY=1",
/// "STATUS=...", "STOPPING=1", "WATCHDOG=1". Without systemd it does nothing.
void notify_service_manager(std::string_view state);
/// A reload begins; "READY=1" ends it.
void notify_reloading();

}  // namespace bascule::daemon
