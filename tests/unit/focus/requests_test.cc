#include <algorithm>

#include <gtest/gtest.h>

#include "stage.h"

namespace bascule::focus {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class RequestsTest : public ::testing::Test {
 protected:
  void open(int bridges = 2) {
    stage.start_all();
    for (int i = 0; i < bridges; ++i) {
      stage.add_bridge("jvb" + std::to_string(i));
    }
    stage.advance(seconds{6});
  }
  ~RequestsTest() override { EXPECT_EQ(stage.focus.counters().bugs, 0U); }

  Stage stage;
};

TEST_F(RequestsTest, NamesTheFocusAndTheRoom) {
  open();
  const std::string id = stage.ask("tea");
  ASSERT_TRUE(stage.answered_ready(id));
  const auto& answer = std::get<proto::ConferenceAnswer>(*stage.answers.at(id));
  EXPECT_EQ(answer.room.to_string(), "tea@conference.example.net");
  EXPECT_EQ(answer.focus_jid->to_string(), "focus@auth.example.net");
}

TEST_F(RequestsTest, EverybodyWhoWaitsForARoomIsAnsweredWhenItIsReady) {
  open();
  stage.silent_rooms = true;
  const std::string first = stage.ask("tea", "alice");
  const std::string second = stage.ask("tea", "bob");
  EXPECT_FALSE(stage.answers.contains(first));
  EXPECT_EQ(stage.focus.conference_count(), 1U);
  proto::MucPresence own;
  own.from = Jid::parse("tea@conference.example.net/focus").value();
  own.statuses = {proto::kStatusSelfPresence, proto::kStatusRoomCreated};
  stage.room("tea").focus_in = true;
  stage.give(in::PresenceReceived{StreamId::kClient, own});
  EXPECT_TRUE(stage.answered_ready(first));
  EXPECT_TRUE(stage.answered_ready(second));
}

TEST_F(RequestsTest, ARoomThatDoesNotOpenIsAnsweredLaterWithinTheHoldBound) {
  open();
  stage.silent_rooms = true;
  const std::string id = stage.ask("tea");
  stage.advance(milliseconds{4900});
  EXPECT_FALSE(stage.answers.contains(id));
  stage.advance(milliseconds{200});
  EXPECT_TRUE(stage.answered_later(id));
  EXPECT_EQ(stage.focus.conference_count(), 1U);  // The join may still succeed.
  stage.advance(seconds{30});
  EXPECT_EQ(stage.focus.conference_count(), 0U);
  // A join that would be answered later must not leak the room.
  EXPECT_EQ(stage.room_presences.back().type, proto::PresenceType::kUnavailable);
}

TEST_F(RequestsTest, ARefusedRoomIsComeBackLaterAndSeenInReadiness) {
  open();
  stage.refuse_rooms = true;
  const std::string id = stage.ask("tea");
  stage.advance(seconds{2});
  EXPECT_TRUE(stage.answered_later(id));
  EXPECT_EQ(stage.focus.counters().room_join_failures, 1U);
  const auto readiness = stage.focus.readiness(stage.now);
  ASSERT_EQ(readiness.reasons.size(), 1U);
  EXPECT_EQ(readiness.reasons[0], NotReady::kRoomsRefused);
  stage.refuse_rooms = false;
  EXPECT_TRUE(stage.answered_ready(stage.ask("tea")));
  EXPECT_TRUE(stage.focus.readiness(stage.now).ready());
}

TEST_F(RequestsTest, WithoutBridgesNewRoomsComeBackLaterWithJitter) {
  open(0);
  std::set<Duration> delays;
  for (int i = 0; i < 20; ++i) {
    const std::string id = stage.ask("room" + std::to_string(i), "user" + std::to_string(i));
    const Instant asked = stage.now.mono;
    while (!stage.answers.contains(id) && stage.now.mono - asked < seconds{1}) {
      stage.advance(milliseconds{10});
    }
    EXPECT_TRUE(stage.answered_later(id));
    delays.insert(stage.now.mono - asked);
  }
  EXPECT_GE(delays.size(), 8U);
  EXPECT_LE(*delays.rbegin(), milliseconds{260});  // A quarter of the client's first back-off.
  EXPECT_EQ(stage.focus.counters().answers_later_overload, 20U);
  EXPECT_EQ(stage.focus.counters().room_joins, 0U);
}

TEST_F(RequestsTest, RunningRoomsStayOpenWithoutBridges) {
  open();
  EXPECT_TRUE(stage.answered_ready(stage.ask("tea")));
  stage.join("tea", "alice");
  stage.remove_bridge("jvb0");
  stage.remove_bridge("jvb1");
  EXPECT_TRUE(stage.answered_ready(stage.ask("tea", "bob")));
}

TEST_F(RequestsTest, RoomsOfOtherServicesAreRefused) {
  open();
  proto::ConferenceRequest request;
  request.room = RoomJid(Jid::parse("tea@elsewhere.example.org").value());
  const std::string id = stage.iq(StreamId::kRequests, "eve@example.net/x", request);
  EXPECT_EQ(stage.refused_with(id), proto::Condition::kBadRequest);
}

TEST_F(RequestsTest, RequestsComeByTheirLinkOnly) {
  open();
  const std::string id =
      stage.iq(StreamId::kClient, "eve@example.net/x", Stage::request_for("tea"));
  EXPECT_EQ(stage.refused_with(id), proto::Condition::kServiceUnavailable);
}

TEST(RequestsByProxyTest, AreWaitedForOnlyWhenTheProxySurelyKnowsUs) {
  Options options = Stage::make_options();
  options.requests_link = false;
  options.proxy_address = Jid::parse("focus.example.net").value();
  Stage stage({}, 1, options);
  const auto proxy_unaware = [&stage] {
    const auto reasons = stage.focus.readiness(stage.now).reasons;
    return std::find(reasons.begin(), reasons.end(), NotReady::kProxyUnaware) != reasons.end();
  };
  stage.silent_account = true;
  stage.up(StreamId::kClient);
  EXPECT_EQ(stage.broadcasts, 1U);
  EXPECT_TRUE(proxy_unaware());
  stage.answer_account();
  EXPECT_FALSE(proxy_unaware());
  // A session that goes on is still known, a new one is not; silence is asked again.
  stage.down(StreamId::kClient);
  stage.up(StreamId::kClient, true);
  EXPECT_FALSE(proxy_unaware());
  EXPECT_EQ(stage.broadcasts, 1U);
  stage.down(StreamId::kClient);
  stage.up(StreamId::kClient);
  EXPECT_EQ(stage.broadcasts, 2U);
  EXPECT_TRUE(proxy_unaware());
  stage.silent_account = false;  // Refuses: also an answer.
  stage.advance(seconds{60});
  EXPECT_FALSE(proxy_unaware());
}

TEST_F(RequestsTest, HttpRequestsAreAnsweredTheSameWay) {
  open();
  stage.give(in::HttpConferenceRequest{HttpId(5), Stage::request_for("tea")});
  EXPECT_TRUE(stage.answered_ready("http5"));
}

TEST_F(RequestsTest, WhileTheClientLinkIsDownEverybodyComesBackLater) {
  open();
  stage.down(StreamId::kClient);
  const std::string id = stage.ask("tea");
  stage.advance(seconds{1});
  EXPECT_TRUE(stage.answered_later(id));
  EXPECT_EQ(stage.focus.conference_count(), 0U);
}

TEST_F(RequestsTest, ALostRequestsLinkLeavesNobodyWaiting) {
  open();
  stage.silent_rooms = true;
  const std::string id = stage.ask("tea");
  EXPECT_EQ(stage.focus.waiting_requests(), 1U);
  stage.down(StreamId::kRequests);
  EXPECT_TRUE(stage.answered_later(id));
  EXPECT_EQ(stage.focus.waiting_requests(), 0U);
}

TEST_F(RequestsTest, PingAndDiscoAreAnswered) {
  open();
  EXPECT_TRUE(stage.answers.at(stage.iq(StreamId::kRequests, "a@example.net/x", proto::Ping{})));
  const auto id = stage.iq(StreamId::kRequests, "a@example.net/x", proto::DiscoInfoRequest{});
  EXPECT_TRUE(std::get<proto::DiscoInfo>(*stage.answers.at(id)).has_feature("urn:xmpp:ping"));
}

TEST_F(RequestsTest, ReadinessTellsWhatIsMissing) {
  const auto reasons = stage.focus.readiness(stage.now).reasons;
  EXPECT_EQ(reasons, (std::vector<NotReady>{NotReady::kClientLinkDown, NotReady::kServiceLinkDown,
                                            NotReady::kRequestsLinkDown}));
  open();
  EXPECT_TRUE(stage.focus.readiness(stage.now).ready());
  stage.give(in::CommitDegraded{true});
  EXPECT_TRUE(stage.focus.readiness(stage.now).ready());
  EXPECT_EQ(stage.focus.readiness(stage.now).reasons.size(), 1U);
}

}  // namespace
}  // namespace bascule::focus
