#include "daemon/cli.h"

#include <CLI/CLI.hpp>

#include "base/version.h"

namespace bascule::daemon {

std::unique_ptr<CLI::App> make_cli(Arguments& arguments) {
  auto cli = std::make_unique<CLI::App>(
      "Bascule: a conference focus and videobridge load balancer for Jitsi Meet.", "bascule");
  cli->add_option("--config,-c", arguments.config, "Configuration file (TOML)")
      ->type_name("FILE")
      ->capture_default_str();
  cli->add_flag("--check-config", arguments.check_config,
                "Say everything that is wrong with it and exit");
  cli->add_flag("--print-config", arguments.print_config,
                "Print the effective values and their origin, without secrets, and exit");
  cli->add_flag("--supervise", arguments.supervise,
                "Run as the parent of the daemon: start it again when it crashes, and keep its "
                "session alive meanwhile (for containers; systemd does both by itself)");
  cli->add_flag("--health", arguments.health,
                "Exit with 0 if a process with this configuration is alive, else with 1");
  cli->add_option(
         "--log-hash", arguments.log_hash,
         "Print what stands for this room or address in a log with log.hash-jids, and exit")
      ->type_name("TEXT");
  cli->set_version_flag("--version",
                        std::string("bascule ") + kVersion + " (revision " + kRevision + ")");
  return cli;
}

}  // namespace bascule::daemon
