#include "focus/link.h"

#include <gtest/gtest.h>

#include "xmpp/proto/iq.h"
#include "xmpp/xml/parser.h"
#include "xmpp/xml/writer.h"

namespace bascule::focus {
namespace {

using std::chrono::seconds;

const Now kNow{.mono = Instant{seconds{100}}, .wall = WallTime{}};

xml::Element stanza(const std::string& text) {
  return xml::parse("<s xmlns='jabber:client'>" + text + "</s>").value().children.at(0);
}

class LinkTest : public testing::Test {
 protected:
  static LinkOptions component() {
    return {.stream = StreamId::kService,
            .send_from = Jid::parse("focus@bascule.example/x").value(),
            .resumable = false,
            .proxy_address = {},
            .id_token = 7};
  }
  static LinkOptions client() {
    return {.stream = StreamId::kClient,
            .send_from = {},
            .resumable = true,
            .proxy_address = Jid::parse("focus.example").value(),
            .id_token = 7};
  }
  static Link up(LinkOptions options) {
    Link link(std::move(options));
    std::vector<Input> inputs;
    link.up({.bound_jid = Jid::parse("focus@auth.example/r").value(), .resumed = false}, inputs);
    EXPECT_EQ(inputs.size(), 1U);
    return link;
  }
  void receive(Link& link, const std::string& text) {
    inputs_.clear();
    replies_.clear();
    link.receive(stanza(text), inputs_, replies_);
  }
  static out::SendIq ping(std::uint64_t id) {
    return {.request = RequestId{id},
            .stream = StreamId::kClient,
            .to = Jid::parse("room@conference.example/a").value(),
            .payload = proto::Ping{},
            .timeout = seconds{5}};
  }

