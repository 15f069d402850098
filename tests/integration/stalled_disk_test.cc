// The disk under the daemon does not answer for 30 s, while people come and go.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/integration/child_process.h"
#include "tests/integration/stage.h"

namespace bascule::test {
namespace {

using std::chrono::duration, std::chrono::milliseconds, std::chrono::seconds;
using testing::HasSubstr;

constexpr seconds kStall{30};
constexpr double kMebibyte = 1024.0 * 1024.0;

/// A folder with the file that stalls the disk, while it is there.
class StalledDisk {
 public:
  ~StalledDisk() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  [[nodiscard]] std::vector<std::string> environment() const {
    std::vector<std::string> all(3);
    all[0].append("LD_PRELOAD=").append(BASCULE_STALLED_DISK);
    all[1].append("BASCULE_STALLED_WHILE=").append(file_.string());
    all[2].append("ASAN_OPTIONS=verify_asan_link_order=0");  // It wants to be the first library.
    if (const char* sanitizer = std::getenv("ASAN_OPTIONS")) {
      all[2].append(":").append(sanitizer);
    }
    return all;
  }
  void begin() const { std::ofstream(file_) << "stalled"; }
  void end() const { std::filesystem::remove(file_); }

 private:
  std::filesystem::path folder_ = make_folder("bascule-stalled");
  std::filesystem::path file_ = folder_ / "stalled";
};

struct StalledDiskLive : testing::Test {
  StalledDisk disk;
  Stage stage{[this] {
    Stage::Options options;
    options.environment = disk.environment();
    return options;
  }()};
  std::vector<ScriptedClient*> everybody;

  /// Seconds from the question for the conference until the newcomer and all others see each other.
  double join(const std::string& room, std::vector<ScriptedClient*>& people) {
    ScriptedClient& newcomer = stage.client(room);
    const auto start = Stage::Clock::now();
    stage.enter(newcomer);
    people.push_back(&newcomer);
    if (people.size() > 1) {
      stage.until_all_see_each_other(people);
    }
    return duration<double>(Stage::Clock::now() - start).count();
  }
  double metric(const std::string& name) const { return stage.daemon.metric(name); }
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.at(values.size() / 2);
}

// Goal: nobody waits for a disk that does not answer; what waits for it is bounded, counted and
// said; and afterwards everything is as durable as if nothing had been.
TEST_F(StalledDiskLive, DelaysNobodyIsSaidAndIsMadeUpFor) {
  std::vector<ScriptedClient*> before;
  std::vector<double> usual;
  for (int i = 0; i < 6; ++i) {
    usual.push_back(join("before", before));
  }
  const double memory = metric("process_resident_memory_bytes");
  const auto start = Stage::Clock::now();
  disk.begin();
  std::vector<ScriptedClient*> during;
  std::vector<double> stalled;
  while (Stage::Clock::now() - start < kStall) {
    stalled.push_back(join("during", during));
    if (during.size() == 6) {
      during.back()->leave();
      during.pop_back();
    }
    stage.watch(milliseconds{500});
  }
  const double grown = (metric("process_resident_memory_bytes") - memory) / kMebibyte;
  const double waited = metric("bascule_store_oldest_waiting_seconds");
  const double waiting = metric("bascule_store_queued_operations");
  const HttpAnswer readiness = stage.daemon.get("/readyz");
  std::printf(
      "stall of 30 s: %zu joins, slowest %.2f s, median %.2f s (before: slowest %.2f s, median "
      "%.2f s); %.0f operations waited, the oldest %.1f s; memory grew by %.1f MiB\n",
      stalled.size(), *std::max_element(stalled.begin(), stalled.end()), median(stalled),
      *std::max_element(usual.begin(), usual.end()), median(usual), waiting, waited, grown);

  // One turn waits half a second before the gate knows; everybody after it does not.
  EXPECT_LT(*std::max_element(stalled.begin(), stalled.end()),
            *std::max_element(usual.begin(), usual.end()) + 1.5);
  EXPECT_LT(median(stalled), median(usual) + 0.3);
  EXPECT_LT(grown, 32);
  EXPECT_GT(waited, 25);
  EXPECT_GT(waiting, 0);
  EXPECT_EQ(readiness.status, 200U);
  EXPECT_THAT(readiness.body, HasSubstr("store_stalled"));
  EXPECT_GT(metric("bascule_commit_released_uncommitted_total"), 0);
  EXPECT_EQ(metric("bascule_commit_degraded"), 1);
  EXPECT_NE(stage.daemon.log_line("store.stalled", "since="), "");

  disk.end();
  stage.until("everything is on disk", [this] {
    return metric("bascule_store_oldest_waiting_seconds") < 1 &&
           metric("bascule_commit_degraded") == 0;
  });
  stage.until("the log says that the disk answers",
              [this] { return !stage.daemon.log_line("store.answers", "after_ms=").empty(); });
  EXPECT_GE(metric("bascule_store_stalls_total"), 1);
  EXPECT_GT(metric("bascule_store_stalled_seconds_total"), 25);
  EXPECT_EQ(metric("bascule_store_refused_total{what=\"turns\"}"), 0);

  const double sessions = metric("bascule_sessions");
  stage.daemon.kill();
  stage.daemon.start();
  stage.until_ready();
  stage.until("the sessions are taken over",
              [&] { return metric("bascule_sessions") == sessions; });
  EXPECT_EQ(metric("bascule_store_findings"), 0);
  EXPECT_EQ(metric("bascule_conferences_restored_total"), 2);
  for (const ScriptedClient* one : before) {
    EXPECT_EQ(one->invites, 1) << "had to begin anew";
  }
}

}  // namespace
}  // namespace bascule::test
