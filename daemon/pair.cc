#include "daemon/pair.h"

#include <csignal>
#include <cstdio>
#include <optional>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include "daemon/access_files.h"
#include "daemon/active_phase.h"
#include "daemon/clock.h"
#include "daemon/standby_phase.h"
#include "daemon/start_up.h"
#include "ha/local/file_coordinator.h"

namespace bascule::daemon {
namespace {

bool failed(const Error& error) {
  std::fprintf(stderr, "bascule: %s\n", error.what.c_str());
  return false;
}

/// Between two phases nobody waits for signals: none of them may end the process meanwhile, and
/// SIGTERM, SIGINT and SIGHUP are repeated for the next phase, the first two rather than the last.
class SignalKeeper {
 public:
  SignalKeeper() : signals_(io_, SIGTERM, SIGINT, SIGHUP) {
    signals_.add(SIGUSR2);
    wait();
  }

  /// What came up to now was for the phase that ends.
  void phase_ends() {
    io_.poll();
    kept_ = 0;
  }
  void phase_began() {
    io_.poll();
    if (const int signal = std::exchange(kept_, 0); signal != 0 && signal != SIGUSR2) {
      (void)std::raise(signal);
    }
  }

 private:
  void wait() {
    signals_.async_wait([this](boost::system::error_code error, int signal) {
      if (!error) {
        if (kept_ != SIGTERM && kept_ != SIGINT) {
          kept_ = signal;
        }
        wait();
      }
    });
  }

  boost::asio::io_context io_{1};
  boost::asio::signal_set signals_;
  int kept_ = 0;
};

/// What we know of the session is older than what the server was told, and to resume it with too
/// small a count would end it: it is replaced beside instead (xmpp::Up::beside).
void distrust_session(focus::Restored& state) {
  for (auto& [stream, row] : state.tables.links) {
    row.link.resume_id.clear();
  }
}

struct Standing {
  PhaseEnd end;
  std::optional<StandbyPhase::Lead> lead;
};

Result<Standing> stand_by(Pair& pair, focus::Restored state, bool handed_over,
                          SignalKeeper& signals) {
  boost::asio::io_context io{1};
  StandbyPhase phase(io, pair, std::move(state), handed_over);
  if (auto started = phase.start(); !started) {
    return tl::make_unexpected(started.error());
  }
  signals.phase_began();
  io.run();
  signals.phase_ends();
  return Standing{.end = phase.end(), .lead = phase.take_lead()};
}

struct Led {
  PhaseEnd end;
  focus::Restored state;
};

Result<Led> lead(Pair& pair, const StandbyPhase::Lead& from, SignalKeeper& signals) {
  boost::asio::io_context io{1};
  ActivePhase phase(io, pair, from.state, from.term);
  if (auto started = phase.start(); !started) {
    return tl::make_unexpected(started.error());
  }
  ++pair.counters.takeovers;
  pair.counters.takeovers_stale += from.is_newest ? 0U : 1U;
  const Now now = read_clocks();
  pair.note(from.is_newest ? focus::NoteLevel::kInfo : focus::NoteLevel::kError, "ha.takeover",
            {{"node", pair.config.ha.node},
             {"epoch", static_cast<std::int64_t>(from.term.epoch)},
             {"cause", from.cause},
             {"in_sync", from.is_newest},
             {"conferences", static_cast<std::int64_t>(from.state.tables.conferences.size())},
             {"took_ms", (now.mono - from.won_at) / std::chrono::milliseconds{1}}});
  signals.phase_began();
  io.run();
  signals.phase_ends();
  return Led{.end = phase.end(), .state = phase.take_state(read_clocks().wall)};
}

}  // namespace

void Pair::note(focus::NoteLevel level, std::string_view event,
                std::vector<std::pair<std::string_view, focus::Note::Value>> fields) const {
  log.write({.level = level, .event = event, .fields = std::move(fields)}, read_clocks());
}

bool serve_pair(config::LoadedConfig& loaded, const std::string& file, Reloader::Load reload) {
  const config::Config& config = loaded.config;
  LogSink log(log_options(config.log));
  StoreAnswers answers;
  SignalKeeper signals;
  auto coordinator = ha::FileCoordinator::open(config.ha.shared, config.ha.node);
  if (!coordinator) {
    return failed({coordinator.error().code, "ha.shared: " + coordinator.error().what});
  }
  const auto access = open_access(config.admin, log);
  if (!access) {
    return failed(access.error());
  }
  auto opened = open_store(config.state, [&answers](const stats::sqlite::Completion& completion) {
    answers.post(completion);
  });
  if (!opened) {
    return false;
  }
  use_log_key(log, config, read_clocks());
  log_start(log, *opened, config.focus.version, read_clocks());
  CrashGuard guard(guard_options(config), read_clocks());
  log_guard(log, guard, read_clocks());
  Reloader reloader(loaded, file, std::move(reload), log);
  Pair pair{.config = config,
            .log = log,
            .store = *opened->store,
            .answers = answers,
            .coordinator = **coordinator,
            .guard = &guard,
            .reloader = &reloader,
            .access = *access};
  focus::Restored state = std::move(opened->restored);
  bool handed_over = false;
  while (true) {
    auto standing = stand_by(pair, std::move(state), handed_over, signals);
    if (!standing) {
      return failed(standing.error());
    }
    if (standing->end == PhaseEnd::kExit) {
      return true;
    }
    standing->lead->state.poisoned = guard.poisoned();
    if (!standing->lead->is_newest) {
      distrust_session(standing->lead->state);
    }
    auto led = lead(pair, *standing->lead, signals);
    (*coordinator)->release();
    if (!led) {
      return failed(led.error());
    }
    if (led->end == PhaseEnd::kExit) {
      return true;
    }
    state = std::move(led->state);
    handed_over = true;
  }
}

}  // namespace bascule::daemon
