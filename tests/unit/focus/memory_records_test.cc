#include "focus/memory_records.h"

#include <gtest/gtest.h>

#include "tests/unit/focus/placement_fixture.h"

namespace bascule::focus {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

Now moment(Duration mono, Duration wall) {
  return {Instant(mono), WallTime(wall)};
}

const Now kWritten = moment(hours{2}, hours{1000});

Restored store(bool same_boot, std::optional<WallTime> last_commit = std::nullopt) {
  Restored restored;
  restored.same_boot = same_boot;
  restored.last_commit = last_commit;
  return restored;
}

BridgeMemory memory() {
  BridgeMemory memory;
  memory.bridge = bridge(1);
  memory.cost = Stress(12'345);
  memory.deviation = Stress(1'000);
  memory.confirmations = 3;
  memory.capacity = Stress(850'000);
  memory.failures = 2;
  memory.last_failure_age = minutes{4};
  memory.quarantine_left = minutes{5};
  memory.version = "2.3";
  memory.region = "eu";
  return memory;
}

TEST(MemoryRecordsTest, WithinOneBootAgesComeFromTheMonotonicClock) {
  const op::BridgeLearned record = to_record(memory(), kWritten);
  // The wall clock was set back by a year meanwhile, which does not matter.
  const Now now = moment(hours{2} + minutes{2}, hours{1});
  BridgeMemory expected = memory();
  expected.last_failure_age = minutes{6};
  expected.quarantine_left = minutes{3};
  expected.age = minutes{2};
  EXPECT_EQ(from_record(record, StoredTimes(store(true, kWritten.wall), now)), expected);
}

TEST(MemoryRecordsTest, AfterARebootAgesComeFromTheWallClock) {
  const op::BridgeLearned record = to_record(memory(), kWritten);
  const Now now = moment(seconds{20}, hours{1000} + minutes{3});
  const auto restored = from_record(record, StoredTimes(store(false, kWritten.wall), now));
  EXPECT_EQ(restored.age, minutes{3});
  EXPECT_EQ(restored.quarantine_left, minutes{2});
}

TEST(MemoryRecordsTest, WhenTheWallClockIsInDoubtEverythingIsOld) {
  const op::BridgeLearned record = to_record(memory(), kWritten);
  const op::RoomSeen seen = to_record(RoomMemory{room("tea"), bridge(1), 7, {}}, kWritten);
  // Behind the record; and ahead of it, but behind something else that was written.
  const StoredTimes behind(store(false), moment(seconds{20}, hours{999}));
  const StoredTimes doubtful(store(false, WallTime(hours{1002})), moment(seconds{20}, hours{1001}));
  for (const StoredTimes& times : {behind, doubtful}) {
    EXPECT_GT(from_record(record, times).age, hours{24 * 7});
    EXPECT_EQ(from_record(record, times).quarantine_left, Duration::zero());
    EXPECT_GT(from_record(seen, times).age, PlacementOptions().room_memory);
  }
}

// Goal: whoever was dropped just before the process died is just gone when the next one starts.
TEST(MemoryRecordsTest, RoomsDoNotAgeWhileNoFocusRuns) {
  const op::RoomSeen seen = to_record(RoomMemory{room("tea"), bridge(1), 7, seconds{1}}, kWritten);
  const WallTime last_commit = kWritten.wall + seconds{2};
  const auto age_after = [&](Duration pause) {
    const Now now = moment(hours{2} + seconds{2} + pause, hours{1000} + seconds{2} + pause);
    return from_record(seen, StoredTimes(store(true, last_commit), now)).age;
  };
  EXPECT_EQ(age_after(seconds{30}), seconds{3});
  EXPECT_EQ(age_after(minutes{30}), minutes{30} + seconds{3});
}

TEST(MemoryRecordsTest, ADecisionKeepsTheFiguresItRestsOn) {
  DecisionRecord record;
  record.number = 7;
  record.at = kWritten.mono - seconds{1};
  record.ticket = ticket(room("tea"), 3, TicketKind::kReinvite);
  record.ticket_class = TicketClass::kDisplaced;
  record.reason = PlacementReason::kPlan;
  record.bridge = bridge(2);
  record.limit = Stress(900'000);
  record.waited = seconds{2};
  record.open_bridges = 4;
  CandidateFigures figures;
  figures.bridge = bridge(2);
  figures.expected = Stress(400'000);
  figures.reported = Stress(300'000);
  figures.unaccounted = 5'000;
  record.figures = {figures, CandidateFigures{.bridge = bridge(1), .expected = Stress(1)}};
  const op::Decision told = to_record(record, kWritten);
  EXPECT_EQ(told.at, kWritten.wall - seconds{1});
  EXPECT_EQ(told.bridge, bridge(2));
  EXPECT_EQ(told.reason, "plan");
  EXPECT_EQ(told.kind, "reinvite");
  EXPECT_EQ(told.ticket_class, "displaced");
  EXPECT_EQ(told.expected, Stress(400'000));
  EXPECT_EQ(told.reported, Stress(300'000));
  EXPECT_EQ(told.unaccounted, 5'000);
  EXPECT_EQ(told.candidates, 4U);
  const Operation operation = told;
  const auto bytes = encode(operation);
  EXPECT_EQ(decode(code_of(operation), {reinterpret_cast<const char*>(bytes.data()), bytes.size()}),
            operation);

  record.reason.reset();
  record.wait = WaitReason::kCapacity;
  record.bridge = BridgeJid();
  EXPECT_EQ(to_record(record, kWritten).bridge, std::nullopt);
  EXPECT_EQ(to_record(record, kWritten).reason, "capacity");
}

// Goal: what a store holds is what the next Placement knows.
TEST(MemoryRecordsTest, PlacementKnowsAgainWhatItLearned) {
  Restored restored = store(true);
  restored.tables.apply(to_record(memory(), kWritten));
  restored.tables.apply(to_record(RoomMemory{room("tea"), bridge(1), 7, {}}, kWritten));
  const Now now = moment(hours{2} + minutes{2}, hours{1000} + minutes{2});
  Placement placement(PlacementOptions(), 1);
  restore_memory(restored, placement, now);
  BridgeMemory expected = memory();
  expected.last_failure_age = minutes{6};
  expected.quarantine_left = minutes{3};
  expected.age = minutes{2};
  EXPECT_EQ(placement.bridge_memory(bridge(1), now), expected);
  EXPECT_EQ(placement.room_memory(room("tea"), now),
            (RoomMemory{room("tea"), bridge(1), 7, minutes{2}}));
}

}  // namespace
}  // namespace bascule::focus
