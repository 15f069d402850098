#pragma once

// XEP-0199: XMPP ping.

#include <string_view>

#include "base/result.h"
#include "xmpp/xml/element.h"

namespace bascule::proto {

inline constexpr std::string_view kPingNamespace = "urn:xmpp:ping";

struct Ping {
  friend bool operator==(const Ping&, const Ping&) = default;
};

xml::Element encode(const Ping& ping);
Result<Ping> decode_ping(const xml::Element& payload);

}  // namespace bascule::proto
