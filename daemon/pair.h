#pragma once

#include <memory>

#include "admin/access.h"
#include "config/config.h"
#include "daemon/crash_guard.h"
#include "daemon/ha_status.h"
#include "daemon/log_sink.h"
#include "daemon/reloader.h"
#include "daemon/store_line.h"
#include "ha/coordinator.h"
#include "stats/sqlite/store.h"

namespace bascule::daemon {

/// What a process that has a partner keeps over its phases (docs/adr/0016): it stands by
/// (StandbyPhase), becomes the active one (ActivePhase), and may stand by again.
struct Pair {
  const config::Config& config;
  LogSink& log;
  stats::sqlite::Store& store;
  StoreAnswers& answers;
  ha::Coordinator& coordinator;
  CrashGuard* guard;
  Reloader* reloader;
  std::shared_ptr<admin::Access> access;
  StoreLine::Counts store_counts{};
  HaCounters counters{};

  [[nodiscard]] std::string peer_path() const { return config.ha.shared + "/peer.sock"; }
  void note(focus::NoteLevel level, std::string_view event,
            std::vector<std::pair<std::string_view, focus::Note::Value>> fields) const;
};

enum class PhaseEnd : std::uint8_t { kExit, kLead, kStandBy };

/// Runs as one of two processes until a signal ends it; `loaded` is kept up to date by SIGHUP,
/// which calls `reload`. False: it could not start, and said why on stderr.
bool serve_pair(config::LoadedConfig& loaded, const std::string& file, Reloader::Load reload);

}  // namespace bascule::daemon
