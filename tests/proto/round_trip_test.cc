// Generated values of the large protocols: decode(parse(write(encode(value)))) must be the value.

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/prng.h"
#include "xmpp/proto/message.h"
#include "xmpp/proto/muc.h"
#include "xmpp/proto/request.h"
#include "xmpp/xml/parser.h"
#include "xmpp/xml/writer.h"

namespace bascule::proto {
namespace {

constexpr int kRounds = 400;

class Generator {
 public:
  explicit Generator(std::uint64_t seed) : prng_(seed) {}

  bool coin() { return prng_.below(2) == 0; }
  std::uint64_t below(std::uint64_t n) { return prng_.below(n); }

  /// Text with everything that needs escaping; no blank text, since some fields read it as absent.
  std::string text() {
    static constexpr std::string_view kPieces[] = {
        "a",  "Z",  "0",  "<",  ">",   "&",        "'",
        "\"", "\n", "\t", "\r", "]]>", "\xC3\xA9", "\xF0\x9F\x98\x80"};
    std::string result = "t";
    for (std::uint64_t i = below(6); i > 0; --i) {
      result += kPieces[below(std::size(kPieces))];
    }
    return result + "e";
  }
  std::string word() { return "w" + std::to_string(below(1000)); }
  Jid jid() { return *Jid::parse(word() + "@" + word() + ".test" + (coin() ? "/" + word() : "")); }
  Ssrc ssrc() { return Ssrc(static_cast<std::uint32_t>(1 + below(4294967295U))); }

  template <class Make>
  auto maybe(Make make) -> std::optional<decltype(make())> {
    return coin() ? std::optional<decltype(make())>(make()) : std::nullopt;
  }
  std::optional<std::string> maybe_text() {
    return maybe([this] { return text(); });
  }
  template <class Make>
  auto some(Make make) -> std::vector<decltype(make())> {
    std::vector<decltype(make())> values;
    for (std::uint64_t i = below(4); i > 0; --i) {
      values.push_back(make());
    }
    return values;
  }
  template <class Enum>
  Enum any_up_to(Enum last) {
    return static_cast<Enum>(below(static_cast<std::uint64_t>(last) + 1));
  }

  PayloadType payload_type() {
    return {
        .id = static_cast<std::uint8_t>(below(128)),
        .name = maybe_text(),
        .clockrate = maybe([this] { return static_cast<std::uint32_t>(below(96000)); }),
        .channels = maybe([this] { return static_cast<std::uint32_t>(below(3)); }),
        .parameters =
            some([this] { return PayloadParameter{.name = maybe_text(), .value = text()}; }),
        .feedback = some([this] { return RtcpFeedback{.type = text(), .subtype = maybe_text()}; })};
  }
  RtpHeaderExtension extension() {
    return {
        .id = static_cast<std::uint16_t>(1 + below(4351)), .uri = text(), .senders = maybe_text()};
  }
  Source source() {
    return {.ssrc = ssrc(),
            .name = maybe_text(),
            .video_type = maybe([this] { return any_up_to(VideoType::kDesktop); }),
            .rid = maybe_text(),
            .msid = maybe_text(),
            .owner = maybe_text(),
            .injected = coin()};
  }
  SourceGroup group() {
    return {.semantics = any_up_to(GroupSemantics::kFecFr),
            .ssrcs = some([this] { return ssrc(); })};
  }
  IceCandidate candidate() {
    return {.component = static_cast<std::uint32_t>(1 + below(256)),
            .foundation = text(),
            .generation = maybe([this] { return static_cast<std::uint32_t>(below(9)); }),
            .id = maybe_text(),
            .ip = text(),
            .network = maybe([this] { return static_cast<std::uint32_t>(below(9)); }),
            .port = static_cast<std::uint16_t>(below(65536)),
            .priority = static_cast<std::uint32_t>(below(4294967296U)),
            .protocol = text(),
            .type = any_up_to(CandidateType::kRelayed),
            .rel_addr = maybe_text(),
            .rel_port = maybe([this] { return static_cast<std::uint16_t>(below(65536)); }),
            .tcptype = maybe_text()};
  }
  IceUdpTransport ice_udp() {
    return {
        .ufrag = maybe_text(),
        .pwd = maybe_text(),
        .ice_generation = maybe([this] { return static_cast<std::uint32_t>(below(99)); }),
        .rtcp_mux = coin(),
        .web_sockets = some([this] { return WebSocket{.url = maybe_text(), .active = coin()}; }),
        .fingerprints = some([this] {
          return DtlsFingerprint{.hash = text(),
                                 .setup = maybe([this] { return any_up_to(DtlsSetup::kHoldconn); }),
                                 .required = maybe([this] { return coin(); }),
                                 .cryptex = maybe([this] { return coin(); }),
                                 .value = text()};
        }),
        .sctp_map = maybe([this] {
          return SctpMap{
              .number = static_cast<std::uint16_t>(below(65536)),
              .protocol = text(),
              .streams = maybe([this] { return static_cast<std::uint32_t>(below(2000)); })};
        }),
        .candidates = some([this] { return candidate(); })};
  }

