#include "daemon/reloader.h"

#include <utility>

#include "daemon/clock.h"
#include "daemon/service_manager.h"
#include "daemon/start_up.h"

namespace bascule::daemon {
namespace {

using focus::NoteLevel;

std::string joined(const std::vector<std::string>& paths) {
  std::string all;
  for (const std::string& path : paths) {
    all += (all.empty() ? "" : " ") + path;
  }
  return all;
}

focus::Note failure(const config::ConfigError& error, const std::string& file) {
  focus::Note note{.level = NoteLevel::kError,
                   .event = "config.reload_failed",
                   .fields = {{"key", error.key}, {"reason", error.message}}};
  if (!error.value.empty()) {
    note.fields.emplace_back("value", error.value);
  }
  if (error.origin.source == config::Origin::Source::kFile) {
    note.fields.emplace_back("file", file);
    note.fields.emplace_back("line", std::int64_t{error.origin.line});
  } else if (!error.origin.variable.empty()) {
    note.fields.emplace_back("variable", error.origin.variable);
  }
  return note;
}

}  // namespace

Reloader::Reloader(config::LoadedConfig& running, std::string file, Load load, LogSink& log)
    : running_(running), file_(std::move(file)), load_(std::move(load)), log_(log) {
}

void Reloader::reload() {
  notify_reloading();
  const auto done = attempt();
  const Now now = read_clocks();
  status_.last_failed = !done.has_value();
  if (done) {
    ++status_.succeeded;
    status_.last_success = now.wall;
  } else {
    ++status_.failed;
    for (const config::ConfigError& error : done.error()) {
      log_.write(failure(error, file_), now);
    }
  }
  notify_service_manager("READY=1");
}

tl::expected<void, std::vector<config::ConfigError>> Reloader::attempt() {
  const auto fresh = load_();
  if (!fresh) {
    return tl::make_unexpected(fresh.error());
  }
  auto merged = config::merge(running_, *fresh);
  if (!merged) {
    return tl::make_unexpected(std::move(merged.error()));
  }
  if (apply_) {
    if (const auto applied = apply_(merged->config.config); !applied) {
      return tl::make_unexpected(
          std::vector<config::ConfigError>{{.key = file_, .message = applied.error().what}});
    }
  }
  running_ = std::move(merged->config);
  const LogOptions options = log_options(running_.config.log);
  // Said under whichever level says more.
  const bool is_quieter = options.level > log_.options().level;
  if (is_quieter) {
    tell(merged->changes);
  }
  log_.configure(options);
  use_log_key(log_, running_.config, read_clocks());
  if (!is_quieter) {
    tell(merged->changes);
  }
  return {};
}

void Reloader::tell(const config::Changes& changes) {
  log_.write({.level = NoteLevel::kInfo,
              .event = "config.reloaded",
              .fields = {{"applied", joined(changes.applied)}}},
             read_clocks());
  if (!changes.needs_restart.empty()) {
    log_.write({.level = NoteLevel::kWarn,
                .event = "config.reload_needs_restart",
                .fields = {{"keys", joined(changes.needs_restart)}}},
               read_clocks());
  }
}

}  // namespace bascule::daemon
