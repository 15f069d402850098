#include "focus/relay_links.h"

#include <algorithm>
#include <utility>

#include "focus/relay_ends.h"

namespace bascule::focus {

void RelayLinks::ask(const Link& link, const LinkState& state, RelayEnd end, Kind kind,
                     proto::Relay relay, std::vector<EndpointId> endpoints,
                     std::vector<Request>& out) {
  const RelayTag tag(++last_tag_);
  const BridgeJid& bridge = bridge_at(link, end);
  asked_.emplace(tag, Asked{.bridge = bridge,
                            .relay_id = relay.id,
                            .kind = kind,
                            .link = link,
                            .end = end,
                            .life = state.life,
                            .endpoints = std::move(endpoints)});
  out.push_back({bridge, std::move(relay), tag});
}

void RelayLinks::expire(const Link& link, LinkState& state, RelayEnd end,
                        std::vector<Request>& out) {
  ask(link, state, end, Kind::kExpire, {.id = state.relay_ids[index(other(end))], .expire = true},
      {}, out);
  state.halves[index(end)] = {};
}

void RelayLinks::expire_owed(const BridgeJid& bridge, std::vector<Request>& out) {
  for (auto owed = owed_.begin(); owed != owed_.end();) {
    if (owed->first != bridge) {
      ++owed;
      continue;
    }
    const RelayTag tag(++last_tag_);
    asked_.emplace(tag, Asked{.bridge = bridge,
                              .relay_id = owed->second,
                              .kind = Kind::kExpire,
                              .link = {bridge, bridge},
                              .end = RelayEnd::kInitiator});
    out.push_back({bridge, {.id = owed->second, .expire = true}, tag});
    owed = owed_.erase(owed);
  }
}

std::vector<RelayLinks::Request> RelayLinks::clear_way(const BridgeJid& bridge,
                                                       const EndpointId& endpoint) {
  std::vector<Request> out;
  for (auto& [link, state] : links_) {
    const auto end = end_of(link, bridge);
    if (!end) {
      continue;
    }
    Half& half = state.halves[index(*end)];
    if (half.state == State::kDoubtful) {
      expire(link, state, *end, out);
      continue;
    }
    const BridgeJid& far = bridge_at(link, other(*end));
    if (half.state == State::kNone || has_endpoint(far, endpoint)) {
      continue;
    }
    bool must_go = half.suspects.erase(endpoint) > 0;
    if (const auto changes = changes_.find(far); changes != changes_.end()) {
      if (const auto entry = changes->second.find(endpoint); entry != changes->second.end()) {
        must_go = entry->second.told.insert(bridge).second || must_go;
      }
    }
    if (must_go) {
      ask(link, state, *end, Kind::kEndpoints,
          {.id = state.relay_ids[index(other(*end))], .endpoints = {make_remote_expire(endpoint)}},
          {endpoint}, out);
    }
  }
  expire_owed(bridge, out);
  return out;
}

RelayLinks::Step RelayLinks::update(std::span<const Topology::Node> present, const World& world,
                                    Instant now) {
  Step step;
  Topology::Change change = topology_.update(present);
  step.isolated = std::move(change.isolated);
  for (const Link& link : change.removed) {
    drop(link, step);
  }
  const auto has_left = [&](const BridgeJid& bridge) { return topology_.find(bridge) == nullptr; };
  std::erase_if(asked_, [&](const auto& entry) { return has_left(entry.second.bridge); });
  std::erase_if(owed_, [&](const auto& entry) { return has_left(entry.first); });
  tell_changes(world, step);
  for (const Link& link : change.added) {
    add(link, world, now, step);
  }
  restored_.clear();
  retry(world, now, step);
  return step;
}

void RelayLinks::drop(const Link& link, Step& step) {
  LinkState state = std::move(links_.extract(link).mapped());
  std::erase_if(asked_, [&](const auto& entry) {
    return entry.second.link == link && entry.second.kind != Kind::kExpire;
  });
  for (const RelayEnd end : kEnds) {
    const BridgeJid& bridge = bridge_at(link, end);
    if (topology_.find(bridge) == nullptr) {
      continue;  // What it has ends with its conference.
    }
    if (state.halves[index(end)].state != State::kNone) {
      expire(link, state, end, step.send);
    }
    step.changed.push_back(bridge);
  }
}

void RelayLinks::add(const Link& link, const World& world, Instant now, Step& step) {
  LinkState& state = links_[link];
  for (const RelayEnd end : kEnds) {
    state.relay_ids[index(end)] = topology_.find(bridge_at(link, end))->relay_id;
  }
  auto restored = restored_.find(link);
  if (restored == restored_.end()) {
    restored = restored_.find({link.responder, link.initiator});
  }
  const bool inherited = restored != restored_.end();
  for (const RelayEnd end : kEnds) {
    const bool may_be_there =
        owed_.erase({bridge_at(link, end), state.relay_ids[index(other(end))]}) > 0;
    if (may_be_there && !inherited) {
      state.halves[index(end)].state = State::kDoubtful;
    }
  }
  if (!inherited) {
    make(link, state, world, now, step);
    return;
  }
  state.life = ++last_life_;
  state.established = true;
  state.halves.fill({.state = State::kCreated, .told = true, .suspects = restored->second});
  state.resync_at = now;
}

void RelayLinks::make(const Link& link, LinkState& state, const World& world, Instant now,
                      Step& step) {
  if (!world.can_ask(link.initiator) || !world.can_ask(link.responder)) {
    state.retry_at = now + kRetry;
    return;
  }
  state.life = ++last_life_;
  state.retry_at.reset();
  step.changed.insert(step.changed.end(), {link.initiator, link.responder});
  for (const RelayEnd end : kEnds) {
    if (state.halves[index(end)].state != State::kNone) {
      expire(link, state, end, step.send);
    }
    std::vector<proto::Endpoint> remote;
    for (const EndpointId& endpoint : endpoints_[bridge_at(link, other(end))]) {
      remote.push_back(world.describe(endpoint));
    }
    ask(link, state, end, Kind::kCreate,
        make_relay_create(state.relay_ids[index(other(end))], end, sctp_, world.media(),
                          std::move(remote)),
        {}, step.send);
    state.halves[index(end)].state = State::kCreated;
  }
}

void RelayLinks::break_off(const Link& link, LinkState& state, bool blameless, Instant now,
                           Step& step) {
  state.established = false;
  step.changed.insert(step.changed.end(), {link.initiator, link.responder});
  state.life = ++last_life_;
  state.resync_at.reset();
  for (Half& half : state.halves) {
    half = {.state = half.state == State::kNone ? State::kNone : State::kDoubtful};
  }
  if (blameless) {
    state.retry_at = now + kRetry;
    return;
  }
  // The first time it may be no more than a relay that was there before, or is there no more.
  const Duration wait =
      state.failures == 0 ? Duration{} : kRetry * (1 << std::min(state.failures - 1, 4U));
  ++state.failures;
  state.retry_at = now + std::min(wait, kRetryMax);
  step.failed.push_back(link);
}

void RelayLinks::tell_changes(const World& world, Step& step) {
  for (const auto& [home, changes] : std::exchange(changes_, {})) {
    std::map<EndpointId, proto::Endpoint> news;
    for (const auto& [id, change] : changes) {
      news.emplace(id, has_endpoint(home, id) ? world.describe(id) : make_remote_expire(id));
    }
    for (auto& [link, state] : links_) {
      // A relay that is made later is told everything.
      if (const auto end = end_of(link, home);
          end && state.halves[index(other(*end))].state == State::kCreated) {
        tell(link, state, other(*end), changes, news, step);
      }
    }
  }
}

void RelayLinks::tell(const Link& link, LinkState& state, RelayEnd end,
                      const std::map<EndpointId, Change>& changes,
                      const std::map<EndpointId, proto::Endpoint>& news, Step& step) {
  Half& half = state.halves[index(end)];
  proto::Relay relay{.id = state.relay_ids[index(other(end))]};
  std::vector<EndpointId> ids;
  for (const auto& [id, change] : changes) {
    if (change.told.contains(bridge_at(link, end))) {
      continue;
    }
    proto::Endpoint endpoint = news.at(id);
    const bool suspect = half.suspects.erase(id) > 0;
    if (endpoint.create && change.known && !change.anew && !suspect) {
      endpoint = {.id = std::move(endpoint.id), .sources = std::move(endpoint.sources)};
    }
    relay.endpoints.push_back(std::move(endpoint));
    ids.push_back(id);
  }
  if (!ids.empty()) {
    ask(link, state, end, Kind::kEndpoints, std::move(relay), std::move(ids), step.send);
  }
}

void RelayLinks::resync(const Link& link, LinkState& state, const World& world, Instant now,
                        Step& step) {
  if (!world.can_ask(link.initiator) || !world.can_ask(link.responder)) {
    state.resync_at = now + kRetry;
    return;
  }
  state.resync_at.reset();
  for (const RelayEnd end : kEnds) {
    Half& half = state.halves[index(end)];
    if (half.state != State::kCreated || half.suspects.empty()) {
      continue;
    }
    proto::Relay relay{.id = state.relay_ids[index(other(end))]};
    std::vector<EndpointId> ids;
    for (const EndpointId& id : std::exchange(half.suspects, {})) {
      const bool there = has_endpoint(bridge_at(link, other(end)), id);
      relay.endpoints.push_back(there ? world.describe(id) : make_remote_expire(id));
      ids.push_back(id);
    }
    ask(link, state, end, Kind::kEndpoints, std::move(relay), std::move(ids), step.send);
  }
}

void RelayLinks::retry(const World& world, Instant now, Step& step) {
  for (auto& [link, state] : links_) {
    if (state.retry_at && *state.retry_at <= now) {
      make(link, state, world, now, step);
    }
    if (state.resync_at && *state.resync_at <= now) {
      resync(link, state, world, now, step);
    }
  }
  if (owed_.empty()) {
    owed_at_.reset();
  } else if (owed_at_ && *owed_at_ <= now) {
    owed_at_.reset();
    for (const Topology::Node& node : topology_.nodes()) {
      if (world.can_ask(node.bridge)) {
        expire_owed(node.bridge, step.send);
      }
    }
    if (!owed_.empty()) {
      owed_at_ = now + kRetry;
    }
  }
}

}  // namespace bascule::focus
