#include "ctl/cli.h"

#include <string>
#include <utility>

#include <CLI/CLI.hpp>

#include "base/version.h"
#include "ctl/bridge_commands.h"
#include "ctl/completion.h"
#include "ctl/conference_commands.h"
#include "ctl/config_commands.h"
#include "ctl/doctor_command.h"
#include "ctl/ha_commands.h"
#include "ctl/service_commands.h"
#include "ctl/stats_commands.h"
#include "ctl/status_command.h"
#include "ctl/stop_command.h"
#include "ctl/token_command.h"

namespace bascule::ctl {
namespace {

/// Adds one command with its options, its text and what it runs.
using AddCommand = void (*)(CLI::App&, Context&);

/// Every command, in the order of `--help`. A new one is one line here.
// clang-format off
constexpr AddCommand kCommands[] = {
    add_status,
    add_readiness,
    add_queue,
    add_bridges,
    add_bridge,
    add_drain,
    add_evacuate,
    add_undrain,
    add_conferences,
    add_conference,
    add_why,
    add_move,
    add_pin,
    add_unpin,
    add_pins,
    add_audit,
    add_log_level,
    add_config,
    add_stats,
    add_ha,
    add_stop,
    add_doctor,
    add_token,
    add_completion,
};
// clang-format on

std::string exit_statuses() {
  std::string text = "\nExit status:\n";
  for (const ExitStatus& each : kExitStatuses) {
    text += "  " + std::to_string(each.status) + "  " + each.meaning + "\n";
  }
  return text;
}

}  // namespace

void on_call(CLI::App& app, Context& context, std::function<int()> command) {
  app.callback([&context, command = std::move(command)] { context.exit_status = command(); });
}

std::unique_ptr<CLI::App> make_cli(Context& context) {
  auto cli = std::make_unique<CLI::App>("Tools for operators of Bascule.", "basculectl");
  cli->set_version_flag("--version",
                        std::string("basculectl ") + kVersion + " (revision " + kRevision + ")");
  cli->require_subcommand(1);
  cli->fallthrough();
  cli->footer(exit_statuses());
  cli->add_option(
         "--url", context.connection.url,
         "The running bascule: http://HOST:PORT, https://HOST:PORT or unix:/PATH. Without: "
         "BASCULE_URL, then /run/bascule/admin.sock, then http://127.0.0.1:8888")
      ->type_name("URL");
  cli->add_option("--token-file", context.connection.token_file,
                  "File whose first line is the token to show. Without: BASCULE_TOKEN")
      ->type_name("FILE");
  cli->add_option("--ca-file", context.connection.ca_file,
                  "Authorities to trust for https (PEM). Without: those of this machine")
      ->type_name("FILE");
  cli->add_flag("--json", context.json, "Print one JSON object and nothing else");
  for (const AddCommand add : kCommands) {
    add(*cli, context);
  }
  return cli;
}

}  // namespace bascule::ctl
