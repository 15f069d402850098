#include "focus/colibri_session.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/check.h"
#include "focus/colibri_sources.h"
#include "source_builders.h"

namespace bascule::focus {
namespace {

using proto::Condition;
using std::chrono::milliseconds, std::chrono::seconds;
using testing::a, testing::v, testing::fid, testing::set_of, testing::endpoint;
using Kind = ColibriOutcomeKind;
using Ids = std::vector<EndpointId>;

constexpr Instant kStart{seconds{1000}};
const EndpointId kOne = endpoint("e1");
const EndpointId kTwo = endpoint("e2");
const EndpointId kThree = endpoint("e3");

ColibriSession make_session() {
  return ColibriSession({.meeting_id = "meeting",
                         .room = RoomJid(Jid::parse("room@conference.example.net").value()),
                         .bridge_session_id = "uuid"});
}

EndpointRequest request_for(const EndpointId& id) {
  return {.id = id, .sctp = true};
}

proto::Endpoint make_granted(const EndpointId& id) {
  return {
      .id = id.value(),
      .transport = proto::Transport{.ice_udp = proto::IceUdpTransport{.ufrag = "u-" + id.value()},
                                    .sctp = proto::Sctp{.port = 5000}}};
}

proto::Sources make_feedback() {
  return {{{.type = proto::MediaType::kAudio,
            .id = "jvb-a0",
            .sources = {{.ssrc = Ssrc(501), .name = "jvb-a0"}}},
           {.type = proto::MediaType::kVideo, .id = "jvb-v0", .sources = {{.ssrc = Ssrc(502)}}}}};
}

ColibriAnswer granted(const EndpointId& id) {
  return proto::ConferenceModified{.endpoints = {make_granted(id)}, .sources = make_feedback()};
}

ColibriAnswer done() {
  return proto::ConferenceModified{};
}

ColibriAnswer refused(proto::StanzaError error) {
  return tl::make_unexpected(std::variant<proto::StanzaError, Error>(std::move(error)));
}

ColibriAnswer refused(Condition condition) {
  return refused(proto::make_error(condition));
}

ColibriAnswer refused(Condition condition, const proto::Colibri2Error& colibri) {
  return refused(proto::make_error(condition, "", proto::encode(colibri)));
}

ColibriAnswer failed(Errc code) {
  return tl::make_unexpected(std::variant<proto::StanzaError, Error>(Error{code, "no answer"}));
}

/// Answers as a bridge, and keeps what is still unanswered.
class Bridge {
 public:
  explicit Bridge(ColibriSession& session) : session_(session) {}

  void take(ColibriSession::Requests requests) {
    for (auto& request : requests) {
      open.push_back(std::move(request));
    }
  }
  ColibriOutcome answer(const ColibriAnswer& answer, Instant now = kStart) {
    BASCULE_CHECK(!open.empty());
    const ColibriTicket ticket = open.front().ticket;
    open.erase(open.begin());
    auto step = session_.answered(ticket, answer, now);
    take(std::move(step.send));
    return std::move(step.outcome);
  }
  void allocate(const EndpointId& id) {
    take(session_.allocate(request_for(id)).value());
    ASSERT_EQ(open.size(), 1U);
    ASSERT_EQ(answer(granted(id)).kind, Kind::kAllocated);
  }
  [[nodiscard]] const proto::ConferenceModify& message(std::size_t i) const {
    return open.at(i).message;
  }

  ColibriSession::Requests open;

