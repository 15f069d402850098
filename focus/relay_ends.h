#pragma once

// The two ends of a link. Internal to RelayLinks.

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>

#include "base/jid.h"
#include "base/time.h"
#include "focus/relay_request.h"
#include "focus/topology.h"

namespace bascule::focus {

inline constexpr std::array kEnds{RelayEnd::kInitiator, RelayEnd::kResponder};

inline std::size_t index(RelayEnd end) {
  return static_cast<std::size_t>(end);
}

inline RelayEnd other(RelayEnd end) {
  return end == RelayEnd::kInitiator ? RelayEnd::kResponder : RelayEnd::kInitiator;
}

inline const BridgeJid& bridge_at(const Topology::Link& link, RelayEnd end) {
  return end == RelayEnd::kInitiator ? link.initiator : link.responder;
}

/// The end of `link` that `bridge` is, if it is one.
inline std::optional<RelayEnd> end_of(const Topology::Link& link, const BridgeJid& bridge) {
  for (const RelayEnd end : kEnds) {
    if (bridge_at(link, end) == bridge) {
      return end;
    }
  }
  return std::nullopt;
}

inline void set_no_later(std::optional<Instant>& deadline, Instant when) {
  deadline = deadline ? std::min(*deadline, when) : when;
}

}  // namespace bascule::focus
