// Where the endpoints of a conference are, and what of its links is known.

#include <algorithm>
#include <utility>

#include "focus/relay_ends.h"
#include "focus/relay_links.h"

namespace bascule::focus {

void RelayLinks::endpoint_added(const BridgeJid& bridge, const EndpointId& endpoint) {
  endpoints_[bridge].insert(endpoint);
  if (is_linked(bridge)) {
    const auto [entry, is_new] = changes_[bridge].try_emplace(endpoint, Change{.known = false});
    if (!is_new) {
      entry->second.anew = true;
      entry->second.told.clear();
    }
  }
}

void RelayLinks::endpoint_changed(const BridgeJid& bridge, const EndpointId& endpoint) {
  if (has_endpoint(bridge, endpoint) && is_linked(bridge)) {
    changes_[bridge].try_emplace(endpoint, Change{});
  }
}

void RelayLinks::endpoint_removed(const BridgeJid& bridge, const EndpointId& endpoint) {
  const auto home = endpoints_.find(bridge);
  if (home == endpoints_.end() || home->second.erase(endpoint) == 0) {
    return;
  }
  if (home->second.empty()) {
    endpoints_.erase(home);
  }
  if (is_linked(bridge)) {
    auto& changes = changes_[bridge];
    const auto entry = changes.try_emplace(endpoint, Change{}).first;
    if (!entry->second.known) {
      changes.erase(entry);  // Nobody heard of it.
    }
  }
}

void RelayLinks::forget(const BridgeJid& bridge) {
  endpoints_.erase(bridge);
  changes_.erase(bridge);
}

void RelayLinks::clear() {
  *this = RelayLinks(sctp_);
}

void RelayLinks::restore_relay(const BridgeJid& bridge, const std::string& relay_id) {
  owed_.emplace(bridge, relay_id);
  owed_at_ = Instant{};
}

void RelayLinks::restore_link(const Link& link, const std::set<EndpointId>& suspects) {
  restored_.emplace(link, suspects);
}

bool RelayLinks::has_endpoint(const BridgeJid& bridge, const EndpointId& endpoint) const {
  const auto home = endpoints_.find(bridge);
  return home != endpoints_.end() && home->second.contains(endpoint);
}

std::size_t RelayLinks::endpoint_count() const {
  std::size_t count = 0;
  for (const auto& [bridge, endpoints] : endpoints_) {
    count += endpoints.size();
  }
  return count;
}

bool RelayLinks::is_linked(const BridgeJid& bridge) const {
  return std::any_of(links_.begin(), links_.end(),
                     [&](const auto& entry) { return end_of(entry.first, bridge).has_value(); });
}

bool RelayLinks::is_established(const Link& link) const {
  const auto found = links_.find(link);
  return found != links_.end() && found->second.established;
}

std::vector<std::string> RelayLinks::established(const BridgeJid& bridge) const {
  std::vector<std::string> ids;
  for (const auto& [link, state] : links_) {
    if (const auto end = end_of(link, bridge); end && state.established) {
      ids.push_back(state.relay_ids[index(other(*end))]);
    }
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

std::vector<std::string> RelayLinks::relays(const BridgeJid& bridge) const {
  std::set<std::string> ids;
  for (const auto& [link, state] : links_) {
    const auto end = end_of(link, bridge);
    if (end && state.halves[index(*end)].state != State::kNone) {
      ids.insert(state.relay_ids[index(other(*end))]);
    }
  }
  for (const auto& [owing, id] : owed_) {
    if (owing == bridge) {
      ids.insert(id);
    }
  }
  for (const auto& [tag, asked] : asked_) {
    if (asked.kind == Kind::kExpire && asked.bridge == bridge) {
      ids.insert(asked.relay_id);
    }
  }
  return {ids.begin(), ids.end()};
}

std::optional<Instant> RelayLinks::next_deadline() const {
  std::optional<Instant> next = owed_at_;
  for (const auto& [link, state] : links_) {
    for (const auto& due : {state.retry_at, state.resync_at}) {
      if (due) {
        set_no_later(next, *due);
      }
    }
  }
  return next;
}

}  // namespace bascule::focus
