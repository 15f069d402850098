#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "admin/health.h"
#include "admin/http.h"
#include "admin/json.h"
#include "base/time.h"
#include "focus/focus.h"

namespace bascule::admin {

/// A link to the XMPP server.
struct LinkStatus {
  std::string_view link;  ///< client, service or requests.
  bool is_up = false;
  std::string address;  ///< Ours on it.
};

/// Everything here is read when somebody wants the overview.
struct OverviewSources {
  std::string version;
  std::string revision;  ///< Of the source, as git names it; empty: unknown.
  WallTime started_at;
  const focus::Focus* focus;  ///< Outlives the router.
  std::function<Now()> now;
  std::function<Health()> health;
  std::function<std::vector<LinkStatus>()> links;
  std::function<std::string_view()> store;  ///< ok, stalled, failing or damaged.
  std::function<Json()> ha;                 ///< As `/v1/ha/status`; empty: there is one process.
};

/// What an operator looks at first, as JSON: ready or why not, load of every bridge, queue, links.
/// Cost: O(bridges + conferences), 2 ms with 1 000 and 5 000.
[[nodiscard]] std::string overview_json(const OverviewSources& sources);

///   GET /v1/overview
void add_overview_route(Router& router, OverviewSources sources);

}  // namespace bascule::admin
