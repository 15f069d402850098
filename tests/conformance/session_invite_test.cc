// From the offer to its end: what becomes of invitations.

#include <string>
#include <vector>

#include "meeting.h"

namespace bascule::conformance {
namespace {

using proto::ReasonCondition;

bool says(const proto::Jingle& jingle, ReasonCondition condition, const std::string& text) {
  return jingle.action == JingleAction::kSessionTerminate && jingle.reason &&
         jingle.reason->condition == condition && jingle.reason->text == text;
}

bool is_offer_to(const Stage::Sent& sent, const std::string& nick) {
  return is_jingle_to(sent, nick, JingleAction::kSessionInitiate);
}

TEST_F(Session, C31_AnAcceptMayComeBeforeTheOfferIsAcknowledged) {
  statement(31, Kind::kJicofo,
            "knows the sid before the offer leaves: a session-accept may come at once");
  enter("alice", kWeb, ClientMood::kHolds);
  enter("bob");
  stage().advance(seconds{1});
  EXPECT_TRUE(accept("alice", {a(7)}).is_result);
  EXPECT_EQ(state("alice"), ParticipantState::kActive);
  stage().answer_offer(kRoom, "alice", proto::Answer(proto::Empty{}));
  EXPECT_EQ(state("alice"), ParticipantState::kActive);
}

TEST_F(Session, C32_AnOfferThatIsNotAcknowledgedStands) {
  statement(32, Kind::kJicofo, "takes a missing acknowledgement of the offer (15 s) for success");
  enter("alice", kWeb, ClientMood::kHolds);
  enter("bob");
  stage().advance(seconds{18});
  EXPECT_EQ(state("alice"), ParticipantState::kInviting);
  EXPECT_EQ(count("alice", JingleAction::kSessionTerminate), 0U);
  EXPECT_TRUE(accept("alice").is_result);
  EXPECT_EQ(state("alice"), ParticipantState::kActive);
}

TEST_F(Session, C33_AnOfferThatIsRefusedIsCleanedUp) {
  statement(33, Kind::kJicofo,
            "ends the session with general-error, expires the endpoint and announces the removal "
            "of its sources when the offer is answered with an error");
  enter("alice", kWeb, ClientMood::kHolds);
  enter("bob");
  stage().advance(seconds{1});
  ASSERT_TRUE(accept("bob").is_result);
  ASSERT_TRUE(add("alice", {a(7)}).is_result);  // Before it accepted.
  forget();
  stage().answer_offer(kRoom, "alice",
                       tl::make_unexpected(proto::make_error(Condition::kServiceUnavailable)));
  settle();
  const auto goodbye = told("alice");
  ASSERT_EQ(goodbye.size(), 1U);
  EXPECT_TRUE(says(goodbye[0], ReasonCondition::kGeneralError, "jingle session failed"));
  EXPECT_FALSE(on_bridge("alice"));
  EXPECT_EQ(announced("bob"),
            std::vector<std::string>{R"(-{"sources":{"alice":[[],[],[{"s":7}]]}})"});
}

TEST_F(Session, C33_AlsoWhenItsBridgeIsLostMeanwhile) {
  also(33);
  enter("alice", kWeb, ClientMood::kHolds);
  enter("bob");
  stage().advance(seconds{1});
  ASSERT_TRUE(accept("bob").is_result);
  stage().remove_bridge("jvb1");
  EXPECT_EQ(state("alice"), ParticipantState::kMoving);
  forget();
  stage().answer_offer(kRoom, "alice",
                       tl::make_unexpected(proto::make_error(Condition::kServiceUnavailable)));
  settle();
  ASSERT_EQ(told("alice").size(), 1U);
  EXPECT_EQ(told("alice")[0].action, JingleAction::kSessionTerminate);
  client("alice").mood = ClientMood::kIgnores;
  stage().add_bridge("jvb2");
  stage().advance(seconds{10});
  EXPECT_TRUE(accept("alice").is_result);
}

TEST_F(Session, C33_NotWhenItWasAcceptedMeanwhile) {
  also(33);
  enter("alice", kWeb, ClientMood::kHolds);
  enter("bob");
  stage().advance(seconds{1});
  ASSERT_TRUE(accept("alice").is_result);
  forget();
  stage().answer_offer(kRoom, "alice",
                       tl::make_unexpected(proto::make_error(Condition::kServiceUnavailable)));
  settle();
  EXPECT_TRUE(told("alice").empty());
  EXPECT_EQ(state("alice"), ParticipantState::kActive);
  EXPECT_TRUE(add("alice", {a(7)}).is_result);
}

TEST_F(Session, C57_AReinviteEndsTheOldSessionFirst) {
  statement(57, Kind::kJicofo,
            "re-invites with session-terminate success \"moving\" followed by a new offer");
  meet({"alice", "bob"});
  stage().add_bridge("jvb2");
  stage().advance(seconds{6});
  const std::string old_sid = sid("alice");
  forget();
  stage().remove_bridge("jvb1");
  stage().advance(seconds{10});
  std::vector<proto::Jingle> seen = told("alice");
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_TRUE(says(seen[0], ReasonCondition::kSuccess, "moving"));
  EXPECT_EQ(seen[0].sid, old_sid);
  EXPECT_EQ(seen[1].action, JingleAction::kSessionInitiate);
  EXPECT_NE(seen[1].sid, old_sid);
}

TEST_F(Session, C58_TransportReplaceIsNeverUsed) {
  statement(58, Kind::kJicofo, "never sends transport-replace");
  meet({"alice", "bob"});
  stage().add_bridge("jvb2");
  stage().advance(seconds{6});
  ASSERT_TRUE(terminate("alice", true).is_result);
  ASSERT_TRUE(accept("alice").is_result);
  stage().remove_bridge("jvb1");
  stage().advance(seconds{10});
  stage().leave(kRoom, "bob");
  stage().advance(seconds{30});
  enter("bob");
  stage().advance(seconds{2});
  EXPECT_GE(client("alice").sids.size(), 4U);
  for (const Stage::Sent& sent : stage().sent) {
    EXPECT_FALSE(is_jingle_to(sent, "alice", JingleAction::kTransportReplace));
    EXPECT_FALSE(is_jingle_to(sent, "bob", JingleAction::kTransportReplace));
  }
}

TEST_F(Session, C59_WhoIsAloneLosesTheSessionUntilSomebodyComes) {
  statement(59, Kind::kJicofo,
            "ends the session of a lone participant after 20 s with expired \"Idle session "
            "timeout\", and invites it again when another joins");
  meet({"alice", "bob"});
  stage().leave(kRoom, "bob");
  stage().advance(seconds{19});
  EXPECT_TRUE(told("alice").empty());
  stage().advance(seconds{2});
  ASSERT_EQ(told("alice").size(), 1U);
  EXPECT_TRUE(says(told("alice")[0], ReasonCondition::kExpired, "Idle session timeout"));
  EXPECT_FALSE(on_bridge("alice"));
  enter("carol");
  stage().advance(seconds{1});
  EXPECT_EQ(count("alice", JingleAction::kSessionInitiate), 1U);
  EXPECT_TRUE(accept("alice").is_result);
}

TEST_F(Session, C60_NothingIsSentAboutThoseWhoLeft) {
  statement(60, Kind::kJicofo,
            "sends neither session-terminate nor source-remove for those who left the room");
  meet({"alice", "bob", "carol"});
  ASSERT_TRUE(add("alice", {a(7), v(1, "m")}).is_result);
  forget();
  stage().leave(kRoom, "alice");
  stage().advance(seconds{10});
  EXPECT_TRUE(told("alice").empty());
  EXPECT_TRUE(told("bob").empty());
  EXPECT_TRUE(told("carol").empty());
  EXPECT_FALSE(on_bridge("alice"));
}

TEST_F(Session, C61_ANewerInvitationCancelsTheRunningOne) {
  statement(61, Kind::kJicofo,
            "cancels a running invitation when a newer one starts; what the older one still brings "
            "changes nothing");
  stage().add_bridge("jvb2");
  stage().advance(seconds{6});
  for (const std::string bridge : {"jvb1", "jvb2"}) {
    stage().bridges.at(bridge).mood = BridgeMood::kHolds;
  }
  enter("alice");
  enter("bob");
  stage().advance(seconds{1});
  const auto create = position([](const auto& sent) { return is_create(sent, "alice"); });
  ASSERT_LT(create, stage().sent.size());
  const auto running = std::get<focus::out::SendIq>(stage().sent[create].what);
  const std::string first = running.to.resource();
  const std::string second = first == "jvb1" ? "jvb2" : "jvb1";
  stage().remove_bridge(first);
  stage().advance(seconds{1});
  // The first bridge answered just before it went.
  proto::ConferenceModified granted;
  granted.endpoints.push_back(
      {.id = "alice",
       .transport = proto::Transport{.ice_udp = proto::IceUdpTransport{.ufrag = "late"},
                                     .sctp = proto::Sctp{.role = {}, .port = std::uint16_t{1}}}});
  stage().give(focus::in::IqAnswer{running.request, proto::Answer(granted)});
  EXPECT_EQ(count("alice", JingleAction::kSessionInitiate), 0U);
  stage().release(second);
  stage().advance(seconds{5});
  EXPECT_EQ(count("alice", JingleAction::kSessionInitiate), 1U);
  EXPECT_NE(content(offer("alice"), "audio")->transport->ufrag, "late");
  EXPECT_TRUE(accept("alice").is_result);
}

TEST_F(Session, C61_TheOldOffersFailureDoesNotReachTheNewSession) {
  also(61);
  stage().add_bridge("jvb2");
  stage().advance(seconds{6});
  enter("alice", kWeb, ClientMood::kHolds);
  enter("bob");
  stage().advance(seconds{1});
  const auto at = position([](const auto& sent) { return is_offer_to(sent, "alice"); });
  ASSERT_LT(at, stage().sent.size());
  const auto old_offer = std::get<focus::out::SendIq>(stage().sent[at].what).request;
  stage().remove_bridge(*stage().bridge_of(kRoom, "alice"));
  stage().advance(seconds{5});
  ASSERT_EQ(count("alice", JingleAction::kSessionInitiate), 2U);
  forget();
  stage().give(
      focus::in::IqAnswer{old_offer, tl::make_unexpected(std::variant<proto::StanzaError, Error>(
                                         proto::make_error(Condition::kItemNotFound)))});
  settle();
  EXPECT_TRUE(told("alice").empty());
  EXPECT_TRUE(on_bridge("alice"));
  EXPECT_TRUE(accept("alice").is_result);
}

TEST_F(Session, C62_WhoLeftDuringAllocationGetsNoOffer) {
  statement(62, Kind::kJicofo,
            "sends no offer to an occupant who left while the bridge was asked, and expires its "
            "endpoint");
  bridge().mood = BridgeMood::kHolds;
  for (const auto& nick : {"alice", "bob", "carol"}) {
    enter(nick);
  }
  stage().advance(seconds{1});
  stage().leave(kRoom, "carol");
  stage().release("jvb1");
  stage().advance(seconds{2});
  EXPECT_EQ(count("alice", JingleAction::kSessionInitiate), 1U);
  EXPECT_EQ(count("carol", JingleAction::kSessionInitiate), 0U);
  EXPECT_TRUE(on_bridge("alice"));
  EXPECT_FALSE(on_bridge("carol"));
}

TEST_F(Session, C63_TheEndpointIsExpiredBeforeItIsMadeAgain) {
  statement(63, Kind::kBascule,
            "expires the endpoint on the bridge before any new invitation of the same participant");
  const auto check = [&](const std::string& why, const std::string& nick = "alice") {
    const auto first = position([&](const auto& sent) { return is_create(sent, nick); });
    const auto gone = position([&](const auto& sent) { return is_expire(sent, nick); }, first + 1);
    const auto again = position([&](const auto& sent) { return is_create(sent, nick); }, first + 1);
    EXPECT_LT(gone, again) << why;
    EXPECT_LT(again, stage().sent.size()) << why;
    EXPECT_EQ(state(nick), ParticipantState::kActive) << why;
  };
  meet({"alice", "bob"});
  ASSERT_TRUE(terminate("alice", true).is_result);
  ASSERT_TRUE(accept("alice").is_result);
  check("restart asked for by the client");

  start(Stage::make_options());
  meet({"alice", "bob"});
  const std::string failed =
      "<ice-state xmlns='http://jitsi.org/protocol/focus'>failed</ice-state>" +
      bridge_session(client("alice").bridge_session, "");
  ASSERT_TRUE(ask("alice", jingle("session-info", sid("alice"), failed)).is_result);
  stage().advance(seconds{1});
  ASSERT_TRUE(accept("alice").is_result);
  check("an old client whose ICE failed");

  start(Stage::make_options());
  enter("alice", kWeb, ClientMood::kRefuses);
  enter("bob");
  stage().advance(seconds{1});
  client("alice").mood = ClientMood::kIgnores;
  client("alice").sid.clear();
  stage().advance(seconds{4});
  ASSERT_TRUE(accept("alice").is_result);
  check("an offer that was refused");

  start(Stage::make_options());
  enter("alice");
  enter("bob");
  stage().advance(seconds{35});
  ASSERT_TRUE(accept("alice").is_result);
  check("an offer that was not accepted in time");
}

TEST_F(Session, C64_ReinvitesAfterALossArePaced) {
  statement(64, Kind::kBascule,
            "paces the new invitations after a bridge was lost, one participant after the other, "
            "never all at once");
  auto options = Stage::make_options();
  options.placement.placement_interval = milliseconds{500};
  options.placement.placement_burst = 2;
  start(options);
  std::vector<std::string> nicks;
  for (int i = 0; i < 10; ++i) {
    nicks.push_back("user" + std::to_string(i));
    enter(nicks.back());
  }
  stage().advance(seconds{10});
  for (const auto& nick : nicks) {
    ASSERT_TRUE(accept(nick).is_result) << nick;
  }
  stage().add_bridge("jvb2");
  stage().advance(seconds{60});
  forget();
  const Instant lost = stage().now.mono;
  stage().remove_bridge("jvb1");
  settle();
  std::size_t at_once = 0;
  for (const auto& nick : nicks) {
    at_once += count(nick, JingleAction::kSessionInitiate);
  }
  EXPECT_LE(at_once, 2U);
  stage().advance(seconds{30});
  Instant last = lost;
  for (const auto& nick : nicks) {
    EXPECT_EQ(count(nick, JingleAction::kSessionInitiate), 1U) << nick;
    const auto from = position([&](const auto& sent) { return sent.at >= lost; });
    const auto over = position(
        [&](const auto& sent) { return is_jingle_to(sent, nick, JingleAction::kSessionTerminate); },
        from);
    const auto offered = position([&](const auto& sent) { return is_offer_to(sent, nick); }, from);
    ASSERT_LT(over, offered);
    // Who waits keeps its session: nobody is without one longer than an allocation takes.
    EXPECT_LE(stage().sent[offered].at - stage().sent[over].at, milliseconds{100}) << nick;
    last = std::max(last, stage().sent[offered].at);
  }
  EXPECT_GE(last - lost, seconds{3}) << "ten at two a second, two of them at once";
}

TEST_F(Session, C65_AnOfferThatIsNotAcceptedIsWithdrawn) {
  statement(65, Kind::kBascule,
            "withdraws an offer that is not accepted in time with expired \"session-accept "
            "timeout\", expires the endpoint, and invites again with growing delay");
  enter("alice");
  enter("bob");
  stage().advance(seconds{1});
  ASSERT_TRUE(accept("bob").is_result);
  const std::string first = sid("alice");
  stage().advance(seconds{28});
  EXPECT_EQ(count("alice", JingleAction::kSessionTerminate), 0U);
  stage().advance(seconds{2});
  ASSERT_EQ(count("alice", JingleAction::kSessionTerminate), 1U);
  EXPECT_TRUE(says(told("alice", JingleAction::kSessionTerminate)[0], ReasonCondition::kExpired,
                   "session-accept timeout"));
  EXPECT_FALSE(on_bridge("alice"));
  const Reply late =
      ask("alice", jingle("session-accept", first, contents_with_transport({}, transport("uf"))));
  EXPECT_TRUE(proto::is_unknown_session(late.error));
  stage().advance(std::chrono::minutes{3});
  std::vector<Duration> pauses;
  Instant over{};
  for (const Stage::Sent& sent : stage().sent) {
    if (is_jingle_to(sent, "alice", JingleAction::kSessionTerminate)) {
      over = sent.at;
    } else if (is_offer_to(sent, "alice") && over != Instant{}) {
      pauses.push_back(sent.at - over);
    }
  }
  ASSERT_GE(pauses.size(), 3U);
  EXPECT_GT(pauses[1], pauses[0]);
  EXPECT_GT(pauses[2], pauses[1]);
  while (sid("alice").empty()) {
    stage().advance(seconds{1});
  }
  EXPECT_TRUE(accept("alice").is_result);
}

}  // namespace
}  // namespace bascule::conformance
