#include "focus/crash_history.h"

#include <gtest/gtest.h>

#include "focus/work_mark.h"

namespace bascule::focus {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

RoomJid room(const std::string& name) {
  return RoomJid(Jid::parse(name + "@conference.example.net").value());
}

class CrashHistoryTest : public testing::Test {
 protected:
  CrashVerdict crash(std::optional<RoomJid> in, Duration after = seconds{5}) {
    now += after;
    const CrashVerdict verdict = note_crash(history, now, in);
    begin_process(history, now);
    return verdict;
  }
  CrashHistory history;
  Instant now{seconds{1000}};
};

TEST_F(CrashHistoryTest, TheThirdCrashInOneConferenceLeavesItOut) {
  EXPECT_FALSE(crash(room("a")).suspect);
  EXPECT_FALSE(crash(room("a")).is_loop);
  const CrashVerdict third = crash(room("a"));
  EXPECT_TRUE(third.is_loop);
  EXPECT_EQ(third.suspect, room("a"));
  EXPECT_EQ(third.in_room, 3U);
  EXPECT_EQ(history.held.at(room("a")).until, now + kHoldFirst);
}

TEST_F(CrashHistoryTest, CrashesFarApartAreNoLoop) {
  for (int i = 0; i < 10; ++i) {
    EXPECT_FALSE(crash(room("a"), seconds{31}).is_loop) << i;
  }
  EXPECT_TRUE(history.held.empty());
  EXPECT_LE(history.crashes.size(), 2U);
}

TEST_F(CrashHistoryTest, EachConferenceNeedsCrashesOfItsOwn) {
  crash(room("a"));
  crash(room("b"));
  EXPECT_TRUE(crash(room("c")).is_loop);
  EXPECT_TRUE(history.held.empty()) << "somebody kills us, wherever we are";
  crash(room("b"));
  EXPECT_FALSE(crash(room("a")).suspect);
  EXPECT_EQ(crash(room("b")).suspect, room("b"));
  EXPECT_EQ(crash(room("a")).suspect, room("a"));
  EXPECT_EQ(history.held.size(), 2U);
}

TEST_F(CrashHistoryTest, CrashesOutsideOfConferencesAreALoopWithoutASuspect) {
  crash(std::nullopt);
  crash(std::nullopt);
  const CrashVerdict third = crash(std::nullopt);
  EXPECT_TRUE(third.is_loop);
  EXPECT_FALSE(third.suspect);
}

TEST_F(CrashHistoryTest, ARelapseNeedsOneCrashAndLastsTwiceAsLongUpToALimit) {
  for (int i = 0; i < 3; ++i) {
    crash(room("a"));
  }
  Duration expected = kHoldFirst;
  for (int i = 0; i < 8; ++i) {
    history.held.at(room("a")).released = true;
    expected = std::min<Duration>(2 * expected, kHoldMax);
    now = history.held.at(room("a")).until + minutes{2};
    EXPECT_EQ(crash(room("a")).suspect, room("a"));
    EXPECT_EQ(history.held.at(room("a")).until, now + expected) << i;
  }
  history.held.at(room("a")).released = true;
  now = history.held.at(room("a")).until + kRelapse + seconds{1};
  EXPECT_FALSE(crash(room("a")).suspect) << "long ago";
  EXPECT_TRUE(history.held.empty());
}

TEST_F(CrashHistoryTest, WhatIsNotReleasedIsHeldThroughTheNextRedelivery) {
  for (int i = 0; i < 3; ++i) {
    crash(room("a"));
  }
  now += minutes{10};
  begin_process(history, now);
  EXPECT_EQ(history.held.at(room("a")).until, now + kHoldFirst);
  history.held.at(room("a")).released = true;
  now += seconds{1};
  begin_process(history, now);
  EXPECT_EQ(history.held.at(room("a")).until, now + kHoldFirst - seconds{1});
}

TEST(WorkMark, SaysWhichRoom) {
  WorkMark mark;
  EXPECT_EQ(mark.room(), "");
  mark.begin(room("tea"));
  EXPECT_EQ(mark.room(), "tea@conference.example.net");
  mark.begin("milk@conference.example.net/alice");
  EXPECT_EQ(mark.room(), "milk@conference.example.net");
  mark.begin(std::string(5000, 'x'));
  EXPECT_EQ(mark.room().size(), WorkMark::kRoomMax);
  mark.clear();
  EXPECT_EQ(mark.room(), "");
}

}  // namespace
}  // namespace bascule::focus
