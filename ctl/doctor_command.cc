#include "ctl/doctor_command.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "base/version.h"
#include "config/toml/load.h"
#include "ctl/doctor/checks.h"
#include "ctl/doctor/running.h"
#include "ctl/http_client.h"

namespace bascule::ctl {
namespace {

using Json = nlohmann::ordered_json;
using doctor::Outcome;
using doctor::Status;

// What is asked takes milliseconds; a process that hangs is a finding, not something to wait for.
constexpr std::chrono::seconds kAnswerTimeout{5};

struct Arguments {
  std::string config = "/etc/bascule/bascule.toml";
  std::string root;
  std::vector<std::string> only;
};

std::string help_of(const Outcome& outcome) {
  return "docs/operations.md#doctor-" + std::string(outcome.check->name);
}

/// Where the configured bascule listens, unless the line says otherwise.
std::string url_of(const config::Admin& admin) {
  if (!admin.unix_socket.empty()) {
    return "unix:" + admin.unix_socket;
  }
  const bool any = admin.address == "0.0.0.0" || admin.address == "::";
  const std::string address = any ? "127.0.0.1" : admin.address;
  const bool six = address.find(':') != std::string::npos;
  const std::string scheme = admin.tls_certificate.empty() ? "http://" : "https://";
  return scheme + (six ? "[" + address + "]" : address) + ":" + std::to_string(admin.port);
}

doctor::Get getter(const Connection& connection) {
  return [connection](const std::string& target) -> Result<doctor::HttpText> {
    const auto client = HttpClient::make(connection);
    if (!client) {
      return tl::make_unexpected(client.error());
    }
    const auto answer = client->ask("GET", target);
    if (!answer) {
      return tl::make_unexpected(answer.error());
    }
    return doctor::HttpText{.status = answer->status, .text = answer->body};
  };
}

Status worst_of(const std::vector<Outcome>& outcomes) {
  Status worst = Status::kSkipped;
  for (const Outcome& outcome : outcomes) {
    worst = std::max(worst, outcome.finding.status());
  }
  return worst;
}

Json to_json(const std::vector<Outcome>& outcomes, const std::string& config) {
  Json checks = Json::array();
  for (const Outcome& outcome : outcomes) {
    checks.push_back({{"check", outcome.check->name},
                      {"subject", outcome.check->subject},
                      {"status", to_string(outcome.finding.status())},
                      {"seen", outcome.finding.seen()},
                      {"do", outcome.finding.actions()},
                      {"help", help_of(outcome)},
                      {"took_ms", outcome.took / std::chrono::milliseconds{1}}});
  }
  return {
      {"config", config}, {"worst", to_string(worst_of(outcomes))}, {"checks", std::move(checks)}};
}

void print(const Outcome& outcome) {
  const Status status = outcome.finding.status();
  const std::string word = status == Status::kFail   ? "FAIL"
                           : status == Status::kWarn ? "WARN"
                                                     : std::string(to_string(status));
  std::string label = std::string(outcome.check->name);
  for (const std::string& seen : outcome.finding.seen()) {
    std::printf("%-8s%-13s%s\n", label.empty() ? "" : word.c_str(), label.c_str(), seen.c_str());
    label.clear();
  }
  for (const std::string& action : outcome.finding.actions()) {
    std::printf("%21sdo: %s\n", "", action.c_str());
  }
  if (status >= Status::kWarn) {
    std::printf("%21ssee: %s\n", "", help_of(outcome).c_str());
  }
}

void print(const std::vector<Outcome>& outcomes) {
  std::array<int, 4> counts{};
  for (const Outcome& outcome : outcomes) {
    print(outcome);
    ++counts.at(static_cast<std::size_t>(outcome.finding.status()));
  }
  std::printf("%d failed, %d warned, %d ok, %d skipped\n", counts[3], counts[2], counts[1],
              counts[0]);
}

int examine(const Context& context, const Arguments& arguments, bool url_given) {
  auto loaded = config::load(arguments.config, config::process_environment());
  Connection connection = context.connection;
  connection.answer_timeout = kAnswerTimeout;
  if (!url_given && loaded) {
    connection.url = url_of(loaded->config.admin);
  }
  doctor::Examination examination(
      {.config_file = arguments.config, .root = arguments.root, .version = kVersion},
      std::move(loaded), std::make_unique<doctor::Running>(getter(connection)));
  const std::vector<Outcome> outcomes = doctor::examine(examination, arguments.only);
  if (context.json) {
    print_json(to_json(outcomes, arguments.config));
  } else {
    print(outcomes);
  }
  switch (worst_of(outcomes)) {
    case Status::kFail:
      return kExitDamaged;
    case Status::kWarn:
      return kExitWarned;
    default:
      return kExitOk;
  }
}

}  // namespace

void add_doctor(CLI::App& cli, Context& context) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = cli.add_subcommand(
      "doctor", "What is wrong, from the outside and from the inside, and what to do about it");
  command->add_option("--config,-c", arguments->config, "Configuration file of bascule")
      ->capture_default_str();
  std::vector<std::string> names;
  for (const doctor::Check& check : doctor::all_checks()) {
    names.emplace_back(check.name);
  }
  command->add_option("--only", arguments->only, "Only these checks, separated by commas")
      ->delimiter(',')
      ->check(CLI::IsMember(names));
  command->add_option("--root", arguments->root,
                      "Look for the systemd unit below this folder, for images");
  const CLI::Option* url = cli.get_option("--url");
  on_call(*command, context,
          [arguments, &context, url] { return examine(context, *arguments, url->count() > 0); });
}

}  // namespace bascule::ctl
