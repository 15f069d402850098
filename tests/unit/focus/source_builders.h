#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "xmpp/proto/source.h"

/// Short names for sources in tests: `v(1, "m")` is a video source with SSRC 1 and msid "m".
namespace bascule::focus::testing {

enum class Kind { kAudio, kVideo };

struct TestSource {
  Kind kind;
  proto::Source source;
};

struct TestGroup {
  Kind kind;
  proto::SourceGroup group;
};

inline TestSource v(std::uint32_t ssrc, std::optional<std::string> msid = std::nullopt) {
  return {Kind::kVideo, {.ssrc = Ssrc(ssrc), .msid = std::move(msid)}};
}

inline TestSource a(std::uint32_t ssrc, std::optional<std::string> msid = std::nullopt) {
  return {Kind::kAudio, {.ssrc = Ssrc(ssrc), .msid = std::move(msid)}};
}

inline TestGroup make_group(proto::GroupSemantics semantics,
                            const std::vector<std::uint32_t>& ssrcs) {
  TestGroup group{Kind::kVideo, {.semantics = semantics}};
  for (const std::uint32_t ssrc : ssrcs) {
    group.group.ssrcs.emplace_back(ssrc);
  }
  return group;
}

inline TestGroup sim(const std::vector<std::uint32_t>& ssrcs) {
  return make_group(proto::GroupSemantics::kSim, ssrcs);
}

inline TestGroup fid(const std::vector<std::uint32_t>& ssrcs) {
  return make_group(proto::GroupSemantics::kFid, ssrcs);
}

inline proto::EndpointSources set_of(const std::vector<TestSource>& sources,
                                     const std::vector<TestGroup>& groups = {}) {
  proto::EndpointSources set;
  for (const TestSource& item : sources) {
    (item.kind == Kind::kAudio ? set.audio : set.video).push_back(item.source);
  }
  for (const TestGroup& item : groups) {
    (item.kind == Kind::kAudio ? set.audio_groups : set.video_groups).push_back(item.group);
  }
  return set;
}

/// A camera with three simulcast layers and their retransmissions, and a microphone.
inline proto::EndpointSources simulcast_set() {
  return set_of({v(1, "m"), v(2, "m"), v(3, "m"), v(4, "m"), v(5, "m"), v(6, "m"), a(7)},
                {sim({1, 2, 3}), fid({1, 4}), fid({2, 5}), fid({3, 6})});
}

inline EndpointId endpoint(std::string id) {
  return EndpointId(std::move(id));
}

}  // namespace bascule::focus::testing
