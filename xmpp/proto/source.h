#pragma once

// XEP-0339: sources and source groups, with Jitsi's additions (jitsi-xmpp-extensions:
// SourcePacketExtension.java, SourceGroupPacketExtension.java).

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "xmpp/xml/element.h"

namespace bascule::proto {

inline constexpr std::string_view kSourceNamespace = "urn:xmpp:jingle:apps:rtp:ssma:0";
inline constexpr std::string_view kJitsiMeetNamespace = "http://jitsi.org/jitmeet";

/// `desktop_high_fps` of lib-jitsi-meet reads as kDesktop.
enum class VideoType { kCamera, kDesktop };
enum class GroupSemantics { kSim, kFid, kFecFr };

std::string_view to_string(VideoType type);
std::string_view to_string(GroupSemantics semantics);
/// Case-insensitive. Errors: kMalformed.
Result<VideoType> parse_video_type(std::string_view text);

struct Source {
  Ssrc ssrc{1};
  std::optional<std::string> name;  ///< For example "3f9c01aa-v0".
  std::optional<VideoType> video_type;
  std::optional<std::string> rid;
  std::optional<std::string> msid;   ///< Value of the parameter of that name.
  std::optional<std::string> owner;  ///< `ssrc-info@owner`; ignore it when a client sends it.
  bool injected = false;
  friend bool operator==(const Source&, const Source&) = default;
};

struct SourceGroup {
  GroupSemantics semantics = GroupSemantics::kSim;
  std::vector<Ssrc> ssrcs;
  friend bool operator==(const SourceGroup&, const SourceGroup&) = default;
};

/// Everything one endpoint (or a bridge) sends.
struct EndpointSources {
  std::vector<Source> audio;
  std::vector<Source> video;
  std::vector<SourceGroup> audio_groups;
  std::vector<SourceGroup> video_groups;
  friend bool operator==(const EndpointSources&, const EndpointSources&) = default;
  [[nodiscard]] bool empty() const {
    return audio.empty() && video.empty() && audio_groups.empty() && video_groups.empty();
  }
};

/// By owner: an endpoint id, or "jvb" for the bridge's feedback sources.
using SourceMap = std::map<EndpointId, EndpointSources>;

bool is_source(const xml::Element& element);
bool is_source_group(const xml::Element& element);

xml::Element encode(const Source& source);
xml::Element encode(const SourceGroup& group);
/// Errors: kMalformed when the ssrc is missing, not decimal or outside 1 to 2^32-1, or the video
/// type or semantics is unknown. A `parameter` counts in both namespaces clients use for it.
Result<Source> decode_source(const xml::Element& source);
Result<SourceGroup> decode_source_group(const xml::Element& group);

}  // namespace bascule::proto
