#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include <boost/asio/post.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/xmpp/stream/link_recorder.h"
#include "tests/unit/xmpp/stream/scripted_server.h"
#include "xmpp/component_negotiation.h"
#include "xmpp/stream/native_stream.h"

namespace bascule::xmpp {
namespace {

using std::chrono::milliseconds, std::chrono::seconds;
using test::LinkRecorder;
using test::ScriptedServer;
using testing::HasSubstr;
using testing::Not;
using Then = ScriptedServer::Then;

constexpr const char* kHeader =
    "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' "
    "xmlns:stream='http://etherx.jabber.org/streams' id='s1' from='focus.test'>";

const ScriptedServer::Script kWelcome = {{"to='focus.test'>", kHeader},
                                         {"</handshake>", "<handshake/>"}};

class NativeComponentTest : public testing::Test {
 protected:
  NativeComponentTest() {
    options_.port = server_.port();
    options_.domain = "focus.test";
    options_.secret = "s3cr3t";
    server_.serve(kWelcome);
  }

  NativeStream& make() {
    stream_ = std::make_unique<NativeStream>(io_, options_, link_);
    return *stream_;
  }

  NativeStream& make_up() {
    NativeStream& stream = make();
    stream.open();
    EXPECT_TRUE(link_.run_until(io_, [this] { return link_.ups == 1; }));
    return stream;
  }

  bool run_until(const std::function<bool()>& done) { return link_.run_until(io_, done); }
  bool run_until_down() {
    return run_until([this] { return !link_.downs.empty(); });
  }

