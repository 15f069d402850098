#include "sim/source_knowledge.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "xmpp/proto/jitsi_meet_json.h"

namespace bascule::sim {
namespace {

using proto::EndpointSources;
using proto::GroupSemantics;
using proto::Source;
using proto::SourceGroup;
using proto::SourceMap;

template <class T>
bool contains(const std::vector<T>& list, const T& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

/// Appends to `list`; returns whether one of `more` was there.
template <class T>
bool merge(std::vector<T>& list, const std::vector<T>& more) {
  bool repeated = false;
  for (const T& item : more) {
    if (contains(list, item)) {
      repeated = true;
    } else {
      list.push_back(item);
    }
  }
  return repeated;
}

/// Takes from `list`; returns whether one of `less` was not there.
template <class T>
bool take(std::vector<T>& list, const std::vector<T>& less) {
  bool missing = false;
  for (const T& item : less) {
    const auto found = std::find(list.begin(), list.end(), item);
    if (found == list.end()) {
      missing = true;
    } else {
      list.erase(found);
    }
  }
  return missing;
}

EndpointSources sorted(EndpointSources sources) {
  const auto by_ssrc = [](const Source& a, const Source& b) { return a.ssrc < b.ssrc; };
  const auto by_members = [](const SourceGroup& a, const SourceGroup& b) {
    return std::tie(a.semantics, a.ssrcs) < std::tie(b.semantics, b.ssrcs);
  };
  for (auto* list : {&sources.audio, &sources.video}) {
    std::sort(list->begin(), list->end(), by_ssrc);
  }
  for (auto* list : {&sources.audio_groups, &sources.video_groups}) {
    std::sort(list->begin(), list->end(), by_members);
  }
  return sources;
}

/// A content names the owner of each source; a group is whose first source is.
Result<void> read_content(const proto::Content& content, SourceMap& map) {
  if (!content.description) {
    return {};
  }
  const bool audio = content.description->media == proto::MediaType::kAudio;
  std::map<Ssrc, EndpointId> owners;
  for (Source source : content.description->sources) {
    if (!source.owner) {
      return fail(Errc::kMalformed, "source without an owner");
    }
    const EndpointId owner(*std::exchange(source.owner, std::nullopt));
    owners.emplace(source.ssrc, owner);
    auto& sources = map[owner];
    (audio ? sources.audio : sources.video).push_back(std::move(source));
  }
  for (const SourceGroup& group : content.description->source_groups) {
    const auto owner = group.ssrcs.empty() ? owners.end() : owners.find(group.ssrcs.front());
    if (owner == owners.end()) {
      return fail(Errc::kMalformed, "group without a source");
    }
    auto& sources = map[owner->second];
    (audio ? sources.audio_groups : sources.video_groups).push_back(group);
  }
  return {};
}

}  // namespace

Result<SourceMap> sources_in(const proto::Jingle& jingle) {
  SourceMap map;
  if (jingle.json_message) {
    auto decoded = proto::decode_sources_json(jingle.json_message->json);
    if (!decoded) {
      return decoded;
    }
    map = std::move(*decoded);
  }
  for (const proto::Content& content : jingle.contents) {
    if (auto read = read_content(content, map); !read) {
      return tl::make_unexpected(read.error());
    }
  }
  return map;
}

void SourceKnowledge::offered(const std::string& self, const SourceMap& sources) {
  self_ = self;
  known_.clear();
  added(sources);
}

void SourceKnowledge::added(const SourceMap& sources) {
  for (const auto& [owner, more] : sources) {
    if (owner.value() == kBridgeOwner || left_.contains(owner.value()) || more.empty()) {
      continue;
    }
    if (owner.value() == self_) {
      complaints_.emplace_back("was told of its own sources");
      continue;
    }
    EndpointSources& known = known_[owner];
    bool repeated = merge(known.audio, more.audio);
    repeated = merge(known.video, more.video) || repeated;
    repeated = merge(known.audio_groups, more.audio_groups) || repeated;
    repeated = merge(known.video_groups, more.video_groups) || repeated;
    if (repeated) {
      complaints_.push_back("was told twice of sources of " + owner.value());
    }
  }
  check_ssrcs();
}

void SourceKnowledge::removed(const SourceMap& sources) {
  for (const auto& [owner, less] : sources) {
    if (left_.contains(owner.value())) {
      continue;
    }
    EndpointSources& known = known_[owner];
    bool missing = take(known.audio, less.audio);
    missing = take(known.video, less.video) || missing;
    missing = take(known.audio_groups, less.audio_groups) || missing;
    missing = take(known.video_groups, less.video_groups) || missing;
    if (missing) {
      complaints_.push_back("was to forget sources of " + owner.value() + " it did not know");
    }
    if (known.empty()) {
      known_.erase(owner);
    }
  }
}

void SourceKnowledge::owner_left(const std::string& owner) {
  left_.insert(owner);
  known_.erase(EndpointId(owner));
}

void SourceKnowledge::check_ssrcs() {
  std::map<Ssrc, EndpointId> owners;
  for (const auto& [owner, sources] : known_) {
    for (const auto* list : {&sources.audio, &sources.video}) {
      for (const Source& source : *list) {
        const auto [other, is_new] = owners.emplace(source.ssrc, owner);
        if (!is_new) {
          complaints_.push_back("SSRC " + std::to_string(source.ssrc.value()) + " is of " +
                                other->second.value() + " and of " + owner.value());
        }
      }
    }
  }
}

EndpointSources as_told(const EndpointSources& sent, const ClientKind& receiver) {
  EndpointSources told;
  if (receiver.ssrc_rewriting) {
    return told;
  }
  told.audio = sent.audio;
  told.audio_groups = sent.audio_groups;
  if (!receiver.video) {
    return told;
  }
  std::set<Ssrc> hidden;  // All layers but the first, and what repairs them.
  for (const SourceGroup& group : sent.video_groups) {
    if (group.semantics == GroupSemantics::kSim) {
      hidden.insert(group.ssrcs.begin() + 1, group.ssrcs.end());
    }
  }
  for (const SourceGroup& group : sent.video_groups) {
    if (group.semantics == GroupSemantics::kFid && hidden.contains(group.ssrcs.front())) {
      hidden.insert(group.ssrcs.back());
    } else if (group.semantics == GroupSemantics::kFid) {
      told.video_groups.push_back(group);
    }
  }
  std::copy_if(sent.video.begin(), sent.video.end(), std::back_inserter(told.video),
               [&hidden](const Source& source) { return !hidden.contains(source.ssrc); });
  return told;
}

std::string knowledge_problem(const SourceMap& known, const SourceMap& truth) {
  for (const auto& [owner, sources] : truth) {
    const auto found = known.find(owner);
    if (found == known.end()) {
      if (!sources.empty()) {
        return "does not know the sources of " + owner.value();
      }
    } else if (sorted(found->second) != sorted(sources)) {
      return "does not know the true sources of " + owner.value();
    }
  }
  for (const auto& [owner, sources] : known) {
    if (!truth.contains(owner)) {
      return "knows sources of " + owner.value() + " who has none";
    }
  }
  return {};
}

}  // namespace bascule::sim
