#include "tests/torture/writer.h"

#include <array>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "stats/sqlite/rebuild.h"
#include "tests/torture/standstill.h"
#include "tests/unit/stats/store_support.h"

namespace bascule::torture {
namespace {

using namespace stats::sqlite;  // NOLINT(google-build-using-namespace)
using stats::Batch;

constexpr int kGraceMs = 10'000;

/// One line, in one piece: lines of a process that is killed are whole or not there.
void print(char kind, std::uint64_t number) {
  const std::string line = std::string(1, kind) + " " + std::to_string(number) + "\n";
  if (write(STDOUT_FILENO, line.data(), line.size()) < 0) {
    std::abort();
  }
}

/// Counts what the store has not answered yet.
class Flights {
 public:
  void take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return in_flight_ < static_cast<int>(kInFlightMax); });
    ++in_flight_;
  }
  void land() {
    const std::lock_guard guard(mutex_);
    --in_flight_;
    changed_.notify_one();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int in_flight_ = 0;
};

void answered(const Completion& completion) {
  if (const auto* id = std::get_if<CommitId>(&completion.id)) {
    print(completion.outcome ? 'c' : 'C', id->value());
  } else {
    print(completion.outcome ? 'w' : 'W', std::get<WriteId>(completion.id).value());
  }
}

void rebuild_forever(const std::string& directory, Store& store) {
  for (;;) {
    RebuildProgress progress;
    const auto rebuilt = rebuild(directory, {.force = true}, store.rebuild_target(), progress);
    BASCULE_CHECK(rebuilt.has_value() && rebuilt->rows_dropped() == 0);
  }
}

}  // namespace

int run_writer(const WriterArguments& arguments) {
  const FaultPlan& faults = arguments.faults;
  const bool has_faults = faults.crash_at > 0 || faults.errors_to > 0 || faults.lying_syncs > 0 ||
                          faults.rotten_writes > 0;
  if (has_faults) {
    install_fault_vfs(faults, arguments.directory);
  }
  Flights flights;
  auto opened = Store::open({.directory = arguments.directory,
                             .boot_id = "boot",
                             .snapshot_every = 60,
                             .reports_max = 1'200,
                             .retry_after = std::chrono::milliseconds{5}},
                            [&](const Completion& completion) {
                              answered(completion);
                              flights.land();
                            });
  if (!opened) {
    return 1;
  }
  if (has_faults) {
    allow_read_errors();
  }
  std::thread rebuilder;  // Until the process is killed.
  if (arguments.rebuilds) {
    rebuilder = std::thread([&] { rebuild_forever(arguments.directory, *opened->store); });
  }
  std::uint64_t report = arguments.first_report;
  for (std::uint64_t turn = arguments.first_turn;; ++turn) {
    flights.take();
    opened->store->commit(CommitId(turn), numbered_turn(turn));
    if (turn % 10 == 0) {
      flights.take();
      Batch batch;
      for (std::uint64_t i = 0; i < kReportsPerBatch; ++i) {
        BASCULE_CHECK(batch.add(numbered_report(report++)).has_value());
      }
      opened->store->write(WriteId(report - 1), std::move(batch));
    }
  }
}

std::vector<std::string> to_text(const WriterArguments& arguments) {
  const FaultPlan& faults = arguments.faults;
  std::vector<std::string> text{arguments.directory};
  for (const std::uint64_t number :
       {arguments.first_turn, arguments.first_report, faults.seed, faults.crash_at,
        std::uint64_t{faults.power_cut ? 1U : 0U}, faults.errors_from, faults.errors_to,
        faults.lying_syncs, faults.rotten_writes, std::uint64_t{arguments.rebuilds ? 1U : 0U}}) {
    text.push_back(std::to_string(number));
  }
  return text;
}

