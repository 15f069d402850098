// bascule-store-bench: what the store costs on this disk. Prints a table; nothing here is a test.
// usage: bascule-store-bench [DIRECTORY [MINUTES]]
//   DIRECTORY  where to work; removed at the end (a new one under /var/tmp)
//   MINUTES    of reports of 10 000 bridges every 5 s, written as fast as possible (60)

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

#include "base/check.h"
#include "stats/sqlite/maintenance.h"
#include "stats/sqlite/store.h"

namespace bascule::bench {
namespace {

namespace fs = std::filesystem;
using stats::Batch;
using stats::ReceivedReport;
using stats::sqlite::Completion;
using stats::sqlite::Store;

constexpr std::uint64_t kBridges = 10'000;
constexpr std::uint64_t kSecondsPerReport = 5;
constexpr std::uint64_t kBatch = 1'000;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double resident_mib() {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen("/proc/self/statm", "r"),
                                                             std::fclose);
  long pages = 0;
  BASCULE_CHECK(file != nullptr && std::fscanf(file.get(), "%*s %ld", &pages) == 1);
  return static_cast<double>(pages) * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1048576.0;
}

/// Lets at most `limit` calls be unanswered.
class Window {
 public:
  explicit Window(int limit) : limit_(limit) {}
  void enter() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return open_ < limit_; });
    ++open_;
  }
  void leave(bool succeeded) {
    const std::lock_guard guard(mutex_);
    --open_;
    failed_ += succeeded ? 0U : 1U;
    changed_.notify_all();
  }
  void drain() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return open_ == 0; });
  }
  void set_limit(int limit) {
    const std::lock_guard guard(mutex_);
    limit_ = limit;
  }
  [[nodiscard]] std::uint64_t failed() {
    const std::lock_guard guard(mutex_);
    return failed_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int limit_;
  int open_ = 0;
  std::uint64_t failed_ = 0;
};

void bench_commits(Store& store, Window& window, int in_flight, std::uint64_t count) {
  static std::uint64_t next = 0;
  window.set_limit(in_flight);
  const auto transactions = store.status().transactions;
  const auto start = std::chrono::steady_clock::now();
  for (std::uint64_t i = 0; i < count; ++i) {
    window.enter();
    store.commit(CommitId(++next), {focus::op::Note{"a turn of the loop with one operation"}});
  }
  window.drain();
  const double seconds = seconds_since(start);
  std::printf("commits, %3d in flight: %9.0f turns/s, %8.0f transactions/s, %.2f ms per turn\n",
              in_flight, static_cast<double>(count) / seconds,
              static_cast<double>(store.status().transactions - transactions) / seconds,
              seconds * 1e3 * in_flight / static_cast<double>(count));
}

