#include "stats/sqlite/store.h"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <thread>
#include <utility>

#include "base/check.h"
#include "stats/sqlite/directory.h"
#include "stats/sqlite/disk.h"

namespace bascule::stats::sqlite {
namespace {

constexpr std::size_t kGroupOperationsMax = 4'096;
constexpr std::chrono::seconds kUpkeepInterval{1};

struct QueuedCommit {
  CommitId id;
  std::vector<focus::Operation> operations;  // Empty: refused, the queue was full.
};
struct QueuedWrite {
  WriteId id;
  Batch batch;
};

}  // namespace

class Store::Impl {
 public:
  Impl(const StoreOptions& options, std::function<void(const Completion&)> on_done, Disk disk)
      : options_(options), on_done_(std::move(on_done)), disk_(std::move(disk)) {}
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void load_and_start(focus::Restored& restored, LoadReport& report);
  void commit(CommitId id, std::vector<focus::Operation> operations);
  void write(WriteId id, Batch batch);
  /// Runs `job` on the store thread between two transactions and returns what it returns.
  template <class Job>
  auto run_between(const Job& job) {
    std::promise<decltype(job(disk_))> result;
    post([&](Disk& disk) { result.set_value(job(disk)); });
    return result.get_future().get();
  }
  [[nodiscard]] StoreStatus status() const;
  [[nodiscard]] const LoadReport& load_report() const { return load_report_; }

 private:
  void run();
  void post(std::function<void(Disk&)> job);
  void commit_group(const std::deque<QueuedCommit>& commits);
  void write_group(const std::deque<QueuedWrite>& writes);
  void publish_status();
  [[nodiscard]] bool has_input() const {  // With mutex_ held.
    return !commits_.empty() || !writes_.empty() || !rejected_.empty() || !jobs_.empty();
  }

  const StoreOptions options_;
  const std::function<void(const Completion&)> on_done_;
  LoadReport load_report_;  // Not written to once the thread runs.
  Disk disk_;               // Owned by the store thread once it runs.

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<QueuedCommit> commits_;
  std::deque<QueuedWrite> writes_;
  std::vector<Completion> rejected_;
  std::vector<std::function<void(Disk&)>> jobs_;
  std::size_t queued_operations_ = 0;
  bool gap_ = false;  // A turn was refused: the stored state is not what the focus did.
  bool stopping_ = false;
  StoreStatus status_;

  std::thread thread_;
};

void Store::Impl::load_and_start(focus::Restored& restored, LoadReport& report) {
  disk_.load(restored, report);
  load_report_ = report;
  publish_status();
  thread_ = std::thread([this] { run(); });
}

Store::Impl::~Impl() {
  {
    const std::lock_guard guard(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) {
    thread_.join();
  }
}

void Store::Impl::commit(CommitId id, std::vector<focus::Operation> operations) {
  BASCULE_CHECK(!operations.empty());
  {
    const std::lock_guard guard(mutex_);
    if (queued_operations_ + operations.size() > options_.queue_operations_max) {
      gap_ = true;
      operations.clear();  // Its place in the order of completions stays.
    }
    queued_operations_ += operations.size();
    commits_.push_back({id, std::move(operations)});
  }
  wake_.notify_one();
}

void Store::Impl::write(WriteId id, Batch batch) {
  {
    const std::lock_guard guard(mutex_);
    if (writes_.size() >= options_.queue_writes_max) {
      rejected_.push_back({id, fail(Errc::kUnavailable, "too many batches of reports wait")});
    } else {
      writes_.push_back({id, std::move(batch)});
    }
  }
  wake_.notify_one();
}

void Store::Impl::post(std::function<void(Disk&)> job) {
  {
    const std::lock_guard guard(mutex_);
    jobs_.push_back(std::move(job));
  }
  wake_.notify_one();
}

StoreStatus Store::Impl::status() const {
  const std::lock_guard guard(mutex_);
  StoreStatus status = status_;
  status.queued_operations = queued_operations_;
  return status;
}

void Store::Impl::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_ || has_input()) {
    if (!disk_.has_work()) {
      wake_.wait_for(lock, kUpkeepInterval, [this] { return stopping_ || has_input(); });
    }
    std::deque<QueuedCommit> commits;
    std::size_t operations = 0;
    while (!commits_.empty() && operations < kGroupOperationsMax) {
      operations += commits_.front().operations.size();
      commits.push_back(std::move(commits_.front()));
      commits_.pop_front();
    }
    queued_operations_ -= operations;
    const std::deque<QueuedWrite> writes = std::exchange(writes_, {});
    const std::vector<Completion> rejected = std::exchange(rejected_, {});
    const auto jobs = std::exchange(jobs_, {});
    lock.unlock();
    for (const Completion& completion : rejected) {
      on_done_(completion);
    }
    commit_group(commits);
    write_group(writes);
    for (const auto& job : jobs) {
      job(disk_);
    }
    disk_.upkeep();
    publish_status();
    lock.lock();
  }
  lock.unlock();
  disk_.close();
}

