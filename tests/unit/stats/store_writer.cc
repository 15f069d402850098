// Commits numbered turns and reports until it is killed; prints what was acknowledged, a line each:
// "c <turn>" or "w <report>". Usage: store_writer DIRECTORY FIRST_TURN FIRST_REPORT

#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <string>

#include <unistd.h>

#include "tests/unit/stats/store_support.h"

namespace bascule::stats::sqlite {
namespace {

void print(const std::string& line) {
  if (write(STDOUT_FILENO, line.data(), line.size()) < 0) {
    std::abort();
  }
}

int run(const std::string& directory, std::uint64_t turn, std::uint64_t report) {
  std::mutex mutex;
  std::condition_variable changed;
  int in_flight = 0;
  auto opened = Store::open(
      {.directory = directory, .boot_id = "boot", .snapshot_every = 60, .reports_max = 1'200},
      [&](const Completion& completion) {
        if (!completion.outcome) {
          std::abort();
        }
        if (const auto* id = std::get_if<CommitId>(&completion.id)) {
          print("c " + std::to_string(id->value()) + "\n");
        } else {
          print("w " + std::to_string(std::get<WriteId>(completion.id).value()) + "\n");
        }
        const std::lock_guard guard(mutex);
        --in_flight;
        changed.notify_one();
      });
  if (!opened) {
    return 1;
  }
  for (;; ++turn) {
    {
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return in_flight < 20; });
      ++in_flight;
    }
    opened->store->commit(CommitId(turn), numbered_turn(turn));
    if (turn % 10 == 0) {
      {
        const std::lock_guard guard(mutex);
        ++in_flight;
      }
      Batch batch;
      for (int i = 0; i < 5; ++i) {
        if (!batch.add(numbered_report(report + static_cast<std::uint64_t>(i)))) {
          return 1;
        }
      }
      report += 5;
      opened->store->write(WriteId(report - 1), std::move(batch));
    }
  }
}

}  // namespace
}  // namespace bascule::stats::sqlite

int main(int argc, char** argv) {
  if (argc != 4) {
    return 2;
  }
  return bascule::stats::sqlite::run(argv[1], std::strtoull(argv[2], nullptr, 10),
                                     std::strtoull(argv[3], nullptr, 10));
}
