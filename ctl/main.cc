// basculectl: what an operator does by hand.

#include <string>

#include <CLI/CLI.hpp>

#include "ctl/ask.h"
#include "ctl/ha_commands.h"
#include "ctl/stats_commands.h"
#include "ctl/stop_command.h"

namespace bascule::ctl {
namespace {

struct StopArguments {
  std::string url = kDefaultUrl;
  bool leave = false;
  bool when_empty = false;
  bool no_wait = false;

  [[nodiscard]] const char* mode() const {
    return when_empty ? "leave-when-empty" : leave ? "leave" : "suspend";
  }
};

const CLI::App* add_stop(CLI::App& cli, StopArguments& arguments) {
  CLI::App* stop = cli.add_subcommand(
      "stop",
      "End the running bascule; without an option the next process goes on with everything");
  stop->add_option("--url", arguments.url, "The running bascule")->capture_default_str();
  CLI::Option* leave = stop->add_flag("--leave", arguments.leave,
                                      "For good: end the conferences and leave the rooms");
  stop->add_flag("--when-empty", arguments.when_empty,
                 "With --leave: refuse new conferences, and wait until the last one has ended")
      ->needs(leave);
  stop->add_flag("--no-wait", arguments.no_wait, "Return at once");
  return stop;
}

int run(int argc, char** argv) {
  CLI::App cli{"Tools for operators of Bascule."};
  cli.set_version_flag("--version", std::string("basculectl ") + BASCULE_VERSION);
  cli.require_subcommand(1);
  CLI::App* stats = cli.add_subcommand("stats", "What is stored: state.db and stats.db");
  stats->require_subcommand(1);
  stats->fallthrough();

  StopArguments stop_arguments;
  const CLI::App* stop_command = add_stop(cli, stop_arguments);

  StatsCommands commands;
  std::string directory;
  CLI::Option* url =
      stats->add_option("--url", commands.url, "The running bascule to ask")->capture_default_str();
  const CLI::Option* dir =
      stats->add_option("--dir", directory, "Work on the files in this state directory instead")
          ->excludes(url);
  stats->add_flag("--json", commands.json, "Print one JSON object");

  const CLI::App* status =
      stats->add_subcommand("status", "How sound the store of a running bascule is");
  const CLI::App* verify = stats->add_subcommand("verify", "Read every page and record");
  std::string target;
  CLI::App* backup = stats->add_subcommand("backup", "Copy, also beside a running bascule");
  backup->add_option("TARGET", target, "New directory; with --dir only");
  std::string source;
  CLI::App* restore =
      stats->add_subcommand("restore", "Put a backup in place (--dir); bascule must be stopped");
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
  bool dry_run = false;
  bool force = false;
  CLI::App* rebuild = stats->add_subcommand(
      "rebuild", "Verify, write what is damaged anew, ask all sources again; with --dir: stopped");
  rebuild->add_flag("--dry-run", dry_run, "Say what would be kept and dropped");
  rebuild->add_flag("--force", force, "Write the history anew although it is sound");

  HaCommands pair;
  CLI::App* ha = cli.add_subcommand("ha", "Two processes, one of them active");
  ha->require_subcommand(1);
  ha->fallthrough();
  ha->add_option("--url", pair.url, "The running bascule to ask")->capture_default_str();
  ha->add_flag("--json", pair.json, "Print one JSON object");
  const CLI::App* ha_status =
      ha->add_subcommand("status", "Which one is active, and is the other one in sync");
  const CLI::App* switchover =
      ha->add_subcommand("switchover", "The active process hands over to the standby");

  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return cli.exit(error) == 0 ? kExitOk : kExitUsage;
  }
  if (stop_command->parsed()) {
    return stop(stop_arguments.url, stop_arguments.mode(), stop_arguments.no_wait);
  }
  if (dir->count() > 0) {
    commands.directory = directory;
  }
  if (ha_status->parsed()) {
    return pair.status();
  }
  if (switchover->parsed()) {
    return pair.switchover();
  }
  if (status->parsed()) {
    return commands.status();
  }
  if (verify->parsed()) {
    return commands.verify();
  }
  if (backup->parsed()) {
    return commands.backup(target);
  }
  if (restore->parsed()) {
    return commands.restore(source);
  }
  return rebuild->parsed() ? commands.rebuild(dry_run, force)
                           : commands.history(bridge, from, to, step_seconds);
}

}  // namespace
}  // namespace bascule::ctl

int main(int argc, char** argv) {
  return bascule::ctl::run(argc, argv);
}