ReceivedReport report_of(std::uint64_t bridge, std::uint64_t round) {
  ReceivedReport report{.received = Instant(std::chrono::seconds{round * kSecondsPerReport}),
                        .received_wall = WallTime(std::chrono::seconds{1'700'000'000 + round * 5})};
  report.report.bridge =
      BridgeJid(Jid::parse("brewery@internal.example.net/jvb-" + std::to_string(bridge)).value());
  report.report.stress = Stress(static_cast<std::int64_t>((bridge * 37 + round * 11) % 1'000'000));
  report.report.healthy = true;
  report.report.version = "2.3.187-g0c8a5e9";
  report.report.region = "eu-central";
  report.report.relay_id = "jvb-" + std::to_string(bridge) + ".example.net";
  report.report.local_endpoints = static_cast<std::int64_t>((bridge + round) % 400);
  report.report.bridge_timestamp = "2026-11-21 23:05:07.120";
  return report;
}

void bench_reports(Store& store, Window& window, std::uint64_t minutes) {
  window.set_limit(8);
  const std::uint64_t rounds = minutes * 60 / kSecondsPerReport;
  const auto start = std::chrono::steady_clock::now();
  double rss_early = 0;
  std::uint64_t write = 0;
  for (std::uint64_t round = 0; round < rounds; ++round) {
    for (std::uint64_t bridge = 0; bridge < kBridges; bridge += kBatch) {
      Batch batch;
      for (std::uint64_t i = 0; i < kBatch; ++i) {
        BASCULE_CHECK(batch.add(report_of(bridge + i, round)).has_value());
      }
      window.enter();
      store.write(WriteId(++write), std::move(batch));
    }
    if (round == rounds / 10) {
      rss_early = resident_mib();
    }
  }
  window.drain();
  const double seconds = seconds_since(start);
  const auto count = static_cast<double>(rounds * kBridges);
  std::printf(
      "reports: %.0f in %.1f s: %.0f/s; 10 000 bridges at 5 s need 2000/s: %.0f times that\n",
      count, seconds, count / seconds, count / seconds / 2'000);
  std::printf("memory: %.1f MiB after a tenth, %.1f MiB at the end\n", rss_early, resident_mib());
}

void bench_verification(const std::string& directory) {
  const auto start = std::chrono::steady_clock::now();
  const auto check = stats::sqlite::check_directory(directory);
  const double seconds = seconds_since(start);
  BASCULE_CHECK(check.has_value() && check->is_sound());
  double bytes = 0;
  std::uint64_t records = 0;
  for (const auto& file : check->files) {
    bytes += static_cast<double>(file.bytes);
    records += file.records;
  }
  const double gib = bytes / (1024.0 * 1024 * 1024);
  std::printf("verification: %llu records, %.3f GiB in %.2f s: %.1f s per GiB\n",
              static_cast<unsigned long long>(records), gib, seconds, seconds / gib);
}

/// The last hour of one bridge, among the reports of all.
void bench_history(const std::string& directory) {
  const WallTime now(
      std::chrono::duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch()));
  for (const char* bridge : {"jvb-77", "nobody"}) {
    const auto start = std::chrono::steady_clock::now();
    const auto history =
        stats::sqlite::read_history(directory, {.bridge = bridge,
                                                .from = now - std::chrono::hours{1},
                                                .to = now + std::chrono::minutes{1},
                                                .step = std::chrono::minutes{1}});
    std::printf("history of %s: %zu points in %.2f s\n", bridge,
                history ? history->points.size() : 0, seconds_since(start));
  }
}

int run(const std::string& directory, std::uint64_t minutes) {
  Window window(1);
  {
    auto opened = Store::open({.directory = directory}, [&](const Completion& completion) {
      window.leave(completion.outcome.has_value());
    });
    if (!opened) {
      std::fprintf(stderr, "cannot open %s: %s\n", directory.c_str(), opened.error().what.c_str());
      return 1;
    }
    Store& store = *opened->store;
    bench_commits(store, window, 1, 2'000);
    bench_commits(store, window, 50, 20'000);
    bench_reports(store, window, minutes);
    bench_history(directory);
    bench_verification(directory);
  }
  const auto start = std::chrono::steady_clock::now();
  const auto again = Store::open({.directory = directory}, [](const Completion&) {});
  std::printf("start after an orderly stop: %.2f s\n", seconds_since(start));
  std::printf("failed transactions: %llu\n", static_cast<unsigned long long>(window.failed()));
  return window.failed() == 0 && again && again->report.findings.empty() ? 0 : 1;
}

}  // namespace
}  // namespace bascule::bench

int main(int argc, char** argv) {
  std::string directory = argc > 1 ? argv[1] : "/var/tmp/bascule-store-bench-XXXXXX";
  if (argc <= 1 && mkdtemp(directory.data()) == nullptr) {
    std::perror("mkdtemp");
    return 1;
  }
  if (argc > 1 && std::filesystem::exists(directory)) {
    std::fprintf(stderr, "%s exists already\n", directory.c_str());
    return 2;
  }
  const std::uint64_t minutes = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 60;
  const int status = bascule::bench::run(directory, std::max<std::uint64_t>(minutes, 1));
  std::error_code error;
  std::filesystem::remove_all(directory, error);
  return status;
}