WriterArguments from_text(const std::vector<std::string>& text) {
  BASCULE_CHECK(text.size() == 11);
  const auto number = [&](std::size_t i) { return std::strtoull(text[i].c_str(), nullptr, 10); };
  return {.directory = text[0],
          .first_turn = number(1),
          .first_report = number(2),
          .faults = {.seed = number(3),
                     .crash_at = number(4),
                     .power_cut = number(5) == 1,
                     .errors_from = number(6),
                     .errors_to = number(7),
                     .lying_syncs = number(8),
                     .rotten_writes = number(9)},
          .rebuilds = number(10) == 1};
}

WriterProcess::WriterProcess(const WriterArguments& arguments) {
  std::vector<std::string> words{"bascule-torture", "writer"};
  for (std::string& word : to_text(arguments)) {
    words.push_back(std::move(word));
  }
  std::vector<char*> argv;
  for (std::string& word : words) {
    argv.push_back(word.data());
  }
  argv.push_back(nullptr);
  std::array<int, 2> ends{};
  BASCULE_CHECK(pipe2(ends.data(), O_CLOEXEC) == 0);
  pid_ = fork();
  BASCULE_CHECK(pid_ >= 0);
  if (pid_ == 0) {
    dup2(ends[1], STDOUT_FILENO);
    execv("/proc/self/exe", argv.data());
    _exit(127);
  }
  close(ends[1]);
  out_ = ends[0];
}

WriterProcess::~WriterProcess() {
  kill_now();
  close(out_);
}

void WriterProcess::read_acks(std::uint64_t count, int milliseconds) {
  while (acks_ < count && read_some(milliseconds)) {
  }
}

void WriterProcess::kill_now() {
  if (pid_ < 0) {
    return;
  }
  kill(pid_, SIGKILL);
  BASCULE_CHECK(waitpid(pid_, &status_, 0) == pid_);
  pid_ = -1;
  while (read_some(20'000)) {
  }
}

void WriterProcess::wait_for_end(int milliseconds) {
  while (read_some(milliseconds)) {
  }
  kill_now();
}

/// True when nothing can be read for so long. A pause of the whole machine, or of both processes,
/// makes the first wait end although the writer had no time: so there is a second one, after a look
/// at where it stands.
bool WriterProcess::waits_in_vain(int milliseconds) {
  const auto is_silent = [this](int patience) {
    pollfd ready{.fd = out_, .events = POLLIN, .revents = 0};
    int events = 0;
    do {
      events = poll(&ready, 1, patience);
    } while (events < 0 && errno == EINTR);
    return events == 0;
  };
  if (!is_silent(milliseconds)) {
    return false;
  }
  standstill_ = "silent after " + std::to_string(acks_) + " acknowledgements, " +
                std::to_string(refusals_) + " refusals, turn " + std::to_string(last_turn_) + "\n" +
                (pid_ < 0 ? "" : describe_standstill(pid_));
  if (is_silent(kGraceMs)) {
    return true;
  }
  std::fprintf(stderr, "A writer was slow, and went on: %s", standstill_.c_str());
  standstill_.clear();
  return false;
}

/// False at the end of the process, or when it is stuck.
bool WriterProcess::read_some(int milliseconds) {
  if (waits_in_vain(milliseconds)) {
    return false;
  }
  std::array<char, 4096> buffer{};
  const ssize_t length = read(out_, buffer.data(), buffer.size());
  if (length <= 0) {
    return false;
  }
  text_.append(buffer.data(), static_cast<std::size_t>(length));
  for (std::size_t end = text_.find('\n'); end != std::string::npos; end = text_.find('\n')) {
    const std::uint64_t number = std::strtoull(text_.c_str() + 2, nullptr, 10);
    const char kind = text_[0];
    if (kind == 'c' || kind == 'C') {
      last_answered_ = number;
    }
    if (kind == 'c') {
      last_turn_ = number;
    } else if (kind == 'w') {
      batches_.push_back(number);
    }
    (kind == 'c' || kind == 'w' ? acks_ : refusals_) += 1;
    text_.erase(0, end + 1);
  }
  return true;
}

}  // namespace bascule::torture
