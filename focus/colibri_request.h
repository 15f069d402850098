#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "xmpp/proto/colibri2.h"
#include "xmpp/proto/source.h"

namespace bascule::focus {

/// What to allocate for one participant.
struct EndpointRequest {
  EndpointId id{""};
  std::string stats_id;  ///< Empty: none.
  std::vector<proto::Media> media;
  bool sctp = false;
  bool ssrc_rewriting = false;
  bool rtp_mid_demux = false;
  bool private_addresses = false;  ///< Gateways inside the bridge's network only.
  bool visitor = false;
  proto::ForceMute force_mute;  ///< Sent only when something is muted.
};

/// A change of an endpoint that exists; absent parts stay as they are.
struct EndpointUpdate {
  EndpointId id{""};
  std::optional<proto::IceUdpTransport> transport;
  std::optional<proto::EndpointSources> sources;  ///< The complete set of the endpoint.
  std::optional<int> initial_last_n;
};

/// The colibri2 elements that ask for it (Jicofo: Colibri2Session.kt).
[[nodiscard]] proto::Endpoint make_create(const EndpointRequest& request);
[[nodiscard]] proto::Endpoint make_update(const EndpointUpdate& update);

}  // namespace bascule::focus
