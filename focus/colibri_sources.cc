#include "focus/colibri_sources.h"

#include <algorithm>
#include <string>
#include <vector>

namespace bascule::focus {
namespace {

using proto::MediaSource;
using proto::MediaType;

bool holds(const MediaSource& media_source, Ssrc ssrc) {
  return std::any_of(media_source.sources.begin(), media_source.sources.end(),
                     [&](const proto::Source& source) { return source.ssrc == ssrc; });
}

void add_sources(std::vector<MediaSource>& out, MediaType type, const std::string& default_name,
                 const std::vector<proto::Source>& sources) {
  for (proto::Source source : sources) {
    const std::string id = source.name.value_or(default_name);
    source.msid.reset();
    source.owner.reset();
    auto target = std::find_if(out.begin(), out.end(), [&](const MediaSource& media_source) {
      return media_source.type == type && media_source.id == id;
    });
    if (target == out.end()) {
      target = out.insert(out.end(), MediaSource{.type = type, .id = id});
    }
    target->sources.push_back(std::move(source));
  }
}

void add_groups(std::vector<MediaSource>& out, const std::vector<proto::SourceGroup>& groups) {
  for (const proto::SourceGroup& group : groups) {
    const auto target = std::find_if(out.begin(), out.end(), [&](const MediaSource& media_source) {
      return std::any_of(group.ssrcs.begin(), group.ssrcs.end(),
                         [&](Ssrc ssrc) { return holds(media_source, ssrc); });
    });
    if (target != out.end()) {
      target->source_groups.push_back(group);
    }
  }
}

}  // namespace

proto::Sources to_colibri_sources(const EndpointId& endpoint,
                                  const proto::EndpointSources& sources) {
  proto::Sources result;
  add_sources(result.media_sources, MediaType::kAudio, endpoint.value() + "-a0", sources.audio);
  add_sources(result.media_sources, MediaType::kVideo, endpoint.value() + "-v0", sources.video);
  add_groups(result.media_sources, sources.audio_groups);
  add_groups(result.media_sources, sources.video_groups);
  return result;
}

proto::EndpointSources from_colibri_feedback(const proto::Sources& sources) {
  proto::EndpointSources feedback;
  for (const MediaSource& media_source : sources.media_sources) {
    const bool is_audio = media_source.type == MediaType::kAudio;
    for (const proto::Source& source : media_source.sources) {
      auto& list = is_audio ? feedback.audio : feedback.video;
      list.push_back(
          {.ssrc = source.ssrc,
           .name = source.name.value_or(media_source.id),
           .msid = is_audio ? "mixedmslabel mixedlabelaudio0" : "mixedmslabel mixedlabelvideo0"});
    }
  }
  return feedback;
}

}  // namespace bascule::focus
