// The focus ends, however it may be, and another process goes on: people notice nothing.

#include <future>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include "stats/sqlite/store.h"
#include "tests/integration/child_process.h"
#include "tests/integration/stage.h"

namespace bascule::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::IsEmpty;

class Restart : public testing::Test {
 protected:
  explicit Restart(Stage::Options options = {}) : stage(std::move(options)) {}

  void meet() {
    stage.enter(first);
    stage.enter(second);
    stage.until_all_see_each_other({&first, &second});
  }
  void start_again() {
    stage.daemon.start();
    stage.until_ready();
  }
  /// The focus was always there, and nobody was invited twice.
  void expect_unnoticed(const std::vector<ScriptedClient*>& clients) {
    for (const ScriptedClient* one : clients) {
      EXPECT_EQ(one->focus_departures, 0);
      EXPECT_EQ(one->invites, 1);
      EXPECT_THAT(one->terminations, IsEmpty());
      EXPECT_THAT(one->wrong, IsEmpty());
    }
  }
  /// Somebody joins and all see each other, as if nothing had happened.
  ScriptedClient& expect_it_grows_unnoticed() {
    ScriptedClient& third = stage.client("goes-on");
    stage.enter(third);
    stage.until_all_see_each_other({&first, &second, &third});
    expect_unnoticed({&first, &second, &third});
    return third;
  }
  void until_exited() {
    stage.until("the daemon is gone", [this] { return stage.daemon.exit_code().has_value(); });
  }
  bool went_on() { return !stage.daemon.log_line("link.up link=client", "inherited=true").empty(); }

  Stage stage;
  ScriptedClient& first = stage.client("goes-on");
  ScriptedClient& second = stage.client("goes-on");
};

TEST_F(Restart, AfterAKillTheMeetingGoesOnAndGrows) {
  meet();
  stage.daemon.kill();
  start_again();
  stage.until("the session goes on", [this] { return went_on(); });
  expect_it_grows_unnoticed();
  first.leave();
  stage.until("who left is gone from the bridge",
              [this] { return stage.endpoints_on_bridges() == 2; });
  EXPECT_EQ(stage.daemon.metric("bascule_participants"), 2);
}

TEST_F(Restart, WhatHappensWhileNobodyIsThereIsMadeUpFor) {
  meet();
  stage.daemon.kill();
  first.leave();
  ScriptedClient& third = stage.client("goes-on");
  third.join();
  stage.until("the newcomer is in the room", [&third] { return third.is_in_room(); });
  start_again();
  stage.until("the session goes on", [this] { return went_on(); });
  stage.until_all_see_each_other({&second, &third});
  stage.until("who left is gone from the bridge",
              [this] { return stage.endpoints_on_bridges() == 2; });
  expect_unnoticed({&second, &third});
}

TEST_F(Restart, TermLeavesEverythingToTheNextProcess) {
  meet();
  const auto began = Stage::Clock::now();
  stage.daemon.suspend();
  until_exited();
  EXPECT_EQ(stage.daemon.exit_code(), 0);
  EXPECT_LT(Stage::Clock::now() - began, milliseconds(500));
  EXPECT_EQ(stage.endpoints_on_bridges(), 2);
  start_again();
  stage.until("the session goes on", [this] { return went_on(); });
  EXPECT_EQ(stage.daemon.log_line("store.damaged", ""), "");
  expect_it_grows_unnoticed();
}

TEST_F(Restart, TwiceInARowAndOnceMore) {
  meet();
  for (int round = 0; round < 3; ++round) {
    stage.daemon.kill();
    stage.daemon.start();
    if (round > 0) {
      stage.until_ready();
    } else {
      stage.watch(milliseconds(50));  // Somewhere in its start.
    }
  }
  stage.until_ready();
  expect_it_grows_unnoticed();
}

