#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "xmpp/proto/jitsi_conference.h"
#include "xmpp/proto/jitsi_meet_json.h"
#include "xmpp/proto/muc.h"

namespace bascule::proto {
namespace {

constexpr std::string_view kOfferJson =
    R"({"sources":{"e5f6a7b8":[[{"s":1001,"n":"e5f6a7b8-v0","m":"e5f6a7b8-video-0-1 8c1d-1"},)"
    R"({"s":1011,"n":"e5f6a7b8-v1","v":"d"}],[["f",1001,1004],["s",1,2,3]],[{"s":1007}]],)"
    R"("jvb":[[],[],[{"s":4294967295,"n":"jvb-a0","m":"mixedmslabel mixedlabelaudio0"}]]}})";

SourceMap offer_sources() {
  SourceMap map;
  map[EndpointId("e5f6a7b8")] = EndpointSources{
      .audio = {{.ssrc = Ssrc(1007)}},
      .video = {{.ssrc = Ssrc(1001),
                 .name = "e5f6a7b8-v0",
                 .video_type = VideoType::kCamera,
                 .msid = "e5f6a7b8-video-0-1 8c1d-1"},
                {.ssrc = Ssrc(1011), .name = "e5f6a7b8-v1", .video_type = VideoType::kDesktop}},
      .video_groups = {{.semantics = GroupSemantics::kFid, .ssrcs = {Ssrc(1001), Ssrc(1004)}},
                       {.semantics = GroupSemantics::kSim, .ssrcs = {Ssrc(1), Ssrc(2), Ssrc(3)}}}};
  map[EndpointId("jvb")] = EndpointSources{
      .audio = {
          {.ssrc = Ssrc(4294967295U), .name = "jvb-a0", .msid = "mixedmslabel mixedlabelaudio0"}}};
  return map;
}

/// `{"0":<value>,"1":<value>,...}`. With as many keys as this, a decoder whose time grows with
/// their square takes minutes and runs into the time limit of the test.
std::string object_of_many(std::string_view value) {
  std::string json = "{";
  for (int i = 0; i < 200'000; ++i) {
    json += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":" + std::string(value);
  }
  return json + "}";
}

TEST(SourcesJson, TakesTimeInProportionToItsOwners) {
  const auto sources = decode_sources_json(R"({"sources":)" + object_of_many("[]") + "}");
  ASSERT_TRUE(sources.has_value());
  EXPECT_EQ(sources->size(), 200'000U);
}

TEST(ConferenceJson, TakesTimeInProportionToItsProperties) {
  const auto request = decode_conference_request_json(R"({"room":"r@c.test","properties":)" +
                                                      object_of_many("1") + "}");
  ASSERT_TRUE(request.has_value());
  EXPECT_EQ(request->properties.size(), 200'000U);
}

TEST(SourcesJson, WritesTheCompactForm) {
  EXPECT_EQ(encode_sources_json(offer_sources()), kOfferJson);
  EXPECT_EQ(encode_sources_json({}), R"({"sources":{}})");
  SourceMap map;
  map[EndpointId("a")];
  EXPECT_EQ(encode_sources_json(map), R"({"sources":{"a":[[],[],[]]}})");
  map[EndpointId("a")].audio_groups.push_back({.ssrcs = {Ssrc(5), Ssrc(6)}});
  EXPECT_EQ(encode_sources_json(map), R"({"sources":{"a":[[],[],[],[["s",5,6]]]}})");
}

TEST(SourcesJson, ReadsTheCompactForm) {
  EXPECT_EQ(decode_sources_json(kOfferJson), offer_sources());
  const auto shorter = decode_sources_json(R"({"sources":{"a":[],"b":[[{"s":1,"x":9}]]},"y":1})");
  ASSERT_TRUE(shorter.has_value());
  EXPECT_TRUE(shorter->at(EndpointId("a")).empty());
  EXPECT_EQ(shorter->at(EndpointId("b")).video.size(), 1U);
}

TEST(SourcesJson, EscapesWhatClientsChoose) {
  SourceMap map;
  const std::string nasty = "\"}]],\"jvb\":[] \\ \n </json-message> \xC3\xA9";
  map[EndpointId(nasty)].audio = {{.ssrc = Ssrc(1), .name = nasty, .msid = nasty}};
  EXPECT_EQ(decode_sources_json(encode_sources_json(map)), map);
  map.begin()->second.audio[0].name = "\xFF";
  const auto replaced = decode_sources_json(encode_sources_json(map));
  ASSERT_TRUE(replaced.has_value());
  EXPECT_EQ(replaced->begin()->second.audio[0].name, "\xEF\xBF\xBD");
}

TEST(SourcesJson, RefusesWhatIsOutOfRange) {
  for (const std::string_view json : {"",
                                      "{",
                                      "[]",
                                      "{}",
                                      R"({"sources":[]})",
                                      R"({"sources":{"a":{}}})",
                                      R"({"sources":{"a":[{}]}})",
                                      R"({"sources":{"a":[[1]]}})",
                                      R"({"sources":{"a":[[{}]]}})",
                                      R"({"sources":{"a":[[{"s":0}]]}})",
                                      R"({"sources":{"a":[[{"s":-1}]]}})",
                                      R"({"sources":{"a":[[{"s":4294967296}]]}})",
                                      R"({"sources":{"a":[[{"s":1.5}]]}})",
                                      R"({"sources":{"a":[[{"s":"1"}]]}})",
                                      R"({"sources":{"a":[[{"s":1,"n":2}]]}})",
                                      R"({"sources":{"a":[[{"s":1,"v":"x"}]]}})",
                                      R"({"sources":{"a":[[],[["q",1]]]}})",
                                      R"({"sources":{"a":[[],[[]]]}})",
                                      R"({"sources":{"a":[[],[["f","x"]]]}})",
                                      R"({"sources":{"a":[[],[["f",0]]]}})"}) {
    const auto decoded = decode_sources_json(json);
    ASSERT_FALSE(decoded.has_value()) << json;
    EXPECT_EQ(decoded.error().code, Errc::kMalformed);
  }
  // Depth must not become stack.
  EXPECT_FALSE(decode_sources_json(std::string(500'000, '[')).has_value());
}

TEST(ConferenceJson, ReadsARequestWithTypedProperties) {
  const auto request = decode_conference_request_json(
      R"({"room":"GreenKiwi@conference.a.test","machineUid":"0cc1","sessionId":"","extra":[1],)"
      R"("properties":{"startAudioMuted":10,"rtcstatsEnabled":false,"visitors-version":"1","n":null}})");
  ASSERT_TRUE(request.has_value()) << request.error().what;
  EXPECT_EQ(request->room.to_string(), "greenkiwi@conference.a.test");
  EXPECT_EQ(request->machine_uid, "0cc1");
  EXPECT_EQ(request->session_id, std::nullopt);
  EXPECT_EQ(request->properties, (std::map<std::string, std::string>{{"startAudioMuted", "10"},
                                                                     {"rtcstatsEnabled", "false"},
                                                                     {"visitors-version", "1"}}));
  EXPECT_EQ(request->property("startAudioMuted"), "10");
  EXPECT_EQ(request->property("absent"), std::nullopt);
  EXPECT_EQ(decode_conference_request_json(encode_conference_request_json(*request)), *request);
}

TEST(ConferenceJson, RefusesABadRequest) {
  for (const std::string_view body :
       {"", "nonsense", "[]", "{}", R"({"room":1})", R"({"room":""})", R"({"room":"a.test"})",
        R"({"room":"r@a.test/n"})", R"({"room":"r@a.test","machineUid":7})",
        R"({"room":"r@a.test","properties":[]})", R"({"room":"r@a.test","properties":{"a":{}}})"}) {
    const auto request = decode_conference_request_json(body);
    ASSERT_FALSE(request.has_value()) << body;
    EXPECT_EQ(request.error().code, Errc::kMalformed);
  }
}

TEST(ConferenceJson, WritesReadyAsBooleanAndAlwaysProperties) {
  ConferenceAnswer answer{.room = RoomJid(*Jid::parse("r@c.test"))};
  EXPECT_EQ(encode_conference_answer_json(answer),
            R"({"room":"r@c.test","ready":false,"properties":{}})");
  answer.ready = true;
  answer.focus_jid = *Jid::parse("focus@auth.test");
  answer.vnode = "v1";
  answer.properties = {{"authentication", "false"}};
  const std::string json = encode_conference_answer_json(answer);
  EXPECT_EQ(json, R"({"room":"r@c.test","ready":true,"focusJid":"focus@auth.test","vnode":"v1",)"
                  R"("properties":{"authentication":"false"}})");
  EXPECT_EQ(decode_conference_answer_json(json), answer);
  EXPECT_FALSE(decode_conference_answer_json(R"({"room":"r@c.test","ready":"true"})").has_value());
}

TEST(ConferenceJson, FindsTheToken) {
  EXPECT_EQ(parse_bearer_token("Bearer abc.def"), "abc.def");
  EXPECT_EQ(parse_bearer_token("bearer  abc "), "abc");
  EXPECT_EQ(parse_bearer_token("abc.def"), "abc.def");
  EXPECT_EQ(parse_bearer_token(" "), std::nullopt);
  EXPECT_EQ(parse_bearer_token("Bearer "), std::nullopt);
  EXPECT_EQ(parse_bearer_token("bearerabc"), "bearerabc");
}

TEST(SourceInfo, ReadsStatesAndDefaultsToMuted) {
  const auto sources = decode_source_info(
      R"({"a-a0":{"muted":false},"a-v0":{"muted":true,"videoType":"desktop"},"a-v1":{},)"
      R"("a-v2":{"muted":"no","videoType":"hologram"}})");
  ASSERT_TRUE(sources.has_value());
  EXPECT_EQ(sources->at("a-a0"), (SourceState{.muted = false}));
  EXPECT_EQ(sources->at("a-v0"), (SourceState{.video_type = VideoType::kDesktop}));
  EXPECT_EQ(sources->at("a-v1"), SourceState{});
  EXPECT_EQ(sources->at("a-v2"), SourceState{});
  EXPECT_EQ(decode_source_info(encode_source_info(*sources)), *sources);
  for (const std::string_view json : {"", "[]", "{", R"({"a":1})"}) {
    EXPECT_FALSE(decode_source_info(json).has_value()) << json;
  }
}

}  // namespace
}  // namespace bascule::proto
