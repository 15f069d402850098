#pragma once

#include <functional>
#include <string>

#include "base/time.h"
#include "config/config.h"
#include "config/container.h"
#include "daemon/crash_guard.h"
#include "daemon/log_sink.h"
#include "stats/sqlite/store.h"

namespace bascule::daemon {

[[nodiscard]] LogOptions log_options(const config::Log& log);

/// Where the key that a log is hashed with lies.
[[nodiscard]] const std::string& log_key_directory(const config::Config& config);

/// When people are to be hashed: with the key of this installation, which two processes share. Logs
/// when there is none to be had; then hashes are those of this process.
void use_log_key(LogSink& log, const config::Config& config, Now now);

/// Opens the store that the configuration names; says on stderr what is wrong when it cannot be.
Result<stats::sqlite::Store::Opened> open_store(
    const config::State& state, std::function<void(const stats::sqlite::Completion&)> on_done);

[[nodiscard]] CrashGuard::Options guard_options(const config::Config& config);

/// Says what of the stock container's variables is not followed although it matters.
void log_ignored(LogSink& log, const config::Environment& environment, Now now);

/// What earlier processes died of.
void log_guard(LogSink& log, const CrashGuard& guard, Now now);

/// What was found in the store.
void log_start(LogSink& log, const stats::sqlite::Store::Opened& opened, std::string_view version,
               Now now);

}  // namespace bascule::daemon
