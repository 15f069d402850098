// The client mode of the native stream: what a scripted server can show. Login by SCRAM, resources
// and resumption against the real thing are in tests/integration/native_stream_test.cc.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/xmpp/stream/certificates.h"
#include "tests/unit/xmpp/stream/link_recorder.h"
#include "tests/unit/xmpp/stream/scripted_server.h"
#include "xmpp/stream/native_stream.h"

namespace bascule::xmpp {
namespace {

using std::chrono::milliseconds, std::chrono::seconds;
using test::LinkRecorder;
using test::ScriptedServer;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using Then = ScriptedServer::Then;

const std::string kHeader =
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client' "
    "xmlns:stream='http://etherx.jabber.org/streams' id='s1' from='auth.test' version='1.0'>";
const std::string kTlsFeatures =
    "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>";
const std::string kProceed = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
const std::string kPlainOnly =
    "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"
    "<mechanism>PLAIN</mechanism></mechanisms></stream:features>";
const std::string kAnonymous =
    "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"
    "<mechanism>ANONYMOUS</mechanism></mechanisms></stream:features>";
const std::string kSession =
    "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"
    "<sm xmlns='urn:xmpp:sm:3'/></stream:features>";
const std::string kBound =
    "<iq type='result' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
    "<jid>anon@auth.test/res</jid></bind></iq>";
const std::string kEnabled = "<enabled xmlns='urn:xmpp:sm:3' id='tok' resume='true'/>";

/// Up to TLS; after it the server offers nothing we speak, which proves that TLS was accepted.
const ScriptedServer::Script kTlsThenPlain = {{"version='1.0'>", kHeader + kTlsFeatures},
                                              {"<starttls", kProceed, Then::kStartTls},
                                              {"version='1.0'>", kHeader + kPlainOnly}};

ScriptedServer::Script login_script() {
  return {{"version='1.0'>", kHeader + kAnonymous},
          {"mechanism='ANONYMOUS'", "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"},
          {"version='1.0'>", kHeader + kSession}};
}

ScriptedServer::Script fresh_session_script() {
  auto script = login_script();
  script.push_back({"id='bind'", kBound});
  script.push_back({"<enable", kEnabled});
  return script;
}

class NativeClientTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { certificates = std::make_unique<test::Certificates>(); }
  static void TearDownTestSuite() { certificates.reset(); }

  NativeClientTest() {
    options_.mode = NativeStreamOptions::Mode::kClient;
    options_.port = server_.port();
    options_.domain = "auth.test";
    options_.user = "focus";
    options_.secret = "s3cr3t";
    server_.use_certificate(certificates->certificate(), certificates->key());
  }

  void go_anonymous() {
    options_.user.clear();
    options_.tls.mode = TlsMode::kIfOffered;
  }

  NativeStream& open() {
    if (!stream_) {
      stream_ = std::make_unique<NativeStream>(io_, options_, link_);
    }
    stream_->open();
    return *stream_;
  }
  bool run_until(const std::function<bool()>& done) { return link_.run_until(io_, done); }
  xmpp::Down run_until_down() {
    EXPECT_TRUE(run_until([this] { return !link_.downs.empty(); }));
    return link_.downs.empty() ? Down{} : link_.downs.back();
  }
  bool server_got(const std::string& text) {
    return run_until([&] { return server_.unread().find(text) != std::string::npos; });
  }

