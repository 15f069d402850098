#include "admin/jicofo_figures.h"

#include <algorithm>
#include <set>
#include <utility>

namespace bascule::admin {

JicofoFigures jicofo_figures(const focus::Focus& focus, Now now) {
  JicofoFigures figures;
  figures.version = focus.options().version;
  figures.counters = focus.counters();
  figures.placement = focus.placement().counters();
  figures.now = now.mono;
  figures.bridges = focus.placement().bridges(now);
  std::erase_if(figures.bridges, [](const focus::BridgeView& view) { return !view.present; });
  figures.conferences = focus.conference_sizes();
  return figures;
}

JicofoSizes jicofo_sizes(const std::vector<focus::ConferenceSize>& conferences) {
  JicofoSizes sizes;
  for (const focus::ConferenceSize& conference : conferences) {
    const std::uint64_t size = std::max<std::uint64_t>(conference.participants, 1);
    sizes.smallest = sizes.conferences == 0 ? size : std::min(sizes.smallest, size);
    sizes.largest = std::max(sizes.largest, size);
    ++sizes.conferences;
    sizes.participants += size;
    sizes.visitors += conference.visitors;
    sizes.with_visitors += conference.visitors > 0 ? 1U : 0U;
    sizes.pairs += size * size;
    const auto above =
        std::upper_bound(JicofoSizes::kEdges.begin(), JicofoSizes::kEdges.end(), size);
    ++sizes.buckets.at(static_cast<std::size_t>(above - JicofoSizes::kEdges.begin()) - 1);
  }
  return sizes;
}

JicofoBridges jicofo_bridges(const std::vector<focus::BridgeView>& bridges) {
  JicofoBridges counts;
  std::set<std::string> versions;
  for (const focus::BridgeView& view : bridges) {
    ++counts.all;
    counts.operational += view.state == focus::BridgeState::kFailed ? 0U : 1U;
    counts.in_shutdown += view.graceful_shutdown ? 1U : 0U;
    if (view.version) {
      versions.insert(*view.version);
    }
  }
  counts.versions = versions.size();
  return counts;
}

std::uint64_t jicofo_jingle(const std::array<std::uint64_t, focus::kJingleActions>& counts,
                            const JicofoJingleAction& action) {
  return action.action == proto::JingleAction::kUnknown
             ? 0
             : counts.at(static_cast<std::size_t>(action.action));
}

std::uint64_t jicofo_restarts(const focus::Counters& counters) {
  return counters.restarts - counters.ice_failed + counters.restarts_limited;
}

std::uint64_t jicofo_lost_bridges(const focus::PlacementCounters& placement) {
  return placement.bridge_failures.at(static_cast<std::size_t>(focus::FailureCause::kLeft));
}

}  // namespace bascule::admin
