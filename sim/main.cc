// bascule-sim: runs seeds of the deterministic simulation and says what the checkers found.

#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/blackout.h"
#include "sim/world.h"

namespace {

using bascule::sim::Ask;
using bascule::sim::AskCounts;
using bascule::sim::Blackout;
using bascule::sim::BlackoutPart;
using bascule::sim::BlackoutResult;
using bascule::sim::kAskCount;
using bascule::sim::World;
using bascule::sim::WorldOptions;
using bascule::sim::WorldResult;

constexpr std::string_view kUsage =
    "usage: bascule-sim [--seeds A..B] [--seeds-file FILE] [--wire] [--no-faults] [--no-crash]\n"
    "                   [--relays all|none] [--json FILE] [--quiet] [--log] [--stanzas]\n"
    "                   [--blackout] [--no-audit]\n"
    "\n"
    "Runs the focus core against a simulated XMPP server, bridges and clients in virtual time.\n"
    "Each seed draws a deployment, faults and people who come and go; then everything is healed\n"
    "and everybody present must get a session. One seed in ten runs twice: both runs must do the\n"
    "same, byte for byte. Exit status 1 when a checker complains; the seed reproduces the run.\n"
    "\n"
    "  --seeds A..B       first and last seed (default 1..20); --seeds N for one\n"
    "  --seeds-file FILE  seeds that failed once, one per line, run as well ('#' comments)\n"
    "  --wire             every stanza goes through the XML writer and parser\n"
    "  --no-faults        only people coming and going\n"
    "  --relays WHICH     conferences may span bridges in all or none (default: every third seed)\n"
    "  --no-crash         faults, but the focus process lives\n"
    "  --no-audit         the focus does not look for what nobody reports: seeds must fail\n"
    "  --json FILE        the figures of the run\n"
    "  --blackout         instead: stats are lost, partly and wholly (see sim/blackout.h)\n"
    "  --quiet            no line per seed\n"
    "  --log              the notes of the focus and the faults, with the virtual time\n"
    "  --stanzas          as --log, and every stanza the server receives\n";

struct Arguments {
  std::uint64_t first = 1;
  std::uint64_t last = 20;
  std::string seeds_file;
  std::string json;
  bool quiet = false;
  bool blackout = false;
  WorldOptions world;
};

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

bool parse_seeds(std::string_view text, Arguments& arguments) {
  const auto dots = text.find("..");
  const auto first = number(text.substr(0, dots));
  const auto last = dots == std::string_view::npos ? first : number(text.substr(dots + 2));
  if (!first || !last || *first > *last) {
    return false;
  }
  arguments.first = *first;
  arguments.last = *last;
  return true;
}

std::optional<Arguments> parse(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    const bool has_value = i + 1 < argc;
    if (option == "--seeds" && has_value) {
      if (!parse_seeds(argv[++i], arguments)) {
        return std::nullopt;
      }
    } else if (option == "--seeds-file" && has_value) {
      arguments.seeds_file = argv[++i];
    } else if (option == "--json" && has_value) {
      arguments.json = argv[++i];
    } else if (option == "--wire") {
      arguments.world.wire = true;
    } else if (option == "--no-faults") {
      arguments.world.faults = false;
    } else if (option == "--relays" && has_value) {
      const std::string_view which = argv[++i];
      if (which != "all" && which != "none") {
        return std::nullopt;
      }
      arguments.world.relays =
          which == "all" ? bascule::sim::Relays::kAll : bascule::sim::Relays::kNone;
    } else if (option == "--no-crash") {
      arguments.world.crash_focus = false;
    } else if (option == "--no-audit") {
      arguments.world.audit = false;
    } else if (option == "--blackout") {
      arguments.blackout = true;
    } else if (option == "--quiet") {
      arguments.quiet = true;
    } else if (option == "--log" || option == "--stanzas") {
      arguments.world.journal = [](const std::string& line) { std::printf("%s\n", line.c_str()); };
      arguments.world.journal_stanzas = option == "--stanzas";
    } else {
      return std::nullopt;
    }
  }
  return arguments;
}

