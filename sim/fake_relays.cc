#include "sim/fake_relays.h"

#include <algorithm>

#include "sim/fake_transport.h"

namespace bascule::sim {

SsrcSet to_ssrcs(const proto::Sources& sources) {
  SsrcSet ssrcs;
  for (const auto& media : sources.media_sources) {
    for (const auto& source : media.sources) {
      ssrcs.insert(source.ssrc.value());
    }
  }
  return ssrcs;
}

bool FakeRelays::has_remote(const std::string& endpoint) const {
  return std::any_of(relays_.begin(), relays_.end(),
                     [&](const auto& entry) { return entry.second.endpoints.contains(endpoint); });
}

std::size_t FakeRelays::remote_endpoints() const {
  std::size_t count = 0;
  for (const auto& [id, relay] : relays_) {
    count += relay.endpoints.size();
  }
  return count;
}

tl::expected<proto::Relay, proto::StanzaError> FakeRelays::modify(
    const proto::Relay& request, const std::string& new_ufrag,
    std::vector<std::string>& complaints) {
  proto::Relay answer{.id = request.id};
  if (request.expire) {
    relays_.erase(request.id);
    answer.expire = true;
    return answer;
  }
  const bool known = relays_.contains(request.id);
  if (request.create == known) {
    return tl::make_unexpected(proto::make_error(
        known ? proto::Condition::kConflict : proto::Condition::kBadRequest, request.id));
  }
  if (request.create && (!request.transport || request.media.empty())) {
    complaints.push_back("relay without transport or media: " + request.id);
    return tl::make_unexpected(proto::make_error(proto::Condition::kBadRequest));
  }
  Relay& relay = relays_[request.id];
  if (request.create) {
    relay.ufrag = new_ufrag;
    answer.transport = proto::Transport{.ice_udp = make_ice(request.id, new_ufrag)};
  } else if (request.transport && request.transport->ice_udp) {
    if (!relay.remote.empty()) {
      complaints.push_back("second transport for relay " + request.id);
    }
    relay.remote = request.transport->ice_udp->ufrag.value_or("");
  }
  for (const auto& endpoint : request.endpoints) {
    apply(endpoint, relay, complaints);
  }
  return answer;
}

void FakeRelays::apply(const proto::Endpoint& request, Relay& relay,
                       std::vector<std::string>& complaints) {
  if (request.expire) {
    relay.endpoints.erase(request.id);
    return;
  }
  if (!request.create && !relay.endpoints.contains(request.id)) {
    complaints.push_back("update of an unknown remote endpoint: " + request.id);
    return;
  }
  relay.endpoints[request.id] = request.sources ? to_ssrcs(*request.sources) : SsrcSet{};
}

}  // namespace bascule::sim
