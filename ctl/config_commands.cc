#include "ctl/config_commands.h"

#include <cstdio>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "config/toml/load.h"
#include "ctl/terminal.h"
#include "ctl/text.h"

namespace bascule::ctl {
namespace {

/// Everything that is wrong, a line each: file, line, key, value, what is allowed.
int check(const Context& context, const std::string& file) {
  const auto loaded = config::load(file, config::process_environment());
  Json problems = Json::array();
  if (!loaded) {
    for (const config::ConfigError& error : loaded.error()) {
      problems.push_back({{"key", error.key},
                          {"value", error.value},
                          {"message", error.message},
                          {"origin", config::to_string(error.origin)},
                          {"line", error.origin.line}});
      if (!context.json) {
        std::fprintf(stderr, "%s\n", printable(config::to_string(error, file)).c_str());
      }
    }
  }
  if (context.json) {
    print_json({{"file", file}, {"sound", problems.empty()}, {"problems", problems}});
  } else if (problems.empty()) {
    std::printf("%s: no problem found\n", file.c_str());
  }
  return problems.empty() ? kExitOk : kExitDamaged;
}

void print_keys(const Json& answer, bool changed_only) {
  Table table({{"key"}, {"value"}, {"origin"}});
  for (const Json& key : member(answer, "keys")) {
    const std::string origin = text_at(key, "origin");
    if (!changed_only || origin != "default") {
      table.add({{text_at(key, "key")}, {text_at(key, "value")}, {origin}});
    }
  }
  std::printf("# %s\n%s", text_at(answer, "file").c_str(), table.text(style_of_stdout()).c_str());
}

}  // namespace

void add_config(CLI::App& cli, Context& context) {
  CLI::App* config = cli.add_subcommand("config", "The configuration: of a file, or in force");
  config->require_subcommand(1);

  const auto file = std::make_shared<std::string>("/etc/bascule/bascule.toml");
  CLI::App* check_command = config->add_subcommand(
      "check", "Read a file as the daemon would: all mistakes at once; nothing needs to run");
  check_command->add_option("FILE", *file, "What to read")->capture_default_str();
  on_call(*check_command, context, [file, &context] { return check(context, *file); });

  const auto changed = std::make_shared<bool>(false);
  CLI::App* show = config->add_subcommand(
      "show", "What is in force, and where each value comes from; secrets are not shown");
  show->add_flag("--changed", *changed, "Only what is not the default");
  on_call(*show, context, [changed, &context] {
    return finish(ask_json(context.connection, "GET", "/v1/config"), context.json,
                  [changed](const Json& answer) { print_keys(answer, *changed); });
  });
}

}  // namespace bascule::ctl
