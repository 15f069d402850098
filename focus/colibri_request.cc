#include "focus/colibri_request.h"

#include "focus/colibri_sources.h"

namespace bascule::focus {

proto::Endpoint make_create(const EndpointRequest& request) {
  proto::Endpoint endpoint{.id = request.id.value(), .create = true, .media = request.media};
  if (!request.stats_id.empty()) {
    endpoint.stats_id = request.stats_id;
  }
  if (request.visitor) {
    endpoint.muc_role = proto::EndpointRole::kVisitor;
  }
  endpoint.transport = proto::Transport{.ice_controlling = true};
  if (request.sctp) {
    endpoint.transport->sctp = proto::Sctp{};
  }
  endpoint.sources = proto::Sources{};
  if (request.force_mute.audio || request.force_mute.video) {
    endpoint.force_mute = request.force_mute;
  }
  // Mandatory, whatever the client says: the bridge refuses endpoints without it.
  endpoint.capabilities.emplace_back(proto::kCapabilitySourceNames);
  if (request.ssrc_rewriting) {
    endpoint.capabilities.emplace_back(proto::kCapabilitySsrcRewriting);
  }
  if (request.private_addresses) {
    endpoint.capabilities.emplace_back(proto::kCapabilityPrivateAddresses);
  }
  if (request.rtp_mid_demux) {
    endpoint.capabilities.emplace_back(proto::kCapabilityRtpMidDemux);
  }
  return endpoint;
}

proto::Endpoint make_update(const EndpointUpdate& update) {
  proto::Endpoint endpoint{.id = update.id.value(), .initial_last_n = update.initial_last_n};
  if (update.transport) {
    endpoint.transport = proto::Transport{.ice_udp = update.transport};
  }
  if (update.sources) {
    endpoint.sources = to_colibri_sources(update.id, *update.sources);
  }
  return endpoint;
}

}  // namespace bascule::focus
