#include "tests/peers/clientsim/sources.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/peers/common/stanza.h"
#include "xmpp/xml/parser.h"

namespace bascule::peers {
namespace {

using testing::SizeIs;

xml::Element jingle(const std::string& body) {
  const auto parsed = xml::parse("<jingle xmlns='urn:xmpp:jingle:1'>" + body + "</jingle>");
  EXPECT_TRUE(parsed) << body;
  return *parsed;
}

std::string json(const std::string& text) {
  return "<json-message xmlns='http://jitsi.org/jitmeet'>" + text + "</json-message>";
}

const std::string kXml =
    "<content name='video'><description xmlns='urn:xmpp:jingle:apps:rtp:1' media='video'>"
    "<source xmlns='urn:xmpp:jingle:apps:rtp:ssma:0' ssrc='11' name='b-v0' videoType='camera'>"
    "<ssrc-info xmlns='http://jitsi.org/jitmeet' owner='b'/>"
    "<parameter xmlns='urn:xmpp:jingle:apps:rtp:1' name='msid' value='v 1'/></source>"
    "<source xmlns='urn:xmpp:jingle:apps:rtp:ssma:0' ssrc='12' name='b-v0' videoType='camera'>"
    "<ssrc-info xmlns='http://jitsi.org/jitmeet' owner='b'/>"
    "<parameter xmlns='urn:xmpp:jingle:apps:rtp:1' name='msid' value='v 1'/></source>"
    "<ssrc-group xmlns='urn:xmpp:jingle:apps:rtp:ssma:0' semantics='FID'>"
    "<source ssrc='11'/><source ssrc='12'/></ssrc-group></description></content>";
const std::string kJson =
    R"({"sources":{"b":[[{"s":11,"n":"b-v0","m":"v 1"},{"s":12,"n":"b-v0","m":"v 1"}],[["f",11,12]],[]]}})";

TEST(SourcesTest, BothEncodingsMeanTheSame) {
  const auto from_xml = parse_sources(jingle(kXml));
  const auto from_json = parse_sources(jingle(json(kJson)));
  ASSERT_TRUE(from_xml) << from_xml.error().what;
  ASSERT_TRUE(from_json) << from_json.error().what;
  EXPECT_EQ(from_xml->at("b").sources, from_json->at("b").sources);
  EXPECT_EQ(from_xml->at("b").groups, from_json->at("b").groups);
  EXPECT_FALSE(parse_sources(jingle(kXml + json(kJson)))) << "in both encodings at once";
}

TEST(SourcesTest, RejectsMalformedJson) {
  const char* const bad[] = {
      "",
      "[]",
      R"({"sources":[]})",
      R"({"sources":{"b":[[],[]]}})",
      R"({"sources":{"b":[[{"s":0}],[],[]]}})",
      R"({"sources":{"b":[[{"s":4294967296}],[],[]]}})",
      R"({"sources":{"b":[[{"s":1,"x":"y"}],[],[]]}})",
      R"({"sources":{"b":[[{"s":1}],[["f",1,2]],[]]}})",
      R"({"sources":{"b":[[{"s":1},{"s":1}],[],[]]}})",
  };
  for (const char* text : bad) {
    EXPECT_FALSE(parse_sources(jingle(json(text)))) << text;
  }
}

TEST(SourcesTest, NoticesContradictions) {
  SourcesByOwner known;
  const auto sources = parse_sources(jingle(json(kJson)));
  ASSERT_TRUE(sources);
  EXPECT_THAT(add_sources(known, *sources), SizeIs(0));
  EXPECT_THAT(add_sources(known, *sources), SizeIs(3)) << "two sources and a group";
  EXPECT_THAT(remove_sources(known, *sources), SizeIs(0));
  EXPECT_TRUE(known.empty());
  EXPECT_THAT(remove_sources(known, *sources), SizeIs(2));
}

TEST(SourcesTest, ReceiversNeedAudioAndTheFirstLayerWithItsRepair) {
  Prng random(1);
  const SourceSet local = make_local_sources("abcd1234", random);
  EXPECT_THAT(local.sources, SizeIs(7));
  EXPECT_THAT(local.groups, SizeIs(4));
  EXPECT_THAT(required_ssrcs(local), SizeIs(3));
  EXPECT_THAT(required_ssrcs(make_desktop_sources("abcd1234", random)), SizeIs(2));
}

}  // namespace
}  // namespace bascule::peers
