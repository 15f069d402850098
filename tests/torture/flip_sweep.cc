#include "tests/torture/flip_sweep.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/prng.h"
#include "tests/unit/stats/store_support.h"

namespace bascule::torture {
namespace {

namespace fs = std::filesystem;
using stats::sqlite::Completions;
using stats::sqlite::Medium;
using stats::sqlite::Store;
using stats::sqlite::TempFolder;

constexpr std::uint64_t kTurns = 10;

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

Store::Opened open_store(const std::string& directory, Completions& done) {
  auto opened =
      Store::open({.directory = directory, .boot_id = "boot", .snapshot_every = 20}, done.sink());
  BASCULE_CHECK(opened.has_value());
  return std::move(*opened);
}

/// What the tables were after each turn.
std::vector<focus::Tables> all_moments() {
  std::vector<focus::Tables> moments;
  for (std::uint64_t turn = 0; turn <= kTurns; ++turn) {
    moments.push_back(stats::sqlite::tables_after(turn, "boot"));
  }
  return moments;
}

template <class Map>
bool is_part_of(const Map& part, const Map& whole) {
  return std::all_of(part.begin(), part.end(), [&](const auto& row) {
    const auto found = whole.find(row.first);
    return found != whole.end() && found->second == row.second;
  });
}

/// Some rows of `whole` (conferences and links as wholes), and nothing else.
bool is_part_of(const focus::Tables& part, const focus::Tables& whole) {
  return is_part_of(part.conferences, whole.conferences) &&
         is_part_of(part.pending, whole.pending) && is_part_of(part.links, whole.links) &&
         is_part_of(part.decisions, whole.decisions) && is_part_of(part.bridges, whole.bridges) &&
         is_part_of(part.rooms, whole.rooms) &&
         std::includes(whole.placements.begin(), whole.placements.end(), part.placements.begin(),
                       part.placements.end());
}

/// The directory to damage, in memory, with the names and contents of its files.
struct Sample {
  std::map<std::string, std::string> files;
  std::vector<focus::Tables> moments = all_moments();
  focus::Restored sound;
};

/// `live`: as a process leaves it that is killed, with write-ahead logs.
Sample make_sample(bool live) {
  const TempFolder folder(Medium::kMemory);
  Sample sample;
  Completions done;
  const auto read_all = [&] {
    for (const auto& entry : fs::directory_iterator(folder / "state")) {
      const std::string name = entry.path().filename();
      if (entry.is_regular_file() && name != "instance.lock" &&
          name.find("-shm") == std::string::npos) {
        sample.files[name] = read_file(entry.path());
      }
    }
  };
  {
    auto opened = open_store(folder / "state", done);
    for (std::uint64_t turn = 1; turn <= kTurns; ++turn) {
      opened.store->commit(CommitId(turn), stats::sqlite::numbered_turn(turn));
      stats::Batch batch;
      BASCULE_CHECK(batch.add(stats::sqlite::numbered_report(turn)).has_value());
      opened.store->write(WriteId(turn), std::move(batch));
      BASCULE_CHECK(done.wait(CommitId(turn)) && done.wait(WriteId(turn)));
    }
    if (live) {
      read_all();
    }
  }
  if (!live) {
    read_all();
  }
  return sample;
}

void lay_out(const Sample& sample, const std::string& directory) {
  fs::remove_all(directory);
  fs::create_directory(directory);
  for (const auto& [name, bytes] : sample.files) {
    write_file(directory + "/" + name, bytes);
  }
}

std::vector<stats::ReceivedReport> ageless(std::vector<stats::ReceivedReport> reports) {
  for (auto& report : reports) {
    report.received = Instant{};
  }
  return reports;
}

/// Everything that is served was true at one and the same moment.
bool is_of_one_moment(const Sample& sample, const focus::Restored& served) {
  return std::any_of(sample.moments.begin(), sample.moments.end(), [&](focus::Tables moment) {
    if (!served.same_boot) {
      // Which boot it was is lost, and with it the meaning of the monotonic times.
      moment.apply(focus::op::Started{.boot_id = "unknown"});
      moment.apply(focus::op::Started{.boot_id = "boot"});
    }
    return is_part_of(served.tables, moment);
  });
}

std::string judge_served(const Sample& sample, const focus::Restored& served) {
  if (!is_of_one_moment(sample, served)) {
    return "a state was served that never was";
  }
  for (const auto& report : ageless(served.reports)) {
    auto written = stats::sqlite::numbered_report(
        static_cast<std::uint64_t>(report.report.local_endpoints.value_or(0)));
    written.source = stats::ReportSource::kRestored;
    written.received = Instant{};
    if (report != written) {
      return "a report was served that never existed";
    }
  }
  return {};
}

struct Verdict {
  std::string wrong;
  bool reported = false;
};

/// Opens what was damaged, uses it, and opens it again.
Verdict judge(const Sample& sample, const std::string& directory, bool again) {
  Verdict verdict;
  Completions done;
  focus::Restored served;
  std::vector<stats::Finding> findings;
  {
    auto opened = open_store(directory, done);
    served = opened.restored;
    findings = opened.report.findings;
    verdict.reported = !findings.empty();
    if (!verdict.reported && (served.tables != sample.sound.tables ||
                              ageless(served.reports) != ageless(sample.sound.reports))) {
      verdict.wrong = "something is missing and nothing was reported";
      return verdict;
    }
    for (const stats::Finding& finding : opened.report.findings) {
      const bool moves = finding.file != "head" && finding.damage != stats::Damage::kMissing &&
                         finding.damage != stats::Damage::kRolledBack;
      if (moves && opened.report.moved_to.empty()) {
        verdict.wrong = "the damaged file was not kept: " + finding.detail;
        return verdict;
      }
    }
    opened.store->commit(CommitId(1), {focus::op::Note{"after"}});
    if (!done.wait(CommitId(1))) {
      verdict.wrong = "the store does not work afterwards";
    }
  }
  if (verdict.wrong.empty()) {
    verdict.wrong = judge_served(sample, served);
    for (const stats::Finding& finding : findings) {
      verdict.wrong += verdict.wrong.empty() ? "" : "; the store said: " + finding.detail;
    }
  }
  if (verdict.wrong.empty() && again) {
    const auto second = open_store(directory, done);
    if (!second.report.findings.empty() || second.restored.tables != served.tables) {
      verdict.wrong = "the next start finds something else";
    }
  }
  return verdict;
}

struct Tally {
  std::uint64_t damages = 0;
  std::uint64_t reported = 0;
  std::string failure;
};

/// One way to damage one file.
struct Injury {
  std::string name;
  std::string bytes;
  std::string what;
};

/// Applies injuries 0..count-1, as two halves on two threads.
Tally apply_all(const Sample& sample, std::uint64_t count,
                const std::function<Injury(std::uint64_t)>& injury) {
  const auto work = [&](std::uint64_t first) {
    Tally tally;
    const TempFolder folder(Medium::kMemory);
    const std::string directory = folder / "state";
    for (std::uint64_t i = first; i < count && tally.failure.empty(); i += 2) {
      const Injury one = injury(i);
      lay_out(sample, directory);
      write_file(directory + "/" + one.name, one.bytes);
      const Verdict verdict = judge(sample, directory, /*again=*/i % 16 == 0);
      ++tally.damages;
      tally.reported += verdict.reported ? 1U : 0U;
      if (!verdict.wrong.empty()) {
        tally.failure = one.name + " " + one.what + ": " + verdict.wrong;
      }
    }
    return tally;
  };
  auto second = std::async(std::launch::async, work, 1);
  Tally all = work(0);
  const Tally other = second.get();
  all.damages += other.damages;
  all.reported += other.reported;
  all.failure += other.failure;
  return all;
}

bool print(const char* directory, const std::string& name, const char* damage, const Tally& tally) {
  std::printf("%-8s %-13s %-10s %8llu %10llu %10llu  %s\n", directory, name.c_str(), damage,
              static_cast<unsigned long long>(tally.damages),
              static_cast<unsigned long long>(tally.reported),
              static_cast<unsigned long long>(tally.damages - tally.reported),
              tally.failure.c_str());
  std::fflush(stdout);
  return tally.failure.empty();
}

bool sweep(const Sample& sample, const char* directory, std::uint64_t seed, std::uint64_t every) {
  bool good = true;
  for (const auto& [name_of_file, bytes_of_file] : sample.files) {
    const std::string& name = name_of_file;
    const std::string& bytes = bytes_of_file;
    // A log is long and its frames are all alike: a sample takes fewer of it.
    const bool is_log = name.find("-wal") != std::string::npos;
    const std::uint64_t step = is_log && every > 1 ? every * 8 : every;
    const Tally flips = apply_all(sample, bytes.size() / step, [&, step](std::uint64_t i) {
      Prng prng(seed * 1'000'003 + i);
      const std::uint64_t at = i * step + prng.below(step);
      const std::uint64_t bit = prng.below(8);
      Injury injury{.name = name,
                    .bytes = bytes,
                    .what = "byte " + std::to_string(at) + " bit " + std::to_string(bit)};
      injury.bytes[at] = static_cast<char>(injury.bytes[at] ^ (1 << bit));
      return injury;
    });
    good = print(directory, name, "flip", flips) && good;
    std::set<std::uint64_t> lengths;
    for (std::uint64_t at = 0; at < bytes.size(); at += 512) {
      lengths.insert(at);
      if (at % 4096 == 0) {
        lengths.insert(at + 1);
        lengths.insert(at == 0 ? 0 : at - 1);
      }
    }
    const std::vector<std::uint64_t> cuts(lengths.begin(), lengths.end());
    const Tally truncations = apply_all(sample, cuts.size(), [&](std::uint64_t i) {
      return Injury{.name = name,
                    .bytes = bytes.substr(0, cuts[i]),
                    .what = "cut to " + std::to_string(cuts[i])};
    });
    good = print(directory, name, "truncate", truncations) && good;
  }
  return good;
}

}  // namespace

int run_sweep(std::uint64_t seed, std::uint64_t every) {
  const auto started = std::chrono::steady_clock::now();
  std::printf("%-8s %-13s %-10s %8s %10s %10s\n", "stopped", "file", "damage", "places", "reported",
              "harmless");
  bool good = true;
  for (const bool live : {false, true}) {
    Sample sample = make_sample(live);
    const TempFolder folder(Medium::kMemory);
    lay_out(sample, folder / "state");
    Completions done;
    const auto opened = open_store(folder / "state", done);
    BASCULE_CHECK(opened.report.findings.empty() &&
                  opened.restored.tables == stats::sqlite::tables_after(kTurns, "boot"));
    sample.sound = opened.restored;
    good = sweep(sample, live ? "killed" : "orderly", seed, every) && good;
  }
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  std::printf(
      "%s (%.0f s)\n",
      good ? "Every damage was reported or harmless, and nothing invented was served." : "FAILED",
      seconds);
  return good ? 0 : 1;
}

}  // namespace bascule::torture
