// bascule-manual: writes the manual pages into a folder, from the command lines and the table of
// configuration keys themselves.

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include <CLI/CLI.hpp>

#include "base/version.h"
#include "ctl/cli.h"
#include "ctl/exit_status.h"
#include "ctl/manual/page.h"
#include "daemon/cli.h"

namespace bascule::ctl::manual {
namespace {

struct Issue {
  std::string date;
  std::string source;
};

std::string basculectl_page(const Issue& issue) {
  Context context;
  const auto cli = ctl::make_cli(context);
  Page page("basculectl", 1, issue.date, issue.source);
  page.heading("NAME").text("basculectl - look at and act on a running bascule");
  page.heading("SYNOPSIS").text("basculectl COMMAND [OPTIONS]");
  page.heading("DESCRIPTION")
      .text(
          "basculectl asks the bascule(8) that runs on this or another machine over its HTTP "
          "interface. On a bad night begin with 'basculectl status': it says what is wrong and "
          "which command acts on it.\n\nWhere a BRIDGE is wanted its nick in the brewery is "
          "enough; where a ROOM is wanted, what stands before the '@', while one conference is "
          "called so. The token never stands on the command line, where others can read it.");
  page.heading("OPTIONS").text("They may stand anywhere on the line.");
  add_options(page, *cli);
  page.heading("COMMANDS");
  add_commands(page, *cli, "");
  page.heading("EXIT STATUS");
  for (const ExitStatus& each : kExitStatuses) {
    page.item(std::to_string(each.status), std::string(each.meaning) + ".");
  }
  page.heading("ENVIRONMENT")
      .item("BASCULE_URL", "Like --url.")
      .item("BASCULE_TOKEN", "The token to show, when --token-file names none.")
      .item("NO_COLOR", "When set: no colours. There are none either when stdout is no terminal.");
  page.heading("FILES").item("/run/bascule/admin.sock",
                             "Asked when nothing else is said and it may be used.");
  page.see_also("bascule(8), bascule.toml(5)");
  return page.str();
}

std::string bascule_page(const Issue& issue) {
  daemon::Arguments arguments;
  const auto cli = daemon::make_cli(arguments);
  Page page("bascule", 8, issue.date, issue.source);
  page.heading("NAME").text(
      "bascule - conference focus and videobridge load balancer for Jitsi Meet");
  page.heading("SYNOPSIS").text("bascule [OPTIONS]");
  page.heading("DESCRIPTION")
      .text(
          "bascule takes the place of Jicofo: it answers conference requests, joins the room, "
          "decides which videobridge each participant uses, and runs their sessions. Its state "
          "is durable: kill it and start it again, and nobody in a meeting notices. It is looked "
          "at and acted on with basculectl(1).");
  page.heading("OPTIONS");
  add_options(page, *cli);
  page.heading("SIGNALS")
      .item("SIGTERM",
            "Ends as service.stop says; without it within half a second, and the next process goes "
            "on "
            "with everything.")
      .item("SIGINT",
            "Ends the conferences in order and leaves the rooms; a second one ends at once.")
      .item("SIGHUP", "Reads again what can be changed while it runs, and says what cannot.");
  page.heading("EXIT STATUS")
      .item("0", "Stopped in order.")
      .item("1", "With --health: no such process answers.")
      .item("2", "The configuration or the arguments are wrong.")
      .item("3", "It could not start: state directory, HTTP port.");
  page.heading("ENVIRONMENT")
      .text(
          "Every key of the configuration has a variable, which wins over the file: see "
          "bascule.toml(5).");
  page.heading("FILES")
      .item("/etc/bascule/bascule.toml", "The configuration.")
      .item("/var/lib/bascule", "The state, unless state.dir says otherwise.");
  page.see_also("basculectl(1), bascule.toml(5), prosody(8)");
  return page.str();
}

std::string config_page(const Issue& issue) {
  Page page("bascule.toml", 5, issue.date, issue.source);
  page.heading("NAME").text("bascule.toml - configuration of bascule");
  page.heading("DESCRIPTION")
      .text(
          "A TOML file; bascule(8) reads it from /etc/bascule/bascule.toml. What it leaves out "
          "has the default shown here. 'basculectl config check' names every mistake with its "
          "line, key and allowed range; 'basculectl config show' shows what is in force and "
          "where it comes from.\n\nA value comes from, the first that is there: the variable of "
          "the key, the file, the variable of the Jicofo container image, the default.");
  page.heading("KEYS");
  add_keys(page);
  page.see_also("bascule(8), basculectl(1)");
  return page.str();
}

bool write(const std::filesystem::path& path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  file.close();
  if (!file) {
    std::fprintf(stderr, "bascule-manual: cannot write %s\n", path.c_str());
  }
  return !file.fail();
}

int run(int argc, char** argv) {
  std::string folder;
  Issue issue;
  CLI::App cli{"Writes the manual pages."};
  cli.add_option("FOLDER", folder, "Where to")->required()->check(CLI::ExistingDirectory);
  cli.add_option("--date", issue.date, "Like 2026-11-29")->required();
  CLI11_PARSE(cli, argc, argv);
  issue.source = std::string("bascule ") + kVersion;
  const std::filesystem::path path(folder);
  return write(path / "basculectl.1", basculectl_page(issue)) &&
                 write(path / "bascule.8", bascule_page(issue)) &&
                 write(path / "bascule.toml.5", config_page(issue))
             ? 0
             : 1;
}

}  // namespace
}  // namespace bascule::ctl::manual

int main(int argc, char** argv) {
  return bascule::ctl::manual::run(argc, argv);
}
