#pragma once

// XEP-0167 (RTP sessions), XEP-0293 (feedback), XEP-0294 (header extensions), as shared by Jingle
// and colibri2.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "xmpp/xml/element.h"

namespace bascule::proto {

inline constexpr std::string_view kRtpNamespace = "urn:xmpp:jingle:apps:rtp:1";
inline constexpr std::string_view kRtpFeedbackNamespace = "urn:xmpp:jingle:apps:rtp:rtcp-fb:0";
inline constexpr std::string_view kRtpHeaderNamespace = "urn:xmpp:jingle:apps:rtp:rtp-hdrext:0";

/// jitsi-utils: MediaType.kt. The focus uses kAudio, kVideo and kApplication (data channels).
enum class MediaType { kAudio, kVideo, kText, kApplication, kMessage, kImage, kControl, kData };

std::string_view to_string(MediaType type);
/// Case-insensitive, as the reference reads it. Errors: kMalformed for any other word.
Result<MediaType> parse_media_type(std::string_view text);

struct PayloadParameter {
  std::optional<std::string> name;  ///< Absent for RED: the value alone is the fmtp line.
  std::string value;
  friend bool operator==(const PayloadParameter&, const PayloadParameter&) = default;
};

struct RtcpFeedback {
  std::string type;
  std::optional<std::string> subtype;
  friend bool operator==(const RtcpFeedback&, const RtcpFeedback&) = default;
};

struct PayloadType {
  std::uint8_t id = 0;  ///< 0 to 127.
  std::optional<std::string> name;
  std::optional<std::uint32_t> clockrate;
  std::optional<std::uint32_t> channels;
  std::vector<PayloadParameter> parameters;
  std::vector<RtcpFeedback> feedback;
  friend bool operator==(const PayloadType&, const PayloadType&) = default;
};

struct RtpHeaderExtension {
  std::uint16_t id = 0;  ///< 1 to 255, or 4096 to 4351 (RFC 8285 5) before an answer.
  std::string uri;
  std::optional<std::string> senders;
  friend bool operator==(const RtpHeaderExtension&, const RtpHeaderExtension&) = default;
};

xml::Element encode(const PayloadType& payload_type);
xml::Element encode(const RtpHeaderExtension& extension);
/// Errors: kMalformed when the id is missing or out of range, or a number is none.
Result<PayloadType> decode_payload_type(const xml::Element& element);
Result<RtpHeaderExtension> decode_rtp_header_extension(const xml::Element& element);

}  // namespace bascule::proto
