#include "ctl/stats_text.h"

#include <cstdint>
#include <cstdio>
#include <string>

namespace bascule::ctl {
namespace {

using stats::sqlite::Json;

/// A text as it is, "-" for null, everything else as JSON says it.
std::string text(const Json& value) {
  if (value.is_null()) {
    return "-";
  }
  return value.is_string() ? value.get<std::string>() : value.dump();
}

std::string share(const Json& value) {
  char out[32];
  std::snprintf(out, sizeof out, "%.3f", value.is_number() ? value.get<double>() : 0.0);
  return value.is_null() ? "-" : out;
}

void print_findings(const Json& findings) {
  for (const Json& finding : findings) {
    std::printf("damage: %s %s: %s; lost: %s, since %s\n", text(finding.at("file")).c_str(),
                text(finding.at("damage")).c_str(), text(finding.at("detail")).c_str(),
                finding.at("lost").is_null() ? "unknown" : text(finding.at("lost")).c_str(),
                finding.at("since").is_null() ? "unknown" : text(finding.at("since")).c_str());
  }
}

}  // namespace

void print_health(const Json& health) {
  std::printf("%s\n", health.at("sound").get<bool>() ? "sound" : "DAMAGED");
  const Json& start = health.at("start");
  std::printf(
      "start:        %s, %s operations and %s reports read\n",
      start.at("clean").get<bool>() ? "after an orderly stop" : "after a crash, or the first",
      text(start.at("operations")).c_str(), text(start.at("reports")).c_str());
  print_findings(start.at("findings"));
  std::printf("writing:      state.db %s, stats.db %s; %s reports, %s errors, %s files replaced\n",
              health.at("state_ok").get<bool>() ? "ok" : "FAILING",
              health.at("reports_ok").get<bool>() ? "ok" : "FAILING",
              text(health.at("reports_written")).c_str(), text(health.at("errors")).c_str(),
              text(health.at("files_replaced")).c_str());
  if (const std::string problem = text(health.at("last_problem")); !problem.empty()) {
    std::printf("last problem: %s\n", problem.c_str());
  }
  if (const Json& last = health.at("verification"); !last.is_null()) {
    std::printf("verification: %s, %s\n", text(last.at("at")).c_str(),
                last.contains("error")         ? text(last.at("error")).c_str()
                : last.at("sound").get<bool>() ? "sound"
                                               : "DAMAGED");
  }
  if (const Json& last = health.at("backup"); !last.is_null()) {
    std::printf("backup:       %s, %s\n", text(last.at("at")).c_str(),
                text(last.at("error").is_null() ? last.at("path") : last.at("error")).c_str());
  }
  if (const Json& last = health.at("rebuild"); !last.is_null()) {
    std::printf("rebuild:      ");
    print_rebuild(last);
  }
}

void print_check(const Json& check) {
  std::printf("%-10s %14s %12s  %s\n", "file", "bytes", "records", "newest record");
  for (const Json& file : check.at("files")) {
    std::printf("%-10s %14s %12s  %s\n", text(file.at("name")).c_str(),
                text(file.at("bytes")).c_str(), text(file.at("records")).c_str(),
                text(file.at("newest")).c_str());
  }
  for (const Json& file : check.at("files")) {
    print_findings(file.at("findings"));
  }
  print_findings(check.at("marks"));
  std::printf("%s\n", check.at("sound").get<bool>() ? "sound" : "DAMAGED");
}

void print_backup(const Json& backup) {
  if (backup.contains("files")) {
    print_check(backup);
  } else {
    std::printf("%s\n", text(backup.at("path")).c_str());
  }
}

void print_history(const Json& history) {
  std::printf("%s\n%-24s %8s %10s %11s %9s\n", text(history.at("bridge")).c_str(), "from",
              "reports", "stress max", "stress mean", "endpoints");
  for (const Json& point : history.at("points")) {
    std::printf("%-24s %8s %10s %11s %9s\n", text(point.at("at")).c_str(),
                text(point.at("reports")).c_str(), share(point.at("stress_max")).c_str(),
                share(point.at("stress_mean")).c_str(), text(point.at("endpoints_max")).c_str());
  }
  if (history.at("damaged") != 0) {
    std::printf("%s damaged rows left out\n", text(history.at("damaged")).c_str());
  }
}

void print_rebuild(const Json& rebuild) {
  if (rebuild.at("state") != "done") {
    std::printf("%s %s\n", text(rebuild.at("state")).c_str(),
                rebuild.at("error").is_null() ? "" : text(rebuild.at("error")).c_str());
    return;
  }
  const Json& result = rebuild.at("result");
  print_findings(result.at("findings"));
  std::printf("%sreports kept %s, dropped %s; history %s, state.db %s\n",
              rebuild.at("dry_run").get<bool>() ? "dry run: " : "",
              text(result.at("rows_kept")).c_str(), text(result.at("rows_dropped")).c_str(),
              result.at("history_replaced").get<bool>() ? "replaced" : "as it was",
              result.at("state_replaced").get<bool>() ? "replaced" : "as it was");
  for (const Json& moved : result.at("moved_to")) {
    std::printf("kept aside: %s\n", text(moved).c_str());
  }
  if (const Json& bridges = rebuild.at("bridges"); !bridges.is_null()) {
    std::printf("bridges heard again: %s of %s\n", text(bridges.at("seen")).c_str(),
                text(bridges.at("expected")).c_str());
  }
}

}  // namespace bascule::ctl
