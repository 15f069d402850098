// The yardstick: how Jicofo chooses, at the same fleet sizes.

#include <benchmark/benchmark.h>

#include "base/prng.h"
#include "bench/fleet_fixture.h"
#include "sim/storm/jicofo_selection.h"

namespace bascule::bench {
namespace {

void jicofo_selection(benchmark::State& state) {
  const auto bridges = static_cast<std::size_t>(state.range(0));
  sim::storm::JicofoSelection selection({.relays = true}, bridges);
  Prng prng(2);
  for (sim::storm::JicofoSelection::Index bridge = 0; bridge < bridges; ++bridge) {
    selection.add(bridge);
    selection.reported(bridge, 0.35 + static_cast<double>(prng.below(150'000)) / 1e6);
  }
  const Duration step = std::max<Duration>(std::chrono::milliseconds{2},
                                           std::chrono::milliseconds{500} / state.range(0));
  Instant now{std::chrono::hours{1}};
  for ([[maybe_unused]] auto iteration : state) {
    now += step;
    const auto chosen = selection.select({}, now);
    selection.endpoint_added(chosen.value(), now);
  }
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK(jicofo_selection)->Apply([](benchmark::internal::Benchmark* benchmark) {
  for (const std::int64_t size : kFleetSizes) {
    benchmark->Arg(size);
  }
});

}  // namespace
}  // namespace bascule::bench
