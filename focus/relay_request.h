#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "focus/offer_options.h"
#include "xmpp/proto/colibri2.h"
#include "xmpp/proto/source.h"

namespace bascule::focus {

/// Which end of a link a bridge is. The initiator is ICE controlling and has a port of its own;
/// what it is told of the other end makes it DTLS server, the responder DTLS client; over SCTP the
/// initiator is client, over WebSocket it dials (Jicofo: Colibri2Session.kt `createRelay`).
enum class RelayEnd : std::uint8_t { kInitiator, kResponder };

/// All payload types and extensions that any two participants may use.
[[nodiscard]] std::vector<proto::Media> make_relay_media(const OfferOptions& offer);

/// An endpoint of the far bridge; creating a known one updates it.
[[nodiscard]] proto::Endpoint make_remote_create(const EndpointId& id, const std::string& stats_id,
                                                 const proto::EndpointSources& sources);
/// Its complete set of sources.
[[nodiscard]] proto::Endpoint make_remote_update(const EndpointId& id,
                                                 const proto::EndpointSources& sources);
[[nodiscard]] proto::Endpoint make_remote_expire(const EndpointId& id);

/// The relay to the bridge that announces `relay_id`, with the endpoints that are there. `sctp`:
/// the bridge channel is over SCTP, else over WebSocket; the same for both ends.
[[nodiscard]] proto::Relay make_relay_create(const std::string& relay_id, RelayEnd end, bool sctp,
                                             std::vector<proto::Media> media,
                                             std::vector<proto::Endpoint> endpoints);

/// What the bridge at `receiver` has to know of the other end's transport. nullopt when the other
/// end did not offer to take either DTLS role: then the two cannot agree.
[[nodiscard]] std::optional<proto::Relay> make_relay_transport(const std::string& relay_id,
                                                               RelayEnd receiver, bool sctp,
                                                               proto::IceUdpTransport other);

}  // namespace bascule::focus
