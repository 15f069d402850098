// The libstrophe transport against a real Prosody.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/integration/prosody.h"
#include "tests/support/link_test.h"
#include "xmpp/strophe/strophe_transport.h"
#include "xmpp/xml/writer.h"

namespace bascule::xmpp {
namespace {

using std::chrono::milliseconds, std::chrono::seconds;
using SteadyClock = std::chrono::steady_clock;
using testing::HasSubstr;

class StropheIntegrationTest : public test::LinkTest {
 protected:
  [[nodiscard]] static StropheOptions component(const test::Prosody& prosody) {
    return {.mode = StropheMode::kComponent,
            .host = "127.0.0.1",
            .port = prosody.component_port(),
            .address = Jid::parse("bascule." + prosody.domain()).value(),
            .secret = prosody.options().bascule_secret};
  }
  [[nodiscard]] static StropheOptions client(const test::Prosody& prosody) {
    return {.mode = StropheMode::kClient,
            .host = "localhost",
            .port = prosody.c2s_port(),
            .address = Jid::parse("focus@auth." + prosody.domain() + "/service").value(),
            .secret = "focus-password",
            .ca_file = prosody.ca_file()};
  }
  void create(StropheOptions with) {
    transport = std::make_unique<StropheTransport>(std::move(with), io.get_executor(), recorder);
  }
  /// Pings `to` and waits for the answer.
  testing::AssertionResult ping(const std::string& to) {
    const std::string id = "p" + std::to_string(++pings_);
    xml::Element iq{.name = "iq", .ns = "jabber:client"};
    iq.set("type", "get").set("id", id).set("to", to);
    iq.add({.name = "ping", .ns = "urn:xmpp:ping"});
    const auto before = recorder.stanzas.size();
    transport->send(iq);
    if (!run_until([&] { return recorder.stanzas.size() > before; })) {
      return testing::AssertionFailure() << "no answer";
    }
    const auto& answer = recorder.stanzas.back();
    if (answer.attribute("id") != id || answer.attribute("type") != "result") {
      return testing::AssertionFailure() << xml::to_string(answer);
    }
    return testing::AssertionSuccess();
  }
  /// Pings 200 times one after the other and prints the quantiles.
  void measure(const std::string& what, const std::string& to) {
    std::vector<SteadyClock::duration> round_trips;
    for (int i = 0; i < 200; ++i) {
      const auto start = SteadyClock::now();
      ASSERT_TRUE(ping(to));
      round_trips.push_back(SteadyClock::now() - start);
    }
    std::sort(round_trips.begin(), round_trips.end());
    const auto micros = [](SteadyClock::duration d) {
      return static_cast<long>(std::chrono::duration_cast<std::chrono::microseconds>(d).count());
    };
    std::printf("%s: 200 pings, p50 %ld us, p99 %ld us, max %ld us\n", what.c_str(),
                micros(round_trips[100]), micros(round_trips[198]), micros(round_trips[199]));
    EXPECT_LT(round_trips[100], milliseconds{20});
    EXPECT_LT(round_trips[198], milliseconds{200}) << "a lost wake-up costs 250 ms";
  }

