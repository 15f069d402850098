// The life of the real daemon: reloads, ends by policy, and what a health check is told.

#include <csignal>
#include <fstream>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/integration/child_process.h"
#include "tests/integration/stage.h"

namespace bascule::test {
namespace {

using testing::HasSubstr;

class Life : public testing::Test {
 protected:
  void meet() {
    stage.enter(first);
    stage.enter(second);
    stage.until_all_see_each_other({&first, &second});
  }
  /// Somebody joins as if nothing had happened.
  void expect_it_grows() {
    ScriptedClient& third = stage.client("room");
    stage.enter(third);
    stage.until_all_see_each_other({&first, &second, &third});
  }
  /// What `action` makes of the configuration file, and SIGHUP.
  void reload_with(const std::function<std::string(std::string)>& action) {
    const auto path = stage.daemon.folder() / "bascule.toml";
    const std::string text = action(read_file(path));
    std::ofstream(path) << text;
    ::kill(stage.daemon.pid(), SIGHUP);
  }
  void until_logged(const std::string& first_text, const std::string& second_text) {
    stage.until("the log has " + first_text + " and " + second_text,
                [&] { return !stage.daemon.log_line(first_text, second_text).empty(); });
  }
  /// Whether `bascule --health` is content.
  bool is_healthy() const {
    try {
      run({BASCULE_BINARY, "--health", "--config",
           (stage.daemon.folder() / "bascule.toml").string()},
          stage.daemon.folder() / "health.log");
      return true;
    } catch (const std::runtime_error&) {
      return false;
    }
  }

  Stage stage{{.daemon = {{"log", {{"level", "\"info\""}}}, {"limits", {{"conferences", "100"}}}},
               .environment = {"BASCULE_SERVICE_STOP=leave-when-empty"}}};
  ScriptedClient& first = stage.client("room");
  ScriptedClient& second = stage.client("room");
};

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  const std::size_t at = text.find(what);
  if (at == std::string::npos) {
    throw std::runtime_error("the file has no " + what);
  }
  return text.replace(at, what.size(), with);
}

TEST_F(Life, AReloadAppliesWhatItCanAndTheMeetingGoesOn) {
  meet();
  reload_with([](const std::string& text) {
    return replaced(replaced(text, "level = \"info\"", "level = \"debug\""), "conferences = 100",
                    "conferences = 200");
  });
  until_logged("config.reloaded", "applied=log.level");
  until_logged(" warn config.reload_needs_restart", "keys=limits.conferences");
  EXPECT_EQ(stage.daemon.metric("bascule_config_reloads_total{outcome=\"success\"}"), 1);
  EXPECT_GT(stage.daemon.metric("bascule_config_last_reload_success_timestamp_seconds"), 1.7e9);
  expect_it_grows();
}

TEST_F(Life, AFileThatIsWrongChangesNothing) {
  meet();
  reload_with([](const std::string& text) {
    return replaced(text, "level = \"info\"", "level = \"debug\"\nlevle = \"debug\"");
  });
  until_logged("config.reload_failed key=log.levle", "did you mean log.level?");
  EXPECT_EQ(stage.daemon.log_line("config.reloaded", ""), "");
  EXPECT_EQ(stage.daemon.metric("bascule_config_last_reload_successful"), 0);
  expect_it_grows();
  EXPECT_EQ(stage.daemon.log_line(" debug ", ""), "");
}

TEST_F(Life, SigtermByPolicyWaitsUntilTheLastMeetingIsOver) {
  meet();
  stage.daemon.suspend();
  stage.until("it says so", [this] {
    return stage.daemon.get("/readyz").body.find("shutting_down") != std::string::npos;
  });
  expect_it_grows();
  EXPECT_EQ(stage.daemon.exit_code(), std::nullopt);
  for (const auto& client : stage.clients) {
    client->leave();
  }
  stage.until(
      "the daemon is gone", [this] { return stage.daemon.exit_code().has_value(); },
      std::chrono::seconds{40});
  EXPECT_EQ(stage.daemon.exit_code(), 0);
}

TEST_F(Life, TheHealthCheckTellsWhoLives) {
  EXPECT_TRUE(is_healthy());
  stage.daemon.freeze();
  EXPECT_FALSE(is_healthy());  // The kernel still accepts its connections.
  stage.daemon.thaw();
  EXPECT_TRUE(is_healthy());
  stage.daemon.kill();
  EXPECT_FALSE(is_healthy());
  EXPECT_THAT(read_file(stage.daemon.folder() / "health.log"), HasSubstr("Connection refused"));
}

}  // namespace
}  // namespace bascule::test
