#pragma once

#include <string>

#include "xmpp/proto/ice_udp.h"

namespace bascule::sim {

/// What a bridge offers for the endpoint or relay `id`.
[[nodiscard]] proto::IceUdpTransport make_ice(const std::string& id, std::string ufrag);

}  // namespace bascule::sim
