// Media between the bridges of one conference.

#include <algorithm>
#include <set>
#include <utility>

#include "base/check.h"
#include "focus/conference.h"

namespace bascule::focus {

/// Something changed that relays may depend on: they are looked at when this turn is over, so that
/// what happens in one turn makes one request per relay.
void Conference::touch_relays(Turn& turn) {
  if (bridges_.size() > 1 || !relays_.empty()) {
    turn.shared.deadlines.set_no_later(timer(TimerKind::kRelays), turn.now.mono);
  }
}

void Conference::settle_relays(Turn& turn) {
  if (!turn.shared.is_up(StreamId::kService)) {
    return;  // `probe_bridges` comes back to it.
  }
  relays_stale_ = false;
  std::vector<Topology::Node> nodes;
  for (auto& [bridge, use] : bridges_) {
    if (!use.session.is_present()) {
      continue;
    }
    if (use.row.relay_id.empty()) {
      const auto view = turn.shared.placement.bridge(bridge, turn.now);
      use.row.relay_id = view ? view->relay_id.value_or("") : std::string();
    }
    nodes.push_back({bridge, use.row.relay_id, use.session.incarnation()});
    if (BridgeCleanup::can_ask(bridge, turn)) {
      // What was left there has to go before the bridge is told that it is elsewhere.
      send_to_bridge(bridge, use.session.clean_up(), turn);
    }
  }
  const RelayLinks::World world{
      .describe =
          [this](const EndpointId& endpoint) {
            const Participant* participant = find(endpoint);
            return make_remote_create(
                endpoint, participant == nullptr ? std::string() : participant->stats_id,
                sources_.snapshot(endpoint).sources());
          },
      .media = [&turn] { return make_relay_media(turn.options().offer); },
      .can_ask = [&turn](const BridgeJid& bridge) { return BridgeCleanup::can_ask(bridge, turn); }};
  carry_out(relays_.update(nodes, world, turn.now.mono), turn);
}

void Conference::carry_out(const RelayLinks::Step& step, Turn& turn) {
  // First what has to be known after a crash: a link counts as established only while both ends do
  // what they were asked.
  for (const BridgeJid& bridge : std::set(step.changed.begin(), step.changed.end())) {
    if (const auto use = bridges_.find(bridge); use != bridges_.end()) {
      op::BridgeSessionAdd row = use->second.row;
      row.relays = relays_.relays(bridge);
      row.links = relays_.established(bridge);
      if (row != use->second.row) {
        use->second.row = row;
        turn.persist(std::move(row));
      }
    }
  }
  send_relays(step.send, turn);
  for (const auto& link : step.linked) {
    ++turn.counters().relays_linked;
    turn.info("relay.linked", {{"room", room_jid().to_string()},
                               {"initiator", link.initiator.to_string()},
                               {"responder", link.responder.to_string()}});
  }
  for (const auto& link : step.failed) {
    ++turn.counters().relays_failed;
    turn.warn("relay.failed", {{"room", room_jid().to_string()},
                               {"initiator", link.initiator.to_string()},
                               {"responder", link.responder.to_string()}});
  }
  for (const BridgeJid& bridge : step.isolated) {
    turn.warn("relay.impossible",
              {{"room", room_jid().to_string()},
               {"bridge", bridge.to_string()},
               {"relay_id",
                bridges_.contains(bridge) ? bridges_.at(bridge).row.relay_id : std::string()}});
  }
  if (const auto due = relays_.next_deadline()) {
    turn.shared.deadlines.set_no_later(timer(TimerKind::kRelays), *due);
  }
}

void Conference::send_relays(const std::vector<RelayLinks::Request>& requests, Turn& turn) {
  for (const auto& request : requests) {
    if (const auto use = bridges_.find(request.bridge); use != bridges_.end()) {
      send_to_bridge(request.bridge, use->second.session.relay(request.relay, request.tag), turn);
    }
  }
}

void Conference::restore_relays(const ConferenceRow& row) {
  std::set<EndpointId> everybody;
  for (const auto& [endpoint, member] : row.participants) {
    everybody.insert(endpoint);
  }
  const auto has_link = [](const op::BridgeSessionAdd& from, const op::BridgeSessionAdd& to) {
    return std::find(from.links.begin(), from.links.end(), to.relay_id) != from.links.end();
  };
  for (const auto& [bridge, stored] : row.bridge_sessions) {
    for (const std::string& id : stored.relays) {
      relays_.restore_relay(bridge, id);
    }
    for (const auto& [other, far] : row.bridge_sessions) {
      if (bridge < other && has_link(stored, far) && has_link(far, stored)) {
        relays_.restore_link({.initiator = bridge, .responder = other}, everybody);
      }
    }
  }
  relays_stale_ = true;
}

void Conference::check_relays() const {
  std::size_t allocated = 0;
  for (const auto& [id, participant] : participants_) {
    if (participant.bridge &&
        bridges_.at(*participant.bridge).session.is_allocated(participant.endpoint)) {
      BASCULE_CHECK(relays_.has_endpoint(*participant.bridge, participant.endpoint));
      ++allocated;
    }
  }
  BASCULE_CHECK(relays_.endpoint_count() == allocated);
}

}  // namespace bascule::focus
