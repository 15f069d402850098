// basculectl: what an operator does by hand.

#include <clocale>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

#include "ctl/cli.h"
#include "ctl/completion.h"

int main(int argc, char** argv) {
  std::setlocale(LC_CTYPE, "");  // How wide letters are, and whether there are more than ASCII.
  if (argc > 1 && std::string_view(argv[1]) == "__complete") {
    // Before anything else: what is being typed need not make sense yet.
    return bascule::ctl::print_completion(std::vector<std::string>(argv + 2, argv + argc));
  }
  bascule::ctl::Context context;
  const auto cli = bascule::ctl::make_cli(context);
  try {
    cli->parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return cli->exit(error) == 0 ? bascule::ctl::kExitOk : bascule::ctl::kExitUsage;
  }
  return context.exit_status;
}
