#include "daemon/store_metrics.h"

#include <chrono>

namespace bascule::daemon {

void add_store(const stats::sqlite::Store& store, admin::Metrics& metrics) {
  const stats::sqlite::StoreStatus status = store.status();
  const stats::LoadReport& load = store.load_report();
  std::uint64_t lost = 0;
  for (const stats::Finding& finding : load.findings) {
    lost += finding.lost.value_or(0);
  }
  constexpr auto kOkHelp = "1 while the last transaction on the file succeeded.";
  metrics.gauges({
      {"bascule_store_ok", kOkHelp, status.state_ok, {{"file", "state"}}},
      {"bascule_store_ok", kOkHelp, status.reports_ok, {{"file", "stats"}}},
      {"bascule_store_findings", "Damages the last start found in the state directory.",
       load.findings.size()},
      {"bascule_store_records_lost", "Records the last start knows to be lost; at least so many.",
       lost},
      {"bascule_store_queued_operations", "Operations waiting for the store thread.",
       status.queued_operations},
      {"bascule_store_queued_batches", "Batches of reports waiting for the store thread.",
       status.queued_batches},
      {"bascule_store_oldest_waiting_seconds",
       "Age of the oldest turn or batch that the disk has not answered.", status.oldest_waiting},
  });
  constexpr auto kRefusedHelp = "Not stored because the queue was full.";
  metrics.counters({
      {"bascule_store_operations_total", "Operations committed.", status.operations_committed},
      {"bascule_store_transactions_total", "Transactions they were committed in.",
       status.transactions},
      {"bascule_store_reports_written_total", "Reports added to the history.",
       status.reports_written},
      {"bascule_store_errors_total", "Failures of disk, database or marks.", status.failures},
      {"bascule_store_files_replaced_total",
       "Files replaced while running because they could not be trusted any more.",
       status.files_replaced},
      {"bascule_store_stalls_total", "Times the disk took a second or more to answer.",
       status.stalls},
      {"bascule_store_stalled_seconds_total", "Seconds that took; without the present.",
       status.stalled},
      {"bascule_store_refused_total", kRefusedHelp, status.turns_refused, {{"what", "turns"}}},
      {"bascule_store_refused_total", kRefusedHelp, status.batches_refused, {{"what", "batches"}}},
  });
}

void add_upkeep(const StoreUpkeep& upkeep, Now now, admin::Metrics& metrics) {
  const StoreUpkeep::Counters& counters = upkeep.counters();
  const auto& rebuild = upkeep.last_rebuild();
  metrics.counters({
      {"bascule_store_verifications_total", "Times everything stored was read.",
       counters.verifications},
      {"bascule_store_damages_found_total", "Damages these found.", counters.damages_found},
      {"bascule_store_backups_total", "Backups made.", counters.backups},
      {"bascule_store_backup_failures_total", "Backups that could not be made.",
       counters.backup_failures},
      {"bascule_store_rebuilds_total", "Rebuilds that succeeded.", counters.rebuilds},
      {"bascule_store_rebuild_failures_total", "Rebuilds that failed.", counters.rebuild_failures},
      {"bascule_store_rows_dropped_total", "Reports rebuilds could not keep.",
       counters.rows_dropped},
  });
  metrics.gauges({
      {"bascule_store_damages_open", "Damages found while running, not repaired yet.",
       upkeep.open_findings().size()},
      {"bascule_store_rebuild_running", "1 while files are rebuilt.",
       rebuild.has_value() && !rebuild->ended.has_value()},
  });
  if (const auto& last = upkeep.last_verification()) {
    metrics.gauge("bascule_store_verification_age_seconds", "Since the last verification ended.",
                  now.wall - last->at);
  }
  if (const auto& last = upkeep.last_backup(); last && last->outcome) {
    metrics.gauge("bascule_store_backup_age_seconds", "Since the last backup of this process.",
                  now.wall - last->at);
  }
}

}  // namespace bascule::daemon
