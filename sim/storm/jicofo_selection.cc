#include "sim/storm/jicofo_selection.h"

#include <algorithm>

namespace bascule::sim::storm {
namespace {

constexpr Duration kBucket = std::chrono::milliseconds{100};

const JicofoSelection::Use* use_of(const std::vector<JicofoSelection::Use>& conference,
                                   JicofoSelection::Index bridge) {
  const auto found = std::find_if(conference.begin(), conference.end(),
                                  [&](const auto& use) { return use.bridge == bridge; });
  return found == conference.end() ? nullptr : &*found;
}

}  // namespace

JicofoSelection::JicofoSelection(const JicofoOptions& options, std::size_t bridges)
    : options_(options), bridges_(bridges) {
  sorted_.reserve(bridges);
}

void JicofoSelection::add(Index bridge) {
  bridges_[bridge] = {.known = true};
}

void JicofoSelection::remove(Index bridge) {
  bridges_[bridge] = {};
}

void JicofoSelection::endpoint_added(Index index, Instant now) {
  Bridge& bridge = bridges_[index];
  const Instant bucket{now.time_since_epoch() / kBucket * kBucket};
  if (bridge.added.empty() || bridge.added.back().bucket != bucket) {
    bridge.added.push_back({.bucket = bucket});
  }
  ++bridge.added.back().count;
  ++bridge.recent;
}

double JicofoSelection::corrected_stress(Index index, Instant now) {
  Bridge& bridge = bridges_[index];
  while (!bridge.added.empty() && bridge.added.front().bucket + options_.rampup <= now) {
    bridge.recent -= bridge.added.front().count;
    bridge.added.pop_front();
  }
  return bridge.reported + static_cast<double>(bridge.recent) * options_.average_participant_stress;
}

std::optional<JicofoSelection::Index> JicofoSelection::select(const std::vector<Use>& conference,
                                                              Instant now) {
  if (!conference.empty() && !options_.relays) {
    // Stays on its bridge without any check; a conference in pieces gets nothing.
    const Index bridge = conference.front().bridge;
    return conference.size() == 1 && known(bridge) ? std::optional(bridge) : std::nullopt;
  }
  sorted_.clear();
  for (Index index = 0; index < bridges_.size(); ++index) {
    if (bridges_[index].known) {
      sorted_.push_back({corrected_stress(index, now), index});
    }
  }
  std::stable_sort(sorted_.begin(), sorted_.end(),
                   [](const Candidate& a, const Candidate& b) { return a.stress < b.stress; });
  if (sorted_.empty()) {
    return std::nullopt;
  }
  // The single strategy never looks at overload.
  return options_.relays ? select_region_based(conference) : std::optional(sorted_.front().bridge);
}

bool JicofoSelection::overloaded_for(const Use* use, double stress) const {
  return stress >= options_.stress_threshold ||
         (use != nullptr &&
          (use->participants >= options_.max_bridge_participants ||
           (options_.max_per_minute && use->added_last_minute >= *options_.max_per_minute)));
}

/// Rules 1 to 8 of the strategy; with a single region pairs of them coincide.
std::optional<JicofoSelection::Index> JicofoSelection::select_region_based(
    const std::vector<Use>& conference) const {
  for (const Candidate& candidate : sorted_) {
    const Use* use = use_of(conference, candidate.bridge);
    if (use != nullptr && !overloaded_for(use, candidate.stress)) {
      return candidate.bridge;
    }
  }
  for (const Candidate& candidate : sorted_) {
    if (!overloaded_for(use_of(conference, candidate.bridge), candidate.stress)) {
      return candidate.bridge;
    }
  }
  if (sorted_.front().stress < options_.stress_threshold) {
    return sorted_.front().bridge;
  }
  for (const Candidate& candidate : sorted_) {
    const Use* use = use_of(conference, candidate.bridge);
    if (use != nullptr && use->participants < options_.max_bridge_participants) {
      return candidate.bridge;
    }
  }
  return sorted_.front().bridge;
}

}  // namespace bascule::sim::storm
