// What clients get wrong: each is answered or ignored, counted, and costs nobody else anything.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/integration/stage.h"
#include "tests/peers/common/stanza.h"

namespace bascule::test {
namespace {

using peers::element;
namespace ns = peers::ns;

constexpr std::string_view kTestNs = "urn:example:test";

std::string received(const char* link, const char* result) {
  return std::string("bascule_link_stanzas_received_total{link=\"") + link + "\",result=\"" +
         result + "\"}";
}

xml::Element with(xml::Element stanza, xml::Element child) {
  stanza.add(std::move(child));
  return stanza;
}

xml::Element wide() {
  xml::Element payload = element("wide", kTestNs);
  for (int i = 0; i < 60'000; ++i) {
    payload.add(element("a", kTestNs));
  }
  return payload;
}

xml::Element deep() {
  xml::Element payload = element("deep", kTestNs);
  for (int i = 0; i < 200; ++i) {
    xml::Element outer = element("deep", kTestNs);
    outer.add(std::move(payload));
    payload = std::move(outer);
  }
  return payload;
}

xml::Element long_text() {
  return peers::text_element("text", kTestNs, std::string(700'000, 'x'));
}

xml::Element many_attributes() {
  xml::Element payload = element("attributes", kTestNs);
  for (int i = 0; i < 500; ++i) {
    payload.set("a" + std::to_string(i), "1");
  }
  return payload;
}

class MalformedClients : public testing::Test {
 protected:
  explicit MalformedClients(BasculeProcess::Settings settings = {})
      : stage({.prosody = {.extra_global = "c2s_stanza_size_limit = 1048576"},
               .daemon = std::move(settings)}) {}

  void SetUp() override {
    stage.enter(first);
    stage.enter(second);
    stage.until_all_see_each_other({&first, &second});
  }

  /// The two are where they were, and somebody else can come.
  void expect_nothing_lost() {
    ScriptedClient& late = stage.client("room");
    stage.enter(late);
    stage.until_all_see_each_other({&first, &second, &late});
    for (const ScriptedClient* one : {&first, &second}) {
      EXPECT_EQ(one->invites, 1);
      EXPECT_THAT(one->terminations, testing::IsEmpty());
      EXPECT_EQ(one->focus_departures, 0);
    }
    EXPECT_EQ(stage.daemon.metric("bascule_bugs_total"), 0);
    EXPECT_EQ(stage.daemon.metric("bascule_links_lost_total"), 0);
    EXPECT_TRUE(stage.daemon.is_ready());
  }

  Reply jingle(ScriptedClient& from, xml::Element payload) {
    return stage.wait_for(from.ask_jingle(std::move(payload)));
  }

  Stage stage;
  ScriptedClient& first = stage.client("room");
  ScriptedClient& second = stage.client("room");
};

TEST_F(MalformedClients, ConferenceRequestsForWhatIsNoRoomGetBadRequest) {
  ScriptedClient& stranger = stage.client("other");
  for (const char* room : {"nobody@elsewhere.test", "conference.bascule.test", "a b@@c", ""}) {
    const Reply reply = stage.wait_for(stranger.request_conference(room));
    EXPECT_EQ(reply.type(), "error") << room;
    EXPECT_EQ(reply.condition(), "bad-request") << room;
  }
  const Reply without = stage.wait_for(stranger.ask(
      with(peers::iq("set", "focus.bascule.test"), element("conference", ns::kFocus))));
  EXPECT_EQ(without.condition(), "bad-request");
  EXPECT_EQ(stage.daemon.metric("bascule_conference_requests_invalid_total") +
                stage.daemon.metric(received("requests", "malformed")),
            5);
  expect_nothing_lost();
}

TEST_F(MalformedClients, UnknownRequestsGetServiceUnavailableOnEveryLink) {
  ScriptedClient& stranger = stage.client("other");
  for (const std::string& to :
       {std::string("focus.bascule.test"), std::string("bascule.bascule.test"),
        std::string("focus@auth.bascule.test/focus")}) {
    const Reply reply =
        stage.wait_for(stranger.ask(with(peers::iq("get", to), element("what", kTestNs))));
    EXPECT_EQ(reply.type(), "error") << to;
    EXPECT_EQ(reply.condition(), "service-unavailable") << to;
  }
  EXPECT_EQ(stage.daemon.metric("bascule_iq_unknown_total"), 3);
  // Without a payload it is not even a request.
  const Reply empty = stage.wait_for(stranger.ask(peers::iq("set", "focus.bascule.test")));
  EXPECT_EQ(empty.type(), "error");
  expect_nothing_lost();
}

TEST_F(MalformedClients, StanzasOverALimitAreAnsweredAndTheLinksStayUp) {
  ScriptedClient& stranger = stage.client("other");
  for (const auto& make : {wide, deep, long_text, many_attributes}) {
    for (const std::string& to :
         {std::string("focus.bascule.test"), std::string("focus@auth.bascule.test/focus")}) {
      const auto began = Stage::Clock::now();
      const Reply reply = stage.wait_for(stranger.ask(with(peers::iq("set", to), make())));
      EXPECT_EQ(reply.type(), "error") << to;
      EXPECT_EQ(reply.condition(), "not-acceptable") << to << ' ' << make().name;
      EXPECT_LT(Stage::Clock::now() - began, std::chrono::seconds(5));
    }
  }
  EXPECT_EQ(stage.daemon.metric(received("requests", "over_limit")), 4);
  EXPECT_EQ(stage.daemon.metric(received("client", "over_limit")), 4);
  // Nobody answers a message.
  xml::Element message =
      element("message", ns::kClient, {{"to", "focus.bascule.test"}, {"type", "chat"}});
  stranger.send(with(message, wide()));
  stage.until("the message is counted",
              [&] { return stage.daemon.metric(received("requests", "over_limit")) == 5; });
  expect_nothing_lost();
}

// Without `wide`: libstrophe needs half a minute to parse it (xmpp/strophe/README.md).
TEST_F(MalformedClients, StanzasOverALimitToTheServiceLinkAreAnswered) {
  ScriptedClient& stranger = stage.client("other");
  for (const auto& make : {deep, long_text, many_attributes}) {
    const Reply reply =
        stage.wait_for(stranger.ask(with(peers::iq("set", "bascule.bascule.test"), make())));
    EXPECT_EQ(reply.condition(), "not-acceptable") << make().name;
  }
  EXPECT_EQ(stage.daemon.metric(received("service", "over_limit")), 3);
  expect_nothing_lost();
}

class NativeServiceLink : public MalformedClients {
 protected:
  NativeServiceLink() : MalformedClients({{"links.service", {{"transport", "\"native\""}}}}) {}
};

// All of them, `wide` too: what the setting is for (ADR 0011).
TEST_F(NativeServiceLink, StanzasOverALimitAreAnsweredAtOnceAndNobodyIsMoved) {
  ScriptedClient& stranger = stage.client("other");
  for (const auto& make : {wide, deep, long_text, many_attributes}) {
    const auto began = Stage::Clock::now();
    const Reply reply =
        stage.wait_for(stranger.ask(with(peers::iq("set", "bascule.bascule.test"), make())));
    EXPECT_EQ(reply.condition(), "not-acceptable") << make().name;
    EXPECT_LT(Stage::Clock::now() - began, std::chrono::seconds(5));
  }
  EXPECT_EQ(stage.daemon.metric(received("service", "over_limit")), 4);
  EXPECT_EQ(stage.daemon.metric("bascule_bridges_lost_total"), 0);
  expect_nothing_lost();
}

TEST_F(MalformedClients, JingleThatCannotBeReadGetsBadRequest) {
  const std::string sid = first.offer().sid;
  const auto of = [&sid](const char* action) {
    return element("jingle", ns::kJingle, {{"action", action}, {"sid", sid}});
  };
  EXPECT_EQ(jingle(first, element("jingle", ns::kJingle)).condition(), "bad-request");
  EXPECT_EQ(jingle(first, of("make-coffee")).condition(), "bad-request");
  EXPECT_EQ(
      jingle(first, element("jingle", ns::kJingle, {{"action", "session-accept"}})).condition(),
      "bad-request");
  // A source without a number, and one whose number is none.
  for (const char* ssrc : {"", "-1", "seven", "99999999999"}) {
    xml::Element add = of("source-add");
    xml::Element& description =
        add.add(element("content", ns::kJingle, {{"creator", "initiator"}, {"name", "audio"}}))
            .add(element("description", ns::kRtp, {{"media", "audio"}}));
    description.add(element("source", ns::kSources, {{"ssrc", ssrc}}));
    const Reply reply = jingle(first, add);
    EXPECT_EQ(reply.type(), "error") << ssrc;
  }
  EXPECT_GE(stage.daemon.metric(received("client", "malformed")), 3);
  expect_nothing_lost();
}

TEST_F(MalformedClients, JingleOfTheWrongSessionOrTheWrongSenderChangesNothing) {
  const auto terminate = [](const std::string& sid) {
    xml::Element payload =
        element("jingle", ns::kJingle, {{"action", "session-terminate"}, {"sid", sid}});
    payload.add(element("reason", ns::kJingle)).add(element("success", ns::kJingle));
    return payload;
  };
  const Reply wrong_sid = jingle(first, terminate("no-such-session"));
  EXPECT_EQ(wrong_sid.type(), "error");
  EXPECT_EQ(wrong_sid.condition(), "item-not-found");
  const xml::Element* error = wrong_sid.stanza.child("error", ns::kClient);
  ASSERT_NE(error, nullptr);
  EXPECT_NE(error->child("unknown-session", ns::kJingleErrors), nullptr);

  // Another participant's session.
  const Reply not_mine = jingle(second, terminate(first.offer().sid));
  EXPECT_EQ(not_mine.condition(), "item-not-found");
  // From outside the room, straight to the focus.
  ScriptedClient& stranger = stage.client("other");
  const Reply outside = stage.wait_for(stranger.ask(
      with(peers::iq("set", "focus@auth.bascule.test/focus"), terminate(first.offer().sid))));
  EXPECT_EQ(outside.type(), "error");
  EXPECT_EQ(outside.condition(), "item-not-found");
  // From outside, through the room: the room refuses.
  xml::Element through = peers::iq("set", first.focus_occupant());
  EXPECT_EQ(stage.wait_for(stranger.ask(with(through, terminate(first.offer().sid)))).type(),
            "error");
  // Nobody invites the focus.
  const Reply initiate = jingle(
      first, element("jingle", ns::kJingle, {{"action", "session-initiate"}, {"sid", "mine"}}));
  EXPECT_EQ(initiate.type(), "error");

  EXPECT_EQ(stage.daemon.metric("bascule_iq_strangers_total"), 1);
  EXPECT_GE(stage.daemon.metric("bascule_jingle_unknown_session_total"), 2);
  EXPECT_TRUE(first.is_active());
  expect_nothing_lost();
}

TEST_F(MalformedClients, AnswersNobodyAskedForAndOddPresenceAreIgnored) {
  ScriptedClient& stranger = stage.client("other");
  xml::Element result = peers::iq("result", "focus.bascule.test");
  result.set("id", "never-asked");
  stranger.send(result);
  result.set("to", "focus@auth.bascule.test/focus");
  stranger.send(result);
  stranger.send(peers::presence("focus@auth.bascule.test/focus"));
  stranger.send(peers::presence("focus.bascule.test", "subscribe"));
  stage.until("all of it is counted", [this] {
    return stage.daemon.metric(received("requests", "unpaired")) == 1 &&
           stage.daemon.metric(received("client", "unpaired")) == 1 &&
           stage.daemon.metric("bascule_presences_ignored_total") >= 1 &&
           stage.daemon.metric(received("requests", "ignored")) == 1;
  });
  expect_nothing_lost();
}

}  // namespace
}  // namespace bascule::test
