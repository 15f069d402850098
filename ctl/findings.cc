#include "ctl/findings.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace bascule::ctl {
namespace {

/// After so long a person in a meeting starts to wonder.
constexpr double kLongWaitMs = 15'000;

struct Reason {
  std::string_view name;
  Severity severity;
  const char* meaning;
  const char* command;
};

/// What /readyz can list (docs/operations.md, "Health").
constexpr std::array<Reason, 17> kReasons = {{
    {"client_link_down", Severity::kBad, "no session with the XMPP server: nobody new gets media",
     "basculectl doctor"},
    {"service_link_down", Severity::kBad, "bridges cannot be reached: nobody new gets media",
     "basculectl doctor"},
    {"requests_link_down", Severity::kBad, "requests for conferences do not arrive",
     "basculectl doctor"},
    {"proxy_unaware", Severity::kBad, "mod_client_proxy does not know the focus",
     "basculectl doctor"},
    {"not_in_brewery", Severity::kBad, "the room of the bridges cannot be entered",
     "basculectl doctor"},
    {"settling", Severity::kWarn, "the link is new and bridges are still arriving", ""},
    {"no_bridge", Severity::kBad, "no bridge takes conferences", "basculectl bridges"},
    {"rooms_refused", Severity::kBad, "rooms refuse the focus what it needs", "basculectl doctor"},
    {"commit_degraded", Severity::kWarn, "the disk is slow: a crash now would lose something",
     "basculectl stats status"},
    {"stats_blind", Severity::kWarn, "most bridges tell nothing; our own counts decide",
     "basculectl doctor"},
    {"shutting_down", Severity::kBad, "bascule is ending: new conferences are put off",
     "systemctl status bascule"},
    {"store_stalled", Severity::kBad, "the disk does not answer", "basculectl stats status"},
    {"store_failing", Severity::kBad, "the store cannot be written", "basculectl stats status"},
    {"store_damaged", Severity::kWarn, "something stored was damaged",
     "basculectl stats rebuild --dry-run"},
    {"ha_alone", Severity::kWarn, "no standby could go on", "basculectl ha status"},
    {"standby", Severity::kBad, "this one stands by; another process is active",
     "basculectl ha status"},
    {"conference_poisoned", Severity::kWarn, "a conference killed the process and is left out",
     "basculectl conferences"},
}};

Finding finding_of_problem(const std::string& problem, bool ready) {
  const std::string name = problem.substr(0, problem.find(':'));
  const auto known = std::find_if(kReasons.begin(), kReasons.end(),
                                  [&](const Reason& reason) { return reason.name == name; });
  if (known == kReasons.end()) {
    return {ready ? Severity::kWarn : Severity::kBad, problem, "basculectl readiness"};
  }
  return {known->severity, problem + " - " + known->meaning, known->command};
}

void add_queue(const Json& overview, std::vector<Finding>& findings) {
  const Json& queue = member(overview, "queue");
  const double oldest = number_at(queue, "oldest_wait_ms");
  if (oldest >= kLongWaitMs) {
    findings.push_back({Severity::kBad,
                        counted(count_at(queue, "total"), "person waits", "people wait") +
                            " for a place, the first for " + duration_text(oldest),
                        "basculectl queue"});
  }
  if (const std::string overload = text_at(overview, "overload", "none"); overload != "none") {
    findings.push_back({Severity::kBad,
                        "overloaded (" + overload + "): new conferences are told to come back",
                        "basculectl queue"});
  }
}

/// "jvb-1, jvb-2 and 3 more".
std::string names(const std::vector<const Json*>& bridges) {
  constexpr std::size_t kShown = 3;
  std::string text;
  for (std::size_t i = 0; i < std::min(kShown, bridges.size()); ++i) {
    text += (i == 0 ? "" : ", ") + nick_of(text_at(*bridges[i], "bridge"));
  }
  return bridges.size() <= kShown
             ? text
             : text + " and " + std::to_string(bridges.size() - kShown) + " more";
}

void add_bridges(const Json& overview, std::vector<Finding>& findings) {
  std::vector<const Json*> troubled;
  for (const Json& bridge : member(overview, "bridges")) {
    const Json& drain = member(bridge, "drain");
    if (!trouble_of(bridge).empty()) {
      troubled.push_back(&bridge);
    }
    if (count_at(drain, "stuck") > 0) {
      const std::string nick = nick_of(text_at(bridge, "bridge"));
      findings.push_back({Severity::kWarn,
                          nick + " is being emptied, and " +
                              counted(count_at(drain, "stuck"), "person finds", "people find") +
                              " no room elsewhere",
                          "basculectl bridge " + nick});
    }
  }
  if (troubled.size() == 1) {
    const std::string nick = nick_of(text_at(*troubled.front(), "bridge"));
    findings.push_back(
        {Severity::kBad, nick + ": " + trouble_of(*troubled.front()), "basculectl bridge " + nick});
  } else if (!troubled.empty()) {
    findings.push_back(
        {Severity::kBad,
         std::to_string(troubled.size()) + " bridges are in trouble: " + names(troubled),
         "basculectl bridges"});
  }
}

}  // namespace

