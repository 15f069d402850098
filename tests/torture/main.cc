// bascule-torture store: writers on state directories that are killed, cut from power and lied to
// by their disk, until something is lost that was acknowledged. Nothing may be. docs:
// tests/torture/README.md. Started by `./scripts/dev torture store`.

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <sys/wait.h>

#include "base/prng.h"
#include "tests/torture/flip_sweep.h"
#include "tests/torture/store_oracle.h"
#include "tests/torture/writer.h"
#include "tests/unit/stats/store_support.h"

namespace bascule::torture {
namespace {

namespace fs = std::filesystem;
// A machine that does other things as well makes a writer slow, not stuck.
constexpr int kStuckAfterMs = 120'000;

// Damage shall add up; the tables, which only grow, shall not make the rounds slow.
constexpr std::uint64_t kRoundsPerDirectory = 40;

using Clock = std::chrono::steady_clock;
using stats::sqlite::Medium;
using stats::sqlite::TempFolder;

enum class Damage { kHonest, kErrors, kLies, kRot };

struct Kind {
  const char* name;
  const char* what;
  Medium medium;
  bool by_signal;  ///< Killed from outside, at a random moment; else by the disk, at an operation.
  Damage damage;
  bool may_find;  ///< The store may report a loss; otherwise every finding is a failure.
  bool rebuilds = false;
};

constexpr Kind kKinds[] = {
    {"kill", "SIGKILL at a random moment, real disk", Medium::kDisk, true, Damage::kHonest, false},
    {"rebuild", "SIGKILL while the history is rebuilt all the time", Medium::kDisk, true,
     Damage::kHonest, false, true},
    {"power", "power cut: unsynced sectors lost or torn", Medium::kMemory, false, Damage::kHonest,
     false},
    {"swap", "power cut while the history is rebuilt all the time", Medium::kMemory, false,
     Damage::kHonest, false, true},
    {"errors", "EIO, full disk, failed fsync; then power cut", Medium::kMemory, false,
     Damage::kErrors, false},
    {"lies", "syncs that do nothing; then power cut", Medium::kMemory, false, Damage::kLies, true},
    {"rot", "lost writes and flipped bits; then power cut", Medium::kMemory, false, Damage::kRot,
     true},
};

struct Options {
  std::uint64_t rounds = 500;
  std::uint64_t seed = 1;
  std::uint64_t every = 1;
  std::string only;
};

struct Tally {
  std::uint64_t rounds = 0;
  std::uint64_t acks = 0;
  std::uint64_t refusals = 0;
  std::uint64_t losses_reported = 0;
  std::uint64_t reports_compared = 0;
  double seconds = 0;
};

FaultPlan plan_of(const Kind& kind, Prng& prng) {
  FaultPlan plan{.seed = prng.next()};
  plan.crash_at = 1 + prng.below(kind.rebuilds ? 4'000 : 400);
  if (kind.damage == Damage::kErrors) {
    plan.errors_from = 1 + prng.below(200);
    plan.errors_to = plan.errors_from + 1 + prng.below(60);
  } else if (kind.damage == Damage::kLies) {
    plan.lying_syncs = prng.below(1'000);
  } else if (kind.damage == Damage::kRot) {
    plan.rotten_writes = 1 + prng.below(30);
  }
  return plan;
}

/// One writer from start to end; what is wrong with the end, or nothing.
std::string let_write(const Kind& kind, WriterArguments arguments, Prng& prng, Told& told,
                      Tally& tally) {
  if (!kind.by_signal) {
    arguments.faults = plan_of(kind, prng);
  }
  WriterProcess writer(arguments);
  if (kind.by_signal) {
    writer.read_acks(1 + prng.below(150), kStuckAfterMs);
    std::this_thread::sleep_for(std::chrono::microseconds{prng.below(3'000)});
    writer.kill_now();
  } else {
    writer.wait_for_end(kStuckAfterMs);
  }
  told = {.last_turn = writer.last_turn(),
          .last_answered = writer.last_answered(),
          .batches = writer.batches()};
  tally.acks += writer.acks();
  tally.refusals += writer.refusals();
  const int status = writer.status();
  if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL) {
    return "the writer ended by itself, wait status " + std::to_string(status);
  }
  if (!writer.standstill().empty()) {
    return "the writer was stuck: " + writer.standstill();
  }
  return kind.by_signal && writer.acks() == 0 ? "the writer never acknowledged anything" : "";
}

void print_failure(const Kind& kind, std::uint64_t seed, const std::string& wrong,
                   const StoreOracle& oracle, const std::string& directory) {
  std::fprintf(stderr, "FAILED %s, seed %llu: %s\n  directory: %s\n", kind.name,
               static_cast<unsigned long long>(seed), wrong.c_str(), directory.c_str());
  for (const auto& finding : oracle.findings()) {
    std::fprintf(stderr, "  the store says: %s %s: %s\n", finding.file.c_str(),
                 std::string(to_string(finding.damage)).c_str(), finding.detail.c_str());
  }
}

/// A number that gives each round of each kind its own seed.
std::uint64_t seed_of(const Options& options, const Kind& kind, std::uint64_t round) {
  return options.seed * 1'000'003 + static_cast<std::uint64_t>(&kind - kKinds) * 100'000'007 +
         round;
}

bool torture(const Kind& kind, const Options& options, Tally& tally) {
  const auto started = Clock::now();
  auto folder = std::make_unique<TempFolder>(kind.medium);
  auto oracle = std::make_unique<StoreOracle>(*folder / "state");
  const auto count_compared = [&] { tally.reports_compared += oracle->reports_compared(); };
  for (std::uint64_t round = 0; round < options.rounds; ++round) {
    const std::uint64_t seed = seed_of(options, kind, round);
    Prng prng(seed);
    Told told;
    std::string wrong = let_write(kind,
                                  {.directory = *folder / "state",
                                   .first_turn = oracle->turns() + 1,
                                   .first_report = oracle->next_report(),
                                   .faults = {},
                                   .rebuilds = kind.rebuilds},
                                  prng, told, tally);
    if (wrong.empty()) {
      wrong = oracle->check(told);
    }
    if (wrong.empty() && !oracle->findings().empty() && !kind.may_find) {
      wrong = "the store reports damage of an honest disk";
    }
    if (!wrong.empty()) {
      count_compared();
      print_failure(kind, seed, wrong, *oracle, folder->keep());
      return false;
    }
    ++tally.rounds;
    tally.losses_reported += oracle->findings().empty() ? 0U : 1U;
    if (!oracle->findings().empty() || round % kRoundsPerDirectory == kRoundsPerDirectory - 1) {
      count_compared();
      folder = std::make_unique<TempFolder>(kind.medium);
      oracle = std::make_unique<StoreOracle>(*folder / "state");
    }
  }
  count_compared();
  tally.seconds = std::chrono::duration<double>(Clock::now() - started).count();
  return true;
}

int run(const Options& options) {
  std::printf("%-7s %-48s %7s %9s %9s %9s %10s %7s\n", "kind", "what happens", "rounds", "acked",
              "refused", "reported", "compared", "s");
  std::fflush(stdout);
  bool all_good = true;
  for (const Kind& kind : kKinds) {
    if (!options.only.empty() && options.only != kind.name) {
      continue;
    }
    Tally tally;
    all_good = torture(kind, options, tally) && all_good;
    const auto print_number = [](std::uint64_t n) { return static_cast<unsigned long long>(n); };
    std::printf("%-7s %-48s %7llu %9llu %9llu %9llu %10llu %7.1f\n", kind.name, kind.what,
                print_number(tally.rounds), print_number(tally.acks), print_number(tally.refusals),
                print_number(tally.losses_reported), print_number(tally.reports_compared),
                tally.seconds);
    std::fflush(stdout);
  }
  std::printf(all_good ? "No acknowledged record was lost unreported, nothing damaged was served.\n"
                       : "FAILED\n");
  return all_good ? 0 : 1;
}

int usage(int status) {
  std::fputs(
      "usage: bascule-torture store [--rounds N] [--seed N] [--only KIND]\n"
      "       bascule-torture flips [--every N] [--seed N]\n"
      "  --rounds N   rounds of each kind (500)\n"
      "  --seed N     the same seed gives the same faults at the same operations (1)\n"
      "  --only KIND  kill, rebuild, power, swap, errors, lies or rot\n"
      "  --every N    one flipped bit in every N-th byte (1: in each)\n",
      status == 0 ? stdout : stderr);
  return status;
}

int parse_and_run(const std::vector<std::string>& words) {
  if (!words.empty() && words[0] == "writer") {
    return run_writer(from_text({words.begin() + 1, words.end()}));
  }
  if (!words.empty() && words.back() == "--help") {
    return usage(0);
  }
  if (words.empty() || (words[0] != "store" && words[0] != "flips") || words.size() % 2 == 0) {
    return usage(2);
  }
  Options options;
  for (std::size_t i = 1; i < words.size(); i += 2) {
    if (words[i] == "--rounds") {
      options.rounds = std::strtoull(words[i + 1].c_str(), nullptr, 10);
    } else if (words[i] == "--seed") {
      options.seed = std::strtoull(words[i + 1].c_str(), nullptr, 10);
    } else if (words[i] == "--every") {
      options.every = std::max(1ULL, std::strtoull(words[i + 1].c_str(), nullptr, 10));
    } else if (words[i] == "--only") {
      options.only = words[i + 1];
    } else {
      return usage(2);
    }
  }
  return words[0] == "flips" ? run_sweep(options.seed, options.every) : run(options);
}

}  // namespace
}  // namespace bascule::torture

int main(int argc, char** argv) {
  return bascule::torture::parse_and_run({argv + 1, argv + argc});
}
