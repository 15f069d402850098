#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "admin/http_server.h"
#include "admin/metrics.h"
#include "base/ids.h"
#include "base/time.h"
#include "daemon/bridge_metrics.h"
#include "daemon/link_runtime.h"
#include "daemon/loop_watch.h"
#include "daemon/reloader.h"
#include "daemon/store_upkeep.h"
#include "focus/focus.h"
#include "focus/output_gate.h"
#include "stats/sqlite/store.h"

namespace bascule::daemon {

struct MetricsSources {
  const focus::Focus& focus;
  const focus::OutputGate& gate;
  const std::array<std::unique_ptr<LinkRuntime>, kStreamCount>& links;
  const admin::HttpServer& http;
  const LoopWatch& loop;
  std::string version;
  std::string revision;
  std::uint64_t log_lines_suppressed;
  std::uint64_t turns;
  const stats::sqlite::Store& store;
  const StoreUpkeep& upkeep;
  const Reloader* reloader;  ///< May be nullptr.
  BridgeSeries& bridges;
  std::function<void(admin::Metrics&)> add;  ///< Of a process with a partner; may be empty.
};

/// One scrape. Names and meanings are listed in docs/operations.md, which a test compares. The
/// bridges are those of `now`, the rest is read when its part is carried out. What `sources` names
/// outlives the parts. Cost: O(bridges + conferences).
admin::MetricsParts metrics_parts(MetricsSources sources, Now now);

}  // namespace bascule::daemon
