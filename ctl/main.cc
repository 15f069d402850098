// basculectl: what an operator does by hand.

#include <string>

#include <CLI/CLI.hpp>

#include "ctl/stats_commands.h"

namespace bascule::ctl {
namespace {

int run(int argc, char** argv) {
  CLI::App cli{"Tools for operators of Bascule."};
  cli.set_version_flag("--version", std::string("basculectl ") + BASCULE_VERSION);
  cli.require_subcommand(1);
  CLI::App* stats = cli.add_subcommand("stats", "The state directory: state.db and stats.db");
  stats->require_subcommand(1);
  stats->fallthrough();

  StatsCommands commands{.directory = "/var/lib/bascule"};
  stats->add_option("--dir", commands.directory, "State directory")->capture_default_str();
  stats->add_flag("--json", commands.json, "Print one JSON object");

  const CLI::App* verify = stats->add_subcommand("verify", "Read every page and record");
  std::string target;
  CLI::App* backup = stats->add_subcommand("backup", "Copy, also beside a running bascule");
  backup->add_option("TARGET", target, "New directory")->required();
  std::string source;
  CLI::App* restore =
      stats->add_subcommand("restore", "Put a backup in place; bascule must be stopped");
  restore->add_option("BACKUP", source, "Directory made by backup")->required();
  std::string bridge;
  std::string from;
  std::string to;
  int step_seconds = 60;
  CLI::App* history = stats->add_subcommand("history", "What a bridge reported");
  history->add_option("BRIDGE", bridge, "Nick or full address")->required();
  history->add_option("--from", from, "RFC 3339, UTC (an hour before --to)");
  history->add_option("--to", to, "RFC 3339, UTC (now)");
  history->add_option("--step", step_seconds, "Seconds per line")->capture_default_str();

  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return cli.exit(error) == 0 ? kExitOk : kExitUsage;
  }
  if (verify->parsed()) {
    return commands.verify();
  }
  if (backup->parsed()) {
    return commands.backup(target);
  }
  return restore->parsed() ? commands.restore(source)
                           : commands.history(bridge, from, to, step_seconds);
}

}  // namespace
}  // namespace bascule::ctl

int main(int argc, char** argv) {
  return bascule::ctl::run(argc, argv);
}
