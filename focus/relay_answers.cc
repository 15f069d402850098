// What bridges answer to requests about relays.

#include <algorithm>
#include <utility>

#include "focus/relay_ends.h"
#include "focus/relay_links.h"

namespace bascule::focus {
namespace {

/// Whether the request never got to the bridge, or its answer not to us.
bool is_lost(ColibriOutcomeKind kind) {
  return !reaches_bridge(kind) || kind == ColibriOutcomeKind::kTimeout;
}

}  // namespace

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
