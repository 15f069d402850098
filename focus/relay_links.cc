#include "focus/relay_links.h"

#include <algorithm>
#include <utility>

namespace bascule::focus {
namespace {

constexpr std::array kEnds{RelayEnd::kInitiator, RelayEnd::kResponder};

std::size_t index(RelayEnd end) {
  return static_cast<std::size_t>(end);
}

RelayEnd other(RelayEnd end) {
  return end == RelayEnd::kInitiator ? RelayEnd::kResponder : RelayEnd::kInitiator;
}

const BridgeJid& bridge_at(const Topology::Link& link, RelayEnd end) {
  return end == RelayEnd::kInitiator ? link.initiator : link.responder;
}

/// The end of `link` that `bridge` is, if it is one.
std::optional<RelayEnd> end_of(const Topology::Link& link, const BridgeJid& bridge) {
  for (const RelayEnd end : kEnds) {
    if (bridge_at(link, end) == bridge) {
      return end;
    }
  }
  return std::nullopt;
}

void set_no_later(std::optional<Instant>& deadline, Instant when) {
  deadline = deadline ? std::min(*deadline, when) : when;
}

/// Whether the request never got to the bridge, or its answer not to us.
bool is_lost(ColibriOutcomeKind kind) {
  return !reaches_bridge(kind) || kind == ColibriOutcomeKind::kTimeout;
}

}  // namespace

// ---- Where endpoints are -----------------------------------------------------------------------

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

// ---- Requests ----------------------------------------------------------------------------------

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

// ---- Life of links -----------------------------------------------------------------------------

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

// ---- Answers -----------------------------------------------------------------------------------

RelayLinks::Step RelayLinks::answered(const RelayAnswer& answer, Instant now) {
  Step step;
  const auto entry = asked_.extract(answer.tag);
  if (entry.empty() || answer.kind == ColibriOutcomeKind::kStale) {
    return step;  // Of a conference that is over there.
  }
  const Asked& asked = entry.mapped();
  const bool done = answer.kind == ColibriOutcomeKind::kDone;
  if (asked.kind == Kind::kExpire) {
    const bool linked_again = std::any_of(links_.begin(), links_.end(), [&](const auto& item) {
      const auto end = end_of(item.first, asked.bridge);
      return end && item.second.relay_ids[index(other(*end))] == asked.relay_id;
    });
    if (is_lost(answer.kind) && !linked_again) {
      owed_.emplace(asked.bridge, asked.relay_id);
      set_no_later(owed_at_, now + kRetry);
    }
    step.changed.push_back(asked.bridge);
    return step;
  }
  const auto link = links_.find(asked.link);
  if (link == links_.end() || link->second.life != asked.life) {
    return step;
  }
  LinkState& state = link->second;
  if (!done) {
    failed(asked, state, answer.kind, now, step);
  } else if (asked.kind == Kind::kCreate) {
    created(asked, state, answer.transport, now, step);
  } else if (asked.kind == Kind::kTransport) {
    state.halves[index(asked.end)].told = true;
    if (state.halves[0].told && state.halves[1].told) {
      state.established = true;
      state.failures = 0;
      step.changed = {asked.link.initiator, asked.link.responder};
      step.linked.push_back(asked.link);
    }
  }
  return step;
}

void RelayLinks::created(const Asked& asked, LinkState& state,
                         const std::optional<proto::Transport>& granted, Instant now, Step& step) {
  const RelayEnd far = other(asked.end);
  std::optional<proto::Relay> told;
  if (granted && granted->ice_udp) {
    told = make_relay_transport(state.relay_ids[index(asked.end)], far, sctp_, *granted->ice_udp);
  }
  if (!told) {
    break_off(asked.link, state, false, now, step);
    return;
  }
  ask(asked.link, state, far, Kind::kTransport, *std::move(told), {}, step.send);
}

void RelayLinks::failed(const Asked& asked, LinkState& state, ColibriOutcomeKind kind, Instant now,
                        Step& step) {
  if (kind == ColibriOutcomeKind::kConferenceGone) {
    return;  // The bridge leaves with the next update.
  }
  if (asked.kind == Kind::kEndpoints && is_lost(kind)) {
    state.halves[index(asked.end)].suspects.insert(asked.endpoints.begin(), asked.endpoints.end());
    set_no_later(state.resync_at, now + kRetry);
    return;
  }
  break_off(asked.link, state, !reaches_bridge(kind), now, step);
}

}  // namespace bascule::focus
