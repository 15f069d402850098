#include "daemon/store_watch.h"

#include "base/check.h"
#include "base/time_text.h"

namespace bascule::daemon {

std::vector<std::string> StoreWatch::problems(Now now) const {
  std::vector<std::string> problems;
  const stats::sqlite::StoreStatus status = store_.status();
  if (status.is_stalled()) {
    problems.push_back("store_stalled: the disk does not answer since " +
                       to_text(now.wall - status.oldest_waiting) + "; " +
                       std::to_string(status.queued_operations) + " operations and " +
                       std::to_string(status.queued_batches) + " batches of reports wait");
  }
  if (!status.state_ok || !status.reports_ok) {
    problems.push_back("store_failing: " + status.last_problem);
  }
  for (const stats::Finding& finding : store_.load_report().findings) {
    problems.push_back("store_damaged: " + to_text(finding));
  }
  for (const stats::Finding& finding : upkeep_.open_findings()) {
    problems.push_back("store_damaged: " + to_text(finding));
  }
  return problems;
}

std::string_view StoreWatch::state(Now now) const {
  const std::vector<std::string> all = problems(now);
  if (all.empty()) {
    return "ok";
  }
  // In the order of `problems`.
  for (const std::string_view state : {"stalled", "failing", "damaged"}) {
    if (all.front().starts_with("store_" + std::string(state))) {
      return state;
    }
  }
  check_failed("every problem of the store has a state", __FILE__, __LINE__);
}

void StoreWatch::tell(LogSink& log, Now now) {
  const stats::sqlite::StoreStatus status = store_.status();
  if (status.is_stalled() && !stalled_since_) {
    stalled_since_ = now.mono - status.oldest_waiting;
    log.write({.level = focus::NoteLevel::kError,
               .event = "store.stalled",
               .fields = {{"since", to_text(now.wall - status.oldest_waiting)},
                          {"operations", static_cast<std::int64_t>(status.queued_operations)},
                          {"batches", static_cast<std::int64_t>(status.queued_batches)}}},
              now);
  } else if (!status.is_stalled() && stalled_since_) {
    log.write({.level = focus::NoteLevel::kInfo,
               .event = "store.answers",
               .fields = {{"after_ms", (now.mono - *stalled_since_) / std::chrono::milliseconds{1}},
                          {"turns_refused", static_cast<std::int64_t>(status.turns_refused)},
                          {"batches_refused", static_cast<std::int64_t>(status.batches_refused)}}},
              now);
    stalled_since_.reset();
  }
}

}  // namespace bascule::daemon
