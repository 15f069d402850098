#pragma once

#include <cstdint>
#include <string>

#include "tests/peers/bridgesim/colibri.h"
#include "tests/peers/bridgesim/faults.h"
#include "xmpp/xml/element.h"

namespace bascule::peers {

/// What a bridge knows of itself when it publishes.
struct StatsInput {
  std::string region;
  std::string version;
  std::string relay_id;  ///< Empty: relays are off.
  double stress = 0;
  double participant_stress = 0.01;  ///< What its operator says a participant costs.
  bool whitelist_only = false;
  std::string timestamp;  ///< UTC `yyyy-MM-dd HH:mm:ss.SSS`
};

/// The `<stats xmlns='http://jitsi.org/protocol/colibri'>` of a bridge's presence. Names and value
/// syntax as in jitsi-videobridge (Metrics.kt, ColibriStatsExtension.java); the faults say how it
/// lies.
xml::Element stats_extension(const StatsInput& input, const Colibri& colibri, const Faults& faults);

/// The current UTC time moved by `offset`, in the format of `current_timestamp`.
std::string utc_timestamp(Milliseconds offset);

}  // namespace bascule::peers
