// bascule-bench: Google Benchmark's options, plus --json FILE; ends with a comparison.

#include <cstdio>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>

#include "bench/fleet_fixture.h"

namespace {

/// Prints as usual and remembers the times.
class Remembering : public benchmark::ConsoleReporter {
 public:
  void ReportRuns(const std::vector<Run>& runs) override {
    ConsoleReporter::ReportRuns(runs);
    for (const Run& run : runs) {
      if (run.run_type == Run::RT_Iteration && !run.error_occurred) {
        times_[run.benchmark_name()] = run.GetAdjustedCPUTime();
      }
    }
  }
  /// Nanoseconds per iteration; 0 when it did not run.
  [[nodiscard]] double time(const std::string& name) const {
    const auto found = times_.find(name);
    return found == times_.end() ? 0 : found->second;
  }

 private:
  std::map<std::string, double> times_;
};

void print_comparison(const Remembering& results) {
  std::printf("\nOne placement among n bridges, nanoseconds of processor time\n");
  std::printf(
      "(choice: bridge chosen, load and pace accounted; whole: with queue, record, departure)\n");
  std::printf("%8s %10s %10s %10s %15s\n", "n", "choice", "whole", "jicofo", "choice/jicofo");
  for (const std::int64_t size : bascule::bench::kFleetSizes) {
    const double ours = results.time("choose_bridge/" + std::to_string(size));
    const double whole = results.time("select_bridge/" + std::to_string(size));
    const double theirs = results.time("jicofo_selection/" + std::to_string(size));
    if (ours > 0 && theirs > 0) {
      std::printf("%8lld %10.0f %10.0f %10.0f %15.5f\n", static_cast<long long>(size), ours, whole,
                  theirs, ours / theirs);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> arguments;
  for (int i = 0; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--json" && i + 1 < argc) {
      arguments.push_back("--benchmark_out=" + std::string(argv[++i]));
      arguments.emplace_back("--benchmark_out_format=json");
    } else {
      arguments.emplace_back(argv[i]);
    }
  }
  std::vector<char*> pointers;
  pointers.reserve(arguments.size());
  for (std::string& argument : arguments) {
    pointers.push_back(argument.data());
  }
  auto count = static_cast<int>(pointers.size());
  benchmark::Initialize(&count, pointers.data());
  if (benchmark::ReportUnrecognizedArguments(count, pointers.data())) {
    return 2;
  }
  Remembering reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);
  benchmark::Shutdown();
  print_comparison(reporter);
  return 0;
}
