#include "focus/decision_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/focus/placement_fixture.h"

namespace bascule::focus {
namespace {

using testing::ElementsAre, testing::IsEmpty;

DecisionRecord record(const std::string& of_room, int on_bridge) {
  DecisionRecord result;
  result.ticket = ticket(room(of_room), 0);
  result.bridge = bridge(on_bridge);
  return result;
}

std::vector<std::uint64_t> numbers(const std::vector<DecisionRecord>& records) {
  std::vector<std::uint64_t> result;
  result.reserve(records.size());
  for (const DecisionRecord& each : records) {
    result.push_back(each.number);
  }
  return result;
}

/// Rooms r0, r1, r0, ... on bridges 0, 1, 2, 0, ...
DecisionLog filled(std::size_t records_max, int count) {
  DecisionLog log(records_max);
  for (int i = 0; i < count; ++i) {
    log.add(record("r" + std::to_string(i % 2), i % 3));
  }
  return log;
}

TEST(DecisionLogTest, NumbersDecisionsFromOne) {
  EXPECT_THAT(numbers(filled(10, 3).since(0, 10)), ElementsAre(1, 2, 3));
}

TEST(DecisionLogTest, TellsAboutARoomNewestFirst) {
  const DecisionLog log = filled(10, 7);
  EXPECT_THAT(numbers(log.about(room("r0"), 10)), ElementsAre(7, 5, 3, 1));
  EXPECT_THAT(numbers(log.about(room("r0"), 2)), ElementsAre(7, 5));
  EXPECT_THAT(log.about(room("other"), 10), IsEmpty());
}

TEST(DecisionLogTest, TellsAboutABridgeNewestFirst) {
  const DecisionLog log = filled(10, 7);
  EXPECT_THAT(numbers(log.about(bridge(0), 10)), ElementsAre(7, 4, 1));
  EXPECT_THAT(numbers(log.about(bridge(2), 10)), ElementsAre(6, 3));
  EXPECT_THAT(log.about(bridge(2), 0), IsEmpty());
}

TEST(DecisionLogTest, TheOldestIsOverwrittenAndTheOrderStays) {
  const DecisionLog log = filled(4, 11);
  EXPECT_EQ(log.size(), 4u);
  EXPECT_THAT(numbers(log.since(0, 10)), ElementsAre(8, 9, 10, 11));
  EXPECT_THAT(numbers(log.about(room("r0"), 10)), ElementsAre(11, 9));
}

TEST(DecisionLogTest, ContinuesAfterTheLastOneRead) {
  const DecisionLog log = filled(4, 11);
  EXPECT_THAT(numbers(log.since(9, 10)), ElementsAre(10, 11));
  EXPECT_THAT(numbers(log.since(8, 2)), ElementsAre(9, 10));
  EXPECT_THAT(log.since(11, 10), IsEmpty());
  EXPECT_THAT(log.since(100, 10), IsEmpty());
  EXPECT_THAT(log.since(3, 0), IsEmpty());
}

TEST(DecisionLogTest, AnEmptyLogAndOneOfNoSizeAnswer) {
  EXPECT_THAT(DecisionLog(5).since(0, 10), IsEmpty());
  const DecisionLog none = filled(0, 3);
  EXPECT_EQ(none.size(), 0u);
  EXPECT_THAT(none.about(room("r0"), 10), IsEmpty());
  EXPECT_THAT(none.since(0, 10), IsEmpty());
}

}  // namespace
}  // namespace bascule::focus
