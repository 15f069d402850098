#include "focus/relay_request.h"

#include <algorithm>
#include <utility>

#include "focus/colibri_sources.h"
#include "focus/features.h"
#include "focus/offer.h"
#include "focus/topology.h"

namespace bascule::focus {

std::vector<proto::Media> make_relay_media(const OfferOptions& offer) {
  Features everything = Features::assumed();
  everything.add(Feature::kRtx).add(Feature::kTransportCc).add(Feature::kOpusRed);
  return make_colibri_media(make_contents(offer, everything));
}

proto::Endpoint make_remote_create(const EndpointId& id, const std::string& stats_id,
                                   const proto::EndpointSources& sources) {
  proto::Endpoint endpoint{.id = id.value(), .create = true};
  if (!stats_id.empty()) {
    endpoint.stats_id = stats_id;
  }
  endpoint.sources = to_colibri_sources(id, sources);
  endpoint.capabilities.emplace_back(proto::kCapabilitySourceNames);
  return endpoint;
}

proto::Endpoint make_remote_update(const EndpointId& id, const proto::EndpointSources& sources) {
  return {.id = id.value(), .sources = to_colibri_sources(id, sources)};
}

proto::Endpoint make_remote_expire(const EndpointId& id) {
  return {.id = id.value(), .expire = true};
}

proto::Relay make_relay_create(const std::string& relay_id, RelayEnd end, bool sctp,
                               std::vector<proto::Media> media,
                               std::vector<proto::Endpoint> endpoints) {
  const bool initiates = end == RelayEnd::kInitiator;
  proto::Relay relay{
      .id = relay_id, .mesh_id = Topology::kMeshId, .create = true, .media = std::move(media)};
  relay.transport = proto::Transport{.ice_controlling = initiates, .use_unique_port = initiates};
  if (sctp) {
    relay.transport->sctp =
        proto::Sctp{.role = initiates ? proto::SctpRole::kClient : proto::SctpRole::kServer};
  }
  relay.endpoints = std::move(endpoints);
  return relay;
}

std::optional<proto::Relay> make_relay_transport(const std::string& relay_id, RelayEnd receiver,
                                                 bool sctp, proto::IceUdpTransport other) {
  const bool initiates = receiver == RelayEnd::kInitiator;
  const bool open = std::all_of(
      other.fingerprints.begin(), other.fingerprints.end(),
      [](const auto& fingerprint) { return fingerprint.setup == proto::DtlsSetup::kActpass; });
  if (other.fingerprints.empty() || !open) {
    return std::nullopt;
  }
  for (auto& fingerprint : other.fingerprints) {
    fingerprint.setup = initiates ? proto::DtlsSetup::kActive : proto::DtlsSetup::kPassive;
  }
  if (sctp || !initiates) {
    other.web_sockets.clear();
  }
  proto::Relay relay{.id = relay_id};
  relay.transport = proto::Transport{.ice_udp = std::move(other)};
  return relay;
}

}  // namespace bascule::focus
