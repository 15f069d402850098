#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "admin/http.h"
#include "daemon/store_upkeep.h"
#include "focus/view.h"
#include "stats/sqlite/store.h"

namespace bascule::daemon {

/// What is stored of bridges and of conferences, over HTTP: how sound it is, and the history.
/// Reading files takes its time, so that answers come later; a request too many is answered 503.
class StatsRoutes {
 public:
  struct Sources {
    /// How far the live sources have answered (Focus).
    std::function<std::optional<focus::StatsRequery>()> requery;
    /// Who asked for what, when it has begun.
    std::function<void(const std::string& by, const std::string& what)> record;
  };
  /// All outlive this object.
  StatsRoutes(const stats::sqlite::Store& store, StoreUpkeep& upkeep, Sources sources)
      : store_(store), upkeep_(upkeep), sources_(std::move(sources)) {}

  ///   GET  /v1/stats/health           the running store, what its start found and did, the last
  ///                                   verification, backup and rebuild
  ///   POST /v1/stats/verify           reads every page and record beside the running store
  ///   POST /v1/stats/backup           a copy in `state.backup-dir`
  ///   POST /v1/stats/rebuild          ?dry-run=true &force=true: begins one, 202; 409 if one runs
  ///   GET  /v1/stats/rebuild          how far the last one is, and what came of it
  ///   GET  /v1/bridges/{id}/history   ?from&to (RFC 3339; the last hour) &step (seconds; 60)
  void add_to(admin::Router& router);

 private:
  void begin_rebuild(const admin::HttpRequest& request, const admin::Respond& respond);

  const stats::sqlite::Store& store_;
  StoreUpkeep& upkeep_;
  Sources sources_;
};

}  // namespace bascule::daemon
