// basculectl: what an operator does by hand.

#include <CLI/CLI.hpp>

#include "ctl/cli.h"

int main(int argc, char** argv) {
  bascule::ctl::Context context;
  const auto cli = bascule::ctl::make_cli(context);
  try {
    cli->parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return cli->exit(error) == 0 ? bascule::ctl::kExitOk : bascule::ctl::kExitUsage;
  }
  return context.exit_status;
}
