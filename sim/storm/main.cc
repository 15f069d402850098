// bascule-storm: compares ways to choose bridges when everybody comes at once.

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <future>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <unistd.h>

#include "sim/storm/report.h"
#include "sim/storm/run.h"
#include "sim/storm/thresholds.h"

namespace {

using namespace bascule::sim::storm;

constexpr std::string_view kUsage =
    "usage: bascule-storm [--scenario LIST] [--policy LIST] [--bridges N] [--fleet equal|mixed]\n"
    "                     [--seeds K] [--seed FIRST] [--focuses F] [--shape standard|flat|steep]\n"
    "                     [--publish S] [--sampler S] [--ramp S] [--jobs N]\n"
    "                     [--json FILE] [--csv FILE] [--html FILE] [--check] [--quiet]\n"
    "\n"
    "Runs storms of participants against a model of a fleet of bridges that die of overload, "
    "under\n"
    "several policies, the real core of Bascule among them, on identical arrivals; prints a "
    "table.\n"
    "\n"
    "  --scenario LIST  e.g. S2,S4, or groups: all (the default), extra (X1 to X8)\n"
    "  --policy LIST    naive random p2c jicofo jicofo-relay jicofo-limited jicofo-redistribution\n"
    "                   bascule bascule-relay (default: all; policies without memory are left out\n"
    "                   of S2n, S2c, S8n and X9, which are S2 and S8 to them, unless named)\n"
    "  --bridges N      default 200          --seeds K   runs per line, default 3\n"
    "  --focuses F      independent ones that share the fleet, default 1\n"
    "  --shape, --publish, --sampler, --ramp  change the truth model; seconds\n"
    "  --jobs N         runs at once (default: all processors)\n"
    "  --check          exit status 1 when the core does worse than it has to\n";

struct Arguments {
  std::vector<const Scenario*> scenarios;
  std::vector<PolicyId> policies;
  RunSetup base;
  std::uint64_t seeds = 3;
  std::size_t jobs = std::max(1U, std::thread::hardware_concurrency());
  std::string json, csv, html;
  bool check = false;
  bool quiet = false;
};

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

std::vector<std::string_view> parts_of(std::string_view list) {
  std::vector<std::string_view> parts;
  while (!list.empty()) {
    const auto comma = list.find(',');
    parts.push_back(list.substr(0, comma));
    list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
  }
  return parts;
}

std::optional<PolicyId> policy_named(std::string_view name) {
  for (std::size_t i = 0; i < kPolicyCount; ++i) {
    if (to_string(static_cast<PolicyId>(i)) == name) {
      return static_cast<PolicyId>(i);
    }
  }
  return std::nullopt;
}

template <class T>
bool choose(std::string_view value, std::initializer_list<std::pair<std::string_view, T>> values,
            T& out) {
  for (const auto& [name, meaning] : values) {
    if (name == value) {
      out = meaning;
      return true;
    }
  }
  return false;
}

/// Sets `out` to a positive number of seconds.
bool parse_seconds(std::string_view value, bascule::Duration& out) {
  const auto parsed = number(value);
  out = std::chrono::seconds{parsed.value_or(0)};
  return parsed && *parsed > 0;
}

template <class T>
bool parse_count(std::string_view value, T& out) {
  const auto parsed = number(value);
  out = static_cast<T>(parsed.value_or(0));
  return parsed && *parsed > 0;
}

void add_group(char first_letter, Arguments& arguments) {
  for (const Scenario& scenario : scenarios()) {
    if (scenario.name.front() == first_letter) {
      arguments.scenarios.push_back(&scenario);
    }
  }
}

bool parse_lists(std::string_view option, std::string_view value, Arguments& arguments) {
  for (const std::string_view part : parts_of(value)) {
    if (option == "--scenario" && (part == "all" || part == "extra")) {
      add_group(part == "all" ? 'S' : 'X', arguments);
    } else if (option == "--scenario") {
      arguments.scenarios.push_back(find_scenario(part));
      if (arguments.scenarios.back() == nullptr) {
        return false;
      }
    } else {
      const auto policy = policy_named(part);
      if (!policy) {
        return false;
      }
      arguments.policies.push_back(*policy);
    }
  }
  return true;
}

bool parse_truth(std::string_view option, std::string_view value, RunSetup& base) {
  if (option == "--fleet") {
    return choose<FleetKind>(value, {{"equal", FleetKind::kEqual}, {"mixed", FleetKind::kMixed}},
                             base.fleet);
  }
  if (option == "--shape") {
    return choose<CostShape>(value,
                             {{"standard", CostShape::kStandard},
                              {"flat", CostShape::kFlat},
                              {"steep", CostShape::kSteep}},
                             base.truth.shape);
  }
  if (option == "--publish") {
    return parse_seconds(value, base.truth.publish);
  }
  if (option == "--sampler") {
    return parse_seconds(value, base.truth.sampler);
  }
  return option == "--ramp" && parse_seconds(value, base.truth.ramp);
}

bool parse_option(std::string_view option, std::string_view value, Arguments& arguments) {
  if (option == "--scenario" || option == "--policy") {
    return parse_lists(option, value, arguments);
  }
  if (option == "--bridges") {
    return parse_count(value, arguments.base.bridges);
  }
  if (option == "--seeds") {
    return parse_count(value, arguments.seeds);
  }
  if (option == "--seed") {
    return parse_count(value, arguments.base.seed);
  }
  if (option == "--focuses") {
    return parse_count(value, arguments.base.focuses);
  }
  if (option == "--jobs") {
    return parse_count(value, arguments.jobs);
  }
  if (option == "--json" || option == "--csv" || option == "--html") {
    (option == "--json"  ? arguments.json
     : option == "--csv" ? arguments.csv
                         : arguments.html) = value;
    return !value.empty();
  }
  return parse_truth(option, value, arguments.base);
}

std::optional<Arguments> parse(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    if (option == "--quiet") {
      arguments.quiet = true;
    } else if (option == "--check") {
      arguments.check = true;
    } else if (i + 1 >= argc || !parse_option(option, argv[i + 1], arguments)) {
      std::fprintf(stderr, "bascule-storm: cannot use %s %s\n", argv[i],
                   i + 1 < argc ? argv[i + 1] : "");
      return std::nullopt;
    } else {
      ++i;
    }
  }
  if (arguments.scenarios.empty()) {
    add_group('S', arguments);
  }
  return arguments;
}

