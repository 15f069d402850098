// bascule: the conference focus.

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "config/print.h"
#include "config/toml/load.h"
#include "daemon/app.h"
#include "daemon/clock.h"
#include "daemon/crash_guard.h"
#include "daemon/exit_status.h"
#include "daemon/log_sink.h"
#include "daemon/socket_holder.h"
#include "daemon/store_upkeep.h"
#include "daemon/supervisor.h"

namespace bascule::daemon {
namespace {

struct Arguments {
  std::string config = "/etc/bascule/bascule.toml";
  bool check_config = false;
  bool print_config = false;
  bool supervise = false;
};

void log_start(LogSink& log, const stats::LoadReport& report, const focus::Restored& restored,
               Now now) {
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
       .fields = {{"version", std::string(BASCULE_VERSION)},
                  {"conferences", static_cast<std::int64_t>(restored.tables.conferences.size())},
                  {"reports", static_cast<std::int64_t>(restored.reports.size())},
                  {"clean", report.clean}}},
      now);
}

LogOptions log_options(const config::Config& config) {
  return {
      .level = config.log.level,
      .format = config.log.format == config::LogFormat::kJson ? LogFormat::kJson : LogFormat::kText,
      .hash_jids = config.log.hash_jids};
}

/// Of the file that runs now; its successor after an upgrade has the same path.
std::string own_path() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error).string();
}

std::vector<std::string> room_domains(const config::Config& config) {
  std::vector<std::string> domains{config.focus.conference_service.domain()};
  if (config.focus.breakout_service) {
    domains.push_back(config.focus.breakout_service->domain());
  }
  return domains;
}

int serve(const config::Config& config) {
  LogSink log(log_options(config));
  boost::asio::io_context io{1};
  const std::unique_ptr<SocketHolder> holder = SocketHolder::from_environment(io);
  App* running = nullptr;  // Completions that arrive before or after the loop have no addressee.
  auto opened = stats::sqlite::Store::open(
      {.directory = config.state.dir,
       .reports_max = static_cast<std::uint64_t>(config.state.history_rows),
       .reports_age_max = config.state.history_age,
       .minutes_max = static_cast<std::uint64_t>(config.state.history_minutes)},
      [&io, &running](const stats::sqlite::Completion& completion) {
        boost::asio::post(io, [&running, completion] {
          if (running != nullptr) {
            running->completed(completion);
          }
        });
      });
  if (!opened) {
    std::fprintf(stderr, "bascule: cannot open the state directory %s: %s\n",
                 config.state.dir.c_str(), opened.error().what.c_str());
    return kExitStart;
  }
  log_start(log, opened->report, opened->restored, read_clocks());
  CrashGuard guard(
      {.directory = config.state.dir, .boot_id = {}, .room_domains = room_domains(config)},
      read_clocks());
  for (const focus::Note& note : guard.notes()) {
    log.write(note, read_clocks());
  }
  opened->restored.poisoned = guard.poisoned();
  {
    App app(io, config, std::move(opened->restored), *opened->store, log,
            {.holder = holder.get(), .guard = &guard});
    running = &app;
    if (const auto started = app.start(); !started) {
      std::fprintf(stderr, "bascule: %s\n", started.error().what.c_str());
      return kExitStart;
    }
    io.run();
    running = nullptr;
  }
  return kExitOk;
}

int run(int argc, char** argv) {
  Arguments arguments;
  CLI::App cli{"Bascule: a conference focus and videobridge load balancer for Jitsi Meet."};
  cli.add_option("--config,-c", arguments.config, "Configuration file (TOML)")
      ->capture_default_str();
  cli.add_flag("--check-config", arguments.check_config,
               "Say everything that is wrong with it and exit");
  cli.add_flag("--print-config", arguments.print_config,
               "Print the effective values and their origin, without secrets, and exit");
  cli.add_flag("--supervise", arguments.supervise,
               "Run as the parent of the daemon: start it again when it crashes, and keep its\n"
               "session alive meanwhile (for containers; systemd does both by itself)");
  cli.set_version_flag("--version", std::string("bascule ") + BASCULE_VERSION);
  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return cli.exit(error) == 0 ? kExitOk : kExitConfig;
  }
  auto loaded = config::load(arguments.config, config::process_environment());
  if (!loaded) {
    for (const auto& error : loaded.error()) {
      std::fprintf(stderr, "%s\n", config::to_string(error, arguments.config).c_str());
    }
    return kExitConfig;
  }
  loaded->config.focus.version = BASCULE_VERSION;
  if (arguments.print_config) {
    std::fputs(config::print_config(*loaded).c_str(), stdout);
    return kExitOk;
  }
  if (arguments.check_config) {
    std::printf("%s: no problem found\n", arguments.config.c_str());
    return kExitOk;
  }
  if (arguments.supervise) {
    LogSink log(log_options(loaded->config));
    return supervise({own_path(), "--config", arguments.config}, log);
  }
  std::signal(SIGPIPE, SIG_IGN);  // A closed socket is an error code, not the end of the process.
  return serve(loaded->config);
}

}  // namespace
}  // namespace bascule::daemon

int main(int argc, char** argv) {
  return bascule::daemon::run(argc, argv);
}
