#include "focus/output_gate.h"

#include <string>

#include <gtest/gtest.h>

#include "base/prng.h"

namespace bascule::focus {
namespace {

using std::chrono::seconds;
constexpr Instant kStart{seconds{100}};

// An effect that can be told apart: a log note with one number.
Action effect(std::int64_t number) {
  return out::Log{Note{.event = "e", .fields = {{"n", number}}}};
}
Action persist(const std::string& text) {
  return out::Persist{op::Note{text}};
}

std::vector<std::int64_t> numbers(const Actions& actions) {
  std::vector<std::int64_t> list;
  for (const Action& action : actions) {
    list.push_back(std::get<std::int64_t>(std::get<out::Log>(action).note.fields.at(0).second));
  }
  return list;
}

Actions list(std::initializer_list<Action> actions) {
  return actions;
}

struct OutputGateTest : testing::Test {
  OutputGate gate{{.turns_max = 2, .hold_max = seconds{2}}};
  std::vector<TurnCommit> commits;
  Actions ready;
  const Result<> failure = fail(Errc::kUnavailable, "disk full");
};

TEST_F(OutputGateTest, ATurnWithoutOperationsGoesOutAtOnce) {
  EXPECT_EQ(gate.turn(list({effect(1), effect(2)}), kStart, commits, ready), 1U);
  EXPECT_EQ(numbers(ready), (std::vector<std::int64_t>{1, 2}));
  EXPECT_TRUE(commits.empty());
  EXPECT_EQ(gate.released(), 1U);
  EXPECT_FALSE(gate.next_deadline().has_value());
}

TEST_F(OutputGateTest, ACommitIsTimedUntilItIsDurable) {
  gate.turn(list({persist("a")}), kStart, commits, ready);
  gate.turn(list({persist("b")}), kStart + seconds{1}, commits, ready);
  gate.committed(commits[0].id, failure, kStart + seconds{2}, ready);
  EXPECT_EQ(gate.commit_times().sum(), Duration::zero());
  gate.committed(commits[1].id, {}, kStart + seconds{3}, ready);  // A store writes what it missed.
  EXPECT_EQ(gate.commit_times().sum(), seconds{3 + 2});
}

TEST_F(OutputGateTest, WhatFollowsAnOperationWaitsForTheStore) {
  gate.turn(list({effect(1), persist("a"), effect(2), persist("b"), effect(3)}), kStart, commits,
            ready);
  EXPECT_EQ(numbers(ready), (std::vector<std::int64_t>{1}));
  ASSERT_EQ(commits.size(), 1U);
  EXPECT_EQ(commits[0].operations, (std::vector<Operation>{op::Note{"a"}, op::Note{"b"}}));
  EXPECT_EQ(gate.released(), 0U);
  gate.committed(commits[0].id, {}, kStart, ready);
  EXPECT_EQ(numbers(ready), (std::vector<std::int64_t>{1, 2, 3}));
  EXPECT_EQ(gate.released(), 1U);
}

TEST_F(OutputGateTest, LaterTurnsQueueBehindAndKeepTheirOrder) {
  gate.turn(list({persist("a"), effect(1)}), kStart, commits, ready);
  gate.turn(list({effect(2)}), kStart, commits, ready);
  gate.turn(list({effect(3), persist("b"), effect(4)}), kStart, commits, ready);
  EXPECT_TRUE(ready.empty());
  EXPECT_TRUE(gate.is_congested());
  ASSERT_EQ(commits.size(), 2U);
  gate.committed(commits[1].id, {}, kStart, ready);
  EXPECT_TRUE(ready.empty());  // The first turn still waits.
  gate.committed(commits[0].id, {}, kStart, ready);
  EXPECT_EQ(numbers(ready), (std::vector<std::int64_t>{1, 2, 3, 4}));
  EXPECT_FALSE(gate.is_congested());
  EXPECT_EQ(gate.released(), 3U);
}

TEST_F(OutputGateTest, WhatLeftUncommittedIsDurableOnlyWhenTheStoreSaysSo) {
  gate.turn(list({effect(1)}), kStart, commits, ready);
  EXPECT_EQ(gate.durable(), 1U);
  gate.turn(list({persist("a"), effect(2)}), kStart, commits, ready);
  gate.turn(list({effect(3)}), kStart, commits, ready);
  EXPECT_EQ(gate.durable(), 1U);
  gate.fire_timers(kStart + seconds{2}, ready);  // Late: everything leaves.
  gate.turn(list({persist("b"), effect(4)}), kStart + seconds{2}, commits, ready);
  gate.turn(list({effect(5)}), kStart + seconds{2}, commits, ready);
  EXPECT_EQ(gate.released(), 5U);
  EXPECT_EQ(gate.durable(), 1U);
  gate.committed(commits[0].id, failure, kStart + seconds{3}, ready);
  EXPECT_EQ(gate.durable(), 1U);
  gate.committed(commits[1].id, {}, kStart + seconds{4}, ready);  // And with it what it missed.
  EXPECT_EQ(gate.durable(), 5U);
}

TEST_F(OutputGateTest, AFailingStoreDegradesButDoesNotSilence) {
  gate.turn(list({persist("a"), effect(1)}), kStart, commits, ready);
  gate.committed(commits[0].id, failure, kStart, ready);
  EXPECT_EQ(numbers(ready), (std::vector<std::int64_t>{1}));
  EXPECT_TRUE(gate.is_degraded());
  gate.turn(list({persist("b"), effect(2)}), kStart, commits, ready);
  gate.committed(commits[1].id, {}, kStart, ready);
  EXPECT_FALSE(gate.is_degraded());
}

TEST_F(OutputGateTest, ASilentStoreIsWaitedForOnceAndNotByEveryTurn) {
  gate.turn(list({persist("a"), effect(1)}), kStart, commits, ready);
  gate.turn(list({effect(2)}), kStart + seconds{1}, commits, ready);
  gate.turn(list({persist("b"), effect(3)}), kStart + seconds{1}, commits, ready);
  EXPECT_EQ(gate.next_deadline(), kStart + seconds{2});
  gate.fire_timers(kStart + seconds{1}, ready);
  EXPECT_TRUE(ready.empty());
  gate.fire_timers(kStart + seconds{2}, ready);
  EXPECT_EQ(numbers(ready), (std::vector<std::int64_t>{1, 2, 3}));
  EXPECT_TRUE(gate.is_degraded());
  EXPECT_FALSE(gate.next_deadline().has_value());
  gate.turn(list({persist("c"), effect(4)}), kStart + seconds{3}, commits, ready);
  EXPECT_EQ(numbers(ready), (std::vector<std::int64_t>{1, 2, 3, 4}));
  EXPECT_EQ(gate.waiting(), 0U);
  EXPECT_EQ(gate.released(), 4U);
  EXPECT_EQ(gate.released_uncommitted(), 3U);
}

TEST_F(OutputGateTest, AStoreThatAnsweredEverythingIsWaitedForAgain) {
  gate.turn(list({persist("a"), effect(1)}), kStart, commits, ready);
  gate.turn(list({persist("b"), effect(2)}), kStart, commits, ready);
  gate.fire_timers(kStart + seconds{2}, ready);
  gate.committed(commits[0].id, {}, kStart + seconds{30}, ready);
  EXPECT_TRUE(gate.is_degraded());
  gate.committed(commits[1].id, {}, kStart + seconds{30}, ready);
  EXPECT_FALSE(gate.is_degraded());
  gate.turn(list({persist("c"), effect(3)}), kStart + seconds{31}, commits, ready);
  EXPECT_EQ(numbers(ready), (std::vector<std::int64_t>{1, 2}));
  EXPECT_EQ(gate.next_deadline(), kStart + seconds{33});
}

// Under steady load something is always unanswered: then the speed of one commit decides.
TEST_F(OutputGateTest, AStoreThatIsFastAgainIsWaitedForAgain) {
  gate.turn(list({persist("a")}), kStart, commits, ready);
  gate.fire_timers(kStart + seconds{2}, ready);
  const auto persist_at = [&](seconds at) {
    gate.turn(list({persist("x")}), kStart + at, commits, ready);
  };
  persist_at(seconds{3});
  persist_at(seconds{4});
  gate.committed(commits[0].id, {}, kStart + seconds{4}, ready);
  gate.committed(commits[1].id, {}, kStart + seconds{5}, ready);  // Took as long as is too long.
  EXPECT_TRUE(gate.is_degraded());
  persist_at(seconds{6});
  persist_at(seconds{7});
  gate.committed(commits[2].id, {}, kStart + seconds{7},
                 ready);  // Made before the one that counts.
  EXPECT_TRUE(gate.is_degraded());
  gate.committed(commits[3].id, {}, kStart + seconds{7}, ready);
  EXPECT_FALSE(gate.is_degraded());
}

TEST_F(OutputGateTest, AnAnswerToNothingIsABug) {
  EXPECT_DEATH(gate.committed(CommitId(1), {}, kStart, ready), "last_commit_");
}

void run_random_turns(std::uint64_t seed) {
  Prng prng(seed);
  OutputGate gate;
  std::vector<TurnCommit> open;
  std::vector<std::int64_t> needs;  // By effect: how many commits must have been answered.
  std::vector<bool> answered;
  std::vector<std::int64_t> seen;
  std::int64_t commits_made = 0;
  const auto check = [&](Actions& ready) {
    for (const std::int64_t number : numbers(ready)) {
      ASSERT_EQ(number, static_cast<std::int64_t>(seen.size()));
      for (std::int64_t id = 0; id < needs[static_cast<std::size_t>(number)]; ++id) {
        ASSERT_TRUE(answered[static_cast<std::size_t>(id)]);
      }
      seen.push_back(number);
    }
    ready.clear();
  };
  for (int step = 0; step < 300 || !open.empty(); ++step) {
    Actions ready;
    if (step < 300 && prng.below(2) == 0) {
      Actions actions;
      bool counted = false;
      for (auto left = prng.below(5); left > 0; --left) {
        if (prng.below(3) == 0) {
          actions.push_back(persist("x"));
          commits_made += counted ? 0 : 1;
          counted = true;
        } else {
          actions.push_back(effect(static_cast<std::int64_t>(needs.size())));
          needs.push_back(commits_made);
        }
      }
      answered.resize(static_cast<std::size_t>(commits_made));
      gate.turn(std::move(actions), kStart, open, ready);
    } else if (!open.empty()) {
      const auto index = prng.below(open.size());
      const CommitId id = open[index].id;
      open.erase(open.begin() + static_cast<std::ptrdiff_t>(index));
      answered[id.value() - 1] = true;
      gate.committed(id, {}, kStart, ready);
    }
    check(ready);
  }
  EXPECT_EQ(seen.size(), needs.size());
  EXPECT_EQ(gate.waiting(), 0U);
}

// Goal: for any turns and any order of answers, effects leave in the order they were made, each
// once, and none before the operation that precedes it in its turn was answered.
TEST(OutputGatePropertyTest, KeepsOrderAndNeverRunsAhead) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    ASSERT_NO_FATAL_FAILURE(run_random_turns(seed));
  }
}

}  // namespace
}  // namespace bascule::focus
