#include "focus/bridge_registry.h"

#include <algorithm>

#include "base/check.h"

namespace bascule::focus {
namespace {

constexpr Milliunits kWindowProbe = 2'000;  // Two units: more than most single joins add.
constexpr Duration kSlowAnswers = std::chrono::seconds{2};  // Half the pace ...
constexpr Duration kStuckAnswers =
    std::chrono::seconds{5};  // ... and nobody more until it answers.
constexpr std::size_t kRestartRequestsMax = 1000;
constexpr Duration kMemoryFresh = std::chrono::hours{24 * 7};
constexpr Stress kDiedBusyReported{900'000};
constexpr Stress kDiedBusyExpected{950'000};

/// Every focus takes its share of the pace.
PlacementLimiter make_limiter(const PlacementOptions& options) {
  const auto focuses = std::max<std::uint32_t>(options.focuses, 1);
  auto limiter = PlacementLimiter::create(
      {.interval = options.placement_interval * focuses, .burst = options.placement_burst});
  BASCULE_CHECK(limiter.has_value());  // Options are validated where they are read.
  return *limiter;
}

}  // namespace

Bridge::Bridge(const BridgeJid& address, std::uint32_t id, const PlacementOptions& options)
    : jid(address),
      number(id),
      standby(std::find(options.standby_bridges.begin(), options.standby_bridges.end(),
                        address.jid().resource()) != options.standby_bridges.end()),
      ledger(options),
      limiter(make_limiter(options)) {
}

BridgeRegistry::BridgeRegistry(const PlacementOptions& options)
    : options_(options),
      phase_(options.settle_quiet, options.settle_max),
      learn_from_(Instant::min()),
      focuses_permille_(std::max<std::int64_t>(options.focuses, 1) * 1000) {
}

void BridgeRegistry::link_up(Instant now) {
  phase_.link_up(now);
  everybody_dropped(now, 0);
  // A room announces who is in it before it confirms that we are (XEP-0045 7.2.2): the bridges that
  // were there have usually appeared by now.
  if (present_count() > 0) {
    phase_.bridge_appeared(now);
  }
}

void BridgeRegistry::link_down(Instant /*now*/) {
  phase_.link_down();
  for (auto& [jid, bridge] : bridges_) {
    bridge.expected_back = bridge.expected_back || bridge.present;
    bridge.present = false;
  }
}

void BridgeRegistry::left(const BridgeJid& jid) {
  if (Bridge* bridge = find(jid)) {
    bridge->expected_back = bridge->expected_back || bridge->present;
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
    bridge.quarantined_until = std::max(bridge.quarantined_until.value_or(now), now + quarantine);
    if (expected > kDiedBusyExpected || reported > kDiedBusyReported) {
      cut_capacity(bridge, now);
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
  bridge.hot_samples = 0;
  bridge.residual = 0;
  bridge.answer_time = Duration::zero();
  bridge.restart_requests.clear();
  bridge.ice_failing_until.reset();
  bridge.isolates_alone.reset();
  bridge.started_at = now;
  bridge.expected_back = false;
  bridge.present = bridge.present && cause == FailureCause::kRestarted;
}

void BridgeRegistry::cut_capacity(Bridge& bridge, Instant now) {
  const Stress before = capacity(bridge, now);
  bridge.cut_capacity = std::max(
      options_.capacity_floor, Stress(before.millionths() * options_.capacity_cut_permille / 1000));
  bridge.cut_at = now;
}

/// When people of most bridges cannot connect, their network is the trouble, and no bridge would be
/// left for those who can.
bool BridgeRegistry::may_put_aside(Instant now) const {
  std::size_t working = 0;
  std::size_t aside = 0;
  for (const auto& [jid, bridge] : bridges_) {
    if (works(bridge, now)) {
      ++working;
      aside += bridge.ice_failing_until && now < *bridge.ice_failing_until ? 1U : 0U;
    }
  }
  return (aside + 1) * 2 <= working;
}

bool BridgeRegistry::restart_requested(Bridge& bridge, Instant now) {
  auto& requests = bridge.restart_requests;
  while (!requests.empty() && now - requests.front() > options_.ice_failure_interval) {
    requests.pop_front();
  }
  if (requests.size() < kRestartRequestsMax) {
    requests.push_back(now);
  }
  const auto asked = static_cast<std::int64_t>(requests.size());
  const bool failing = options_.ice_failure_detection &&
                       requests.size() >= options_.ice_failure_min &&
                       asked * 1000 >= static_cast<std::int64_t>(bridge.participants) *
                                           options_.ice_failure_permille;
  if (!failing || !may_put_aside(now)) {
    return false;
  }
  requests.clear();
  bridge.ice_failing_until = now + options_.ice_failure_quarantine;
  return true;
}

void BridgeRegistry::answered(Bridge& bridge, Duration took) {
  bridge.answer_time += (took - bridge.answer_time) / 4;
}

void BridgeRegistry::settled() {
  for (auto& [jid, bridge] : bridges_) {
    bridge.expected_back = false;
  }
}

void BridgeRegistry::restore(const BridgeMemory& memory, Instant now) {
  Bridge* bridge = find_or_create(memory.bridge);
  if (bridge == nullptr) {
    return;
  }
  StressLedger::Learned learned{memory.cost, memory.deviation, memory.confirmations};
  if (memory.age > kMemoryFresh) {
    learned.confirmations = std::min(learned.confirmations, 2);
    learned.deviation = std::max(learned.deviation, Stress(learned.cost.millionths() * 3 / 10));
  }
  bridge->ledger.set_learned(learned);
  bridge->cut_capacity = std::clamp(memory.capacity, options_.capacity_floor, Stress::full());
  bridge->cut_at = now;
  bridge->failures = memory.failures;
  if (memory.failures > 0) {
    bridge->last_failure = now - memory.last_failure_age;
  }
  if (memory.quarantine_left > Duration::zero()) {
    bridge->quarantined_until = now + memory.quarantine_left;
  }
  bridge->heard_before = now - memory.age;
  bridge->version = memory.version;
  bridge->region = memory.region;
  bridge->expected_back = !bridge->present;
}

BridgeMemory BridgeRegistry::memory_of(const Bridge& bridge, Instant now) const {
  const StressLedger::Learned learned = bridge.ledger.learned();
  BridgeMemory memory;
  memory.bridge = bridge.jid;
  memory.cost = learned.cost;
  memory.deviation = learned.deviation;
  memory.confirmations = learned.confirmations;
  memory.capacity = capacity(bridge, now);
  memory.failures = bridge.failures;
  memory.last_failure_age = bridge.last_failure ? now - *bridge.last_failure : Duration::zero();
  if (bridge.quarantined_until && *bridge.quarantined_until > now) {
    memory.quarantine_left = *bridge.quarantined_until - now;
  }
  const auto heard = bridge.ledger.heard_at() ? bridge.ledger.heard_at() : bridge.heard_before;
  if (heard && !bridge.present) {
    memory.age = now - *heard;
  }
  memory.version = bridge.version;
  memory.region = bridge.region;
  return memory;
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
  return &bridges_.try_emplace(jid, jid, ++last_number_, options_).first->second;
}

std::size_t BridgeRegistry::present_count() const {
  return static_cast<std::size_t>(std::count_if(bridges_.begin(), bridges_.end(),
                                                [](const auto& e) { return e.second.present; }));
}

std::size_t BridgeRegistry::expected_count() const {
  return static_cast<std::size_t>(
      std::count_if(bridges_.begin(), bridges_.end(),
                    [](const auto& e) { return e.second.present || e.second.expected_back; }));
}

std::size_t BridgeRegistry::known_before_count() const {
  return static_cast<std::size_t>(std::count_if(
      bridges_.begin(), bridges_.end(), [](const auto& e) { return e.second.expected_back; }));
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
  const bool ice_failing = bridge.ice_failing_until && now < *bridge.ice_failing_until;
  return works(bridge, now) && !bridge.drain && !bridge.cordoned && !bridge.graceful_shutdown &&
         !bridge.shutting_down && !ice_failing && (!bridge.standby || bridge.activated);
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

bool BridgeRegistry::is_ready(const Bridge& bridge, Instant now) const {
  const bool stuck = bridge.answer_time > kStuckAnswers && bridge.in_flight > 0;
  return bridge.limiter.earliest() <= now && bridge.in_flight < options_.max_in_flight && !stuck &&
         bridge.ledger.within_window(kWindowProbe, now);
}

std::int64_t BridgeRegistry::stretch_permille(const Bridge& bridge, bool fleet_full,
                                              Instant now) const {
  std::int64_t pace_permille = 1000;
  if (bridge.started_at && now - *bridge.started_at < options_.slow_start) {
    const std::int64_t grown = 1000 * (now - *bridge.started_at) / options_.slow_start;
    const std::int64_t floor =
        fleet_full ? options_.slow_start_full_permille : options_.slow_start_floor_permille;
    pace_permille = std::min<std::int64_t>(1000, std::max({floor, grown, std::int64_t{1}}));
  }
  if (bridge.hot_until && now < *bridge.hot_until) {
    pace_permille = std::min<std::int64_t>(pace_permille, 250);
  }
  if (bridge.answer_time > kSlowAnswers) {
    pace_permille /= 2;
  }
  return 1'000'000 / std::max<std::int64_t>(pace_permille, 1);
}

bool BridgeRegistry::appear(Bridge& bridge, Instant now) {
  if (bridge.present) {
    return false;
  }
  const bool first_ever = !bridge.ledger.heard_at() && !bridge.started_at &&
                          bridge.conferences.empty() && !bridge.expected_back;
  const bool watched = phase_.link_is_up() && !phase_.settling();
  const bool is_back = bridge.failures > 0 && bridge.started_at == bridge.last_failure;
  if ((first_ever && watched) || is_back) {
    bridge.started_at = now;
  }
  bridge.present = true;
  phase_.bridge_appeared(now);
  return true;
}

/// Forgets one absent bridge that nothing refers to; prefers none in particular but the first.
void BridgeRegistry::make_space() {
  const auto unused = std::find_if(bridges_.begin(), bridges_.end(), [](const auto& entry) {
    const Bridge& bridge = entry.second;
    return !bridge.present && bridge.conferences.empty() && bridge.plans.empty() &&
           !bridge.cordoned;
  });
  if (unused != bridges_.end()) {
    bridges_.erase(unused);
  }
}

}  // namespace bascule::focus
