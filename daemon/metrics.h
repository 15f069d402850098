#pragma once

#include <array>
#include <functional>
#include <string>

#include "admin/http_server.h"
#include "admin/metrics.h"
#include "base/ids.h"
#include "base/time.h"
#include "daemon/link_runtime.h"
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
  const admin::HttpCounters& http;
  std::string version;
  std::string revision;
  std::uint64_t log_lines_suppressed;
  std::uint64_t turns;
  const stats::sqlite::Store& store;
  const StoreUpkeep& upkeep;
  const Reloader* reloader;                  ///< May be nullptr.
  std::function<void(admin::Metrics&)> add;  ///< Of a process with a partner; may be empty.
};

/// Prometheus text. Names and meanings are listed in docs/operations.md, which a test compares.
/// Cost: O(bridges + conferences) per scrape.
std::string render_metrics(const MetricsSources& sources, Now now);

}  // namespace bascule::daemon
