#include "daemon/crash_guard.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/stats/store_support.h"

namespace bascule::daemon {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

RoomJid room(const std::string& name) {
  return RoomJid(Jid::parse(name + "@conference.example.net").value());
}

class CrashGuardTest : public testing::Test {
 protected:
  CrashGuard::Options options() {
    return {
        .directory = folder_.path(), .boot_id = boot, .room_domains = {"conference.example.net"}};
  }
  /// A real process that ends while it handles this.
  void crash_in(const std::string& address) {
    now.mono += seconds{1};
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      CrashGuard guard(options(), now);
      guard.mark().begin(address);
      _exit(0);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_EQ(status, 0);
  }
  static std::vector<std::string> events(const CrashGuard& guard) {
    std::vector<std::string> names;
    for (const auto& note : guard.notes()) {
      names.emplace_back(note.event);
    }
    return names;
  }

  stats::sqlite::TempFolder folder_;
  std::string boot = "boot-1";
  Now now{.mono = Instant{seconds{1000}}, .wall = WallTime{}};
};

TEST_F(CrashGuardTest, AnOrderlyEndLeavesNothing) {
  for (int i = 0; i < 5; ++i) {
    CrashGuard guard(options(), now);
    guard.mark().begin(room("tea"));
    EXPECT_THAT(guard.notes(), IsEmpty());
    EXPECT_THAT(guard.poisoned(), IsEmpty());
  }
}

TEST_F(CrashGuardTest, TheThirdProcessThatDiesInARoomLeavesItOut) {
  crash_in("tea@conference.example.net/alice");
  crash_in("tea@conference.example.net/alice");
  crash_in("tea@conference.example.net/bob");
  const CrashGuard guard(options(), now);
  EXPECT_THAT(events(guard), ElementsAre("daemon.crashed", "daemon.crash_loop"));
  EXPECT_THAT(guard.poisoned(), ElementsAre(std::pair{room("tea"), now.mono + focus::kHoldFirst}));
}

TEST_F(CrashGuardTest, WhatIsNoRoomIsNoSuspect) {
  for (const char* address : {"jvb@auth.example.net/x", "conference.example.net", "@@", ""}) {
    crash_in(address);
  }
  const CrashGuard guard(options(), now);
  EXPECT_THAT(events(guard), ElementsAre("daemon.crashed", "daemon.crash_loop"));
  EXPECT_THAT(guard.poisoned(), IsEmpty());
}

TEST_F(CrashGuardTest, TheReleaseIsKept) {
  for (int i = 0; i < 3; ++i) {
    crash_in("tea@conference.example.net");
  }
  {
    CrashGuard guard(options(), now);
    ASSERT_EQ(guard.poisoned().size(), 1U);
    focus::Quarantine quarantine;
    quarantine.hold(room("tea"), {});
    guard.keep(quarantine);
    EXPECT_EQ(guard.poisoned().size(), 1U);
  }
  {
    CrashGuard guard(options(), now);
    ASSERT_EQ(guard.poisoned().size(), 1U) << "it was not released";
    guard.keep({});
    EXPECT_THAT(guard.poisoned(), IsEmpty());
  }
  EXPECT_THAT(CrashGuard(options(), now).poisoned(), IsEmpty());
}

TEST_F(CrashGuardTest, AfterARebootNothingIsKnown) {
  for (int i = 0; i < 3; ++i) {
    crash_in("tea@conference.example.net");
  }
  boot = "boot-2";
  const CrashGuard guard(options(), now);
  EXPECT_THAT(guard.notes(), IsEmpty());
  EXPECT_THAT(guard.poisoned(), IsEmpty());
}

TEST_F(CrashGuardTest, DamagedFilesAreBegunAnew) {
  crash_in("tea@conference.example.net");
  std::ofstream(std::filesystem::path(folder_.path()) / "crashes") << "{\"boot\": 7";
  std::ofstream(std::filesystem::path(folder_.path()) / "in_progress") << "garbage";
  for (int i = 0; i < 3; ++i) {
    crash_in("tea@conference.example.net");
  }
  EXPECT_EQ(CrashGuard(options(), now).poisoned().size(), 1U);
}

TEST_F(CrashGuardTest, WithoutItsFilesItOnlyWarns) {
  CrashGuard::Options nowhere = options();
  nowhere.directory = folder_.path() + "/missing";
  CrashGuard guard(nowhere, now);
  guard.mark().begin(room("tea"));
  EXPECT_THAT(events(guard), ElementsAre("daemon.no_crash_guard", "daemon.no_crash_guard"));
}

}  // namespace
}  // namespace bascule::daemon
