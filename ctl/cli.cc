#include "ctl/cli.h"

#include <string>
#include <utility>

#include <CLI/CLI.hpp>

#include "base/version.h"
#include "ctl/ha_commands.h"
#include "ctl/stats_commands.h"
#include "ctl/stop_command.h"
#include "ctl/token_command.h"

namespace bascule::ctl {
namespace {

/// Adds one command with its options, its text and what it runs.
using AddCommand = void (*)(CLI::App&, Context&);

/// Every command, in the order of `--help`. A new one is one line here.
constexpr AddCommand kCommands[] = {
    add_stats,
    add_ha,
    add_stop,
    add_token,
};

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
  cli->add_option("--url", context.connection.url, "The running bascule to ask")
      ->capture_default_str();
  cli->add_flag("--json", context.json, "Print one JSON object");
  for (const AddCommand add : kCommands) {
    add(*cli, context);
  }
  return cli;
}

}  // namespace bascule::ctl
