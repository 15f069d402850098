// What the core takes per decision.

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>

#include <benchmark/benchmark.h>

#include "base/check.h"
#include "bench/fleet_fixture.h"
#include "focus/selector.h"

namespace bascule::bench {
namespace {

using focus::Decision;
using focus::Move;
using focus::Ticket;
using std::chrono::milliseconds;

/// Slow enough that the pace of the bridges never forbids a placement.
Duration spacing(std::int64_t bridges) {
  return std::max<Duration>(milliseconds{2}, milliseconds{500} / bridges);
}

/// The choice alone, with what it changes: what Jicofo's selection is compared with.
void choose_bridge(benchmark::State& state) {
  const auto bridges = static_cast<std::size_t>(state.range(0));
  focus::PlacementOptions options;
  options.max_bridges = bridges;
  options.placement_burst = 10'000;
  options.placement_interval = std::chrono::microseconds{1};
  focus::BridgeRegistry registry(options);
  focus::Selector selector(registry, options);
  Prng prng(1);
  Instant now{std::chrono::hours{1}};
  for (std::size_t i = 0; i < bridges; ++i) {
    focus::Bridge& bridge = *registry.find_or_create(FleetFixture::bridge(i));
    stats::BridgeReport report{.bridge = bridge.jid,
                               .stress = Stress(static_cast<std::int64_t>(prng.below(700'000)))};
    registry.restore({.bridge = bridge.jid, .cost = Stress(8'000), .confirmations = 3}, now);
    registry.report(report, now);
    selector.sort_in(bridge, now);
  }
  const focus::Need need{.load = 4'560, .limit = Stress(750'000)};
  for ([[maybe_unused]] auto iteration : state) {
    now += std::chrono::microseconds{1};  // Pays for the token; far from ageing the reports.
    selector.begin_pass();
    const focus::Choice choice = selector.choose(need, now, prng);
    BASCULE_CHECK(choice.bridge != nullptr);
    choice.bridge->ledger.joined(460, now);
    choice.bridge->ledger.left(460, 460, now, now);
    BASCULE_CHECK(choice.bridge->limiter.try_place(now));
    selector.sort_in(*choice.bridge, now);
  }
  state.SetItemsProcessed(state.iterations());
}

/// The library calls a benchmark several times to find out how often it has to run; half a million
/// people are put in their places only once.
FleetFixture& busy_fleet(std::size_t bridges) {
  static std::unique_ptr<FleetFixture> fleet;
  static std::size_t size = 0;
  if (size != bridges) {
    fleet.reset();
    fleet = std::make_unique<FleetFixture>(bridges, FleetFixture::Load::kBusy);
    size = bridges;
  }
  return *fleet;
}

/// First participant of a conference: ask, choose among all bridges, leave again.
void select_bridge(benchmark::State& state) {
  FleetFixture& fleet = busy_fleet(static_cast<std::size_t>(state.range(0)));
  const Duration step = spacing(state.range(0));
  constexpr std::size_t kRooms = 64;
  std::array<Ticket, kRooms> tickets;
  for (std::size_t i = 0; i < kRooms; ++i) {
    tickets[i].room = FleetFixture::room(i);
    tickets[i].participant = FleetFixture::person(tickets[i].room, i);
  }
  std::vector<Decision> decisions;
  std::vector<Move> moves;
  std::size_t next = 0;
  for ([[maybe_unused]] auto iteration : state) {
    if (fleet.reports_due(step)) {
      state.PauseTiming();
      fleet.advance(step);
      state.ResumeTiming();
    } else {
      fleet.advance(step);
    }
    Ticket& ticket = tickets[next++ % kRooms];
    ++ticket.generation;
    BASCULE_CHECK(fleet.placement().enqueue(ticket, fleet.now()).has_value());
    decisions.clear();
    fleet.placement().drain(fleet.now(), decisions, moves);
    for (int waits = 0; decisions.empty(); ++waits) {  // Rarely: the core spaces its passes.
      BASCULE_CHECK(waits < 100);
      fleet.advance(milliseconds{2});
      fleet.placement().drain(fleet.now(), decisions, moves);
    }
    fleet.placement().confirmed(ticket.participant, fleet.now());
    fleet.placement().left(ticket.participant, fleet.now());
  }
  state.SetItemsProcessed(state.iterations());
}

/// Everybody comes back: 10'000 people in rooms of eight, placed in steps of 100 ms.
void burst(benchmark::State& state) {
  constexpr std::uint64_t kPeople = 10'000;
  constexpr std::uint64_t kRoomSize = 8;
  std::vector<Ticket> tickets(kPeople);
  for (std::uint64_t i = 0; i < kPeople; ++i) {
    tickets[i].room = FleetFixture::room(i / kRoomSize);
    tickets[i].participant = FleetFixture::person(tickets[i].room, i);
    tickets[i].generation = 1;
  }
  for ([[maybe_unused]] auto iteration : state) {
    state.PauseTiming();
    auto fleet = std::make_unique<FleetFixture>(static_cast<std::size_t>(state.range(0)),
                                                FleetFixture::Load::kIdle);
    std::vector<Decision> decisions;
    std::vector<Move> moves;
    decisions.reserve(kPeople);
    state.ResumeTiming();
    for (const Ticket& ticket : tickets) {
      BASCULE_CHECK(fleet->placement().enqueue(ticket, fleet->now()).has_value());
    }
    std::size_t confirmed = 0;
    for (int steps = 0; decisions.size() < kPeople; ++steps) {
      BASCULE_CHECK(steps < 1'000);
      for (std::size_t before = decisions.size() + 1; before != decisions.size();) {
        before = decisions.size();
        fleet->placement().drain(fleet->now(), decisions, moves);
      }
      for (; confirmed < decisions.size(); ++confirmed) {
        fleet->placement().confirmed(decisions[confirmed].ticket.participant, fleet->now());
      }
      fleet->advance(milliseconds{100});
    }
    state.PauseTiming();
    fleet.reset();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kPeople));
}

/// A new sample of a bridge whose ledger is as long as it gets: a join every 250 ms.
void reconcile_report(benchmark::State& state) {
  FleetFixture fleet(1, FleetFixture::Load::kIdle);
  std::vector<Decision> decisions;
  std::vector<Move> moves;
  std::uint64_t next = 0;
  std::uint64_t oldest = 0;
  const auto join = [&] {
    const RoomJid room = FleetFixture::room(next++);
    const OccupantJid person = FleetFixture::person(room, 0);
    BASCULE_CHECK(fleet.placement().enqueue({.room = room, .participant = person, .generation = 1},
                                            fleet.now()));
    fleet.placement().drain(fleet.now(), decisions, moves);
    fleet.placement().confirmed(person, fleet.now());
    if (next - oldest > 130) {  // A whole ledger of short stays, and no fuller bridge.
      const RoomJid leaving = FleetFixture::room(oldest++);
      fleet.placement().left(FleetFixture::person(leaving, 0), fleet.now());
    }
  };
  for (int i = 0; i < 130; ++i) {
    join();
    fleet.advance(milliseconds{250});
  }
  for ([[maybe_unused]] auto iteration : state) {
    join();
    fleet.advance(milliseconds{250});
    const auto begin = std::chrono::steady_clock::now();
    fleet.report(0);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    state.SetIterationTime(took.count());
  }
}

void fleet_sizes(benchmark::internal::Benchmark* benchmark) {
  for (const std::int64_t size : kFleetSizes) {
    benchmark->Arg(size);
  }
}

BENCHMARK(choose_bridge)->Apply(fleet_sizes);
BENCHMARK(select_bridge)->Apply(fleet_sizes);
BENCHMARK(burst)->Arg(200)->Arg(1'000)->Arg(10'000)->Unit(benchmark::kMillisecond);
BENCHMARK(reconcile_report)->UseManualTime();

}  // namespace
}  // namespace bascule::bench
