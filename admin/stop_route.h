#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "admin/http.h"

namespace bascule::admin {

/// How the daemon ends (docs/operations.md).
enum class StopMode : std::uint8_t {
  kSuspend,         ///< Without a word: the next process goes on. As SIGTERM.
  kLeave,           ///< Everybody is told now. As SIGINT.
  kLeaveWhenEmpty,  ///< No new conferences; when the last one has ended by itself, kLeave.
};

struct StopSources {
  std::function<void(StopMode, const std::string& by)> stop;
  std::function<std::size_t()> conferences;
};

///   POST /v1/stop   ?mode=suspend|leave|leave-when-empty: begins to, 202 with the number of
///                   conferences
void add_stop_route(Router& router, StopSources sources);

}  // namespace bascule::admin
