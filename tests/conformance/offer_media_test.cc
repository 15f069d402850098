// Formats, header extensions and transports of the offer.

#include <string>
#include <vector>

#include "meeting.h"

namespace bascule::conformance {
namespace {

using Lines = std::vector<std::string>;
const std::string kRtp = "urn:xmpp:jingle:apps:rtp:1";
const std::string kFeedback = "urn:xmpp:jingle:apps:rtp:rtcp-fb:0";
const std::string kExtensions = "urn:xmpp:jingle:apps:rtp:rtp-hdrext:0";
const std::string kTransport = "urn:xmpp:jingle:transports:ice-udp:1";

const xml::Element* content_of(const xml::Element& offer, const std::string& name) {
  for (const xml::Element& child : offer.children) {
    if (child.name == "content" && child.attribute("name") == name) {
      return &child;
    }
  }
  ADD_FAILURE() << "no content " << name;
  return nullptr;
}

/// `111 opus/48000/2 minptime=10 useinbandfec=1 [transport-cc]`, one line per payload type.
Lines formats(const xml::Element& offer, const std::string& name) {
  Lines lines;
  for (const xml::Element& format : content_of(offer, name)->child("description", kRtp)->children) {
    if (!format.is("payload-type", kRtp)) {
      continue;
    }
    std::string line(format.attribute_or_empty("id"));
    line += ' ' + std::string(format.attribute_or_empty("name")) + '/';
    line += format.attribute_or_empty("clockrate");
    if (const auto channels = format.attribute("channels")) {
      line += '/' + std::string(*channels);
    }
    for (const xml::Element& child : format.children) {
      if (child.is("parameter", kRtp)) {
        const auto parameter = child.attribute("name");
        line += ' ' + (parameter ? std::string(*parameter) + '=' : std::string());
        line += child.attribute_or_empty("value");
      }
    }
    for (const xml::Element& child : format.children) {
      if (child.is("rtcp-fb", kFeedback)) {
        const auto subtype = child.attribute("subtype");
        line += " [" + std::string(child.attribute_or_empty("type"));
        line += (subtype ? ' ' + std::string(*subtype) : std::string()) + ']';
      }
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

Lines extensions(const xml::Element& offer, const std::string& name) {
  Lines lines;
  for (const xml::Element& child : content_of(offer, name)->child("description", kRtp)->children) {
    if (child.is("rtp-hdrext", kExtensions)) {
      lines.push_back(std::string(child.attribute_or_empty("id")) + ' ' +
                      std::string(child.attribute_or_empty("uri")));
    } else if (child.is("extmap-allow-mixed", kExtensions)) {
      lines.emplace_back("mixed");
    }
  }
  return lines;
}

bool mentions(const Lines& lines, const std::string& word) {
  for (const auto& line : lines) {
    if (line.find(word) != std::string::npos) {
      return true;
    }
  }
  return false;
}

const std::string kFb = " [ccm fir] [nack] [nack pli]";

TEST_F(Offer, C06_HasTheFormatsOfJicofo) {
  statement(6, Kind::kJicofo,
            "offers payload types, parameters and feedback as Jicofo does by default");
  meet({"alice", "bob"});
  const xml::Element offer = offer_xml("alice");
  EXPECT_EQ(formats(offer, "audio"),
            (Lines{"111 opus/48000/2 minptime=10 useinbandfec=1 [transport-cc]",
                   "126 telephone-event/8000"}));
  EXPECT_EQ(
      formats(offer, "video"),
      (Lines{"41 AV1/90000" + kFb + " [transport-cc]", "100 VP8/90000" + kFb + " [transport-cc]",
             "107 H264/90000 profile-level-id=42e01f;level-asymmetry-allowed=1;"
             "packetization-mode=1;" +
                 kFb + " [transport-cc]",
             "101 VP9/90000" + kFb + " [transport-cc]", "42 rtx/90000 apt=41" + kFb,
             "96 rtx/90000 apt=100" + kFb, "97 rtx/90000 apt=101" + kFb, "99 rtx/90000 apt=107"}));
  EXPECT_EQ(formats(offer, "data"), Lines{});
  const auto* audio = content_of(offer, "audio")->child("description", kRtp);
  EXPECT_EQ(audio->attribute("maxptime"), "60");
  EXPECT_EQ(audio->attribute("media"), "audio");
}

TEST_F(Offer, C07_OrdersCodecsAsJicofoDoes) {
  statement(7, Kind::kJicofo,
            "offers video codecs in the order AV1, VP8, H264, VP9, and retransmission in the order "
            "AV1, VP8, VP9, H264");
  meet({"alice", "bob"});
  Lines ids;
  for (const auto& line : formats(offer_xml("bob"), "video")) {
    ids.push_back(line.substr(0, line.find(' ')));
  }
  EXPECT_EQ(ids, (Lines{"41", "100", "107", "101", "42", "96", "97", "99"}));
}

TEST_F(Offer, C08_HasNoRetransmissionForThoseWhoCannot) {
  statement(8, Kind::kJicofo, "offers no retransmission formats to a participant without RFC 4588");
  meet({"alice", "bob"}, without(kWeb, kRtxFeature));
  const Lines video = formats(offer_xml("alice"), "video");
  EXPECT_FALSE(mentions(video, "rtx"));
  EXPECT_EQ(video.size(), 4U);
}

TEST_F(Offer, C09_HasTransportCcOrRembButNeverBoth) {
  statement(9, Kind::kJicofo,
            "offers transport-cc (feedback and header extension) exactly to those who have it, and "
            "goog-remb exactly to those who have only that");
  enter("both");
  enter("remb", without(kWeb, kTccFeature));
  enter("tcc", without(kWeb, kRembFeature));
  enter("none", without(without(kWeb, kTccFeature), kRembFeature));
  stage().advance(seconds{1});
  for (const auto& [nick, has_tcc, has_remb] :
       std::vector<std::tuple<std::string, bool, bool>>{{"both", true, false},
                                                        {"remb", false, true},
                                                        {"tcc", true, false},
                                                        {"none", false, false}}) {
    const xml::Element offer = offer_xml(nick);
    EXPECT_EQ(mentions(formats(offer, "audio"), "transport-cc"), has_tcc) << nick;
    EXPECT_EQ(mentions(formats(offer, "video"), "transport-cc"), has_tcc) << nick;
    EXPECT_EQ(mentions(extensions(offer, "audio"), "transport-wide-cc"), has_tcc) << nick;
    EXPECT_EQ(mentions(extensions(offer, "video"), "transport-wide-cc"), has_tcc) << nick;
    EXPECT_EQ(mentions(formats(offer, "video"), "goog-remb"), has_remb) << nick;
    EXPECT_FALSE(mentions(formats(offer, "audio"), "goog-remb")) << nick;
  }
  EXPECT_EQ(formats(offer_xml("remb"), "video").at(1), "100 VP8/90000" + kFb + " [goog-remb]");
}

TEST_F(Offer, C10_PutsRedFirstAndSilencesInBandFec) {
  statement(10, Kind::kJicofo,
            "offers RED before Opus when it is configured and supported, and in-band FEC only "
            "while RED is not configured");
  auto options = Stage::make_options();
  options.offer.opus.red = true;
  start(options);
  enter("red", with(kWeb, kRedFeature));
  enter("plain");
  stage().advance(seconds{1});
  EXPECT_EQ(formats(offer_xml("red"), "audio"),
            (Lines{"112 red/48000/2 111/111", "111 opus/48000/2 minptime=10 [transport-cc]",
                   "126 telephone-event/8000"}));
  EXPECT_EQ(formats(offer_xml("plain"), "audio"),
            (Lines{"111 opus/48000/2 minptime=10 [transport-cc]", "126 telephone-event/8000"}));

  start(Stage::make_options());
  meet({"red", "other"}, with(kWeb, kRedFeature));
  EXPECT_FALSE(mentions(formats(offer_xml("red"), "audio"), "red/"));
}

TEST_F(Offer, C11_HasTheHeaderExtensionsOfJicofo) {
  statement(11, Kind::kJicofo,
            "offers Jicofo's header extensions, with equal ids in audio and video, and allows them "
            "to be mixed");
  meet({"alice", "bob"});
  const std::string mid = "10 urn:ietf:params:rtp-hdrext:sdes:mid";
  const std::string tcc =
      "5 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";
  const std::string av1 =
      "11 https://aomediacodec.github.io/av1-rtp-spec/"
      "#dependency-descriptor-rtp-header-extension";
  const xml::Element offer = offer_xml("alice");
  EXPECT_EQ(extensions(offer, "audio"),
            (Lines{"1 urn:ietf:params:rtp-hdrext:ssrc-audio-level", mid, tcc, "mixed"}));
  EXPECT_EQ(extensions(offer, "video"),
            (Lines{av1, mid, "3 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time", tcc,
                   "mixed"}));
}

TEST_F(Offer, C11_HasTheRareHeaderExtensionsInTheirPlaces) {
  also(11);
  auto options = Stage::make_options();
  for (auto* extension :
       {&options.offer.video_layers, &options.offer.time_offset, &options.offer.frame_marking,
        &options.offer.content_type, &options.offer.rid}) {
    extension->enabled = true;
  }
  options.offer.extmap_allow_mixed = false;
  start(options);
  meet({"alice", "bob"});
  Lines ids;
  for (const auto& line : extensions(offer_xml("alice"), "video")) {
    ids.push_back(line.substr(0, line.find(' ')));
  }
  EXPECT_EQ(ids, (Lines{"12", "11", "2", "10", "3", "9", "7", "4", "5"}));
}

TEST_F(Offer, C12_LeavesOutCodecsThatAreSwitchedOff) {
  statement(12, Kind::kJicofo,
            "leaves out a codec that is disabled or has no payload type, and a retransmission "
            "format that has none");
  auto options = Stage::make_options();
  options.offer.av1.enabled = false;
  options.offer.vp9.payload_type = 0;
  options.offer.h264.rtx_payload_type = 0;
  options.offer.telephone_event.enabled = false;
  start(options);
  meet({"alice", "bob"});
  const xml::Element offer = offer_xml("alice");
  Lines ids;
  for (const auto& line : formats(offer, "video")) {
    ids.push_back(line.substr(0, line.find(' ')));
  }
  EXPECT_EQ(ids, (Lines{"100", "107", "96"}));
  EXPECT_EQ(formats(offer, "audio").size(), 1U);
}

TEST_F(Offer, C14_HasTheBridgesTransportInEveryContent) {
  statement(14, Kind::kJicofo,
            "puts the bridge's credentials, fingerprint, candidates and web socket into every "
            "content alike");
  proto::IceUdpTransport granted{.ufrag = "6qk1j1ig2", .pwd = "2mf7b1sd0c9k5k0cgq1m1r6ohp"};
  granted.rtcp_mux = true;
  granted.web_sockets = {{.url = "wss://jvb1.example.net/colibri-ws/jvb1/1/alice?pwd=x"}};
  granted.fingerprints = {{.hash = "sha-256",
                           .setup = proto::DtlsSetup::kActpass,
                           .required = {},
                           .cryptex = {},
                           .value = "7C:1E"}};
  granted.candidates = {{.foundation = "1",
                         .generation = 0,
                         .id = "c1",
                         .ip = "203.0.113.20",
                         .network = 0,
                         .port = 10000,
                         .priority = 2130706431,
                         .protocol = "udp"}};
  bridge().transport = granted;
  meet({"alice", "bob"});
  const xml::Element offer = offer_xml("alice");
  const xml::Element first = *content_of(offer, "audio")->child("transport", kTransport);
  EXPECT_EQ(first.attribute("ufrag"), "6qk1j1ig2");
  EXPECT_EQ(first.attribute("pwd"), "2mf7b1sd0c9k5k0cgq1m1r6ohp");
  EXPECT_EQ(first.child("web-socket", "http://jitsi.org/protocol/colibri")->attribute("url"),
            "wss://jvb1.example.net/colibri-ws/jvb1/1/alice?pwd=x");
  const auto* fingerprint = first.child("fingerprint", "urn:xmpp:jingle:apps:dtls:0");
  EXPECT_EQ(fingerprint->text, "7C:1E");
  EXPECT_EQ(fingerprint->attribute("setup"), "actpass");
  EXPECT_EQ(fingerprint->attribute("required"), "false");
  EXPECT_EQ(fingerprint->attribute("cryptex"), "false");
  EXPECT_EQ(first.child("candidate", kTransport)->attribute("ip"), "203.0.113.20");
  EXPECT_EQ(*content_of(offer, "video")->child("transport", kTransport), first);
  xml::Element data = *content_of(offer, "data")->child("transport", kTransport);
  std::erase_if(data.children, [](const xml::Element& child) { return child.name == "sctpmap"; });
  EXPECT_EQ(data, first);
}

TEST_F(Offer, C15_HasTheSctpMapInTheDataTransport) {
  statement(15, Kind::kJicofo,
            "describes the data channel with the bridge's port, protocol webrtc-datachannel and "
            "1024 streams");
  bridge().sctp_port = 5123;
  meet({"alice", "bob"});
  const xml::Element offer = offer_xml("alice");
  const auto* map = content_of(offer, "data")
                        ->child("transport", kTransport)
                        ->child("sctpmap", "urn:xmpp:jingle:transports:dtls-sctp:1");
  ASSERT_NE(map, nullptr);
  EXPECT_EQ(map->attribute("number"), "5123");
  EXPECT_EQ(map->attribute("protocol"), "webrtc-datachannel");
  EXPECT_EQ(map->attribute("streams"), "1024");
  EXPECT_EQ(content_of(offer, "audio")
                ->child("transport", kTransport)
                ->child("sctpmap", "urn:xmpp:jingle:transports:dtls-sctp:1"),
            nullptr);
}

}  // namespace
}  // namespace bascule::conformance
