// Two processes on one host: one dies, hangs or hands over, and the other goes on; people notice
// nothing.

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/integration/child_process.h"
#include "tests/integration/stage.h"

namespace bascule::test {
namespace {

using std::chrono::duration_cast, std::chrono::milliseconds, std::chrono::seconds;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr milliseconds kHeartbeatTimeout{1'000};

/// What both processes use; gone with the test.
class SharedFolder {
 public:
  ~SharedFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] BasculeProcess::Settings settings(const std::string& node) const {
    return {{"ha",
             {{"coordinator", "\"file\""},
              {"shared", '"' + (path_ / "ha").string() + '"'},
              {"node", '"' + node + '"'},
              {"heartbeat-timeout", '"' + std::to_string(kHeartbeatTimeout.count()) + " ms\""}}},
            {"admin", {{"unix-socket", '"' + socket() + '"'}}}};
  }
  /// Of whichever process is active.
  [[nodiscard]] std::string socket() const { return (path_ / "admin.sock").string(); }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_ = make_folder("bascule-pair");
};

class PairTest : public testing::Test {
 protected:
  explicit PairTest(const std::vector<std::string>& environment = {})
      : stage({.daemon = shared.settings("a"), .environment = environment}),
        other(stage.prosody, shared.settings("b")) {
    active = &stage.daemon;
    standby = &other;
    standby->start();
    until_in_sync();
  }
  ~PairTest() override {
    if (HasFailure()) {
      std::fprintf(stderr, "--- log of b ---\n%s", other.log().c_str());
    }
  }

  void until(const std::string& what, const std::function<bool()>& condition,
             milliseconds limit = seconds{15}) {
    try {
      stage.until(what, condition, limit);
    } catch (const std::runtime_error& error) {
      throw std::runtime_error(std::string(error.what()) + "--- log of b ---\n" + other.log());
    }
  }
  void until_in_sync() {
    until("the standby is in sync", [this] { return standby_is_in_sync(); });
  }
  [[nodiscard]] bool standby_is_in_sync() const {
    const HttpAnswer answer = active->get("/v1/ha/status");
    return answer.body.find("\"role\":\"active\"") != std::string::npos &&
           answer.body.find("\"in_sync\":true") != std::string::npos;
  }
  /// So many lines of this process have both texts.
  static std::size_t lines(const BasculeProcess& process, const std::string& first,
                           const std::string& second) {
    std::istringstream log(process.log());
    std::size_t count = 0;
    for (std::string line; std::getline(log, line);) {
      count += line.find(first) != std::string::npos && line.find(second) != std::string::npos;
    }
    return count;
  }
  /// Runs `end`, waits until the standby serves with the session of the other one; how long it
  /// took.
  milliseconds until_taken_over(const std::function<void()>& end,
                                milliseconds limit = seconds{15}) {
    const std::size_t before = lines(*standby, "link.up link=client", "inherited=true");
    const auto began = Stage::Clock::now();
    end();
    until(
        "the other process goes on",
        [this, before] {
          return lines(*standby, "link.up link=client", "inherited=true") > before;
        },
        limit);
    const auto took = duration_cast<milliseconds>(Stage::Clock::now() - began);
    std::swap(active, standby);
    return took;
  }
  void until_ready() {
    until("the new active process is ready", [this] { return active->is_ready(); });
  }

