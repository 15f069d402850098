#pragma once

#include <functional>

#include "base/time.h"
#include "config/config.h"
#include "daemon/crash_guard.h"
#include "daemon/log_sink.h"
#include "stats/sqlite/store.h"

namespace bascule::daemon {

[[nodiscard]] LogOptions log_options(const config::Log& log);

/// Opens the store that the configuration names; says on stderr what is wrong when it cannot be.
Result<stats::sqlite::Store::Opened> open_store(
    const config::State& state, std::function<void(const stats::sqlite::Completion&)> on_done);

[[nodiscard]] CrashGuard::Options guard_options(const config::Config& config);

/// What earlier processes died of.
void log_guard(LogSink& log, const CrashGuard& guard, Now now);

/// What was found in the store.
void log_start(LogSink& log, const stats::sqlite::Store::Opened& opened, std::string_view version,
               Now now);

}  // namespace bascule::daemon
