#include "focus/memory_records.h"

#include <algorithm>

namespace bascule::focus {
namespace {

/// Who was dropped comes back within this time or not at all (PlacementOptions::plan_ttl).
constexpr Duration kReturnMax = std::chrono::seconds{90};

}  // namespace

StoredTimes::StoredTimes(const Restored& restored, Now now)
    : now_(now),
      same_boot_(restored.same_boot),
      doubtful_(restored.last_commit && now.wall < *restored.last_commit) {
  if (restored.last_commit && !doubtful_) {
    const Duration pause = now.wall - *restored.last_commit;
    pause_ = pause <= kReturnMax ? pause : Duration::zero();
  }
}

Duration StoredTimes::since(Instant at, WallTime wall) const {
  if (same_boot_ && at != Instant{} && at <= now_.mono) {
    return now_.mono - at;
  }
  const bool usable = !doubtful_ && wall != WallTime{} && wall <= now_.wall;
  return usable ? std::min(now_.wall - wall, kLongAgo) : kLongAgo;
}

Duration StoredTimes::since_in_service(Instant at, WallTime wall) const {
  const Duration all = since(at, wall);
  return all == kLongAgo ? all : std::max(all - pause_, Duration::zero());
}

op::BridgeLearned to_record(const BridgeMemory& memory, Now now) {
  return {.bridge = memory.bridge,
          .at = now.mono,
          .wall = now.wall,
          .cost = memory.cost,
          .deviation = memory.deviation,
          .capacity = memory.capacity,
          .confirmations = static_cast<std::uint32_t>(memory.confirmations),
          .failures = memory.failures,
          .last_failure_age = memory.last_failure_age,
          .quarantine_left = memory.quarantine_left,
          .age = memory.age,
          .version = memory.version,
          .region = memory.region};
}

BridgeMemory from_record(const op::BridgeLearned& record, const StoredTimes& times) {
  const Duration since = times.since(record.at, record.wall);
  BridgeMemory memory;
  memory.bridge = record.bridge;
  memory.cost = record.cost;
  memory.deviation = record.deviation;
  memory.confirmations = static_cast<int>(std::min<std::uint32_t>(record.confirmations, 3));
  memory.capacity = record.capacity;
  memory.failures = record.failures;
  memory.last_failure_age = record.last_failure_age + since;
  memory.quarantine_left = std::max(record.quarantine_left - since, Duration::zero());
  memory.age = record.age + since;
  memory.version = record.version;
  memory.region = record.region;
  return memory;
}

op::RoomSeen to_record(const RoomMemory& memory, Now now) {
  return {.room = memory.room,
          .at = now.mono,
          .wall = now.wall,
          .bridge = memory.bridge,
          .size = memory.size,
          .age = memory.age};
}

RoomMemory from_record(const op::RoomSeen& record, const StoredTimes& times) {
  return {record.room, record.bridge, record.size,
          record.age + times.since_in_service(record.at, record.wall)};
}

op::Decision to_record(const DecisionRecord& record, Now now) {
  op::Decision decision{.at = now.wall - (now.mono - record.at),
                        .number = record.number,
                        .room = record.ticket.room,
                        .endpoint = EndpointId(record.ticket.participant.jid().resource()),
                        .kind = std::string(to_string(record.ticket.kind)),
                        .ticket_class = std::string(to_string(record.ticket_class)),
                        .bridge = std::nullopt,
                        .reason = {},
                        .waited = record.waited};
  if (record.reason) {
    decision.bridge = record.bridge;
    decision.reason = to_string(*record.reason);
  } else if (record.wait) {
    decision.reason = to_string(*record.wait);
  }
  if (!record.figures.empty()) {
    const CandidateFigures& figures = record.figures.front();
    decision.expected = figures.expected;
    decision.reported = figures.reported;
    decision.reserved = figures.reserved;
    decision.cost_per_unit = figures.cost_per_unit;
    decision.capacity = figures.capacity;
    decision.load = figures.load;
    decision.unaccounted = figures.unaccounted;
    decision.report_age = figures.report_age;
    decision.in_flight = figures.in_flight;
  }
  decision.limit = record.limit;
  decision.people = record.people;
  decision.candidates = static_cast<std::uint32_t>(record.open_bridges);
  decision.looked_at = static_cast<std::uint32_t>(record.looked_at);
  decision.settling = record.settling;
  decision.fleet_full = record.fleet_full;
  return decision;
}

void restore_memory(const Restored& restored, Placement& placement, Now now) {
  const StoredTimes times(restored, now);
  for (const auto& [jid, record] : restored.tables.bridges) {
    placement.restore_bridge(from_record(record, times), now);
  }
  for (const auto& [jid, record] : restored.tables.rooms) {
    placement.restore_room(from_record(record, times), now);
  }
  for (const auto& [key, decision] : restored.tables.decisions) {
    if (decision.bridge) {
      const OccupantJid participant(decision.room.jid().with_resource(decision.endpoint.value()));
      placement.restore_placement(participant, *decision.bridge,
                                  times.since(Instant{}, decision.at), now);
    }
  }
}

}  // namespace bascule::focus