std::vector<std::uint64_t> seeds_of(const Arguments& arguments) {
  std::vector<std::uint64_t> seeds;
  for (std::uint64_t seed = arguments.first; seed <= arguments.last; ++seed) {
    seeds.push_back(seed);
  }
  if (!arguments.seeds_file.empty()) {
    std::ifstream file(arguments.seeds_file);
    std::string line;
    while (std::getline(file, line)) {
      if (const auto seed = number(line)) {
        seeds.push_back(*seed);
      }
    }
  }
  return seeds;
}

WorldResult run(const Arguments& arguments, std::uint64_t seed) {
  WorldOptions options = arguments.world;
  options.seed = seed;
  return World(options).run();
}

/// The options that change what a seed does.
std::string flags_of(const Arguments& arguments) {
  return std::string(arguments.world.wire ? " --wire" : "") +
         (arguments.world.faults ? "" : " --no-faults") +
         (arguments.world.crash_focus ? "" : " --no-crash") +
         (arguments.world.audit ? "" : " --no-audit") +
         (arguments.world.relays == bascule::sim::Relays::kAll    ? " --relays all"
          : arguments.world.relays == bascule::sim::Relays::kNone ? " --relays none"
                                                                  : "");
}

void print(const WorldResult& result, const std::string& flags) {
  std::printf(
      "seed %-5llu %s  clients=%zu rooms=%zu bridges=%zu faults=%zu crashes=%zu placements=%zu "
      "links=%llu/%llu reloads=%llu unanswered=%llu window=%zu/%zu stress=%.2f back_s=%.0f "
      "events=%llu\n",
      static_cast<unsigned long long>(result.seed), result.complaints.empty() ? "ok  " : "FAIL",
      result.clients, result.rooms, result.bridges, result.faults, result.crashes,
      result.placements, static_cast<unsigned long long>(result.links),
      static_cast<unsigned long long>(result.link_failures),
      static_cast<unsigned long long>(result.reloads),
      static_cast<unsigned long long>(result.unanswered), result.window_max, result.window_limit,
      static_cast<double>(result.max_settled_millionths) / 1e6,
      static_cast<double>(result.converged_after.count()) / 1e6,
      static_cast<unsigned long long>(result.events));
  for (const std::string& complaint : result.complaints) {
    std::printf("  %s\n", complaint.c_str());
  }
  if (!result.complaints.empty()) {
    std::printf("  reproduce: ./scripts/dev sim --seeds %llu%s\n",
                static_cast<unsigned long long>(result.seed), flags.c_str());
  }
}

struct Totals {
  std::size_t seeds = 0, failed = 0, placements = 0, crashes = 0;
  std::uint64_t links = 0, accepts_late = 0, repairs = 0, orders = 0;
  AskCounts asks{};
  std::uint64_t events = 0, stanzas = 0;
  double seconds = 0;
};

void add(const WorldResult& result, Totals& totals) {
  ++totals.seeds;
  totals.failed += result.complaints.empty() ? 0U : 1U;
  totals.placements += result.placements;
  totals.crashes += result.crashes;
  totals.links += result.links;
  totals.accepts_late += result.accepts_late;
  totals.repairs += result.repairs;
  totals.orders += result.orders;
  for (std::size_t ask = 0; ask < kAskCount; ++ask) {
    totals.asks[ask] += result.asks[ask];
  }
  totals.events += result.events;
  totals.stanzas += result.stanzas;
}

/// What clients and the audit did; false when something they are meant to do never happened in a
/// sweep.
bool print_behaviour(const Totals& totals, bool erratic) {
  constexpr std::size_t kSweep = 100;
  bool all = totals.accepts_late != 0 && totals.repairs != 0 && totals.orders != 0;
  std::printf("operator: %llu orders; audit: %llu repairs; clients: %llu offers given up",
              static_cast<unsigned long long>(totals.orders),
              static_cast<unsigned long long>(totals.repairs),
              static_cast<unsigned long long>(totals.accepts_late));
  for (std::size_t ask = 0; ask < kAskCount; ++ask) {
    const std::string_view what = to_string(static_cast<Ask>(ask));
    std::printf(", %llu %.*s", static_cast<unsigned long long>(totals.asks[ask]),
                static_cast<int>(what.size()), what.data());
    all = all && totals.asks[ask] != 0;
  }
  std::printf("\n");
  if (erratic && totals.seeds >= kSweep && !all) {
    std::printf("FAIL: a sweep in which not everything happened proves less than it says\n");
    return false;
  }
  return true;
}