  std::vector<Input> inputs_;
  std::vector<xml::Element> replies_;
};

TEST_F(LinkTest, ARoomInQuarantineIsRefusedUnread) {
  Quarantine quarantine;
  quarantine.hold(RoomJid(Jid::parse("tea@conference.example").value()), {});
  LinkOptions options = client();
  options.quarantine = &quarantine;
  Link link = up(options);
  receive(link,
          "<iq type='set' id='1' from='tea@conference.example/a' to='focus@auth.example/r'>"
          "<jingle xmlns='urn:xmpp:jingle:1' action='source-add' sid='s'/></iq>");
  EXPECT_TRUE(inputs_.empty());
  ASSERT_EQ(replies_.size(), 1U);
  const auto error = proto::decode_iq_error(replies_[0]).value();
  EXPECT_EQ(error.condition, proto::Condition::kResourceConstraint);
  EXPECT_EQ(error.type, proto::ErrorType::kWait);
  EXPECT_EQ(replies_[0].attribute("to"), "tea@conference.example/a");
  EXPECT_FALSE(replies_[0].attribute("from"));
  for (const char* text :
       {"<presence from='tea@conference.example/a'/>", "<message from='tea@conference.example'/>",
        "<iq type='result' id='9' from='tea@conference.example/a'/>"}) {
    receive(link, text);
    EXPECT_TRUE(inputs_.empty() && replies_.empty()) << text;
  }
  EXPECT_EQ(link.counters().refused, 4U);
  receive(link, "<presence from='milk@conference.example/a'/>");
  EXPECT_EQ(inputs_.size(), 1U);
  quarantine.take_all();
  receive(link, "<presence from='tea@conference.example/a'/>");
  EXPECT_EQ(inputs_.size(), 1U);
  EXPECT_EQ(link.counters().refused, 4U);
}

TEST_F(LinkTest, AMalformedRequestIsAnsweredBadRequestAndCounted) {
  Link link = up(client());
  receive(link,
          "<iq type='set' id='1' from='a@b/c' to='focus.example'>"
          "<conference xmlns='http://jitsi.org/protocol/focus' room='@@'/></iq>");
  EXPECT_TRUE(inputs_.empty());
  ASSERT_EQ(replies_.size(), 1U);
  EXPECT_EQ(proto::decode_iq_error(replies_[0]).value().condition, proto::Condition::kBadRequest);
  EXPECT_EQ(replies_[0].attribute("id"), "1");
  EXPECT_EQ(replies_[0].attribute("to"), "a@b/c");
  EXPECT_EQ(link.counters().malformed, 1U);
}

TEST_F(LinkTest, MalformedJingleIsLeftToItsSessionWhenItNamesOne) {
  Link link = up(client());
  const std::string head = "<iq type='set' id='1' from='a@b/c'><jingle xmlns='urn:xmpp:jingle:1' ";
  receive(link, head + "action='source-add' sid='s'><content/></jingle></iq>");
  ASSERT_EQ(inputs_.size(), 1U);
  const auto& jingle = std::get<proto::Jingle>(std::get<in::IqRequest>(inputs_[0]).payload);
  EXPECT_EQ(jingle.action, proto::JingleAction::kSourceAdd);
  EXPECT_EQ(jingle.sid, "s");
  EXPECT_TRUE(jingle.malformed);
  EXPECT_TRUE(replies_.empty());
  receive(link, head + "action='source-add'><content/></jingle></iq>");
  EXPECT_TRUE(inputs_.empty());
  EXPECT_EQ(replies_.size(), 1U);
}

TEST_F(LinkTest, ARequestWithAMalformedAddressIsAnsweredToThatAddress) {
  Link link = up(component());
  receive(link, "<iq type='get' id='9' from='a b@c'><x xmlns='y'/></iq>");
  ASSERT_EQ(replies_.size(), 1U);
  EXPECT_EQ(replies_[0].attribute("to"), "a b@c");
}

TEST_F(LinkTest, AnUnknownRequestIsLeftToTheFocus) {
  Link link = up(component());
  receive(link, "<iq type='get' id='1' from='a@b/c' to='bascule.example'><x xmlns='y'/></iq>");
  ASSERT_EQ(inputs_.size(), 1U);
  const auto& request = std::get<in::IqRequest>(inputs_[0]);
  EXPECT_TRUE(std::holds_alternative<proto::UnknownRequest>(request.payload));
  EXPECT_EQ(request.to.to_string(), "bascule.example");
}

TEST_F(LinkTest, AStanzaOverTheLimitsIsAnsweredAndAPresenceIsNot) {
  Link link = up(component());
  link.rejected(stanza("<iq type='set' id='1' from='a@b/c' to='bascule.example'/>"), replies_);
  ASSERT_EQ(replies_.size(), 1U);
  EXPECT_EQ(proto::decode_iq_error(replies_[0]).value().condition,
            proto::Condition::kNotAcceptable);
  link.rejected(stanza("<presence from='a@b/c'/>"), replies_);
  EXPECT_EQ(replies_.size(), 1U);
  EXPECT_EQ(link.counters().over_limit, 2U);
}

TEST_F(LinkTest, PairsAnswersAndCountsForgedOnes) {
  Link link = up(client());
  const auto sent = link.send(ping(5), kNow, inputs_);
  ASSERT_TRUE(sent.has_value());
  const std::string id(sent->attribute_or_empty("id"));
  receive(link, "<iq type='result' id='" + id + "' from='room@conference.example/b'/>");
  EXPECT_TRUE(inputs_.empty());
  EXPECT_EQ(link.counters().unpaired, 1U);
  receive(link, "<iq type='result' id='" + id + "' from='room@conference.example/a'/>");
  ASSERT_EQ(inputs_.size(), 1U);
  EXPECT_EQ(std::get<in::IqAnswer>(inputs_[0]).request, RequestId{5});
}

TEST_F(LinkTest, AResumableCutKeepsRequestsAndTheirDeadlines) {
  Link link = up(client());
  (void)link.send(ping(5), kNow, inputs_);
  link.down({.kind = xmpp::DownKind::kConnection, .reason = "reset"}, inputs_);
  ASSERT_EQ(inputs_.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<in::StreamDown>(inputs_[0]));
  inputs_.clear();
  link.fire_timers({.mono = kNow.mono + seconds{6}, .wall = {}}, inputs_);
  ASSERT_EQ(inputs_.size(), 1U);
  EXPECT_FALSE(std::get<in::IqAnswer>(inputs_[0]).outcome.has_value());
}

TEST_F(LinkTest, ALostStreamEndsItsRequestsBeforeItSaysThatItIsDown) {
  Link link = up(component());
  (void)link.send(ping(5), kNow, inputs_);
  link.down({.kind = xmpp::DownKind::kConnection, .reason = "reset"}, inputs_);
  ASSERT_EQ(inputs_.size(), 2U);
  EXPECT_TRUE(std::holds_alternative<in::IqAnswer>(inputs_[0]));
  EXPECT_TRUE(std::holds_alternative<in::StreamDown>(inputs_[1]));
}

TEST_F(LinkTest, AFailedResumeEndsWhatWaitedForIt) {
  Link link = up(client());
  (void)link.send(ping(5), kNow, inputs_);
  link.down({.kind = xmpp::DownKind::kConnection, .reason = "reset"}, inputs_);
  inputs_.clear();
  link.up({.bound_jid = Jid::parse("focus@auth.example/r").value(), .resumed = false}, inputs_);
  ASSERT_EQ(inputs_.size(), 2U);
  EXPECT_TRUE(std::holds_alternative<in::IqAnswer>(inputs_[0]));
  EXPECT_FALSE(std::get<in::StreamUp>(inputs_[1]).resumed);
}

TEST_F(LinkTest, OnlyTheProxyMaySubscribeToOurPresence) {
  Link link = up(client());
  receive(link, "<presence type='subscribe' from='stranger.example'/>");
  EXPECT_TRUE(replies_.empty());
  receive(link, "<presence type='subscribe' from='focus.example'/>");
  ASSERT_EQ(replies_.size(), 1U);
  EXPECT_EQ(replies_[0].attribute("type"), "subscribed");
}

TEST_F(LinkTest, AComponentSaysWhoItIsAndAClientLeavesThatToTheServer) {
  proto::MucPresence presence;
  presence.to = Jid::parse("room@conference.example/focus").value();
  Link service = up(component());
  EXPECT_EQ(service.send(out::SendPresence{StreamId::kService, presence}).attribute("from"),
            "focus@bascule.example/x");
  Link focus = up(client());
  EXPECT_FALSE(
      focus.send(out::SendPresence{StreamId::kClient, presence}).attribute("from").has_value());
  out::AnswerIq answer{.stream = StreamId::kClient,
                       .from = Jid::parse("focus@auth.example/r").value(),
                       .to = Jid::parse("room@conference.example/a").value(),
                       .stanza_id = "i",
                       .outcome = proto::Answer{proto::Empty{}}};
  EXPECT_FALSE(focus.send(answer).attribute("from").has_value());
}

TEST_F(LinkTest, MalformedPresenceAndMessagesAreCountedAndNothingElse) {
  Link link = up(client());
  receive(link, "<presence from='@@'/>");
  receive(link, "<message from='@@'/>");
  receive(link, "<presence type='probe' from='a@b'/>");
  EXPECT_TRUE(inputs_.empty());
  EXPECT_EQ(link.counters().malformed, 2U);
  EXPECT_EQ(link.counters().ignored, 1U);
}

}  // namespace
}  // namespace bascule::focus
