#pragma once

#include <cstdint>
#include <functional>

#include "admin/http.h"
#include "admin/routes.h"
#include "focus/focus.h"

namespace bascule::admin {

/// Everything here is read when a request asks for it.
struct JicofoRouteSources {
  std::function<const focus::Focus&()> focus;
  std::function<Now()> now;
  std::function<Health()> health;
  std::function<std::uint64_t()> threads;  ///< Of the process.
  /// Runs something behind what the event loop has to do already.
  std::function<void(std::function<void()>)> later;
};

/// What tools made for Jicofo read, under its paths and with its names (Application.kt):
///   GET /stats                     counts of everything
///   GET /metrics/jicofo            see jicofo_metrics
///   GET /rtcstats                  conferences that are to be in rtcstats, by meeting id
///   GET /debug[?full=true]         bridges, and conferences by room: how many, or everything
///   GET /debug/conferences         the rooms
///   GET /debug/conferences-full    everything, by room
///   GET /debug/conference/{room}   one; {} when there is none
///   GET /debug/xmpp-caps           capabilities of clients, and how many have them
/// `/about/health` and `/about/version` are served without this, and the orders apart from it.
/// What has all conferences is written a slice at a time, and only one of that at once (503).
void add_jicofo_routes(Router& router, JicofoRouteSources sources);

}  // namespace bascule::admin
