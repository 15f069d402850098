// The native stream against a real Prosody.

#include "xmpp/stream/native_stream.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/integration/prosody.h"
#include "tests/integration/tcp_proxy.h"
#include "tests/unit/xmpp/stream/link_recorder.h"

namespace bascule::xmpp {
namespace {

using std::chrono::milliseconds, std::chrono::seconds, std::chrono::steady_clock;
using test::LinkRecorder;
using test::Prosody;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kRoom = "orange@conference.bascule.test";

xml::Element element(std::string name, std::string ns) {
  return {.name = std::move(name), .ns = std::move(ns)};
}

xml::Element join(const std::string& nick) {
  xml::Element presence = element("presence", "jabber:client");
  presence.set("to", std::string(kRoom) + "/" + nick);
  presence.add(element("x", "http://jabber.org/protocol/muc"));
  return presence;
}

xml::Element groupchat(const std::string& body) {
  xml::Element message = element("message", "jabber:client");
  message.set("to", kRoom).set("type", "groupchat");
  message.add({.name = "body", .ns = "jabber:client", .text = body});
  return message;
}

/// One link of the test with all it received.
struct Peer {
  Peer(boost::asio::io_context& io, const NativeStreamOptions& options)
      : stream(std::make_unique<NativeStream>(io, options, link)) {}

  [[nodiscard]] bool got_body(const std::string& body) const { return count_body(body) > 0; }
  [[nodiscard]] std::ptrdiff_t count_body(const std::string& body) const {
    return std::count_if(link.stanzas.begin(), link.stanzas.end(), [&](const xml::Element& stanza) {
      const xml::Element* child = stanza.child("body", "jabber:client");
      return child != nullptr && child->text == body;
    });
  }
  /// Presence of an occupant; `type` empty for available.
  [[nodiscard]] bool saw_presence(const std::string& nick, const std::string& type) const {
    return std::any_of(link.stanzas.begin(), link.stanzas.end(), [&](const xml::Element& stanza) {
      return stanza.name == "presence" && stanza.attribute_or_empty("type") == type &&
             stanza.attribute_or_empty("from") == std::string(kRoom) + "/" + nick;
    });
  }

  LinkRecorder link;
  std::unique_ptr<NativeStream> stream;
};

class NativeStreamProsodyTest : public testing::Test {
 protected:
  NativeStreamOptions component() {
    NativeStreamOptions options;
    options.port = prosody_.component_port();
    options.domain = "focus." + prosody_.domain();
    options.secret = prosody_.options().focus_secret;
    return options;
  }

  NativeStreamOptions client(const std::string& user = "focus",
                             const std::string& password = "focus-password") {
    NativeStreamOptions options;
    options.mode = NativeStreamOptions::Mode::kClient;
    options.port = prosody_.c2s_port();
    options.domain = "auth." + prosody_.domain();
    options.user = user;
    options.resource = "test";
    options.secret = password;
    options.tls.ca_file = prosody_.ca_file();
    return options;
  }

  bool run_until(const std::function<bool()>& done) { return LinkRecorder::run_until(io_, done); }

  std::unique_ptr<Peer> up(const NativeStreamOptions& options) {
    auto peer = std::make_unique<Peer>(io_, options);
    peer->stream->open();
    EXPECT_TRUE(run_until([&] { return peer->link.ups == 1 || !peer->link.downs.empty(); }));
    EXPECT_EQ(peer->link.ups, 1) << (peer->link.downs.empty() ? "" : peer->link.downs[0].reason);
    return peer;
  }

  Down refused(const NativeStreamOptions& options) {
    Peer peer(io_, options);
    peer.stream->open();
    EXPECT_TRUE(run_until([&] { return peer.link.ups == 1 || !peer.link.downs.empty(); }));
    EXPECT_EQ(peer.link.ups, 0);
    return peer.link.downs.empty() ? Down{} : peer.link.downs[0];
  }

