#include "ctl/conference_commands.h"

#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include <CLI/CLI.hpp>

#include "ctl/conference_text.h"
#include "ctl/names.h"
#include "ctl/terminal.h"
#include "ctl/why_text.h"

namespace bascule::ctl {
namespace {

constexpr int kPage = 50;
constexpr int kPageMax = 1000;

struct Arguments {
  std::string room;
  std::string endpoint;
  std::string search;
  std::string bridge;
  std::string from;
  std::string to;
  std::string version;
  int participants = 0;
  int minutes = 60;
  bool all = false;
};
using Given = std::shared_ptr<Arguments>;

void print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
}

/// What is at a path of the room that the operator means.
Result<Json> ask_room(const Context& context, const Arguments& arguments, const char* method,
                      const std::string& behind = {}, const Json& body = nullptr) {
  const auto room = room_address(context.connection, arguments.room);
  return room ? ask_json(context.connection, method,
                         "/v1/conferences/" + percent_encoded(*room) + behind, body)
              : tl::make_unexpected(room.error());
}

/// One page, or all of them as one.
Result<Json> ask_conferences(const Context& context, const Arguments& arguments) {
  std::string target = "/v1/conferences?limit=" + std::to_string(arguments.all ? kPageMax : kPage);
  target += arguments.search.empty() ? "" : "&search=" + percent_encoded(arguments.search);
  target += arguments.bridge.empty() ? "" : "&bridge=" + percent_encoded(arguments.bridge);
  auto answer = ask_json(context.connection, "GET", target);
  while (answer && arguments.all && has(*answer, "next")) {
    const auto more = ask_json(context.connection, "GET",
                               target + "&after=" + percent_encoded(text_at(*answer, "next")));
    if (!more) {
      return more;
    }
    for (const Json& conference : member(*more, "conferences")) {
      (*answer)["conferences"].push_back(conference);
    }
    (*answer)["next"] = member(*more, "next");
  }
  return answer;
}

void print_conferences(const Json& answer) {
  print(conferences_text(member(answer, "conferences"), style_of_stdout()));
  if (has(answer, "next")) {
    std::printf("%zu of %s; --all shows all, --search TEXT fewer\n",
                member(answer, "conferences").size(), text_at(answer, "total").c_str());
  }
}

int why(const Context& context, const Arguments& arguments) {
  const auto room = room_address(context.connection, arguments.room);
  if (!room) {
    return failed(room.error());
  }
  const bool one = !arguments.endpoint.empty();
  const std::string target =
      "/v1/decisions?room=" + percent_encoded(*room) +
      (one ? "&limit=20&endpoint=" + percent_encoded(arguments.endpoint) : "&limit=1000");
  return finish(ask_json(context.connection, "GET", target), context.json,
                [one](const Json& answer) { print(why_text(answer, one, style_of_stdout())); });
}

int move(const Context& context, const Arguments& arguments) {
  Json body = Json::object();
  const auto add = [&body](const char* key, const std::string& value) {
    if (!value.empty()) {
      body[key] = value;
    }
  };
  add("from", arguments.from);
  add("to", arguments.to);
  if (arguments.participants > 0) {
    body["participants"] = arguments.participants;
  }
  const std::string behind = arguments.endpoint.empty()
                                 ? "/move"
                                 : "/participants/" + percent_encoded(arguments.endpoint) + "/move";
  return finish(ask_room(context, arguments, "POST", behind, body), context.json,
                [&arguments](const Json& answer) {
                  std::printf(
                      "%s asked to move; 'basculectl why %s%s%s' tells where to\n",
                      counted(count_at(answer, "moving"), "person is", "people are").c_str(),
                      printable(arguments.room).c_str(), arguments.endpoint.empty() ? "" : " ",
                      printable(arguments.endpoint).c_str());
                });
}

Result<Json> ask_pin(const Context& context, const Arguments& arguments, const char* method,
                     const Json& body = nullptr) {
  const auto room = room_address(context.connection, arguments.room);
  return room ? ask_json(context.connection, method, "/v1/pins/" + percent_encoded(*room), body)
              : tl::make_unexpected(room.error());
}

CLI::App* add_of_room(CLI::App& cli, const char* name, const char* text, const Given& given) {
  CLI::App* command = cli.add_subcommand(name, text);
  command->add_option("ROOM", given->room, "Address, or what stands before its '@'")->required();
  return command;
}

}  // namespace

