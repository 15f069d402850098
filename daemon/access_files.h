#pragma once

#include <memory>

#include "admin/access.h"
#include "config/layers.h"
#include "daemon/log_sink.h"

namespace bascule::daemon {

/// Under systemd the Unix socket is in the unit's RuntimeDirectory, unless the operator set
/// admin.unix-socket.
void default_admin_socket(config::LoadedConfig& loaded);

/// Who may do what over HTTP, from the files that the configuration names; refusals are logged.
/// `log` outlives it. Errors: as Access::open.
Result<std::shared_ptr<admin::Access>> open_access(const config::Admin& admin, LogSink& log);

/// Reads its files again (SIGHUP) and says what came of it.
void reload_access(admin::Access& access, LogSink& log);

}  // namespace bascule::daemon