 private:
  ColibriSession& session_;
};

/// A session with these endpoints allocated.
struct Fixture {
  explicit Fixture(const Ids& ids = {}) {
    for (const EndpointId& id : ids) {
      bridge.allocate(id);
    }
  }
  ColibriSession session = make_session();
  Bridge bridge{session};
};

TEST(ColibriSessionTest, TheFirstAllocationCreatesTheConference) {
  Fixture f;
  EndpointRequest request = request_for(kOne);
  request.stats_id = "Ada-x1z";
  request.ssrc_rewriting = true;
  f.bridge.take(f.session.allocate(request).value());
  EXPECT_EQ(f.session.state(), ColibriState::kCreating);
  ASSERT_EQ(f.bridge.open.size(), 1U);
  const auto& message = f.bridge.message(0);
  EXPECT_EQ(message.meeting_id, "meeting");
  EXPECT_EQ(message.name, "room@conference.example.net");
  EXPECT_TRUE(message.create);
  ASSERT_EQ(message.endpoints.size(), 1U);
  const auto& created = message.endpoints[0];
  EXPECT_EQ(created.id, "e1");
  EXPECT_TRUE(created.create);
  EXPECT_EQ(created.stats_id, "Ada-x1z");
  EXPECT_EQ(created.transport, (proto::Transport{.ice_controlling = true, .sctp = proto::Sctp{}}));
  EXPECT_EQ(created.sources, proto::Sources{});
  EXPECT_EQ(created.capabilities, (std::vector<std::string>{"source-names", "ssrc-rewriting"}));
  EXPECT_EQ(created.force_mute, std::nullopt);
  EXPECT_EQ(created.muc_role, std::nullopt);

  const auto outcome = f.bridge.answer(granted(kOne));
  EXPECT_EQ(outcome.kind, Kind::kAllocated);
  EXPECT_EQ(outcome.endpoint, kOne);
  EXPECT_EQ(outcome.allocation->transport.ufrag, "u-e1");
  EXPECT_EQ(outcome.allocation->sctp_port, 5000);
  EXPECT_EQ(outcome.allocation->feedback.audio.at(0),
            (proto::Source{
                .ssrc = Ssrc(501), .name = "jvb-a0", .msid = "mixedmslabel mixedlabelaudio0"}));
  EXPECT_EQ(outcome.allocation->feedback.video.at(0),
            (proto::Source{
                .ssrc = Ssrc(502), .name = "jvb-v0", .msid = "mixedmslabel mixedlabelvideo0"}));
  EXPECT_EQ(f.session.state(), ColibriState::kPresent);
  EXPECT_TRUE(f.session.is_allocated(kOne));
}

TEST(ColibriSessionTest, OthersWaitForTheCreationAndThenGoInOrder) {
  Fixture f;
  f.bridge.take(f.session.allocate(request_for(kOne)).value());
  EXPECT_TRUE(f.session.allocate(request_for(kTwo)).value().empty());
  EXPECT_TRUE(f.session.allocate(request_for(kThree)).value().empty());
  EXPECT_EQ(f.bridge.answer(granted(kOne)).kind, Kind::kAllocated);
  ASSERT_EQ(f.bridge.open.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_FALSE(f.bridge.message(i).create);
    EXPECT_EQ(f.bridge.message(i).name, std::nullopt);
  }
  EXPECT_EQ(f.bridge.message(0).endpoints[0].id, "e2");
  // An answer without feedback sources: those of the first one serve.
  const auto outcome =
      f.bridge.answer(proto::ConferenceModified{.endpoints = {make_granted(kTwo)}});
  EXPECT_EQ(outcome.allocation->feedback.audio.size(), 1U);
}

TEST(ColibriSessionTest, RefusesToAllocateTwiceAndBeyondItsLimit) {
  ColibriSession session({.meeting_id = "m", .bridge_session_id = "u", .requests_max = 2});
  ASSERT_TRUE(session.allocate(request_for(kOne)).has_value());
  EXPECT_EQ(session.allocate(request_for(kOne)).error().code, Errc::kConflict);
  ASSERT_TRUE(session.allocate(request_for(kTwo)).has_value());
  EXPECT_EQ(session.allocate(request_for(kThree)).error().code, Errc::kUnavailable);
  EXPECT_FALSE(session.has_endpoint(kThree));
}

TEST(ColibriSessionTest, VisitorsAndForcedMuteAreToldAtCreation) {
  EndpointRequest request = request_for(kOne);
  request.visitor = true;
  request.sctp = false;
  request.force_mute.audio = true;
  const auto created = make_create(request);
  EXPECT_EQ(created.muc_role, proto::EndpointRole::kVisitor);
  EXPECT_EQ(created.transport->sctp, std::nullopt);
  EXPECT_EQ(created.force_mute, (proto::ForceMute{.audio = true, .video = false}));
}

TEST(ColibriSessionTest, AnIncompleteAnswerCostsTheEndpointOnly) {
  Fixture f({kOne});
  f.bridge.take(f.session.allocate(request_for(kTwo)).value());
  auto endpoint = make_granted(kTwo);
  endpoint.transport->sctp.reset();
  const auto outcome = f.bridge.answer(proto::ConferenceModified{.endpoints = {endpoint}});
  EXPECT_EQ(outcome.kind, Kind::kIncompleteAnswer);
  EXPECT_EQ(outcome.lost, Ids{kTwo});
  ASSERT_EQ(f.bridge.open.size(), 1U);
  EXPECT_TRUE(f.bridge.message(0).endpoints.at(0).expire);
  EXPECT_EQ(f.session.endpoints(), Ids{kOne});
}

TEST(ColibriSessionTest, AnUpdateHasTransportSourcesAndLastN) {
  Fixture f({kOne});
  f.bridge.take(f.session.update({.id = kOne,
                                  .transport = proto::IceUdpTransport{.ufrag = "client"},
                                  .sources = set_of({a(7)}),
                                  .initial_last_n = 8}));
  ASSERT_EQ(f.bridge.open.size(), 1U);
  const auto& updated = f.bridge.message(0).endpoints.at(0);
  EXPECT_FALSE(f.bridge.message(0).create);
  EXPECT_FALSE(updated.create);
  EXPECT_EQ(updated.transport->ice_udp->ufrag, "client");
  EXPECT_FALSE(updated.transport->ice_controlling);
  EXPECT_EQ(updated.sources, to_colibri_sources(kOne, set_of({a(7)})));
  EXPECT_EQ(updated.initial_last_n, 8);
  EXPECT_EQ(f.bridge.answer(done()).kind, Kind::kDone);
  EXPECT_TRUE(f.session.update({.id = kTwo, .sources = set_of({a(8)})}).empty());
}

TEST(ColibriSessionTest, AnUnansweredUpdateIsRepeatedOnceWithoutOvertakingNewerSources) {
  Fixture f({kOne});
  f.bridge.take(f.session.update({.id = kOne,
                                  .transport = proto::IceUdpTransport{.ufrag = "client"},
                                  .sources = set_of({a(7)})}));
  f.bridge.take(f.session.update({.id = kOne, .sources = set_of({a(8)})}));
  EXPECT_EQ(f.bridge.answer(failed(Errc::kTimeout)).kind, Kind::kRetried);
  ASSERT_EQ(f.bridge.open.size(), 2U);
  EXPECT_EQ(f.bridge.message(1).endpoints[0].transport->ice_udp->ufrag, "client");
  EXPECT_EQ(f.bridge.message(1).endpoints[0].sources, std::nullopt);
  EXPECT_EQ(f.bridge.answer(failed(Errc::kTimeout)).kind, Kind::kRetried);  // The newer one.
  ASSERT_EQ(f.bridge.open.size(), 2U);
  EXPECT_EQ(f.bridge.message(1).endpoints[0].sources, to_colibri_sources(kOne, set_of({a(8)})));
  const auto second = f.bridge.answer(failed(Errc::kTimeout));
  EXPECT_EQ(second.kind, Kind::kTimeout);
  EXPECT_TRUE(second.lost.empty());
  EXPECT_EQ(f.bridge.answer(done()).kind, Kind::kDone);
  EXPECT_TRUE(f.session.is_allocated(kOne));
}

TEST(ColibriSessionTest, MuteGoesToAllocatedEndpointsInOneRequest) {
  Fixture f({kOne, kTwo});
  const std::vector<std::pair<EndpointId, proto::ForceMute>> mutes = {
      {kOne, {.audio = true}}, {kThree, {.audio = true}}, {kTwo, {}}};
  f.bridge.take(f.session.force_mute(mutes));
  ASSERT_EQ(f.bridge.open.size(), 1U);
  const auto& endpoints = f.bridge.message(0).endpoints;
  ASSERT_EQ(endpoints.size(), 2U);
  EXPECT_EQ(endpoints[0].force_mute, (proto::ForceMute{.audio = true}));
  EXPECT_EQ(endpoints[1].id, "e2");
  EXPECT_EQ(endpoints[1].force_mute, proto::ForceMute{});
  EXPECT_EQ(f.bridge.answer(done()).kind, Kind::kDone);
}

TEST(ColibriSessionTest, RemovingTheLastEndpointExpiresTheConference) {
  Fixture f({kOne, kTwo, kThree});
  f.bridge.take(f.session.remove(Ids{kOne, endpoint("unknown"), kTwo}));
  ASSERT_EQ(f.bridge.open.size(), 1U);
  EXPECT_FALSE(f.bridge.message(0).expire);
  EXPECT_EQ(f.bridge.message(0).endpoints.size(), 2U);
  EXPECT_TRUE(f.bridge.message(0).endpoints[1].expire);
  EXPECT_EQ(f.bridge.answer(done()).kind, Kind::kDone);
  f.bridge.take(f.session.remove(Ids{kThree}));
  ASSERT_EQ(f.bridge.open.size(), 1U);
  EXPECT_TRUE(f.bridge.message(0).expire);
  EXPECT_EQ(f.session.state(), ColibriState::kExpiring);
  EXPECT_FALSE(f.session.is_idle());
  EXPECT_EQ(f.bridge.answer(done()).kind, Kind::kDone);
  EXPECT_EQ(f.session.state(), ColibriState::kAbsent);
  EXPECT_TRUE(f.session.is_idle());
  EXPECT_TRUE(f.session.remove(Ids{kThree}).empty());
}

TEST(ColibriSessionTest, ANewIncarnationWaitsForTheEndOfTheOld) {
  Fixture f({kOne});
  EXPECT_EQ(f.session.bridge_session_id(), "uuid");
  f.bridge.take(f.session.remove(Ids{kOne}));
  EXPECT_TRUE(f.session.allocate(request_for(kTwo)).value().empty());
  EXPECT_EQ(f.bridge.answer(done()).kind, Kind::kDone);
  ASSERT_EQ(f.bridge.open.size(), 1U);
  EXPECT_TRUE(f.bridge.message(0).create);
  EXPECT_EQ(f.session.bridge_session_id(), "uuid-1");
  EXPECT_EQ(f.bridge.answer(granted(kTwo)).kind, Kind::kAllocated);
}

TEST(ColibriSessionTest, ACreateThatMeetsOurOwnExpireIsRetriedOnceAfterAWhile) {
  const ColibriAnswer exists =
      refused(Condition::kConflict, {.reason = proto::Colibri2Reason::kConferenceAlreadyExists});
  Fixture f({kOne});
  f.bridge.take(f.session.remove(Ids{kOne}));
  f.bridge.answer(done(), kStart);
  f.bridge.take(f.session.allocate(request_for(kTwo)).value());
  EXPECT_EQ(f.bridge.answer(exists, kStart + seconds{1}).kind, Kind::kRetried);
  EXPECT_TRUE(f.bridge.open.empty());
  EXPECT_EQ(f.session.next_deadline(), kStart + seconds{1} + milliseconds{300});
  EXPECT_TRUE(f.session.fire_timers(kStart + seconds{1}).empty());
  f.bridge.take(f.session.fire_timers(kStart + milliseconds{1300}));
  ASSERT_EQ(f.bridge.open.size(), 1U);
  EXPECT_TRUE(f.bridge.message(0).create);
  EXPECT_EQ(f.session.incarnation(), 1U);

  // Once only: the second time somebody else's conference is there, and is expired.
  const auto outcome = f.bridge.answer(exists, kStart + milliseconds{1400});
  EXPECT_EQ(outcome.kind, Kind::kConferenceExists);
  EXPECT_EQ(outcome.lost, Ids{kTwo});
  ASSERT_EQ(f.bridge.open.size(), 1U);
  EXPECT_TRUE(f.bridge.message(0).expire);
}

TEST(ColibriSessionTest, AConferenceWeDidNotExpectIsExpiredAndEverybodyPlacedAgain) {
  Fixture f;
  f.bridge.take(f.session.allocate(request_for(kOne)).value());
  f.bridge.take(f.session.allocate(request_for(kTwo)).value());
  const auto outcome = f.bridge.answer(
      refused(Condition::kConflict, {.reason = proto::Colibri2Reason::kConferenceAlreadyExists}));
  EXPECT_EQ(outcome.kind, Kind::kConferenceExists);
  EXPECT_EQ(outcome.lost, (Ids{kOne, kTwo}));
  ASSERT_EQ(f.bridge.open.size(), 1U);
  EXPECT_TRUE(f.bridge.message(0).expire);
}

TEST(ColibriSessionTest, AConferenceTheBridgeForgotIsLostAsAWhole) {
  Fixture f({kOne, kTwo});
  f.bridge.take(f.session.update({.id = kOne, .sources = set_of({a(7)})}));
  f.bridge.take(f.session.update({.id = kTwo, .sources = set_of({a(8)})}));
  const auto gone =
      refused(Condition::kItemNotFound, {.reason = proto::Colibri2Reason::kConferenceNotFound});
  const auto outcome = f.bridge.answer(gone);
  EXPECT_EQ(outcome.kind, Kind::kConferenceGone);
  EXPECT_EQ(outcome.lost, (Ids{kOne, kTwo}));
  EXPECT_EQ(f.session.state(), ColibriState::kAbsent);
  const auto second = f.bridge.answer(gone);
  EXPECT_EQ(second.kind, Kind::kStale);
  EXPECT_TRUE(second.lost.empty());
  f.bridge.take(f.session.allocate(request_for(kOne)).value());
  EXPECT_TRUE(f.bridge.message(0).create);
  EXPECT_EQ(f.session.bridge_session_id(), "uuid-1");
}

TEST(ColibriSessionTest, AnUnknownEndpointCostsThatEndpointOnly) {
  Fixture f({kOne, kTwo});
  f.bridge.take(f.session.update({.id = kOne, .sources = set_of({a(7)})}));
  const auto outcome = f.bridge.answer(
      refused(Condition::kItemNotFound,
              {.reason = proto::Colibri2Reason::kUnknownEndpoint, .endpoint_id = "e1"}));
  EXPECT_EQ(outcome.kind, Kind::kEndpointUnknown);
  EXPECT_EQ(outcome.endpoint, kOne);
  EXPECT_EQ(outcome.lost, Ids{kOne});
  EXPECT_TRUE(f.bridge.open.empty());  // Nothing to expire.
  EXPECT_EQ(f.session.endpoints(), Ids{kTwo});
}

TEST(ColibriSessionTest, ABridgeThatShutsDownTakesNoneAndIsNotAskedToExpire) {
  Fixture f;
  f.bridge.take(f.session.allocate(request_for(kOne)).value());
  f.bridge.take(f.session.allocate(request_for(kTwo)).value());
  const auto outcome = f.bridge.answer(refused(
      Condition::kServiceUnavailable, {.reason = proto::Colibri2Reason::kGracefulShutdown}));
  EXPECT_EQ(outcome.kind, Kind::kBridgeShuttingDown);
  EXPECT_EQ(outcome.lost, (Ids{kOne, kTwo}));
  EXPECT_TRUE(f.bridge.open.empty());
}

// Every failure of an allocation that is not the first: what it is called, that it costs this
// endpoint and no other, and whether the bridge is told to clean up.
TEST(ColibriSessionTest, EveryFailedAllocationIsClassified) {
  proto::StanzaError by_server = proto::make_error(Condition::kPolicyViolation);
  by_server.by = "brewery@internal.example.net";
  struct Case {
    std::string name;
    ColibriAnswer answer;
    Kind kind;
    bool cleans_up;
  };
  const std::vector<Case> cases = {
      {"bad request", refused(Condition::kBadRequest), Kind::kBadRequest, true},
      {"shape not supported",
       refused(Condition::kFeatureNotImplemented,
               {.reason = proto::Colibri2Reason::kFeatureNotImplemented}),
       Kind::kBadRequest, true},
      {"SCTP or relays off", refused(Condition::kFeatureNotImplemented), Kind::kBridgeFailed, true},
      {"endpoint exists", refused(Condition::kConflict), Kind::kEndpointExists, true},
      {"exception", refused(Condition::kInternalServerError), Kind::kBridgeFailed, true},
      {"not initialised", refused(Condition::kServiceUnavailable), Kind::kBridgeFailed, true},
      {"not from its room", refused(Condition::kForbidden), Kind::kBridgeFailed, true},
      {"unspecified",
       refused(Condition::kInternalServerError, {.reason = proto::Colibri2Reason::kUnspecified}),
       Kind::kBridgeFailed, true},
      {"not in the brewery", refused(Condition::kNotAcceptable), Kind::kNotInBrewery, false},
      {"bridge not in the room", refused(Condition::kItemNotFound), Kind::kBridgeLeft, false},
      {"bridge hibernating", refused(Condition::kRecipientUnavailable), Kind::kBridgeLeft, false},
      {"bridge's server", refused(Condition::kRemoteServerTimeout), Kind::kBridgeLeft, false},
      {"our server", refused(by_server), Kind::kServerRefused, false},
      {"no answer", failed(Errc::kTimeout), Kind::kTimeout, true},
      {"link", failed(Errc::kUnavailable), Kind::kLinkDown, false},
      {"nonsense", failed(Errc::kMalformed), Kind::kBridgeFailed, true},
  };
  for (const Case& item : cases) {
    SCOPED_TRACE(item.name);
    Fixture f({kOne});
    f.bridge.take(f.session.allocate(request_for(kTwo)).value());
    const auto outcome = f.bridge.answer(item.answer);
    EXPECT_EQ(to_string(outcome.kind), to_string(item.kind));
    EXPECT_EQ(outcome.endpoint, kTwo);
    EXPECT_EQ(outcome.lost, Ids{kTwo});
    EXPECT_FALSE(outcome.detail.empty());
    EXPECT_EQ(f.bridge.open.size(), item.cleans_up ? 1U : 0U);
    EXPECT_TRUE(f.session.is_allocated(kOne));
    // It may be tried again; what could not be cleaned up before is cleaned up first.
    f.bridge.open.clear();
    f.bridge.take(f.session.allocate(request_for(kTwo)).value());
    ASSERT_EQ(f.bridge.open.size(), item.cleans_up ? 1U : 2U);
    EXPECT_EQ(f.bridge.message(0).endpoints.at(0).expire, !item.cleans_up);
    EXPECT_TRUE(f.bridge.open.back().message.endpoints.at(0).create);
  }
}

TEST(ColibriSessionTest, AfterAFailedCreationTheRemainsAreExpiredBeforeTheNext) {
  for (const auto& [answer, at_once] :
       {std::pair(refused(Condition::kBadRequest), true), std::pair(failed(Errc::kTimeout), true),
        std::pair(failed(Errc::kUnavailable), false),
        std::pair(refused(Condition::kItemNotFound), false)}) {
    Fixture f;
    f.bridge.take(f.session.allocate(request_for(kOne)).value());
    f.bridge.take(f.session.allocate(request_for(kTwo)).value());
    EXPECT_EQ(f.bridge.answer(answer).lost, (Ids{kOne, kTwo}));
    EXPECT_EQ(f.bridge.open.size(), at_once ? 1U : 0U);
    f.bridge.take(f.session.allocate(request_for(kThree)).value());
    ASSERT_EQ(f.bridge.open.size(), 1U);
    EXPECT_TRUE(f.bridge.message(0).expire);
    f.bridge.answer(
        refused(Condition::kItemNotFound, {.reason = proto::Colibri2Reason::kConferenceNotFound}));
    ASSERT_EQ(f.bridge.open.size(), 1U);
    EXPECT_TRUE(f.bridge.message(0).create);
  }
}

TEST(ColibriSessionTest, ALinkThatIsDownIsNotHammered) {
  Fixture f({kOne});
  f.bridge.take(f.session.remove(Ids{kOne}));
  EXPECT_TRUE(f.session.allocate(request_for(kTwo)).value().empty());
  const auto outcome = f.bridge.answer(failed(Errc::kUnavailable));
  EXPECT_EQ(outcome.kind, Kind::kLinkDown);
  EXPECT_EQ(outcome.lost, Ids{kTwo});
  EXPECT_TRUE(f.bridge.open.empty());
}

TEST(ColibriSessionTest, AnEndpointRemovedBeforeItsAnswerIsNotMissedOnTheBridge) {
  Fixture f;
  f.bridge.take(f.session.allocate(request_for(kOne)).value());
  f.bridge.take(f.session.remove(Ids{kOne}));
  EXPECT_EQ(f.bridge.open.size(), 1U);  // The expire waits for the creation.
  EXPECT_EQ(f.bridge.answer(granted(kOne)).kind, Kind::kStale);
  ASSERT_EQ(f.bridge.open.size(), 1U);
  EXPECT_TRUE(f.bridge.message(0).expire);
}

TEST(ColibriSessionTest, AnAllocationThatWasNotSentIsJustDropped) {
  Fixture f;
  f.bridge.take(f.session.allocate(request_for(kOne)).value());
  f.bridge.take(f.session.allocate(request_for(kTwo)).value());
  f.bridge.take(f.session.remove(Ids{kTwo}));
  f.bridge.answer(granted(kOne));
  EXPECT_TRUE(f.bridge.open.empty());
  EXPECT_EQ(f.session.endpoints(), Ids{kOne});
}

TEST(ColibriSessionTest, AnswersToAnEarlierAllocationOfTheSameIdAreStale) {
  Fixture f({kOne});
  f.bridge.take(f.session.allocate(request_for(kTwo)).value());
  f.bridge.take(f.session.remove(Ids{kTwo}));
  f.bridge.take(f.session.allocate(request_for(kTwo)).value());
  ASSERT_EQ(f.bridge.open.size(), 3U);
  EXPECT_EQ(f.bridge.answer(refused(Condition::kConflict)).kind, Kind::kStale);
  EXPECT_EQ(f.bridge.answer(done()).kind, Kind::kDone);
  EXPECT_EQ(f.bridge.answer(granted(kTwo)).kind, Kind::kAllocated);
  EXPECT_EQ(f.session.answered(ColibriTicket(999), done(), kStart).outcome.kind, Kind::kStale);
}

TEST(ColibriSessionTest, GivingUpMakesEverythingOutstandingStale) {
  Fixture f({kOne});
  f.bridge.take(f.session.allocate(request_for(kTwo)).value());
  f.bridge.take(f.session.expire());
  ASSERT_EQ(f.bridge.open.size(), 2U);
  EXPECT_EQ(f.session.endpoint_count(), 0U);
  EXPECT_EQ(f.bridge.answer(granted(kTwo)).kind, Kind::kStale);
  EXPECT_TRUE(f.bridge.message(0).expire);
  EXPECT_EQ(f.bridge.answer(done()).kind, Kind::kDone);
  EXPECT_TRUE(f.session.is_idle());
  EXPECT_TRUE(f.session.expire().empty());
}

TEST(ColibriSessionTest, AnIceRestartBringsTheNewTransportIfThereIsOne) {
  Fixture f({kOne});
  f.bridge.take(f.session.restart_ice(kOne));
  EXPECT_TRUE(f.bridge.message(0).endpoints.at(0).transport->ice_restart);
  const auto restarted =
      f.bridge.answer(proto::ConferenceModified{.endpoints = {make_granted(kOne)}});
  EXPECT_EQ(restarted.kind, Kind::kTransport);
  EXPECT_EQ(restarted.transport->ufrag, "u-e1");
  f.bridge.take(f.session.restart_ice(kOne));
  const auto refused_it = f.bridge.answer(done());
  EXPECT_EQ(refused_it.kind, Kind::kTransport);
  EXPECT_EQ(refused_it.transport, std::nullopt);
}

TEST(ColibriSessionTest, ContinuesFromStorage) {
  auto session = make_session();
  session.restore(Ids{kOne, kTwo}, {}, 2);
  EXPECT_EQ(session.bridge_session_id(), "uuid-2");
  Bridge bridge(session);
  bridge.take(session.update({.id = kTwo, .sources = set_of({a(7)})}));
  EXPECT_EQ(bridge.answer(done()).kind, Kind::kDone);
  bridge.take(session.allocate(request_for(kThree)).value());
  EXPECT_FALSE(bridge.message(0).create);
}

TEST(ColibriSessionTest, LeftoversFromStorageAreOwedUntilTheBridgeRemovesThem) {
  auto session = make_session();
  session.restore(Ids{kOne}, Ids{kTwo}, 0);
  ASSERT_TRUE(session.owes_cleanup());
  Bridge bridge(session);
  bridge.take(session.clean_up());
  ASSERT_EQ(bridge.message(0).endpoints.size(), 1U);
  EXPECT_EQ(bridge.message(0).endpoints[0].id, kTwo.value());
  EXPECT_TRUE(bridge.message(0).endpoints[0].expire);
  EXPECT_FALSE(session.owes_cleanup());
  bridge.answer(done());
  EXPECT_FALSE(session.owes_cleanup());
}

TEST(ColibriSessionTest, AnAbandonedSessionOwesTheEndOfItsConference) {
  auto session = make_session();
  session.restore(Ids{kOne}, {}, 0);
  session.abandon();
  EXPECT_FALSE(session.is_idle());
  Bridge bridge(session);
  bridge.take(session.clean_up());
  EXPECT_TRUE(bridge.message(0).expire);
  bridge.answer(done());
  EXPECT_TRUE(session.is_idle());
}

TEST(ColibriSourcesTest, AreGroupedByNameWithoutMsidAndOwner) {
  proto::EndpointSources set = set_of({v(1, "m"), v(2, "m"), v(3), a(7, "x")}, {fid({1, 2})});
  set.video[0].name = set.video[1].name = "e1-v1";
  set.video[0].video_type = proto::VideoType::kDesktop;
  const proto::Sources sources = to_colibri_sources(kOne, set);
  ASSERT_EQ(sources.media_sources.size(), 3U);
  EXPECT_EQ(sources.media_sources[0].id, "e1-a0");
  EXPECT_EQ(sources.media_sources[0].sources, (std::vector<proto::Source>{{.ssrc = Ssrc(7)}}));
  EXPECT_EQ(sources.media_sources[1].id, "e1-v1");
  EXPECT_EQ(sources.media_sources[1].type, proto::MediaType::kVideo);
  EXPECT_EQ(sources.media_sources[1].sources.size(), 2U);
  EXPECT_EQ(sources.media_sources[1].sources[0].video_type, proto::VideoType::kDesktop);
  EXPECT_EQ(sources.media_sources[1].source_groups,
            (std::vector<proto::SourceGroup>{fid({1, 2}).group}));
  EXPECT_EQ(sources.media_sources[2].id, "e1-v0");
  EXPECT_TRUE(sources.media_sources[2].source_groups.empty());
}

TEST(ColibriSessionTest, RelaysAreAskedForInOrderWhileTheConferenceIsThere) {
  Fixture f;
  EXPECT_TRUE(f.session.relay({.id = "r"}, RelayTag(1)).empty());
  f.bridge.take(f.session.allocate(request_for(kOne)).value());
  EXPECT_TRUE(f.session.relay({.id = "r"}, RelayTag(1)).empty());
  f.bridge.answer(granted(kOne));
  f.bridge.take(f.session.relay({.id = "r", .create = true}, RelayTag(2)));
  f.bridge.take(f.session.relay({.id = "r", .expire = true}, RelayTag(3)));
  ASSERT_EQ(f.bridge.open.size(), 2U);
  EXPECT_EQ(f.bridge.message(0).meeting_id, "meeting");
  EXPECT_TRUE(f.bridge.message(0).endpoints.empty());
  EXPECT_EQ(f.bridge.message(0).relays, (std::vector<proto::Relay>{{.id = "r", .create = true}}));

  proto::ConferenceModified made;
  made.relays.push_back({.id = "r", .transport = proto::Transport{.use_unique_port = true}});
  const auto outcome = f.bridge.answer(made);
  EXPECT_EQ(outcome.kind, Kind::kDone);
  ASSERT_TRUE(outcome.relay);
  EXPECT_EQ(outcome.relay->tag, RelayTag(2));
  EXPECT_EQ(outcome.relay->kind, Kind::kDone);
  EXPECT_TRUE(outcome.relay->transport && outcome.relay->transport->use_unique_port);
  const auto refusal = f.bridge.answer(refused(Condition::kInternalServerError));
  EXPECT_EQ(refusal.kind, Kind::kBridgeFailed);
  EXPECT_EQ(refusal.relay->tag, RelayTag(3));
  EXPECT_TRUE(refusal.lost.empty()) << "nobody loses a place by it";
  EXPECT_TRUE(f.session.is_present());
}

TEST(ColibriSessionTest, AnAnswerAboutARelayOfAnEndedConferenceIsStale) {
  Fixture f({kOne});
  f.bridge.take(f.session.relay({.id = "r", .create = true}, RelayTag(7)));
  f.bridge.take(f.session.expire());
  EXPECT_FALSE(f.session.is_present());
  const auto outcome = f.bridge.answer(done());
  EXPECT_EQ(outcome.relay->kind, Kind::kStale);
}

}  // namespace
}  // namespace bascule::focus
