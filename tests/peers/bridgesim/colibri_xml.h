#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/prng.h"
#include "tests/peers/bridgesim/colibri.h"
#include "xmpp/xml/element.h"

namespace bascule::peers {

/// As Java reads booleans: the word "true" in any case.
[[nodiscard]] bool is_true(const xml::Element& element, std::string_view name);
/// In the namespace of colibri2; null when there is none.
[[nodiscard]] const xml::Element* colibri_child(const xml::Element& parent, std::string_view name);
[[nodiscard]] std::vector<const xml::Element*> colibri_children(const xml::Element& parent,
                                                                std::string_view name);
/// SSRCs in a `sources` element; `sends` is set when one is of a video source.
[[nodiscard]] std::set<std::string> read_ssrcs(const xml::Element& sources, bool& sends);

[[nodiscard]] ColibriError bad_request(std::string text);
[[nodiscard]] ColibriError not_implemented(std::string reason, std::string text);

/// The ICE transport a bridge offers. `url`: of its WebSocket; empty: none.
[[nodiscard]] xml::Element ice_transport(const BridgeIdentity& identity, int port,
                                         const IceCredentials& ours, const std::string& url,
                                         Prng& random);

}  // namespace bascule::peers