  void meet() {
    enter(first);
    enter(second);
    stage.until_all_see_each_other(people);
  }
  /// Who is told "not yet" asks again, as clients do: the process may just have begun.
  void enter(ScriptedClient& client) {
    for (int tries = 0; tries < 100; ++tries) {
      if (stage.ready_field(stage.wait_for(client.request_conference())) == "true") {
        break;
      }
      stage.watch(milliseconds(50));
    }
    stage.enter(client);
    people.push_back(&client);
  }
  /// Somebody comes: the process that is active now tells everybody of the new sources.
  void grow() {
    enter(stage.client("goes-on"));
    stage.until_all_see_each_other(people);
  }
  void expect_unnoticed() const {
    for (const ScriptedClient* one : people) {
      EXPECT_EQ(one->focus_departures, 0);
      EXPECT_EQ(one->invites, 1);
      EXPECT_THAT(one->terminations, IsEmpty());
      EXPECT_THAT(one->wrong, IsEmpty());
    }
  }
  /// After `until_taken_over`.
  void tell(const char* what, milliseconds took) const {
    std::printf("[ MEASURED ] %s: %lld ms\n", what, static_cast<long long>(took.count()));
    std::fputs(lines_with(*standby, "ha.switchover ").c_str(), stdout);
    std::fputs(lines_with(*active, "ha.takeover ").c_str(), stdout);
    std::fputs(lines_with(*active, "link.up").c_str(), stdout);
  }
  static std::string lines_with(const BasculeProcess& process, const std::string& text) {
    std::istringstream log(process.log());
    std::string found;
    for (std::string line; std::getline(log, line);) {
      found += line.find(text) == std::string::npos ? "" : "    " + line + "\n";
    }
    return found;
  }

