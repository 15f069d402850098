#include "focus/offer.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "source_builders.h"

namespace bascule::focus {
namespace {

using testing::a, testing::v, testing::fid, testing::set_of, testing::endpoint;
using Lines = std::vector<std::string>;

const Features kWebClient = Features::assumed()
                                .add(Feature::kRtx)
                                .add(Feature::kTransportCc)
                                .add(Feature::kRemb)
                                .add(Feature::kJsonSources)
                                .add(Feature::kSsrcRewriting);
const Features kWebClientWithoutRewriting = Features(kWebClient).remove(Feature::kSsrcRewriting);

/// "111 opus/48000/2 minptime=10;useinbandfec=1 [transport-cc]"
std::string to_line(const proto::PayloadType& payload_type) {
  std::string line = std::to_string(payload_type.id) + " " + payload_type.name.value_or("?") + "/" +
                     std::to_string(payload_type.clockrate.value_or(0));
  if (payload_type.channels) {
    line += "/" + std::to_string(*payload_type.channels);
  }
  std::string separator = " ";
  for (const auto& parameter : payload_type.parameters) {
    line += separator + (parameter.name ? *parameter.name + "=" : "") + parameter.value;
    separator = ";";
  }
  std::string feedback;
  for (const auto& item : payload_type.feedback) {
    feedback += (feedback.empty() ? "" : ", ") + item.type;
    feedback += item.subtype ? " " + *item.subtype : "";
  }
  return feedback.empty() ? line : line + " [" + feedback + "]";
}

Lines payload_types(const proto::Content& content) {
  Lines lines;
  for (const auto& payload_type : content.description->payload_types) {
    lines.push_back(to_line(payload_type));
  }
  return lines;
}

Lines extensions(const proto::Content& content) {
  Lines lines;
  for (const auto& extension : content.description->header_extensions) {
    lines.push_back(std::to_string(extension.id) + " " + extension.uri);
  }
  return lines;
}

Lines names(const std::vector<proto::Content>& contents) {
  Lines lines;
  for (const auto& content : contents) {
    lines.push_back(content.name);
  }
  return lines;
}

Allocation make_allocation() {
  Allocation allocation;
  allocation.transport.ufrag = "3vk1q";
  allocation.transport.pwd = "s3kq0g5bpl7r";
  allocation.transport.rtcp_mux = true;
  allocation.transport.web_sockets = {{.url = "wss://b1.example.net/ws/1/7d2a?pwd=x"}};
  allocation.transport.fingerprints = {
      {.hash = "sha-256", .setup = proto::DtlsSetup::kActpass, .value = "A1:B2:C3"}};
  allocation.transport.candidates = {{.foundation = "1",
                                      .generation = 0,
                                      .id = "c1",
                                      .ip = "192.0.2.9",
                                      .network = 0,
                                      .port = 10000,
                                      .priority = 2130706431,
                                      .protocol = "udp"}};
  allocation.sctp_port = 5000;
  allocation.feedback.audio = {
      {.ssrc = Ssrc(501), .name = "jvb-a0", .msid = "mixedmslabel mixedlabelaudio0"}};
  allocation.feedback.video = {
      {.ssrc = Ssrc(502), .name = "jvb-v0", .msid = "mixedmslabel mixedlabelvideo0"}};
  return allocation;
}

/// One invite with everything it refers to.
struct Invite {
  OfferOptions options;
  Features features = kWebClient;
  Allocation allocation = make_allocation();
  ConferenceSourceMap sources{{}};
  std::optional<std::string> region = "north";
  proto::StartMuted start_muted;