  Prosody prosody_;
  boost::asio::io_context io_;
};

TEST_F(NativeStreamProsodyTest, TheComponentComesUpAndIsHeard) {
  const auto focus = up(component());
  EXPECT_EQ(focus->link.last_up.bound_jid.to_string(), "focus.bascule.test");
  const auto bridge = up(client("jvb", "jvb-password"));
  xml::Element query = element("iq", "jabber:client");
  query.set("type", "get").set("id", "q1").set("to", "focus.bascule.test/any");
  query.add(element("query", "urn:example:question"));
  bridge->stream->send(query);
  ASSERT_TRUE(run_until([&] { return !focus->link.stanzas.empty(); }));
  const xml::Element& asked = focus->link.stanzas[0];
  EXPECT_TRUE(asked.is("iq", "jabber:client"));
  xml::Element answer = element("iq", "jabber:client");
  answer.set("type", "result").set("id", "q1").set("from", "focus.bascule.test/any");
  answer.set("to", asked.attribute_or_empty("from"));
  focus->stream->send(answer);
  ASSERT_TRUE(run_until([&] { return !bridge->link.stanzas.empty(); }));
  EXPECT_EQ(bridge->link.stanzas[0].attribute_or_empty("type"), "result");
}

TEST_F(NativeStreamProsodyTest, AWrongSecretIsNamedAndNotPrinted) {
  auto options = component();
  options.secret = "guess";
  const Down down = refused(options);
  EXPECT_EQ(down.kind, DownKind::kAuthentication);
  EXPECT_THAT(down.reason, AllOf(HasSubstr("not-authorized"), Not(HasSubstr("guess"))));
}

TEST_F(NativeStreamProsodyTest, AnUnknownComponentIsRefused) {
  auto options = component();
  options.domain = "nobody.bascule.test";
  const Down down = refused(options);
  EXPECT_EQ(down.kind, DownKind::kProtocol);
  EXPECT_THAT(down.reason, HasSubstr("host-unknown"));
}

TEST_F(NativeStreamProsodyTest, TheSecondConnectionOfAComponentReplacesTheFirst) {
  const auto first = up(component());
  const auto second = up(component());
  ASSERT_TRUE(run_until([&] { return !first->link.downs.empty(); }));
  EXPECT_EQ(first->link.downs[0].kind, DownKind::kConflict);
  EXPECT_TRUE(second->link.downs.empty());
}

TEST_F(NativeStreamProsodyTest, TheComponentsProbeIsAnsweredByProsody) {
  auto options = component();
  options.probe_interval = milliseconds{50};
  options.probe_timeout = seconds{5};
  const auto focus = up(options);
  ASSERT_TRUE(run_until([&] { return focus->stream->counters().stanzas_in >= 1; }));
  EXPECT_TRUE(focus->link.stanzas.empty());
}

TEST_F(NativeStreamProsodyTest, AClientLogsInWithScramOverTls) {
  const auto focus = up(client());
  EXPECT_EQ(focus->link.last_up.bound_jid.to_string(), "focus@auth.bascule.test/test");
  EXPECT_FALSE(focus->stream->session_state().id.empty());
  EXPECT_THAT(prosody_.log(), HasSubstr("Authenticated as focus@auth.bascule.test"));
  EXPECT_THAT(prosody_.log(), HasSubstr("Stream encrypted"));
}

TEST_F(NativeStreamProsodyTest, AWrongPasswordIsAnAuthenticationFailure) {
  const Down down = refused(client("focus", "guess"));
  EXPECT_EQ(down.kind, DownKind::kAuthentication);
  EXPECT_THAT(down.reason, AllOf(HasSubstr("not-authorized"), Not(HasSubstr("guess"))));
}

TEST_F(NativeStreamProsodyTest, AnUntrustedCertificateIsRefusedAndNamed) {
  auto options = client();
  options.tls.ca_file.clear();
  const Down down = refused(options);
  EXPECT_EQ(down.kind, DownKind::kCertificate);
  EXPECT_THAT(down.reason, AllOf(HasSubstr("self-signed certificate"), HasSubstr("CN=bascule.test"),
                                 HasSubstr("SHA-256")));
  EXPECT_THAT(prosody_.log(), Not(HasSubstr("Authenticated as focus")));
}

TEST_F(NativeStreamProsodyTest, AnonymousLoginWorksOnTheMainHost) {
  auto options = client("", "");
  options.domain = prosody_.domain();
  options.resource.clear();
  const auto anonymous = up(options);
  EXPECT_EQ(anonymous->link.last_up.bound_jid.domain(), "bascule.test");
  EXPECT_FALSE(anonymous->link.last_up.bound_jid.is_bare());
}

TEST_F(NativeStreamProsodyTest, AKilledServerIsDownAtOnce) {
  const auto focus = up(component());
  const auto login = up(client());
  const auto start = steady_clock::now();
  prosody_.kill();
  ASSERT_TRUE(run_until([&] { return !focus->link.downs.empty() && !login->link.downs.empty(); }));
  EXPECT_LT(steady_clock::now() - start, milliseconds{500});
  EXPECT_EQ(focus->link.downs[0].kind, DownKind::kConnection);
  EXPECT_EQ(login->link.downs[0].kind, DownKind::kConnection);

  // Its tokens died with it: the same stream comes back as a new session.
  prosody_.start();
  focus->stream->open();
  login->stream->open();
  ASSERT_TRUE(run_until([&] { return focus->link.ups == 2 && login->link.ups == 2; }));
  EXPECT_FALSE(login->link.last_up.resumed);
  EXPECT_EQ(login->stream->counters().resumes_refused, 1U);
}

TEST_F(NativeStreamProsodyTest, AServerThatHangsIsFoundByTheProbe) {
  auto options = component();
  options.probe_interval = milliseconds{50};
  options.probe_timeout = milliseconds{300};
  auto login = client();
  login.probe_interval = options.probe_interval;
  login.probe_timeout = options.probe_timeout;
  const auto focus = up(options);
  const auto user = up(login);
  prosody_.suspend();
  EXPECT_TRUE(run_until([&] { return !focus->link.downs.empty() && !user->link.downs.empty(); }));
  prosody_.resume();
  EXPECT_THAT(focus->link.downs[0].reason, HasSubstr("does not answer"));
  EXPECT_THAT(user->link.downs[0].reason, HasSubstr("does not answer"));
}

TEST_F(NativeStreamProsodyTest, ACutIsResumedWithoutLeavingARoom) {
  test::TcpProxy proxy(io_, prosody_.c2s_port());
  auto options = client();
  options.port = proxy.port();
  const auto focus = up(options);
  const auto other = up(client("jvb", "jvb-password"));
  focus->stream->send(join("focus"));
  ASSERT_TRUE(run_until([&] { return focus->saw_presence("focus", ""); }));
  other->stream->send(join("other"));
  ASSERT_TRUE(run_until([&] { return other->saw_presence("focus", ""); }));
  focus->stream->handled(focus->link.sequences.back());

  // Lost in both directions: one stanza leaves into the cut cable, one arrives at the server for
  // us.
  proxy.stall();
  focus->stream->send(groupchat("from the dark"));
  ASSERT_TRUE(run_until([&] { return focus->stream->queued_bytes() == 0; }));
  other->stream->send(groupchat("into the dark"));
  ASSERT_TRUE(run_until([&] { return other->got_body("into the dark"); }));
  proxy.cut();
  ASSERT_TRUE(run_until([&] { return !focus->link.downs.empty(); }));
  EXPECT_FALSE(focus->got_body("into the dark"));
  focus->stream->open();
  ASSERT_TRUE(run_until([&] { return focus->link.ups == 2; }));
  EXPECT_TRUE(focus->link.last_up.resumed);
  EXPECT_EQ(focus->link.last_up.bound_jid.to_string(), "focus@auth.bascule.test/test");
  EXPECT_TRUE(run_until([&] { return focus->got_body("into the dark"); }));
  EXPECT_TRUE(run_until([&] { return other->got_body("from the dark"); }));
  EXPECT_EQ(other->count_body("from the dark"), 1);
  EXPECT_FALSE(other->saw_presence("focus", "unavailable"));

  // The counters still agree: another cut, another resume.
  focus->stream->handled(focus->link.sequences.back());
  proxy.cut();
  ASSERT_TRUE(run_until([&] { return focus->link.downs.size() == 2; }));
  focus->stream->open();
  ASSERT_TRUE(run_until([&] { return focus->link.ups == 3; }));
  EXPECT_TRUE(focus->link.last_up.resumed);
  focus->stream->send(groupchat("still here"));
  EXPECT_TRUE(run_until([&] { return other->got_body("still here"); }));
  EXPECT_EQ(focus->count_body("into the dark"), 1);
}

TEST_F(NativeStreamProsodyTest, OnlyWhatIsNotHandledIsRedelivered) {
  constexpr int kMessages = 200;
  constexpr std::uint64_t kUnhandled = 60;
  test::TcpProxy proxy(io_, prosody_.c2s_port());
  auto options = client();
  options.port = proxy.port();
  const auto focus = up(options);
  const auto other = up(client("jvb", "jvb-password"));
  for (int i = 0; i < kMessages; ++i) {
    xml::Element message = element("message", "jabber:client");
    message.set("to", "focus@auth.bascule.test/test");
    message.add({.name = "body", .ns = "jabber:client", .text = std::to_string(i)});
    other->stream->send(message);
  }
  ASSERT_TRUE(run_until([&] { return focus->link.stanzas.size() == kMessages; }));
  focus->stream->handled(kMessages - kUnhandled);
  proxy.cut();
  ASSERT_TRUE(run_until([&] { return !focus->link.downs.empty(); }));
  focus->stream->open();
  ASSERT_TRUE(run_until([&] { return focus->stream->counters().redelivered == kUnhandled; }));
  EXPECT_TRUE(focus->link.last_up.resumed);
  other->stream->send(
      element("message", "jabber:client").set("to", "focus@auth.bascule.test/test"));
  ASSERT_TRUE(run_until([&] { return focus->link.stanzas.size() == kMessages + 1; }));
  EXPECT_EQ(focus->link.sequences.back(), kMessages + 1U);
  for (int i = 0; i < kMessages; ++i) {
    EXPECT_EQ(focus->count_body(std::to_string(i)), 1) << i;
  }
}

TEST_F(NativeStreamProsodyTest, ASecondLoginOnTheSameResourceIsAConflictForTheFirst) {
  const auto first = up(client());
  const auto second = up(client());
  ASSERT_TRUE(run_until([&] { return !first->link.downs.empty(); }));
  EXPECT_EQ(first->link.downs[0].kind, DownKind::kConflict);
  EXPECT_EQ(second->link.last_up.bound_jid.to_string(), "focus@auth.bascule.test/test");
}

TEST_F(NativeStreamProsodyTest, ASessionThatExpiredIsReplacedByANewOne) {
  test::TcpProxy proxy(io_, prosody_.c2s_port());
  auto options = client();
  options.port = proxy.port();
  const auto focus = up(options);
  proxy.cut();
  ASSERT_TRUE(run_until([&] { return !focus->link.downs.empty(); }));
  // Binding the resource from elsewhere ends the hibernating session.
  const auto thief = up(client());
  thief->stream->close();
  ASSERT_TRUE(run_until([&] { return !thief->link.downs.empty(); }));
  focus->stream->open();
  ASSERT_TRUE(run_until([&] { return focus->link.ups == 2; }));
  EXPECT_FALSE(focus->link.last_up.resumed);
  EXPECT_EQ(focus->stream->counters().resumes_refused, 1U);
}

TEST_F(NativeStreamProsodyTest, AnotherProcessTakesTheSessionOver) {
  const auto first = up(client());
  const auto other = up(client("jvb", "jvb-password"));
  first->stream->send(join("focus"));
  other->stream->send(join("other"));
  ASSERT_TRUE(run_until([&] { return other->saw_presence("focus", ""); }));
  ASSERT_TRUE(run_until([&] { return first->saw_presence("focus", ""); }));
  first->stream->handled(first->link.sequences.back());
  const SmState state = first->stream->session_state();

  Peer second(io_, client());  // The old connection is still open: the resume fences it.
  second.stream->adopt(state);
  second.stream->open();
  ASSERT_TRUE(run_until([&] { return second.link.ups == 1 && !first->link.downs.empty(); }));
  EXPECT_TRUE(second.link.last_up.resumed);
  second.stream->send(groupchat("same occupant"));
  EXPECT_TRUE(run_until([&] { return other->got_body("same occupant"); }));
  EXPECT_FALSE(other->saw_presence("focus", "unavailable"));
}

TEST_F(NativeStreamProsodyTest, ACleanCloseLeavesTheRoomAtOnce) {
  const auto focus = up(client());
  const auto other = up(client("jvb", "jvb-password"));
  focus->stream->send(join("focus"));
  other->stream->send(join("other"));
  ASSERT_TRUE(run_until([&] { return other->saw_presence("focus", ""); }));
  focus->stream->close();
  ASSERT_TRUE(run_until([&] { return !focus->link.downs.empty(); }));
  EXPECT_EQ(focus->link.downs[0].kind, DownKind::kClosedByUs);
  EXPECT_TRUE(run_until([&] { return other->saw_presence("focus", "unavailable"); }));
}

TEST_F(NativeStreamProsodyTest, AHostileStanzaOfAClientDoesNotCutTheComponent) {
  auto options = component();
  options.parse_limits.elements = 1000;
  const auto focus = up(options);
  const auto attacker = up(client("jvb", "jvb-password"));
  xml::Element bomb = element("iq", "jabber:client");
  bomb.set("type", "set").set("id", "bomb").set("to", "focus.bascule.test");
  xml::Element& query = bomb.add(element("query", "urn:example:bomb"));
  for (int i = 0; i < 5'000; ++i) {
    query.add(element("a", "urn:example:bomb"));
  }
  attacker->stream->send(bomb);
  ASSERT_TRUE(run_until([&] { return !focus->link.rejected.empty(); }));
  EXPECT_EQ(focus->link.rejected[0].attribute_or_empty("id"), "bomb");
  EXPECT_THAT(std::string(focus->link.rejected[0].attribute_or_empty("from")),
              HasSubstr("jvb@auth.bascule.test"));
  attacker->stream->send(
      element("message", "jabber:client").set("to", "focus.bascule.test").set("id", "after"));
  EXPECT_TRUE(run_until([&] { return !focus->link.stanzas.empty(); }));
  EXPECT_TRUE(focus->link.downs.empty());
}

}  // namespace
}  // namespace bascule::xmpp