/// One line of the table: the runs of all seeds.
struct Line {
  const Scenario* scenario = nullptr;
  PolicyId policy{};
  std::vector<RunResult> runs;
};

std::vector<Line> lines_of(const Arguments& arguments) {
  std::vector<PolicyId> policies = arguments.policies;
  for (std::size_t i = 0; arguments.policies.empty() && i < kPolicyCount; ++i) {
    policies.push_back(static_cast<PolicyId>(i));
  }
  std::vector<Line> lines;
  for (const Scenario* scenario : arguments.scenarios) {
    for (const PolicyId policy : policies) {
      const bool forgets =
          scenario->memory != MemoryKept::kAlive && scenario->memory != MemoryKept::kAll;
      if (!forgets || has_memory(policy) || !arguments.policies.empty()) {
        lines.push_back({scenario, policy, std::vector<RunResult>(arguments.seeds)});
      }
    }
  }
  return lines;
}

/// Runs are independent of each other: each worker takes the next one.
void run_all(const Arguments& arguments, std::vector<Line>& lines) {
  const std::size_t total = lines.size() * arguments.seeds;
  const bool progress = !arguments.quiet && isatty(STDERR_FILENO) != 0;
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t task = next++; task < total; task = next++) {
      Line& line = lines[task / arguments.seeds];
      RunSetup setup = arguments.base;
      setup.scenario = line.scenario;
      setup.policy = line.policy;
      setup.seed += task % arguments.seeds;
      setup.keep_series = !arguments.html.empty() && task % arguments.seeds == 0;
      line.runs[task % arguments.seeds] = StormRun(setup).run();
      if (progress) {
        std::fprintf(stderr, "\r%zu of %zu runs ", task + 1, total);
      }
    }
  };
  std::vector<std::future<void>> workers;
  for (std::size_t i = 0; i < std::min(arguments.jobs, total); ++i) {
    workers.push_back(std::async(std::launch::async, work));
  }
  for (auto& worker : workers) {
    worker.get();
  }
  if (progress) {
    std::fprintf(stderr, "\r                    \r");
  }
}

