#include "xmpp/proto/server_info.h"

#include <gtest/gtest.h>

#include "base/time_text.h"
#include "xmpp/xml/parser.h"

namespace bascule::proto {
namespace {

xml::Element parsed(std::string_view text) {
  return xml::parse(text).value();
}

TEST(ServerInfo, ReadsAVersion) {
  const auto version = decode_version(
      parsed("<query xmlns='jabber:iq:version'><name>Prosody</name><version>0.12.3</version>"
             "<os>Linux</os></query>"));
  ASSERT_TRUE(version.has_value());
  EXPECT_EQ(*version, (SoftwareVersion{.name = "Prosody", .version = "0.12.3", .os = "Linux"}));
}

TEST(ServerInfo, RefusesAVersionWithoutItsNumber) {
  EXPECT_FALSE(
      decode_version(parsed("<query xmlns='jabber:iq:version'><name>Prosody</name></query>")));
  EXPECT_FALSE(decode_version(parsed("<query xmlns='jabber:iq:time'/>")));
}

TEST(ServerInfo, ReadsATimeInUtc) {
  const auto time = decode_time(parsed(
      "<time xmlns='urn:xmpp:time'><tzo>+00:00</tzo><utc>2026-11-29T12:00:00Z</utc></time>"));
  ASSERT_TRUE(time.has_value());
  EXPECT_EQ(to_text(*time), "2026-11-29T12:00:00.000Z");
}

TEST(ServerInfo, RefusesATimeThatIsNone) {
  for (const char* utc : {"", "yesterday", "2026-11-29T12:00:00", "2026-11-29T12:00:00+01:00"}) {
    EXPECT_FALSE(decode_time(
        parsed("<time xmlns='urn:xmpp:time'><utc>" + std::string(utc) + "</utc></time>")))
        << utc;
  }
  EXPECT_FALSE(decode_time(parsed("<time xmlns='urn:xmpp:time'/>")));
}

TEST(ServerInfo, AsksInTheRightNamespace) {
  EXPECT_TRUE(version_request().payload.is("query", kVersionNamespace));
  EXPECT_TRUE(time_request().payload.is("time", kTimeNamespace));
}

}  // namespace
}  // namespace bascule::proto
