#include "ctl/doctor/checks.h"

#include <algorithm>
#include <array>

namespace bascule::ctl::doctor {
namespace {

constexpr std::array kChecks = {
    Check{"config", "the configuration", check_config, false},
    Check{"files", "who may read the configuration and its secrets", check_files},
    Check{"state", "the state directory and what is stored in it", check_state},
    Check{"unit", "what starts Bascule again", check_unit},
    Check{"descriptors", "the limit of open files", check_descriptors},
    Check{"daemon", "the running bascule", check_daemon},
    Check{"placement", "whether participants find room", check_placement},
    Check{"dns", "the names of the servers", check_dns},
    Check{"ports", "their TCP ports", check_ports},
    Check{"tls", "their certificates", check_tls},
    Check{"login", "the account of the focus", check_login},
    Check{"smacks", "whether its session outlives a connection", check_resume},
    Check{"rates", "how fast the server reads from it", check_rates},
    Check{"requests", "where conference requests arrive", check_requests},
    Check{"service", "the link to the bridges", check_service},
    Check{"rooms", "its rights in rooms", check_rooms},
    Check{"brewery", "the bridges", check_brewery},
    Check{"pubsub", "the pubsub node of bridge stats", check_pubsub},
    Check{"clock", "the clock of this host", check_clock},
    Check{"versions", "the versions of everything", check_versions},
};

}  // namespace

std::string_view to_string(Status status) {
  switch (status) {
    case Status::kSkipped:
      return "skipped";
    case Status::kOk:
      return "ok";
    case Status::kWarn:
      return "warn";
    case Status::kFail:
      break;
  }
  return "fail";
}

std::span<const Check> all_checks() {
  return kChecks;
}

std::vector<Outcome> examine(Examination& examination, const std::vector<std::string>& only) {
  std::vector<Outcome> outcomes;
  for (const Check& check : kChecks) {
    if (!only.empty() && std::find(only.begin(), only.end(), check.name) == only.end()) {
      continue;
    }
    Outcome outcome{.check = &check, .finding = {}};
    const Instant begun = read_now().mono;
    if (check.needs_config && !examination.loaded()) {
      outcome.finding.skip("not looked at: the configuration cannot be used (see config)");
    } else {
      check.look(examination, outcome.finding);
    }
    outcome.took = read_now().mono - begun;
    outcomes.push_back(std::move(outcome));
  }
  return outcomes;
}

}  // namespace bascule::ctl::doctor
