#include "ctl/bridge_commands.h"

#include <cstdio>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "ctl/bridge_text.h"
#include "ctl/names.h"
#include "ctl/status_view.h"
#include "ctl/terminal.h"

namespace bascule::ctl {

void add_bridges(CLI::App& cli, Context& context) {
  CLI::App* command =
      cli.add_subcommand("bridges", "Every bridge: those in trouble first, then by load");
  on_call(*command, context, [&context] {
    return finish(
        ask_json(context.connection, "GET", "/v1/bridges"), context.json, [](const Json& answer) {
          std::fputs(bridges_text(member(answer, "bridges"), style_of_stdout()).c_str(), stdout);
        });
  });
}

void add_bridge(CLI::App& cli, Context& context) {
  const auto bridge = std::make_shared<std::string>();
  CLI::App* command =
      cli.add_subcommand("bridge", "One bridge with all its numbers and its conferences");
  command->add_option("BRIDGE", *bridge, "Nick or full address")->required();
  on_call(*command, context, [bridge, &context] {
    return finish(ask_json(context.connection, "GET", bridge_path(*bridge)), context.json,
                  [](const Json& answer) {
                    std::fputs(bridge_text(answer, style_of_stdout()).c_str(), stdout);
                  });
  });
}

}  // namespace bascule::ctl