 private:
  int pings_ = 0;
};

TEST_F(StropheIntegrationTest, AComponentWorksAndComesBackAfterTheServerWasKilled) {
  test::Prosody prosody;
  create(component(prosody));
  ASSERT_TRUE(connect()) << recorder.downs[0].reason;
  EXPECT_EQ(recorder.ups[0].bound_jid.to_string(), "bascule." + prosody.domain());
  measure("component", prosody.domain());

  prosody.kill();
  ASSERT_TRUE(run_until_down());
  EXPECT_EQ(recorder.downs[0].kind, DownKind::kConnection);
  EXPECT_FALSE(connect());
  EXPECT_EQ(recorder.downs.size(), 2U);
  EXPECT_EQ(recorder.downs[1].kind, DownKind::kConnection);

  prosody.start();
  ASSERT_TRUE(connect()) << recorder.downs.back().reason;
  EXPECT_TRUE(ping(prosody.domain()));
}

TEST_F(StropheIntegrationTest, AComponentLearnsThatItsSecretIsWrong) {
  test::Prosody prosody;
  auto wrong = component(prosody);
  wrong.secret = "guess";
  create(wrong);
  EXPECT_FALSE(connect());
  ASSERT_EQ(recorder.downs.size(), 1U);
  EXPECT_EQ(recorder.downs[0].kind, DownKind::kAuthentication);
  EXPECT_THAT(recorder.downs[0].reason, HasSubstr("not-authorized"));
  EXPECT_THAT(recorder.downs[0].reason, testing::Not(HasSubstr("guess")));
}

// The server's template says component_conflict_resolve = "kick_old".
TEST_F(StropheIntegrationTest, AComponentReplacedByAnotherLearnsOfTheConflict) {
  test::Prosody prosody;
  create(component(prosody));
  ASSERT_TRUE(connect());
  test::LinkRecorder usurper_recorder;
  StropheTransport usurper(component(prosody), io.get_executor(), usurper_recorder);
  usurper.open();
  ASSERT_TRUE(run_until_down());
  EXPECT_EQ(recorder.downs[0].kind, DownKind::kConflict);
  EXPECT_THAT(recorder.downs[0].reason, HasSubstr("conflict"));
  EXPECT_TRUE(run_until([&] { return !usurper_recorder.ups.empty(); }));
}

TEST_F(StropheIntegrationTest, AHangingServerIsFoundByThePing) {
  test::Prosody prosody;
  auto watchful = component(prosody);
  watchful.ping_interval = milliseconds{200};
  watchful.ping_timeout = milliseconds{200};
  create(watchful);
  ASSERT_TRUE(connect());
  EXPECT_FALSE(run_until([&] { return !recorder.downs.empty(); }, seconds{1}));
  EXPECT_TRUE(recorder.stanzas.empty());
  prosody.suspend();
  EXPECT_TRUE(run_until_down());
  prosody.resume();
}

TEST_F(StropheIntegrationTest, AClientLogsInByScramOverVerifiedTls) {
  test::Prosody prosody;
  create(client(prosody));
  ASSERT_TRUE(connect()) << recorder.downs[0].reason;
  EXPECT_EQ(recorder.ups[0].bound_jid.to_string(), "focus@auth." + prosody.domain() + "/service");
  measure("client over TLS", "auth." + prosody.domain());

  // A stanza far larger than a TLS record, sent to ourselves and back.
  xml::Element message{.name = "message", .ns = "jabber:client"};
  message.set("to", recorder.ups[0].bound_jid.to_string());
  message.add({.name = "body", .ns = "jabber:client", .text = std::string(150'000, 'x')});
  recorder.stanzas.clear();
  transport->send(message);
  ASSERT_TRUE(run_until([&] { return !recorder.stanzas.empty(); }));
  const auto* body = recorder.stanzas[0].child("body", "jabber:client");
  ASSERT_NE(body, nullptr) << xml::to_string(recorder.stanzas[0]);
  EXPECT_EQ(body->text.size(), 150'000U);
}

TEST_F(StropheIntegrationTest, AClientLearnsThatItsPasswordIsWrong) {
  test::Prosody prosody;
  auto wrong = client(prosody);
  wrong.secret = "guess";
  create(wrong);
  EXPECT_FALSE(connect());
  ASSERT_EQ(recorder.downs.size(), 1U);
  EXPECT_EQ(recorder.downs[0].kind, DownKind::kAuthentication) << recorder.downs[0].reason;
  EXPECT_THAT(recorder.downs[0].reason, HasSubstr("focus@auth."));
}

TEST_F(StropheIntegrationTest, AnUntrustedCertificateIsRefusedAndNamedAndCanBePinned) {
  test::Prosody prosody;
  auto no_ca = client(prosody);
  no_ca.ca_file.clear();
  create(no_ca);
  EXPECT_FALSE(connect());
  ASSERT_EQ(recorder.downs.size(), 1U);
  EXPECT_EQ(recorder.downs[0].kind, DownKind::kCertificate);
  const std::string& reason = recorder.downs[0].reason;
  EXPECT_THAT(reason, HasSubstr("certificate of auth." + prosody.domain() + " refused: self"));
  EXPECT_THAT(reason, HasSubstr("subject "));
  std::printf("%s\n", reason.c_str());

  // What the operator reads is what the operator can pin.
  const std::string label = "SHA-256 ";
  no_ca.pinned_sha256 = {reason.substr(reason.find(label) + label.size(), 64)};
  create(no_ca);
  EXPECT_TRUE(connect()) << recorder.downs.back().reason;

  no_ca.pinned_sha256 = {std::string(64, '0')};
  create(no_ca);
  EXPECT_FALSE(connect());
  EXPECT_EQ(recorder.downs.back().kind, DownKind::kCertificate);
}

TEST_F(StropheIntegrationTest, ACertificateForAnotherNameIsRefused) {
  test::Prosody prosody({.extra_hosts = "VirtualHost \"elsewhere.test\"\n"});
  auto elsewhere = client(prosody);
  elsewhere.address = Jid::parse("focus@elsewhere.test/service").value();
  create(elsewhere);
  EXPECT_FALSE(connect());
  ASSERT_EQ(recorder.downs.size(), 1U);
  EXPECT_EQ(recorder.downs[0].kind, DownKind::kCertificate) << recorder.downs[0].reason;
  EXPECT_THAT(recorder.downs[0].reason, HasSubstr("elsewhere.test refused: hostname mismatch"));
}

TEST_F(StropheIntegrationTest, AServerWithoutTlsIsRefusedUnlessTlsIsOff) {
  test::Prosody prosody({.tls = false});
  auto options = client(prosody);
  options.ca_file.clear();
  create(options);
  EXPECT_FALSE(connect());
  ASSERT_EQ(recorder.downs.size(), 1U);
  EXPECT_EQ(recorder.downs[0].kind, DownKind::kProtocol) << recorder.downs[0].reason;
  EXPECT_THAT(recorder.downs[0].reason, HasSubstr("TLS is not supported"));

  options.tls = StropheTls::kOff;
  create(options);
  ASSERT_TRUE(connect()) << recorder.downs.back().reason;
  measure("client without TLS", "auth." + prosody.domain());
}

}  // namespace
}  // namespace bascule::xmpp
