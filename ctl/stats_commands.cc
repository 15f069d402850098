#include "ctl/stats_commands.h"

#include <chrono>
#include <cstdio>
#include <optional>
#include <utility>

#include "base/time_text.h"
#include "stats/sqlite/json.h"
#include "stats/sqlite/maintenance.h"

namespace bascule::ctl {
namespace {

using stats::Finding;
using stats::sqlite::DirectoryCheck;
using stats::sqlite::FileCheck;
using stats::sqlite::HistoryPoint;
using stats::sqlite::Json;

void print(const Json& json) {
  std::printf("%s\n", json.dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
}

void print(const DirectoryCheck& check) {
  std::printf("%-10s %14s %12s  %s\n", "file", "bytes", "records", "newest record");
  for (const FileCheck& file : check.files) {
    std::printf("%-10s %14llu %12llu  %s\n", file.name.c_str(),
                static_cast<unsigned long long>(file.bytes),
                static_cast<unsigned long long>(file.records),
                file.newest ? to_text(*file.newest).c_str() : "-");
  }
  for (const FileCheck& file : check.files) {
    for (const Finding& finding : file.findings) {
      std::printf("damage: %s\n", to_text(finding).c_str());
    }
  }
  for (const Finding& finding : check.marks) {
    std::printf("damage: %s\n", to_text(finding).c_str());
  }
  std::printf("%s\n", check.is_sound() ? "sound" : "DAMAGED");
}

int failed(const Error& error) {
  std::fprintf(stderr, "basculectl: %s\n", error.what.c_str());
  return error.code == Errc::kCorrupt           ? kExitDamaged
         : error.code == Errc::kInvalidArgument ? kExitUsage
                                                : kExitFailed;
}

int finish(const Result<DirectoryCheck>& check, bool json) {
  if (!check) {
    return failed(check.error());
  }
  if (json) {
    print(to_json(*check));
  } else {
    print(*check);
  }
  return check->is_sound() ? kExitOk : kExitDamaged;
}

std::string share_text(const std::optional<std::int64_t>& millionths) {
  if (!millionths) {
    return "-";
  }
  char text[32];
  std::snprintf(text, sizeof text, "%.3f", static_cast<double>(*millionths) / 1e6);
  return text;
}

void print(const stats::sqlite::History& history) {
  std::printf("%s\n%-24s %8s %10s %11s %9s\n", history.bridge.c_str(), "from", "reports",
              "stress max", "stress mean", "endpoints");
  for (const HistoryPoint& point : history.points) {
    std::printf("%-24s %8llu %10s %11s %9s\n", to_text(point.at).c_str(),
                static_cast<unsigned long long>(point.reports),
                share_text(point.stress_max).c_str(), share_text(point.stress_mean).c_str(),
                point.endpoints_max ? std::to_string(*point.endpoints_max).c_str() : "-");
  }
  if (history.damaged > 0) {
    std::printf("%llu damaged rows left out\n", static_cast<unsigned long long>(history.damaged));
  }
}

WallTime now() {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return WallTime(std::chrono::duration_cast<Duration>(since_epoch));
}

}  // namespace

int StatsCommands::verify() const {
  return finish(stats::sqlite::check_directory(directory), json);
}

int StatsCommands::backup(const std::string& target) const {
  return finish(stats::sqlite::back_up(directory, target), json);
}

int StatsCommands::restore(const std::string& backup) const {
  return finish(stats::sqlite::restore(backup, directory), json);
}

int StatsCommands::history(const std::string& bridge, const std::string& from,
                           const std::string& to, int step_seconds) const {
  const auto end = to.empty() ? std::optional(now()) : wall_time_from(to);
  const auto start =
      from.empty() && end ? std::optional(*end - std::chrono::hours{1}) : wall_time_from(from);
  if (!start || !end) {
    return failed({Errc::kInvalidArgument, "times look like 2026-11-21T23:05:00Z"});
  }
  const auto history = stats::sqlite::read_history(
      directory,
      {.bridge = bridge, .from = *start, .to = *end, .step = std::chrono::seconds{step_seconds}});
  if (!history) {
    return failed(history.error());
  }
  if (json) {
    print(to_json(*history));
  } else {
    print(*history);
  }
  return history->damaged == 0 ? kExitOk : kExitDamaged;
}

}  // namespace bascule::ctl
