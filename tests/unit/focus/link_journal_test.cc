#include "focus/link_journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "focus/tables.h"

namespace bascule::focus {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct LinkJournalTest : testing::Test {
  LinkJournal journal{StreamId::kClient};
  Tables tables;
  std::uint64_t turn = 0;
  std::uint64_t confirmed = 0;

  LinkJournalTest() { journal.session_began(Jid::parse("focus@auth.example/focus").value(), "id"); }
  /// The turn ends and its operations are stored; how many there were.
  std::size_t end_turn() {
    std::vector<Operation> operations;
    journal.append_to_commit(confirmed, WallTime{}, operations);
    for (const Operation& operation : operations) {
      EXPECT_TRUE(tables.apply(operation));
    }
    journal.turn_ended(++turn);
    return operations.size();
  }
  const LinkRow& row() { return tables.links.at(StreamId::kClient); }
  std::vector<std::string> stored() {
    std::vector<std::string> texts;
    for (const auto& [index, push] : row().unacked) {
      texts.push_back(push.xml);
    }
    return texts;
  }
};

TEST_F(LinkJournalTest, WhatATurnHeardAndSaidIsStoredWithItAndLeavesInOrder) {
  journal.heard(1);
  journal.heard(2);
  journal.say("a");
  journal.say("b");
  EXPECT_EQ(end_turn(), 4U);
  EXPECT_EQ(row().link.resume_id, "id");
  EXPECT_EQ(row().link.resource, "focus");
  EXPECT_EQ(row().handled, 2U);
  EXPECT_THAT(stored(), ElementsAre("a", "b"));
  EXPECT_THAT(journal.take_for_action(), ElementsAre("a"));
  EXPECT_THAT(journal.take_for_action(), ElementsAre("b"));
  EXPECT_EQ(end_turn(), 0U) << "nothing new";
}

TEST_F(LinkJournalTest, WhatTheServerConfirmedIsForgottenWithTheNextCommit) {
  journal.say("a");
  journal.say("b");
  end_turn();
  confirmed = 1;
  EXPECT_EQ(end_turn(), 0U) << "no commit for that alone";
  journal.heard(1);
  end_turn();
  EXPECT_THAT(stored(), ElementsAre("b"));
  EXPECT_EQ(row().acknowledged, 1U);
}

TEST_F(LinkJournalTest, RepliesKeepTheirPlaceAndWaitForTheirTurn) {
  journal.say("action of turn 1");
  end_turn();
  journal.reply("reply in turn 2");
  EXPECT_THAT(journal.take_replies(1), IsEmpty());
  EXPECT_THAT(journal.take_for_action(), ElementsAre("action of turn 1"));
  journal.say("action of turn 2");
  end_turn();
  journal.reply("reply in turn 3");
  EXPECT_THAT(journal.take_for_action(), ElementsAre("reply in turn 2", "action of turn 2"));
  EXPECT_THAT(journal.take_replies(2), IsEmpty());
  end_turn();
  EXPECT_THAT(journal.take_replies(2), IsEmpty());
  EXPECT_THAT(journal.take_replies(3), ElementsAre("reply in turn 3"));
  EXPECT_THAT(stored(), ElementsAre("action of turn 1", "reply in turn 2", "action of turn 2",
                                    "reply in turn 3"));
}

TEST_F(LinkJournalTest, WhatCouldNotBeMadeTakesItsActionsPlace) {
  journal.say(std::nullopt);
  journal.say("b");
  end_turn();
  EXPECT_THAT(journal.take_for_action(), IsEmpty());
  EXPECT_THAT(journal.take_for_action(), ElementsAre("b"));
  EXPECT_EQ(row().unacked.begin()->first, 1U) << "numbers are those of what is sent";
}

TEST_F(LinkJournalTest, ANewSessionKnowsNothingOfTheOldOne) {
  journal.heard(9);
  journal.say("of the old one");
  end_turn();
  journal.session_began(Jid::parse("focus@auth.example/focus").value(), "other");
  journal.heard(1);
  journal.say("of the new one");
  end_turn();
  EXPECT_EQ(row().handled, 1U);
  EXPECT_THAT(stored(), ElementsAre("of the new one"));
  EXPECT_THAT(journal.take_for_action(), IsEmpty());
  EXPECT_THAT(journal.take_for_action(), ElementsAre("of the new one"));
}

TEST_F(LinkJournalTest, ASessionNobodyCanContinueReplacesTheStoredOne) {
  journal.say("a");
  end_turn();
  journal.session_began(Jid::parse("focus@auth.example/focus").value(), "");
  EXPECT_FALSE(journal.is_durable());
  journal.heard(1);
  journal.say("b");
  EXPECT_EQ(end_turn(), 1U);
  EXPECT_EQ(row().link.resume_id, "");
  EXPECT_THAT(stored(), IsEmpty());
}

TEST_F(LinkJournalTest, AnInheritedSessionIsCountedOn) {
  journal.heard(5);
  journal.say("a");
  end_turn();
  LinkJournal next(StreamId::kClient);
  next.session_inherited(3);  // Two more were sent than stored.
  next.heard(6);
  next.say("d");
  std::vector<Operation> operations;
  next.append_to_commit(3, WallTime{}, operations);
  for (const Operation& operation : operations) {
    EXPECT_TRUE(tables.apply(operation));
  }
  EXPECT_EQ(row().handled, 6U);
  EXPECT_EQ(row().acknowledged, 3U);
  EXPECT_THAT(stored(), ElementsAre("d"));
  EXPECT_EQ(row().unacked.begin()->first, 4U);
}

}  // namespace
}  // namespace bascule::focus
