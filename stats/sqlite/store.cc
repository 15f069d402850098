#include "stats/sqlite/store.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "base/check.h"
#include "stats/sqlite/directory.h"
#include "stats/sqlite/disk.h"

namespace bascule::stats::sqlite {
namespace {

constexpr std::size_t kGroupOperationsMax = 4'096;
constexpr std::chrono::seconds kUpkeepInterval{1};

using SteadyTime = std::chrono::steady_clock::time_point;

struct QueuedCommit {
  CommitId first;
  CommitId last;                             // The same, unless refused.
  std::vector<focus::Operation> operations;  // Empty: refused, the queue was full.
  SteadyTime since;
  std::unique_ptr<focus::Tables> all = nullptr;  // Before the operations: everything is replaced.
};
struct QueuedWrite {
  WriteId id;
  Batch batch;
  SteadyTime since;
};

Duration age(SteadyTime since) {
  return std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - since);
}

}  // namespace

class Store::Impl {
 public:
  Impl(const StoreOptions& options, std::function<void(const Completion&)> on_done, Disk disk)
      : options_(options), on_done_(std::move(on_done)), disk_(std::move(disk)) {}
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void load_and_start(focus::Restored& restored, LoadReport& report);
  void commit(CommitId id, std::vector<focus::Operation> operations,
              std::unique_ptr<focus::Tables> all = nullptr);
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
  void refuse(CommitId id, std::size_t operations);
  void commit_group(std::deque<QueuedCommit>& commits);
  void write_group(const std::deque<QueuedWrite>& writes);
  void publish_status();
  void end_of_work();
  [[nodiscard]] std::optional<SteadyTime> oldest_queued() const;  // With mutex_ held.
  [[nodiscard]] bool has_input() const {                          // With mutex_ held.
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
  bool gap_ = false;  // A turn was refused: nothing that follows can be stored.
  std::uint64_t operations_refused_ = 0;
  std::optional<SteadyTime> working_since_;  // The age of what the store thread is busy with.
  SteadyTime counted_until_{};               // The end of the last stall.
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

void Store::Impl::commit(CommitId id, std::vector<focus::Operation> operations,
                         std::unique_ptr<focus::Tables> all) {
  BASCULE_CHECK(!operations.empty());
  {
    const std::lock_guard guard(mutex_);
    gap_ = gap_ || queued_operations_ + operations.size() > options_.queue_operations_max;
    if (gap_) {
      refuse(id, operations.size());
    } else {
      queued_operations_ += operations.size();
      commits_.push_back(
          {id, id, std::move(operations), std::chrono::steady_clock::now(), std::move(all)});
    }
  }
  wake_.notify_one();
}

/// What is refused keeps its place in the order of completions, and needs no memory for that.
void Store::Impl::refuse(CommitId id, std::size_t operations) {
  ++status_.turns_refused;
  operations_refused_ += operations;
  if (!commits_.empty() && commits_.back().operations.empty() &&
      commits_.back().last.value() + 1 == id.value()) {
    commits_.back().last = id;
  } else {
    commits_.push_back({id, id, {}, std::chrono::steady_clock::now()});
  }
}

void Store::Impl::write(WriteId id, Batch batch) {
  {
    const std::lock_guard guard(mutex_);
    if (writes_.size() >= options_.queue_writes_max) {
      ++status_.batches_refused;
      rejected_.push_back({id, fail(Errc::kUnavailable, "too many batches of reports wait")});
    } else {
      writes_.push_back({id, std::move(batch), std::chrono::steady_clock::now()});
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

std::optional<SteadyTime> Store::Impl::oldest_queued() const {
  std::optional<SteadyTime> oldest;
  if (!commits_.empty()) {
    oldest = commits_.front().since;
  }
  if (!writes_.empty() && (!oldest || writes_.front().since < *oldest)) {
    oldest = writes_.front().since;
  }
  return oldest;
}

StoreStatus Store::Impl::status() const {
  const std::lock_guard guard(mutex_);
  StoreStatus status = status_;
  status.queued_operations = queued_operations_;
  status.queued_batches = writes_.size();
  const auto oldest = working_since_ ? working_since_ : oldest_queued();
  status.oldest_waiting = oldest ? age(*oldest) : Duration::zero();
  return status;
}

void Store::Impl::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_ || has_input()) {
    if (!disk_.has_work()) {
      wake_.wait_for(lock, kUpkeepInterval, [this] { return stopping_ || has_input(); });
    }
    working_since_ = oldest_queued();
    std::deque<QueuedCommit> commits;
    std::size_t operations = 0;
    while (!commits_.empty() && operations < kGroupOperationsMax &&
           (commits.empty() || !commits_.front().all)) {
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
    end_of_work();
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

/// What waited behind a stall is a part of it, not another one.
void Store::Impl::end_of_work() {
  const std::lock_guard guard(mutex_);
  const auto since = std::exchange(working_since_, std::nullopt);
  if (!since || age(*since) < StoreStatus::kStallAfter) {
    return;
  }
  status_.stalls += *since >= counted_until_ ? 1U : 0U;
  status_.stalled += age(std::max(*since, counted_until_));
  counted_until_ = std::chrono::steady_clock::now();
}

void Store::Impl::commit_group(std::deque<QueuedCommit>& commits) {
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
  if (commits.front().all) {
    disk_.replace(*std::move(commits.front().all));
  }
  const Result<> outcome = turns.empty() ? Result<>{} : disk_.commit(turns);
  std::uint64_t refused = 0;
  {
    const std::lock_guard guard(mutex_);
    if (outcome) {
      status_.operations_committed += operations;
      status_.transactions += turns.empty() ? 0U : 1U;
    }
    refused = operations_refused_;
  }
  if (commits.back().operations.empty()) {
    disk_.admit_loss(refused);
  }
  publish_status();
  const Result<> lost = fail(Errc::kUnavailable, "the stored state has a gap: the queue was full");
  for (const QueuedCommit& commit : commits) {
    for (std::uint64_t id = commit.first.value(); id <= commit.last.value(); ++id) {
      on_done_({CommitId(id), commit.operations.empty() ? lost : outcome});
    }
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
  status_.last_problem = gap_ ? "the queue was full: changes are lost until the next start"
                              : disk_.counters().last_problem;
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
void Store::replace(CommitId id, focus::Tables tables) {
  impl_->commit(id, {focus::op::Note{"everything was replaced"}},
                std::make_unique<focus::Tables>(std::move(tables)));
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
