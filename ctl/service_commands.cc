#include "ctl/service_commands.h"

#include <cstdio>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "ctl/conference_text.h"
#include "ctl/terminal.h"

namespace bascule::ctl {
namespace {

void print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
}

void print_audit(const Json& answer) {
  Table table(
      {{"number", Table::Align::kRight}, {"when"}, {"who"}, {"what"}, {"target"}, {"change"}});
  for (const Json& entry : member(answer, "entries")) {
    table.add({{text_at(entry, "number")},
               {time_text(text_at(entry, "at"))},
               {text_at(entry, "by")},
               {text_at(entry, "what")},
               {nick_of(text_at(entry, "target"))},
               {text_at(entry, "before") + " -> " + text_at(entry, "after")}});
  }
  print(table.empty() ? "nothing was changed\n" : table.text(style_of_stdout()));
  if (has(answer, "next")) {
    std::printf("older ones: --before %s\n", text_at(answer, "next").c_str());
  }
}

void print_readiness(const Json& answer) {
  const Style style = style_of_stdout();
  print(flag_at(answer, "ready") ? tinted(style, Tint::kGood, "ready") + "\n"
                                 : tinted(style, Tint::kBad, "NOT READY") + "\n");
  Table table({{"check"}, {""}, {"since"}, {"detail"}, {"docs/operations.md"}});
  for (const Json& check : member(answer, "checks")) {
    const bool ok = flag_at(check, "ok");
    table.add({{text_at(check, "check")},
               {ok ? "ok" : "NO", ok ? Tint::kGood : Tint::kBad},
               {time_text(text_at(check, "since"))},
               {text_at(check, "detail")},
               {ok ? "" : text_at(check, "help", "")}});
  }
  print(table.empty() ? "" : table.text(style));
}

}  // namespace

void add_queue(CLI::App& cli, Context& context) {
  CLI::App* command = cli.add_subcommand("queue", "Who waits for a place on a bridge, and why");
  on_call(*command, context, [&context] {
    return finish(ask_json(context.connection, "GET", "/v1/queue?limit=1000"), context.json,
                  [](const Json& answer) { print(queue_text(answer, style_of_stdout())); });
  });
}

void add_audit(CLI::App& cli, Context& context) {
  struct Arguments {
    int limit = 50;
    std::string before;
  };
  const auto given = std::make_shared<Arguments>();
  CLI::App* command = cli.add_subcommand("audit", "Who changed what, the newest first");
  command->add_option("--limit", given->limit, "So many")
      ->type_name("NUMBER")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--before", given->before, "Older ones than that answer ended with")
      ->type_name("MARK");
  on_call(*command, context, [given, &context] {
    return finish(
        ask_json(context.connection, "GET",
                 "/v1/audit?limit=" + std::to_string(given->limit) +
                     (given->before.empty() ? "" : "&before=" + percent_encoded(given->before))),
        context.json, print_audit);
  });
}

void add_readiness(CLI::App& cli, Context& context) {
  CLI::App* command = cli.add_subcommand(
      "readiness",
      "Whether new conferences are served: every check, since when, and where to read on");
  on_call(*command, context, [&context] {
    const auto answer = ask_json(context.connection, "GET", "/v1/readiness");
    return finish(answer, context.json, print_readiness,
                  answer && flag_at(*answer, "ready") ? kExitOk : kExitDamaged);
  });
}

void add_log_level(CLI::App& cli, Context& context) {
  const auto level = std::make_shared<std::string>();
  CLI::App* command =
      cli.add_subcommand("log-level", "What is logged: show it, or set it until the next start");
  command->add_option("LEVEL", *level, "The new one")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}));
  on_call(*command, context, [level, &context] {
    return finish(level->empty()
                      ? ask_json(context.connection, "GET", "/v1/log-level")
                      : ask_json(context.connection, "PUT", "/v1/log-level", {{"level", *level}}),
                  context.json, [level](const Json& answer) {
                    std::printf("%s\n", text_at(answer, "level", *level).c_str());
                  });
  });
}

}  // namespace bascule::ctl