  Content content() {
    Content content{.creator = maybe([this] { return any_up_to(Creator::kResponder); }),
                    .name = text(),
                    .senders = maybe([this] { return any_up_to(Senders::kResponder); }),
                    .transport = maybe([this] { return ice_udp(); }),
                    .initial_last_n = maybe([this] { return static_cast<int>(below(99)) - 1; })};
    if (coin()) {
      content.description = RtpDescription{
          .media = any_up_to(MediaType::kData),
          .maxptime = maybe([this] { return static_cast<std::uint32_t>(below(99)); }),
          .payload_types = some([this] { return payload_type(); }),
          .header_extensions = some([this] { return extension(); }),
          .extmap_allow_mixed = coin(),
          .rtcp_mux = coin(),
          .sources = some([this] { return source(); }),
          .source_groups = some([this] { return group(); })};
    }
    return content;
  }
  Jingle jingle() {
    Jingle jingle{
        .action = any_up_to(JingleAction::kTransportReplace),
        .sid = text(),
        .initiator = maybe([this] { return jid(); }),
        .responder = maybe([this] { return jid(); }),
        .contents = some([this] { return content(); }),
        .group = maybe([this] {
          return ContentGroup{.semantics = text(), .contents = some([this] { return text(); })};
        }),
        .start_muted = maybe([this] { return StartMuted{.audio = coin(), .video = coin()}; }),
        .bridge_session = maybe([this] {
          return BridgeSession{
              .id = maybe_text(), .region = maybe_text(), .restart = coin(), .ice_restart = coin()};
        }),
        .json_message = maybe([this] { return JsonMessage{.json = text()}; }),
        .ice_state = maybe([] { return std::string("failed"); }),
        .reason = maybe([this] {
          return JingleReason{.condition = any_up_to(ReasonCondition::kUnsupportedTransports),
                              .text = coin() ? text() : ""};
        })};
    if (jingle.action == JingleAction::kUnknown) {
      jingle.unknown_action = text();
    }
    return jingle;
  }

  MediaType audio_or_video() { return coin() ? MediaType::kAudio : MediaType::kVideo; }
  Media media() {
    return {.type = audio_or_video(),
            .payload_types = some([this] { return payload_type(); }),
            .header_extensions = some([this] { return extension(); }),
            .extmap_allow_mixed = coin()};
  }
  Transport transport() {
    return {.ice_controlling = coin(),
            .use_unique_port = coin(),
            .ice_restart = coin(),
            .ice_udp = maybe([this] { return ice_udp(); }),
            .sctp = maybe([this] {
              return Sctp{
                  .role = maybe([this] { return any_up_to(SctpRole::kServer); }),
                  .port = maybe([this] { return static_cast<std::uint16_t>(below(65536)); })};
            })};
  }
  Sources sources() {
    return {.media_sources = some([this] {
              return MediaSource{.type = audio_or_video(),
                                 .id = text(),
                                 .synthetic = coin(),
                                 .sources = some([this] { return source(); }),
                                 .source_groups = some([this] { return group(); })};
            })};
  }
  Endpoint endpoint() {
    return {.id = text(),
            .create = coin(),
            .expire = coin(),
            .stats_id = maybe_text(),
            .muc_role = maybe([this] { return any_up_to(EndpointRole::kVisitor); }),
            .diarize = coin(),
            .media = some([this] { return media(); }),
            .transport = maybe([this] { return transport(); }),
            .sources = maybe([this] { return sources(); }),
            .force_mute = maybe([this] { return ForceMute{.audio = coin(), .video = coin()}; }),
            .capabilities = some([this] { return text(); }),
            .initial_last_n = maybe([this] { return static_cast<int>(below(99)); })};
  }
  Relay relay() {
    return {.id = text(),
            .mesh_id = maybe_text(),
            .create = coin(),
            .expire = coin(),
            .media = some([this] { return media(); }),
            .transport = maybe([this] { return transport(); }),
            .endpoints = some([this] { return endpoint(); })};
  }
  ConferenceModify modify() {
    return {.meeting_id = text(),
            .name = maybe_text(),
            .create = coin(),
            .expire = coin(),
            .rtcstats_enabled = coin(),
            .endpoints = some([this] { return endpoint(); }),
            .relays = some([this] { return relay(); })};
  }