  boost::asio::io_context io_;
  ScriptedServer server_{io_};
  NativeStreamOptions options_;
  LinkRecorder link_;
  std::unique_ptr<NativeStream> stream_;
};

xml::Element message(const std::string& to, const std::string& body) {
  xml::Element element{.name = "message", .ns = "jabber:client"};
  element.set("to", to).set("from", "focus@focus.test");
  element.add({.name = "body", .ns = "jabber:client", .text = body});
  return element;
}

TEST_F(NativeComponentTest, ComesUpWithTheHandshakeOfXep0114) {
  make_up();
  EXPECT_EQ(link_.last_up.bound_jid.to_string(), "focus.test");
  EXPECT_FALSE(link_.last_up.resumed);
  EXPECT_THAT(server_.received(), HasSubstr(component_digest("s1", "s3cr3t")));
  EXPECT_THAT(server_.received(), HasSubstr("xmlns='jabber:component:accept'"));
  // printf 's1s3cr3t' | sha1sum
  EXPECT_EQ(component_digest("s1", "s3cr3t"), "50fd0d57d3d15802b6329bc83876d5edffd5de49");
}

TEST_F(NativeComponentTest, AWrongSecretIsAnAuthenticationFailureAndNeverPrinted) {
  server_.serve({{"to='focus.test'>", kHeader},
                 {"</handshake>",
                  "<stream:error><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
                  "<text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>Given token does not match"
                  "</text></stream:error></stream:stream>",
                  Then::kClose}});
  make().open();
  ASSERT_TRUE(run_until_down());
  EXPECT_EQ(link_.downs[0].kind, DownKind::kAuthentication);
  EXPECT_THAT(link_.downs[0].reason, HasSubstr("Given token does not match"));
  EXPECT_THAT(link_.downs[0].reason, Not(HasSubstr("s3cr3t")));
  EXPECT_EQ(link_.ups, 0);
}

TEST_F(NativeComponentTest, AConflictIsToldApart) {
  server_.serve({{"to='focus.test'>", kHeader},
                 {"</handshake>",
                  "<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
                  "</stream:error></stream:stream>"}});
  make().open();
  ASSERT_TRUE(run_until_down());
  EXPECT_EQ(link_.downs[0].kind, DownKind::kConflict);
}

TEST_F(NativeComponentTest, NothingIsReportedFromInsideACall) {
  NativeStream& stream = make();
  stream.open();
  stream.close();
  EXPECT_TRUE(link_.downs.empty());
  ASSERT_TRUE(run_until_down());
  EXPECT_EQ(link_.downs[0].kind, DownKind::kClosedByUs);
  EXPECT_EQ(link_.ups, 0);
}

TEST_F(NativeComponentTest, ARefusedConnectionIsDownAtOnce) {
  boost::asio::ip::tcp::acceptor unused(
      io_, boost::asio::ip::tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
  options_.port = unused.local_endpoint().port();
  unused.close();
  make().open();
  ASSERT_TRUE(run_until_down());
  EXPECT_EQ(link_.downs[0].kind, DownKind::kConnection);
  EXPECT_THAT(link_.downs[0].reason, HasSubstr("refused"));
}

TEST_F(NativeComponentTest, AHostNameIsResolvedAndEachOfItsAddressesTried) {
  options_.host = "localhost";  // On most systems ::1 first, where nobody listens.
  make_up();
}

TEST_F(NativeComponentTest, AnAddressThatSwallowsPacketsTimesOutByItself) {
  // A listener nobody accepts from, its queue full: the kernel drops further connection attempts.
  using boost::asio::ip::tcp;
  const tcp::endpoint any(boost::asio::ip::address_v4::loopback(), 0);
  tcp::acceptor full(io_, any.protocol());
  full.bind(any);
  full.listen(0);
  std::vector<tcp::socket> waiting;
  for (int i = 0; i < 4; ++i) {
    waiting.emplace_back(io_);
    waiting.back().async_connect(full.local_endpoint(), [](boost::system::error_code) {});
  }
  io_.poll();
  options_.port = full.local_endpoint().port();
  options_.connect_timeout = milliseconds{100};
  make().open();
  ASSERT_TRUE(run_until_down());
  EXPECT_EQ(link_.downs[0].kind, DownKind::kConnection);
  EXPECT_THAT(link_.downs[0].reason, HasSubstr("timed out"));
}

TEST_F(NativeComponentTest, AnUnknownHostIsAConnectionFailure) {
  options_.host = "no-such-host.invalid";
  make().open();
  ASSERT_TRUE(run_until_down());
  EXPECT_EQ(link_.downs[0].kind, DownKind::kConnection);
  EXPECT_THAT(link_.downs[0].reason, HasSubstr("cannot resolve no-such-host.invalid"));
}

TEST_F(NativeComponentTest, ABadOwnDomainFailsWithoutConnecting) {
  options_.domain = "";
  make().open();
  ASSERT_TRUE(run_until_down());
  EXPECT_EQ(link_.downs[0].kind, DownKind::kProtocol);
  EXPECT_EQ(server_.connections(), 0U);
}

TEST_F(NativeComponentTest, AServerThatNeverAnswersTimesOut) {
  server_.serve({});
  options_.open_timeout = milliseconds{100};
  make().open();
  ASSERT_TRUE(run_until_down());
  EXPECT_EQ(link_.downs[0].kind, DownKind::kConnection);
  EXPECT_THAT(link_.downs[0].reason, HasSubstr("did not come up in time"));
}

TEST_F(NativeComponentTest, SomethingThatIsNotXmppIsAProtocolFailure) {
  server_.serve({{"to='focus.test'>", "HTTP/1.1 400 Bad Request\r\n\r\n"}});
  make().open();
  ASSERT_TRUE(run_until_down());
  EXPECT_EQ(link_.downs[0].kind, DownKind::kProtocol);
}

TEST_F(NativeComponentTest, MalformedXmlEndsTheLinkAfterWhatCameBeforeIt) {
  make_up();
  server_.send("<message id='1'/><message></presence>");
  ASSERT_TRUE(run_until_down());
  EXPECT_EQ(link_.downs[0].kind, DownKind::kProtocol);
  ASSERT_EQ(link_.stanzas.size(), 1U);
  EXPECT_EQ(link_.stanzas[0].attribute_or_empty("id"), "1");
}

TEST_F(NativeComponentTest, TheServersEndIsSeenAtOnce) {
  for (const bool hard : {false, true}) {
    make_up();
    hard ? server_.reset() : server_.close();
    ASSERT_TRUE(run_until_down());
    EXPECT_EQ(link_.downs[0].kind, DownKind::kConnection);
    link_ = {};
  }
}

TEST_F(NativeComponentTest, StanzasAreClientStanzasForTheListener) {
  make_up();
  server_.send(
      "<iq type='error' id='7' from='a@test/r' to='focus.test'><error type='cancel'>"
      "<conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
      "<message from='a@test'><body>hi</body><x xmlns='urn:other'/></message>");
  ASSERT_TRUE(run_until([this] { return link_.stanzas.size() == 2; }));
  EXPECT_EQ(link_.sequences, (std::vector<std::uint64_t>{1, 2}));
  EXPECT_TRUE(link_.stanzas[0].is("iq", "jabber:client"));
  const xml::Element* error = link_.stanzas[0].child("error", "jabber:client");
  ASSERT_NE(error, nullptr);
  EXPECT_NE(error->child("conflict", "urn:ietf:params:xml:ns:xmpp-stanzas"), nullptr);
  EXPECT_NE(link_.stanzas[1].child("body", "jabber:client"), nullptr);
  EXPECT_NE(link_.stanzas[1].child("x", "urn:other"), nullptr);
}

TEST_F(NativeComponentTest, SentStanzasTakeTheNamespaceOfTheStream) {
  NativeStream& stream = make_up();
  stream.send(message("a@test", "1 < 2"));
  ASSERT_TRUE(
      run_until([this] { return server_.unread().find("</message>") != std::string::npos; }));
  EXPECT_EQ(server_.unread(),
            "<message to='a@test' from='focus@focus.test'><body>1 &lt; 2</body></message>");
  EXPECT_EQ(stream.counters().stanzas_out, 1U);
  EXPECT_TRUE(run_until([&stream] { return stream.queued_bytes() == 0; }));
}

TEST_F(NativeComponentTest, AStanzaOverTheParseLimitsCostsItselfOnly) {
  options_.parse_limits.elements = 10;
  NativeStream& stream = make_up();
  std::string children;
  for (int i = 0; i < 100; ++i) {
    children += "<a/>";
  }
  server_.send("<iq type='set' id='bad' from='evil@test/x'><q xmlns='urn:q'>" + children +
               "</q></iq><message id='good'/>");
  ASSERT_TRUE(run_until([this] { return link_.stanzas.size() == 1; }));
  ASSERT_EQ(link_.rejected.size(), 1U);
  EXPECT_TRUE(link_.rejected[0].is("iq", "jabber:client"));
  EXPECT_EQ(link_.rejected[0].attribute_or_empty("id"), "bad");
  EXPECT_EQ(link_.stanzas[0].attribute_or_empty("id"), "good");
  EXPECT_EQ(link_.sequences, (std::vector<std::uint64_t>{1, 2}));
  EXPECT_EQ(stream.counters().rejected_in, 1U);
  EXPECT_TRUE(link_.downs.empty());
}

TEST_F(NativeComponentTest, AStanzaTooLargeToSendIsRefusedAndTold) {
  std::vector<std::string> warnings;
  options_.warn = [&warnings](const std::string& text) { warnings.push_back(text); };
  NativeStream& stream = make_up();
  stream.send(message("big@test", std::string(std::size_t{410} * 1024, 'x')));
  stream.send(message("small@test", "ok"));
  ASSERT_TRUE(
      run_until([this] { return server_.unread().find("small@test") != std::string::npos; }));
  EXPECT_THAT(server_.unread(), Not(HasSubstr("big@test")));
  EXPECT_EQ(stream.counters().oversize_out, 1U);
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_THAT(warnings[0], HasSubstr("big@test"));
}

TEST_F(NativeComponentTest, AServerThatReadsNothingCostsTheLinkNotOurMemory) {
  options_.max_queued_bytes = 1024UL * 1024;
  NativeStream& stream = make_up();
  server_.stop_reading();
  const xml::Element chunk = message("a@test", std::string(std::size_t{100} * 1024, 'x'));
  for (int i = 0; i < 1000 && link_.downs.empty(); ++i) {
    stream.send(chunk);
    EXPECT_LE(stream.queued_bytes(), options_.max_queued_bytes);
    io_.poll();
  }
  ASSERT_TRUE(run_until_down());
  EXPECT_EQ(link_.downs[0].kind, DownKind::kConnection);
  EXPECT_THAT(link_.downs[0].reason, HasSubstr("queue"));
}

TEST_F(NativeComponentTest, TheProbeIsAnsweredByItsOwnReturn) {
  options_.probe_interval = milliseconds{20};
  options_.probe_timeout = seconds{9};
  NativeStream& stream = make_up();
  for (int round = 1; round <= 3; ++round) {
    const std::string id = "id='bascule-probe-" + std::to_string(round) + "'";
    ASSERT_TRUE(run_until([&] { return server_.unread().find(id) != std::string::npos; }));
    server_.send("<iq type='get' " + id +
                 " from='focus.test' to='focus.test'><ping xmlns='urn:xmpp:ping'/></iq>");
  }
  ASSERT_TRUE(run_until([&] { return stream.counters().stanzas_in >= 3; }));
  EXPECT_TRUE(link_.stanzas.empty());
  EXPECT_TRUE(link_.downs.empty());
}

TEST_F(NativeComponentTest, AStrangersIqWithTheProbesIdIsAnOrdinaryStanza) {
  options_.probe_interval = milliseconds{20};
  make_up();
  ASSERT_TRUE(
      run_until([this] { return server_.unread().find("bascule-probe-1") != std::string::npos; }));
  server_.send("<iq type='get' id='bascule-probe-1' from='evil@test/x' to='focus.test'/>");
  EXPECT_TRUE(run_until([this] { return link_.stanzas.size() == 1; }));
}

TEST_F(NativeComponentTest, ASilentServerIsFoundByTheProbe) {
  options_.probe_interval = milliseconds{20};
  options_.probe_timeout = milliseconds{50};
  make_up();
  ASSERT_TRUE(run_until_down());
  EXPECT_EQ(link_.downs[0].kind, DownKind::kConnection);
  EXPECT_THAT(link_.downs[0].reason, HasSubstr("does not answer"));
}

TEST_F(NativeComponentTest, AFloodIsDeliveredInTurns) {
  options_.stanzas_per_turn = 10;
  make_up();
  std::size_t delivered_before_other_work = 0;
  link_.on_stanza_hook = [&] {
    if (link_.stanzas.size() == 1) {
      boost::asio::post(io_, [&] { delivered_before_other_work = link_.stanzas.size(); });
    }
  };
  std::string flood;
  for (int i = 0; i < 1000; ++i) {
    flood += "<message/>";
  }
  server_.send(flood);
  ASSERT_TRUE(run_until([this] { return link_.stanzas.size() == 1000; }));
  EXPECT_GE(delivered_before_other_work, 1U);
  EXPECT_LE(delivered_before_other_work, 10U);
  EXPECT_EQ(link_.sequences.back(), 1000U);
}

TEST_F(NativeComponentTest, ClosingSaysGoodbyeAndSendsWhatWasQueued) {
  NativeStream& stream = make_up();
  stream.send(message("a@test", "last words"));
  stream.close();
  ASSERT_TRUE(run_until([this] { return server_.peer_closed(); }));
  EXPECT_THAT(server_.received(), testing::EndsWith("last words</body></message></stream:stream>"));
  server_.close();
  ASSERT_TRUE(run_until_down());
  EXPECT_EQ(link_.downs[0].kind, DownKind::kClosedByUs);
}

TEST_F(NativeComponentTest, CanBeOpenedAgain) {
  NativeStream& stream = make_up();
  for (int round = 2; round <= 4; ++round) {
    server_.reset();
    ASSERT_TRUE(
        run_until([&] { return link_.downs.size() == static_cast<std::size_t>(round - 1); }));
    stream.send(message("nobody@test", "while down"));
    stream.open();
    ASSERT_TRUE(run_until([&] { return link_.ups == round; }));
  }
  server_.send("<message/>");
  ASSERT_TRUE(run_until([this] { return link_.stanzas.size() == 1; }));
  EXPECT_EQ(link_.sequences, (std::vector<std::uint64_t>{1}));
  EXPECT_THAT(server_.received(), Not(HasSubstr("while down")));
}

TEST_F(NativeComponentTest, MayBeOpenedAgainFromOnDown) {
  NativeStream& stream = make_up();
  link_.on_down_hook = [&stream] { stream.open(); };
  server_.reset();
  EXPECT_TRUE(run_until([this] { return link_.ups == 2; }));
}

TEST_F(NativeComponentTest, MayBeDestroyedInsideAnyCallback) {
  make_up();
  link_.on_stanza_hook = [this] { stream_.reset(); };
  server_.send("<message/><message/>");
  ASSERT_TRUE(run_until([this] { return server_.peer_closed(); }));
  EXPECT_EQ(link_.stanzas.size(), 1U);
  EXPECT_TRUE(link_.downs.empty());

  link_ = {};
  make_up();
  link_.on_down_hook = [this] { stream_.reset(); };
  server_.reset();
  ASSERT_TRUE(run_until_down());
  EXPECT_EQ(stream_, nullptr);
}

TEST_F(NativeComponentTest, MayBeClosedInsideOnStanza) {
  NativeStream& stream = make_up();
  link_.on_stanza_hook = [&stream] { stream.close(); };
  server_.send("<message/><message/>");
  ASSERT_TRUE(run_until([this] { return server_.peer_closed(); }));
  server_.close();
  ASSERT_TRUE(run_until_down());
  EXPECT_EQ(link_.stanzas.size(), 1U);
  EXPECT_EQ(link_.downs[0].kind, DownKind::kClosedByUs);
}

}  // namespace
}  // namespace bascule::xmpp
