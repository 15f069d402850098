#include "ctl/stats_commands.h"

#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include <CLI/CLI.hpp>

#include "base/time_text.h"
#include "ctl/ask.h"
#include "ctl/http_client.h"
#include "ctl/stats_text.h"
#include "stats/sqlite/json.h"
#include "stats/sqlite/maintenance.h"
#include "stats/sqlite/rebuild.h"

namespace bascule::ctl {
namespace {

using stats::sqlite::Json;

constexpr std::chrono::milliseconds kFollowInterval{200};
constexpr std::chrono::seconds kBridgesBound{15};

struct StatsCommands {
  const Context& context;
  std::optional<std::string> directory = std::nullopt;

  /// Of a running bascule: the store, and its last verification, backup and rebuild.
  [[nodiscard]] int status() const;
  /// Reads every page and record.
  [[nodiscard]] int verify() const;
  /// `target`: with a directory only; a running bascule has one of its own.
  [[nodiscard]] int backup(const std::string& target) const;
  /// With a directory only.
  [[nodiscard]] int restore(const std::string& backup) const;
  /// `from` and `to` in RFC 3339; empty: an hour before `to`, and now.
  [[nodiscard]] int history(const std::string& bridge, const std::string& from,
                            const std::string& to, int step_seconds) const;
  /// Waits for the end, and tells how far it is on stderr. When one runs already it follows that.
  [[nodiscard]] int rebuild(bool dry_run, bool force) const;

 private:
  [[nodiscard]] Result<Json> ask(const char* method, const std::string& target) const;
  [[nodiscard]] Result<Json> rebuild_running(bool dry_run, bool force) const;
  [[nodiscard]] int finish(const Result<Json>& outcome, void (*print)(const Json&)) const;
};

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

Result<Json> StatsCommands::ask(const char* method, const std::string& target) const {
  auto answer = ask_json(context.connection, method, target);
  if (!answer && answer.error().what.starts_with("no answer")) {
    answer.error().what += ", and --dir works on the files of one that is stopped";
  }
  return answer;
}

int StatsCommands::finish(const Result<Json>& outcome, void (*print)(const Json&)) const {
  if (!outcome) {
    return failed(outcome.error());
  }
  try {
    if (context.json) {
      print_json(*outcome);
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
  return finish(ask("GET", "/v1/stats/health"), print_health);
}

int StatsCommands::verify() const {
  return finish(directory ? as_json(stats::sqlite::check_directory(*directory))
                          : ask("POST", "/v1/stats/verify"),
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
                          : ask("POST", "/v1/stats/backup"),
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
  return finish(
      directory ? history_of_files(*directory, bridge, from, to, step_seconds) : ask("GET", target),
      print_history);
}

int StatsCommands::rebuild(bool dry_run, bool force) const {
  return finish(
      directory ? rebuild_files(*directory, dry_run, force) : rebuild_running(dry_run, force),
      print_rebuild);
}

Result<Json> StatsCommands::rebuild_running(bool dry_run, bool force) const {
  auto rebuild =
      ask("POST", std::string("/v1/stats/rebuild?dry-run=") + (dry_run ? "true" : "false") +
                      "&force=" + (force ? "true" : "false"));
  if (!rebuild && rebuild.error().code == Errc::kConflict) {
    std::fprintf(stderr, "one runs already; following it\n");
    rebuild = ask("GET", "/v1/stats/rebuild");
  }
  // Bridges answer within a publish period; those that do not are none of the rebuild's business.
  const auto bound = std::chrono::steady_clock::now() + kBridgesBound;
  while (rebuild && (rebuild->value("state", "") == "running" ||
                     (waits_for_bridges(*rebuild) && std::chrono::steady_clock::now() < bound))) {
    std::this_thread::sleep_for(kFollowInterval);
    rebuild = ask("GET", "/v1/stats/rebuild");
    if (rebuild) {
      tell_progress(*rebuild);
    }
  }
  if (rebuild && rebuild->value("state", "") == "failed") {
    return fail(Errc::kUnavailable, rebuild->value("error", std::string("it failed")));
  }
  return rebuild;
}

struct Arguments {
  std::string directory;
  std::string target;
  std::string source;
  std::string bridge;
  std::string from;
  std::string to;
  int step_seconds = 60;
  bool dry_run = false;
  bool force = false;
};

}  // namespace

void add_stats(CLI::App& cli, Context& context) {
  const auto given = std::make_shared<Arguments>();
  CLI::App* stats = cli.add_subcommand("stats", "What is stored: state.db and stats.db");
  stats->require_subcommand(1);
  const CLI::Option* dir = stats
                               ->add_option("--dir", given->directory,
                                            "Work on the files in this state directory instead")
                               ->type_name("DIR")
                               ->excludes(cli.get_option("--url"));
  const auto on = [&context, given, dir](CLI::App* command, auto run) {
    on_call(*command, context, [&context, given, dir, run] {
      return run(StatsCommands{context,
                               dir->count() > 0 ? std::optional(given->directory) : std::nullopt});
    });
  };
  using Commands = const StatsCommands&;

  on(stats->add_subcommand("status", "How sound the store of a running bascule is"),
     [](Commands commands) { return commands.status(); });
  on(stats->add_subcommand("verify", "Read every page and record"),
     [](Commands commands) { return commands.verify(); });

  CLI::App* backup = stats->add_subcommand("backup", "Copy, also beside a running bascule");
  backup->add_option("TARGET", given->target, "New directory; with --dir only");
  on(backup, [given](Commands commands) { return commands.backup(given->target); });

  CLI::App* restore =
      stats->add_subcommand("restore", "Put a backup in place (--dir); bascule must be stopped");
  restore->add_option("BACKUP", given->source, "Directory made by backup")->required();
  on(restore, [given](Commands commands) { return commands.restore(given->source); });

  CLI::App* history = stats->add_subcommand("history", "What a bridge reported");
  history->add_option("BRIDGE", given->bridge, "Nick or full address")->required();
  history->add_option("--from", given->from, "RFC 3339, UTC (an hour before --to)")
      ->type_name("TIME");
  history->add_option("--to", given->to, "RFC 3339, UTC (now)")->type_name("TIME");
  history->add_option("--step", given->step_seconds, "Seconds per line")
      ->type_name("SECONDS")
      ->capture_default_str();
  on(history, [given](Commands commands) {
    return commands.history(given->bridge, given->from, given->to, given->step_seconds);
  });

  CLI::App* rebuild = stats->add_subcommand(
      "rebuild", "Verify, write what is damaged anew, ask all sources again; with --dir: stopped");
  rebuild->add_flag("--dry-run", given->dry_run, "Say what would be kept and dropped");
  rebuild->add_flag("--force", given->force, "Write the history anew although it is sound");
  on(rebuild,
     [given](Commands commands) { return commands.rebuild(given->dry_run, given->force); });
}

}  // namespace bascule::ctl