  StanzaError error() {
    StanzaError error = make_error(any_up_to(Condition::kUnexpectedRequest), coin() ? text() : "");
    error.type = any_up_to(ErrorType::kWait);
    error.by = maybe_text();
    error.application = some([this] {
      return xml::Element{.name = word(), .ns = "urn:test:" + word(), .text = text()};
    });
    return error;
  }
  std::map<std::string, std::string> map() {
    std::map<std::string, std::string> map;
    for (std::uint64_t i = below(4); i > 0; --i) {
      map[text()] = text();
    }
    return map;
  }
  MucPresence presence() {
    MucPresence presence{
        .from = coin() ? jid() : Jid(),
        .to = coin() ? jid() : Jid(),
        .id = maybe_text(),
        .type = any_up_to(PresenceType::kError),
        .join = maybe([this] {
          return MucJoin{.password = maybe_text(),
                         .history_max_stanzas = maybe([this] { return int(below(9)); })};
        }),
        .statuses = some([this] { return static_cast<int>(100 + below(900)); }),
        .items = some([this] {
          return MucItem{.affiliation = any_up_to(Affiliation::kOwner),
                         .role = any_up_to(Role::kModerator),
                         .jid = maybe([this] { return jid(); }),
                         .nick = maybe_text(),
                         .reason = maybe_text(),
                         .actor = maybe_text()};
        }),
        .destroy = maybe([this] {
          return MucDestroyed{.reason = maybe_text(), .alternate = maybe([this] { return jid(); })};
        }),
        .caps = maybe([this] { return Caps{.node = text(), .ver = text(), .hash = text()}; }),
        .participant = {.nick = maybe_text(),
                        .stats_id = maybe_text(),
                        .region = maybe_text(),
                        .codec_list = maybe_text(),
                        .codec_type = maybe_text(),
                        .diarize = maybe([this] { return coin(); }),
                        .audio_muted = maybe([this] { return coin(); }),
                        .video_muted = maybe([this] { return coin(); }),
                        .source_info = maybe_text(),
                        .features = maybe([this] {
                          return std::set<std::string>{text(), text()};
                        }),
                        .robot = maybe([this] { return coin(); }),
                        .status = maybe_text()},
        .focus = {.etherpad = maybe_text(),
                  .versions = map(),
                  .conference_properties = map(),
                  .bridge_not_available = coin()},
        .colibri_stats = maybe([this] { return ColibriStats{.values = map()}; })};
    if (presence.type == PresenceType::kError) {
      presence.error = error();
    }
    return presence;
  }
  Message message() {
    Message message{.from = coin() ? jid() : Jid(),
                    .to = coin() ? jid() : Jid(),
                    .id = maybe_text(),
                    .type = any_up_to(MessageType::kError),
                    .body = maybe_text(),
                    .subject = maybe_text(),
                    .json_message = maybe([this] { return JsonMessage{.json = text()}; }),
                    .statuses = some([this] { return static_cast<int>(100 + below(900)); })};
    if (coin()) {
      PubsubItemsPublished items{.items = some([this] {
                                   return PubsubItem{.id = maybe_text(),
                                                     .publisher = maybe_text(),
                                                     .payload = ColibriStats{.values = map()}};
                                 }),
                                 .retracted = some([this] { return text(); })};
      message.pubsub_event = PubsubEvent{.node = text(), .what = std::move(items)};
    }
    if (message.type == MessageType::kError) {
      message.error = error();
    }
    return message;
  }
  ConferenceRequest conference_request() {
    return {.room = RoomJid(jid().bare()),
            .machine_uid = maybe_text(),
            .session_id = maybe_text(),
            .token = maybe_text(),
            .properties = map()};
  }

