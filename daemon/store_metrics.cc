#include "daemon/store_metrics.h"

#include <chrono>

namespace bascule::daemon {
namespace {

double seconds_between(WallTime from, WallTime to) {
  return std::chrono::duration<double>(to - from).count();
}

}  // namespace

void add_store(const stats::sqlite::Store& store, admin::Metrics& metrics) {
  const stats::sqlite::StoreStatus status = store.status();
  const stats::LoadReport& load = store.load_report();
  metrics.gauge("bascule_store_ok", "1 while the last transaction on the file succeeded.",
                status.state_ok ? 1 : 0, {{"file", "state"}});
  metrics.gauge("bascule_store_ok", "1 while the last transaction on the file succeeded.",
                status.reports_ok ? 1 : 0, {{"file", "stats"}});
  metrics.gauge("bascule_store_findings", "Damages the last start found in the state directory.",
                static_cast<double>(load.findings.size()));
  std::uint64_t lost = 0;
  for (const stats::Finding& finding : load.findings) {
    lost += finding.lost.value_or(0);
  }
  metrics.gauge("bascule_store_records_lost",
                "Records the last start knows to be lost; at least so many.",
                static_cast<double>(lost));
  metrics.counter("bascule_store_operations_total", "Operations committed.",
                  static_cast<double>(status.operations_committed));
  metrics.counter("bascule_store_transactions_total", "Transactions they were committed in.",
                  static_cast<double>(status.transactions));
  metrics.counter("bascule_store_reports_written_total", "Reports added to the history.",
                  static_cast<double>(status.reports_written));
  metrics.counter("bascule_store_errors_total", "Failures of disk, database or marks.",
                  static_cast<double>(status.failures));
  metrics.counter("bascule_store_files_replaced_total",
                  "Files replaced while running because they could not be trusted any more.",
                  static_cast<double>(status.files_replaced));
  metrics.gauge("bascule_store_queued_operations", "Operations waiting for the store thread.",
                static_cast<double>(status.queued_operations));
  metrics.gauge("bascule_store_queued_batches", "Batches of reports waiting for the store thread.",
                static_cast<double>(status.queued_batches));
  metrics.gauge("bascule_store_oldest_waiting_seconds",
                "Age of the oldest turn or batch that the disk has not answered.",
                static_cast<double>(status.oldest_waiting.count()) / 1e6);
  metrics.counter("bascule_store_stalls_total", "Times the disk took a second or more to answer.",
                  static_cast<double>(status.stalls));
  metrics.counter("bascule_store_stalled_seconds_total", "Seconds that took; without the present.",
                  static_cast<double>(status.stalled.count()) / 1e6);
  metrics.counter("bascule_store_refused_total", "Not stored because the queue was full.",
                  static_cast<double>(status.turns_refused), {{"what", "turns"}});
  metrics.counter("bascule_store_refused_total", "Not stored because the queue was full.",
                  static_cast<double>(status.batches_refused), {{"what", "batches"}});
}

void add_upkeep(const StoreUpkeep& upkeep, Now now, admin::Metrics& metrics) {
  const StoreUpkeep::Counters& counters = upkeep.counters();
  metrics.counter("bascule_store_verifications_total", "Times everything stored was read.",
                  static_cast<double>(counters.verifications));
  metrics.counter("bascule_store_damages_found_total", "Damages these found.",
                  static_cast<double>(counters.damages_found));
  metrics.gauge("bascule_store_damages_open", "Damages found while running, not repaired yet.",
                static_cast<double>(upkeep.open_findings().size()));
  if (const auto& last = upkeep.last_verification()) {
    metrics.gauge("bascule_store_verification_age_seconds", "Since the last verification ended.",
                  seconds_between(last->at, now.wall));
  }
  metrics.counter("bascule_store_backups_total", "Backups made.",
                  static_cast<double>(counters.backups));
  metrics.counter("bascule_store_backup_failures_total", "Backups that could not be made.",
                  static_cast<double>(counters.backup_failures));
  if (const auto& last = upkeep.last_backup(); last && last->outcome) {
    metrics.gauge("bascule_store_backup_age_seconds", "Since the last backup of this process.",
                  seconds_between(last->at, now.wall));
  }
  const auto& rebuild = upkeep.last_rebuild();
  metrics.gauge("bascule_store_rebuild_running", "1 while files are rebuilt.",
                rebuild && !rebuild->ended ? 1 : 0);
  metrics.counter("bascule_store_rebuilds_total", "Rebuilds that succeeded.",
                  static_cast<double>(counters.rebuilds));
  metrics.counter("bascule_store_rebuild_failures_total", "Rebuilds that failed.",
                  static_cast<double>(counters.rebuild_failures));
  metrics.counter("bascule_store_rows_dropped_total", "Reports rebuilds could not keep.",
                  static_cast<double>(counters.rows_dropped));
}

}  // namespace bascule::daemon
