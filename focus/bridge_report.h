#pragma once

#include <optional>

#include "base/jid.h"
#include "base/result.h"
#include "base/stress.h"
#include "stats/report.h"
#include "xmpp/proto/colibri_stats.h"

namespace bascule::focus {

/// The figures of a bridge as sent, range-checked. What is missing or out of its range is absent:
/// bridges may publish a whitelist of names only (jitsi-videobridge: `stats-filter`). Texts are cut
/// at 200 bytes. Errors: kMalformed when not one known figure could be read, as then nobody said
/// anything about the bridge.
[[nodiscard]] Result<stats::BridgeReport> to_report(const BridgeJid& bridge,
                                                    const proto::ColibriStats& stats);

/// Stress of a bridge that does not tell one but `packet_rate_download` and `packet_rate_upload`:
/// their sum over 50'800 packets per second (Jicofo before 2020: Bridge.java). nullopt when one is
/// missing or out of its range.
[[nodiscard]] std::optional<Stress> stress_of_packet_rates(const proto::ColibriStats& stats);

}  // namespace bascule::focus
