#include "tests/peers/bridgesim/colibri.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/peers/bridgesim/schema.h"
#include "tests/peers/common/stanza.h"
#include "xmpp/xml/parser.h"

namespace bascule::peers {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

xml::Element modify(const std::string& attributes, const std::string& body) {
  const auto parsed = xml::parse("<conference-modify xmlns='jitsi:colibri2' meeting-id='m' " +
                                 attributes + ">" + body + "</conference-modify>");
  EXPECT_TRUE(parsed) << body;
  return *parsed;
}

const std::string kCreate =
    "<endpoint id='a' create='true'><transport ice-controlling='true'><sctp/></transport>"
    "<capability name='source-names'/></endpoint>";

class ColibriTest : public testing::Test {
 protected:
  ColibriReply run(const xml::Element& request) {
    if (const auto refused = colibri_.admit(request, false, now_)) {
      return {.error = refused};
    }
    const auto reply = colibri_.process(request, now_);
    EXPECT_TRUE(reply);
    return *reply;
  }

  BridgeIdentity identity_{
      .id = 3, .nick = "jvb3", .ip = "203.0.113.3", .port = 10003, .fingerprint = "AB:CD"};
  Colibri colibri_{identity_, 5};
  SteadyTime now_{std::chrono::seconds(1000)};
};

TEST_F(ColibriTest, CreateAnswersWithTransportSctpAndFeedbackSources) {
  const ColibriReply reply = run(modify("create='true' name='r@c.x'", kCreate));
  ASSERT_FALSE(reply.error);
  EXPECT_FALSE(reply.expires);
  const xml::Element* endpoint = reply.modified.child("endpoint", ns::kColibri2);
  ASSERT_NE(endpoint, nullptr);
  const xml::Element* transport = endpoint->child("transport", ns::kColibri2);
  ASSERT_NE(transport, nullptr);
  EXPECT_EQ(transport->child("sctp", ns::kColibri2)->attribute_or_empty("port"), "5000");
  const xml::Element* ice = transport->child("transport", ns::kIce);
  ASSERT_NE(ice, nullptr);
  EXPECT_EQ(ice->child("candidate", ns::kIce)->attribute_or_empty("port"), "10003");
  EXPECT_EQ(ice->child("fingerprint", ns::kDtls)->text, "AB:CD");
  EXPECT_EQ(reply.modified.child("sources", ns::kColibri2)->children.size(), 2U);
}

TEST_F(ColibriTest, KnowsBothSidesCredentialsByItsUfragAndForgetsThemWithTheEndpoint) {
  const ColibriReply made = run(modify("create='true' name='r@c.x'", kCreate));
  const xml::Element* ice = made.modified.child("endpoint", ns::kColibri2)
                                ->child("transport", ns::kColibri2)
                                ->child("transport", ns::kIce);
  const std::string ufrag(ice->attribute_or_empty("ufrag"));
  const BridgeEndpoint* endpoint = colibri_.endpoint_of(ufrag);
  ASSERT_NE(endpoint, nullptr);
  EXPECT_EQ(endpoint->ours.pwd, ice->attribute_or_empty("pwd"));
  EXPECT_EQ(endpoint->theirs.ufrag, "");
  EXPECT_FALSE(colibri_.media_arrived(ufrag, now_));  // Before it knows the other side.
  run(modify("",
             "<endpoint id='a'><transport><transport xmlns='urn:xmpp:jingle:transports:ice-udp:1' "
             "ufrag='u' pwd='p'/></transport></endpoint>"));
  EXPECT_EQ(endpoint->theirs.ufrag, "u");
  EXPECT_EQ(endpoint->theirs.pwd, "p");
  EXPECT_TRUE(colibri_.media_arrived(ufrag, now_));
  run(modify("", "<endpoint id='a' expire='true'/>"));
  EXPECT_EQ(colibri_.endpoint_of(ufrag), nullptr);
  EXPECT_EQ(colibri_.endpoint_of("unknown"), nullptr);
  EXPECT_FALSE(colibri_.media_arrived(ufrag, now_));
}

TEST_F(ColibriTest, BlamesTheFocusForImpossibleRequests) {
  run(modify("create='true' name='r@c.x'", kCreate));
  const ColibriReply twice = run(modify("", kCreate));
  ASSERT_TRUE(twice.error);
  EXPECT_EQ(twice.error->condition, "conflict");
  EXPECT_THAT(twice.wrong, Contains(HasSubstr("existing endpoint")));
  const ColibriReply both = run(modify("", "<endpoint id='a'/><relay id='r'/>"));
  EXPECT_THAT(both.wrong, Contains(HasSubstr("endpoint and relay")));
  const ColibriReply several = run(
      modify("", "<endpoint id='a'><sources/></endpoint><endpoint id='b'><sources/></endpoint>"));
  EXPECT_EQ(several.error->reason, "feature_not_implemented");
}

TEST_F(ColibriTest, DoesNotBlameTheFocusWhenItCannotKnow) {
  run(modify("create='true' name='r@c.x'", kCreate));
  colibri_.mark_uncertain("m");
  const ColibriReply twice = run(modify("", kCreate));
  EXPECT_TRUE(twice.error);
  EXPECT_THAT(twice.wrong, IsEmpty());
}

TEST_F(ColibriTest, AnEmptiedConferenceExpiresAndItsQueuedRequestsAreDropped) {
  run(modify("create='true' name='r@c.x'", kCreate));
  const ColibriReply expire = run(modify("", "<endpoint id='a' expire='true'/>"));
  EXPECT_TRUE(expire.expires);
  EXPECT_EQ(expire.modified.children.front().attribute_or_empty("expire"), "true");
  colibri_.expire("m");
  EXPECT_FALSE(colibri_.process(modify("", "<endpoint id='a'/>"), now_));
}

const std::string kRelay =
    "<relay id='r' mesh-id='0' create='true'><media type='audio'/><media type='video'/>"
    "<transport ice-controlling='true' use-unique-port='true'><sctp role='client'/></transport>"
    "<endpoints><endpoint id='b' create='true'><sources/><capability name='source-names'/>"
    "</endpoint></endpoints></relay>";

std::string relay_transport(const std::string& setup) {
  return "<relay id='r'><transport><transport xmlns='urn:xmpp:jingle:transports:ice-udp:1' "
         "ufrag='u' pwd='p'><fingerprint xmlns='urn:xmpp:jingle:apps:dtls:0' hash='sha-256' "
         "setup='" +
         setup + "'>AA</fingerprint></transport></transport></relay>";
}

TEST_F(ColibriTest, ARelayIsMadeConnectedToldOfEndpointsAndExpired) {
  identity_.relay_id = "jvb3-relay";
  run(modify("create='true' name='r@c.x'", kCreate));
  EXPECT_THAT(schema_problems(modify("", kRelay)), IsEmpty());
  const ColibriReply made = run(modify("", kRelay));
  EXPECT_THAT(made.wrong, IsEmpty());
  const xml::Element* transport =
      made.modified.child("relay", ns::kColibri2)->child("transport", ns::kColibri2);
  EXPECT_EQ(transport->child("sctp", ns::kColibri2)->attribute_or_empty("role"), "server");
  EXPECT_EQ(transport->child("transport", ns::kIce)->child("web-socket", ns::kColibri), nullptr);
  EXPECT_THAT(run(modify("", relay_transport("active"))).wrong, IsEmpty());
  const BridgeRelay& relay = colibri_.conferences().at("m").relays.at("r");
  EXPECT_EQ(relay.remote_ufrag, "u");
  EXPECT_TRUE(relay.endpoints.contains("b"));
  EXPECT_THAT(run(modify("", relay_transport("passive"))).wrong,
              testing::UnorderedElementsAre(HasSubstr("DTLS"), HasSubstr("second transport")));
  // The relay keeps the conference alive; the last of both ends it.
  EXPECT_FALSE(run(modify("", "<endpoint id='a' expire='true'/>")).expires);
  EXPECT_TRUE(run(modify("", "<relay id='r' expire='true'/>")).expires);
}

TEST_F(ColibriTest, BlamesTheFocusForWhatRelaysCannotDo) {
  run(modify("create='true' name='r@c.x'", kCreate));
  EXPECT_THAT(run(modify("", kRelay)).wrong, Contains(HasSubstr("no relay_id")));
  identity_.relay_id = "jvb3-relay";
  EXPECT_THAT(run(modify("", "<relay id='r'/>")).wrong, Contains(HasSubstr("unknown relay")));
  run(modify("", kRelay));
  EXPECT_THAT(run(modify("", kRelay)).wrong, Contains(HasSubstr("existing relay")));
  const auto endpoints = [](const std::string& endpoint) {
    return modify("", "<relay id='r'><endpoints>" + endpoint + "</endpoints></relay>");
  };
  EXPECT_THAT(run(endpoints("<endpoint id='c'><sources/></endpoint>")).wrong,
              Contains(HasSubstr("unknown remote endpoint")));
  EXPECT_THAT(run(endpoints("<endpoint id='a' create='true'><sources/></endpoint>")).wrong,
              Contains(HasSubstr("local endpoint announced")));
  EXPECT_THAT(run(endpoints("<endpoint id='b'/>")).wrong, Contains(HasSubstr("without sources")));
  const std::string local_b =
      "<endpoint id='b' create='true'><transport/><capability name='source-names'/></endpoint>";
  const ColibriReply collides = run(modify("", local_b));
  EXPECT_EQ(collides.error->condition, "internal-server-error");
  EXPECT_FALSE(run(endpoints("<endpoint id='b' expire='true'/>")).error);
  EXPECT_FALSE(run(modify("", local_b)).error);
}

TEST_F(ColibriTest, SweepRemovesWhatNeverConnected) {
  run(modify("create='true' name='r@c.x'", kCreate));
  colibri_.sweep(now_ + std::chrono::seconds(119));
  EXPECT_EQ(colibri_.endpoint_count(), 1);
  colibri_.sweep(now_ + std::chrono::seconds(121));
  EXPECT_TRUE(colibri_.conferences().empty());
}

TEST(SchemaTest, AcceptsWhatAFocusSendsAndRejectsWhatABridgeCannotParse) {
  EXPECT_THAT(schema_problems(modify("create='true' name='r@c.x'", kCreate)), IsEmpty());
  const std::pair<const char*, const char*> bad[] = {
      {"create='yes'", "<endpoint id='a'/>"},
      {"name='c.x'", ""},
      {"", "<endpoint/>"},
      {"", "<endpoint id='a' muc-role='king'/>"},
      {"", "<endpoint id='a'><media/></endpoint>"},
      {"", "<endpoint id='a'><unknown/></endpoint>"},
      {"", "<endpoint id='a'><transport><sctp port='x'/></transport></endpoint>"},
      {"", "<endpoint id='a'><sources><media-source type='video'/></sources></endpoint>"},
      {"",
       "<endpoint id='a'><sources><media-source type='audio' id='x'>"
       "<source xmlns='urn:xmpp:jingle:apps:rtp:ssma:0' ssrc='0'/></media-source></sources>"
       "</endpoint>"},
      {"", "<endpoint id='a'><initial-last-n/></endpoint>"},
  };
  for (const auto& [attributes, body] : bad) {
    EXPECT_FALSE(schema_problems(modify(attributes, body)).empty()) << attributes << body;
  }
}

}  // namespace
}  // namespace bascule::peers
