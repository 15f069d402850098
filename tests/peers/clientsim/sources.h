#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/prng.h"
#include "base/result.h"
#include "xmpp/xml/element.h"

namespace bascule::peers {

/// One media source as signaled: what `a=ssrc` lines say in SDP.
struct MediaSource {
  std::uint32_t ssrc = 0;
  bool video = false;
  bool desktop = false;
  std::string name;
  std::string msid;
  friend bool operator==(const MediaSource&, const MediaSource&) = default;
};

/// FID or SIM, and the SSRCs in order.
struct SourceGroup {
  std::string semantics;
  std::vector<std::uint32_t> ssrcs;
  bool video = true;
  friend auto operator<=>(const SourceGroup&, const SourceGroup&) = default;
};

/// Sources and groups of one owner.
struct SourceSet {
  std::map<std::uint32_t, MediaSource> sources;
  std::set<SourceGroup> groups;
  [[nodiscard]] bool empty() const { return sources.empty() && groups.empty(); }
};
using SourcesByOwner = std::map<std::string, SourceSet, std::less<>>;

/// What a browser sends for a microphone and a camera: one audio source, and three simulcast layers
/// with retransmission (SIM plus three FID groups).
SourceSet make_local_sources(const std::string& endpoint_id, Prng& random);
/// A shared screen: one video source with retransmission, named `<endpoint>-v1`.
SourceSet make_desktop_sources(const std::string& endpoint_id, Prng& random);
/// What others must at least be told of a set: audio, and of each simulcast set the first layer
/// with its retransmission source (receivers are not offered simulcast).
std::vector<std::uint32_t> required_ssrcs(const SourceSet& set);

/// Appends the sources of one media type to a description, in a client's own form: `parameter` and
/// the members of a group in the namespace of their parent.
void append_sources(xml::Element& description, const SourceSet& set, bool video);

/// The sources in a jingle element of the focus: XML in the contents, or compact JSON
/// (`json-message`). Errors: kMalformed, saying what.
Result<SourcesByOwner> parse_sources(const xml::Element& jingle);
[[nodiscard]] bool has_json_sources(const xml::Element& jingle);

/// Adds or removes; returns what contradicts what was known (added twice, removed but unknown).
std::vector<std::string> add_sources(SourcesByOwner& known, const SourcesByOwner& added);
std::vector<std::string> remove_sources(SourcesByOwner& known, const SourcesByOwner& removed);

}  // namespace bascule::peers
