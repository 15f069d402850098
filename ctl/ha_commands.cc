#include "ctl/ha_commands.h"

#include <cstdint>
#include <cstdio>

#include <CLI/CLI.hpp>

#include "ctl/ask.h"
#include "ctl/text.h"

namespace bascule::ctl {
namespace {

void print_status(const Json& status) {
  const bool active = status.at("role") == "active";
  std::printf("%s is %s, epoch %llu\n", status.at("node").get<std::string>().c_str(),
              status.at("role").get<std::string>().c_str(),
              static_cast<unsigned long long>(status.at("epoch").get<std::uint64_t>()));
  for (const Json& peer : status.at("peers")) {
    std::printf("%s: %s, version %s, %s, %llu commits behind\n", active ? "standby" : "active",
                peer.at("node").get<std::string>().c_str(),
                peer.at("version").get<std::string>().c_str(),
                peer.at("in_sync").get<bool>() ? "in sync" : "NOT IN SYNC",
                static_cast<unsigned long long>(peer.at("lag").get<std::uint64_t>()));
  }
  if (status.at("peers").empty()) {
    std::printf("%s\n", active ? "NO STANDBY" : "NO ACTIVE PROCESS");
  }
}

void print_switchover(const Json& done) {
  std::printf("active: %s, after %lld ms\n", done.at("active").get<std::string>().c_str(),
              static_cast<long long>(done.at("took_ms").get<std::int64_t>()));
}

/// A daemon that is alone has no such paths.
Result<Json> ask_pair(const Context& context, const char* method, const std::string& target) {
  auto answer = ask_json(context.connection, method, target);
  if (!answer && answer.error().code == Errc::kNotFound) {
    return fail(Errc::kUnavailable, "this bascule is alone: ha.coordinator");
  }
  return answer;
}

int status(const Context& context) {
  const auto answer = ask_pair(context, "GET", "/v1/ha/status");
  const bool in_sync = answer && answer->value("in_sync", false);
  return finish(answer, context.json, print_status, in_sync ? kExitOk : kExitDamaged);
}

int switchover(const Context& context) {
  return finish(ask_pair(context, "POST", "/v1/ha/switchover"), context.json, print_switchover,
                kExitOk);
}

}  // namespace

void add_ha(CLI::App& cli, Context& context) {
  CLI::App* ha = cli.add_subcommand("ha", "Two processes, one of them active");
  ha->require_subcommand(1);
  on_call(*ha->add_subcommand("status", "Which one is active, and is the other one in sync"),
          context, [&context] { return status(context); });
  on_call(*ha->add_subcommand("switchover", "The active process hands over to the standby"),
          context, [&context] { return switchover(context); });
}

}  // namespace bascule::ctl
