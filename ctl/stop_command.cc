#include "ctl/stop_command.h"

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>

#include <CLI/CLI.hpp>

#include "ctl/ask.h"

namespace bascule::ctl {
namespace {

constexpr std::chrono::milliseconds kFollowInterval{200};

struct Arguments {
  bool leave = false;
  bool when_empty = false;
  bool no_wait = false;

  [[nodiscard]] const char* mode() const {
    return when_empty ? "leave-when-empty" : leave ? "leave" : "suspend";
  }
};

int stop(const Context& context, const Arguments& arguments) {
  const auto begun =
      ask_json(context.connection, "POST", std::string("/v1/stop?mode=") + arguments.mode());
  if (!begun) {
    return failed(begun.error());
  }
  std::fprintf(stderr, "%s: %s conferences\n", arguments.mode(),
               begun->value("conferences", nlohmann::ordered_json()).dump().c_str());
  if (context.json) {
    print_json(*begun);
  }
  while (!arguments.no_wait && is_listening(context.connection)) {
    std::this_thread::sleep_for(kFollowInterval);
  }
  return kExitOk;
}

}  // namespace

void add_stop(CLI::App& cli, Context& context) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = cli.add_subcommand(
      "stop",
      "End the running bascule; without an option the next process goes on with everything");
  CLI::Option* leave = command->add_flag("--leave", arguments->leave,
                                         "For good: end the conferences and leave the rooms");
  command
      ->add_flag("--when-empty", arguments->when_empty,
                 "With --leave: refuse new conferences, and wait until the last one has ended")
      ->needs(leave);
  command->add_flag("--no-wait", arguments->no_wait, "Return at once");
  on_call(*command, context, [arguments, &context] { return stop(context, *arguments); });
}

}  // namespace bascule::ctl