std::vector<Finding> findings_in(const Json& overview) {
  std::vector<Finding> findings;
  const bool ready = flag_at(overview, "ready");
  for (const Json& problem : member(overview, "problems")) {
    if (problem.is_string()) {
      findings.push_back(finding_of_problem(printable(problem.get<std::string>()), ready));
    }
  }
  if (!ready && findings.empty()) {
    findings.push_back({Severity::kBad, "not ready", "basculectl readiness"});
  }
  add_queue(overview, findings);
  add_bridges(overview, findings);
  std::stable_sort(findings.begin(), findings.end(),
                   [](const Finding& a, const Finding& b) { return a.severity > b.severity; });
  return findings;
}

bool is_leaving(const Json& bridge) {
  if (has(bridge, "drain")) {
    return true;
  }
  const Json& flags = member(bridge, "flags");
  return std::any_of(flags.begin(), flags.end(), [](const Json& flag) {
    return flag == "drain" || flag == "cordoned" || flag == "graceful_shutdown" ||
           flag == "shutting_down";
  });
}

std::string trouble_of(const Json& bridge) {
  std::string trouble;
  const auto add = [&trouble](const std::string& what) {
    trouble += (trouble.empty() ? "" : ", ") + what;
  };
  if (text_at(bridge, "state") == "failed") {
    add("FAILED");
  }
  for (const Json& flag : member(bridge, "flags")) {
    if (flag == "unhealthy" || flag == "suspect" || flag == "ice_failing") {
      add(flag.get<std::string>());
    }
  }
  if (number_at(bridge, "quarantine_left_ms") > 0) {
    add("quarantine for " + duration_text(number_at(bridge, "quarantine_left_ms")));
  }
  if (has(bridge, "present") && !flag_at(bridge, "present")) {
    add("not in the brewery");
  }
  if (text_at(bridge, "state") == "stale") {
    add("silent for " + duration_text(number_at(bridge, "report_age_ms")));
  }
  const double limit = number_at(bridge, "limit");
  if (limit > 0 && number_at(bridge, "expected") > limit + 0.005) {
    add("above its limit of " + percent(limit));
  }
  return trouble;
}

std::string drain_text(const Json& drain) {
  if (flag_at(drain, "done")) {
    return "empty";
  }
  std::string text = counted(count_at(drain, "participants"), "person", "people") + " left";
  if (count_at(drain, "moving") > 0) {
    text += ", " + std::to_string(count_at(drain, "moving")) + " moving";
  }
  if (count_at(drain, "stuck") > 0) {
    text += ", " + std::to_string(count_at(drain, "stuck")) + " STUCK";
  }
  return text;
}

}  // namespace bascule::ctl
