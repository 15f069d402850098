// `bascule --supervise`: the parent starts the daemon again and keeps its connection open
// meanwhile.

#include <charconv>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "tests/integration/stage.h"

namespace bascule::test {
namespace {

using std::chrono::seconds;
using testing::IsEmpty;

class Supervised : public testing::Test {
 protected:
  /// The children the parent has started so far, in order.
  std::vector<pid_t> children() const {
    std::vector<pid_t> result;
    const std::string log = stage.daemon.log();
    const std::string key = "supervisor.started child=";
    for (std::size_t at = log.find(key); at != std::string::npos; at = log.find(key, at + 1)) {
      pid_t pid = -1;
      std::from_chars(log.data() + at + key.size(), log.data() + log.size(), pid);
      result.push_back(pid);
    }
    return result;
  }
  void kill_child_and_await_next() {
    const std::size_t before = children().size();
    ::kill(children().back(), SIGKILL);
    stage.until("there is another child", [&] { return children().size() > before; });
  }
  void meet() {
    stage.enter(first);
    stage.enter(second);
    stage.until_all_see_each_other({&first, &second});
  }
  void expect_unnoticed(const std::vector<ScriptedClient*>& clients) {
    for (const ScriptedClient* one : clients) {
      EXPECT_EQ(one->focus_departures, 0);
      EXPECT_EQ(one->invites, 1);
      EXPECT_THAT(one->terminations, IsEmpty());
    }
  }

  // A session without a connection lives for one second only.
  Stage stage{
      {.prosody = {.extra_global = "smacks_hibernation_time = 1"}, .arguments = {"--supervise"}}};
  ScriptedClient& first = stage.client("kept");
  ScriptedClient& second = stage.client("kept");
};

TEST_F(Supervised, TheConnectionOutlivesTheDaemonForLongerThanTheServerWouldWait) {
  meet();
  // Each child dies before it can log in; the pauses between them grow to 1.6 s.
  for (int i = 0; i < 7; ++i) {
    kill_child_and_await_next();
  }
  stage.until("the session goes on", [this] {
    return !stage.daemon.log_line("link.up link=client", "inherited=true").empty();
  });
  stage.until_ready();
  ScriptedClient& third = stage.client("kept");
  stage.enter(third);
  stage.until_all_see_each_other({&first, &second, &third});
  expect_unnoticed({&first, &second, &third});
}

TEST_F(Supervised, StopsWithItsChild) {
  meet();
  stage.daemon.suspend();
  stage.until("the parent is gone", [this] { return stage.daemon.exit_code().has_value(); });
  EXPECT_EQ(stage.daemon.exit_code(), 0);
  EXPECT_EQ(children().size(), 1U);
  EXPECT_NE(::kill(children().back(), 0), 0);
}

TEST_F(Supervised, AParentThatIsKilledLeavesNobodyBehind) {
  meet();
  stage.daemon.kill();
  stage.until("the child is gone too", [this] { return ::kill(children().back(), 0) != 0; });
  EXPECT_NE(stage.daemon.log_line("daemon.suspended", ""), "");
}

TEST_F(Supervised, DoesNotRepeatWhatARestartCannotMend) {
  meet();
  std::ofstream(stage.daemon.folder() / "bascule.toml", std::ios::app) << "[nonsense]\n";
  ::kill(children().back(), SIGKILL);
  stage.until("the parent is gone", [this] { return stage.daemon.exit_code().has_value(); });
  EXPECT_EQ(stage.daemon.exit_code(), 2);
  EXPECT_EQ(children().size(), 2U);
  // Nobody holds the connection any more, so the server tells the people.
  stage.until("the focus has left", [this] { return first.focus_departures == 1; });
}

}  // namespace
}  // namespace bascule::test