void Store::Impl::commit_group(const std::deque<QueuedCommit>& commits) {
  if (commits.empty()) {
    return;
  }
  Disk::Turns turns;
  std::size_t operations = 0;
  for (const QueuedCommit& commit : commits) {
    operations += commit.operations.size();
    if (!commit.operations.empty()) {
      turns.push_back(&commit.operations);
    }
  }
  Result<> outcome = turns.empty() ? Result<>{} : disk_.commit(turns);
  {
    const std::lock_guard guard(mutex_);
    if (outcome) {
      status_.operations_committed += operations;
      ++status_.transactions;
    }
    if (outcome && gap_) {
      outcome = fail(Errc::kUnavailable, "the stored state has a gap: the queue was full");
    }
  }
  publish_status();
  for (const QueuedCommit& commit : commits) {
    on_done_({commit.id, outcome});
  }
}

void Store::Impl::write_group(const std::deque<QueuedWrite>& writes) {
  if (writes.empty()) {
    return;
  }
  std::vector<ReceivedReport> reports;
  for (const QueuedWrite& write : writes) {
    reports.insert(reports.end(), write.batch.reports().begin(), write.batch.reports().end());
  }
  const Result<> outcome = disk_.write(reports);
  if (outcome) {
    const std::lock_guard guard(mutex_);
    status_.reports_written += reports.size();
  }
  publish_status();
  for (const QueuedWrite& write : writes) {
    on_done_({write.id, outcome});
  }
}

void Store::Impl::publish_status() {
  const std::lock_guard guard(mutex_);
  status_.state_ok = disk_.state_ok() && !gap_;
  status_.reports_ok = disk_.reports_ok();
  status_.last_problem = disk_.counters().last_problem;
  status_.failures = disk_.counters().failures;
  status_.files_replaced = disk_.counters().files_replaced;
}

Result<Store::Opened> Store::open(const StoreOptions& options,
                                  std::function<void(const Completion&)> on_done) {
  auto directory = StateDirectory::open(options.directory);
  if (!directory) {
    return tl::make_unexpected(directory.error());
  }
  auto impl =
      std::make_unique<Impl>(options, std::move(on_done), Disk(options, std::move(*directory)));
  Opened opened;
  impl->load_and_start(opened.restored, opened.report);
  opened.store.reset(new Store(std::move(impl)));
  return opened;
}

Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {
}
Store::~Store() = default;
void Store::commit(CommitId id, std::vector<focus::Operation> operations) {
  impl_->commit(id, std::move(operations));
}
void Store::write(WriteId id, Batch batch) {
  impl_->write(id, std::move(batch));
}
RebuildTarget Store::rebuild_target() {
  return {.hold_pruning =
              [this](bool hold) {
                impl_->run_between([hold](Disk& disk) {
                  disk.hold_pruning(hold);
                  return true;
                });
              },
          .take_history =
              [this](const HistoryCopy& copy) {
                return impl_->run_between([&copy](Disk& disk) { return disk.take_over(copy); });
              },
          .renew_state =
              [this] { return impl_->run_between([](Disk& disk) { return disk.renew_state(); }); }};
}
StoreStatus Store::status() const {
  return impl_->status();
}
const LoadReport& Store::load_report() const {
  return impl_->load_report();
}

}  // namespace bascule::stats::sqlite
