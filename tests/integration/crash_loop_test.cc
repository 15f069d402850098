// A stanza that ends every process it is delivered to: its conference is left out and comes back,
// and the others notice nothing. tests/brittle has the daemon for it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/integration/stage.h"

namespace bascule::test {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr int kAborted = 128 + SIGABRT;

class CrashLoop : public testing::Test {
 protected:
  CrashLoop() : stage({.program = BRITTLE_BINARY}) {}

  void SetUp() override {
    for (ScriptedClient* one : {&eve, &victim, &first, &second}) {
      stage.enter(*one);
    }
    stage.until_all_see_each_other({&eve, &victim});
    stage.until_all_see_each_other({&first, &second});
  }
  void until_crashed() {
    stage.until("the daemon has crashed", [this] { return stage.daemon.exit_code().has_value(); });
    ASSERT_EQ(stage.daemon.exit_code(), kAborted);
  }
  void expect_unnoticed(const std::vector<ScriptedClient*>& clients) {
    for (const ScriptedClient* one : clients) {
      EXPECT_EQ(one->focus_departures, 0);
      EXPECT_EQ(one->invites, 1);
      EXPECT_THAT(one->terminations, IsEmpty());
    }
  }

  Stage stage;
  ScriptedClient& eve = stage.client("poisoned");
  ScriptedClient& victim = stage.client("poisoned");
  ScriptedClient& first = stage.client("quiet");
  ScriptedClient& second = stage.client("quiet");
};

TEST_F(CrashLoop, TheConferenceOfThePoisonIsLeftOutAndComesBack) {
  const auto poison = eve.add_camera(eve.endpoint() + "-poison");
  for (int crash = 1; crash <= 3; ++crash) {
    until_crashed();
    EXPECT_FALSE(poison->done);
    stage.daemon.start();
  }
  const Reply refusal = stage.wait_for(poison);
  EXPECT_EQ(refusal.condition(), "resource-constraint");
  stage.until_ready();
  EXPECT_NE(stage.daemon.log_line("daemon.crash_loop", "suspect=" + stage.room("poisoned")), "");
  EXPECT_NE(stage.daemon.log_line("conference.poisoned", "room=" + stage.room("poisoned")), "");
  EXPECT_THAT(stage.daemon.get("/readyz").body, HasSubstr("conference_poisoned"));
  EXPECT_EQ(stage.daemon.metric("bascule_conferences_poisoned_total"), 1);
  EXPECT_GE(
      stage.daemon.metric(R"(bascule_link_stanzas_received_total{link="client",result="refused"})"),
      1);
  // The others meanwhile.
  ScriptedClient& third = stage.client("quiet");
  stage.enter(third);
  stage.until_all_see_each_other({&first, &second, &third});
  // Nobody new comes in before its time is over.
  ScriptedClient& late = stage.client("poisoned");
  EXPECT_EQ(stage.ready_field(stage.wait_for(late.request_conference())), "false");

  stage.until(
      "the poisoned conference is released",
      [this] { return eve.invites == 2 && victim.invites == 2; }, seconds{30});
  stage.enter(late);
  stage.until_all_see_each_other({&eve, &victim, &late});
  for (const ScriptedClient* one : {&eve, &victim}) {
    EXPECT_EQ(one->focus_departures, 0);
    EXPECT_EQ(one->terminations.size(), 1U);
  }
  EXPECT_EQ(stage.endpoints_on_bridges(), 6);
  // Prosody and the bridges agree with what we believe.
  EXPECT_GE(stage.daemon.metric("bascule_audit_conferences_total"), 1);
  for (const char* kind : {"room", "bridge", "sources"}) {
    EXPECT_EQ(
        stage.daemon.metric("bascule_audit_repairs_total{kind=\"" + std::string(kind) + "\"}"), 0)
        << kind;
  }
  expect_unnoticed({&first, &second, &third});
  EXPECT_FALSE(stage.daemon.exit_code());
}

TEST_F(CrashLoop, AKillIsNobodysFault) {
  for (int round = 0; round < 4; ++round) {
    stage.daemon.kill();
    stage.daemon.start();
    stage.until_ready();
  }
  EXPECT_NE(stage.daemon.log_line("daemon.crash_loop", "suspect=none"), "");
  EXPECT_EQ(stage.daemon.metric("bascule_conferences_poisoned_total"), 0);
  ScriptedClient& third = stage.client("poisoned");
  stage.enter(third);
  stage.until_all_see_each_other({&eve, &victim, &third});
  expect_unnoticed({&eve, &victim, &first, &second, &third});
}

}  // namespace
}  // namespace bascule::test
