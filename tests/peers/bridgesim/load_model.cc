#include "tests/peers/bridgesim/load_model.h"

#include <algorithm>
#include <cmath>

namespace bascule::peers {
namespace {

using std::chrono::duration;
using std::chrono::seconds;

constexpr double kRemoteCost = 0.1;  // Of each endpoint behind a relay,
constexpr double kRelayMax = 2;      // up to this for one relay.
constexpr double kNoiseSeconds = 60;
constexpr double kMeasurable = 1.11;
constexpr double kSampleNoise = 0.02;

double seconds_between(SteadyTime from, SteadyTime to) {
  return duration<double>(to - from).count();
}

double uniform(Prng& random) {
  return static_cast<double>(random.below(1U << 30U)) / (1U << 30U);
}

/// Sum of twelve uniforms: near enough to a normal deviate, and the same everywhere.
double normal(Prng& random) {
  double sum = -6;
  for (int i = 0; i < 12; ++i) {
    sum += uniform(random);
  }
  return sum;
}

void track(std::optional<SteadyTime>& since, bool above, SteadyTime now) {
  if (!above) {
    since.reset();
  } else if (!since) {
    since = now;
  }
}

}  // namespace

LoadModel::LoadModel(const LoadParameters& parameters, std::uint64_t seed, SteadyTime now)
    : parameters_(parameters), random_(seed) {
  reset(now);
}

void LoadModel::reset(SteadyTime now) {
  true_stress_ = measured_ = window_sum_ = window_seconds_ = noise_ = 0;
  joins_seen_ = 0;
  recent_joins_.clear();
  last_step_ = now;
  next_sample_ = now + random_between(random_, Milliseconds(0), parameters_.sample);
  above_limit_since_.reset();
  above_sudden_since_.reset();
}

double LoadModel::join_cost(const Colibri& colibri, SteadyTime now) {
  for (; joins_seen_ < colibri.endpoints_created(); ++joins_seen_) {
    recent_joins_.push_back(now);
  }
  while (!recent_joins_.empty() && now - recent_joins_.front() > seconds(1)) {
    recent_joins_.pop_front();
  }
  return parameters_.join_cost * static_cast<double>(recent_joins_.size());
}

double LoadModel::demand(const Colibri& colibri, SteadyTime now) {
  const double ramp_seconds = duration<double>(parameters_.ramp).count();
  double equivalents = 0;
  for (const auto& [meeting, conference] : colibri.conferences()) {
    double ramped = 0;
    int senders = 0;
    for (const auto& [id, endpoint] : conference.endpoints) {
      if (colibri.is_live(endpoint, now)) {
        ramped += std::min(1.0, seconds_between(*endpoint.connected_at, now) / ramp_seconds);
        senders += endpoint.sends ? 1 : 0;
      }
    }
    for (const auto& [id, relay] : conference.relays) {
      equivalents += std::min(kRemoteCost * static_cast<double>(relay.endpoints.size()), kRelayMax);
      senders +=
          static_cast<int>(std::count_if(relay.endpoints.begin(), relay.endpoints.end(),
                                         [](const auto& entry) { return entry.second.sends; }));
    }
    equivalents += ramped * (0.4 + 0.06 * std::min(senders, 20));
  }
  return (equivalents * (1 + noise_) + join_cost(colibri, now)) * parameters_.stress_per_unit;
}

void LoadModel::step(const Colibri& colibri, SteadyTime now) {
  const double elapsed = seconds_between(last_step_, now);
  last_step_ = now;
  const double keep = std::exp(-elapsed / kNoiseSeconds);
  noise_ = keep * noise_ + parameters_.noise * std::sqrt(1 - keep * keep) * normal(random_);
  true_stress_ = demand(colibri, now);
  window_sum_ += std::min(true_stress_, kMeasurable) * elapsed;
  window_seconds_ += elapsed;
  track(above_limit_since_, true_stress_ > parameters_.death, now);
  track(above_sudden_since_, true_stress_ > parameters_.sudden_death, now);
  if (now >= next_sample_) {
    sample(now);
  }
}

void LoadModel::sample(SteadyTime now) {
  if (window_seconds_ > 0) {
    measured_ = std::max(0.0, window_sum_ / window_seconds_ * (1 + kSampleNoise * normal(random_)));
  }
  window_sum_ = window_seconds_ = 0;
  next_sample_ = now + parameters_.sample;
}

double LoadModel::slowdown() const {
  return 1 + 20 * std::max(0.0, true_stress_ - 1);
}

bool LoadModel::fatal(SteadyTime now) const {
  return parameters_.dies &&
         ((above_limit_since_ && now - *above_limit_since_ > parameters_.death_after) ||
          (above_sudden_since_ && now - *above_sudden_since_ > parameters_.sudden_death_after));
}

bool LoadModel::report_is_lost() {
  return true_stress_ > 1 && uniform(random_) < parameters_.lost;
}

}  // namespace bascule::peers
