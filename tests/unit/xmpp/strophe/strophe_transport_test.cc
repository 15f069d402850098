#include "xmpp/strophe/strophe_transport.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/support/link_test.h"
#include "tests/unit/xmpp/strophe/component_server.h"

namespace bascule::xmpp {
namespace {

using std::chrono::milliseconds, std::chrono::seconds;
using SteadyClock = std::chrono::steady_clock;
using Behaviour = ComponentServer::Behaviour;

class StropheTransportTest : public test::LinkTest {
 protected:
  StropheOptions options(const ComponentServer& server) {
    return {.host = "127.0.0.1",
            .port = server.port(),
            .address = Jid::parse("c.test").value(),
            .secret = "s3cret"};
  }
  void create(StropheOptions with) {
    transport = std::make_unique<StropheTransport>(std::move(with), io.get_executor(), recorder);
  }
};

xml::Element message(const std::string& body) {
  xml::Element element{.name = "message", .ns = "jabber:client"};
  element.set("to", "u@x.test");
  element.add({.name = "body", .ns = "jabber:client", .text = body});
  return element;
}

TEST_F(StropheTransportTest, ExchangesStanzasInTheClientNamespace) {
  ComponentServer server(io, "s3cret");
  create(options(server));
  ASSERT_TRUE(connect());
  EXPECT_EQ(recorder.ups[0].bound_jid.to_string(), "c.test");

  transport->send(message("hello"));
  ASSERT_TRUE(run_until([&] { return server.received.size() > 40; }));
  EXPECT_EQ(server.received, "<message to='u@x.test'><body>hello</body></message>");
  EXPECT_TRUE(run_until([&] { return transport->queued_bytes() == 0; }));

  server.write(
      "<iq xml:lang='en' from='u@x.test/r' to='c.test' id='1' type='error'>"
      "<q xmlns='urn:q' b='2' a='1'><r/></q><error type='cancel'><conflict "
      "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>");
  ASSERT_TRUE(run_until([&] { return !recorder.stanzas.empty(); }));
  const auto& iq = recorder.stanzas[0];
  EXPECT_TRUE(iq.is("iq", "jabber:client"));
  EXPECT_EQ(iq.attribute("xml:lang"), "en");
  EXPECT_EQ(iq.attribute("xmlns"), std::nullopt);
  ASSERT_NE(iq.child("q", "urn:q"), nullptr);
  EXPECT_EQ(iq.child("q", "urn:q")->attributes.size(), 2U);
  EXPECT_NE(iq.child("q", "urn:q")->child("r", "urn:q"), nullptr);
  const auto* error = iq.child("error", "jabber:client");
  ASSERT_NE(error, nullptr);
  EXPECT_NE(error->child("conflict", "urn:ietf:params:xml:ns:xmpp-stanzas"), nullptr);
  EXPECT_EQ(recorder.last_sequence, 1U);
}

TEST_F(StropheTransportTest, NamesAWrongSecret) {
  ComponentServer server(io, "other");
  create(options(server));
  EXPECT_FALSE(connect());
  ASSERT_EQ(recorder.downs.size(), 1U);
  EXPECT_EQ(recorder.downs[0].kind, DownKind::kAuthentication);
  EXPECT_EQ(recorder.downs[0].reason, "stream error not-authorized: Given token does not match");
}

TEST_F(StropheTransportTest, TellsWhyItCannotConnect) {
  std::uint16_t free_port = 0;
  {
    const ComponentServer server(io, "s3cret");
    free_port = server.port();
  }
  ComponentServer server(io, "s3cret");
  auto refused = options(server);
  refused.port = free_port;
  create(refused);
  EXPECT_FALSE(connect());
  ASSERT_EQ(recorder.downs.size(), 1U);
  EXPECT_EQ(recorder.downs[0].kind, DownKind::kConnection);
  EXPECT_EQ(recorder.downs[0].reason, "cannot connect: Connection refused");

  recorder.downs.clear();
  auto unknown = options(server);
  unknown.host = "no-such-host.invalid";
  create(unknown);
  EXPECT_FALSE(connect());
  ASSERT_EQ(recorder.downs.size(), 1U);
  EXPECT_THAT(recorder.downs[0].reason, testing::HasSubstr("cannot resolve no-such-host.invalid"));
}

TEST_F(StropheTransportTest, GivesUpOnAServerThatAcceptsAndStaysSilent) {
  ComponentServer server(io, "s3cret", Behaviour::kSilent);
  auto impatient = options(server);
  impatient.login_timeout = milliseconds{200};
  create(impatient);
  EXPECT_FALSE(connect());
  ASSERT_EQ(recorder.downs.size(), 1U);
  EXPECT_EQ(recorder.downs[0].kind, DownKind::kConnection);
  EXPECT_EQ(recorder.downs[0].reason, "no login within the time limit");
}

// libstrophe blocks its thread for the whole TLS handshake, without a time limit.
TEST_F(StropheTransportTest, GivesUpOnAServerThatStallsInTheTlsHandshake) {
  ComponentServer server(io, "s3cret", Behaviour::kStallInTls);
  auto impatient = options(server);
  impatient.mode = StropheMode::kClient;
  impatient.address = Jid::parse("u@c.test/r").value();
  impatient.login_timeout = seconds{2};
  create(impatient);
  EXPECT_FALSE(connect());
  EXPECT_EQ(server.logins, 1);
  ASSERT_EQ(recorder.downs.size(), 1U);
  EXPECT_EQ(recorder.downs[0].reason, "no login within the time limit");

  impatient.login_timeout = seconds{60};
  create(impatient);
  transport->open();
  ASSERT_TRUE(run_until([&] { return server.logins == 2; }));
  const auto start = SteadyClock::now();
  transport.reset();  // Must not wait for the server either.
  EXPECT_LT(SteadyClock::now() - start, seconds{2});
}

TEST_F(StropheTransportTest, FindsAServerThatHangs) {
  ComponentServer server(io, "s3cret", Behaviour::kDeaf);
  auto watchful = options(server);
  watchful.ping_interval = milliseconds{100};
  watchful.ping_timeout = milliseconds{100};
  create(watchful);
  ASSERT_TRUE(connect());
  ASSERT_TRUE(run_until_down());
  EXPECT_EQ(recorder.downs[0].reason, "no answer to a ping within the time limit");
}

TEST_F(StropheTransportTest, ItsOwnPingsAreAnsweredAndNotDelivered) {
  ComponentServer server(io, "s3cret");
  int pings = 0;
  server.on_received = [&](const std::string& chunk) {
    ++pings;
    server.write(chunk);  // The server routes the request back to the component.
  };
  auto watchful = options(server);
  watchful.ping_interval = milliseconds{30};
  watchful.ping_timeout = milliseconds{200};
  create(watchful);
  ASSERT_TRUE(connect());
  ASSERT_TRUE(run_until([&] { return pings >= 4; }));
  EXPECT_TRUE(recorder.stanzas.empty());
  EXPECT_TRUE(recorder.downs.empty());
}

TEST_F(StropheTransportTest, ABadStringCannotEndTheLink) {
  ComponentServer server(io, "s3cret");
  create(options(server));
  ASSERT_TRUE(connect());
  transport->send(
      message("a\x01"
              "b\xFF"
              "c\xED\xA0\x80"
              "d\xEF\xBF\xBF<&"));
  ASSERT_TRUE(run_until([&] { return server.received.find("</message>") != std::string::npos; }));
  EXPECT_EQ(server.received, "<message to='u@x.test'><body>abcd&lt;&amp;</body></message>");
}

// Goal: no lost wake-up. Method: 200 round trips one after the other; a lost wake-up would show as
// the 250 ms of the safety tick.
TEST_F(StropheTransportTest, RoundTripsNeverWaitForTheSafetyTick) {
  ComponentServer server(io, "s3cret");
  server.on_received = [&](const std::string& chunk) { server.write(chunk); };
  create(options(server));
  ASSERT_TRUE(connect());
  std::vector<SteadyClock::duration> round_trips;
  for (std::size_t i = 0; i < 200; ++i) {
    const auto start = SteadyClock::now();
    transport->send(message(std::to_string(i)));
    ASSERT_TRUE(run_until([&] { return recorder.stanzas.size() == i + 1; }));
    round_trips.push_back(SteadyClock::now() - start);
  }
  std::sort(round_trips.begin(), round_trips.end());
  const auto micros = [](auto d) {
    return std::chrono::duration_cast<std::chrono::microseconds>(d).count();
  };
  std::printf("round trip p50 %ld us, max %ld us\n", micros(round_trips[100]),
              micros(round_trips.back()));
  EXPECT_LT(round_trips[100], milliseconds{10});
  EXPECT_LT(round_trips.back(), milliseconds{200});
}

TEST_F(StropheTransportTest, DeliversABurstInOrderAndStanzasOfAnySize) {
  ComponentServer server(io, "s3cret");
  create(options(server));
  ASSERT_TRUE(connect());
  std::string burst;
  for (int i = 0; i < 3000; ++i) {
    burst += "<message from='u@x.test' id='" + std::to_string(i) + "'/>";
  }
  burst +=
      "<message from='u@x.test' id='big'><body>" + std::string(300'000, 'x') + "</body></message>";
  const auto start = SteadyClock::now();
  server.write(burst);
  ASSERT_TRUE(run_until([&] { return recorder.stanzas.size() == 3001; }));
  for (std::size_t i = 0; i < 3000; ++i) {
    ASSERT_EQ(recorder.stanzas[i].attribute("id"), std::to_string(i));
  }
  EXPECT_EQ(recorder.stanzas[3000].child("body", "jabber:client")->text.size(), 300'000U);
  EXPECT_EQ(recorder.last_sequence, 3001U);
  EXPECT_LT(SteadyClock::now() - start, seconds{3});
}

TEST_F(StropheTransportTest, SendsABurstLargerThanTheKernelsBuffers) {
  ComponentServer server(io, "s3cret");
  create(options(server));
  ASSERT_TRUE(connect());
  const auto one = message(std::string(10'000, 'y'));
  for (int i = 0; i < 1000; ++i) {
    transport->send(one);
  }
  EXPECT_GT(transport->queued_bytes(), 0U);
  ASSERT_TRUE(run_until([&] { return server.received.size() >= 10'000'000; }, seconds{20}));
  EXPECT_TRUE(run_until([&] { return transport->queued_bytes() == 0; }));
  EXPECT_TRUE(recorder.downs.empty());
}

TEST_F(StropheTransportTest, AStanzaOverTheLimitsIsReportedAndTheLinkStaysUp) {
  ComponentServer server(io, "s3cret");
  auto strict = options(server);
  strict.limits = {.bytes = 1000, .depth = 4, .elements = 10, .attributes = 8};
  create(strict);
  ASSERT_TRUE(connect());
  server.write(
      "<iq id='1' from='u@x.test'><a><b><c><d><e/></d></c></b></a></iq>"
      "<iq id='2'><q>" +
      std::string(1001, 'z') +
      "</q></iq><iq id='3'><a/><a/><a/><a/>"
      "<a/><a/><a/><a/><a/><a/></iq><iq id='4'/>");
  ASSERT_TRUE(run_until([&] { return !recorder.stanzas.empty(); }));
  EXPECT_EQ(recorder.rejections,
            (std::vector<std::string>{"iq: more than 4 levels",
                                      "iq: more than 1000 bytes of text and attributes",
                                      "iq: more than 10 elements"}));
  EXPECT_EQ(recorder.stanzas[0].attribute("id"), "4");
  EXPECT_EQ(recorder.last_sequence, 4U);
}

TEST_F(StropheTransportTest, EndsTheLinkWhenThePeerDoesNotRead) {
  ComponentServer server(io, "s3cret", Behaviour::kDeaf);
  auto bounded = options(server);
  bounded.queue_bytes_max = 2'000'000;
  bounded.ping_interval = std::chrono::minutes{10};  // Would find it too, after a while.
  create(bounded);
  ASSERT_TRUE(connect());
  const auto one = message(std::string(100'000, 'y'));
  for (int i = 0; i < 80; ++i) {
    transport->send(one);
  }
  ASSERT_TRUE(run_until_down());
  EXPECT_EQ(recorder.downs.size(), 1U);
  EXPECT_THAT(recorder.downs[0].reason, testing::HasSubstr("does not read"));
  // What was sent after the break is still on its way to the library's thread.
  EXPECT_TRUE(run_until([&] { return transport->queued_bytes() == 0; }));
}

TEST_F(StropheTransportTest, ReconnectsAsOftenAsAsked) {
  ComponentServer server(io, "s3cret");
  create(options(server));
  for (int i = 0; i < 20; ++i) {
    recorder.downs.clear();
    ASSERT_TRUE(connect());
    server.drop();
    ASSERT_TRUE(run_until_down());
    EXPECT_EQ(recorder.downs[0].kind, DownKind::kConnection);
  }
  EXPECT_EQ(server.logins, 20);
}

TEST_F(StropheTransportTest, ClosesCleanlyInEveryState) {
  ComponentServer server(io, "s3cret");
  create(options(server));
  ASSERT_TRUE(connect());
  transport->send(message("last words"));
  transport->close();
  ASSERT_TRUE(run_until_down());
  EXPECT_EQ(recorder.downs[0].kind, DownKind::kClosedByUs);
  EXPECT_THAT(server.received, testing::HasSubstr("last words</body></message></stream:stream>"));

  transport->open();
  transport->close();
  ASSERT_TRUE(run_until([&] { return recorder.downs.size() == 2; }));
  EXPECT_EQ(recorder.downs[1].kind, DownKind::kClosedByUs);

  ComponentServer silent(io, "s3cret", Behaviour::kSilent);
  create(options(silent));
  transport->open();
  EXPECT_FALSE(run_until([&] { return recorder.downs.size() == 3; }, milliseconds{100}));
  transport->close();
  ASSERT_TRUE(run_until([&] { return recorder.downs.size() == 3; }));
  EXPECT_EQ(recorder.downs[2].kind, DownKind::kClosedByUs);
}

TEST_F(StropheTransportTest, CallsNobodyAfterItsDestruction) {
  ComponentServer server(io, "s3cret");
  create(options(server));
  ASSERT_TRUE(connect());
  server.write("<message id='1'/>");
  transport.reset();
  EXPECT_FALSE(run_until([&] { return !recorder.stanzas.empty() || !recorder.downs.empty(); },
                         milliseconds{100}));
  create(options(server));
  transport->open();
  transport.reset();
  EXPECT_FALSE(run_until([&] { return recorder.ups.size() > 1; }, milliseconds{100}));
}

// Goal: the process survives descriptors that select(2) cannot watch. Method: open more than
// FD_SETSIZE of them, connect twice, exchange stanzas.
TEST_F(StropheTransportTest, WorksWithMoreThan1024OpenDescriptors) {
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  if (limit.rlim_max < 2000) {
    GTEST_SKIP() << "the hard limit of open files is " << limit.rlim_max;
  }
  limit.rlim_cur = 2000;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  ComponentServer server(io, "s3cret");
  create(options(server));
  ASSERT_TRUE(connect());  // Everything the transport keeps is open by now.
  server.drop();
  ASSERT_TRUE(run_until_down());
  std::vector<int> descriptors;
  while (descriptors.empty() || descriptors.back() < 1100) {
    descriptors.push_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    ASSERT_GE(descriptors.back(), 0);
  }
  for (int i = 0; i < 3; ++i) {
    recorder.downs.clear();
    recorder.stanzas.clear();
    ASSERT_TRUE(connect());
    server.write("<message id='1'/>");
    EXPECT_TRUE(run_until([&] { return !recorder.stanzas.empty(); }));
    server.drop();
    ASSERT_TRUE(run_until_down());
  }
  for (const int descriptor : descriptors) {
    ::close(descriptor);
  }
}

}  // namespace
}  // namespace bascule::xmpp
