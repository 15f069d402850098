#include "daemon/start_up.h"

#include <cstdio>
#include <utility>

#include "daemon/log_key.h"
#include "daemon/store_upkeep.h"

namespace bascule::daemon {

LogOptions log_options(const config::Log& log) {
  LogFormat format = LogFormat::kText;
  if (log.format != config::LogFormat::kText) {
    format = log.format == config::LogFormat::kJson ? LogFormat::kJson : LogFormat::kLogfmt;
  }
  return {.level = log.level, .format = format, .hash_jids = log.hash_jids};
}

const std::string& log_key_directory(const config::Config& config) {
  const bool alone = config.ha.coordinator == config::HaCoordinator::kNone;
  return alone ? config.state.dir : config.ha.shared;
}

void use_log_key(LogSink& log, const config::Config& config, Now now) {
  if (!config.log.hash_jids) {
    return;
  }
  if (auto key = load_log_key(log_key_directory(config))) {
    log.use_hash_key(*std::move(key));
  } else {
    log.write({.level = focus::NoteLevel::kWarn,
               .event = "log.key_failed",
               .fields = {{"reason", key.error().what}}},
              now);
  }
}

Result<stats::sqlite::Store::Opened> open_store(
    const config::State& state, std::function<void(const stats::sqlite::Completion&)> on_done) {
  auto opened =
      stats::sqlite::Store::open({.directory = state.dir,
                                  .reports_max = static_cast<std::uint64_t>(state.history_rows),
                                  .reports_age_max = state.history_age,
                                  .minutes_max = static_cast<std::uint64_t>(state.history_minutes)},
                                 std::move(on_done));
  if (!opened) {
    std::fprintf(stderr, "bascule: cannot open the state directory %s: %s\n", state.dir.c_str(),
                 opened.error().what.c_str());
  }
  return opened;
}

CrashGuard::Options guard_options(const config::Config& config) {
  CrashGuard::Options options{.directory = config.state.dir,
                              .boot_id = {},
                              .room_domains = {config.focus.conference_service.domain()}};
  if (config.focus.breakout_service) {
    options.room_domains.push_back(config.focus.breakout_service->domain());
  }
  return options;
}

void log_ignored(LogSink& log, const config::Environment& environment, Now now) {
  for (const config::ContainerWarning& warning : config::ignored_variables(environment)) {
    log.write({.level = focus::NoteLevel::kWarn,
               .event = "config.variable_ignored",
               .fields = {{"variable", warning.variable}, {"effect", warning.effect}}},
              now);
  }
}

void log_guard(LogSink& log, const CrashGuard& guard, Now now) {
  for (const focus::Note& note : guard.notes()) {
    log.write(note, now);
  }
}

void log_start(LogSink& log, const stats::sqlite::Store::Opened& opened, std::string_view version,
               Now now) {
  const stats::LoadReport& report = opened.report;
  const focus::Restored& restored = opened.restored;
  using focus::NoteLevel;
  for (const stats::Finding& finding : report.findings) {
    log.write(damage_note(finding), now);
  }
  for (const auto& migration : report.migrations) {
    log.write({.level = NoteLevel::kInfo,
               .event = "store.migrated",
               .fields = {{"file", migration.file},
                          {"from", migration.from},
                          {"to", migration.to},
                          {"copy", migration.copy}}},
              now);
  }
  for (const std::string& moved : report.moved_to) {
    log.write({.level = NoteLevel::kWarn, .event = "store.moved_aside", .fields = {{"to", moved}}},
              now);
  }
  log.write(
      {.level = NoteLevel::kInfo,
       .event = "daemon.started",
       .fields = {{"version", std::string(version)},
                  {"conferences", static_cast<std::int64_t>(restored.tables.conferences.size())},
                  {"reports", static_cast<std::int64_t>(restored.reports.size())},
                  {"clean", report.clean}}},
      now);
}

}  // namespace bascule::daemon
