// Which sources an offer lists, and in which form.

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "focus/offer.h"
#include "meeting.h"
#include "xmpp/xml/parser.h"
#include "xmpp/xml/writer.h"

namespace bascule::conformance {
namespace {

using Json = nlohmann::ordered_json;

const std::string kFeedbackJson =
    R"([[{"s":2671189403,"n":"jvb-v0","m":"mixedmslabel mixedlabelvideo0"}],[],)"
    R"([{"s":1440023189,"n":"jvb-a0","m":"mixedmslabel mixedlabelaudio0"}]])";

/// The JSON text as it would be on the wire, read by another parser.
Json json_of(const proto::Jingle& jingle) {
  const xml::Element element = xml::parse(xml::to_string(proto::encode(jingle))).value();
  const auto* message = element.child("json-message", "http://jitsi.org/jitmeet");
  if (message == nullptr) {
    ADD_FAILURE() << "no JSON";
    return {};
  }
  return Json::parse(message->text).at("sources");
}

/// `1001 e5-v0 camera e5 msid`, per source of the content.
std::vector<std::string> xml_sources(const xml::Element& jingle, const std::string& name) {
  std::vector<std::string> lines;
  for (const xml::Element& content : jingle.children) {
    const auto* description = content.child("description", "urn:xmpp:jingle:apps:rtp:1");
    if (content.attribute("name") != name || description == nullptr) {
      continue;
    }
    for (const xml::Element& child : description->children) {
      if (child.is("source", "urn:xmpp:jingle:apps:rtp:ssma:0")) {
        const auto* info = child.child("ssrc-info", "http://jitsi.org/jitmeet");
        const auto* msid = child.child("parameter", "urn:xmpp:jingle:apps:rtp:1");
        lines.push_back(std::string(child.attribute_or_empty("ssrc")) + ' ' +
                        std::string(child.attribute_or_empty("name")) + ' ' +
                        std::string(child.attribute_or_empty("videoType")) + ' ' +
                        std::string(info == nullptr ? "" : info->attribute_or_empty("owner")) +
                        ' ' +
                        std::string(msid == nullptr ? "" : msid->attribute_or_empty("value")));
      }
    }
  }
  return lines;
}

const std::vector<Word> kCamera = {v(1, "m", "name='alice-v0' videoType='camera'"),
                                   v(2, "m", "name='alice-v0'"),
                                   v(3, "m", "name='alice-v0'"),
                                   v(4, "m", "name='alice-v0'"),
                                   v(5, "m", "name='alice-v0'"),
                                   v(6, "m", "name='alice-v0'"),
                                   a(7, "n", "name='alice-a0'"),
                                   sim({1, 2, 3}),
                                   fid({1, 4}),
                                   fid({2, 5}),
                                   fid({3, 6})};

TEST_F(Offer, C21_ListsTheBridgesFeedbackSources) {
  statement(21, Kind::kJicofo,
            "lists the bridge's own audio and video source, owned by jvb, with the msids clients "
            "know them by");
  meet({"alice", "bob"});
  EXPECT_EQ(json_of(offer("alice")).at("jvb").dump(), kFeedbackJson);
  enter("phone", without(kWeb, kJsonFeature));
  stage().advance(seconds{1});
  EXPECT_EQ(xml_sources(offer_xml("phone"), "audio"),
            std::vector<std::string>{"1440023189 jvb-a0  jvb mixedmslabel mixedlabelaudio0"});
  EXPECT_EQ(xml_sources(offer_xml("phone"), "video"),
            std::vector<std::string>{"2671189403 jvb-v0  jvb mixedmslabel mixedlabelvideo0"});
}

TEST_F(Offer, C22_ListsFeedbackSourcesForOverlappingAllocations) {
  statement(22, Kind::kBascule,
            "lists the bridge's own sources for everybody, also when several are being allocated "
            "at once");
  bridge().mood = BridgeMood::kHolds;
  const std::vector<std::string> nicks = {"alice", "bob", "carol", "dave"};
  for (const auto& nick : nicks) {
    enter(nick);
  }
  stage().advance(seconds{1});
  stage().release("jvb1");
  stage().advance(seconds{1});
  for (const auto& nick : nicks) {
    EXPECT_EQ(json_of(offer(nick)).at("jvb").dump(), kFeedbackJson) << nick;
  }
}

TEST_F(Offer, C22_ReadsThemFromWhicheverAnswerBringsThem) {
  also(22);
  meet({"alice", "bob"});
  stage().crash_and_restore(
      seconds{1});  // Who creates the conference there was an earlier process.
  stage().start_all();
  stage().advance(seconds{5});
  ASSERT_EQ(state("alice"), ParticipantState::kActive);
  enter("carol");
  enter("dave");
  stage().advance(seconds{2});
  EXPECT_EQ(json_of(offer("carol")).at("jvb").dump(), kFeedbackJson);
  EXPECT_EQ(json_of(offer("dave")).at("jvb").dump(), kFeedbackJson);
}

TEST_F(Offer, C23_NeverListsTheParticipantsOwnSources) {
  statement(23, Kind::kJicofo, "never lists the invited participant's own sources");
  meet({"alice", "bob"});
  EXPECT_TRUE(add("alice", kCamera).is_result);
  // Its sources are still there when it is invited anew: the bridge is lost first.
  stage().add_bridge("jvb2");
  stage().advance(seconds{6});
  stage().remove_bridge("jvb1");
  stage().advance(seconds{10});
  ASSERT_EQ(client("alice").sids.size(), 2U);
  EXPECT_FALSE(json_of(offer("alice")).contains("alice"));
  // Not only because they are dropped before: an offer alone leaves them out.
  focus::ConferenceSourceMap sources({});
  const std::vector<proto::Source> one = {{.ssrc = Ssrc(1)}};
  const std::vector<proto::Source> two = {{.ssrc = Ssrc(2)}};
  ASSERT_TRUE(sources.add(EndpointId("alice"), {.audio = one}));
  ASSERT_TRUE(sources.add(EndpointId("bob"), {.audio = two}));
  const focus::OfferOptions options;
  const focus::Allocation allocation;
  const proto::Jingle alone =
      focus::make_session_initiate({.options = options,
                                    .features = focus::Features::from_disco(kWeb),
                                    .endpoint = EndpointId("alice"),
                                    .sid = "s",
                                    .initiator = {},
                                    .allocation = allocation,
                                    .sources = sources,
                                    .bridge_session_id = "b",
                                    .bridge_region = {},
                                    .start_muted = {}});
  EXPECT_EQ(json_of(alone).dump(), R"({"bob":[[],[],[{"s":2}]]})");
  enter("carol");
  stage().advance(seconds{1});
  EXPECT_FALSE(json_of(offer("carol")).contains("carol"));
}

TEST_F(Offer, C24_ListsTheSourcesOfOthersUnlessTheBridgeMapsThem) {
  statement(24, Kind::kJicofo,
            "lists the sources of all others, as far as the participant can use them, unless the "
            "bridge rewrites SSRCs for it");
  meet({"alice", "bob"});
  EXPECT_TRUE(add("alice", kCamera).is_result);
  EXPECT_TRUE(add("bob", {a(70, "b", "name='bob-a0'")}).is_result);
  enter("plain");
  enter("mapped", with(kWeb, kRewritingFeature));
  enter("blind", without(kWeb, kVideoFeature));
  stage().advance(seconds{1});
  const Json plain = json_of(offer("plain"));
  EXPECT_EQ(plain.size(), 3U);
  EXPECT_EQ(plain.at("alice").dump(), R"([[{"s":1,"n":"alice-v0","m":"m"},)"
                                      R"({"s":4,"n":"alice-v0","m":"m"}],[["f",1,4]],)"
                                      R"([{"s":7,"n":"alice-a0","m":"n"}]])");
  EXPECT_EQ(plain.at("bob").dump(), R"([[],[],[{"s":70,"n":"bob-a0","m":"b"}]])");
  const Json mapped = json_of(offer("mapped"));
  EXPECT_EQ(mapped.size(), 1U);
  EXPECT_TRUE(mapped.contains("jvb"));
  const Json blind = json_of(offer("blind"));
  EXPECT_EQ(blind.at("alice").dump(), R"([[],[],[{"s":7,"n":"alice-a0","m":"n"}]])");
  EXPECT_EQ(blind.at("jvb").at(0).size(), 0U);
}

TEST_F(Offer, C25_WritesSourcesAsJsonOrAsXmlNeverBoth) {
  statement(25, Kind::kJicofo,
            "writes sources as compact JSON when that is configured and understood, else as XML, "
            "never both");
  meet({"alice", "bob"});
  EXPECT_TRUE(add("alice", kCamera).is_result);
  enter("modern");
  enter("plain", without(kWeb, kJsonFeature));
  stage().advance(seconds{1});
  EXPECT_TRUE(json_of(offer("modern")).contains("alice"));
  EXPECT_TRUE(xml_sources(offer_xml("modern"), "video").empty());
  EXPECT_FALSE(offer("plain").json_message);
  EXPECT_EQ(xml_sources(offer_xml("plain"), "video"),
            (std::vector<std::string>{"1 alice-v0 camera alice m", "4 alice-v0  alice m",
                                      "2671189403 jvb-v0  jvb mixedmslabel mixedlabelvideo0"}));

  auto options = Stage::make_options();
  options.offer.json_encoded_sources = false;
  start(options);
  meet({"alice", "bob"});
  EXPECT_FALSE(offer("alice").json_message);
  EXPECT_FALSE(xml_sources(offer_xml("alice"), "audio").empty());
}

TEST_F(Offer, C26_WritesThreeArraysPerOwnerAndMarksDesktopsOnly) {
  statement(26, Kind::kJicofo,
            "writes at least three arrays per owner in JSON, and marks the video type of desktops "
            "only");
  meet({"alice", "bob", "carol"});
  EXPECT_TRUE(add("alice", {a(1)}).is_result);
  EXPECT_TRUE(
      add("bob", {v(2, "x", "videoType='camera'"), v(3, "y", "videoType='desktop'")}).is_result);
  enter("dave");
  stage().advance(seconds{1});
  const Json sources = json_of(offer("dave"));
  for (const auto& [owner, arrays] : sources.items()) {
    EXPECT_GE(arrays.size(), 3U) << owner;
  }
  EXPECT_EQ(sources.at("alice").dump(), R"([[],[],[{"s":1}]])");
  EXPECT_EQ(sources.at("bob").dump(), R"([[{"s":2,"m":"x"},{"s":3,"m":"y","v":"d"}],[],[]])");
}

TEST_F(Offer, C27_WritesValidJsonWhateverClientsCallTheirSources) {
  statement(27, Kind::kBascule, "writes valid JSON whatever names and msids clients choose");
  meet({"alice", "bob"});
  // As XML text; what it says: x"y\z<&> }]} tab newline and two characters outside ASCII.
  const std::string wild = "x&quot;y\\z&lt;&amp;&gt;}]}&#9;&#10;\xC3\xBC\xF0\x9F\x98\x80";
  const std::string said = "x\"y\\z<&>}]}\t\n\xC3\xBC\xF0\x9F\x98\x80";
  EXPECT_TRUE(add("alice", {v(1, wild, "name='" + wild + "'")}).is_result);
  enter("carol");
  stage().advance(seconds{1});
  const Json source = json_of(offer("carol")).at("alice").at(0).at(0);
  EXPECT_EQ(source.at("n"), said);
  EXPECT_EQ(source.at("m"), said);
  const auto update = told("bob", JingleAction::kSourceAdd);
  ASSERT_EQ(update.size(), 1U);
  EXPECT_EQ(json_of(update.front()).at("alice").at(0).at(0).at("m"), said);
}

TEST_F(Offer, C28_KeepsTheDataContentInXmlMode) {
  statement(28, Kind::kBascule, "keeps the data content when sources are written as XML");
  meet({"alice", "bob"}, without(kWeb, kJsonFeature));
  const proto::Jingle sent = offer("alice");
  ASSERT_NE(content(sent, "data"), nullptr);
  EXPECT_TRUE(content(sent, "data")->transport->sctp_map);
  EXPECT_EQ(sent.group->contents.back(), "data");
}

TEST_F(Offer, C29_StripsSimulcastForReceiversOnly) {
  statement(29, Kind::kJicofo,
            "tells receivers the first layer of a simulcast group and its retransmission only, and "
            "the bridge everything");
  meet({"alice", "bob"});
  EXPECT_TRUE(add("alice", kCamera).is_result);
  enter("carol");
  stage().advance(seconds{1});
  EXPECT_EQ(json_of(offer("carol")).at("alice").at(0).size(), 2U);
  EXPECT_EQ(json_of(offer("carol")).at("alice").at(1).dump(), R"([["f",1,4]])");
  EXPECT_EQ(json_of(told("bob", JingleAction::kSourceAdd).at(0)).at("alice").at(0).size(), 2U);
  const proto::Endpoint update = bridge_told("alice").back();
  std::size_t ssrcs = 0;
  std::size_t groups = 0;
  for (const auto& media_source : update.sources->media_sources) {
    ssrcs += media_source.sources.size();
    groups += media_source.source_groups.size();
  }
  EXPECT_EQ(ssrcs, 7U);
  EXPECT_EQ(groups, 4U);

  auto options = Stage::make_options();
  options.offer.strip_simulcast = false;
  start(options);
  meet({"alice", "bob"});
  EXPECT_TRUE(add("alice", kCamera).is_result);
  EXPECT_EQ(json_of(told("bob", JingleAction::kSourceAdd).at(0)).at("alice").at(0).size(), 6U);
}

}  // namespace
}  // namespace bascule::conformance