Row row_of(const Line& line, const Arguments& arguments) {
  Row row = summarize(line.runs);
  row.scenario = line.scenario->name;
  row.policy = to_string(line.policy);
  row.fleet = arguments.base.fleet == FleetKind::kEqual ? "equal" : "mixed";
  row.bridges = arguments.base.bridges;
  return row;
}

std::vector<Plot> plots_of(std::vector<Line>& lines) {
  std::vector<Plot> plots;
  for (Line& line : lines) {
    RunResult& first = line.runs.front();
    plots.push_back({.scenario = std::string(line.scenario->name),
                     .title = std::string(line.scenario->title),
                     .policy = std::string(to_string(line.policy)),
                     .load = std::move(first.series),
                     .down_s = std::move(first.down_s)});
  }
  return plots;
}

/// What some scenarios are about and the table does not show.
void print_notes(const std::vector<Line>& lines) {
  for (const Line& line : lines) {
    double poisoned = 0;
    double at_home = 0;
    for (const RunResult& run : line.runs) {
      poisoned += static_cast<double>(run.poisoned) / static_cast<double>(line.runs.size());
      at_home += run.at_home.value_or(0) / static_cast<double>(line.runs.size());
    }
    const std::string name =
        std::string(line.scenario->name) + " " + std::string(to_string(line.policy));
    if (poisoned > 0) {
      std::printf("%s: %.1f bridges killed by the conference\n", name.c_str(), poisoned);
    }
    if (at_home > 0) {
      std::printf("%s: %.0f %% of the people in their own region\n", name.c_str(), 100 * at_home);
    }
  }
}

/// Whether everything is as good as it has to be, which is said.
bool passes(const std::vector<Row>& rows) {
  const auto problems = exceeded(rows);
  for (const std::string& problem : problems) {
    std::printf("exceeded: %s\n", problem.c_str());
  }
  std::printf("check: %zu values exceeded\n", problems.size());
  return problems.empty();
}

bool write_file(const std::string& path, const std::string& text) {
  if (path.empty()) {
    return true;
  }
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) {
    std::fprintf(stderr, "bascule-storm: cannot write %s\n", path.c_str());
  }
  return !file.fail();
}

}  // namespace

int main(int argc, char** argv) {
  if (std::any_of(argv + 1, argv + argc,
                  [](const char* a) { return std::string_view(a) == "--help"; })) {
    std::fwrite(kUsage.data(), 1, kUsage.size(), stdout);
    return 0;
  }
  const auto arguments = parse(argc, argv);
  if (!arguments) {
    std::fwrite(kUsage.data(), 1, kUsage.size(), stderr);
    return 2;
  }
  std::vector<Line> lines = lines_of(*arguments);
  const auto started = std::chrono::steady_clock::now();
  run_all(*arguments, lines);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started;

  std::vector<Row> rows;
  rows.reserve(lines.size());
  for (const Line& line : lines) {
    rows.push_back(row_of(line, *arguments));
  }
  const std::string table = table_of(rows);
  std::fwrite(table.data(), 1, table.size(), stdout);
  print_notes(lines);
  std::printf("%zu runs in %.1f s\n", lines.size() * arguments->seeds, took.count());
  bool good = write_file(arguments->json, json_of(rows));
  good = write_file(arguments->csv, csv_of(rows)) && good;
  if (!arguments->html.empty()) {
    good = write_file(arguments->html, html_of(rows, plots_of(lines))) && good;
  }
  if (arguments->check) {
    good = passes(rows) && good;
  }
  return good ? 0 : 1;
}
