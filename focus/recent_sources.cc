#include "focus/recent_sources.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

namespace bascule::focus {

void RecentSources::removed(const proto::EndpointSources& sources, Instant now) {
  std::erase_if(removed_at_, [now](const auto& entry) { return entry.second + kMemory < now; });
  for (const auto* list : {&sources.audio, &sources.video}) {
    for (const proto::Source& source : *list) {
      removed_at_.insert_or_assign(source.ssrc, now);
    }
  }
  while (removed_at_.size() > kMax) {
    removed_at_.erase(
        std::min_element(removed_at_.begin(), removed_at_.end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; }));
  }
}

proto::EndpointSources RecentSources::what_is_left(proto::EndpointSources request,
                                                   const proto::EndpointSources& present,
                                                   Instant now) const {
  std::set<Ssrc> there;
  for (const auto* list : {&present.audio, &present.video}) {
    for (const proto::Source& source : *list) {
      there.insert(source.ssrc);
    }
  }
  const auto is_gone = [&](Ssrc ssrc) {
    const auto removed = removed_at_.find(ssrc);
    return !there.contains(ssrc) && removed != removed_at_.end() &&
           now <= removed->second + kMemory;
  };
  for (auto* list : {&request.audio, &request.video}) {
    std::erase_if(*list, [&](const proto::Source& source) { return is_gone(source.ssrc); });
  }
  for (auto* list : {&request.audio_groups, &request.video_groups}) {
    std::erase_if(*list, [&](const proto::SourceGroup& group) {
      return std::any_of(group.ssrcs.begin(), group.ssrcs.end(), is_gone);
    });
  }
  return request;
}

}  // namespace bascule::focus
