#include "focus/jingle_session.h"

#include <string>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "source_builders.h"

namespace bascule::focus {
namespace {

using proto::Condition;
using proto::JingleAction;
using std::chrono::seconds;
using State = JingleSession::State;
using Sending = JingleSession::Sending;

constexpr Instant kStart{seconds{1000}};
const JingleContext kContext{.bridge_session_id = "bridge-session-1"};

proto::Jingle make(JingleAction action, std::string sid = "sid-0") {
  return {.action = action, .sid = std::move(sid)};
}

proto::Content make_content(std::string name, proto::MediaType media,
                            std::vector<proto::Source> sources = {}) {
  return {.name = std::move(name),
          .description = proto::RtpDescription{.media = media, .sources = std::move(sources)}};
}

proto::Jingle make_accept(std::string sid = "sid-0") {
  auto accept = make(JingleAction::kSessionAccept, std::move(sid));
  accept.contents = {
      make_content("audio", proto::MediaType::kAudio, {{.ssrc = Ssrc(7), .name = "x-a0"}}),
      make_content("video", proto::MediaType::kVideo, {{.ssrc = Ssrc(1), .name = "x-v0"}})};
  accept.contents[1].initial_last_n = 25;
  accept.contents[1].transport = proto::IceUdpTransport{.ufrag = "first", .pwd = "p"};
  accept.contents.push_back({.name = "data"});
  accept.contents[2].transport = proto::IceUdpTransport{.ufrag = "second", .pwd = "p"};
  return accept;
}

proto::Jingle make_terminate(bool restart, std::string bridge_session = "bridge-session-1") {
  auto terminate = make(JingleAction::kSessionTerminate);
  terminate.bridge_session =
      proto::BridgeSession{.id = std::move(bridge_session), .restart = restart};
  terminate.reason = proto::JingleReason{proto::ReasonCondition::kConnectivityError, "ICE FAILED"};
  return terminate;
}

proto::Jingle make_source_add(std::vector<proto::Source> audio, std::vector<proto::Source> video) {
  auto add = make(JingleAction::kSourceAdd);
  if (!audio.empty()) {
    add.contents.push_back(make_content("audio", proto::MediaType::kAudio, std::move(audio)));
  }
  if (!video.empty()) {
    add.contents.push_back(make_content("video", proto::MediaType::kVideo, std::move(video)));
  }
  return add;
}

JingleSession make_pending(Sending sending = Sending::kAllowed, JingleOptions options = {}) {
  JingleSession session(options, sending);
  session.invite("sid-0", kStart);
  return session;
}

JingleSession make_active(Sending sending = Sending::kAllowed, JingleOptions options = {}) {
  auto session = make_pending(sending, options);
  EXPECT_TRUE(std::holds_alternative<jingle::Accept>(session.judge(
      sending == Sending::kAllowed ? make_accept() : make(JingleAction::kSessionAccept), kContext,
      kStart)));
  return session;
}

/// The condition and text of the error a verdict refuses with.
std::pair<Condition, std::string> refusal(const JingleVerdict& verdict) {
  const auto* refuse = std::get_if<jingle::Refuse>(&verdict);
  if (refuse == nullptr) {
    ADD_FAILURE() << "not refused: alternative " << verdict.index();
    return {Condition::kUndefinedCondition, ""};
  }
  return {refuse->error.condition, refuse->error.text};
}

bool is_unknown_session(const JingleVerdict& verdict) {
  const auto* refuse = std::get_if<jingle::Refuse>(&verdict);
  return refuse != nullptr && proto::is_unknown_session(refuse->error);
}

template <class T>
bool is(const JingleVerdict& verdict) {
  return std::holds_alternative<T>(verdict);
}

const std::vector<JingleAction> kUnsupported = {
    JingleAction::kContentAccept, JingleAction::kContentAdd,      JingleAction::kContentModify,
    JingleAction::kContentReject, JingleAction::kContentRemove,   JingleAction::kDescriptionInfo,
    JingleAction::kSecurityInfo,  JingleAction::kSessionInitiate, JingleAction::kTransportReplace};
const std::vector<JingleAction> kSupported = {
    JingleAction::kSessionAccept, JingleAction::kSessionInfo,    JingleAction::kSessionTerminate,
    JingleAction::kSourceAdd,     JingleAction::kSourceRemove,   JingleAction::kTransportAccept,
    JingleAction::kTransportInfo, JingleAction::kTransportReject};

TEST(JingleSessionTest, EveryActionOnAnUnknownSidIsAnUnknownSession) {
  JingleSession never_invited({}, Sending::kAllowed);
  auto session = make_active();
  for (const auto& list : {kSupported, kUnsupported}) {
    for (const JingleAction action : list) {
      EXPECT_TRUE(is_unknown_session(session.judge(make(action, "other"), kContext, kStart)));
      EXPECT_TRUE(is_unknown_session(never_invited.judge(make(action), kContext, kStart)));
      EXPECT_TRUE(is_unknown_session(never_invited.judge(make(action, ""), kContext, kStart)));
    }
  }
  EXPECT_EQ(session.state(), State::kActive);
}

TEST(JingleSessionTest, SaysWhichActionsItCannotDo) {
  auto session = make_active();
  for (const JingleAction action : kUnsupported) {
    EXPECT_EQ(refusal(session.judge(make(action), kContext, kStart)),
              std::pair(Condition::kFeatureNotImplemented, std::string("Unsupported 'action'")));
  }
  EXPECT_EQ(refusal(session.judge(make(JingleAction::kUnknown), kContext, kStart)),
            std::pair(Condition::kBadRequest, std::string("Missing 'action'")));
  auto odd = make(JingleAction::kUnknown);
  odd.unknown_action = "session-dance";
  EXPECT_EQ(refusal(session.judge(odd, kContext, kStart)),
            std::pair(Condition::kBadRequest, std::string("Unknown 'action'")));
}

TEST(JingleSessionTest, AcceptBringsTheFirstTransportTheSourcesAndLastN) {
  auto session = make_pending();
  EXPECT_EQ(session.accept_deadline(), kStart + seconds{60});
  const auto verdict = session.judge(make_accept(), kContext, kStart);
  const auto* accept = std::get_if<jingle::Accept>(&verdict);
  ASSERT_NE(accept, nullptr);
  EXPECT_EQ(accept->transport,
            (proto::IceUdpTransport{.ufrag = "first", .pwd = "p", .rtcp_mux = true}));
  EXPECT_EQ(accept->initial_last_n, 25);
  ASSERT_EQ(accept->sources.audio.size(), 1U);
  EXPECT_EQ(accept->sources.audio[0].ssrc, Ssrc(7));
  ASSERT_EQ(accept->sources.video.size(), 1U);
  EXPECT_EQ(session.state(), State::kActive);
  EXPECT_EQ(session.accept_deadline(), std::nullopt);
}

TEST(JingleSessionTest, AcceptWithoutSourcesOrTransportIsFine) {
  auto session = make_pending();
  EXPECT_EQ(session.judge(make(JingleAction::kSessionAccept), kContext, kStart),
            JingleVerdict(jingle::Accept{}));
}

TEST(JingleSessionTest, ASecondAcceptIsOutOfOrderAndHarmless) {
  auto session = make_active();
  const auto verdict = session.judge(make_accept(), kContext, kStart);
  EXPECT_EQ(refusal(verdict).first, Condition::kUnexpectedRequest);
  EXPECT_EQ(std::get<jingle::Refuse>(verdict).error.application.at(0).name, "out-of-order");
  EXPECT_EQ(session.state(), State::kActive);
}

TEST(JingleSessionTest, ARejectedAcceptEndsTheSessionWithoutAWordToTheClient) {
  auto session = make_active();
  session.reject_accept();
  EXPECT_EQ(session.state(), State::kEnded);
  EXPECT_EQ(session.end(proto::ReasonCondition::kSuccess, "moving"), std::nullopt);
  EXPECT_EQ(refusal(session.judge(make_accept(), kContext, kStart)),
            std::pair(Condition::kGone, std::string("session ended")));
}

TEST(JingleSessionTest, WhatCannotBeReadIsRefusedAndAnAcceptEndsTheSession) {
  auto session = make_pending();
  auto request = make(JingleAction::kSourceAdd, "nobody-knows");
  request.malformed = "no";
  EXPECT_TRUE(is_unknown_session(session.judge(request, kContext, kStart)));
  request.sid = "sid-0";
  EXPECT_EQ(refusal(session.judge(request, kContext, kStart)),
            std::pair(Condition::kBadRequest, std::string("no")));
  EXPECT_EQ(session.state(), State::kPending);
  request.action = JingleAction::kSessionAccept;
  const auto verdict = session.judge(request, kContext, kStart);
  ASSERT_TRUE(is<jingle::RejectAccept>(verdict));
  EXPECT_EQ(std::get<jingle::RejectAccept>(verdict).error.text, "no");
  EXPECT_EQ(session.state(), State::kEnded);

  auto active = make_active();
  EXPECT_EQ(refusal(active.judge(request, kContext, kStart)).first, Condition::kUnexpectedRequest);
  request.action = JingleAction::kTransportAccept;
  EXPECT_EQ(refusal(active.judge(request, kContext, kStart)).first, Condition::kBadRequest);
  EXPECT_EQ(active.state(), State::kActive);
}

TEST(JingleSessionTest, AVisitorMayNotSend) {
  auto session = make_pending(Sending::kForbidden);
  const auto verdict = session.judge(make_accept(), kContext, kStart);
  const auto* rejected = std::get_if<jingle::RejectAccept>(&verdict);
  ASSERT_NE(rejected, nullptr);
  EXPECT_EQ(rejected->error.condition, Condition::kForbidden);
  EXPECT_EQ(rejected->error.text, "sources not allowed for visitors");
  EXPECT_EQ(session.state(), State::kEnded);

  auto silent = make_active(Sending::kForbidden);
  EXPECT_EQ(silent.state(), State::kActive);
  EXPECT_EQ(refusal(silent.judge(make_source_add({{.ssrc = Ssrc(1)}}, {}), kContext, kStart)),
            std::pair(Condition::kForbidden, std::string("add-source not allowed for visitors")));
  auto again = make_accept();
  again.action = JingleAction::kTransportAccept;
  EXPECT_EQ(refusal(silent.judge(again, kContext, kStart)).first, Condition::kForbidden);
  EXPECT_EQ(silent.state(), State::kActive);
}

TEST(JingleSessionTest, TransportInfoIsForwardedBeforeAndAfterTheAccept) {
  for (auto session : {make_pending(), make_active()}) {
    auto info = make(JingleAction::kTransportInfo);
    EXPECT_EQ(refusal(session.judge(info, kContext, kStart)),
              std::pair(Condition::kBadRequest, std::string("missing transport")));
    info.contents.push_back({.name = "audio"});
    info.contents[0].transport = proto::IceUdpTransport{.ufrag = "u", .ice_generation = 2};
    const auto verdict = session.judge(info, kContext, kStart);
    ASSERT_TRUE(is<jingle::UpdateTransport>(verdict));
    EXPECT_EQ(std::get<jingle::UpdateTransport>(verdict).transport,
              (proto::IceUdpTransport{.ufrag = "u", .ice_generation = 2, .rtcp_mux = true}));
  }
}

TEST(JingleSessionTest, TransportAcceptAndRejectAreTakenAlthoughNothingAsksForThem) {
  auto pending = make_pending();
  EXPECT_EQ(refusal(pending.judge(make(JingleAction::kTransportAccept), kContext, kStart)).first,
            Condition::kUnexpectedRequest);
  auto session = make_active();
  EXPECT_TRUE(
      is<jingle::Accept>(session.judge(make(JingleAction::kTransportAccept), kContext, kStart)));
  EXPECT_TRUE(is<jingle::Acknowledge>(
      session.judge(make(JingleAction::kTransportReject), kContext, kStart)));
}

TEST(JingleSessionTest, SourcesAreTakenWhilePendingToo) {  // A1, A37, R1.
  for (auto session : {make_pending(), make_active()}) {
    const auto verdict = session.judge(make_source_add({{.ssrc = Ssrc(1)}}, {}), kContext, kStart);
    ASSERT_TRUE(is<jingle::AddSources>(verdict));
    EXPECT_EQ(std::get<jingle::AddSources>(verdict).sources, testing::set_of({testing::a(1)}));
    EXPECT_TRUE(is<jingle::Acknowledge>(session.judge(make_source_add({}, {}), kContext, kStart)));

    auto remove = make_source_add({}, {{.ssrc = Ssrc(1)}});
    remove.action = JingleAction::kSourceRemove;
    const auto removal = session.judge(remove, kContext, kStart);
    ASSERT_TRUE(is<jingle::RemoveSources>(removal));
    EXPECT_EQ(std::get<jingle::RemoveSources>(removal).sources, testing::set_of({testing::v(1)}));
    EXPECT_TRUE(is<jingle::Acknowledge>(
        session.judge(make(JingleAction::kSourceRemove), kContext, kStart)));
  }
}

TEST(JingleSessionTest, TheSenderLimitRefusesTheWholeRequest) {  // L1.
  auto session = make_active();
  const auto audio = make_source_add({{.ssrc = Ssrc(1)}}, {});
  const auto video = make_source_add({}, {{.ssrc = Ssrc(2)}});
  const auto both = make_source_add({{.ssrc = Ssrc(1)}}, {{.ssrc = Ssrc(2)}});
  JingleContext context = kContext;
  context.video_senders_full = true;
  EXPECT_EQ(
      refusal(session.judge(video, context, kStart)),
      std::pair(Condition::kResourceConstraint, std::string("Sender count exceeded for: video")));
  EXPECT_TRUE(is<jingle::AddSources>(session.judge(audio, context, kStart)));
  context.audio_senders_full = true;
  EXPECT_EQ(refusal(session.judge(both, context, kStart)).second,
            "Sender count exceeded for: audio video");
}

TEST(JingleSessionTest, TerminateWithRestartAsksForAnotherInvite) {
  auto session = make_active();
  const auto verdict = session.judge(make_terminate(true), kContext, kStart);
  EXPECT_EQ(verdict, JingleVerdict(jingle::Terminated{
                         .error = std::nullopt,
                         .reinvite = true,
                         .counts_against_bridge = true,
                         .reason = {proto::ReasonCondition::kConnectivityError, "ICE FAILED"}}));
  EXPECT_EQ(session.state(), State::kEnded);
  EXPECT_EQ(session.end(proto::ReasonCondition::kSuccess, "moving"), std::nullopt);
  EXPECT_EQ(refusal(session.judge(make_terminate(true), kContext, kStart)),
            std::pair(Condition::kGone, std::string("session ended")));
}

TEST(JingleSessionTest, TerminateWithoutRestartIsTheEnd) {
  auto session = make_pending();
  const auto verdict = session.judge(make(JingleAction::kSessionTerminate), kContext, kStart);
  EXPECT_EQ(verdict, JingleVerdict(jingle::Terminated{}));
  EXPECT_EQ(session.state(), State::kEnded);
}

TEST(JingleSessionTest, TerminateNamingAnOldBridgeSessionSaysNothingAboutTheNewOne) {
  auto session = make_active();
  const auto verdict = session.judge(make_terminate(true, "older"), kContext, kStart);
  ASSERT_TRUE(is<jingle::Terminated>(verdict));
  EXPECT_TRUE(std::get<jingle::Terminated>(verdict).reinvite);
  EXPECT_FALSE(std::get<jingle::Terminated>(verdict).counts_against_bridge);
}

TEST(JingleSessionTest, RestartsAreLimitedPerParticipantAcrossSessions) {
  auto session = make_active();
  ASSERT_TRUE(is<jingle::Terminated>(session.judge(make_terminate(true), kContext, kStart)));
  session.invite("sid-1", kStart);
  auto again = make_terminate(true);
  again.sid = "sid-1";
  const auto verdict = session.judge(again, kContext, kStart + seconds{4});
  ASSERT_TRUE(is<jingle::Terminated>(verdict));
  const auto& terminated = std::get<jingle::Terminated>(verdict);
  EXPECT_FALSE(terminated.reinvite);
  EXPECT_FALSE(terminated.counts_against_bridge);
  ASSERT_TRUE(terminated.error.has_value());
  EXPECT_EQ(terminated.error->condition, Condition::kResourceConstraint);
  EXPECT_EQ(terminated.error->text, "rate-limited");
  EXPECT_EQ(session.state(), State::kEnded);
}

TEST(JingleSessionTest, WhatTheFocusEndedIsUnknownToTheClientSoonAndHere) {
  auto session = make_active();
  const auto terminate = session.end(proto::ReasonCondition::kSuccess, "moving");
  ASSERT_TRUE(terminate.has_value());
  EXPECT_EQ(terminate->action, JingleAction::kSessionTerminate);
  EXPECT_EQ(terminate->sid, "sid-0");
  EXPECT_EQ(terminate->reason, (proto::JingleReason{proto::ReasonCondition::kSuccess, "moving"}));
  EXPECT_EQ(terminate->initiator, std::nullopt);
  EXPECT_EQ(session.end(proto::ReasonCondition::kSuccess, "moving"), std::nullopt);
  for (const JingleAction action : kSupported) {
    EXPECT_TRUE(is_unknown_session(session.judge(make(action), kContext, kStart)));
  }
  session.invite("sid-1", kStart);
  for (const JingleAction action : kSupported) {
    EXPECT_TRUE(is_unknown_session(session.judge(make(action), kContext, kStart)));
  }
  // The client crossed our own move: it gets what it wants, and no error that makes it leave.
  EXPECT_TRUE(is<jingle::Acknowledge>(session.judge(make_terminate(true), kContext, kStart)));
  EXPECT_EQ(session.state(), State::kPending);
}

TEST(JingleSessionTest, AReplacedSessionIsAnsweredAsSuch) {
  auto session = make_active();
  session.invite("sid-1", kStart);
  for (const JingleAction action : kSupported) {
    const bool is_accept =
        action == JingleAction::kSessionAccept || action == JingleAction::kTransportAccept;
    EXPECT_EQ(refusal(session.judge(make(action), kContext, kStart)),
              is_accept ? std::pair(Condition::kGone, std::string("session has been replaced"))
                        : std::pair(Condition::kItemNotFound,
                                    std::string("jingle session no longer active")));
  }
  EXPECT_TRUE(is<jingle::Acknowledge>(session.judge(make_terminate(true), kContext, kStart)));
  EXPECT_EQ(session.state(), State::kPending);
  EXPECT_EQ(session.sid(), "sid-1");
  EXPECT_TRUE(is<jingle::Accept>(session.judge(make_accept("sid-1"), kContext, kStart)));
}

TEST(JingleSessionTest, RemembersABoundedNumberOfOldSids) {
  JingleSession session({}, Sending::kAllowed);
  for (int i = 0; i < 10; ++i) {
    session.invite("sid-" + std::to_string(i), kStart);
  }
  EXPECT_TRUE(is_unknown_session(session.judge(make_accept("sid-0"), kContext, kStart)));
  EXPECT_EQ(refusal(session.judge(make_accept("sid-1"), kContext, kStart)).first, Condition::kGone);
  EXPECT_EQ(session.generation(), 9U);
}

TEST(JingleSessionTest, SessionInfoThatMeansNothingIsAcknowledged) {
  auto session = make_active();
  auto info = make(JingleAction::kSessionInfo);
  EXPECT_TRUE(is<jingle::Acknowledge>(session.judge(info, kContext, kStart)));
  info.ice_state = "completed";
  EXPECT_TRUE(is<jingle::Acknowledge>(session.judge(info, kContext, kStart)));
}

TEST(JingleSessionTest, AnOldClientReportsFailedIce) {
  auto session = make_active();
  auto info = make(JingleAction::kSessionInfo);
  info.ice_state = "failed";
  info.bridge_session = proto::BridgeSession{.id = "older"};
  EXPECT_TRUE(is<jingle::Acknowledge>(session.judge(info, kContext, kStart)));
  info.bridge_session->id = "bridge-session-1";
  EXPECT_TRUE(is<jingle::IceFailed>(session.judge(info, kContext, kStart)));
  EXPECT_TRUE(is<jingle::Acknowledge>(session.judge(info, kContext, kStart + seconds{1})));
  EXPECT_EQ(session.state(), State::kActive);
}

TEST(JingleSessionTest, IceRestartChecksSwitchThenBudgetThenBridgeSession) {
  auto info = make(JingleAction::kSessionInfo);
  info.bridge_session = proto::BridgeSession{.id = "older", .ice_restart = true};

  auto off = make_active(Sending::kAllowed, {.in_place_ice_restart = false});
  EXPECT_EQ(refusal(off.judge(info, kContext, kStart)),
            std::pair(Condition::kFeatureNotImplemented,
                      std::string("in-place ICE restart is disabled")));

  auto session = make_active();
  EXPECT_EQ(
      refusal(session.judge(info, kContext, kStart)),
      std::pair(Condition::kItemNotFound, std::string("older is not a currently active session")));
  info.bridge_session->id = "bridge-session-1";
  EXPECT_EQ(refusal(session.judge(info, kContext, kStart + seconds{1})),
            std::pair(Condition::kResourceConstraint, std::string("rate-limited")));
  EXPECT_TRUE(is<jingle::RestartIce>(session.judge(info, kContext, kStart + seconds{5})));
  // Its budget is its own: a new session may be asked for at once.
  const auto verdict = session.judge(make_terminate(true), kContext, kStart + seconds{5});
  EXPECT_TRUE(std::get<jingle::Terminated>(verdict).reinvite);
}

TEST(JingleSessionTest, RelaysOnlyNewerIceGenerations) {
  auto session = make_active();
  proto::IceUdpTransport transport{.ufrag = "u", .pwd = "p"};
  EXPECT_EQ(session.relay_ice_restart(transport), std::nullopt);
  transport.ice_generation = 2;
  const auto relayed = session.relay_ice_restart(transport);
  ASSERT_TRUE(relayed.has_value());
  EXPECT_EQ(relayed->action, JingleAction::kTransportInfo);
  EXPECT_EQ(relayed->sid, "sid-0");
  ASSERT_EQ(relayed->contents.size(), 1U);
  EXPECT_EQ(relayed->contents[0].name, "audio");
  EXPECT_EQ(relayed->contents[0].transport, transport);
  EXPECT_EQ(session.relay_ice_restart(transport), std::nullopt);
  transport.ice_generation = 1;
  EXPECT_EQ(session.relay_ice_restart(transport), std::nullopt);
}

TEST(JingleSessionTest, ContinuesFromStorage) {
  JingleSession session({}, Sending::kAllowed);
  session.restore("sid-0", 3, State::kPending, kStart);
  EXPECT_EQ(session.generation(), 3U);
  EXPECT_EQ(session.next_generation(), 4U);
  EXPECT_EQ(session.accept_deadline(), kStart + seconds{60});
  EXPECT_TRUE(is<jingle::Accept>(session.judge(make_accept(), kContext, kStart)));
}

TEST(JingleSessionTest, AForgottenSessionSaysNothing) {
  auto session = make_active();
  session.forget();
  EXPECT_EQ(session.state(), State::kEnded);
  EXPECT_EQ(session.end(proto::ReasonCondition::kGone, ""), std::nullopt);
}

TEST(RestartLimiterTest, AcceptsFivePerMinuteAndNoneWithinFiveSeconds) {
  RestartLimiter limiter({});
  EXPECT_TRUE(limiter.try_accept(kStart));
  EXPECT_FALSE(limiter.try_accept(kStart + Duration{4'999'999}));
  for (int i = 1; i < 5; ++i) {
    EXPECT_TRUE(limiter.try_accept(kStart + seconds{5 * i}));
  }
  EXPECT_FALSE(limiter.try_accept(kStart + seconds{59}));
  EXPECT_TRUE(limiter.try_accept(kStart + seconds{60}));
  EXPECT_FALSE(limiter.try_accept(kStart + seconds{64}));
}

// The expected values were computed with: printf 'm\0e\0%d' 0 | openssl dgst -sha256 -hmac key
TEST(SidTest, IsTheBeginningOfTheHmacOfWhoIsInvited) {
  EXPECT_EQ(make_sid("key", "m", EndpointId("e"), 0), "a8af54226ec09fcb");
  EXPECT_EQ(make_sid("key", "m", EndpointId("e"), 1), "9f8b288121bb9bb7");
  EXPECT_NE(make_sid("other", "m", EndpointId("e"), 0), "a8af54226ec09fcb");
}

}  // namespace
}  // namespace bascule::focus
