#include "xmpp/proto/jingle_content.h"

#include <algorithm>

#include "xmpp/proto/codec.h"
#include "xmpp/proto/colibri2_parts.h"
#include "xmpp/proto/rtp_description_parts.h"

namespace bascule::proto {
namespace {

constexpr std::string_view kCreatorName = "creator";
constexpr std::string_view kNameName = "name";
constexpr std::string_view kSendersName = "senders";
constexpr std::string_view kDescriptionName = "description";
constexpr std::string_view kMediaName = "media";
constexpr std::string_view kMaxptimeName = "maxptime";
constexpr std::string_view kRtcpMuxName = "rtcp-mux";

constexpr Names<Creator, 2> kCreators{{
    {Creator::kInitiator, "initiator"},
    {Creator::kResponder, "responder"},
}};

constexpr Names<Senders, 4> kSenders{{
    {Senders::kBoth, "both"},
    {Senders::kInitiator, "initiator"},
    {Senders::kNone, "none"},
    {Senders::kResponder, "responder"},
}};

xml::Element encode_description(const RtpDescription& description) {
  xml::Element element = make_element(kDescriptionName, kRtpNamespace);
  element.set(kMediaName, to_string(description.media));
  set_optional_number(element, kMaxptimeName, description.maxptime);
  encode_formats(description, element);
  if (description.rtcp_mux) {
    element.add(make_element(kRtcpMuxName, kRtpNamespace));
  }
  for (const Source& source : description.sources) {
    element.add(encode(source));
  }
  for (const SourceGroup& group : description.source_groups) {
    element.add(encode(group));
  }
  return element;
}

Result<RtpDescription> decode_description(const xml::Element& element) {
  Reader reader(element);
  RtpDescription description{.media = reader.take(parse_media_type(reader.required(kMediaName))),
                             .maxptime = reader.optional_integer<std::uint32_t>(kMaxptimeName)};
  for (const xml::Element& child : element.children) {
    if (child.is(kRtcpMuxName, kRtpNamespace)) {
      description.rtcp_mux = true;
    } else if (is_source(child)) {
      description.sources.push_back(reader.take(decode_source(child)));
    } else if (is_source_group(child)) {
      description.source_groups.push_back(reader.take(decode_source_group(child)));
    } else {
      decode_format_child(child, description, reader);
    }
  }
  return reader.finish(std::move(description));
}

}  // namespace

xml::Element encode_content(const Content& content) {
  xml::Element element = make_element(kContentName, kJingleNamespace);
  if (content.creator) {
    element.set(kCreatorName, name_of(kCreators, *content.creator));
  }
  element.set(kNameName, content.name);
  if (content.senders) {
    element.set(kSendersName, name_of(kSenders, *content.senders));
  }
  if (content.initial_last_n) {
    element.add(encode_initial_last_n(*content.initial_last_n));
  }
  if (content.description) {
    element.add(encode_description(*content.description));
  }
  if (content.transport) {
    element.add(encode(*content.transport));
  }
  return element;
}

Result<Content> decode_content(const xml::Element& element) {
  Reader reader(element);
  Content content{.creator = reader.optional_enum(kCreators, kCreatorName),
                  .name = reader.required(kNameName),
                  .senders = reader.optional_enum(kSenders, kSendersName)};
  std::vector<Source> direct_sources;
  for (const xml::Element& child : element.children) {
    if (child.is(kDescriptionName, kRtpNamespace)) {
      content.description = reader.take(decode_description(child));
    } else if (is_ice_udp_transport(child)) {
      content.transport = reader.take(decode_ice_udp_transport(child));
    } else if (is_initial_last_n(child)) {
      content.initial_last_n = reader.take(decode_initial_last_n(child));
    } else if (is_source(child)) {
      direct_sources.push_back(reader.take(decode_source(child)));
    }
  }
  if (!direct_sources.empty()) {
    if (!content.description) {
      content.description = RtpDescription{.media = reader.take(parse_media_type(content.name))};
    }
    std::move(direct_sources.begin(), direct_sources.end(),
              std::back_inserter(content.description->sources));
  }
  return reader.finish(std::move(content));
}

EndpointSources collect_sources(const std::vector<Content>& contents) {
  EndpointSources collected;
  const auto append = [](const auto& from, auto& to) {
    to.insert(to.end(), from.begin(), from.end());
  };
  for (const Content& content : contents) {
    if (!content.description) {
      continue;
    }
    const RtpDescription& description = *content.description;
    if (description.media == MediaType::kAudio) {
      append(description.sources, collected.audio);
      append(description.source_groups, collected.audio_groups);
    } else if (description.media == MediaType::kVideo) {
      append(description.sources, collected.video);
      append(description.source_groups, collected.video_groups);
    }
  }
  return collected;
}

std::vector<Content> make_source_contents(const SourceMap& sources) {
  RtpDescription audio{.media = MediaType::kAudio};
  RtpDescription video{.media = MediaType::kVideo};
  const auto append = [](const EndpointId& owner, const std::vector<Source>& from,
                         const std::vector<SourceGroup>& groups, RtpDescription& to) {
    for (Source source : from) {
      source.owner = owner.value();
      to.sources.push_back(std::move(source));
    }
    to.source_groups.insert(to.source_groups.end(), groups.begin(), groups.end());
  };
  for (const auto& [owner, owned] : sources) {
    append(owner, owned.audio, owned.audio_groups, audio);
    append(owner, owned.video, owned.video_groups, video);
  }
  std::vector<Content> contents;
  for (RtpDescription* description : {&audio, &video}) {
    if (!description->sources.empty() || !description->source_groups.empty()) {
      contents.push_back(Content{.name = std::string(to_string(description->media)),
                                 .description = std::move(*description)});
    }
  }
  return contents;
}

}  // namespace bascule::proto
