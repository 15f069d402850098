#include "xmpp/negotiation.h"

#include <string>
#include <variant>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "xmpp/base64.h"
#include "xmpp/client_negotiation.h"
#include "xmpp/component_negotiation.h"
#include "xmpp/xml/parser.h"
#include "xmpp/xml/writer.h"

namespace bascule::xmpp {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// The exchange of RFC 5802 5: user "user", password "pencil".
constexpr const char* kNonce = "fyko+d2lbbFgONRv9qkxdawL";
constexpr const char* kServerFirst =
    "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096";
constexpr const char* kServerFinal = "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=";

/// A child of the stream, written without the two namespaces every stream declares.
xml::Element child(const std::string& text) {
  const std::string document = "<stream:stream xmlns='jabber:client' xmlns:stream='" +
                               std::string(kStreamNamespace) + "'>" + text + "</stream:stream>";
  auto parsed = xml::parse(document);
  EXPECT_TRUE(parsed.has_value()) << text;
  return parsed ? parsed->children.at(0) : xml::Element{};
}

xml::Element header_with(const std::string& attributes) {
  auto parsed = xml::parse("<stream:stream xmlns='jabber:client' xmlns:stream='" +
                           std::string(kStreamNamespace) + "' " + attributes + "/>");
  EXPECT_TRUE(parsed.has_value());
  return parsed.value_or(xml::Element{});
}

const std::string kStartTlsOffer = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
const std::string kStartTlsRequired =
    "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>";

std::string mechanisms(const std::string& names) {
  return "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>" + names + "</mechanisms>";
}
const std::string kSha1Only = mechanisms("<mechanism>SCRAM-SHA-1</mechanism>");
const std::string kBindOffer = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>";
const std::string kSmOffer = "<sm xmlns='urn:xmpp:sm:3'/>";

xml::Element features(const std::string& inside) {
  return child("<stream:features>" + inside + "</stream:features>");
}

xml::Element sasl(const std::string& name, const std::string& text) {
  return child("<" + name + " xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>" + text + "</" + name +
               ">");
}

ClientLogin login(TlsMode tls = TlsMode::kOff) {
  return {.user = "user",
          .domain = "auth.test",
          .resource = "r1",
          .password = "pencil",
          .tls = tls,
          .nonce = kNonce};
}

std::string sent(const Steps& steps) {
  const auto* send = steps.empty() ? nullptr : std::get_if<step::Send>(&steps[0]);
  return send == nullptr ? "(nothing sent)" : xml::to_string(send->element, kClientNamespace);
}

const Down& failure(const Steps& steps) {
  static const Down kNone{};
  const auto* failed = steps.size() != 1 ? nullptr : std::get_if<step::Failed>(&steps[0]);
  EXPECT_NE(failed, nullptr);
  return failed == nullptr ? kNone : failed->down;
}

template <class Expected>
bool is(const Steps& steps) {
  return steps.size() == 1 && std::holds_alternative<Expected>(steps[0]);
}

/// Plays the exchange of the RFC up to the restart after `<success/>`.
void log_in(ClientNegotiation& negotiation) {
  ASSERT_TRUE(negotiation.on_header(header_with("version='1.0'")).empty());
  EXPECT_THAT(sent(negotiation.on_element(features(kSha1Only))),
              AllOf(HasSubstr("mechanism='SCRAM-SHA-1'"),
                    HasSubstr(base64_encode("n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL"))));
  EXPECT_THAT(sent(negotiation.on_element(sasl("challenge", base64_encode(kServerFirst)))),
              HasSubstr(base64_encode("c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,"
                                      "p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=")));
  ASSERT_TRUE(is<step::RestartStream>(
      negotiation.on_element(sasl("success", base64_encode(kServerFinal)))));
  ASSERT_TRUE(negotiation.on_header(header_with("version='1.0'")).empty());
}

xml::Element bound(const std::string& jid) {
  return child("<iq type='result' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>" +
               jid + "</jid></bind></iq>");
}

TEST(StreamHeaderTest, EscapesWhatAConfigurationMayHold) {
  EXPECT_EQ(
      stream_header("jabber:client", "a'<&b", "1.0"),
      "<?xml version='1.0'?><stream:stream xmlns='jabber:client' "
      "xmlns:stream='http://etherx.jabber.org/streams' to='a&apos;&lt;&amp;b' version='1.0'>");
}

TEST(StreamErrorTest, TellsTheKindsApart) {
  struct Case {
    const char* condition;
    DownKind kind;
  };
  for (const Case& c :
       {Case{"conflict", DownKind::kConflict}, Case{"not-authorized", DownKind::kAuthentication},
        Case{"system-shutdown", DownKind::kConnection}, Case{"reset", DownKind::kConnection},
        Case{"invalid-from", DownKind::kProtocol}, Case{"host-unknown", DownKind::kProtocol}}) {
    const Down down = down_from_stream_error(
        child("<stream:error><" + std::string(c.condition) +
              " xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
              "<text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>why</text></stream:error>"));
    EXPECT_EQ(down.kind, c.kind) << c.condition;
    EXPECT_EQ(down.reason, "stream error " + std::string(c.condition) + ": why");
  }
}

TEST(ComponentNegotiationTest, HandsOverTheDigestAndWaitsForTheHandshake) {
  ComponentNegotiation negotiation(Jid::parse("focus.test").value(), "secret");
  EXPECT_THAT(negotiation.header(), HasSubstr("xmlns='jabber:component:accept'"));
  EXPECT_THAT(negotiation.header(), Not(HasSubstr("version='1.0'>")));
  const Steps steps = negotiation.on_header(header_with("id='abc'"));
  // printf 'abcsecret' | sha1sum
  EXPECT_THAT(sent(steps), HasSubstr(">de0a408ef519cd62e7379039634152874895c50c<"));
  xml::Element ok{.name = "handshake", .ns = std::string(kComponentNamespace)};
  EXPECT_TRUE(is<step::Established>(negotiation.on_element(ok)));
}

TEST(ComponentNegotiationTest, AHandshakeWithoutAStreamIdIsNotBelieved) {
  ComponentNegotiation negotiation(Jid::parse("focus.test").value(), "secret");
  EXPECT_TRUE(negotiation.on_header(header_with("from='focus.test'")).empty());
  xml::Element ok{.name = "handshake", .ns = std::string(kComponentNamespace)};
  EXPECT_EQ(failure(negotiation.on_element(ok)).kind, DownKind::kProtocol);
}

TEST(ClientNegotiationTest, GoesThroughTlsLoginBindAndEnable) {
  ClientNegotiation negotiation(login(TlsMode::kRequired), std::nullopt);
  EXPECT_THAT(negotiation.header(), AllOf(HasSubstr("to='auth.test'"), HasSubstr("version='1.0'")));
  ASSERT_TRUE(negotiation.on_header(header_with("version='1.0'")).empty());
  EXPECT_EQ(sent(negotiation.on_element(features(kStartTlsOffer + kSha1Only))), kStartTlsOffer);
  EXPECT_TRUE(is<step::StartTls>(
      negotiation.on_element(child("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"))));
  EXPECT_TRUE(is<step::RestartStream>(negotiation.on_tls_established()));
  log_in(negotiation);
  EXPECT_EQ(sent(negotiation.on_element(features(kBindOffer + kSmOffer))),
            "<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
            "<resource>r1</resource></bind></iq>");
  EXPECT_EQ(sent(negotiation.on_element(bound("user@auth.test/r1"))),
            "<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
  const Steps done =
      negotiation.on_element(child("<enabled xmlns='urn:xmpp:sm:3' id='t' resume='true'/>"));
  ASSERT_TRUE(is<step::Established>(done));
  const auto& established = std::get<step::Established>(done[0]);
  EXPECT_EQ(established.bound.to_string(), "user@auth.test/r1");
  EXPECT_EQ(established.enabled.attribute_or_empty("id"), "t");
  EXPECT_FALSE(negotiation.resume_refused());
}

TEST(ClientNegotiationTest, WorksWithoutStreamManagement) {
  for (const bool offered : {false, true}) {
    ClientLogin without = login();
    without.stream_management = !offered;  // Either we do not want it or the server lacks it.
    ClientNegotiation negotiation(without, std::nullopt);
    log_in(negotiation);
    negotiation.on_element(features(offered ? kBindOffer + kSmOffer : kBindOffer));
    const Steps done = negotiation.on_element(bound("user@auth.test/r1"));
    ASSERT_TRUE(is<step::Established>(done));
    EXPECT_TRUE(std::get<step::Established>(done[0]).enabled.name.empty());
  }
}

TEST(ClientNegotiationTest, ARefusedEnableDoesNotCostTheLink) {
  ClientNegotiation negotiation(login(), std::nullopt);
  log_in(negotiation);
  negotiation.on_element(features(kBindOffer + kSmOffer));
  negotiation.on_element(bound("user@auth.test/r1"));
  EXPECT_TRUE(
      is<step::Established>(negotiation.on_element(child("<failed xmlns='urn:xmpp:sm:3'/>"))));
}

TEST(ClientNegotiationTest, ResumesInsteadOfBinding) {
  ClientNegotiation negotiation(login(), child("<resume xmlns='urn:xmpp:sm:3' h='4' previd='t'/>"));
  log_in(negotiation);
  EXPECT_EQ(sent(negotiation.on_element(features(kBindOffer + kSmOffer))),
            "<resume xmlns='urn:xmpp:sm:3' h='4' previd='t'/>");
  const Steps done =
      negotiation.on_element(child("<resumed xmlns='urn:xmpp:sm:3' h='2' previd='t'/>"));
  ASSERT_TRUE(is<step::Resumed>(done));
}

TEST(ClientNegotiationTest, BindsWhenTheResumeIsRefusedOrImpossible) {
  for (const bool server_has_sm : {true, false}) {
    ClientNegotiation negotiation(login(),
                                  child("<resume xmlns='urn:xmpp:sm:3' h='4' previd='t'/>"));
    log_in(negotiation);
    Steps steps =
        negotiation.on_element(features(server_has_sm ? kBindOffer + kSmOffer : kBindOffer));
    if (server_has_sm) {
      steps = negotiation.on_element(
          child("<failed xmlns='urn:xmpp:sm:3'>"
                "<item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>"));
    }
    EXPECT_THAT(sent(steps), HasSubstr("id='bind'"));
    EXPECT_TRUE(negotiation.resume_refused());
  }
}

/// What is bound, and beside what, after a login whose resume (if any) is answered like this.
std::pair<std::string, std::optional<Jid>> bound_after(const ClientLogin& who, bool with_resume,
                                                       const std::string& answer) {
  std::optional<xml::Element> resume;
  if (with_resume) {
    resume = child("<resume xmlns='urn:xmpp:sm:3' h='4' previd='t'/>");
  }
  ClientNegotiation negotiation(who, resume);
  log_in(negotiation);
  Steps steps = negotiation.on_element(features(kBindOffer + kSmOffer));
  if (with_resume) {
    steps = negotiation.on_element(child(answer));
  }
  const auto* send = std::get_if<step::Send>(&steps.at(0));
  const auto* bind = send->element.child("bind", "urn:ietf:params:xml:ns:xmpp-bind");
  const std::string asked = bind->child("resource", bind->ns)->text;
  negotiation.on_element(
      child("<iq type='result' id='bind'><bind xmlns='urn:ietf:params:xml:ns:"
            "xmpp-bind'><jid>user@auth.test/" +
            asked + "</jid></bind></iq>"));
  steps = negotiation.on_element(child("<enabled xmlns='urn:xmpp:sm:3' id='t' resume='true'/>"));
  return {asked, std::get<step::Established>(steps.at(0)).beside};
}

TEST(ClientNegotiationTest, BindsBesideASessionThatMayStillBeThere) {
  const std::string gone =
      "<failed xmlns='urn:xmpp:sm:3'><item-not-found "
      "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>";
  const std::string refused = "<failed xmlns='urn:xmpp:sm:3' h='3'/>";
  ClientLogin who = login();
  EXPECT_EQ(bound_after(who, true, refused), std::pair(std::string("r1"), std::optional<Jid>()));
  who.earlier_resource = "r1";
  const auto r1 = Jid::parse("user@auth.test/r1").value();
  EXPECT_EQ(bound_after(who, true, refused), std::pair(std::string("r1-2"), std::optional(r1)));
  EXPECT_EQ(bound_after(who, false, ""), std::pair(std::string("r1-2"), std::optional(r1)));
  EXPECT_EQ(bound_after(who, true, gone), std::pair(std::string("r1"), std::optional<Jid>()));
  who.earlier_resource = "r1-2";
  EXPECT_EQ(bound_after(who, true, refused),
            std::pair(std::string("r1"), std::optional(r1.with_resource("r1-2"))));
}

TEST(ClientNegotiationTest, LetsTheServerChooseTheResource) {
  ClientLogin any = login();
  any.resource.clear();
  ClientNegotiation negotiation(any, std::nullopt);
  log_in(negotiation);
  EXPECT_EQ(sent(negotiation.on_element(features(kBindOffer))),
            "<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>");
}

TEST(ClientNegotiationTest, NeverSendsACredentialWithoutTheRequiredTls) {
  ClientNegotiation negotiation(login(TlsMode::kRequired), std::nullopt);
  EXPECT_EQ(failure(negotiation.on_element(features(kSha1Only))).kind, DownKind::kCertificate);
}

TEST(ClientNegotiationTest, TlsSwitchedOffAgainstAServerThatRequiresIt) {
  ClientNegotiation negotiation(login(TlsMode::kOff), std::nullopt);
  EXPECT_EQ(failure(negotiation.on_element(features(kStartTlsRequired))).kind, DownKind::kProtocol);
}

TEST(ClientNegotiationTest, TlsIfOfferedUsesTheOffer) {
  ClientNegotiation offered(login(TlsMode::kIfOffered), std::nullopt);
  EXPECT_EQ(sent(offered.on_element(features(kStartTlsOffer + kSha1Only))), kStartTlsOffer);
  ClientNegotiation missing(login(TlsMode::kIfOffered), std::nullopt);
  EXPECT_THAT(sent(missing.on_element(features(kSha1Only))), HasSubstr("<auth"));
}

TEST(ClientNegotiationTest, ATlsRefusalEndsIt) {
  ClientNegotiation negotiation(login(TlsMode::kRequired), std::nullopt);
  negotiation.on_element(features(kStartTlsOffer));
  EXPECT_EQ(
      failure(negotiation.on_element(child("<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")))
          .kind,
      DownKind::kProtocol);
}

TEST(ClientNegotiationTest, PlainIsNeverChosen) {
  ClientNegotiation negotiation(login(), std::nullopt);
  const Down down =
      failure(negotiation.on_element(features(mechanisms("<mechanism>PLAIN</mechanism>"))));
  EXPECT_EQ(down.kind, DownKind::kAuthentication);
  EXPECT_THAT(down.reason, HasSubstr("PLAIN"));
}

TEST(ClientNegotiationTest, ARefusedLoginIsToldWithoutThePassword) {
  ClientNegotiation negotiation(login(), std::nullopt);
  negotiation.on_element(features(kSha1Only));
  const Down down = failure(
      negotiation.on_element(sasl("failure", "<not-authorized/><text>bad credentials</text>")));
  EXPECT_EQ(down.kind, DownKind::kAuthentication);
  EXPECT_EQ(down.reason, "login refused: not-authorized: bad credentials");
}

TEST(ClientNegotiationTest, ATemporaryLoginFailureIsRetriedSoon) {
  ClientNegotiation negotiation(login(), std::nullopt);
  negotiation.on_element(features(kSha1Only));
  EXPECT_EQ(failure(negotiation.on_element(sasl("failure", "<temporary-auth-failure/>"))).kind,
            DownKind::kConnection);
}

TEST(ClientNegotiationTest, ASuccessWithoutTheServersProofIsNotBelieved) {
  for (const std::string& proof :
       {std::string(), base64_encode("v=rmF9pqV8S7suAoZWja4dJRkFsKA="), std::string("%%%")}) {
    ClientNegotiation negotiation(login(), std::nullopt);
    negotiation.on_element(features(kSha1Only));
    negotiation.on_element(sasl("challenge", base64_encode(kServerFirst)));
    EXPECT_EQ(failure(negotiation.on_element(sasl("success", proof))).kind,
              DownKind::kAuthentication);
  }
  ClientNegotiation at_once(login(), std::nullopt);
  at_once.on_element(features(kSha1Only));
  EXPECT_EQ(failure(at_once.on_element(sasl("success", base64_encode(kServerFinal)))).kind,
            DownKind::kAuthentication);
}

TEST(ClientNegotiationTest, TheProofMayComeAsAChallenge) {
  ClientNegotiation negotiation(login(), std::nullopt);
  negotiation.on_element(features(kSha1Only));
  negotiation.on_element(sasl("challenge", base64_encode(kServerFirst)));
  EXPECT_EQ(sent(negotiation.on_element(sasl("challenge", base64_encode(kServerFinal)))),
            "<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
  EXPECT_TRUE(is<step::RestartStream>(negotiation.on_element(sasl("success", ""))));
}

TEST(ClientNegotiationTest, BindErrorsAreToldApart) {
  for (const auto& [condition, kind] : {std::pair{"conflict", DownKind::kConflict},
                                        std::pair{"not-allowed", DownKind::kProtocol}}) {
    ClientNegotiation negotiation(login(), std::nullopt);
    log_in(negotiation);
    negotiation.on_element(features(kBindOffer));
    const Down down = failure(negotiation.on_element(
        child("<iq type='error' id='bind'><error type='cancel'><" + std::string(condition) +
              " xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>")));
    EXPECT_EQ(down.kind, kind);
    EXPECT_THAT(down.reason, HasSubstr(condition));
  }
}

TEST(ClientNegotiationTest, ABindResultNeedsAFullAddress) {
  for (const char* jid : {"", "user@auth.test", "@/"}) {
    ClientNegotiation negotiation(login(), std::nullopt);
    log_in(negotiation);
    negotiation.on_element(features(kBindOffer));
    EXPECT_EQ(failure(negotiation.on_element(bound(jid))).kind, DownKind::kProtocol);
  }
}

TEST(ClientNegotiationTest, StanzasBeforeEnabledAreKeptButNotWithoutLimit) {
  ClientNegotiation negotiation(login(), std::nullopt);
  log_in(negotiation);
  negotiation.on_element(features(kBindOffer + kSmOffer));
  negotiation.on_element(bound("user@auth.test/r1"));
  const xml::Element early = child("<message id='early'/>");
  Steps steps;
  int kept = 0;
  while (kept < 1'000 && (steps = negotiation.on_element(early)).empty()) {
    ++kept;
  }
  EXPECT_EQ(kept, 100);
  EXPECT_EQ(failure(steps).kind, DownKind::kProtocol);
  EXPECT_EQ(negotiation.take_early_stanzas().size(), 100U);
}

TEST(ClientNegotiationTest, WhatIsOutOfOrderEndsIt) {
  ClientNegotiation old_server(login(), std::nullopt);
  EXPECT_EQ(failure(old_server.on_header(header_with("id='1'"))).kind, DownKind::kProtocol);
  ClientNegotiation no_features(login(), std::nullopt);
  EXPECT_EQ(failure(no_features.on_element(child("<message/>"))).kind, DownKind::kProtocol);
  ClientNegotiation no_bind(login(), std::nullopt);
  log_in(no_bind);
  EXPECT_EQ(failure(no_bind.on_element(features(""))).kind, DownKind::kProtocol);
  ClientNegotiation error_any_time(login(), std::nullopt);
  log_in(error_any_time);
  error_any_time.on_element(features(kBindOffer));
  EXPECT_EQ(failure(error_any_time.on_element(
                        child("<stream:error><conflict "
                              "xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>")))
                .kind,
            DownKind::kConflict);
}

}  // namespace
}  // namespace bascule::xmpp
