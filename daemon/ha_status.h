#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/time.h"

namespace bascule::daemon {

/// Since the process started, over all its phases.
struct HaCounters {
  std::uint64_t takeovers = 0;        ///< This process became the active one.
  std::uint64_t takeovers_stale = 0;  ///< Of these, without what the other one knew last.
  std::uint64_t switchovers = 0;      ///< It handed over in order.
  std::uint64_t switchovers_aborted = 0;
  std::uint64_t fenced = 0;    ///< It killed an active process that hung.
  std::uint64_t degraded = 0;  ///< A standby was waited for no more.
  std::uint64_t snapshots = 0;
};

/// One of two processes, for people: `/v1/ha/status`, metrics.
struct HaStatus {
  struct Peer {
    std::string node;
    std::string version;
    bool in_sync = false;
    std::uint64_t lag = 0;  ///< Commits it has not confirmed, or we do not have.
    /// Since the oldest of them was made; zero: there is none. nullopt: only the other one knows.
    std::optional<Duration> waited = std::nullopt;
  };
  bool is_active = false;
  std::string node;
  std::uint64_t epoch = 0;  ///< Of the active process; 0: none is known.
  std::uint64_t commits = 0;
  std::vector<Peer> peers;  ///< Standbys; of a standby: the active one.
  HaCounters counters;

  [[nodiscard]] bool has_peer_in_sync() const;
};

[[nodiscard]] nlohmann::ordered_json to_json(const HaStatus& status);

}  // namespace bascule::daemon