 private:
  Prng prng_;
};

/// Through text, as between two programs.
xml::Element transmitted(const xml::Element& element) {
  auto read = xml::parse(xml::to_string(element), {.bytes = 10'000'000, .elements = 1'000'000});
  EXPECT_TRUE(read.has_value()) << xml::to_string(element);
  EXPECT_EQ(*read, element);
  return read ? std::move(*read) : xml::Element{};
}

TEST(RoundTrip, Requests) {
  Generator generate(1);
  for (int i = 0; i < kRounds; ++i) {
    const std::vector<Request> requests{generate.jingle(), generate.modify(),
                                        generate.conference_request()};
    for (const Request& request : requests) {
      EncodedRequest encoded = encode_request(request);
      const xml::Element iq =
          encode_iq({.id = "1", .type = encoded.type}, std::move(encoded.payload));
      const auto decoded = decode_request(transmitted(iq));
      ASSERT_TRUE(decoded.has_value()) << decoded.error().what << xml::to_string(iq);
      ASSERT_TRUE(*decoded == request) << xml::to_string(iq);
    }
  }
}

TEST(RoundTrip, ConferenceModified) {
  Generator generate(2);
  for (int i = 0; i < kRounds; ++i) {
    const ConferenceModify modify = generate.modify();
    ConferenceModified value{.endpoints = modify.endpoints, .relays = modify.relays};
    if (generate.coin()) {
      value.sources = generate.sources();
    }
    const auto decoded = decode_conference_modified(transmitted(encode(value)));
    ASSERT_TRUE(decoded.has_value()) << decoded.error().what;
    ASSERT_TRUE(*decoded == value);
  }
}

TEST(RoundTrip, Presence) {
  Generator generate(3);
  for (int i = 0; i < kRounds; ++i) {
    const MucPresence value = generate.presence();
    const auto decoded = decode_muc_presence(transmitted(encode(value)));
    ASSERT_TRUE(decoded.has_value()) << decoded.error().what << xml::to_string(encode(value));
    ASSERT_TRUE(*decoded == value) << xml::to_string(encode(value));
  }
}

TEST(RoundTrip, Messages) {
  Generator generate(4);
  for (int i = 0; i < kRounds; ++i) {
    const Message value = generate.message();
    const auto decoded = decode_message(transmitted(encode(value)));
    ASSERT_TRUE(decoded.has_value()) << decoded.error().what << xml::to_string(encode(value));
    ASSERT_TRUE(*decoded == value) << xml::to_string(encode(value));
  }
}

TEST(RoundTrip, CompactSources) {
  Generator generate(5);
  for (int i = 0; i < kRounds; ++i) {
    SourceMap map;
    const auto source = [&](bool is_video) {
      Source value{
          .ssrc = generate.ssrc(), .name = generate.maybe_text(), .msid = generate.maybe_text()};
      if (is_video) {
        value.video_type = generate.any_up_to(VideoType::kDesktop);
      }
      return value;
    };
    const auto group = [&] {
      SourceGroup value = generate.group();
      value.semantics = generate.any_up_to(GroupSemantics::kFid);
      return value;
    };
    for (std::uint64_t owners = generate.below(4); owners > 0; --owners) {
      map[EndpointId(generate.text())] =
          EndpointSources{.audio = generate.some([&] { return source(false); }),
                          .video = generate.some([&] { return source(true); }),
                          .audio_groups = generate.some(group),
                          .video_groups = generate.some(group)};
    }
    ASSERT_EQ(decode_sources_json(encode_sources_json(map)), map);
  }
}

}  // namespace
}  // namespace bascule::proto
