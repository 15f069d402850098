// What reports of bridges become: knowledge of their load and flags, and of who else uses them.

#include <algorithm>

#include "focus/bridge_registry.h"

namespace bascule::focus {
namespace {

constexpr std::size_t kTimestampsKept = 4;  // Two channels may deliver out of order, not more.
constexpr Duration kGhostTime = std::chrono::seconds{120};  // Endpoint expiry of the bridge.
constexpr std::int64_t kForeignNoise = 3;            // Joins and leaves on their way to the report.
constexpr Milliunits kForeignLoadPerEndpoint = 800;  // When nobody of ours tells the mean.
constexpr Stress kReportMax{10'000'000};
constexpr std::int64_t kFocusesMax = 8;
constexpr int kConfirmed = 3;  // Confirmations of a cost at most.

}  // namespace

void BridgeRegistry::everybody_dropped(Instant now, std::uint64_t window) {
  suspend_learning(now, options_.sample_window + options_.publish_period + std::chrono::seconds{2});
  for (auto& [jid, bridge] : bridges_) {
    bridge.ghosts = static_cast<std::int64_t>(bridge.participants);
    if (bridge.departures_window == window) {
      bridge.ghosts += bridge.departures;
    }
    bridge.ghosts_since = now;
  }
}

void BridgeRegistry::suspend_learning(Instant now, Duration time) {
  learn_from_ = std::max(learn_from_, now + time);
}

ReportEffect BridgeRegistry::report(const stats::BridgeReport& report, Instant now,
                                    ReportOrigin origin) {
  Bridge* bridge = find_or_create(report.bridge);
  if (bridge == nullptr) {
    return ReportEffect::kRefused;
  }
  auto& told = bridge->last_timestamps;
  const bool redelivered =
      bridge->present && !report.bridge_timestamp.empty() &&
      std::find(told.begin(), told.end(), report.bridge_timestamp) != told.end();
  if (redelivered) {
    return ReportEffect::kRepeated;
  }
  if (told.size() == kTimestampsKept) {
    told.pop_front();
  }
  told.push_back(report.bridge_timestamp);
  const bool appeared = appear(*bridge, now);
  const bool restarted = report.total_participants && bridge->total_participants &&
                         *report.total_participants < *bridge->total_participants;
  if (report.total_participants) {
    bridge->total_participants = report.total_participants;
  }
  if (restarted) {
    bridge->graceful_shutdown = bridge->shutting_down = false;
  }
  apply_flags(*bridge, report);
  if (restarted) {
    // The stress in it is of the new process; the caller clears the ledger, the next one counts.
    return ReportEffect::kRestarted;
  }
  apply_endpoint_count(*bridge, report, now);
  if (report.average_participant_stress) {
    bridge->ledger.set_prior(*report.average_participant_stress);
  }
  bool sampled = false;
  if (report.stress && *report.stress >= Stress() && *report.stress <= kReportMax) {
    // Where others are only a residual, it cannot be told from a higher cost: that stays as it is.
    const bool separable = options_.focuses == 1 || report.local_endpoints ||
                           bridge->ledger.learned().confirmations < kConfirmed;
    const Instant heard = heard_at(origin, now);
    const bool learn = separable && heard == now && now >= learn_from_;
    sampled = apply_stress(*bridge, *report.stress, learn, heard, origin);
    if (sampled && report.local_endpoints == 0 && bridge->participants == 0) {
      bridge->ledger.idle_sample(*report.stress);
    }
    if (sampled && !report.local_endpoints) {
      apply_residual(*bridge);
    }
  }
  if (appeared) {
    return ReportEffect::kAppeared;
  }
  return sampled ? ReportEffect::kUpdated : ReportEffect::kRepeated;
}

void BridgeRegistry::apply_flags(Bridge& bridge, const stats::BridgeReport& report) {
  bridge.healthy = report.healthy.value_or(bridge.healthy);
  bridge.drain = report.drain.value_or(bridge.drain);
  bridge.graceful_shutdown = bridge.graceful_shutdown || report.graceful_shutdown.value_or(false);
  bridge.shutting_down = bridge.shutting_down || report.shutting_down.value_or(false);
  if (report.version) {
    bridge.version = report.version;
  }
  if (report.region) {
    bridge.region = report.region;
  }
  if (report.relay_id) {
    bridge.relay_id = report.relay_id;
  }
}

/// Endpoints beyond ours belong to other users of the bridge and cost what ours cost.
void BridgeRegistry::apply_endpoint_count(Bridge& bridge, const stats::BridgeReport& report,
                                          Instant now) {
  bridge.ledger.set_focuses(focuses_permille_);
  if (!report.local_endpoints) {
    return;
  }
  std::int64_t ghosts = 0;
  if (bridge.ghosts_since && now - *bridge.ghosts_since < kGhostTime) {
    if (bridge.ghosts == 0 && bridge.participants == 0 && options_.focuses == 1) {
      bridge.ghosts = *report.local_endpoints;  // Of an earlier life of ours: nobody else is there.
    }
    ghosts = bridge.ghosts - bridge.ghosts * (now - *bridge.ghosts_since) / kGhostTime;
  }
  const auto ours = static_cast<std::int64_t>(bridge.participants);
  std::int64_t extra =
      std::clamp<std::int64_t>(*report.local_endpoints - ours - ghosts, 0, 1'000'000);
  if (options_.focuses == 1 && extra < kForeignNoise) {
    extra = 0;
  }
  bridge.ledger.set_foreign(extra *
                            (ours > 0 ? bridge.ledger.own() / ours : kForeignLoadPerEndpoint));
}

/// A bridge that shares with others and does not tell its endpoints (stats-filter): the others are
/// what the sample shows beyond ours.
void BridgeRegistry::apply_residual(Bridge& bridge) {
  if (options_.focuses == 1) {
    return;
  }
  bridge.residual += (bridge.ledger.unexplained() - bridge.residual) / 4;
  bridge.ledger.set_foreign(bridge.residual);
}

bool BridgeRegistry::apply_stress(Bridge& bridge, Stress stress, bool learn, Instant now,
                                  ReportOrigin origin) {
  const bool is_new = bridge.ledger.report(stress, now, learn, origin);
  if (is_new && stress > options_.hot_brake) {
    bridge.hot_until = now + options_.hot_brake_time;
  }
  if (is_new) {
    const Stress hot = options_.relays ? options_.relief_sample : Stress::full();
    bridge.hot_samples = stress > hot ? bridge.hot_samples + 1 : 0;
  }
  return is_new;
}

void BridgeRegistry::estimate_focuses() {
  if (options_.focuses != 0) {
    return;
  }
  Milliunits own = 0;
  Milliunits foreign = 0;
  for (const auto& [jid, bridge] : bridges_) {
    if (bridge.present) {
      own += bridge.ledger.own();
      foreign += bridge.ledger.foreign();
    }
  }
  constexpr Milliunits kEnough = 10'000;  // Before that the ratio says nothing.
  if (own >= kEnough) {
    const std::int64_t seen =
        std::clamp<std::int64_t>(1000 + foreign * 1000 / own, 1000, kFocusesMax * 1000);
    focuses_permille_ += (seen - focuses_permille_) / 4;
  }
}

}  // namespace bascule::focus
