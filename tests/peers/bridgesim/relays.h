#pragma once

#include <optional>

#include "base/prng.h"
#include "tests/peers/bridgesim/colibri.h"
#include "xmpp/xml/element.h"

namespace bascule::peers {

/// Carries out one `relay` of a request and adds the answer to `reply`
/// (Colibri2ConferenceHandler.kt, Relay.kt). Nothing of a refused request is kept.
std::optional<ColibriError> process_relay(const xml::Element& request, BridgeConference& conference,
                                          const BridgeIdentity& identity, Prng& random,
                                          ColibriReply& reply);

/// Whether some relay of the conference has an endpoint of this id.
[[nodiscard]] bool is_remote(const BridgeConference& conference, std::string_view endpoint);

}  // namespace bascule::peers
