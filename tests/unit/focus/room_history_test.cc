#include "focus/room_history.h"

#include <gtest/gtest.h>

#include "tests/unit/focus/placement_fixture.h"

namespace bascule::focus {
namespace {

using std::chrono::hours, std::chrono::seconds;
constexpr Instant kStart{hours{100}};

TEST(RoomHistoryTest, TellsWhereARoomWasAndHowLarge) {
  RoomHistory history(10, hours{24});
  history.remember(room("a"), bridge(1), 7, kStart);
  const RoomHistory::Entry* entry = history.find(room("a"), kStart + hours{1});
  ASSERT_NE(entry, nullptr);
  EXPECT_EQ(entry->bridge, bridge(1));
  EXPECT_EQ(entry->size, 7);
  EXPECT_EQ(entry->seen, kStart);
  EXPECT_EQ(history.find(room("b"), kStart), nullptr);
}

TEST(RoomHistoryTest, ALaterVisitReplacesTheEarlierOne) {
  RoomHistory history(10, hours{24});
  history.remember(room("a"), bridge(1), 7, kStart);
  history.remember(room("a"), bridge(2), 3, kStart + hours{20});
  EXPECT_EQ(history.size(), 1u);
  const RoomHistory::Entry* entry = history.find(room("a"), kStart + hours{30});
  ASSERT_NE(entry, nullptr) << "its age counts from the later visit";
  EXPECT_EQ(entry->bridge, bridge(2));
  EXPECT_EQ(entry->size, 3);
}

TEST(RoomHistoryTest, ForgetsAfterTheLongestTime) {
  RoomHistory history(10, hours{24});
  history.remember(room("a"), bridge(1), 7, kStart);
  EXPECT_NE(history.find(room("a"), kStart + hours{24}), nullptr);
  EXPECT_EQ(history.find(room("a"), kStart + hours{24} + seconds{1}), nullptr);
  history.remember(room("b"), bridge(1), 1, kStart + hours{25});
  EXPECT_EQ(history.size(), 1u) << "old ones do not stay in memory";
}

TEST(RoomHistoryTest, TheOldestMakesRoomForTheNewest) {
  RoomHistory history(2, hours{24});
  history.remember(room("b"), bridge(1), 1, kStart);
  history.remember(room("a"), bridge(1), 1, kStart + seconds{1});
  history.remember(room("c"), bridge(1), 1, kStart + seconds{2});
  EXPECT_EQ(history.size(), 2u);
  EXPECT_EQ(history.find(room("b"), kStart + seconds{2}), nullptr);
  EXPECT_NE(history.find(room("a"), kStart + seconds{2}), nullptr);
  EXPECT_NE(history.find(room("c"), kStart + seconds{2}), nullptr);
}

TEST(RoomHistoryTest, ARoomHasAtLeastOnePerson) {
  RoomHistory history(2, hours{24});
  history.remember(room("a"), bridge(1), 0, kStart);
  EXPECT_EQ(history.find(room("a"), kStart)->size, 1);
}

TEST(RoomHistoryTest, RemembersNothingWhenItMayNot) {
  RoomHistory history(0, hours{24});
  history.remember(room("a"), bridge(1), 5, kStart);
  EXPECT_EQ(history.size(), 0u);
  EXPECT_EQ(history.find(room("a"), kStart), nullptr);
}

TEST(RoomHistoryTest, ListsRoomsSeenSinceThenInOrderOfTime) {
  RoomHistory history(10, hours{24});
  history.remember(room("c"), bridge(3), 3, kStart + seconds{2});
  history.remember(room("a"), bridge(1), 1, kStart);
  history.remember(room("b"), bridge(2), 2, kStart + seconds{1});
  const auto rooms = history.seen_since(kStart + seconds{1}, kStart + seconds{10});
  ASSERT_EQ(rooms.size(), 2u);
  EXPECT_EQ(rooms[0], (RoomMemory{room("b"), bridge(2), 2, seconds{9}}));
  EXPECT_EQ(rooms[1], (RoomMemory{room("c"), bridge(3), 3, seconds{8}}));
}

TEST(RoomHistoryTest, ForgetsOnDemandAndUnknownRoomsAreNoMatter) {
  RoomHistory history(10, hours{24});
  history.remember(room("a"), bridge(1), 1, kStart);
  history.forget(room("unknown"));
  EXPECT_EQ(history.size(), 1u);
  history.forget(room("a"));
  EXPECT_EQ(history.size(), 0u);
  EXPECT_TRUE(history.seen_since(kStart, kStart).empty());
}

}  // namespace
}  // namespace bascule::focus
