#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "focus/commit_sink.h"
#include "focus/operation.h"
#include "focus/restored.h"
#include "stats/batch.h"
#include "stats/load_report.h"
#include "stats/sqlite/rebuild.h"

namespace bascule::stats::sqlite {

struct StoreOptions {
  std::string directory;  ///< Made with mode 0700 when it is missing.
  /// What names this boot of the machine; empty: /proc/sys/kernel/random/boot_id.
  std::string boot_id;
  std::uint64_t snapshot_every = 20'000;  ///< Operations between two snapshots; bounds the log.
  std::uint64_t reports_max = 1'000'000;  ///< Rows of history kept.
  Duration reports_age_max = std::chrono::hours{7 * 24};
  std::uint64_t minutes_max = 1'000'000;       ///< Sums per bridge and minute, of reports removed.
  std::int64_t pages_max = 0;                  ///< Of each file, 4 KiB each; 0: no limit.
  std::size_t queue_operations_max = 200'000;  ///< Waiting to be committed.
  std::size_t queue_writes_max = 64;           ///< Batches of reports waiting.
  Duration retry_after = std::chrono::seconds{5};  ///< Between attempts on a failing disk.
};

/// The one answer to a `commit` or a `write`.
struct Completion {
  std::variant<CommitId, WriteId> id;
  Result<> outcome;
};

/// For metrics and readiness.
struct StoreStatus {
  bool state_ok = false;    ///< The last commit of operations succeeded.
  bool reports_ok = false;  ///< The last write of reports succeeded.
  std::string last_problem;
  std::uint64_t operations_committed = 0;
  std::uint64_t transactions = 0;
  std::uint64_t reports_written = 0;
  std::uint64_t failures = 0;
  std::uint64_t files_replaced = 0;  ///< While running, because the old one could not be trusted.
  std::size_t queued_operations = 0;
  std::size_t queued_batches = 0;
  std::uint64_t turns_refused = 0;    ///< The queue was full.
  std::uint64_t batches_refused = 0;  ///< Likewise.
  /// How long the oldest turn or batch without an answer waits; zero: there is none.
  Duration oldest_waiting{};
  /// Times that something waited for kStallAfter or longer, and for how long in all; the one that
  /// lasts is not in it yet.
  std::uint64_t stalls = 0;
  Duration stalled{};

  [[nodiscard]] bool is_stalled() const { return oldest_waiting >= kStallAfter; }
  /// A disk at work answers within this, also one of rust.
  static constexpr Duration kStallAfter = std::chrono::seconds{1};
};

/// The durable memory of the focus: operations of conferences in `state.db`, reports of bridges in
/// `stats.db`, written by one thread of its own so that no fsync ever waits in the event loop.
///
/// A completion with a value means: on disk (synchronous=FULL) and found again by the next `open`,
/// also after SIGKILL or a power cut. Commits are made at once when the thread is idle; those that
/// arrive while it works share the next transaction. A disk that fails never stops the process:
/// completions carry the error, the store keeps the tables in memory, tries again every
/// `retry_after` and then writes everything it missed before it reports success.
class Store final : public focus::CommitSink {
 public:
  struct Opened {
    std::unique_ptr<Store> store;
    focus::Restored restored;
    LoadReport report;
  };

  /// Reads and verifies both files on the calling thread, then starts the store thread.
  /// `on_done` is called on the store thread, once for each `commit` and `write`, commits in their
  /// order; it must not block and must not call the store.
  /// Errors: kConflict when another process uses the directory; kInvalidArgument or kUnavailable
  /// when there cannot be a directory. Damaged files are no error: see Opened::report.
  static Result<Opened> open(const StoreOptions& options,
                             std::function<void(const Completion&)> on_done);

  /// Commits everything queued, marks a clean stop and joins the thread.
  ~Store() override;
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  /// Makes the operations of one turn durable, all or nothing; ids ascend by one. Thread-safe;
  /// never blocks on the disk. When the queue is full the turn is lost: its completion fails, and
  /// so do all later ones until the next start, which finds the state as it was before and reports
  /// how many operations are missing.
  void commit(CommitId id, std::vector<focus::Operation> operations) override;
  /// The same of everything: from then on `tables` are what the operations add up to. Cost, on the
  /// store thread: all of them are written.
  void replace(CommitId id, focus::Tables tables);
  /// Appends reports to the history. Completes with kUnavailable when the queue is full.
  void write(WriteId id, Batch batch) override;

  /// What a rebuild beside this store tells it. Its calls block until the store thread is between
  /// two transactions and has gone on with the new file: not for the event loop.
  [[nodiscard]] RebuildTarget rebuild_target();

  [[nodiscard]] StoreStatus status() const;
  /// What opening found; never changes.
  [[nodiscard]] const LoadReport& load_report() const;

 private:
  class Impl;
  explicit Store(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace bascule::stats::sqlite
