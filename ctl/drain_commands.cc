#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include <CLI/CLI.hpp>
#include <unistd.h>

#include "ctl/bridge_commands.h"
#include "ctl/bridge_text.h"
#include "ctl/names.h"
#include "ctl/terminal.h"

namespace bascule::ctl {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kFollowInterval{500};
/// bascule may be restarted meanwhile: the order outlives it.
constexpr std::chrono::seconds kSilenceMax{30};

struct Arguments {
  std::string bridge;
  std::string reason;
  bool evacuate = false;
  bool wait = false;
  int timeout_seconds = 0;  ///< 0: no limit.
};

/// Tells on stderr how far it is: one line that changes on a terminal, a line per change elsewhere.
class Progress {
 public:
  explicit Progress(std::int64_t people)
      : people_(people), is_terminal_(::isatty(STDERR_FILENO) == 1), style_(style_of_stdout()) {
    style_.colour = false;
  }
  ~Progress() {
    if (is_terminal_ && !last_.empty()) {
      std::fputs("\n", stderr);
    }
  }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void tell(const Json& order) {
    const std::string line = drain_progress(order, people_, style_);
    if (line != last_) {
      std::fprintf(stderr, is_terminal_ ? "\r%s\x1b[K" : "%s\n", line.c_str());
      last_ = line;
    }
    if (const std::string stuck = stuck_explanation(order); !stuck.empty() && !explained_) {
      std::fprintf(stderr, "%s%s\n", is_terminal_ ? "\n" : "", wrapped(stuck, 0, style_).c_str());
      explained_ = true;
    }
  }

 private:
  std::int64_t people_;
  bool is_terminal_;
  Style style_;
  std::string last_;
  bool explained_ = false;
};

/// Asks until nobody is left there, or time is up. Errors: those of `ask_json`; kNotFound when
/// somebody took the order back.
Result<Json> follow(const Context& context, const Arguments& arguments, Json order) {
  Progress progress(count_at(order, "participants"));
  const auto begin = Clock::now();
  auto answered = begin;
  const std::chrono::seconds limit{arguments.timeout_seconds};
  progress.tell(order);
  while (!flag_at(order, "done") &&
         (limit == std::chrono::seconds::zero() || Clock::now() - begin < limit)) {
    std::this_thread::sleep_for(kFollowInterval);
    auto answer = ask_json(context.connection, "GET", bridge_path(arguments.bridge) + "/drain");
    if (answer) {
      order = std::move(*answer);
      answered = Clock::now();
      progress.tell(order);
    } else if (answer.error().code == Errc::kNotFound) {
      return fail(Errc::kNotFound, "somebody took the order back: " + answer.error().what);
    } else if (answer.error().code != Errc::kUnavailable || Clock::now() - answered > kSilenceMax) {
      return answer;
    }
  }
  return order;
}

int drain(const Context& context, const Arguments& arguments) {
  Json body = Json::object();
  if (arguments.evacuate) {
    body["evacuate"] = true;
  }
  if (!arguments.reason.empty()) {
    body["reason"] = arguments.reason;
  }
  auto order = ask_json(context.connection, "PUT", bridge_path(arguments.bridge) + "/drain", body);
  if (order && arguments.wait) {
    std::fprintf(stderr, "Ctrl-C ends the waiting only; 'basculectl undrain %s' takes it back\n",
                 printable(arguments.bridge).c_str());
    order = follow(context, arguments, std::move(*order));
  }
  const bool is_done = order && flag_at(*order, "done");
  return finish(
      order, context.json,
      [](const Json& answer) { std::printf("%s\n", drain_sentence(answer).c_str()); },
      arguments.wait && !is_done ? kExitDamaged : kExitOk);
}

CLI::App* add(CLI::App& cli, Context& context, const char* name, const char* text,
              const std::shared_ptr<Arguments>& arguments) {
  CLI::App* command = cli.add_subcommand(name, text);
  command->add_option("BRIDGE", arguments->bridge, "Nick or full address")->required();
  command->add_option("--reason", arguments->reason, "For the others: kept in the audit log")
      ->type_name("TEXT");
  CLI::Option* wait = command->add_flag("--wait", arguments->wait,
                                        "Until nobody is left there; tells how far it is");
  command
      ->add_option("--timeout", arguments->timeout_seconds,
                   "With --wait: give up after so many seconds, with exit status 1")
      ->type_name("SECONDS")
      ->check(CLI::PositiveNumber)
      ->needs(wait);
  on_call(*command, context, [arguments, &context] { return drain(context, *arguments); });
  return command;
}

}  // namespace

void add_drain(CLI::App& cli, Context& context) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command =
      add(cli, context, "drain", "Send nobody new to a bridge; who is there stays until the end",
          arguments);
  command->add_flag("--evacuate", arguments->evacuate, "The same as the command evacuate");
}

void add_evacuate(CLI::App& cli, Context& context) {
  const auto arguments = std::make_shared<Arguments>();
  arguments->evacuate = true;
  add(cli, context, "evacuate",
      "Empty a bridge: send nobody new, and move who is there, at a pace others can take",
      arguments);
}

void add_undrain(CLI::App& cli, Context& context) {
  const auto bridge = std::make_shared<std::string>();
  CLI::App* command = cli.add_subcommand("undrain", "Let a bridge take people again");
  command->add_option("BRIDGE", *bridge, "Nick or full address")->required();
  on_call(*command, context, [bridge, &context] {
    return finish(ask_json(context.connection, "DELETE", bridge_path(*bridge) + "/drain"),
                  context.json, [bridge](const Json&) {
                    std::printf("%s takes people again\n", printable(*bridge).c_str());
                  });
  });
}

}  // namespace bascule::ctl
