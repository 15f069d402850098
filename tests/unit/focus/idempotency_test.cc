// What is delivered or said twice: a row of 07 §4.11 each. The second time changes nothing, and
// nobody is told that it was wrong.

#include <gtest/gtest.h>

#include "source_builders.h"
#include "stage.h"

namespace bascule::focus {
namespace {

using proto::Condition;
using proto::JingleAction;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::a, testing::fid, testing::set_of, testing::v;

const std::string kRoom = "tea";

class IdempotencyTest : public ::testing::Test {
 protected:
  IdempotencyTest() {
    stage.start_all();
    stage.add_bridge("jvb1");
    stage.advance(seconds{6});
    stage.meet(kRoom, {"alice", "bob"});
  }
  ~IdempotencyTest() override {
    EXPECT_EQ(stage.focus.counters().bugs, 0U);
    stage.focus.check_invariants();
  }

  std::optional<Condition> ask(const std::string& nick, JingleAction action,
                               const proto::EndpointSources& sources) {
    proto::Jingle jingle{.action = action, .sid = stage.client(kRoom, nick).sid};
    jingle.contents = proto::make_source_contents({{EndpointId(nick), sources}});
    return stage.refused_with(stage.jingle(kRoom, nick, jingle));
  }
  std::optional<Condition> add(const proto::EndpointSources& sources) {
    return ask("alice", JingleAction::kSourceAdd, sources);
  }
  std::optional<Condition> remove(const proto::EndpointSources& sources) {
    return ask("alice", JingleAction::kSourceRemove, sources);
  }
  /// Nothing is asked of bridges, said to clients or stored.
  template <class Deed>
  void expect_no_effect(const Deed& deed) {
    const auto asked = stage.colibri.size();
    const auto adds = stage.client(kRoom, "bob").source_adds;
    const Tables before = stage.tables;
    deed();
    stage.advance(seconds{1});
    EXPECT_EQ(stage.colibri.size(), asked);
    EXPECT_EQ(stage.client(kRoom, "bob").source_adds, adds);
    EXPECT_EQ(stage.tables.conferences, before.conferences);
    EXPECT_EQ(stage.state_of(kRoom, "alice"), ParticipantState::kActive);
    EXPECT_EQ(stage.client(kRoom, "alice").sids.size(), 1U);
  }

