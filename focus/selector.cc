#include "focus/selector.h"

#include <algorithm>

#include "base/check.h"

namespace bascule::focus {
namespace {

constexpr std::int64_t kBucketWidth = 10'000;  // One percent: above rounding, below noise.

}  // namespace

void Selector::reset(std::vector<Candidate> candidates) {
  candidates_ = std::move(candidates);
  by_load_.clear();
  refused_.clear();
  for (std::size_t i = 0; i < candidates_.size(); ++i) {
    if (candidates_[i].takes_new) {
      by_load_.emplace(bucket_of(candidates_[i]), i);
    }
  }
}

void Selector::update(std::size_t index, const Candidate& candidate) {
  const Candidate& before = candidates_[index];
  by_load_.erase({bucket_of(before), index});
  const bool improved = (candidate.takes_new && !before.takes_new) ||
                        (candidate.ready && !before.ready) ||
                        candidate.estimate < before.estimate ||
                        candidate.estimate + candidate.growth < before.estimate + before.growth;
  if (improved) {
    refused_.clear();
  }
  candidates_[index] = candidate;
  if (candidate.takes_new) {
    by_load_.emplace(bucket_of(candidate), index);
  }
}

Choice Selector::choose(const Need& need, Prng& prng) {
  const bool ordinary = need.region == nullptr && need.avoid.empty() && need.pace_matters;
  if (ordinary) {
    const Refused* refused = refused_before(need);
    if (refused != nullptr && refused->load <= need.load) {
      return {.candidate = {}, .capacity_seen = refused->capacity_seen};
    }
  }
  const Choice choice = scan(need, prng);
  if (ordinary && !choice.candidate) {
    remember_refusal(need, choice.capacity_seen);
  }
  return choice;
}

Selector::Refused* Selector::refused_before(const Need& need) {
  for (Refused& refused : refused_) {
    if (refused.limit == need.limit && refused.respect_growth == need.respect_growth) {
      return &refused;
    }
  }
  return nullptr;
}

void Selector::remember_refusal(const Need& need, bool capacity_seen) {
  if (Refused* refused = refused_before(need)) {
    refused->load = need.load;
    refused->capacity_seen = capacity_seen;
  } else {
    refused_.push_back({need.limit, need.respect_growth, need.load, capacity_seen});
  }
}

Choice Selector::scan(const Need& need, Prng& prng) const {
  Choice choice;
  std::vector<std::size_t> equals;
  std::int64_t bucket = -1;
  for (const auto& [load, index] : by_load_) {
    if (!equals.empty() && load != bucket) {
      break;
    }
    const Candidate& candidate = candidates_[index];
    const bool wanted =
        (need.region == nullptr || candidate.bridge->region == *need.region) &&
        std::find(need.avoid.begin(), need.avoid.end(), candidate.bridge) == need.avoid.end();
    if (!wanted || !fits(candidate, need.load, need.limit, need.respect_growth)) {
      continue;
    }
    choice.capacity_seen = true;
    if (candidate.ready || !need.pace_matters) {
      equals.push_back(index);
      bucket = load;
    }
  }
  if (!equals.empty()) {
    choice.candidate = equals[prng.below(equals.size())];
  }
  return choice;
}

bool Selector::fits(const Candidate& candidate, Milliunits load, Stress limit,
                    bool respect_growth) {
  const Stress before = respect_growth ? candidate.estimate + candidate.growth : candidate.estimate;
  const Stress most(limit.millionths() * candidate.capacity.millionths() / 1'000'000);
  return before + stress_of(load, candidate.cost_per_unit) <= most;
}

std::int64_t Selector::bucket_of(const Candidate& candidate) {
  return (candidate.estimate + candidate.growth).millionths() / kBucketWidth;
}

}  // namespace bascule::focus