  [[nodiscard]] proto::Jingle make() const {
    return make_session_initiate({.options = options,
                                  .features = features,
                                  .endpoint = endpoint("7d2a"),
                                  .sid = "00ff",
                                  .initiator = Jid::parse("focus@auth.example.net/focus").value(),
                                  .allocation = allocation,
                                  .sources = sources,
                                  .bridge_session_id = "session-uuid",
                                  .bridge_region = region,
                                  .start_muted = start_muted});
  }
};

/// Another participant with camera (simulcast), desktop and microphone.
void add_other_participant(ConferenceSourceMap& map) {
  const auto source = [](std::uint32_t ssrc, std::string name, std::string msid,
                         std::optional<proto::VideoType> type) {
    return proto::Source{
        .ssrc = Ssrc(ssrc), .name = std::move(name), .video_type = type, .msid = std::move(msid)};
  };
  proto::EndpointSources set;
  for (const std::uint32_t ssrc : {2001U, 2002U, 2003U, 2004U, 2005U, 2006U}) {
    set.video.push_back(source(ssrc, "90cc-v0", "cam 1", proto::VideoType::kCamera));
  }
  for (const std::uint32_t ssrc : {2011U, 2012U}) {
    set.video.push_back(source(ssrc, "90cc-v1", "desk 1", proto::VideoType::kDesktop));
  }
  set.audio.push_back(source(2007, "90cc-a0", "mic 1", std::nullopt));
  set.video_groups = {testing::sim({2001, 2002, 2003}).group, fid({2001, 2004}).group,
                      fid({2002, 2005}).group, fid({2003, 2006}).group, fid({2011, 2012}).group};
  ASSERT_TRUE(map.add(endpoint("90cc"), set).has_value());
}

TEST(OfferTest, AWebClientIsOfferedEverythingInJicofosOrder) {
  const auto contents = make_contents(OfferOptions(), kWebClient);
  ASSERT_EQ(names(contents), (Lines{"audio", "video", "data"}));
  for (const auto& content : contents) {
    EXPECT_EQ(content.creator, proto::Creator::kInitiator);
    EXPECT_EQ(content.senders, proto::Senders::kBoth);
    EXPECT_TRUE(content.description->rtcp_mux);
  }
  EXPECT_EQ(contents[0].description->media, proto::MediaType::kAudio);
  EXPECT_EQ(contents[0].description->maxptime, 60U);
  EXPECT_TRUE(contents[0].description->extmap_allow_mixed);
  EXPECT_EQ(payload_types(contents[0]),
            (Lines{"111 opus/48000/2 minptime=10;useinbandfec=1 [transport-cc]",
                   "126 telephone-event/8000"}));
  EXPECT_EQ(extensions(contents[0]), (Lines{"1 urn:ietf:params:rtp-hdrext:ssrc-audio-level",
                                            "10 urn:ietf:params:rtp-hdrext:sdes:mid",
                                            "5 http://www.ietf.org/id/"
                                            "draft-holmer-rmcat-transport-wide-cc-extensions-01"}));

  const std::string feedback = " [ccm fir, nack, nack pli, transport-cc]";
  const std::string rtx_feedback = " [ccm fir, nack, nack pli]";
  EXPECT_EQ(payload_types(contents[1]),
            (Lines{"41 AV1/90000" + feedback, "100 VP8/90000" + feedback,
                   "107 H264/90000 "
                   "profile-level-id=42e01f;level-asymmetry-allowed=1;packetization-mode=1;" +
                       feedback,
                   "101 VP9/90000" + feedback, "42 rtx/90000 apt=41" + rtx_feedback,
                   "96 rtx/90000 apt=100" + rtx_feedback, "97 rtx/90000 apt=101" + rtx_feedback,
                   "99 rtx/90000 apt=107"}));
  EXPECT_EQ(contents[1].description->maxptime, std::nullopt);
  EXPECT_TRUE(contents[1].description->extmap_allow_mixed);
  EXPECT_EQ(extensions(contents[1]),
            (Lines{"11 https://aomediacodec.github.io/av1-rtp-spec/"
                   "#dependency-descriptor-rtp-header-extension",
                   "10 urn:ietf:params:rtp-hdrext:sdes:mid",
                   "3 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
                   "5 http://www.ietf.org/id/"
                   "draft-holmer-rmcat-transport-wide-cc-extensions-01"}));

  EXPECT_EQ(*contents[2].description,
            (proto::RtpDescription{.media = proto::MediaType::kApplication, .rtcp_mux = true}));
}

TEST(OfferTest, RembReplacesTransportCcAndIsNeverBesideIt) {
  const Features remb_only = Features::assumed().add(Feature::kRemb);
  auto contents = make_contents(OfferOptions(), remb_only);
  EXPECT_EQ(payload_types(contents[0]).at(0), "111 opus/48000/2 minptime=10;useinbandfec=1");
  EXPECT_EQ(payload_types(contents[1]).at(1), "100 VP8/90000 [ccm fir, nack, nack pli, goog-remb]");
  EXPECT_EQ(extensions(contents[1]).size(), 3U);
  EXPECT_EQ(contents[1].description->payload_types.size(), 4U);  // No RTX without the feature.

  contents = make_contents(OfferOptions(), Features::assumed());
  EXPECT_EQ(payload_types(contents[1]).at(1), "100 VP8/90000 [ccm fir, nack, nack pli]");
}

TEST(OfferTest, RedComesFirstAndSilencesFecForAll) {
  OfferOptions options;
  options.opus.red = true;
  EXPECT_EQ(payload_types(make_contents(options, Features(kWebClient).add(Feature::kOpusRed))[0]),
            (Lines{"112 red/48000/2 111/111", "111 opus/48000/2 minptime=10 [transport-cc]",
                   "126 telephone-event/8000"}));
  EXPECT_EQ(payload_types(make_contents(options, kWebClient)[0]).at(0),
            "111 opus/48000/2 minptime=10 [transport-cc]");
}

TEST(OfferTest, LeavesOutWhatParticipantOrOptionsLack) {
  EXPECT_EQ(names(make_contents(OfferOptions(), Features().add(Feature::kAudio))),
            (Lines{"audio"}));
  OfferOptions options;
  options.sctp = false;
  options.h264.enabled = false;
  options.av1.payload_type = 0;
  options.vp9.rtx_payload_type = 0;
  options.extmap_allow_mixed = false;
  options.telephone_event.enabled = false;
  const auto contents = make_contents(options, kWebClient);
  ASSERT_EQ(names(contents), (Lines{"audio", "video"}));
  EXPECT_EQ(payload_types(contents[1]),
            (Lines{"100 VP8/90000 [ccm fir, nack, nack pli, transport-cc]",
                   "101 VP9/90000 [ccm fir, nack, nack pli, transport-cc]",
                   "96 rtx/90000 apt=100 [ccm fir, nack, nack pli]"}));
  EXPECT_FALSE(contents[1].description->extmap_allow_mixed);
  EXPECT_EQ(contents[0].description->payload_types.size(), 1U);
}

TEST(OfferTest, TheBridgeLearnsTheSameFormats) {
  const auto contents = make_contents(OfferOptions(), kWebClient);
  const auto media = make_colibri_media(contents);
  ASSERT_EQ(media.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(media[i].type, contents[i].description->media);
    EXPECT_EQ(media[i].payload_types, contents[i].description->payload_types);
    EXPECT_EQ(media[i].header_extensions, contents[i].description->header_extensions);
    EXPECT_TRUE(media[i].extmap_allow_mixed);
  }
}

TEST(OfferTest, TheBridgesTransportIsInEveryContent) {
  const auto jingle = Invite().make();
  proto::IceUdpTransport expected = make_allocation().transport;
  expected.fingerprints[0].required = false;
  expected.fingerprints[0].cryptex = false;
  ASSERT_EQ(jingle.contents.size(), 3U);
  EXPECT_EQ(jingle.contents[0].transport, expected);
  EXPECT_EQ(jingle.contents[1].transport, expected);
  expected.sctp_map =
      proto::SctpMap{.number = 5000, .protocol = "webrtc-datachannel", .streams = 1024};
  EXPECT_EQ(jingle.contents[2].transport, expected);
}

// Worked example A of an offer as Jicofo makes it, with values of our own.
TEST(OfferTest, WithSsrcRewritingOnlyTheBridgeHasSources) {
  Invite invite;
  add_other_participant(invite.sources);
  invite.start_muted = {.audio = true, .video = false};
  const auto jingle = invite.make();
  EXPECT_EQ(jingle.action, proto::JingleAction::kSessionInitiate);
  EXPECT_EQ(jingle.sid, "00ff");
  EXPECT_EQ(jingle.initiator->to_string(), "focus@auth.example.net/focus");
  EXPECT_EQ(jingle.responder, std::nullopt);
  EXPECT_EQ(jingle.group, (proto::ContentGroup{"BUNDLE", {"audio", "video", "data"}}));
  EXPECT_EQ(jingle.start_muted, (proto::StartMuted{.audio = true, .video = false}));
  EXPECT_EQ(jingle.bridge_session, (proto::BridgeSession{.id = "session-uuid", .region = "north"}));
  EXPECT_EQ(jingle.json_message->json,
            R"({"sources":{"jvb":[[{"s":502,"n":"jvb-v0","m":"mixedmslabel mixedlabelvideo0"}],)"
            R"([],[{"s":501,"n":"jvb-a0","m":"mixedmslabel mixedlabelaudio0"}]]}})");
  for (const auto& content : jingle.contents) {
    EXPECT_TRUE(content.description->sources.empty());
  }
}

// Worked example B.
TEST(OfferTest, WithoutRewritingAllOthersAreInTheJsonSimulcastStripped) {
  Invite invite;
  invite.features = kWebClientWithoutRewriting;
  invite.region.reset();
  add_other_participant(invite.sources);
  ASSERT_TRUE(invite.sources.add(endpoint("7d2a"), set_of({a(9)})).has_value());  // Its own.
  const auto jingle = invite.make();
  EXPECT_EQ(jingle.json_message->json,
            R"({"sources":{"90cc":[[{"s":2001,"n":"90cc-v0","m":"cam 1"},)"
            R"({"s":2004,"n":"90cc-v0","m":"cam 1"},)"
            R"({"s":2011,"n":"90cc-v1","m":"desk 1","v":"d"},)"
            R"({"s":2012,"n":"90cc-v1","m":"desk 1","v":"d"}],)"
            R"([["f",2001,2004],["f",2011,2012]],)"
            R"([{"s":2007,"n":"90cc-a0","m":"mic 1"}]],)"
            R"("jvb":[[{"s":502,"n":"jvb-v0","m":"mixedmslabel mixedlabelvideo0"}],)"
            R"([],[{"s":501,"n":"jvb-a0","m":"mixedmslabel mixedlabelaudio0"}]]}})");
  EXPECT_EQ(jingle.start_muted, std::nullopt);
  EXPECT_EQ(jingle.bridge_session->region, std::nullopt);
}

// Worked example C; the data content is kept, which Jicofo loses.
TEST(OfferTest, WithoutJsonTheSourcesAreInTheDescriptions) {
  Invite invite;
  invite.features = Features::assumed();
  add_other_participant(invite.sources);
  const auto jingle = invite.make();
  EXPECT_EQ(jingle.json_message, std::nullopt);
  ASSERT_EQ(names(jingle.contents), (Lines{"audio", "video", "data"}));
  EXPECT_EQ(jingle.group->contents, (Lines{"audio", "video", "data"}));
  const auto ssrcs_of = [](const proto::Content& content, std::string_view owner) {
    std::vector<std::uint32_t> ssrcs;
    for (const auto& source : content.description->sources) {
      if (source.owner == owner) {
        ssrcs.push_back(source.ssrc.value());
      }
    }
    return ssrcs;
  };
  EXPECT_EQ(ssrcs_of(jingle.contents[0], "jvb"), (std::vector<std::uint32_t>{501}));
  EXPECT_EQ(ssrcs_of(jingle.contents[0], "90cc"), (std::vector<std::uint32_t>{2007}));
  EXPECT_EQ(ssrcs_of(jingle.contents[1], "jvb"), (std::vector<std::uint32_t>{502}));
  EXPECT_EQ(ssrcs_of(jingle.contents[1], "90cc"),
            (std::vector<std::uint32_t>{2001, 2004, 2011, 2012}));
  EXPECT_EQ(jingle.contents[1].description->source_groups,
            (std::vector<proto::SourceGroup>{fid({2001, 2004}).group, fid({2011, 2012}).group}));
  EXPECT_EQ(jingle.contents[1].description->payload_types.size(), 4U);
}

TEST(OfferTest, AnAudioOnlyParticipantHearsOfNoVideoNotEvenTheBridges) {
  Invite invite;
  invite.features = Features().add(Feature::kAudio).add(Feature::kJsonSources);
  add_other_participant(invite.sources);
  const auto jingle = invite.make();
  EXPECT_EQ(names(jingle.contents), (Lines{"audio"}));
  EXPECT_EQ(jingle.json_message->json,
            R"({"sources":{"90cc":[[],[],[{"s":2007,"n":"90cc-a0","m":"mic 1"}]],)"
            R"("jvb":[[],[],[{"s":501,"n":"jvb-a0","m":"mixedmslabel mixedlabelaudio0"}]]}})");
}

TEST(OfferTest, MidDemuxNeedsRewritingAndTheMidExtension) {
  OfferOptions options;
  const Features features = Features(kWebClient).add(Feature::kRtpMidDemux);
  EXPECT_TRUE(uses_rtp_mid_demux(options, features));
  EXPECT_FALSE(uses_rtp_mid_demux(options, kWebClient));
  options.mid.enabled = false;
  EXPECT_FALSE(uses_rtp_mid_demux(options, features));
  options.mid.enabled = true;
  options.ssrc_rewriting = false;
  EXPECT_FALSE(uses_rtp_mid_demux(options, features));
}

TEST(OfferTest, StartsMutedByPolicyCountOrModeration) {
  const StartMutedInput quiet{.participants = 3, .senders_max = 10};
  EXPECT_FALSE(starts_muted(quiet));
  auto input = quiet;
  input.room_policy = true;
  EXPECT_FALSE(starts_muted(input));  // Not on a re-invite.
  input.just_joined = true;
  EXPECT_TRUE(starts_muted(input));
  input = quiet;
  input.start_muted_after = 3;
  EXPECT_FALSE(starts_muted(input));
  input.start_muted_after = 2;
  EXPECT_TRUE(starts_muted(input));
  input = quiet;
  input.senders_max = 2;
  EXPECT_TRUE(starts_muted(input));
  input = quiet;
  input.force_muted = true;
  EXPECT_TRUE(starts_muted(input));
}

}  // namespace
}  // namespace bascule::focus