  Stage stage;
};

TEST_F(IdempotencyTest, APresenceOfSomebodyKnownInvitesNobody) {
  expect_no_effect([this] { stage.join(kRoom, "alice"); });
  stage.room(kRoom).clients["carol"].real_jid = "carol@example.net/web";
  stage.client(kRoom, "carol").mood = Stage::ClientMood::kHolds;
  stage.join(kRoom, "carol");
  stage.advance(seconds{1});
  ASSERT_EQ(stage.state_of(kRoom, "carol"), ParticipantState::kInviting);
  stage.join(kRoom, "carol");
  stage.advance(seconds{1});
  EXPECT_EQ(stage.client(kRoom, "carol").sids.size(), 1U) << "the offer is pending";
}

TEST_F(IdempotencyTest, TheSameAcceptAgain) {
  const auto& row = stage.tables.conferences.begin()->second.participants;
  const SourceRecord& stored = row.at(EndpointId("alice")).sources.begin()->second;
  testing::TestSource own = a(stored.ssrc.value(), stored.msid);
  own.source.name = stored.name;
  expect_no_effect(
      [&] { EXPECT_EQ(ask("alice", JingleAction::kSessionAccept, set_of({own})), std::nullopt); });
  expect_no_effect([&] {
    EXPECT_EQ(ask("alice", JingleAction::kSessionAccept, set_of({own, v(77, "new")})),
              Condition::kUnexpectedRequest)
        << "it is not the same";
  });
}

TEST_F(IdempotencyTest, TheSameAcceptAfterARestart) {
  const auto& row = stage.tables.conferences.begin()->second.participants;
  const SourceRecord stored = row.at(EndpointId("alice")).sources.begin()->second;
  stage.crash_and_restore();
  stage.start_all();
  stage.report("jvb1", "0.1");
  stage.advance(seconds{5});
  testing::TestSource own = a(stored.ssrc.value(), stored.msid);
  own.source.name = stored.name;
  EXPECT_EQ(ask("alice", JingleAction::kSessionAccept, set_of({own})), std::nullopt);
  EXPECT_EQ(stage.state_of(kRoom, "alice"), ParticipantState::kActive);
}

TEST_F(IdempotencyTest, TheSameSourceAddAgain) {
  const auto camera = set_of({v(11, "m"), v(12, "m"), a(13)}, {fid({11, 12})});
  const auto told = stage.client(kRoom, "bob").source_adds;
  ASSERT_EQ(add(camera), std::nullopt);
  stage.advance(seconds{2});
  EXPECT_EQ(stage.client(kRoom, "bob").source_adds, told + 1);
  expect_no_effect([&] { EXPECT_EQ(add(camera), std::nullopt); });
  expect_no_effect([&] { EXPECT_EQ(add(set_of({a(13)})), std::nullopt); });
  // Not the same, or not by the same: a conflict as ever.
  expect_no_effect([&] { EXPECT_EQ(add(set_of({a(13, "x")})), Condition::kBadRequest); });
  expect_no_effect([&] { EXPECT_EQ(add(set_of({v(13)})), Condition::kBadRequest); });
  expect_no_effect([&] {
    EXPECT_EQ(ask("bob", JingleAction::kSourceAdd, set_of({a(13)})), Condition::kBadRequest);
  });
  // What is new of it is told.
  ASSERT_EQ(add(set_of({a(13), a(14)})), std::nullopt);
  stage.advance(seconds{2});
  EXPECT_EQ(stage.client(kRoom, "bob").source_adds, told + 2);
}

TEST_F(IdempotencyTest, TheSameSourceRemoveAgain) {
  const auto camera = set_of({v(11, "m"), v(12, "m")}, {fid({11, 12})});
  ASSERT_EQ(add(camera), std::nullopt);
  ASSERT_EQ(add(set_of({a(13)})), std::nullopt);
  stage.advance(seconds{2});
  ASSERT_EQ(remove(camera), std::nullopt);
  stage.advance(seconds{58});
  stage.report("jvb1", "0.1");
  expect_no_effect([&] { EXPECT_EQ(remove(camera), std::nullopt); });
  expect_no_effect([&] { EXPECT_EQ(remove(set_of({v(11)})), std::nullopt); });
  // What was never there is an error still, and so is what was there long ago.
  expect_no_effect([&] { EXPECT_EQ(remove(set_of({v(11), v(999)})), Condition::kBadRequest); });
  expect_no_effect(
      [&] { EXPECT_EQ(ask("bob", JingleAction::kSourceRemove, camera), Condition::kBadRequest); });
  stage.advance(seconds{5});
  expect_no_effect([&] { EXPECT_EQ(remove(camera), Condition::kBadRequest); });
  EXPECT_EQ(remove(set_of({a(13)})), std::nullopt);
}

TEST_F(IdempotencyTest, WhatIsAddedAgainIsRemovedAgain) {
  ASSERT_EQ(add(set_of({a(13)})), std::nullopt);
  ASSERT_EQ(remove(set_of({a(13)})), std::nullopt);
  ASSERT_EQ(add(set_of({a(13)})), std::nullopt);
  ASSERT_EQ(remove(set_of({a(13), v(11)})), Condition::kBadRequest);
  ASSERT_EQ(remove(set_of({a(13)})), std::nullopt);
  const auto& row = stage.tables.conferences.begin()->second.participants;
  EXPECT_EQ(row.at(EndpointId("alice")).sources.size(), 1U) << "the first one only";
}

TEST_F(IdempotencyTest, ARequestForAConferenceThatIsThere) {
  expect_no_effect([this] { EXPECT_TRUE(stage.answered_ready(stage.ask(kRoom))); });
  EXPECT_EQ(stage.focus.counters().conferences_created, 1U);
}

TEST_F(IdempotencyTest, AnAnswerOfABridgeToNoQuestion) {
  expect_no_effect([this] {
    stage.give(in::IqAnswer{RequestId(987'654), proto::Answer(proto::ConferenceModified{})});
  });
  EXPECT_EQ(stage.focus.counters().answers_unexpected, 1U);
}

/// An allocation was half done when the process died.
TEST_F(IdempotencyTest, AnEndpointThatExistsIsExpiredMadeAgainAndInvited) {
  stage.bridges.at("jvb1").ghosts = {"carol"};
  stage.join(kRoom, "carol");
  stage.advance(seconds{10});
  EXPECT_TRUE(stage.bridges.at("jvb1").ghosts.empty()) << "expired first";
  EXPECT_EQ(stage.state_of(kRoom, "carol"), ParticipantState::kActive);
  EXPECT_EQ(stage.client(kRoom, "carol").sids.size(), 1U);
  EXPECT_TRUE(stage.bridges.at("jvb1").meetings.at("meeting-tea").contains("carol"));
}

TEST_F(IdempotencyTest, AnOfferTheClientKnowsAlreadyIsEndedAndMadeAnew) {
  stage.room(kRoom).clients["carol"].real_jid = "carol@example.net/web";
  stage.client(kRoom, "carol").mood = Stage::ClientMood::kHolds;
  stage.join(kRoom, "carol");
  stage.advance(seconds{1});
  stage.client(kRoom, "carol").mood = Stage::ClientMood::kAccepts;
  stage.answer_offer(kRoom, "carol",
                     tl::make_unexpected(proto::make_error(Condition::kServiceUnavailable)));
  stage.advance(seconds{5});
  const Stage::Client& carol = stage.client(kRoom, "carol");
  ASSERT_EQ(carol.sids.size(), 2U);
  EXPECT_NE(carol.sids[0], carol.sids[1]);
  EXPECT_EQ(carol.terminated, 1U) << "the first one";
  EXPECT_EQ(stage.state_of(kRoom, "carol"), ParticipantState::kActive);
  const auto& row = stage.tables.conferences.begin()->second.participants;
  EXPECT_EQ(row.at(EndpointId("carol")).jingle->generation, 1U) << "the next one";
}

}  // namespace
}  // namespace bascule::focus
