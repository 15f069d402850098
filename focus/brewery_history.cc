// The history of reports: collected, and handed to the store.

#include <algorithm>
#include <utility>

#include "focus/brewery.h"

namespace bascule::focus {
namespace {

constexpr TimerKey kFlushTimer{TimerKind::kStatsFlush};
constexpr Duration kFlushPeriod = std::chrono::seconds{1};
/// Writes the store may owe us an answer for; reports are collected meanwhile.
constexpr std::uint32_t kWritesMax = 4;

}  // namespace

void Brewery::remember(stats::BridgeReport report, stats::ReportSource source, Turn& turn) {
  const auto added = batch_.add({.report = std::move(report),
                                 .source = source,
                                 .received = turn.now.mono,
                                 .received_wall = turn.now.wall});
  if (!added) {
    ++turn.counters().store_failures;
  }
  if (!turn.shared.deadlines.is_set(kFlushTimer)) {
    turn.set_timer(kFlushTimer, kFlushPeriod);
  }
}

void Brewery::flush(Turn& turn) {
  if (batch_.empty()) {
    return;
  }
  if (writes_outstanding_ >= kWritesMax) {
    turn.set_timer(kFlushTimer, kFlushPeriod);
    return;
  }
  ++writes_outstanding_;
  turn.act(out::StoreWrite{WriteId(++last_write_), std::exchange(batch_, stats::Batch())});
}

void Brewery::on_store_answer(const in::StoreAnswer& answer, Turn& turn) {
  writes_outstanding_ -= std::min(writes_outstanding_, 1U);
  if (!answer.outcome) {
    ++turn.counters().store_failures;
    if (!std::exchange(store_failed_, true)) {
      turn.warn("stats.not_stored", {{"error", answer.outcome.error().what}});
    }
  } else if (std::exchange(store_failed_, false)) {
    turn.info("stats.stored_again", {});
  }
}

}  // namespace bascule::focus
