#include "ctl/stats_commands.h"

#include <chrono>
#include <cstdio>
#include <thread>
#include <utility>

#include "base/time_text.h"
#include "ctl/ask.h"
#include "ctl/http_client.h"
#include "ctl/stats_text.h"
#include "stats/sqlite/maintenance.h"
#include "stats/sqlite/rebuild.h"

namespace bascule::ctl {
namespace {

using stats::sqlite::Json;

constexpr std::chrono::milliseconds kFollowInterval{200};
constexpr std::chrono::seconds kBridgesBound{15};

template <class T>
Result<Json> as_json(const Result<T>& value) {
  return value.map([](const T& what) { return stats::sqlite::to_json(what); });
}

/// What the answer says of itself: nothing damaged, nothing lost.
bool is_sound(const Json& answer) {
  if (answer.contains("sound")) {
    return answer.at("sound").get<bool>();
  }
  if (answer.contains("damaged")) {
    return answer.at("damaged") == 0;
  }
  if (!answer.contains("result")) {
    return true;  // Of a backup, which is verified or is none.
  }
  const Json& result = answer.at("result");
  return result.at("rows_dropped") == 0 &&
         (!answer.at("dry_run").get<bool>() || result.at("findings").empty());
}

WallTime now() {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return WallTime(std::chrono::duration_cast<Duration>(since_epoch));
}

Result<Json> history_of_files(const std::string& directory, const std::string& bridge,
                              const std::string& from, const std::string& to, int step_seconds) {
  const auto end = to.empty() ? std::optional(now()) : wall_time_from(to);
  const auto start =
      from.empty() && end ? std::optional(*end - std::chrono::hours{1}) : wall_time_from(from);
  if (!start || !end) {
    return fail(Errc::kInvalidArgument, "times look like 2026-11-21T23:05:00Z");
  }
  return as_json(stats::sqlite::read_history(
      directory,
      {.bridge = bridge, .from = *start, .to = *end, .step = std::chrono::seconds{step_seconds}}));
}

/// As the REST interface says it.
Result<Json> rebuild_files(const std::string& directory, bool dry_run, bool force) {
  stats::sqlite::RebuildProgress progress;
  const auto rebuilt =
      stats::sqlite::rebuild_stopped(directory, {.dry_run = dry_run, .force = force}, progress);
  if (!rebuilt) {
    return tl::make_unexpected(rebuilt.error());
  }
  return Json{{"state", "done"},
              {"dry_run", dry_run},
              {"force", force},
              {"bridges", nullptr},
              {"result", stats::sqlite::to_json(*rebuilt)},
              {"error", nullptr}};
}

bool waits_for_bridges(const Json& rebuild) {
  const Json bridges = rebuild.value("bridges", Json());
  return bridges.is_object() && bridges.value("seen", 0U) < bridges.value("expected", 0U);
}

void tell_progress(const Json& rebuild) {
  const Json& rows = rebuild.at("rows");
  std::fprintf(stderr, "rows: %s of %s read, %s kept", rows.at("read").dump().c_str(),
               rows.at("expected").dump().c_str(), rows.at("kept").dump().c_str());
  if (const Json& bridges = rebuild.at("bridges"); !bridges.is_null()) {
    std::fprintf(stderr, "; bridges: %s of %s", bridges.at("seen").dump().c_str(),
                 bridges.at("expected").dump().c_str());
  }
  std::fprintf(stderr, "\n");
}

}  // namespace

int StatsCommands::finish(const Result<Json>& outcome, void (*print)(const Json&)) const {
  if (!outcome) {
    return failed(outcome.error());
  }
  try {
    if (json) {
      std::printf("%s\n", outcome->dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
    } else {
      print(*outcome);
    }
    return is_sound(*outcome) ? kExitOk : kExitDamaged;
  } catch (const Json::exception& error) {
    return failed(
        {Errc::kUnavailable, "an answer of another version: " + std::string(error.what())});
  }
}

int StatsCommands::status() const {
  return finish(ask_json(url, "GET", "/v1/stats/health"), print_health);
}

int StatsCommands::verify() const {
  return finish(directory ? as_json(stats::sqlite::check_directory(*directory))
                          : ask_json(url, "POST", "/v1/stats/verify"),
                print_check);
}

int StatsCommands::backup(const std::string& target) const {
  if (directory.has_value() == target.empty()) {
    return failed({Errc::kInvalidArgument,
                   directory ? "say where the backup of " + *directory + " goes"
                             : "a running bascule writes to its state.backup-dir; give a target "
                               "together with --dir"});
  }
  return finish(directory ? as_json(stats::sqlite::back_up(*directory, target))
                          : ask_json(url, "POST", "/v1/stats/backup"),
                print_backup);
}

int StatsCommands::restore(const std::string& backup) const {
  if (!directory) {
    return failed({Errc::kInvalidArgument, "say which state directory with --dir"});
  }
  return finish(as_json(stats::sqlite::restore(backup, *directory)), print_check);
}

int StatsCommands::history(const std::string& bridge, const std::string& from,
                           const std::string& to, int step_seconds) const {
  std::string target =
      "/v1/bridges/" + percent_encoded(bridge) + "/history?step=" + std::to_string(step_seconds);
  target += from.empty() ? "" : "&from=" + percent_encoded(from);
  target += to.empty() ? "" : "&to=" + percent_encoded(to);
  return finish(directory ? history_of_files(*directory, bridge, from, to, step_seconds)
                          : ask_json(url, "GET", target),
                print_history);
}

int StatsCommands::rebuild(bool dry_run, bool force) const {
  return finish(
      directory ? rebuild_files(*directory, dry_run, force) : rebuild_running(dry_run, force),
      print_rebuild);
}

Result<Json> StatsCommands::rebuild_running(bool dry_run, bool force) const {
  auto rebuild = ask_json(url, "POST",
                          std::string("/v1/stats/rebuild?dry-run=") + (dry_run ? "true" : "false") +
                              "&force=" + (force ? "true" : "false"));
  if (!rebuild && rebuild.error().code == Errc::kConflict) {
    std::fprintf(stderr, "one runs already; following it\n");
    rebuild = ask_json(url, "GET", "/v1/stats/rebuild");
  }
  // Bridges answer within a publish period; those that do not are none of the rebuild's business.
  const auto bound = std::chrono::steady_clock::now() + kBridgesBound;
  while (rebuild && (rebuild->value("state", "") == "running" ||
                     (waits_for_bridges(*rebuild) && std::chrono::steady_clock::now() < bound))) {
    std::this_thread::sleep_for(kFollowInterval);
    rebuild = ask_json(url, "GET", "/v1/stats/rebuild");
    if (rebuild) {
      tell_progress(*rebuild);
    }
  }
  if (rebuild && rebuild->value("state", "") == "failed") {
    return fail(Errc::kUnavailable, rebuild->value("error", std::string("it failed")));
  }
  return rebuild;
}

}  // namespace bascule::ctl
