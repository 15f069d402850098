#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/time.h"
#include "focus/focus.h"

namespace bascule::admin {

struct Health;

/// Everything Jicofo's `/stats` and metrics are made of, at one moment.
struct JicofoFigures {
  std::string version;
  bool healthy = false;
  std::string problems;       ///< Why not; empty when healthy.
  std::uint64_t threads = 0;  ///< Of the process.
  focus::Counters counters;
  focus::PlacementCounters placement;
  Instant now{};
  std::vector<focus::BridgeView> bridges;  ///< In the brewery now.
  std::vector<focus::ConferenceSize> conferences;
};

/// O(conferences + bridges).
[[nodiscard]] JicofoFigures jicofo_figures(const focus::Focus& focus, Now now);

/// Sums over conferences as Jicofo makes them: one without members counts as one of one
/// (FocusManager.kt).
struct JicofoSizes {
  std::uint64_t conferences = 0;
  std::uint64_t participants = 0;
  std::uint64_t visitors = 0;
  std::uint64_t with_visitors = 0;
  std::uint64_t largest = 0;
  std::uint64_t smallest = 0;
  std::uint64_t pairs = 0;  ///< Sum of the squares of the sizes.
  /// Of conferences whose size is from one edge up to the next; the last has no upper edge.
  static constexpr std::array<std::uint64_t, 13> kEdges = {0,  1,   2,   3,   5,   10, 20,
                                                           50, 100, 200, 300, 400, 500};
  std::array<std::uint64_t, kEdges.size()> buckets{};
};
[[nodiscard]] JicofoSizes jicofo_sizes(const std::vector<focus::ConferenceSize>& conferences);

/// Counts of bridges in the brewery.
struct JicofoBridges {
  std::uint64_t all = 0;
  std::uint64_t operational = 0;  ///< Not given up, unhealthy or in quarantine.
  std::uint64_t in_shutdown = 0;  ///< Announced a graceful shutdown.
  std::uint64_t versions = 0;     ///< Different ones.
};
[[nodiscard]] JicofoBridges jicofo_bridges(const std::vector<focus::BridgeView>& bridges);

/// One sum by several names (JingleStats.kt, and the metrics made of it).
struct JicofoJingleAction {
  const char* constant;        ///< "SESSION_INITIATE", as `/stats` has it.
  const char* metric;          ///< "session_initiate", as a metric has it.
  proto::JingleAction action;  ///< kUnknown: an old spelling, counted under the new one.
};
inline constexpr std::array<JicofoJingleAction, 19> kJicofoJingleActions = {{
    {"ADDSOURCE", "addsource", proto::JingleAction::kUnknown},
    {"CONTENT_ACCEPT", "content_accept", proto::JingleAction::kContentAccept},
    {"CONTENT_ADD", "content_add", proto::JingleAction::kContentAdd},
    {"CONTENT_MODIFY", "content_modify", proto::JingleAction::kContentModify},
    {"CONTENT_REJECT", "content_reject", proto::JingleAction::kContentReject},
    {"CONTENT_REMOVE", "content_remove", proto::JingleAction::kContentRemove},
    {"DESCRIPTION_INFO", "description_info", proto::JingleAction::kDescriptionInfo},
    {"REMOVESOURCE", "removesource", proto::JingleAction::kUnknown},
    {"SECURITY_INFO", "security_info", proto::JingleAction::kSecurityInfo},
    {"SESSION_ACCEPT", "session_accept", proto::JingleAction::kSessionAccept},
    {"SESSION_INFO", "session_info", proto::JingleAction::kSessionInfo},
    {"SESSION_INITIATE", "session_initiate", proto::JingleAction::kSessionInitiate},
    {"SESSION_TERMINATE", "session_terminate", proto::JingleAction::kSessionTerminate},
    {"SOURCEADD", "sourceadd", proto::JingleAction::kSourceAdd},
    {"SOURCEREMOVE", "sourceremove", proto::JingleAction::kSourceRemove},
    {"TRANSPORT_ACCEPT", "transport_accept", proto::JingleAction::kTransportAccept},
    {"TRANSPORT_INFO", "transport_info", proto::JingleAction::kTransportInfo},
    {"TRANSPORT_REJECT", "transport_reject", proto::JingleAction::kTransportReject},
    {"TRANSPORT_REPLACE", "transport_replace", proto::JingleAction::kTransportReplace},
}};
[[nodiscard]] std::uint64_t jicofo_jingle(
    const std::array<std::uint64_t, focus::kJingleActions>& counts,
    const JicofoJingleAction& action);

/// Requests for a new session by session-terminate, those over the rate limit included.
[[nodiscard]] std::uint64_t jicofo_restarts(const focus::Counters& counters);
/// Bridges that went without having announced it.
[[nodiscard]] std::uint64_t jicofo_lost_bridges(const focus::PlacementCounters& placement);

}  // namespace bascule::admin
