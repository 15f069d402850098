#include "sim/storm/fleet.h"

#include <algorithm>
#include <cmath>

namespace bascule::sim::storm {
namespace {

constexpr double kNoise = 0.05;         // Standard deviation of the load.
constexpr double kNoiseSeconds = 60;    // Its time constant.
constexpr double kMeasureNoise = 0.02;  // Of one sample.
constexpr double kReportLoss = 0.5;     // While overloaded.
constexpr double kVeryHot = 1.5;
constexpr int kHotSteps = 100;      // Above kGaugeMax for 10 s ...
constexpr int kVeryHotSteps = 30;   // ... or above kVeryHot for 3 s: the bridge dies.
constexpr Step kNoticedAfter = 10;  // 1 s.
constexpr Step kReturnAfter = 600;  // 60 s.
constexpr Step kFirstReport = 5;    // 0.5 s.

}  // namespace

Fleet::Fleet(const TruthOptions& options, const Setup& setup)
    : options_(options),
      sampler_steps_(std::max<Step>(1, options.sampler / kStep)),
      publish_steps_(std::max<Step>(1, options.publish / kStep)) {
  bridges_.reserve(setup.bridges);
  for (BridgeId id = 0; id < setup.bridges; ++id) {
    Bridge bridge{.base = base_stress(setup.kind, id),
                  .load_noise = RandomStream(setup.seed, StreamUse::kLoadNoise, id),
                  .report_noise = RandomStream(setup.seed, StreamUse::kReports, id)};
    bridge.deviation = kNoise * bridge.load_noise.normal();
    bridge.sample_due =
        setup.start + 1 + bridge.report_noise.between(0, static_cast<int>(sampler_steps_) - 1);
    bridge.publish_due =
        setup.start + 1 + bridge.report_noise.between(0, static_cast<int>(publish_steps_) - 1);
    bridges_.push_back(bridge);
  }
}

void Fleet::load(Bridge& bridge, BridgeId id, Step now, const Media& media) {
  static const double kKeep = std::exp(-kStepSeconds / kNoiseSeconds);
  static const double kDraw = kNoise * std::sqrt(1 - kKeep * kKeep);
  // Drawn for dead bridges too: the noise must not depend on what a policy did to the bridge.
  bridge.deviation = kKeep * bridge.deviation + kDraw * bridge.load_noise.normal();
  if (!bridge.alive) {
    bridge.stress = 0;
    return;
  }
  const double per_second = kJoinCost * bridge.base / kBaseStress;
  bridge.stress = options_.idle_load + bridge.base * (1 + bridge.deviation) * media.units(id, now) +
                  per_second * static_cast<double>(media.joining(id));
}

void Fleet::measure(Bridge& bridge, Step now) {
  bridge.sum += std::min(bridge.stress, kGaugeMax);
  if (now < bridge.sample_due) {
    return;
  }
  // The first window after a start is shorter than the others.
  const double mean = bridge.sum / static_cast<double>(sampler_steps_);
  bridge.sample = std::max(0.0, mean * (1 + kMeasureNoise * bridge.report_noise.normal()));
  bridge.sum = 0;
  bridge.sample_due = now + sampler_steps_;
}

void Fleet::publish(Bridge& bridge, BridgeId id, Step now, const Media& media, Events& events) {
  if (now < bridge.publish_due) {
    return;
  }
  bridge.publish_due = now + publish_steps_;
  const bool lost = bridge.report_noise.uniform() < kReportLoss && bridge.stress > 1.0;
  if (lost || !bridge.connected || !reporting_) {
    return;
  }
  const std::size_t ghosts = now < bridge.ghosts_until ? bridge.ghosts : 0;
  bridge.last = {.bridge = id,
                 .stress = bridge.sample,
                 .endpoints = static_cast<std::int64_t>(media.people_on(id).size() + ghosts),
                 .total_participants = media.total_joins(id),
                 .serial = ++reports_};
  events.reports.push_back(bridge.last);
}

bool Fleet::dies(Bridge& bridge) {
  bridge.steps_hot = bridge.stress > kGaugeMax ? bridge.steps_hot + 1 : 0;
  bridge.steps_very_hot = bridge.stress > kVeryHot ? bridge.steps_very_hot + 1 : 0;
  return bridge.steps_hot >= kHotSteps || bridge.steps_very_hot >= kVeryHotSteps;
}

void Fleet::step(Step now, Media& media, Events& events) {
  events = {};
  while (!to_notice_.empty() && to_notice_.front().at <= now) {
    bridges_[to_notice_.front().bridge].visible = false;
    events.noticed.push_back(to_notice_.front().bridge);
    to_notice_.pop_front();
  }
  while (!to_return_.empty() && to_return_.front().at <= now) {
    const BridgeId id = to_return_.front().bridge;
    to_return_.pop_front();
    Bridge& bridge = bridges_[id];
    media.restart(id);
    bridge.alive = bridge.visible = true;
    bridge.sum = bridge.sample = 0;
    bridge.sample_due = now + sampler_steps_;
    bridge.publish_due = now + kFirstReport;
    events.returned.push_back(id);
  }
  media.advance(now);
  for (BridgeId id = 0; id < bridges_.size(); ++id) {
    Bridge& bridge = bridges_[id];
    load(bridge, id, now, media);
    bridge.steps_down += !bridge.alive || bridge.stress > kGaugeMax ? 1 : 0;
    bridge.steps_over += bridge.stress > 1.0 ? 1 : 0;
    stress_max_ = std::max(stress_max_, bridge.stress);
    if (!bridge.alive) {
      continue;
    }
    measure(bridge, now);
    publish(bridge, id, now, media, events);
    if (dies(bridge)) {
      ++kills_;
      bridge.killed = true;
      kill(id, now);
      events.died.push_back(id);
    }
  }
}

void Fleet::kill(BridgeId id, Step now) {
  Bridge& bridge = bridges_[id];
  if (!bridge.alive) {
    return;
  }
  bridge.alive = false;
  bridge.steps_hot = bridge.steps_very_hot = 0;
  bridge.ghosts = 0;
  to_notice_.push_back({now + kNoticedAfter, id});
  to_return_.push_back({now + kReturnAfter, id});
}

void Fleet::set_connected(BridgeId id, bool connected, Step now) {
  Bridge& bridge = bridges_[id];
  if (connected && !bridge.connected) {
    bridge.publish_due = now + kFirstReport;
  }
  bridge.connected = connected;
}

void Fleet::leave_ghosts(BridgeId id, std::size_t people, Step now) {
  Bridge& bridge = bridges_[id];
  bridge.ghosts = people;
  bridge.ghosts_until = now + options_.ghosts / kStep;
}

void Fleet::begin_counting() {
  kills_ = 0;
  stress_max_ = 0;
  for (Bridge& bridge : bridges_) {
    bridge.killed = false;
  }
}

std::size_t Fleet::bridges_killed() const {
  return static_cast<std::size_t>(std::count_if(
      bridges_.begin(), bridges_.end(), [](const Bridge& bridge) { return bridge.killed; }));
}

}  // namespace bascule::sim::storm
