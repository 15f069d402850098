#include <csignal>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/prng.h"
#include "tests/unit/stats/store_support.h"

namespace bascule::stats::sqlite {
namespace {

/// A store_writer process with a pipe from its standard output.
class Writer {
 public:
  Writer(const std::string& directory, std::uint64_t turn, std::uint64_t report) {
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    pid_ = fork();
    if (pid_ == 0) {
      dup2(ends[1], STDOUT_FILENO);
      close(ends[0]);
      close(ends[1]);
      execl(BASCULE_STORE_WRITER, BASCULE_STORE_WRITER, directory.c_str(),
            std::to_string(turn).c_str(), std::to_string(report).c_str(), nullptr);
      _exit(127);
    }
    close(ends[1]);
    out_ = ends[0];
  }
  ~Writer() {
    kill_now();
    close(out_);
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  /// Reads acknowledgements until there are `count`, or the process ended.
  void read_acks(std::uint64_t count) {
    while (acks < count && read_some()) {
    }
  }
  /// SIGKILL, then whatever it had still acknowledged.
  void kill_now() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      int status = 0;
      EXPECT_EQ(waitpid(pid_, &status, 0), pid_);
      EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "status " << status;
      pid_ = -1;
      while (read_some()) {
      }
    }
  }

  std::uint64_t acks = 0;
  std::uint64_t last_turn = 0;
  std::uint64_t last_report = 0;

 private:
  bool read_some() {
    pollfd ready{.fd = out_, .events = POLLIN};
    EXPECT_GT(poll(&ready, 1, 20'000), 0) << "the writer is stuck";
    char buffer[4096];
    const ssize_t length = read(out_, buffer, sizeof buffer);
    if (length <= 0) {
      return false;
    }
    text_.append(buffer, static_cast<std::size_t>(length));
    for (std::size_t end = text_.find('\n'); end != std::string::npos; end = text_.find('\n')) {
      const std::uint64_t number = std::strtoull(text_.c_str() + 2, nullptr, 10);
      (text_[0] == 'c' ? last_turn : last_report) = number;
      ++acks;
      text_.erase(0, end + 1);
    }
    return true;
  }

  pid_t pid_ = -1;
  int out_ = -1;
  std::string text_;
};

// Goal: what was acknowledged before a SIGKILL is there afterwards, turns are whole, and nothing is
// invented. Method: 25 writers in a row on one directory, each killed at a random moment; the log
// rolls over to a new snapshot every 60 operations, so that kills hit snapshots and sweeps too.
TEST(StoreCrashTest, AcknowledgedTurnsAndReportsSurviveSigkill) {
  const TempFolder folder;
  const std::string directory = folder / "state";
  Prng prng(20261121);
  std::uint64_t turns = 0;
  std::uint64_t reports = 0;
  focus::Tables expected = tables_after(0, "boot");
  for (int round = 0; round < 25; ++round) {
    SCOPED_TRACE(testing::Message() << "round " << round);
    Writer writer(directory, turns + 1, reports + 1);
    writer.read_acks(1 + prng.below(150));
    std::this_thread::sleep_for(std::chrono::microseconds{prng.below(3'000)});
    writer.kill_now();
    ASSERT_GT(writer.acks, 0U);

    const auto opened = Store::open(
        {.directory = directory, .boot_id = "boot", .snapshot_every = 60, .reports_max = 1'200},
        [](const Completion&) {});
    ASSERT_TRUE(opened.has_value());
    ASSERT_TRUE(opened->report.findings.empty())
        << to_string(opened->report.findings[0].damage) << " " << opened->report.findings[0].detail;
    const std::uint64_t found = last_turn(opened->restored.tables);
    ASSERT_GE(found, writer.last_turn);
    for (; turns < found; ++turns) {
      for (const focus::Operation& operation : numbered_turn(turns + 1)) {
        expected.apply(operation);
      }
    }
    ASSERT_EQ(opened->restored.tables, expected);
    std::uint64_t newest = 0;
    for (const ReceivedReport& report : opened->restored.reports) {
      newest = std::max(newest, static_cast<std::uint64_t>(*report.report.local_endpoints));
    }
    ASSERT_GE(newest, writer.last_report);
    reports = newest;
  }
  EXPECT_GT(turns, 500U);
  EXPECT_GT(reports, 100U);
}

}  // namespace
}  // namespace bascule::stats::sqlite