bool write_json(const std::string& path, const Totals& totals) {
  std::ofstream file(path);
  file << "{\"seeds\":" << totals.seeds << ",\"failed\":" << totals.failed
       << ",\"placements\":" << totals.placements << ",\"crashes\":" << totals.crashes
       << ",\"events\":" << totals.events << ",\"stanzas\":" << totals.stanzas
       << ",\"seconds\":" << totals.seconds << "}\n";
  return file.good();
}

double in_seconds(bascule::Duration time) {
  return static_cast<double>(time.count()) / 1e6;
}

void print(const BlackoutResult& result) {
  std::printf("seed %-5llu %s  bridges=%zu rooms=%zu clients=%zu told_s=%.0f trusted_s=%.0f\n",
              static_cast<unsigned long long>(result.seed),
              result.complaints.empty() ? "ok  " : "FAIL", result.bridges, result.rooms,
              result.clients, in_seconds(result.told_after), in_seconds(result.trusted_after));
  for (const BlackoutPart& part : result.parts) {
    std::printf("  %-15s people=%-4zu largest=%.2f spread=%.2f share=%.2f confidence=%lld..%lld\n",
                part.name.c_str(), part.people, static_cast<double>(part.largest) / 1e6,
                static_cast<double>(part.spread) / 1e6, static_cast<double>(part.share) / 1e3,
                static_cast<long long>(part.confidence_low),
                static_cast<long long>(part.confidence_high));
  }
  for (const std::string& complaint : result.complaints) {
    std::printf("  %s\n", complaint.c_str());
  }
}

/// Exit status.
int run_blackouts(const Arguments& arguments) {
  bool all = true;
  for (const std::uint64_t seed : seeds_of(arguments)) {
    BlackoutResult result = Blackout({.seed = seed, .journal = arguments.world.journal}).run();
    if (seed % 10 == 0 &&
        Blackout({.seed = seed, .journal = {}}).run().action_hash != result.action_hash) {
      result.complaints.emplace_back("determinism: a second run did something else");
    }
    if (!arguments.quiet || !result.complaints.empty()) {
      print(result);
    }
    all = all && result.complaints.empty();
  }
  return all ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--help") {
      std::fwrite(kUsage.data(), 1, kUsage.size(), stdout);
      return 0;
    }
  }
  const auto arguments = parse(argc, argv);
  if (!arguments) {
    std::fwrite(kUsage.data(), 1, kUsage.size(), stderr);
    return 2;
  }
  if (arguments->blackout) {
    return run_blackouts(*arguments);
  }
  const auto started = std::chrono::steady_clock::now();
  Totals totals;
  for (const std::uint64_t seed : seeds_of(*arguments)) {
    WorldResult result = run(*arguments, seed);
    if (seed % 10 == 0 && !arguments->world.journal &&
        run(*arguments, seed).action_hash != result.action_hash) {
      result.complaints.emplace_back("determinism: a second run did something else");
    }
    add(result, totals);
    if (!arguments->quiet || !result.complaints.empty()) {
      print(result, flags_of(*arguments));
      std::fflush(stdout);
    }
  }
  totals.seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  std::printf(
      "%zu seeds, %zu failed; %zu placements, %llu links, %zu focus crashes, %llu events (%.0f per "
      "s)\n",
      totals.seeds, totals.failed, totals.placements, static_cast<unsigned long long>(totals.links),
      totals.crashes, static_cast<unsigned long long>(totals.events),
      static_cast<double>(totals.events) / totals.seconds);
  const bool complete = print_behaviour(totals, arguments->world.faults);
  if (!arguments->json.empty() && !write_json(arguments->json, totals)) {
    std::fprintf(stderr, "cannot write %s\n", arguments->json.c_str());
    return 2;
  }
  return totals.failed == 0 && complete ? 0 : 1;
}
