#pragma once

// Health check of a bridge (jitsi-xmpp-extensions: HealthCheckIQ.java). An empty result means
// healthy, internal-server-error means not.

#include <string_view>

#include "base/result.h"
#include "xmpp/xml/element.h"

namespace bascule::proto {

inline constexpr std::string_view kHealthCheckNamespace = "http://jitsi.org/protocol/healthcheck";

struct HealthCheck {
  friend bool operator==(const HealthCheck&, const HealthCheck&) = default;
};

xml::Element encode(const HealthCheck& check);
Result<HealthCheck> decode_health_check(const xml::Element& payload);

}  // namespace bascule::proto
