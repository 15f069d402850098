// What the others are told of a change, and when.

#include <string>
#include <vector>

#include "focus/source_signaler.h"
#include "meeting.h"

namespace bascule::conformance {
namespace {

using Lines = std::vector<std::string>;

/// The JSON of one owner with one microphone.
std::string microphone(const std::string& owner, std::uint32_t ssrc) {
  return R"({"sources":{")" + owner + R"(":[[],[],[{"s":)" + std::to_string(ssrc) + "}]]}}";
}

TEST_F(Sources, C72_AChangeGoesToEverybodyElse) {
  statement(72, Kind::kJicofo,
            "tells an accepted change to everybody else who is told sources, and never to its "
            "owner");
  meet({"alice", "bob", "carol"});
  ASSERT_TRUE(add("alice", {a(7)}).is_result);
  EXPECT_EQ(announced("bob"), Lines{"+" + microphone("alice", 7)});
  EXPECT_EQ(announced("carol"), Lines{"+" + microphone("alice", 7)});
  EXPECT_TRUE(told("alice").empty());
  forget();
  ASSERT_TRUE(remove("alice", {a(7)}).is_result);
  EXPECT_EQ(announced("bob"), Lines{"-" + microphone("alice", 7)});
  EXPECT_TRUE(told("alice").empty());
}

TEST_F(Sources, C73_WhoGetsThemFromTheBridgeIsNotTold) {
  statement(73, Kind::kJicofo,
            "tells nothing about sources of others to participants whose SSRCs the bridge "
            "rewrites");
  meet({"alice", "bob"});
  enter("mapped", with(kWeb, kRewritingFeature));
  stage().advance(seconds{1});
  ASSERT_TRUE(add("alice", {a(7)}).is_result);  // While it is pending.
  ASSERT_TRUE(accept("mapped", {a(20)}).is_result);
  ASSERT_TRUE(add("alice", {v(1, "m")}).is_result);
  ASSERT_TRUE(remove("alice", {a(7)}).is_result);
  EXPECT_TRUE(announced("mapped").empty());
  EXPECT_EQ(announced("bob").size(), 4U) << "its own sources are told like all others";
}

TEST_F(Sources, C74_TheEffectOfAChangeIsTold) {
  statement(74, Kind::kJicofo,
            "tells what really changed: what was accepted, or what was removed with its stored "
            "attributes and its groups");
  auto options = Stage::make_options();
  options.offer.strip_simulcast = false;
  start(options);
  meet({"alice", "bob"});
  ASSERT_TRUE(add("alice", {v(1, "m", "name='alice-v0'"), v(2, "m"), sim({1, 2})}).is_result);
  forget();
  // One group is known already, the other is new.
  ASSERT_TRUE(add("alice", {v(3, "m"), fid({1, 3}), sim({1, 2})}).is_result);
  EXPECT_EQ(announced("bob"),
            Lines{R"(+{"sources":{"alice":[[{"s":3,"m":"m"}],[["f",1,3]],[]]}})"});
  forget();
  ASSERT_TRUE(remove("alice", {v(3), v(2), v(1)}).is_result);
  EXPECT_EQ(announced("bob"),
            Lines{R"(-{"sources":{"alice":[[{"s":1,"n":"alice-v0","m":"m"},{"s":2,"m":"m"},)"
                  R"({"s":3,"m":"m"}],[["s",1,2],["f",1,3]],[]]}})"});
}

TEST_F(Sources, C75_ChangesAreCollectedByTheSizeOfTheConference) {
  statement(75, Kind::kJicofo,
            "collects changes per receiver for the time configured for the size of the conference, "
            "and sends one source-remove before one source-add");
  auto options = Stage::make_options();
  options.offer.signaling_delays = {{.participants = 3, .delay = milliseconds{500}},
                                    {.participants = 5, .delay = seconds{2}}};
  start(options);
  meet({"alice", "bob"});
  ASSERT_TRUE(add("alice", {a(6)}).is_result);
  EXPECT_EQ(announced("bob").size(), 1U) << "two are told at once";
  enter("carol");
  stage().advance(seconds{1});
  ASSERT_TRUE(accept("carol").is_result);
  stage().advance(seconds{1});
  forget();
  ASSERT_TRUE(add("alice", {a(7)}).is_result);
  stage().advance(milliseconds{300});
  ASSERT_TRUE(add("bob", {a(8)}).is_result);
  ASSERT_TRUE(remove("alice", {a(6)}).is_result);
  stage().advance(milliseconds{199});
  EXPECT_TRUE(announced("carol").empty());
  stage().advance(milliseconds{1});  // 500 ms after the first of them.
  EXPECT_EQ(announced("carol"),
            (Lines{"-" + microphone("alice", 6),
                   R"(+{"sources":{"alice":[[],[],[{"s":7}]],"bob":[[],[],[{"s":8}]]}})"}));
  stage().advance(seconds{5});
  EXPECT_EQ(announced("carol").size(), 2U);
}

TEST_F(Sources, C75_TheTableIsReadByItsGreatestKeyNotAboveTheSize) {
  also(75);
  const focus::SourceSignaler signaler({{.participants = 50, .delay = milliseconds{500}},
                                        {.participants = 100, .delay = milliseconds{1000}}});
  EXPECT_EQ(signaler.delay(49), Duration::zero());
  EXPECT_EQ(signaler.delay(50), milliseconds{500});
  EXPECT_EQ(signaler.delay(99), milliseconds{500});
  EXPECT_EQ(signaler.delay(100), milliseconds{1000});
  EXPECT_EQ(focus::SourceSignaler({}).delay(1000), Duration::zero());
}

TEST_F(Sources, C76_WhatCancelsOutIsNotTold) {
  statement(76, Kind::kJicofo,
            "tells nothing when the changes cancel out or none of them is for this receiver");
  auto options = Stage::make_options();
  options.offer.signaling_delays = {{.participants = 1, .delay = milliseconds{500}}};
  start(options);
  meet({"alice", "bob"});
  enter("blind", without(kWeb, kVideoFeature));
  stage().advance(seconds{1});
  ASSERT_TRUE(accept("blind").is_result);
  forget();
  ASSERT_TRUE(add("alice", {a(7)}).is_result);
  ASSERT_TRUE(remove("alice", {a(7)}).is_result);
  ASSERT_TRUE(add("alice", {v(1, "m")}).is_result);
  stage().advance(seconds{2});
  EXPECT_EQ(announced("bob"), Lines{R"(+{"sources":{"alice":[[{"s":1,"m":"m"}],[],[]]}})"});
  EXPECT_TRUE(announced("blind").empty());
  forget();
  ASSERT_TRUE(remove("alice", {v(1)}).is_result);
  ASSERT_TRUE(add("alice", {v(1, "m")}).is_result);
  stage().advance(seconds{2});
  EXPECT_TRUE(announced("bob").empty());
}

TEST_F(Sources, C77_ChangesWaitForTheAcceptAndFollowItAtOnce) {
  statement(77, Kind::kJicofo,
            "keeps changes back while a receiver has not accepted, and sends them right after its "
            "accept, without delay");
  auto options = Stage::make_options();
  options.offer.signaling_delays = {{.participants = 1, .delay = seconds{2}}};
  start(options);
  meet({"alice", "bob"});
  enter("carol");
  stage().advance(seconds{1});
  ASSERT_TRUE(add("alice", {a(7)}).is_result);
  ASSERT_TRUE(add("bob", {a(8)}).is_result);
  stage().advance(seconds{10});
  EXPECT_TRUE(announced("carol").empty());
  forget();
  const auto before = stage().now.mono;
  const std::string id = send("carol", jingle("session-accept", sid("carol"),
                                              contents_with_transport({}, transport("uf"))));
  EXPECT_EQ(stage().now.mono, before);
  EXPECT_EQ(announced("carol"),
            Lines{R"(+{"sources":{"alice":[[],[],[{"s":7}]],"bob":[[],[],[{"s":8}]]}})"});
  EXPECT_TRUE(reply_to(id).is_result);
}

TEST_F(Sources, C78_AnOfferIsWhatTheReceiverKnowsFromThenOn) {
  statement(78, Kind::kBascule,
            "starts afresh with each offer, in one step with the sources the offer lists: none is "
            "lost and none told twice");
  meet({"alice", "bob"});
  bridge().mood = BridgeMood::kHolds;
  enter("carol");
  stage().advance(milliseconds{100});
  ASSERT_TRUE(add("alice", {a(7)}).is_result);  // Between allocation and offer.
  stage().release("jvb1");
  stage().advance(milliseconds{100});
  EXPECT_NE(offer("carol").json_message->json.find(R"("alice":[[],[],[{"s":7}]])"),
            std::string::npos);
  ASSERT_TRUE(add("bob", {a(8)}).is_result);  // Between offer and accept.
  ASSERT_TRUE(remove("alice", {a(7)}).is_result);
  forget();
  ASSERT_TRUE(accept("carol").is_result);
  EXPECT_EQ(announced("carol"), (Lines{"-" + microphone("alice", 7), "+" + microphone("bob", 8)}));

  forget();  // Another offer: what was kept back is in it, and is not told again.
  stage().advance(seconds{6});
  ASSERT_TRUE(terminate("carol", true).is_result);
  ASSERT_TRUE(add("alice", {a(9)}).is_result);
  stage().advance(seconds{6});
  ASSERT_TRUE(terminate("carol", true).is_result);
  EXPECT_NE(offer("carol").json_message->json.find(R"([{"s":9}])"), std::string::npos);
  ASSERT_TRUE(accept("carol").is_result);
  EXPECT_TRUE(announced("carol").empty());
}

TEST_F(Sources, C79_AnswersOfReceiversDoNotMatter) {
  statement(79, Kind::kJicofo,
            "neither waits for nor reacts to the answers to source-add and source-remove");
  meet({"alice", "bob"});
  client("bob").refuses_sources = true;
  ASSERT_TRUE(add("alice", {a(7)}).is_result);
  stage().advance(seconds{30});
  EXPECT_EQ(announced("bob").size(), 1U);
  EXPECT_EQ(state("bob"), ParticipantState::kActive);
  ASSERT_TRUE(remove("alice", {a(7)}).is_result);
  ASSERT_TRUE(add("alice", {a(8)}).is_result);
  EXPECT_EQ(announced("bob"), (Lines{"+" + microphone("alice", 7), "-" + microphone("alice", 7),
                                     "+" + microphone("alice", 8)}));
  EXPECT_EQ(told("bob").size(), 3U);
}

TEST_F(Sources, C80_ReceiversHearOfMediaTheyCanUse) {
  statement(80, Kind::kJicofo,
            "tells no video to receivers without the feature, and no audio likewise");
  meet({"alice", "bob"});
  enter("blind", without(kWeb, kVideoFeature));
  enter("deaf", without(kWeb, kAudioFeature));
  stage().advance(seconds{1});
  ASSERT_TRUE(accept("blind").is_result);
  ASSERT_TRUE(ask("deaf", jingle("session-accept", sid("deaf"), "")).is_result);
  forget();
  ASSERT_TRUE(add("alice", {a(7), v(1, "m")}).is_result);
  EXPECT_EQ(announced("blind"), Lines{"+" + microphone("alice", 7)});
  EXPECT_EQ(announced("deaf"), Lines{R"(+{"sources":{"alice":[[{"s":1,"m":"m"}],[],[]]}})"});
  forget();
  ASSERT_TRUE(remove("alice", {v(1)}).is_result);
  EXPECT_TRUE(announced("blind").empty());
  EXPECT_EQ(announced("deaf").size(), 1U);
}

TEST_F(Sources, C86_WhoLeftIsForgotten) {
  statement(86, Kind::kBascule,
            "forgets who left: the same endpoint with the same sources is news when it returns");
  meet({"alice", "bob", "carol"});
  ASSERT_TRUE(add("alice", {a(7)}).is_result);
  stage().leave(kRoom, "alice");
  stage().advance(seconds{1});
  forget();
  enter("alice");
  stage().advance(seconds{1});
  ASSERT_TRUE(accept("alice", {a(7)}).is_result);
  EXPECT_EQ(announced("bob"), Lines{"+" + microphone("alice", 7)});
}

TEST_F(Sources, C86_AlsoWithinTheDelay) {
  also(86);
  auto options = Stage::make_options();
  options.offer.signaling_delays = {{.participants = 1, .delay = seconds{5}}};
  start(options);
  meet({"alice", "bob", "carol"});
  ASSERT_TRUE(add("alice", {a(7)}).is_result);
  stage().leave(kRoom, "alice");  // Before anybody was told.
  stage().advance(seconds{10});
  EXPECT_TRUE(announced("bob").empty());

  enter("alice");
  stage().advance(seconds{2});
  ASSERT_TRUE(accept("alice", {a(7)}).is_result);
  stage().advance(seconds{10});
  forget();
  ASSERT_TRUE(remove("alice", {a(7)}).is_result);
  stage().leave(kRoom, "alice");  // Everybody forgets 7 by itself, and is told of no removal.
  enter("alice");
  stage().advance(milliseconds{500});
  ASSERT_TRUE(accept("alice", {a(7)}).is_result);
  stage().advance(seconds{10});
  EXPECT_EQ(announced("bob"), Lines{"+" + microphone("alice", 7)});
}

TEST_F(Sources, C87_AReinvitedParticipantsSourcesAreRemovedAndToldAnew) {
  statement(87, Kind::kJicofo,
            "tells the old sources of a re-invited participant as removed, and the new ones after "
            "its accept");
  meet({"alice", "bob"});
  ASSERT_TRUE(add("alice", {a(7)}).is_result);
  forget();
  const std::string failed =
      "<ice-state xmlns='http://jitsi.org/protocol/focus'>failed</ice-state>" +
      bridge_session(client("alice").bridge_session, "");
  ASSERT_TRUE(ask("alice", jingle("session-info", sid("alice"), failed)).is_result);
  stage().advance(seconds{1});
  EXPECT_EQ(announced("bob"), Lines{"-" + microphone("alice", 7)});
  EXPECT_EQ(count("alice", JingleAction::kSessionInitiate), 1U);
  ASSERT_TRUE(accept("alice", {a(17)}).is_result);
  EXPECT_EQ(announced("bob"), (Lines{"-" + microphone("alice", 7), "+" + microphone("alice", 17)}));
}

}  // namespace
}  // namespace bascule::conformance
