#include "xmpp/proto/source.h"

#include <cstdint>
#include <limits>

#include "xmpp/proto/codec.h"
#include "xmpp/proto/rtp.h"

namespace bascule::proto {
namespace {

constexpr std::string_view kSourceName = "source";
constexpr std::string_view kGroupName = "ssrc-group";
constexpr std::string_view kSsrcName = "ssrc";
constexpr std::string_view kNameName = "name";
constexpr std::string_view kVideoTypeName = "videoType";
constexpr std::string_view kRidName = "rid";
constexpr std::string_view kInjectedName = "injected";
constexpr std::string_view kSemanticsName = "semantics";
constexpr std::string_view kParameterName = "parameter";
constexpr std::string_view kValueName = "value";
constexpr std::string_view kMsidParameter = "msid";
constexpr std::string_view kSsrcInfoName = "ssrc-info";
constexpr std::string_view kOwnerName = "owner";
/// lib-jitsi-meet defines it for screen sharing at a high frame rate.
constexpr std::string_view kDesktopHighFps = "desktop_high_fps";

constexpr Names<VideoType, 2> kVideoTypes{{
    {VideoType::kCamera, "camera"},
    {VideoType::kDesktop, "desktop"},
}};

constexpr Names<GroupSemantics, 3> kSemantics{{
    {GroupSemantics::kSim, "SIM"},
    {GroupSemantics::kFid, "FID"},
    {GroupSemantics::kFecFr, "FEC-FR"},
}};

/// A number out of range is refused in the words of Jicofo; one that is missing reads as -1 there.
Ssrc read_ssrc(const xml::Element& element, Reader& reader) {
  const std::string_view text = element.attribute(kSsrcName).value_or("-1");
  const auto value = parse_integer<std::int64_t>(text);
  if (value && *value >= 1 && *value <= std::numeric_limits<std::uint32_t>::max()) {
    return Ssrc(static_cast<std::uint32_t>(*value));
  }
  reader.reject(value ? "Invalid SSRC: " + std::to_string(*value) + "." : "ssrc is not a number");
  return Ssrc(1);
}

bool is_parameter(const xml::Element& element) {
  // Clients leave the namespace out, which puts it into that of <source/>.
  return element.is(kParameterName, kRtpNamespace) || element.is(kParameterName, kSourceNamespace);
}

}  // namespace

std::string_view to_string(VideoType type) {
  return name_of(kVideoTypes, type);
}

std::string_view to_string(GroupSemantics semantics) {
  return name_of(kSemantics, semantics);
}

Result<VideoType> parse_video_type(std::string_view text) {
  const std::string lower = to_lower(text);
  if (lower == kDesktopHighFps) {
    return VideoType::kDesktop;
  }
  const auto type = value_of(kVideoTypes, lower);
  if (!type) {
    return fail(Errc::kMalformed, "unknown video type");
  }
  return *type;
}

bool is_source(const xml::Element& element) {
  return element.is(kSourceName, kSourceNamespace);
}

bool is_source_group(const xml::Element& element) {
  return element.is(kGroupName, kSourceNamespace);
}

xml::Element encode(const Source& source) {
  xml::Element element = make_element(kSourceName, kSourceNamespace);
  set_number(element, kSsrcName, source.ssrc.value());
  set_optional(element, kNameName, source.name);
  if (source.video_type) {
    element.set(kVideoTypeName, to_string(*source.video_type));
  }
  set_optional(element, kRidName, source.rid);
  set_flag(element, kInjectedName, source.injected);
  if (source.owner) {
    element.add(make_element(kSsrcInfoName, kJitsiMeetNamespace)).set(kOwnerName, *source.owner);
  }
  if (source.msid) {
    element.add(make_element(kParameterName, kRtpNamespace))
        .set(kNameName, kMsidParameter)
        .set(kValueName, *source.msid);
  }
  return element;
}

xml::Element encode(const SourceGroup& group) {
  xml::Element element = make_element(kGroupName, kSourceNamespace);
  element.set(kSemanticsName, to_string(group.semantics));
  for (const Ssrc ssrc : group.ssrcs) {
    set_number(element.add(make_element(kSourceName, kSourceNamespace)), kSsrcName, ssrc.value());
  }
  return element;
}

Result<Source> decode_source(const xml::Element& source) {
  Reader reader(source);
  reader.expect(kSourceName, kSourceNamespace);
  Source decoded{.ssrc = read_ssrc(source, reader),
                 .name = optional_text(source, kNameName),
                 .rid = optional_text(source, kRidName),
                 .injected = reader.flag(kInjectedName)};
  if (const auto video_type = source.attribute(kVideoTypeName)) {
    decoded.video_type = reader.take(parse_video_type(*video_type));
  }
  for (const xml::Element& child : source.children) {
    if (child.is(kSsrcInfoName, kJitsiMeetNamespace)) {
      decoded.owner = optional_text(child, kOwnerName);
    } else if (!decoded.msid && is_parameter(child) &&
               child.attribute(kNameName) == kMsidParameter) {
      decoded.msid = optional_text(child, kValueName);
    }
  }
  return reader.finish(std::move(decoded));
}

Result<SourceGroup> decode_source_group(const xml::Element& group) {
  Reader reader(group);
  reader.expect(kGroupName, kSourceNamespace);
  SourceGroup decoded;
  std::string semantics = reader.required(kSemanticsName);
  for (char& c : semantics) {
    c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  const auto known = value_of(kSemantics, semantics);
  if (!known) {
    reader.reject("unknown group semantics");
  }
  decoded.semantics = known.value_or(GroupSemantics::kSim);
  for (const xml::Element& child : group.children) {
    if (is_source(child)) {
      Reader ssrc_reader(child);
      const std::uint32_t ssrc = read_ssrc(child, ssrc_reader).value();
      decoded.ssrcs.emplace_back(reader.take(ssrc_reader.finish(ssrc)));
    }
  }
  return reader.finish(std::move(decoded));
}

}  // namespace bascule::proto
