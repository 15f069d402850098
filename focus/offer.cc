#include "focus/offer.h"

#include <algorithm>
#include <utility>

#include "focus/source_filter.h"
#include "xmpp/proto/jitsi_meet_json.h"

namespace bascule::focus {
namespace {

using proto::Content;
using proto::MediaType;
using proto::PayloadType;
using proto::RtpDescription;

constexpr std::uint32_t kVideoClockrate = 90'000;
constexpr std::uint32_t kOpusClockrate = 48'000;
constexpr std::uint32_t kTelephoneEventClockrate = 8'000;
constexpr std::uint32_t kAudioMaxPacketTimeMs = 60;
constexpr std::uint32_t kSctpStreams = 1024;
constexpr std::string_view kFeedbackOwner = "jvb";
/// Several assignments in one value: clients join parameters with ';' into one fmtp line.
constexpr std::string_view kH264Profile = "42e01f;level-asymmetry-allowed=1;packetization-mode=1;";

/// The choices of one participant: options narrowed by its features.
struct Choices {
  bool rtx;
  bool red;
  bool transport_cc;
  bool remb;
};

Choices make_choices(const OfferOptions& options, Features features) {
  const bool wants_transport_cc = features.has(Feature::kTransportCc);
  return {.rtx = features.has(Feature::kRtx),
          .red = options.opus.red && features.has(Feature::kOpusRed),
          .transport_cc = wants_transport_cc && options.transport_cc.enabled,
          .remb = !wants_transport_cc && features.has(Feature::kRemb)};
}

void add_extension(RtpDescription& description, const HeaderExtensionOptions& extension,
                   std::string_view uri) {
  if (extension.enabled) {
    description.header_extensions.push_back({.id = extension.id, .uri = std::string(uri)});
  }
}

void add_transport_cc(RtpDescription& description, const OfferOptions& options, Choices choices) {
  if (choices.transport_cc) {
    add_extension(description, options.transport_cc,
                  "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01");
  }
}

void add_mid(RtpDescription& description, const OfferOptions& options) {
  add_extension(description, options.mid, "urn:ietf:params:rtp-hdrext:sdes:mid");
}

PayloadType make_red(const OpusOptions& opus) {
  const std::string payload_type = std::to_string(opus.payload_type);
  return {.id = opus.red_payload_type,
          .name = "red",
          .clockrate = kOpusClockrate,
          .channels = 2,
          .parameters = {{.value = payload_type + "/" + payload_type}}};
}

PayloadType make_opus(const OpusOptions& opus, Choices choices) {
  PayloadType payload_type{
      .id = opus.payload_type, .name = "opus", .clockrate = kOpusClockrate, .channels = 2};
  payload_type.parameters.push_back(
      {.name = "minptime", .value = std::to_string(opus.min_packet_time_ms)});
  // Jicofo decides by its configuration, not by this participant: the room shall be of one kind.
  if (opus.in_band_fec && !opus.red) {
    payload_type.parameters.push_back({.name = "useinbandfec", .value = "1"});
  }
  if (choices.transport_cc) {
    payload_type.feedback.push_back({.type = "transport-cc"});
  }
  return payload_type;
}

RtpDescription make_audio(const OfferOptions& options, Choices choices) {
  RtpDescription audio{.media = MediaType::kAudio, .maxptime = kAudioMaxPacketTimeMs};
  if (options.opus.enabled && choices.red) {
    // First, so that a client that can selects it.
    audio.payload_types.push_back(make_red(options.opus));
  }
  if (options.opus.enabled) {
    audio.payload_types.push_back(make_opus(options.opus, choices));
  }
  if (options.telephone_event.enabled) {
    audio.payload_types.push_back({.id = options.telephone_event.payload_type,
                                   .name = "telephone-event",
                                   .clockrate = kTelephoneEventClockrate});
  }
  add_extension(audio, options.audio_level, "urn:ietf:params:rtp-hdrext:ssrc-audio-level");
  add_mid(audio, options);
  add_transport_cc(audio, options, choices);
  return audio;
}

bool is_offered(const VideoCodecOptions& codec) {
  return codec.enabled && codec.payload_type != 0;
}

void add_codec(RtpDescription& video, const VideoCodecOptions& codec, std::string_view name,
               Choices choices) {
  if (!is_offered(codec)) {
    return;
  }
  PayloadType payload_type{
      .id = codec.payload_type, .name = std::string(name), .clockrate = kVideoClockrate};
  payload_type.feedback = {
      {.type = "ccm", .subtype = "fir"}, {.type = "nack"}, {.type = "nack", .subtype = "pli"}};
  if (codec.remb && choices.remb) {
    payload_type.feedback.push_back({.type = "goog-remb"});
  }
  if (choices.transport_cc) {
    payload_type.feedback.push_back({.type = "transport-cc"});
  }
  video.payload_types.push_back(std::move(payload_type));
}

void add_rtx(RtpDescription& video, const VideoCodecOptions& codec, Choices choices) {
  if (!is_offered(codec) || codec.rtx_payload_type == 0 || !choices.rtx) {
    return;
  }
  PayloadType payload_type{
      .id = codec.rtx_payload_type, .name = "rtx", .clockrate = kVideoClockrate};
  payload_type.parameters.push_back({.name = "apt", .value = std::to_string(codec.payload_type)});
  payload_type.feedback = {
      {.type = "ccm", .subtype = "fir"}, {.type = "nack"}, {.type = "nack", .subtype = "pli"}};
  video.payload_types.push_back(std::move(payload_type));
}

void add_video_codecs(RtpDescription& video, const OfferOptions& options, Choices choices) {
  add_codec(video, options.av1, "AV1", choices);
  add_codec(video, options.vp8, "VP8", choices);
  add_codec(video, options.h264, "H264", choices);
  if (is_offered(options.h264)) {
    video.payload_types.back().parameters.push_back(
        {.name = "profile-level-id", .value = std::string(kH264Profile)});
  }
  add_codec(video, options.vp9, "VP9", choices);
  add_rtx(video, options.av1, choices);
  add_rtx(video, options.vp8, choices);
  add_rtx(video, options.vp9, choices);
  const std::size_t count = video.payload_types.size();
  add_rtx(video, options.h264, choices);
  if (video.payload_types.size() > count) {
    video.payload_types.back().feedback.clear();  // As Jicofo offers it, alone among the four.
  }
}

RtpDescription make_video(const OfferOptions& options, Choices choices) {
  RtpDescription video{.media = MediaType::kVideo};
  add_video_codecs(video, options, choices);
  add_extension(video, options.video_layers,
                "http://www.webrtc.org/experiments/rtp-hdrext/video-layers-allocation00");
  add_extension(video, options.av1_dependency,
                "https://aomediacodec.github.io/av1-rtp-spec/"
                "#dependency-descriptor-rtp-header-extension");
  add_extension(video, options.time_offset, "urn:ietf:params:rtp-hdrext:toffset");
  add_mid(video, options);
  add_extension(video, options.abs_send_time,
                "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time");
  add_extension(video, options.frame_marking,
                "http://tools.ietf.org/html/draft-ietf-avtext-framemarking-07");
  add_extension(video, options.content_type,
                "http://www.webrtc.org/experiments/rtp-hdrext/video-content-type");
  add_extension(video, options.rid, "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id");
  add_transport_cc(video, options, choices);
  return video;
}

Content make_content(std::string name, RtpDescription description, bool extmap_allow_mixed) {
  description.extmap_allow_mixed = extmap_allow_mixed;
  description.rtcp_mux = true;
  return {.creator = proto::Creator::kInitiator,
          .name = std::move(name),
          .senders = proto::Senders::kBoth,
          .description = std::move(description)};
}

/// As a client gets it: of a web socket only the address, of a fingerprint every attribute.
proto::IceUdpTransport make_offered_transport(const proto::IceUdpTransport& granted) {
  proto::IceUdpTransport transport = granted;
  transport.sctp_map.reset();
  std::erase_if(transport.web_sockets,
                [](const proto::WebSocket& web_socket) { return !web_socket.url; });
  for (proto::WebSocket& web_socket : transport.web_sockets) {
    web_socket.active = false;
  }
  for (proto::DtlsFingerprint& fingerprint : transport.fingerprints) {
    fingerprint.required = fingerprint.required.value_or(false);
    fingerprint.cryptex = fingerprint.cryptex.value_or(false);
  }
  return transport;
}

void add_transports(std::vector<Content>& contents, const Allocation& allocation) {
  const proto::IceUdpTransport transport = make_offered_transport(allocation.transport);
  for (Content& content : contents) {
    content.transport = transport;
    if (content.description->media == MediaType::kApplication && allocation.sctp_port) {
      content.transport->sctp_map = {.number = *allocation.sctp_port,
                                     .protocol = "webrtc-datachannel",
                                     .streams = kSctpStreams};
    }
  }
}

proto::SourceMap offered_sources(const OfferInput& input) {
  const SourceFilter filter = source_filter(input.options, input.features);
  proto::SourceMap offered;
  if (!uses_ssrc_rewriting(input.options, input.features)) {
    for (const auto& [owner, snapshot] : input.sources.owners()) {
      if (owner != input.endpoint) {
        offered.emplace(owner, filtered(snapshot.sources(), filter));
      }
    }
  }
  offered.insert_or_assign(EndpointId(std::string(kFeedbackOwner)),
                           filtered(input.allocation.feedback, filter));
  std::erase_if(offered, [](const auto& entry) { return entry.second.empty(); });
  return offered;
}

/// Puts the sources into the contents of their media type, behind what is there.
void merge_sources(std::vector<Content>& contents, const proto::SourceMap& sources) {
  for (Content& source_content : proto::make_source_contents(sources)) {
    for (Content& content : contents) {
      if (content.name == source_content.name) {
        content.description->sources = std::move(source_content.description->sources);
        content.description->source_groups = std::move(source_content.description->source_groups);
      }
    }
  }
}

}  // namespace

bool uses_ssrc_rewriting(const OfferOptions& options, Features features) {
  return options.ssrc_rewriting && features.has(Feature::kSsrcRewriting);
}

bool uses_rtp_mid_demux(const OfferOptions& options, Features features) {
  return uses_ssrc_rewriting(options, features) && options.rtp_mid_demux && options.mid.enabled &&
         features.has(Feature::kRtpMidDemux);
}

bool uses_json_sources(const OfferOptions& options, Features features) {
  return options.json_encoded_sources && features.has(Feature::kJsonSources);
}

bool offers_data(const OfferOptions& options, Features features) {
  return options.sctp && features.has(Feature::kSctp);
}

std::vector<Content> make_contents(const OfferOptions& options, Features features) {
  const Choices choices = make_choices(options, features);
  std::vector<Content> contents;
  if (features.has(Feature::kAudio)) {
    contents.push_back(
        make_content("audio", make_audio(options, choices), options.extmap_allow_mixed));
  }
  if (features.has(Feature::kVideo)) {
    contents.push_back(
        make_content("video", make_video(options, choices), options.extmap_allow_mixed));
  }
  if (offers_data(options, features)) {
    contents.push_back(make_content("data", {.media = MediaType::kApplication}, false));
  }
  return contents;
}

std::vector<proto::Media> make_colibri_media(const std::vector<Content>& contents) {
  std::vector<proto::Media> media;
  for (const Content& content : contents) {
    if (content.description && content.description->media != MediaType::kApplication) {
      media.push_back({.type = content.description->media,
                       .payload_types = content.description->payload_types,
                       .header_extensions = content.description->header_extensions,
                       .extmap_allow_mixed = content.description->extmap_allow_mixed});
    }
  }
  return media;
}

proto::Jingle make_session_initiate(const OfferInput& input) {
  proto::Jingle jingle{.action = proto::JingleAction::kSessionInitiate,
                       .sid = input.sid,
                       .initiator = input.initiator,
                       .contents = make_contents(input.options, input.features)};
  add_transports(jingle.contents, input.allocation);
  const proto::SourceMap sources = offered_sources(input);
  if (uses_json_sources(input.options, input.features)) {
    jingle.json_message = proto::JsonMessage{proto::encode_sources_json(sources)};
  } else {
    merge_sources(jingle.contents, sources);
  }
  jingle.group = proto::ContentGroup{.semantics = "BUNDLE"};
  for (const Content& content : jingle.contents) {
    jingle.group->contents.push_back(content.name);
  }
  if (input.start_muted.audio || input.start_muted.video) {
    jingle.start_muted = input.start_muted;
  }
  jingle.bridge_session =
      proto::BridgeSession{.id = input.bridge_session_id, .region = input.bridge_region};
  return jingle;
}

bool starts_muted(const StartMutedInput& input) {
  const std::size_t unmuted_max =
      std::min(input.senders_max, input.start_muted_after.value_or(input.senders_max));
  return (input.room_policy && input.just_joined) || input.participants > unmuted_max ||
         input.force_muted;
}

proto::Jingle make_session_terminate(std::string sid, proto::ReasonCondition reason,
                                     std::string text) {
  proto::Jingle jingle{.action = proto::JingleAction::kSessionTerminate, .sid = std::move(sid)};
  jingle.reason = proto::JingleReason{.condition = reason, .text = std::move(text)};
  return jingle;
}

}  // namespace bascule::focus
