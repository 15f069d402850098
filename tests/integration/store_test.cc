// The files of the state directory while people meet: damage, verification, rebuild, backups,
// history; by basculectl.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/wait.h>

#include "tests/integration/child_process.h"
#include "tests/integration/stage.h"

namespace bascule::test {
namespace {

using testing::HasSubstr;

struct Outcome {
  int status = -1;
  std::string output;
};

class StoreWhilePeopleMeet : public testing::Test {
 protected:
  void SetUp() override {
    stage.enter(first);
    stage.enter(second);
    stage.until_all_see_each_other({&first, &second});
    stage.until("some reports are stored",
                [this] { return stage.daemon.metric("bascule_store_reports_written_total") >= 4; });
  }
  /// Begins `basculectl stats ...` on the running daemon.
  pid_t begin(std::vector<std::string> arguments) {
    std::vector<std::string> command{BASCULECTL_BINARY, "stats", "--url", stage.daemon.url()};
    command.insert(command.end(), arguments.begin(), arguments.end());
    std::filesystem::remove(output());
    return spawn(command, output());
  }
  Outcome finish(pid_t pid) {
    int status = 0;
    stage.until(
        "basculectl has ended",
        [&] { return waitpid(pid, &status, WNOHANG) == pid && WIFEXITED(status); },
        std::chrono::seconds{30});
    return {WEXITSTATUS(status), read_file(output())};
  }
  Outcome ctl(std::vector<std::string> arguments) { return finish(begin(std::move(arguments))); }
  [[nodiscard]] std::filesystem::path output() const { return stage.daemon.folder() / "ctl.out"; }
  [[nodiscard]] std::filesystem::path state() const { return stage.daemon.folder() / "state"; }

  void damage_oldest_report() {
    sqlite3* handle = nullptr;
    ASSERT_EQ(sqlite3_open((state() / "stats.db").c_str(), &handle), SQLITE_OK);
    sqlite3_busy_timeout(handle, 5'000);
    ASSERT_EQ(sqlite3_exec(handle,
                           "UPDATE bridge_sample SET raw=x'00'"
                           " WHERE id=(SELECT min(id) FROM bridge_sample)",
                           nullptr, nullptr, nullptr),
              SQLITE_OK);
    sqlite3_close(handle);
  }

  Stage stage;
  ScriptedClient& first = stage.client("store");
  ScriptedClient& second = stage.client("store");
};

TEST_F(StoreWhilePeopleMeet, DamageIsSaidAndRebuiltWithoutAnybodyNoticing) {
  EXPECT_EQ(ctl({"status"}).status, 0);
  damage_oldest_report();
  const Outcome found = ctl({"verify"});
  EXPECT_EQ(found.status, 1) << found.output;
  EXPECT_THAT(found.output, HasSubstr("damage: stats.db chain"));
  EXPECT_THAT(stage.daemon.get("/readyz").body, HasSubstr("store_damaged: stats.db"));
  EXPECT_EQ(stage.daemon.get("/readyz").status, 200U) << "people can be served without it";
  EXPECT_EQ(stage.daemon.metric("bascule_store_damages_open"), 1);
  EXPECT_NE(stage.daemon.log_line("store.damaged", "file=stats.db"), "");

  const Outcome dry = ctl({"rebuild", "--dry-run"});
  EXPECT_EQ(dry.status, 1);
  EXPECT_THAT(dry.output, HasSubstr("dropped 1; history as it was"));

  const pid_t rebuild = begin({"rebuild"});
  ScriptedClient& third = stage.client("store");
  stage.enter(third);
  stage.until_all_see_each_other({&first, &second, &third});
  const Outcome rebuilt = finish(rebuild);
  EXPECT_EQ(rebuilt.status, 1) << "a report is lost: " << rebuilt.output;
  EXPECT_THAT(rebuilt.output, HasSubstr("dropped 1; history replaced"));
  EXPECT_THAT(rebuilt.output, HasSubstr("bridges heard again: 2 of 2"));
  EXPECT_TRUE(std::filesystem::exists(state() / "quarantine"));

  EXPECT_EQ(stage.daemon.metric("bascule_store_damages_open"), 0);
  EXPECT_EQ(stage.daemon.metric("bascule_store_rows_dropped_total"), 1);
  const Outcome sound = ctl({"verify"});
  EXPECT_EQ(sound.status, 0) << sound.output;
  EXPECT_EQ(ctl({"rebuild"}).status, 0) << "there is nothing left to do";
  EXPECT_EQ(stage.daemon.metric("bascule_bridges_lost_total"), 0);
}

TEST_F(StoreWhilePeopleMeet, HistoryAndBackupsComeFromTheRunningStore) {
  const Outcome history = ctl({"history", "jvb1", "--step", "1"});
  EXPECT_EQ(history.status, 0) << history.output;
  EXPECT_THAT(history.output, HasSubstr("jvbbrewery@internal.auth.bascule.test/jvb1"));
  EXPECT_EQ(ctl({"history", "nobody"}).status, 3);
  EXPECT_EQ(ctl({"history", "jvb1", "--from", "yesterday"}).status, 2);

  const Outcome backup = ctl({"backup"});
  EXPECT_EQ(backup.status, 0) << backup.output;
  const std::string path = backup.output.substr(0, backup.output.find('\n'));
  EXPECT_TRUE(std::filesystem::exists(path + "/state.db"));
  // The backup is a state directory itself.
  const pid_t verify = spawn({BASCULECTL_BINARY, "stats", "--dir", path, "verify"}, output());
  EXPECT_EQ(finish(verify).status, 0);
  EXPECT_EQ(ctl({"backup", "/somewhere"}).status, 2);
}

TEST_F(StoreWhilePeopleMeet, AStoppedDirectoryIsRebuiltByHand) {
  const std::vector<std::string> by_hand{BASCULECTL_BINARY, "stats", "--dir", state(), "rebuild"};
  EXPECT_EQ(finish(spawn(by_hand, output())).status, 3) << "it is in use";
  EXPECT_EQ(stage.stop_daemon(), 0);
  const Outcome nobody = ctl({"status"});
  EXPECT_EQ(nobody.status, 3);
  EXPECT_THAT(nobody.output, HasSubstr("--dir works on the files"));
  damage_oldest_report();
  std::filesystem::remove(output());
  const Outcome rebuilt = finish(spawn(by_hand, output()));
  EXPECT_EQ(rebuilt.status, 1) << rebuilt.output;
  EXPECT_THAT(rebuilt.output, HasSubstr("dropped 1; history replaced"));
  stage.daemon.start();
  stage.until_ready();
  EXPECT_EQ(stage.daemon.metric("bascule_store_findings"), 0);
}

}  // namespace
}  // namespace bascule::test
