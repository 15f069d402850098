#include "tests/peers/clientsim/sources.h"

#include <algorithm>
#include <charconv>
#include <initializer_list>

#include "tests/peers/common/encoding.h"
#include "tests/peers/common/stanza.h"

namespace bascule::peers {
namespace {

std::uint32_t random_ssrc(Prng& random) {
  return static_cast<std::uint32_t>(1 + random.below(0xFFFF'FFFEU));
}

std::string random_msid(const std::string& prefix, Prng& random) {
  return prefix + "-1 " + random_text(random, 8, kHexAlphabet) + "-1";
}

void insert(SourceSet& set, std::uint32_t ssrc, const MediaSource& like) {
  MediaSource source = like;
  source.ssrc = ssrc;
  set.sources.emplace(ssrc, std::move(source));
}

bool parse_ssrc(std::string_view text, std::uint32_t& ssrc) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ssrc);
  return error == std::errc{} && end == text.data() + text.size() && ssrc != 0;
}

}  // namespace

SourceSet make_local_sources(const std::string& endpoint_id, Prng& random) {
  SourceSet set;
  MediaSource audio;
  audio.name = endpoint_id + "-a0";
  audio.msid = random_msid(endpoint_id + "-audio-0", random);
  insert(set, random_ssrc(random), audio);
  MediaSource camera;
  camera.video = true;
  camera.name = endpoint_id + "-v0";
  camera.msid = random_msid(endpoint_id + "-video-0", random);
  SourceGroup layers{"SIM", {}, true};
  for (int layer = 0; layer < 3; ++layer) {
    const std::uint32_t primary = random_ssrc(random);
    const std::uint32_t repair = random_ssrc(random);
    insert(set, primary, camera);
    insert(set, repair, camera);
    layers.ssrcs.push_back(primary);
    set.groups.insert({"FID", {primary, repair}, true});
  }
  set.groups.insert(std::move(layers));
  return set;
}

SourceSet make_desktop_sources(const std::string& endpoint_id, Prng& random) {
  SourceSet set;
  MediaSource screen;
  screen.video = true;
  screen.desktop = true;
  screen.name = endpoint_id + "-v1";
  screen.msid = random_msid(endpoint_id + "-video-1", random);
  const std::uint32_t primary = random_ssrc(random);
  const std::uint32_t repair = random_ssrc(random);
  insert(set, primary, screen);
  insert(set, repair, screen);
  set.groups.insert({"FID", {primary, repair}, true});
  return set;
}

std::vector<std::uint32_t> required_ssrcs(const SourceSet& set) {
  std::set<std::uint32_t> dropped;  // Layers above the first, with their retransmission.
  for (const SourceGroup& group : set.groups) {
    if (group.semantics == "SIM") {
      dropped.insert(group.ssrcs.begin() + 1, group.ssrcs.end());
    }
  }
  for (const SourceGroup& group : set.groups) {
    if (group.semantics == "FID" && dropped.contains(group.ssrcs.front())) {
      dropped.insert(group.ssrcs.begin(), group.ssrcs.end());
    }
  }
  std::vector<std::uint32_t> required;
  for (const auto& [ssrc, source] : set.sources) {
    if (!dropped.contains(ssrc)) {
      required.push_back(ssrc);
    }
  }
  return required;
}

void append_sources(xml::Element& description, const SourceSet& set, bool video) {
  for (const auto& [ssrc, source] : set.sources) {
    if (source.video != video) {
      continue;
    }
    xml::Element& made = description.add(
        element("source", ns::kSources, {{"ssrc", std::to_string(ssrc)}, {"name", source.name}}));
    if (video) {
      made.set("videoType", source.desktop ? "desktop" : "camera");
    }
    made.add(element("parameter", ns::kSources, {{"name", "msid"}, {"value", source.msid}}));
  }
  for (const SourceGroup& group : set.groups) {
    if (group.video != video) {
      continue;
    }
    xml::Element& made =
        description.add(element("ssrc-group", ns::kSources, {{"semantics", group.semantics}}));
    for (const std::uint32_t ssrc : group.ssrcs) {
      made.add(element("source", ns::kSources, {{"ssrc", std::to_string(ssrc)}}));
    }
  }
}

std::vector<std::string> add_sources(SourcesByOwner& known, const SourcesByOwner& added) {
  std::vector<std::string> wrong;
  for (const auto& [owner, set] : added) {
    SourceSet& target = known[owner];
    for (const auto& [ssrc, source] : set.sources) {
      if (!target.sources.emplace(ssrc, source).second) {
        wrong.push_back("source " + std::to_string(ssrc) + " of " + owner + " added twice");
      }
    }
    for (const SourceGroup& group : set.groups) {
      if (!target.groups.insert(group).second) {
        wrong.push_back("group " + group.semantics + " of " + owner + " added twice");
      }
    }
  }
  return wrong;
}

std::vector<std::string> remove_sources(SourcesByOwner& known, const SourcesByOwner& removed) {
  std::vector<std::string> wrong;
  for (const auto& [owner, set] : removed) {
    const auto found = known.find(owner);
    for (const auto& [ssrc, source] : set.sources) {
      if (found == known.end() || found->second.sources.erase(ssrc) == 0) {
        wrong.push_back("unknown source " + std::to_string(ssrc) + " of " + owner + " removed");
      }
    }
    if (found == known.end()) {
      continue;
    }
    for (const SourceGroup& group : set.groups) {
      found->second.groups.erase(group);
    }
    if (found->second.empty()) {
      known.erase(found);
    }
  }
  return wrong;
}

// --- parsing -------------------------------------------------------------------------------------

namespace {

Result<> parse_xml_source(const xml::Element& source, bool video, SourcesByOwner& into) {
  MediaSource made;
  made.video = video;
  if (!parse_ssrc(source.attribute_or_empty("ssrc"), made.ssrc)) {
    return fail(Errc::kMalformed, "source without a usable ssrc");
  }
  const xml::Element* info = source.child("ssrc-info", ns::kJitmeet);
  if (info == nullptr || info->attribute_or_empty("owner").empty()) {
    return fail(Errc::kMalformed, "source without owner");
  }
  made.name = source.attribute_or_empty("name");
  made.desktop = source.attribute_or_empty("videoType") == "desktop";
  const xml::Element* msid = source.child("parameter", ns::kRtp);
  if (msid == nullptr || msid->attribute_or_empty("name") != "msid") {
    return fail(Errc::kMalformed, "source without msid");
  }
  made.msid = msid->attribute_or_empty("value");
  SourceSet& set = into[std::string(info->attribute_or_empty("owner"))];
  if (!set.sources.emplace(made.ssrc, made).second) {
    return fail(Errc::kMalformed, "one ssrc twice in one message");
  }
  return {};
}

Result<> parse_xml_group(const xml::Element& element, bool video, SourcesByOwner& into) {
  SourceGroup group;
  group.video = video;
  group.semantics = element.attribute_or_empty("semantics");
  if (group.semantics != "FID" && group.semantics != "SIM") {
    return fail(Errc::kMalformed, "ssrc-group semantics '" + group.semantics + "'");
  }
  for (const xml::Element& member : element.children) {
    std::uint32_t ssrc = 0;
    if (!parse_ssrc(member.attribute_or_empty("ssrc"), ssrc)) {
      return fail(Errc::kMalformed, "ssrc-group member without a usable ssrc");
    }
    group.ssrcs.push_back(ssrc);
  }
  // XML groups do not name their owner: it is the one of their sources.
  for (auto& [owner, set] : into) {
    if (!group.ssrcs.empty() && set.sources.contains(group.ssrcs.front())) {
      set.groups.insert(group);
      return {};
    }
  }
  return fail(Errc::kMalformed, "ssrc-group of sources that are not in the message");
}

Result<> parse_description(const xml::Element& description, SourcesByOwner& into) {
  const bool video = description.attribute_or_empty("media") == "video";
  for (const xml::Element& child : description.children) {
    if (child.is("source", ns::kSources)) {
      if (Result<> parsed = parse_xml_source(child, video, into); !parsed) {
        return parsed;
      }
    }
  }
  for (const xml::Element& child : description.children) {
    if (child.is("ssrc-group", ns::kSources)) {
      if (Result<> parsed = parse_xml_group(child, video, into); !parsed) {
        return parsed;
      }
    }
  }
  return {};
}

}  // namespace

bool has_json_sources(const xml::Element& jingle) {
  return jingle.child("json-message", ns::kJitmeet) != nullptr;
}

Result<SourcesByOwner> parse_json_sources(std::string_view text);  // sources_json.cc

Result<SourcesByOwner> parse_sources(const xml::Element& jingle) {
  SourcesByOwner found;
  for (const xml::Element& content : jingle.children) {
    const xml::Element* description =
        content.is("content", ns::kJingle) ? content.child("description", ns::kRtp) : nullptr;
    if (description == nullptr) {
      continue;
    }
    if (Result<> parsed = parse_description(*description, found); !parsed) {
      return tl::make_unexpected(parsed.error());
    }
  }
  const xml::Element* json = jingle.child("json-message", ns::kJitmeet);
  if (json == nullptr) {
    return found;
  }
  if (!found.empty()) {
    return fail(Errc::kMalformed, "sources both as XML and as JSON");
  }
  return parse_json_sources(json->text);
}

}  // namespace bascule::peers
