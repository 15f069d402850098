#include "focus/source_filter.h"

#include <algorithm>
#include <set>
#include <vector>

namespace bascule::focus {
namespace {

using Groups = std::vector<proto::SourceGroup>;

void collect_lower_layers(const Groups& groups, std::set<Ssrc>& dropped) {
  for (const proto::SourceGroup& group : groups) {
    if (group.semantics == proto::GroupSemantics::kSim && !group.ssrcs.empty()) {
      dropped.insert(group.ssrcs.begin() + 1, group.ssrcs.end());
    }
  }
}

void collect_their_retransmissions(const Groups& groups, const std::set<Ssrc>& layers,
                                   std::set<Ssrc>& dropped) {
  for (const proto::SourceGroup& group : groups) {
    if (group.semantics == proto::GroupSemantics::kFid && !group.ssrcs.empty() &&
        layers.contains(group.ssrcs.front())) {
      dropped.insert(group.ssrcs.begin(), group.ssrcs.end());
    }
  }
}

void erase_dropped(std::vector<proto::Source>& sources, const std::set<Ssrc>& dropped) {
  std::erase_if(sources,
                [&](const proto::Source& source) { return dropped.contains(source.ssrc); });
}

void erase_incomplete(Groups& groups, const std::set<Ssrc>& dropped) {
  std::erase_if(groups, [&](const proto::SourceGroup& group) {
    return group.semantics == proto::GroupSemantics::kSim ||
           std::any_of(group.ssrcs.begin(), group.ssrcs.end(),
                       [&](Ssrc ssrc) { return dropped.contains(ssrc); });
  });
}

template <class T>
std::vector<T> without(const std::vector<T>& left, const std::vector<T>& right) {
  std::vector<T> result;
  for (const T& item : left) {
    if (std::find(right.begin(), right.end(), item) == right.end()) {
      result.push_back(item);
    }
  }
  return result;
}

}  // namespace

SourceFilter source_filter(const OfferOptions& options, Features features) {
  return {.audio = features.has(Feature::kAudio),
          .video = features.has(Feature::kVideo),
          .strip_simulcast = options.strip_simulcast};
}

proto::EndpointSources strip_simulcast(const proto::EndpointSources& sources) {
  std::set<Ssrc> layers;
  collect_lower_layers(sources.audio_groups, layers);
  collect_lower_layers(sources.video_groups, layers);
  std::set<Ssrc> dropped = layers;
  collect_their_retransmissions(sources.audio_groups, layers, dropped);
  collect_their_retransmissions(sources.video_groups, layers, dropped);

  proto::EndpointSources result = sources;
  erase_dropped(result.audio, dropped);
  erase_dropped(result.video, dropped);
  erase_incomplete(result.audio_groups, dropped);
  erase_incomplete(result.video_groups, dropped);
  return result;
}

proto::EndpointSources filtered(const proto::EndpointSources& sources, SourceFilter filter) {
  proto::EndpointSources result = sources;
  if (!filter.audio) {
    result.audio.clear();
    result.audio_groups.clear();
  }
  if (!filter.video) {
    result.video.clear();
    result.video_groups.clear();
  }
  return filter.strip_simulcast ? strip_simulcast(result) : result;
}

proto::EndpointSources difference(const proto::EndpointSources& left,
                                  const proto::EndpointSources& right) {
  return {.audio = without(left.audio, right.audio),
          .video = without(left.video, right.video),
          .audio_groups = without(left.audio_groups, right.audio_groups),
          .video_groups = without(left.video_groups, right.video_groups)};
}

}  // namespace bascule::focus