class Stop : public Restart {
 protected:
  /// Starts `basculectl stop` and returns how it ended.
  int run_stop(const std::vector<std::string>& options) {
    std::vector<std::string> command = {BASCULECTL_BINARY, "stop", "--url", stage.daemon.url()};
    command.insert(command.end(), options.begin(), options.end());
    const pid_t pid = spawn(command, stage.daemon.folder() / "stop.log");
    int status = -1;
    stage.until("the command is done", [&] { return ::waitpid(pid, &status, WNOHANG) == pid; });
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
};

/// What the process before stored of its session does not help.
class Forgotten : public Restart {
 protected:
  /// As if the server had not granted a resumption.
  void forget_the_session() {
    std::promise<bool> stored;
    auto opened =
        stats::sqlite::Store::open({.directory = (stage.daemon.folder() / "state").string()},
                                   [&stored](const stats::sqlite::Completion& done) {
                                     stored.set_value(done.outcome.has_value());
                                   });
    ASSERT_TRUE(opened.has_value());
    focus::op::LinkSet row = opened->restored.tables.links.at(StreamId::kClient).link;
    row.resume_id.clear();
    opened->store->commit(CommitId(1), {row});
    ASSERT_TRUE(stored.get_future().get());
  }
};

TEST_F(Forgotten, TheSessionIsReplacedInItsRoomsBeforeItEnds) {
  meet();
  stage.daemon.kill();
  forget_the_session();
  start_again();
  stage.until("the session of the process before is ended", [this] {
    return !stage.daemon.log_line("session.evicted", "session=focus@auth").empty();
  });
  EXPECT_FALSE(went_on());
  EXPECT_NE(stage.daemon.log_line("link.up link=client", "/focus-2"), "");
  expect_it_grows_unnoticed();
  // The next one goes on with the new session as usual.
  stage.daemon.kill();
  start_again();
  stage.until("the session goes on", [this] { return went_on(); });
  first.leave();
  stage.until("who left is gone from the bridge",
              [this] { return stage.endpoints_on_bridges() == 2; });
  EXPECT_EQ(second.focus_departures, 0);
  EXPECT_EQ(second.invites, 1);
}

TEST_F(Stop, ByCommandLeavesEverythingToTheNextProcess) {
  meet();
  EXPECT_EQ(run_stop({}), 0);
  until_exited();
  EXPECT_EQ(stage.daemon.exit_code(), 0);
  start_again();
  stage.until("the session goes on", [this] { return went_on(); });
  expect_it_grows_unnoticed();
}

TEST_F(Stop, WhenEmptyRefusesNewConferencesAndEndsWithTheLast) {
  meet();
  EXPECT_EQ(run_stop({"--leave", "--when-empty", "--no-wait"}), 0);
  ScriptedClient& elsewhere = stage.client("too-late");
  EXPECT_EQ(stage.ready_field(stage.wait_for(elsewhere.request_conference())), "false");
  ScriptedClient& third = expect_it_grows_unnoticed();
  EXPECT_EQ(stage.daemon.exit_code(), std::nullopt);
  for (ScriptedClient* one : {&first, &second, &third}) {
    one->leave();
  }
  until_exited();
  EXPECT_EQ(stage.daemon.exit_code(), 0);
}

TEST_F(Stop, LeaveEndsTheMeetingNow) {
  meet();
  EXPECT_EQ(run_stop({"--leave"}), 0);
  until_exited();
  EXPECT_EQ(stage.daemon.exit_code(), 0);
  stage.until("the focus has left", [this] { return first.focus_departures == 1; });
  EXPECT_EQ(run_stop({"--leave"}), 3);  // Nobody there.
}

TEST_F(Restart, WhileNothingWasGoingOn) {
  stage.daemon.kill();
  start_again();
  meet();
  expect_unnoticed({&first, &second});
}

class LateRestart : public Restart {
 protected:
  LateRestart() : Restart({.prosody = {.extra_global = "smacks_hibernation_time = 1"}}) {}
};

TEST_F(LateRestart, WhatTheServerHasForgottenIsEnteredAgain) {
  EXPECT_NE(stage.daemon.log_line("session.resumable_briefly", "for=1"), "");
  meet();
  stage.daemon.kill();
  stage.until("the server has removed the focus", [this] { return first.focus_departures == 1; });
  const auto arrivals = first.focus_arrivals;  // Each presence of the focus counts as one.
  start_again();
  EXPECT_FALSE(went_on());
  stage.until("the focus is back in the room", [&] { return first.focus_arrivals > arrivals; });
  ScriptedClient& third = stage.client("goes-on");
  stage.enter(third);
  stage.until_all_see_each_other({&first, &second, &third});
  EXPECT_EQ(first.invites, 1);
}

}  // namespace
}  // namespace bascule::test
