#include "sim/client_kind.h"

#include <charconv>
#include <utility>

namespace bascule::sim {
namespace {

using proto::EndpointSources;
using proto::GroupSemantics;
using proto::MediaType;
using proto::Source;

/// What tells the SSRCs of one endpoint apart: its last hexadecimal digit.
constexpr std::uint32_t kMicrophone = 1;
constexpr std::uint32_t kCamera = 2;  // Then its other layers, then the retransmissions.
constexpr std::uint32_t kLayers = 3;
constexpr std::uint32_t kScreen = 8;
constexpr std::uint32_t kScreenRepair = 9;
constexpr std::uint32_t kNobody = 15;

Ssrc ssrc_of(const std::string& endpoint, std::uint32_t digit) {
  std::uint32_t value = 0;
  std::from_chars(endpoint.data(), endpoint.data() + endpoint.size(), value, 16);
  return Ssrc{(value & 0xFFFFFFF0U) | digit};
}

Source make_source(const std::string& endpoint, std::uint32_t digit, std::string_view suffix,
                   std::optional<proto::VideoType> type) {
  Source source;
  source.ssrc = ssrc_of(endpoint, digit);
  source.name = endpoint + std::string(suffix);
  source.msid = "stream-" + *source.name + " track-" + *source.name;
  source.video_type = type;
  return source;
}

proto::Content make_content(std::string name, MediaType media, std::vector<Source> sources,
                            std::vector<proto::SourceGroup> groups) {
  proto::Content content;
  content.creator = proto::Creator::kResponder;
  content.name = std::move(name);
  content.senders = proto::Senders::kBoth;
  content.description.emplace();
  content.description->media = media;
  content.description->sources = std::move(sources);
  content.description->source_groups = std::move(groups);
  return content;
}

template <class T>
void append(std::vector<T>& list, const std::vector<T>& more) {
  list.insert(list.end(), more.begin(), more.end());
}

}  // namespace

ClientKind ClientKind::draw(Prng& prng) {
  ClientKind kind;
  kind.json = prng.below(4) != 0;
  kind.ssrc_rewriting = prng.below(4) == 0;
  kind.video = prng.below(8) != 0;
  kind.simulcast = prng.below(2) == 0;
  return kind;
}

std::string ClientKind::capabilities() const {
  std::string version = "sim";
  version += json ? 'j' : 'x';
  version += ssrc_rewriting ? 'r' : '-';
  version += video ? 'v' : '-';
  return version;
}

std::vector<std::string> ClientKind::features() const {
  std::vector<std::string> features = {"urn:ietf:rfc:5761",
                                       "urn:ietf:rfc:5888",
                                       "urn:ietf:rfc:5576",
                                       "http://jitsi.org/source-name",
                                       "http://jitsi.org/receive-multiple-video-streams",
                                       "urn:xmpp:jingle:apps:rtp:audio",
                                       "urn:xmpp:jingle:transports:ice-udp:1",
                                       "urn:xmpp:jingle:apps:dtls:0",
                                       "urn:xmpp:jingle:transports:dtls-sctp:1"};
  if (json) {
    features.emplace_back("http://jitsi.org/json-encoded-sources");
  }
  if (ssrc_rewriting) {
    features.emplace_back("http://jitsi.org/ssrc-rewriting-1");
  }
  if (video) {
    features.emplace_back("urn:xmpp:jingle:apps:rtp:video");
  }
  return features;
}

EndpointSources camera_sources(const std::string& endpoint, const ClientKind& kind) {
  EndpointSources sources;
  sources.audio.push_back(make_source(endpoint, kMicrophone, "-a0", std::nullopt));
  if (!kind.video) {
    return sources;
  }
  const std::uint32_t layers = kind.simulcast ? kLayers : 1;
  proto::SourceGroup simulcast{.semantics = GroupSemantics::kSim};
  for (std::uint32_t i = 0; i < layers; ++i) {
    sources.video.push_back(make_source(endpoint, kCamera + i, "-v0", proto::VideoType::kCamera));
    simulcast.ssrcs.push_back(sources.video.back().ssrc);
  }
  if (kind.simulcast) {
    sources.video_groups.push_back(simulcast);
    for (std::uint32_t i = 0; i < layers; ++i) {
      sources.video.push_back(
          make_source(endpoint, kCamera + kLayers + i, "-v0", proto::VideoType::kCamera));
      sources.video_groups.push_back({.semantics = GroupSemantics::kFid,
                                      .ssrcs = {simulcast.ssrcs[i], sources.video.back().ssrc}});
    }
  }
  return sources;
}

EndpointSources screen_sources(const std::string& endpoint) {
  EndpointSources sources;
  for (const std::uint32_t digit : {kScreen, kScreenRepair}) {
    sources.video.push_back(make_source(endpoint, digit, "-v1", proto::VideoType::kDesktop));
  }
  sources.video_groups.push_back(
      {.semantics = GroupSemantics::kFid, .ssrcs = {sources.video[0].ssrc, sources.video[1].ssrc}});
  return sources;
}

EndpointSources together(const EndpointSources& left, const EndpointSources& right) {
  EndpointSources both = left;
  append(both.audio, right.audio);
  append(both.video, right.video);
  append(both.audio_groups, right.audio_groups);
  append(both.video_groups, right.video_groups);
  return both;
}

EndpointSources invalid_sources(const std::string& endpoint, std::uint64_t which) {
  EndpointSources sources;
  if (which == 0) {  // An SSRC that is in use, by its own microphone.
    sources.video.push_back(make_source(endpoint, kMicrophone, "-v9", proto::VideoType::kCamera));
    return sources;
  }
  sources.video.push_back(make_source(endpoint, kNobody, "-v9", proto::VideoType::kDesktop));
  proto::SourceGroup group{.semantics = GroupSemantics::kFid, .ssrcs = {sources.video[0].ssrc}};
  if (which == 1) {  // A retransmission that is no source.
    group.ssrcs.push_back(ssrc_of(endpoint, kNobody - 1));
  } else if (which == 2) {  // A group with a source of another msid.
    group.ssrcs.push_back(ssrc_of(endpoint, kMicrophone));
  } else {  // An msid that is another track's.
    sources.video[0].msid = "stream-" + endpoint + "-a0 track-" + endpoint + "-a0";
    sources.audio.push_back(make_source(endpoint, kNobody - 1, "-a9", std::nullopt));
    sources.audio[0].msid = sources.video[0].msid;
  }
  sources.video_groups.push_back(group);
  return sources;
}

std::vector<proto::Content> client_contents(const EndpointSources& sources) {
  std::vector<proto::Content> contents;
  if (!sources.audio.empty() || !sources.audio_groups.empty()) {
    contents.push_back(
        make_content("audio", MediaType::kAudio, sources.audio, sources.audio_groups));
  }
  if (!sources.video.empty() || !sources.video_groups.empty()) {
    contents.push_back(
        make_content("video", MediaType::kVideo, sources.video, sources.video_groups));
  }
  return contents;
}

}  // namespace bascule::sim