void add_conferences(CLI::App& cli, Context& context) {
  const auto given = std::make_shared<Arguments>();
  CLI::App* command = cli.add_subcommand("conferences", "The conferences of now");
  command->add_option("--search", given->search, "Only rooms with this in their name")
      ->type_name("TEXT");
  command->add_option("--bridge", given->bridge, "Only those on this bridge")->type_name("BRIDGE");
  command->add_flag("--all", given->all, "All pages instead of the first one");
  on_call(*command, context, [given, &context] {
    return finish(ask_conferences(context, *given), context.json, print_conferences);
  });
}

void add_conference(CLI::App& cli, Context& context) {
  const auto given = std::make_shared<Arguments>();
  CLI::App* command = add_of_room(cli, "conference",
                                  "One conference: who is in it, on which bridge, and why", given);
  on_call(*command, context, [given, &context] {
    return finish(ask_room(context, *given, "GET"), context.json,
                  [](const Json& answer) { print(conference_text(answer, style_of_stdout())); });
  });
}

void add_why(CLI::App& cli, Context& context) {
  const auto given = std::make_shared<Arguments>();
  CLI::App* command =
      add_of_room(cli, "why",
                  "Why people are on the bridge they are on, or still wait: the decision with the "
                  "numbers of its moment",
                  given);
  command->add_option("ENDPOINT", given->endpoint, "One of them; without: everybody");
  on_call(*command, context, [given, &context] { return why(context, *given); });
}

void add_move(CLI::App& cli, Context& context) {
  const auto given = std::make_shared<Arguments>();
  CLI::App* command =
      add_of_room(cli, "move", "Move a conference, or one person of it, to another bridge", given);
  CLI::Option* endpoint = command->add_option("ENDPOINT", given->endpoint, "Only this person");
  command->add_option("--to", given->to, "To this bridge; without: where there is most room")
      ->type_name("BRIDGE");
  command->add_option("--from", given->from, "Only who is on this bridge")
      ->type_name("BRIDGE")
      ->excludes(endpoint);
  command->add_option("--participants", given->participants, "So many at most")
      ->type_name("NUMBER")
      ->check(CLI::PositiveNumber)
      ->excludes(endpoint);
  on_call(*command, context, [given, &context] { return move(context, *given); });
}

void add_pin(CLI::App& cli, Context& context) {
  const auto given = std::make_shared<Arguments>();
  CLI::App* command =
      add_of_room(cli, "pin", "Put a room on bridges of one version only, for a while", given);
  command->add_option("VERSION", given->version, "As the bridges tell it")->required();
  command->add_option("--minutes", given->minutes, "For how long")
      ->type_name("NUMBER")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  on_call(*command, context, [given, &context] {
    return finish(
        ask_pin(context, *given, "PUT", {{"version", given->version}, {"minutes", given->minutes}}),
        context.json, [given](const Json&) {
          std::printf("%s is pinned to %s for %s\n", printable(given->room).c_str(),
                      printable(given->version).c_str(), counted(given->minutes, "minute").c_str());
        });
  });
}

void add_unpin(CLI::App& cli, Context& context) {
  const auto given = std::make_shared<Arguments>();
  CLI::App* command =
      add_of_room(cli, "unpin", "Let a room use bridges of any version again", given);
  on_call(*command, context, [given, &context] {
    return finish(ask_pin(context, *given, "DELETE"), context.json, [given](const Json&) {
      std::printf("%s is not pinned\n", printable(given->room).c_str());
    });
  });
}

void add_pins(CLI::App& cli, Context& context) {
  CLI::App* command = cli.add_subcommand("pins", "Which rooms are pinned to a version of bridges");
  on_call(*command, context, [&context] {
    return finish(ask_json(context.connection, "GET", "/v1/pins"), context.json,
                  [](const Json& answer) {
                    Table table({{"room"}, {"version"}, {"until"}, {"by"}});
                    for (const Json& pin : member(answer, "pins")) {
                      table.add({{text_at(pin, "room")},
                                 {text_at(pin, "version")},
                                 {time_text(text_at(pin, "until"))},
                                 {text_at(pin, "by")}});
                    }
                    print(table.empty() ? "no room is pinned\n" : table.text(style_of_stdout()));
                  });
  });
}

}  // namespace bascule::ctl
