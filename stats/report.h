#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/jid.h"
#include "base/stress.h"

namespace bascule::stats {

/// One set of statistics of one bridge, range-checked, from its brewery presence or from pubsub.
/// Absent means "not in this report": bridges may publish a whitelist of names only, and no
/// decision may depend on a value that was not sent (jitsi-videobridge: `stats-filter`).
struct BridgeReport {
  BridgeJid bridge;

  /// `stress_level`, 0 to 10'000'000 millionths; absent when missing, not finite or out of range.
  std::optional<Stress> stress;
  /// `average_participant_stress`: a configured constant of the bridge, not a measurement.
  std::optional<Stress> average_participant_stress;

  std::optional<bool> healthy;            ///< `healthy`: result of the bridge's own check.
  std::optional<bool> drain;              ///< `drain`: no new conferences, please.
  std::optional<bool> graceful_shutdown;  ///< `graceful_shutdown`: ends when empty.
  std::optional<bool> shutting_down;      ///< `shutting_down`: exits within a minute.

  std::optional<std::string> version;   ///< `version`.
  std::optional<std::string> release;   ///< `release`.
  std::optional<std::string> region;    ///< `region`.
  std::optional<std::string> relay_id;  ///< `relay_id`: needed for a second bridge.

  std::optional<std::int64_t> local_endpoints;     ///< `local_endpoints`: present now.
  std::optional<std::int64_t> total_participants;  ///< `total_participants`: since process start.

  /// `current_timestamp` as sent: tells a redelivered report from a new one by equality only; the
  /// clock of a bridge is never used in arithmetic.
  std::string bridge_timestamp;

  friend bool operator==(const BridgeReport&, const BridgeReport&) = default;
};

}  // namespace bascule::stats
