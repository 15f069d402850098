// What the running bascule says of itself.

#include <algorithm>
#include <set>
#include <string>

#include "ctl/doctor/checks.h"
#include "ctl/doctor/running.h"
#include "xmpp/proto/server_info.h"

namespace bascule::ctl::doctor {
namespace {

using Json = nlohmann::json;

constexpr Duration kAnswer = std::chrono::seconds{4};
constexpr std::int64_t kWaitWarnMs = 10'000;

std::string text_of(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

void check_own_version(Examination& examination, Finding& finding) {
  const auto running = examination.running().get_json("/about/version");
  if (!running) {
    return;
  }
  const std::string version = running->value("version", std::string());
  if (version != examination.place().version) {
    finding.warn(
        "bascule " + version + " runs, and " + examination.place().version + " is installed",
        "restart it: nobody in a meeting notices (docs/operations.md, Start and stop)");
  } else {
    finding.ok("bascule " + version + " runs and is installed");
  }
}

void check_server_version(Examination& examination, Finding& finding) {
  Peer* const peer = examination.client();
  if (peer == nullptr) {
    finding.skip("the server was not asked: nobody could log in (see login)");
    return;
  }
  const auto domain = Jid::parse(examination.config().client_address.domain());
  const auto answer = peer->ask(*domain, proto::version_request(), kAnswer);
  const auto* told = answer ? std::get_if<proto::UnknownAnswer>(&*answer) : nullptr;
  const auto version =
      told == nullptr ? fail(Errc::kUnavailable, "") : proto::decode_version(told->payload);
  if (!version) {
    finding.skip("the server does not tell its version (module version)");
    return;
  }
  const std::string seen = version->name + " " + version->version;
  const bool known = version->name == "Prosody" &&
                     (version->version.starts_with("0.12") || version->version.starts_with("13."));
  if (known) {
    finding.ok(seen);
  } else {
    finding.warn(seen + ": Bascule is tried with Prosody 0.12 and written for 13 as well",
                 "before you rely on it: ctest --test-dir build/dev -R behaviour");
  }
}

void check_bridge_versions(Examination& examination, Finding& finding) {
  std::set<std::string> versions;
  for (const SeenBridge& bridge : examination.brewery().bridges) {
    if (!bridge.version.empty()) {
      versions.insert(bridge.version);
    }
  }
  std::string all;
  for (const std::string& version : versions) {
    all += (all.empty() ? "" : ", ") + version;
  }
  if (versions.size() > 1) {
    finding.warn("bridges of different versions: " + all,
                 "bring them to one version: a conference spans bridges of one version only "
                 "(selection.allow-mixed-versions)");
  } else if (!all.empty()) {
    finding.ok("all bridges have version " + all);
  }
}

}  // namespace

void check_daemon(Examination& examination, Finding& finding) {
  const auto& health = examination.running().health();
  if (!health) {
    finding.fail("no bascule answers: " + health.error().what,
                 examination.process()
                     ? "a process uses the state directory: another --url, or it hangs (its log, "
                       "systemctl restart bascule)"
                     : "systemctl start bascule; its log says why it ended");
    return;
  }
  const Json problems = health->value("problems", Json::array());
  const bool ready = health->value("ready", false);
  if (health->value("role", std::string()) == "standby") {
    finding.ok("it stands by (basculectl ha status)");
    return;
  }
  for (const Json& problem : problems) {
    const std::string seen = "/readyz says " + text_of(problem);
    const std::string action = "see Health, and What to do when, in docs/operations.md";
    if (ready) {
      finding.warn(seen, action);
    } else {
      finding.fail(seen, action);
    }
  }
  if (finding.status() == Status::kSkipped) {
    finding.ok("it runs and is ready");
  }
}

void check_placement(Examination& examination, Finding& finding) {
  const auto placement = examination.running().get_json("/v1/placement");
  if (!placement) {
    finding.skip("bascule does not run (see daemon)");
    return;
  }
  const std::string mode = placement->value("mode", std::string());
  const auto wait = placement->value("oldest_wait_ms", std::int64_t{0});
  if (mode != "normal" && mode != "settling") {
    finding.warn("the mode of placement is " + mode,
                 "full: add bridges. blind: bridges tell no load (see brewery). service_down: see "
                 "service");
  }
  if (wait > kWaitWarnMs) {
    finding.warn("somebody has been waiting for " + std::to_string(wait / 1000) + " s",
                 "basculectl queue says for what; add bridges when they are full");
  }
  if (finding.status() == Status::kSkipped) {
    finding.ok("mode " + mode + ", nobody waits for longer than " +
               std::to_string(kWaitWarnMs / 1000) + " s");
  }
}

void check_versions(Examination& examination, Finding& finding) {
  check_own_version(examination, finding);
  check_server_version(examination, finding);
  check_bridge_versions(examination, finding);
}

}  // namespace bascule::ctl::doctor
