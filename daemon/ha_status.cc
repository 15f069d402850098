#include "daemon/ha_status.h"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace bascule::daemon {

bool HaStatus::has_peer_in_sync() const {
  return std::any_of(peers.begin(), peers.end(), [](const Peer& peer) { return peer.in_sync; });
}

nlohmann::ordered_json to_json(const HaStatus& status) {
  auto peers = nlohmann::ordered_json::array();
  for (const HaStatus::Peer& peer : status.peers) {
    peers.push_back({{"node", peer.node},
                     {"version", peer.version},
                     {"in_sync", peer.in_sync},
                     {"lag", peer.lag}});
  }
  return {{"role", status.is_active ? "active" : "standby"},
          {"node", status.node},
          {"epoch", status.epoch},
          {"commits", status.commits},
          {"in_sync", status.has_peer_in_sync()},
          {"peers", peers},
          {"takeovers", status.counters.takeovers},
          {"switchovers", status.counters.switchovers},
          {"fenced", status.counters.fenced}};
}

}  // namespace bascule::daemon
