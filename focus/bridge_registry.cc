#include "focus/bridge_registry.h"

#include <algorithm>

#include "base/check.h"

namespace bascule::focus {
namespace {

constexpr Duration kGhostTime = std::chrono::seconds{120};  // Endpoint expiry of the bridge.
constexpr std::int64_t kForeignNoise = 3;            // Joins and leaves on their way to the report.
constexpr Milliunits kForeignLoadPerEndpoint = 800;  // When nobody of ours tells the mean.
constexpr Stress kReportMax{10'000'000};
constexpr Stress kDiedBusyReported{900'000};
constexpr Stress kDiedBusyExpected{950'000};

PlacementLimiter make_limiter(const PlacementOptions& options) {
  auto limiter = PlacementLimiter::create(
      {.interval = options.placement_interval, .burst = options.placement_burst});
  BASCULE_CHECK(limiter.has_value());  // Options are validated where they are read.
  return *limiter;
}

}  // namespace

Bridge::Bridge(const BridgeJid& address, const PlacementOptions& options)
    : jid(address), ledger(options), limiter(make_limiter(options)) {
}

BridgeRegistry::BridgeRegistry(const PlacementOptions& options)
    : options_(options),
      gate_(options.settle_quiet, options.settle_max),
      learn_from_(Instant::min()) {
}

void BridgeRegistry::link_up(Instant now) {
  gate_.link_up(now);
  learn_from_ = now + options_.sample_window + options_.publish_period + std::chrono::seconds{2};
  for (auto& [jid, bridge] : bridges_) {
    bridge.ghosts = static_cast<std::int64_t>(bridge.participants);
    bridge.ghosts_since = now;
  }
  // A room announces who is in it before it confirms that we are (XEP-0045 7.2.2): the bridges that
  // were there have usually appeared by now.
  if (present_count() > 0) {
    count_arrivals(now);
  }
}

void BridgeRegistry::link_down(Instant /*now*/) {
  gate_.link_down();
  for (auto& [jid, bridge] : bridges_) {
    bridge.expected_back = bridge.expected_back || bridge.present;
    bridge.present = false;
  }
}

ReportEffect BridgeRegistry::report(const stats::BridgeReport& report, Instant now) {
  Bridge* bridge = find_or_create(report.bridge);
  if (bridge == nullptr) {
    return ReportEffect::kRefused;
  }
  const bool redelivered = bridge->present && !report.bridge_timestamp.empty() &&
                           report.bridge_timestamp == bridge->last_timestamp;
  if (redelivered) {
    return ReportEffect::kRepeated;
  }
  bridge->last_timestamp = report.bridge_timestamp;
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
  if (report.local_endpoints) {
    apply_endpoint_count(*bridge, *report.local_endpoints, now);
  }
  if (report.average_participant_stress) {
    bridge->ledger.set_prior(*report.average_participant_stress);
  }
  bool sampled = false;
  if (report.stress && *report.stress >= Stress() && *report.stress <= kReportMax) {
    sampled = apply_stress(*bridge, *report.stress, now);
  }
  if (appeared) {
    return ReportEffect::kAppeared;
  }
  return sampled ? ReportEffect::kUpdated : ReportEffect::kRepeated;
}

void BridgeRegistry::left(const BridgeJid& jid) {
  if (Bridge* bridge = find(jid)) {
    bridge->present = false;
  }
}

void BridgeRegistry::failed(Bridge& bridge, FailureCause cause, Instant now) {
  const Stress expected = bridge.ledger.estimate(now);
  const Stress reported = bridge.ledger.reported();
  const bool idle_restart = cause == FailureCause::kRestarted && bridge.ledger.own() == 0;
  const bool is_failure = cause != FailureCause::kShutDown && !idle_restart;
  if (is_failure) {
    bridge.ledger.died(now);
    const bool forgotten =
        !bridge.last_failure || now - *bridge.last_failure > options_.quarantine_memory;
    bridge.failures = (forgotten ? 0 : bridge.failures) + 1;
    bridge.last_failure = now;
    Duration quarantine = options_.quarantine_flapping;
    if (bridge.failures < options_.flapping_failures) {
      const auto doublings = std::min<std::uint32_t>(bridge.failures - 1, 16);
      quarantine = std::min(options_.quarantine_max, options_.quarantine_base * (1U << doublings));
    }
    bridge.quarantined_until = now + quarantine;
    if (expected > kDiedBusyExpected || reported > kDiedBusyReported) {
      const Stress before = capacity(bridge, now);
      bridge.cut_capacity =
          std::max(options_.capacity_floor,
                   Stress(before.millionths() * options_.capacity_cut_permille / 1000));
      bridge.cut_at = now;
    }
  }
  bridge.ledger.cleared();
  bridge.graceful_shutdown = bridge.shutting_down = false;
  bridge.suspect = false;
  bridge.healthy = true;  // The next report tells.
  bridge.total_participants.reset();
  bridge.ghosts = 0;
  bridge.ghosts_since.reset();
  bridge.hot_until.reset();
  bridge.started_at = now;
  bridge.expected_back = false;
  bridge.present = bridge.present && cause == FailureCause::kRestarted;
}

bool BridgeRegistry::open_gate_if_due(Instant now) {
  if (!gate_.open_if_due(now)) {
    return false;
  }
  for (auto& [jid, bridge] : bridges_) {
    bridge.expected_back = false;
  }
  return true;
}

Bridge* BridgeRegistry::find(const BridgeJid& jid) {
  const auto found = bridges_.find(jid);
  return found == bridges_.end() ? nullptr : &found->second;
}

const Bridge* BridgeRegistry::find(const BridgeJid& jid) const {
  const auto found = bridges_.find(jid);
  return found == bridges_.end() ? nullptr : &found->second;
}

Bridge* BridgeRegistry::find_or_create(const BridgeJid& jid) {
  if (Bridge* known = find(jid)) {
    return known;
  }
  if (bridges_.size() >= options_.max_bridges) {
    make_space();
  }
  if (bridges_.size() >= options_.max_bridges) {
    return nullptr;
  }
  return &bridges_.try_emplace(jid, jid, options_).first->second;
}

std::size_t BridgeRegistry::present_count() const {
  return static_cast<std::size_t>(std::count_if(bridges_.begin(), bridges_.end(),
                                                [](const auto& e) { return e.second.present; }));
}

BridgeState BridgeRegistry::state(const Bridge& bridge, Instant now) const {
  const bool quarantined = bridge.quarantined_until && now < *bridge.quarantined_until;
  if (quarantined || bridge.suspect || !bridge.healthy) {
    return BridgeState::kFailed;
  }
  if (!bridge.ledger.heard_at()) {
    return BridgeState::kUnknown;
  }
  const bool old = now - *bridge.ledger.heard_at() > options_.stale_after;
  return old || !bridge.present ? BridgeState::kStale : BridgeState::kFresh;
}

bool BridgeRegistry::works(const Bridge& bridge, Instant now) {
  const bool quarantined = bridge.quarantined_until && now < *bridge.quarantined_until;
  return bridge.present && bridge.healthy && !bridge.suspect && !quarantined;
}

bool BridgeRegistry::takes_new(const Bridge& bridge, Instant now) {
  return works(bridge, now) && !bridge.drain && !bridge.cordoned && !bridge.graceful_shutdown &&
         !bridge.shutting_down;
}

Stress BridgeRegistry::capacity(const Bridge& bridge, Instant now) const {
  if (bridge.cut_capacity >= Stress::full()) {
    return Stress::full();
  }
  const std::int64_t periods =
      std::min<std::int64_t>((now - bridge.cut_at) / options_.capacity_recovery_period, 1000);
  return std::min(Stress::full(), Stress(bridge.cut_capacity.millionths() +
                                         periods * options_.capacity_recovery.millionths()));
}

std::int64_t BridgeRegistry::stretch_permille(const Bridge& bridge, Instant now) const {
  std::int64_t pace_permille = 1000;
  if (bridge.started_at && now - *bridge.started_at < options_.slow_start) {
    const std::int64_t grown = 1000 * (now - *bridge.started_at) / options_.slow_start;
    pace_permille = std::max({options_.slow_start_floor_permille, grown, std::int64_t{1}});
  }
  if (bridge.hot_until && now < *bridge.hot_until) {
    pace_permille = std::min<std::int64_t>(pace_permille, 250);
  }
  return 1'000'000 / pace_permille;
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
void BridgeRegistry::apply_endpoint_count(Bridge& bridge, std::int64_t endpoints, Instant now) {
  std::int64_t ghosts = 0;
  if (bridge.ghosts_since && now - *bridge.ghosts_since < kGhostTime) {
    ghosts = bridge.ghosts - bridge.ghosts * (now - *bridge.ghosts_since) / kGhostTime;
  }
  const auto ours = static_cast<std::int64_t>(bridge.participants);
  std::int64_t extra = std::clamp<std::int64_t>(endpoints - ours - ghosts, 0, 1'000'000);
  if (extra < kForeignNoise) {
    extra = 0;
  }
  bridge.ledger.set_foreign(extra *
                            (ours > 0 ? bridge.ledger.own() / ours : kForeignLoadPerEndpoint));
}

bool BridgeRegistry::apply_stress(Bridge& bridge, Stress stress, Instant now) {
  const bool is_new = bridge.ledger.report(stress, now, now >= learn_from_);
  if (is_new && stress > options_.hot_brake) {
    bridge.hot_until = now + options_.hot_brake_time;
  }
  return is_new;
}

bool BridgeRegistry::appear(Bridge& bridge, Instant now) {
  if (bridge.present) {
    return false;
  }
  const bool first_ever = !bridge.ledger.heard_at() && !bridge.started_at && bridge.rooms.empty();
  const bool is_back = bridge.failures > 0 && bridge.started_at == bridge.last_failure;
  if ((first_ever && gate_.open()) || is_back) {
    bridge.started_at = now;
  }
  bridge.present = true;
  count_arrivals(now);
  return true;
}

void BridgeRegistry::count_arrivals(Instant now) {
  std::size_t expected = 0;
  std::size_t missing = 0;
  for (const auto& [jid, other] : bridges_) {
    expected += other.expected_back ? 1 : 0;
    missing += other.expected_back && !other.present ? 1 : 0;
  }
  gate_.bridge_appeared(now, missing, expected);
}

/// Forgets one absent bridge that nothing refers to; prefers none in particular but the first.
void BridgeRegistry::make_space() {
  const auto unused = std::find_if(bridges_.begin(), bridges_.end(), [](const auto& entry) {
    const Bridge& bridge = entry.second;
    return !bridge.present && bridge.rooms.empty() && bridge.plans.empty() && !bridge.cordoned;
  });
  if (unused != bridges_.end()) {
    bridges_.erase(unused);
  }
}

}  // namespace bascule::focus