  static inline std::unique_ptr<test::Certificates> certificates;
  boost::asio::io_context io_;
  ScriptedServer server_{io_};
  NativeStreamOptions options_;
  LinkRecorder link_;
  std::unique_ptr<NativeStream> stream_;
};

xml::Element message(const std::string& body) {
  xml::Element element{.name = "message", .ns = "jabber:client"};
  element.add({.name = "body", .ns = "jabber:client", .text = body});
  return element;
}

TEST_F(NativeClientTest, AnUnknownCertificateIsRefusedAndNamed) {
  server_.serve(kTlsThenPlain);
  open();
  const Down down = run_until_down();
  EXPECT_EQ(down.kind, DownKind::kCertificate);
  EXPECT_THAT(down.reason,
              AllOf(HasSubstr("self-signed certificate"), HasSubstr("CN=auth.test"),
                    HasSubstr("issuer CN=auth.test"), HasSubstr(certificates->fingerprint())));
  EXPECT_THAT(server_.received(), Not(HasSubstr("<auth")));
}

TEST_F(NativeClientTest, ACertificateOfTheConfiguredAuthorityIsAccepted) {
  server_.serve(kTlsThenPlain);
  options_.tls.ca_file = certificates->certificate();
  open();
  const Down down = run_until_down();
  EXPECT_EQ(down.kind, DownKind::kAuthentication);
  EXPECT_THAT(down.reason, HasSubstr("it offers: PLAIN"));
}

TEST_F(NativeClientTest, AnotherHostsCertificateIsRefusedAndNamed) {
  server_.serve(kTlsThenPlain);
  options_.tls.ca_file = certificates->certificate();
  options_.tls.host_name = "other.test";
  open();
  const Down down = run_until_down();
  EXPECT_EQ(down.kind, DownKind::kCertificate);
  EXPECT_THAT(down.reason, AllOf(HasSubstr("expected other.test"), HasSubstr("CN=auth.test")));
}

TEST_F(NativeClientTest, TheHostNameCheckCanBeSwitchedOff) {
  server_.serve(kTlsThenPlain);
  options_.tls.ca_file = certificates->certificate();
  options_.tls.host_name = "other.test";
  options_.tls.verify_host_name = false;
  open();
  EXPECT_EQ(run_until_down().kind, DownKind::kAuthentication);
}

TEST_F(NativeClientTest, APinnedCertificateNeedsNoAuthorityAndNoName) {
  server_.serve(kTlsThenPlain);
  options_.tls.pinned_sha256 = {std::string(64, '0'), certificates->fingerprint_with_colons()};
  options_.tls.host_name = "other.test";
  open();
  EXPECT_EQ(run_until_down().kind, DownKind::kAuthentication);
}

TEST_F(NativeClientTest, APinRefusesEvenACertificateOfTheAuthority) {
  server_.serve(kTlsThenPlain);
  options_.tls.ca_file = certificates->certificate();
  options_.tls.pinned_sha256 = {std::string(64, '0')};
  open();
  const Down down = run_until_down();
  EXPECT_EQ(down.kind, DownKind::kCertificate);
  EXPECT_THAT(down.reason, AllOf(HasSubstr("pinned"), HasSubstr(certificates->fingerprint())));
}

TEST_F(NativeClientTest, AMissingAuthorityFileAndABadPinAreNamed) {
  server_.serve(kTlsThenPlain);
  options_.tls.ca_file = "/nonexistent/ca.pem";
  open();
  EXPECT_THAT(run_until_down().reason, HasSubstr("/nonexistent/ca.pem"));
  stream_.reset();
  options_.tls.pinned_sha256 = {"abc"};
  open();
  ASSERT_TRUE(run_until([this] { return link_.downs.size() == 2; }));
  EXPECT_EQ(link_.downs[1].kind, DownKind::kCertificate);
  EXPECT_THAT(link_.downs[1].reason, HasSubstr("'abc'"));
}

TEST_F(NativeClientTest, NoCredentialLeavesWithoutTheRequiredTls) {
  server_.serve({{"version='1.0'>", kHeader + kAnonymous}});
  open();
  EXPECT_EQ(run_until_down().kind, DownKind::kCertificate);
  EXPECT_THAT(server_.received(), Not(HasSubstr("<auth")));
}

TEST_F(NativeClientTest, PlainTextAfterProceedIsNotUsed) {
  server_.serve({{"version='1.0'>", kHeader + kTlsFeatures}, {"<starttls", kProceed + kAnonymous}});
  open();
  EXPECT_EQ(run_until_down().kind, DownKind::kProtocol);
}

TEST_F(NativeClientTest, AServerThatNeverShakesHandsTimesOut) {
  options_.open_timeout = milliseconds{200};
  server_.serve({{"version='1.0'>", kHeader + kTlsFeatures}, {"<starttls", kProceed}});
  open();
  const Down down = run_until_down();
  EXPECT_EQ(down.kind, DownKind::kConnection);
  EXPECT_THAT(down.reason, HasSubstr("did not come up in time"));
}

TEST_F(NativeClientTest, AServerThatAnswersTlsWithSomethingElseIsAConnectionFailure) {
  server_.serve({{"version='1.0'>", kHeader + kTlsFeatures},
                 {"<starttls", kProceed},
                 {std::string("\x16\x03", 2), "this is no TLS record at all"}});
  open();
  const Down down = run_until_down();
  EXPECT_EQ(down.kind, DownKind::kConnection);
  EXPECT_THAT(down.reason, HasSubstr("TLS handshake"));
}

TEST_F(NativeClientTest, AnonymousLoginBindsAndEnables) {
  go_anonymous();
  server_.serve(fresh_session_script());
  NativeStream& stream = open();
  ASSERT_TRUE(run_until([this] { return link_.ups == 1; }));
  EXPECT_EQ(link_.last_up.bound_jid.to_string(), "anon@auth.test/res");
  EXPECT_FALSE(link_.last_up.resumed);
  EXPECT_EQ(stream.session_state().id, "tok");
}

TEST_F(NativeClientTest, AcknowledgesOnlyWhatIsHandled) {
  go_anonymous();
  server_.serve(fresh_session_script());
  NativeStream& stream = open();
  ASSERT_TRUE(run_until([this] { return link_.ups == 1; }));
  server_.send("<message id='1'/><message id='2'/><r xmlns='urn:xmpp:sm:3'/>");
  ASSERT_TRUE(server_got("<a xmlns='urn:xmpp:sm:3' h='0'/>"));
  EXPECT_EQ(link_.sequences, (std::vector<std::uint64_t>{1, 2}));
  stream.handled(1);
  stream.handled(2);
  ASSERT_TRUE(server_got("<a xmlns='urn:xmpp:sm:3' h='2'/>"));
  EXPECT_THAT(server_.received(), Not(HasSubstr("h='1'")));
  stream.handled(99);  // Of an older session: ignored.
  server_.send("<r xmlns='urn:xmpp:sm:3'/>");
  server_.send("<message id='3'/>");
  ASSERT_TRUE(run_until([this] { return link_.stanzas.size() == 3; }));
  EXPECT_EQ(stream.session_state().inbound_handled, 2U);
}

TEST_F(NativeClientTest, ResumesAfterACutWithoutLossOrDouble) {
  go_anonymous();
  server_.serve(fresh_session_script());
  NativeStream& stream = open();
  ASSERT_TRUE(run_until([this] { return link_.ups == 1; }));
  server_.send("<message id='1'/><message id='2'/>");
  ASSERT_TRUE(run_until([this] { return link_.stanzas.size() == 2; }));
  stream.handled(1);
  stream.send(message("one"));
  stream.send(message("two"));
  ASSERT_TRUE(server_got("two"));

  auto script = login_script();
  script.push_back({"<resume xmlns='urn:xmpp:sm:3' h='2' previd='tok'/>",
                    "<resumed xmlns='urn:xmpp:sm:3' previd='tok' h='1'/><message id='3'/>"});
  server_.serve(script);
  server_.reset();
  EXPECT_EQ(run_until_down().kind, DownKind::kConnection);
  stream.handled(2);  // Commits go on while the link is down, and count.
  stream.open();
  ASSERT_TRUE(run_until([this] { return link_.ups == 2; }));
  EXPECT_TRUE(link_.last_up.resumed);
  EXPECT_EQ(link_.last_up.bound_jid.to_string(), "anon@auth.test/res");
  ASSERT_TRUE(server_got("two"));
  EXPECT_THAT(server_.unread(), Not(HasSubstr("one")));
  ASSERT_TRUE(run_until([this] { return link_.stanzas.size() == 3; }));
  EXPECT_EQ(link_.stanzas[2].attribute_or_empty("id"), "3");
  EXPECT_EQ(link_.sequences, (std::vector<std::uint64_t>{1, 2, 3}));
  EXPECT_EQ(stream.counters().resumes, 1U);
}

TEST_F(NativeClientTest, WhatIsRedeliveredThoughWeHaveItIsDropped) {
  go_anonymous();
  server_.serve(fresh_session_script());
  NativeStream& stream = open();
  ASSERT_TRUE(run_until([this] { return link_.ups == 1; }));
  server_.send("<message id='1'/><message id='2'/>");
  ASSERT_TRUE(run_until([this] { return link_.stanzas.size() == 2; }));
  auto script = login_script();
  script.push_back({"h='0' previd='tok'/>",
                    "<resumed xmlns='urn:xmpp:sm:3' previd='tok' h='0'/>"
                    "<message id='1'/><message id='2'/><message id='3'/>"});
  server_.serve(script);
  server_.reset();
  run_until_down();
  stream.open();
  ASSERT_TRUE(run_until([this] { return link_.stanzas.size() == 3; }));
  EXPECT_EQ(link_.stanzas[2].attribute_or_empty("id"), "3");
  EXPECT_EQ(stream.counters().redelivered, 2U);
}

TEST_F(NativeClientTest, ARefusedResumeBindsAnew) {
  go_anonymous();
  server_.serve(fresh_session_script());
  NativeStream& stream = open();
  ASSERT_TRUE(run_until([this] { return link_.ups == 1; }));
  stream.send(message("lost with the session"));
  ASSERT_TRUE(server_got("lost with"));
  auto script = login_script();
  script.push_back({"previd='tok'/>",
                    "<failed xmlns='urn:xmpp:sm:3'>"
                    "<item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>"});
  script.push_back({"id='bind'", kBound});
  script.push_back({"<enable", kEnabled});
  server_.serve(script);
  server_.reset();
  run_until_down();
  stream.open();
  ASSERT_TRUE(run_until([this] { return link_.ups == 2; }));
  EXPECT_FALSE(link_.last_up.resumed);
  EXPECT_EQ(stream.counters().resumes_refused, 1U);
  EXPECT_TRUE(stream.session_state().outbox.empty());
  EXPECT_THAT(server_.received(), Not(HasSubstr("lost with")));
}

TEST_F(NativeClientTest, AnotherProcessContinuesTheSession) {
  go_anonymous();
  server_.serve(fresh_session_script());
  NativeStream& first = open();
  ASSERT_TRUE(run_until([this] { return link_.ups == 1; }));
  server_.send("<message id='1'/>");
  ASSERT_TRUE(run_until([this] { return link_.stanzas.size() == 1; }));
  first.handled(1);
  first.send(message("unconfirmed"));
  const SmState state = first.session_state();
  auto script = login_script();
  script.push_back({"h='1' previd='tok'/>",
                    "<resumed xmlns='urn:xmpp:sm:3' previd='tok' h='0'/><message id='2'/>"});
  server_.serve(script);
  stream_.reset();  // The process dies.

  stream_ = std::make_unique<NativeStream>(io_, options_, link_);
  stream_->adopt(state);
  open();
  ASSERT_TRUE(run_until([this] { return link_.stanzas.size() == 2; }));
  EXPECT_TRUE(link_.last_up.resumed);
  EXPECT_EQ(link_.last_up.bound_jid.to_string(), "anon@auth.test/res");
  EXPECT_EQ(link_.sequences, (std::vector<std::uint64_t>{1, 2}));
  EXPECT_TRUE(server_got("unconfirmed"));
}

TEST_F(NativeClientTest, AResumedSessionThatConfirmsNothingIsGivenUp) {
  go_anonymous();
  options_.probe_interval = milliseconds{20};
  options_.probe_timeout = milliseconds{200};
  server_.serve(fresh_session_script());
  NativeStream& stream = open();
  ASSERT_TRUE(run_until([this] { return link_.ups == 1; }));
  auto script = login_script();
  script.push_back({"previd='tok'/>", "<resumed xmlns='urn:xmpp:sm:3' previd='tok' h='0'/>"});
  server_.serve(script);
  server_.reset();
  run_until_down();
  stream.open();
  ASSERT_TRUE(run_until([this] { return link_.ups == 2; }));
  ASSERT_TRUE(server_got("<r xmlns='urn:xmpp:sm:3'/>"));
  server_.send("<message id='1'/>");  // It talks, but it does not hear.
  ASSERT_TRUE(run_until([this] { return link_.stanzas.size() == 1; }));
  ASSERT_TRUE(run_until([this] { return link_.downs.size() == 2; }));
  EXPECT_THAT(link_.downs[1].reason, HasSubstr("confirms nothing"));
  EXPECT_TRUE(stream.session_state().id.empty());
}

TEST_F(NativeClientTest, AResumedSessionThatConfirmsIsProbedAsAnyOther) {
  go_anonymous();
  options_.probe_interval = milliseconds{20};
  options_.probe_timeout = milliseconds{200};
  server_.serve(fresh_session_script());
  NativeStream& stream = open();
  ASSERT_TRUE(run_until([this] { return link_.ups == 1; }));
  auto script = login_script();
  script.push_back({"previd='tok'/>", "<resumed xmlns='urn:xmpp:sm:3' previd='tok' h='0'/>"});
  server_.serve(script);
  server_.reset();
  run_until_down();
  stream.open();
  const auto probed = [this](int times) {
    return run_until([this, times] {
      const std::string heard(server_.unread());
      int found = 0;
      for (std::size_t at = 0; (at = heard.find("<r xmlns", at)) != std::string::npos; ++at) {
        ++found;
      }
      return found >= times;
    });
  };
  ASSERT_TRUE(probed(1));
  server_.send("<a xmlns='urn:xmpp:sm:3' h='0'/>");
  ASSERT_TRUE(probed(2));
  server_.send("<message id='1'/>");  // Enough for every probe but the first.
  ASSERT_TRUE(probed(3));
  EXPECT_EQ(link_.downs.size(), 1U);
  EXPECT_EQ(stream.session_state().id, "tok");
}

TEST_F(NativeClientTest, AskedForConfirmationASilentServerIsDown) {
  go_anonymous();
  options_.probe_interval = milliseconds{20};
  options_.probe_timeout = milliseconds{100};
  server_.serve(fresh_session_script());
  open();
  ASSERT_TRUE(run_until([this] { return link_.ups == 1; }));
  ASSERT_TRUE(server_got("<r xmlns='urn:xmpp:sm:3'/>"));
  server_.send("<a xmlns='urn:xmpp:sm:3' h='0'/>");
  EXPECT_THAT(run_until_down().reason, HasSubstr("does not answer"));
  EXPECT_EQ(link_.ups, 1);
}

TEST_F(NativeClientTest, AServerThatConfirmsTheImpossibleLosesTheSession) {
  go_anonymous();
  server_.serve(fresh_session_script());
  NativeStream& stream = open();
  ASSERT_TRUE(run_until([this] { return link_.ups == 1; }));
  server_.send("<a xmlns='urn:xmpp:sm:3' h='5'/>");
  EXPECT_EQ(run_until_down().kind, DownKind::kProtocol);
  EXPECT_TRUE(stream.session_state().id.empty());
}

TEST_F(NativeClientTest, AStanzaThatOvertakesEnabledIsDeliveredUncounted) {
  go_anonymous();
  auto script = login_script();
  script.push_back({"id='bind'", kBound});
  script.push_back({"<enable", "<message id='early'/>" + kEnabled + "<message id='1'/>"});
  server_.serve(script);
  open();
  ASSERT_TRUE(run_until([this] { return link_.stanzas.size() == 2; }));
  EXPECT_EQ(link_.stanzas[0].attribute_or_empty("id"), "early");
  EXPECT_EQ(link_.sequences, (std::vector<std::uint64_t>{0, 1}));
}

TEST_F(NativeClientTest, WithoutStreamManagementTheDomainIsPinged) {
  go_anonymous();
  options_.stream_management = false;
  options_.probe_interval = milliseconds{20};
  options_.probe_timeout = seconds{9};
  auto script = login_script();
  script.push_back({"id='bind'", kBound});
  server_.serve(script);
  open();
  ASSERT_TRUE(run_until([this] { return link_.ups == 1; }));
  ASSERT_TRUE(server_got("id='bascule-probe-1' to='auth.test'"));
  server_.send("<iq type='error' id='bascule-probe-1' from='auth.test'/>");
  ASSERT_TRUE(server_got("id='bascule-probe-2'"));
  EXPECT_TRUE(link_.stanzas.empty());
  EXPECT_TRUE(link_.downs.empty());
}

}  // namespace
}  // namespace bascule::xmpp