  SharedFolder shared;
  Stage stage;
  BasculeProcess other;
  BasculeProcess* active = nullptr;
  BasculeProcess* standby = nullptr;
  ScriptedClient& first = stage.client("goes-on");
  ScriptedClient& second = stage.client("goes-on");
  std::vector<ScriptedClient*> people;
};

TEST_F(PairTest, TheStandbySaysWhatItIs) {
  EXPECT_EQ(standby->get("/livez").status, 200U);
  const HttpAnswer ready = standby->get("/readyz");
  EXPECT_EQ(ready.status, 503U);
  EXPECT_THAT(ready.body, HasSubstr("\"role\":\"standby\""));
  EXPECT_EQ(standby->post_json("/conference-request/v1", R"({"room":"r@c"})").status, 503U);
  EXPECT_EQ(standby->post_json("/v1/ha/switchover", "").status, 409U);
  until("it knows that it is waited for",
        [this] { return standby->metric("bascule_ha_in_sync") == 1; });
  EXPECT_EQ(standby->metric("bascule_ha_role{role=\"standby\"}"), 1);
  EXPECT_EQ(active->metric("bascule_ha_role{role=\"active\"}"), 1);
  EXPECT_EQ(active->metric("bascule_ha_epoch"), 1);
}

TEST_F(PairTest, TheUnixSocketIsThatOfTheActiveOne) {
  const std::filesystem::path answer = shared.path() / "answer";
  const auto is_at_the_socket = [&](const std::string& node) {
    std::filesystem::remove(answer);
    run({"sh", "-c", "curl -s --unix-socket \"$1\" http://bascule/v1/ha/status || true", "sh",
         shared.socket()},
        answer);
    return read_file(answer).find(R"({"role":"active","node":")" + node + '"') == 0;
  };
  EXPECT_TRUE(is_at_the_socket("a")) << read_file(answer);
  until_taken_over([this] { active->kill(); });
  until("the new one has it", [&] { return is_at_the_socket("b"); });
  standby->start();
  until_in_sync();
  EXPECT_TRUE(is_at_the_socket("b")) << read_file(answer);
  until_taken_over([this] { active->hand_over(); });
  until("the first one has it again", [&] { return is_at_the_socket("a"); });
}

TEST_F(PairTest, TheActiveIsKilled) {
  meet();
  tell("SIGKILL of the active process, to the session resumed",
       until_taken_over([this] { active->kill(); }));
  EXPECT_NE(active->log_line("ha.takeover", "in_sync=true"), "");
  until_ready();
  grow();
  expect_unnoticed();
  EXPECT_EQ(active->metric("bascule_participants"), 3);
}

TEST_F(PairTest, TheActiveIsKilledWhileSomebodyJoins) {
  meet();
  ScriptedClient& third = stage.client("goes-on");
  const auto asked = third.request_conference();
  stage.wait_for(asked);
  third.join();
  until_taken_over([this] { active->kill(); });
  people.push_back(&third);
  stage.until_all_see_each_other(people);
  expect_unnoticed();
}

TEST_F(PairTest, TheActiveHangs) {
  meet();
  BasculeProcess& hung = *active;
  const auto took = until_taken_over([&hung] { hung.freeze(); }, kHeartbeatTimeout + seconds{1});
  tell("SIGSTOP of the active process, to the session resumed", took);
  EXPECT_NE(active->log_line("ha.fenced", "node=a"), "");
  until("the hung process is gone", [&hung] { return hung.exit_code().has_value(); });
  EXPECT_EQ(hung.exit_code(), 128 + SIGKILL);
  until_ready();
  grow();
  expect_unnoticed();
}

TEST_F(PairTest, SwitchoverAndBack) {
  meet();
  tell("SIGUSR2, to the session resumed", until_taken_over([this] { active->hand_over(); }));
  EXPECT_NE(standby->log_line("ha.switchover ", "to=b"), "");
  EXPECT_NE(active->log_line("ha.takeover", "cause=switchover"), "");
  until_in_sync();
  grow();
  const auto output = shared.path() / "ctl.out";
  run({BASCULECTL_BINARY, "ha", "status", "--json", "--url", active->url()}, output);
  EXPECT_THAT(read_file(output), HasSubstr("\"node\":\"b\""));
  tell("basculectl ha switchover, to the session resumed", until_taken_over([this, &output] {
         run({BASCULECTL_BINARY, "ha", "switchover", "--url", active->url()}, output);
       }));
  EXPECT_THAT(read_file(output), HasSubstr("active: a"));
  EXPECT_NE(active->log_line("ha.takeover", "epoch=3"), "");
  until_in_sync();
  grow();
  expect_unnoticed();
  EXPECT_EQ(active->exit_code(), std::nullopt);
  EXPECT_EQ(standby->exit_code(), std::nullopt);
}

TEST_F(PairTest, TermHandsOverAndEnds) {
  meet();
  BasculeProcess& ended = *active;
  tell("SIGTERM of the active process, to the session resumed",
       until_taken_over([&ended] { ended.suspend(); }));
  until("it has ended", [&ended] { return ended.exit_code().has_value(); });
  EXPECT_EQ(ended.exit_code(), 0);
  EXPECT_NE(active->log_line("ha.takeover", "cause=switchover"), "");
  ended.start();
  until_in_sync();
  grow();
  expect_unnoticed();
}

TEST_F(PairTest, TheStandbyIsUpgraded) {
  meet();
  standby->suspend();
  until("it has ended", [this] { return standby->exit_code().has_value(); });
  EXPECT_EQ(standby->exit_code(), 0);
  grow();  // Meanwhile.
  standby->start();
  until_in_sync();
  until_taken_over([this] { active->kill(); });
  grow();
  expect_unnoticed();
}

TEST_F(PairTest, TheStandbyDies) {
  meet();
  standby->kill();
  grow();
  until("it is said",
        [this] { return !active->log_line("ha.replication_degraded", "node=b").empty(); });
  EXPECT_THAT(active->get("/readyz").body, HasSubstr("ha_alone"));
  EXPECT_TRUE(active->is_ready());
  EXPECT_EQ(active->metric("bascule_ha_in_sync"), 0);
  EXPECT_EQ(active->post_json("/v1/ha/switchover", "").status, 503U);
  active->hand_over();
  until("it is refused",
        [this] { return !active->log_line("ha.switchover_refused", "no standby").empty(); });
  grow();
  expect_unnoticed();
}

/// What it was not told it does not know: the one that knows is preferred.
TEST_F(PairTest, AStandbyThatHungDoesNotGoOnWithWhatItHas) {
  meet();
  standby->freeze();
  grow();  // It takes the sync timeout once.
  EXPECT_NE(active->log_line("ha.replication_degraded", "does not confirm"), "");
  active->kill();
  standby->thaw();
  until("it waits for the other one",
        [this] { return !standby->log_line("ha.waiting", "for=a").empty(); });
  active->start();
  until_in_sync();
  EXPECT_EQ(standby->log_line("ha.takeover", ""), "");
  grow();
  expect_unnoticed();
}

TEST_F(PairTest, AStandbyThatKnowsLessGoesOnWhenNobodyElseDoes) {
  meet();
  stage.is_amnesia_expected = true;
  standby->kill();
  grow();
  active->kill();
  standby->start();
  const std::size_t before = lines(*standby, "ha.takeover", "in_sync=false");
  until("it goes on",
        [this, before] { return lines(*standby, "ha.takeover", "in_sync=false") > before; });
  EXPECT_EQ(lines(*standby, "ha.waiting", "for=a"), 1U);
  std::swap(active, standby);
  until_ready();
  EXPECT_EQ(active->metric("bascule_ha_takeovers_stale_total"), 1);
  // What it knew of the session was old: that is replaced in the rooms before it ends.
  until("the session of the other one is ended",
        [this] { return lines(*active, "session.evicted", "how=") == 1U; });
  stage.until_all_see_each_other(people);
  for (const ScriptedClient* one : people) {
    EXPECT_EQ(one->focus_departures, 0);
  }
}

TEST_F(PairTest, TenTimesInARowWhilePeopleJoin) {
  meet();
  for (int round = 0; round < 10; ++round) {
    SCOPED_TRACE(round);
    ScriptedClient& newcomer = stage.client("goes-on");
    stage.wait_for(newcomer.request_conference());
    newcomer.join();
    people.push_back(&newcomer);
    BasculeProcess& before = *active;
    if (round % 2 == 0) {
      until_taken_over([&before] { before.kill(); });
      before.start();
    } else {
      until_taken_over([&before] { before.hand_over(); });
    }
    stage.until_all_see_each_other(people);
    until_in_sync();
  }
  expect_unnoticed();
  EXPECT_EQ(active->metric("bascule_participants"), 12);
}

/// A file that stalls the disk of the active process while it is there.
class StalledPair : public PairTest {
 protected:
  StalledPair() : PairTest(environment()) {}
  ~StalledPair() override {
    std::filesystem::remove(file());
    stage.daemon.kill();
  }
  static std::filesystem::path file() {
    static const std::filesystem::path kFolder = make_folder("bascule-stalled");
    return kFolder / "stalled";
  }
  static std::vector<std::string> environment() {
    std::string sanitizer = "ASAN_OPTIONS=verify_asan_link_order=0";
    if (const char* own = std::getenv("ASAN_OPTIONS")) {
      sanitizer.append(":").append(own);
    }
    return {std::string("LD_PRELOAD=") + BASCULE_STALLED_DISK,
            "BASCULE_STALLED_WHILE=" + file().string(), sanitizer};
  }
};

TEST_F(StalledPair, AStalledDiskIsNoReasonToKill) {
  meet();
  std::ofstream(file()) << "stalled";
  grow();
  EXPECT_EQ(active->metric("bascule_commit_degraded"), 1);
  stage.watch(kHeartbeatTimeout * 2);
  EXPECT_EQ(standby->log_line("ha.fenced", ""), "");
  EXPECT_TRUE(standby_is_in_sync());
  grow();
  tell("SIGUSR2 with a stalled disk, to the session resumed",
       until_taken_over([this] { active->hand_over(); }));
  grow();
  expect_unnoticed();
}

TEST_F(PairTest, BothCanReload) {
  for (const BasculeProcess* process : {active, standby}) {
    std::ofstream(process->folder() / "bascule.toml", std::ios::app) << "[log]\nlevel = \"warn\"\n";
    ::kill(process->pid(), SIGHUP);
    until("it has reloaded",
          [process] { return !process->log_line("config.reloaded", "applied=log.level").empty(); });
    EXPECT_EQ(process->metric("bascule_config_reloads_total{outcome=\"success\"}"), 1);
    EXPECT_EQ(process->log_line("config.reload_needs_restart", ""), "");
  }
}

}  // namespace
}  // namespace bascule::test
