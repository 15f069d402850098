// A store thread that does not get on. It stands still in a callback here, which is how a disk that
// does not answer looks to everybody else.

#include <algorithm>
#include <future>
#include <thread>

#include <gtest/gtest.h>

#include "tests/unit/stats/store_support.h"

namespace bascule::stats::sqlite {
namespace {

using std::chrono::milliseconds, std::chrono::seconds;

struct StoreStallTest : testing::Test {
  static constexpr std::size_t kQueueMax = 1'000;
  TempFolder folder{Medium::kMemory};
  Completions done;
  std::promise<void> stands, may_go_on;

  Store::Opened open() {
    auto opened =
        Store::open({.directory = folder / "state",
                     .boot_id = "boot",
                     .queue_operations_max = kQueueMax,
                     .queue_writes_max = 8},
                    [this, sink = done.sink(), first = true](const Completion& completion) mutable {
                      if (std::exchange(first, false)) {
                        stands.set_value();
                        may_go_on.get_future().wait();
                      }
                      sink(completion);
                    });
    EXPECT_TRUE(opened.has_value());
    return std::move(*opened);
  }
  /// Returns when the thread stands still.
  void stall(Store& store) {
    store.commit(CommitId(1), numbered_turn(1));
    stands.get_future().wait();
  }
  static void commit(Store& store, std::uint64_t turn) {
    store.commit(CommitId(turn), numbered_turn(turn));
  }
  static void write(Store& store, std::uint64_t number) {
    Batch batch;
    ASSERT_TRUE(batch.add(numbered_report(number)));
    store.write(WriteId(number), std::move(batch));
  }
  static void wait_until_stalled(const Store& store) {
    const auto deadline = std::chrono::steady_clock::now() + seconds{10};
    while (!store.status().is_stalled() && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(milliseconds{10});
    }
    ASSERT_TRUE(store.status().is_stalled());
  }
};

TEST_F(StoreStallTest, IsSeenWhileItLastsCountedAndMadeUpFor) {
  auto opened = open();
  EXPECT_FALSE(opened.store->status().is_stalled());
  stall(*opened.store);
  for (std::uint64_t turn = 2; turn <= 20; ++turn) {
    commit(*opened.store, turn);
  }
  write(*opened.store, 1);
  wait_until_stalled(*opened.store);
  EXPECT_EQ(opened.store->status().queued_batches, 1U);
  EXPECT_GT(opened.store->status().queued_operations, 0U);
  EXPECT_EQ(opened.store->status().stalls, 0U);  // It is not over.
  may_go_on.set_value();
  EXPECT_TRUE(done.wait(CommitId(20)));
  EXPECT_TRUE(done.wait(WriteId(1)));
  const StoreStatus after = opened.store->status();
  EXPECT_EQ(after.stalls, 1U);
  EXPECT_GE(after.stalled, StoreStatus::kStallAfter);
  EXPECT_EQ(after.turns_refused + after.batches_refused, 0U);
  opened.store.reset();
  const auto again = Store::open({.directory = folder / "state", .boot_id = "boot"}, done.sink());
  EXPECT_TRUE(again->report.findings.empty());
  EXPECT_EQ(again->restored.tables, tables_after(20, "boot"));
}

// Goal: what does not fit into memory is refused, in order, and counted; the state stays one that
// was, and the next start says what is missing.
TEST_F(StoreStallTest, AFullQueueRefusesKeepsTheStateAndIsReportedByTheNextStart) {
  std::uint64_t refused_from = 0;
  std::uint64_t operations_refused = 0;
  constexpr std::uint64_t kTurns = 5'000;
  {
    auto opened = open();
    stall(*opened.store);
    for (std::uint64_t turn = 2; turn <= kTurns; ++turn) {
      commit(*opened.store, turn);
      if (refused_from == 0 && opened.store->status().turns_refused > 0) {
        refused_from = turn;
      }
      operations_refused += refused_from > 0 ? numbered_turn(turn).size() : 0;
      ASSERT_LE(opened.store->status().queued_operations, kQueueMax);
    }
    for (std::uint64_t number = 1; number <= 12; ++number) {
      write(*opened.store, number);
    }
    EXPECT_EQ(opened.store->status().queued_batches, 8U);
    EXPECT_EQ(opened.store->status().batches_refused, 4U);
    may_go_on.set_value();
    EXPECT_EQ(done.wait(WriteId(12)).error().code, Errc::kUnavailable);
    EXPECT_EQ(done.wait(CommitId(kTurns)).error().code, Errc::kUnavailable);
    EXPECT_TRUE(done.wait(CommitId(refused_from - 1)));
    EXPECT_FALSE(done.wait(CommitId(refused_from)));
    const auto order = done.order();
    EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
    EXPECT_EQ(order.size(), kTurns);
    EXPECT_FALSE(opened.store->status().state_ok);
    EXPECT_EQ(opened.store->status().turns_refused, kTurns - refused_from + 1);
  }
  const auto again = Store::open({.directory = folder / "state", .boot_id = "boot"}, done.sink());
  ASSERT_EQ(again->report.findings.size(), 1U);
  EXPECT_EQ(again->report.findings[0].damage, Damage::kRolledBack);
  EXPECT_EQ(again->report.findings[0].lost, operations_refused);
  EXPECT_TRUE(again->report.findings[0].since.has_value());
  EXPECT_EQ(again->restored.tables, tables_after(refused_from - 1, "boot"));
}

}  // namespace
}  // namespace bascule::stats::sqlite
