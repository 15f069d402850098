#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

namespace bascule::focus {

/// Why the focus should get no traffic now: a closed list for `/readyz` and metric labels.
enum class NotReady : std::uint8_t {
  kClientLinkDown,
  kServiceLinkDown,
  kRequestsLinkDown,
  kProxyUnaware,    ///< mod_client_proxy may not know us yet, and refuse requests.
  kNotInBrewery,    ///< The service link is up, but the brewery has not let us in.
  kSettling,        ///< Bridges are still arriving.
  kNoBridge,        ///< Not one bridge takes participants.
  kRoomsRefused,    ///< The server refuses to let us create rooms.
  kCommitDegraded,  ///< Durable changes are not durable before their effects leave.
  kStatsBlind,      ///< Most bridges tell no load: placed by our own counts.
  kShuttingDown,
};
inline constexpr std::size_t kNotReadyCount = 11;
[[nodiscard]] std::string_view name_of(NotReady reason);

struct Readiness {
  std::vector<NotReady> reasons;  ///< In the order of the enumeration.
  /// Neither a degraded store nor missing stats stop the service.
  [[nodiscard]] bool ready() const {
    return std::all_of(reasons.begin(), reasons.end(), [](NotReady reason) {
      return reason == NotReady::kCommitDegraded || reason == NotReady::kStatsBlind;
    });
  }
};

}  // namespace bascule::focus
