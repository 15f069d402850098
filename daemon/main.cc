// bascule: the conference focus.

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "base/version.h"
#include "config/print.h"
#include "config/toml/load.h"
#include "daemon/access_files.h"
#include "daemon/app.h"
#include "daemon/cli.h"
#include "daemon/clock.h"
#include "daemon/crash_guard.h"
#include "daemon/exit_status.h"
#include "daemon/health_probe.h"
#include "daemon/log_key.h"
#include "daemon/pair.h"
#include "daemon/reloader.h"
#include "daemon/socket_holder.h"
#include "daemon/start_up.h"
#include "daemon/supervisor.h"

namespace bascule::daemon {
namespace {

/// Of the file that runs now; its successor after an upgrade has the same path.
std::string own_path() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error).string();
}

/// Reads the configuration as the start does.
Reloader::Load loader(const std::string& path) {
  return [path] {
    auto loaded = config::load(path, config::process_environment());
    if (loaded) {
      default_admin_socket(*loaded);
    }
    return loaded;
  };
}

int serve(config::LoadedConfig& loaded, const std::string& path) {
  const config::Config& config = loaded.config;
  LogSink log(log_options(config.log));
  Reloader reloader(loaded, path, loader(path), log);
  boost::asio::io_context io{1};
  const std::unique_ptr<SocketHolder> holder = SocketHolder::from_environment(io);
  App* running = nullptr;  // Completions that arrive before or after the loop have no addressee.
  const auto access = open_access(config.admin, log);
  if (!access) {
    std::fprintf(stderr, "bascule: %s\n", access.error().what.c_str());
    return kExitStart;
  }
  auto opened = open_store(config.state, [&io, &running](const auto& completion) {
    boost::asio::post(io, [&running, completion] {
      if (running != nullptr) {
        running->completed(completion);
      }
    });
  });
  if (!opened) {
    return kExitStart;
  }
  use_log_key(log, config, read_clocks());
  log_start(log, *opened, config.focus.version, read_clocks());
  CrashGuard guard(guard_options(config), read_clocks());
  log_guard(log, guard, read_clocks());
  opened->restored.poisoned = guard.poisoned();
  {
    App app(io, config, opened->restored, *opened->store, log,
            {.holder = holder.get(), .guard = &guard, .reloader = &reloader, .access = *access});
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

int print_health(const config::Admin& admin) {
  if (const auto alive = probe_health(
          {.address = admin.address, .port = admin.port, .tls = !admin.tls_certificate.empty()});
      !alive) {
    std::fprintf(stderr, "bascule: %s\n", alive.error().what.c_str());
    return kExitUnhealthy;
  }
  return kExitOk;
}

int print_log_hash(const config::Config& config, const std::string& text) {
  const auto key = load_log_key(log_key_directory(config));
  if (!key) {
    std::fprintf(stderr, "bascule: %s\n", key.error().what.c_str());
    return kExitStart;
  }
  std::printf("%s\n", hash_for_log(*key, text).c_str());
  return kExitOk;
}

int run(int argc, char** argv) {
  Arguments arguments;
  const auto cli = make_cli(arguments);
  try {
    cli->parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return cli->exit(error) == 0 ? kExitOk : kExitConfig;
  }
  auto loaded = loader(arguments.config)();
  if (!loaded) {
    for (const auto& error : loaded.error()) {
      std::fprintf(stderr, "%s\n", config::to_string(error, arguments.config).c_str());
    }
    return kExitConfig;
  }
  loaded->config.focus.version = kVersion;
  loaded->config.revision = kRevision;
  if (arguments.print_config) {
    std::fputs(config::print_config(*loaded).c_str(), stdout);
    return kExitOk;
  }
  if (arguments.check_config) {
    for (const auto& warning : config::ignored_variables(config::process_environment())) {
      std::printf("warning: environment %s is not followed: %s\n", warning.variable.c_str(),
                  warning.effect.c_str());
    }
    std::printf("%s: no problem found\n", arguments.config.c_str());
    return kExitOk;
  }
  if (arguments.health) {
    return print_health(loaded->config.admin);
  }
  if (!arguments.log_hash.empty()) {
    return print_log_hash(loaded->config, arguments.log_hash);
  }
  if (arguments.supervise) {
    LogSink log(log_options(loaded->config.log));
    return supervise({own_path(), "--config", arguments.config}, log);
  }
  {
    LogSink log(log_options(loaded->config.log));
    log_ignored(log, config::process_environment(), read_clocks());
  }
  std::signal(SIGPIPE, SIG_IGN);  // A closed socket is an error code, not the end of the process.
  if (loaded->config.ha.coordinator != config::HaCoordinator::kNone) {
    return serve_pair(*loaded, arguments.config, loader(arguments.config)) ? kExitOk : kExitStart;
  }
  return serve(*loaded, arguments.config);
}

}  // namespace
}  // namespace bascule::daemon

int main(int argc, char** argv) {
  return bascule::daemon::run(argc, argv);
}
