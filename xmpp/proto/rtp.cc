#include "xmpp/proto/rtp.h"

#include "xmpp/proto/codec.h"
#include "xmpp/proto/rtp_description_parts.h"

namespace bascule::proto {
namespace {

constexpr std::string_view kPayloadTypeName = "payload-type";
constexpr std::string_view kParameterName = "parameter";
constexpr std::string_view kFeedbackName = "rtcp-fb";
constexpr std::string_view kHeaderExtensionName = "rtp-hdrext";
constexpr std::string_view kExtmapAllowMixedName = "extmap-allow-mixed";
constexpr std::string_view kIdName = "id";
constexpr std::string_view kNameName = "name";
constexpr std::string_view kValueName = "value";
constexpr std::string_view kClockrateName = "clockrate";
constexpr std::string_view kChannelsName = "channels";
constexpr std::string_view kTypeName = "type";
constexpr std::string_view kSubtypeName = "subtype";
constexpr std::string_view kUriName = "uri";
constexpr std::string_view kSendersName = "senders";

constexpr std::uint8_t kPayloadTypeMax = 127;        // RFC 3550 5.1: seven bits.
constexpr std::uint16_t kHeaderExtensionMin = 1;     // RFC 8285 4.2: 0 is padding.
constexpr std::uint16_t kHeaderExtensionMax = 4351;  // RFC 8285 5.

constexpr Names<MediaType, 8> kMediaTypes{{
    {MediaType::kAudio, "audio"},
    {MediaType::kVideo, "video"},
    {MediaType::kText, "text"},
    {MediaType::kApplication, "application"},
    {MediaType::kMessage, "message"},
    {MediaType::kImage, "image"},
    {MediaType::kControl, "control"},
    {MediaType::kData, "data"},
}};

}  // namespace

std::string_view to_string(MediaType type) {
  return name_of(kMediaTypes, type);
}

Result<MediaType> parse_media_type(std::string_view text) {
  const auto type = value_of(kMediaTypes, to_lower(text));
  if (!type) {
    return fail(Errc::kMalformed, "unknown media type");
  }
  return *type;
}

xml::Element make_extmap_allow_mixed() {
  return make_element(kExtmapAllowMixedName, kRtpHeaderNamespace);
}

bool is_payload_type(const xml::Element& element) {
  return element.is(kPayloadTypeName, kRtpNamespace);
}

bool is_rtp_header_extension(const xml::Element& element) {
  return element.is(kHeaderExtensionName, kRtpHeaderNamespace);
}

bool is_extmap_allow_mixed(const xml::Element& element) {
  return element.is(kExtmapAllowMixedName, kRtpHeaderNamespace);
}

xml::Element encode(const PayloadType& payload_type) {
  xml::Element element = make_element(kPayloadTypeName, kRtpNamespace);
  set_number(element, kIdName, payload_type.id);
  set_optional(element, kNameName, payload_type.name);
  set_optional_number(element, kClockrateName, payload_type.clockrate);
  set_optional_number(element, kChannelsName, payload_type.channels);
  for (const PayloadParameter& parameter : payload_type.parameters) {
    xml::Element& child = element.add(make_element(kParameterName, kRtpNamespace));
    set_optional(child, kNameName, parameter.name);
    child.set(kValueName, parameter.value);
  }
  for (const RtcpFeedback& feedback : payload_type.feedback) {
    xml::Element& child = element.add(make_element(kFeedbackName, kRtpFeedbackNamespace));
    child.set(kTypeName, feedback.type);
    set_optional(child, kSubtypeName, feedback.subtype);
  }
  return element;
}

xml::Element encode(const RtpHeaderExtension& extension) {
  xml::Element element = make_element(kHeaderExtensionName, kRtpHeaderNamespace);
  set_number(element, kIdName, extension.id);
  element.set(kUriName, extension.uri);
  set_optional(element, kSendersName, extension.senders);
  return element;
}

Result<PayloadType> decode_payload_type(const xml::Element& element) {
  Reader reader(element);
  reader.expect(kPayloadTypeName, kRtpNamespace);
  PayloadType payload_type{
      .id = reader.required_integer<std::uint8_t>(kIdName, {.min = 0, .max = kPayloadTypeMax}),
      .name = optional_text(element, kNameName),
      .clockrate = reader.optional_integer<std::uint32_t>(kClockrateName),
      .channels = reader.optional_integer<std::uint32_t>(kChannelsName)};
  for (const xml::Element& child : element.children) {
    if (child.is(kParameterName, kRtpNamespace)) {
      payload_type.parameters.push_back(
          {.name = optional_text(child, kNameName),
           .value = std::string(child.attribute_or_empty(kValueName))});
    } else if (child.is(kFeedbackName, kRtpFeedbackNamespace)) {
      Reader feedback(child);
      RtcpFeedback decoded{.type = feedback.required(kTypeName),
                           .subtype = optional_text(child, kSubtypeName)};
      payload_type.feedback.push_back(reader.take(feedback.finish(std::move(decoded))));
    }
  }
  return reader.finish(std::move(payload_type));
}

Result<RtpHeaderExtension> decode_rtp_header_extension(const xml::Element& element) {
  Reader reader(element);
  reader.expect(kHeaderExtensionName, kRtpHeaderNamespace);
  RtpHeaderExtension extension{
      .id = reader.required_integer<std::uint16_t>(
          kIdName, {.min = kHeaderExtensionMin, .max = kHeaderExtensionMax}),
      .uri = reader.required(kUriName),
      .senders = optional_text(element, kSendersName)};
  return reader.finish(std::move(extension));
}

}  // namespace bascule::proto
