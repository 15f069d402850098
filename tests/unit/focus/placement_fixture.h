#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "focus/placement.h"

namespace bascule::focus {

/// Instant `offset` after an arbitrary start; the wall clock is deliberately unrelated.
inline Now at(Duration offset) {
  return {Instant{std::chrono::hours{5} + offset}, WallTime{std::chrono::hours{9}}};
}

inline RoomJid room(const std::string& name) {
  return RoomJid(Jid::parse(name + "@conference.example.net").value());
}
inline OccupantJid occupant(const RoomJid& room, int number) {
  return OccupantJid(room.jid().with_resource("p" + std::to_string(number)));
}
inline BridgeJid bridge(int number) {
  const std::string digits = std::to_string(1000 + number);
  return BridgeJid(Jid::parse("brewery@internal.example.net/jvb" + digits).value());
}

inline Ticket ticket(const RoomJid& room, int number, TicketKind kind = TicketKind::kJoin,
                     std::uint32_t generation = 1) {
  Ticket result;
  result.room = room;
  result.participant = occupant(room, number);
  result.generation = generation;
  result.kind = kind;
  return result;
}

/// A report with millionths of stress; `sequence` makes its timestamp unique.
inline stats::BridgeReport report_of(const BridgeJid& bridge, std::int64_t stress,
                                     std::int64_t sequence) {
  stats::BridgeReport report;
  report.bridge = bridge;
  report.stress = Stress(stress);
  report.bridge_timestamp = "t" + std::to_string(sequence);
  return report;
}

/// Options under which nothing but what a test is about makes tickets wait.
inline PlacementOptions unpaced() {
  PlacementOptions options;
  options.placement_interval = std::chrono::microseconds{1};
  options.placement_burst = 10'000;
  options.global_rate = options.global_rate_min = 100'000;
  options.global_burst = 10'000;
  options.max_in_flight = 100'000;
  options.unknown_window = Stress();
  options.max_decisions_per_drain = 100'000;
  options.pause_max = Duration::zero();  // Tests jump over quiet times.
  return options;
}

/// Link up, `count` idle bridges present, gate open; returns the instant reached (30 s).
inline Now settled(Placement& placement, int count) {
  placement.service_up(at(Duration::zero()));
  for (int i = 0; i < count; ++i) {
    placement.report(report_of(bridge(i), 0, 1), at(std::chrono::seconds{1}));
  }
  std::vector<Decision> none;
  std::vector<Move> nobody;
  for (const int second : {6, 21, 30}) {
    placement.drain(at(std::chrono::seconds{second}), none, nobody);
  }
  return at(std::chrono::seconds{30});
}

inline std::vector<Decision> drained(Placement& placement, Now now) {
  std::vector<Decision> decisions;
  std::vector<Move> moves;
  placement.drain(now, decisions, moves);
  return decisions;
}

}  // namespace bascule::focus
