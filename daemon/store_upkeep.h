#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>

#include "base/result.h"
#include "base/time.h"
#include "config/config.h"
#include "focus/note.h"
#include "stats/sqlite/maintenance.h"
#include "stats/sqlite/rebuild.h"
#include "stats/sqlite/store.h"

namespace bascule::daemon {

/// One line of log for damage, whoever found it.
[[nodiscard]] focus::Note damage_note(const stats::Finding& finding);

/// What keeps the files of the running store sound: verification, backups and rebuilds, on schedule
/// and when asked. All of it happens on one thread of its own at low priority, one job after the
/// other; the store and the loop go on meanwhile. Damage found on schedule is repaired at once.
class StoreUpkeep {
 public:
  struct Hooks {
    std::function<void(const focus::Note&)> log;
    /// Asks every live source of bridge stats again (in::RequeryStats).
    std::function<void()> requery;
  };
  struct Verification {
    WallTime at;  ///< When it ended.
    Duration took{};
    Result<stats::sqlite::DirectoryCheck> outcome;
  };
  struct Backup {
    WallTime at;
    Duration took{};
    std::string path;
    Result<stats::sqlite::DirectoryCheck> outcome;
  };
  struct Rebuild {
    stats::sqlite::RebuildOptions options;
    WallTime started;
    std::optional<WallTime> ended;  ///< nullopt: it runs.
    std::optional<Result<stats::sqlite::Rebuilt>> outcome;
    std::shared_ptr<const stats::sqlite::RebuildProgress> progress;
  };
  struct Counters {
    std::uint64_t verifications = 0;
    std::uint64_t damages_found = 0;  ///< By verifications.
    std::uint64_t backups = 0;
    std::uint64_t backup_failures = 0;
    std::uint64_t rebuilds = 0;
    std::uint64_t rebuild_failures = 0;
    std::uint64_t rows_dropped = 0;  ///< By rebuilds.
  };

  /// `io` and `store` outlive this object. `done` callbacks run on the thread of `io`.
  StoreUpkeep(boost::asio::io_context& io, stats::sqlite::Store& store, config::State options,
              Hooks hooks);
  /// Interrupts the job that runs; files are whole whatever it was.
  ~StoreUpkeep();
  StoreUpkeep(const StoreUpkeep&) = delete;
  StoreUpkeep& operator=(const StoreUpkeep&) = delete;

  /// Begins the schedule.
  void start();
  /// Intervals, the number and place of backups from now on; the rest of `options` is ignored.
  void configure(const config::State& options);

  /// False: too many jobs wait already, `done` will not be called.
  bool verify(std::function<void(const Verification&)> done);
  /// A copy in the directory of backups, named after the time.
  bool back_up(std::function<void(const Backup&)> done);
  /// The history as JSON.
  bool read_history(const stats::sqlite::HistoryQuery& query,
                    std::function<void(const Result<std::string>&)> done);
  /// Begins one. Errors: kConflict while one runs, kUnavailable when too many jobs wait.
  Result<> rebuild(const stats::sqlite::RebuildOptions& options);

  [[nodiscard]] const std::optional<Verification>& last_verification() const {
    return verification_;
  }
  [[nodiscard]] const std::optional<Backup>& last_backup() const { return backup_; }
  [[nodiscard]] const std::optional<Rebuild>& last_rebuild() const { return rebuild_; }
  [[nodiscard]] const Counters& counters() const { return counters_; }
  /// Damage that was found and is not repaired yet: for readiness.
  [[nodiscard]] std::vector<stats::Finding> open_findings() const;
  [[nodiscard]] const std::string& directory() const { return options_.dir; }

 private:
  /// Runs `work` on the thread and `done` with its value on the loop.
  template <class Work, class Done>
  bool run(Work work, Done done);
  void schedule_verification();
  void schedule_backup();
  void verify_on_schedule();
  void back_up_on_schedule();
  void verified(const Verification& verification);
  void backed_up(const Backup& backup);
  void rebuilt(Result<stats::sqlite::Rebuilt> outcome);
  void remove_old_backups();
  [[nodiscard]] Duration until_next_backup() const;
  [[nodiscard]] std::string backup_dir() const;

  boost::asio::io_context& io_;
  stats::sqlite::Store& store_;
  config::State options_;  // Of the loop; the thread gets copies, except of `dir`, which stays.
  const Hooks hooks_;
  std::optional<Verification> verification_;
  std::optional<Backup> backup_;
  std::optional<Rebuild> rebuild_;
  Counters counters_;
  boost::asio::steady_timer verify_timer_;
  boost::asio::steady_timer backup_timer_;
  std::atomic<bool> stopping_{false};
  std::shared_ptr<int> waiting_ = std::make_shared<int>(0);  // Answers may come after our end.
  boost::asio::thread_pool thread_{1};
};

}  // namespace bascule::daemon
