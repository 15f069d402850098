#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "base/prng.h"
#include "focus/admission.h"
#include "focus/bridge_registry.h"
#include "focus/conference_loads.h"
#include "focus/placement.h"
#include "focus/placement_limiter.h"
#include "focus/selector.h"
#include "focus/ticket_rules.h"

namespace bascule::focus {

/// Joins registry, loads, queue and rules; see `Placement` for what its functions promise. Private
/// to placement*.cc.
class Placement::Impl {
 public:
  Impl(const PlacementOptions& options, std::uint64_t seed);

  void service_up(Now now);
  void service_down(Now now);
  std::vector<RoomJid> report(const stats::BridgeReport& report, Now now);
  void bridge_left(const BridgeJid& bridge, Now now);
  std::vector<RoomJid> bridge_failed(const BridgeJid& bridge, FailureCause cause, Now now);
  void set_suspect(const BridgeJid& bridge, bool suspect, Now now);
  void set_cordoned(const BridgeJid& bridge, bool cordoned, Now now);

  Result<> enqueue(const Ticket& ticket, Now now);
  void cancel(const OccupantJid& participant, std::uint32_t generation);
  void confirmed(const OccupantJid& participant, Now now);
  void allocation_failed(const OccupantJid& participant, Now now);
  void left(const OccupantJid& participant, Now now);
  void conference_ended(const RoomJid& room, Now now);
  void restore_participant(const RoomJid& room, const OccupantJid& participant,
                           const BridgeJid& bridge, Now now);

  void drain(Now now, std::vector<Decision>& out);
  [[nodiscard]] std::optional<Instant> next_deadline() const;
  [[nodiscard]] Overload overload(Now now) const;

  [[nodiscard]] BridgeView view(const Bridge& bridge, Instant now) const;
  [[nodiscard]] std::optional<WaitReason> waiting_for(const OccupantJid& participant) const;
  [[nodiscard]] const BridgeRegistry& registry() const { return registry_; }
  [[nodiscard]] const ConferenceLoads& loads() const { return loads_; }
  [[nodiscard]] const Admission& queue() const { return queue_; }
  [[nodiscard]] const Bridge* place_of(const OccupantJid& participant) const;
  [[nodiscard]] const PlacementCounters& counters() const { return counters_; }
  void check_invariants() const;

 private:
  /// A participant we know: with a place, a ticket, both (while moving) or neither (the caller is
  /// about to enqueue it again).
  struct Member {
    Bridge* bridge = nullptr;  // Its place.
    bool in_flight = false;    // The allocation is not answered.
    std::uint32_t generation = 0;
    Instant placed_at{};
    Milliunits join_load = 0;
    struct Avoided {
      BridgeJid bridge;
      Instant until;
    };
    std::vector<Avoided> avoided;  // After failed allocations.
    bool waited_before = false;    // Goes to the front of its room.
  };
  using Members = std::map<OccupantJid, Member>;
  struct LostConference {
    RoomJid room;
    std::int64_t size = 0;
    bool had_people = false;  // Otherwise it only had a reservation there.
  };

  /// Members of one room are neighbours in the map.
  [[nodiscard]] std::pair<Members::iterator, Members::iterator> members_of(const RoomJid& room);
  Member& member(const RoomJid& room, const OccupantJid& participant);
  void forget(Members::iterator member, Now now);
  void drop_place(const OccupantJid& participant, Member& member, Instant now);
  void note_room_failure(const RoomJid& room, Instant placed_at, Instant now);
  void tell_queue(const RoomJid& room, Instant now);
  std::vector<LostConference> strip_bridge(Bridge& bridge, Instant now);
  void plan_conferences(const std::vector<LostConference>& lost, Instant now);

  [[nodiscard]] Candidate candidate_for(const Bridge& bridge, Instant now) const;
  void take_snapshot(Instant now);
  [[nodiscard]] bool fleet_is_full(const std::vector<Candidate>& candidates) const;
  [[nodiscard]] std::optional<WaitReason> why_nobody(Instant now) const;
  std::optional<WaitReason> serve(const WaitingTicket& waiting, Instant now,
                                  std::vector<Decision>& out);
  void commit(const WaitingTicket& waiting, const Spot& spot, Instant now,
              std::vector<Decision>& out);
  void refresh_candidates(const ConferenceLoad& room, Instant now);
  /// Something changed that may let a ticket through.
  void wake(Instant now);
  [[nodiscard]] Instant next_pace(Instant now) const;

  PlacementOptions options_;
  Prng prng_;
  BridgeRegistry registry_;
  ConferenceLoads loads_;
  Admission queue_;
  Selector selector_;
  PlacementLimiter global_limiter_;
  Members members_;
  PlacementCounters counters_;

  std::optional<Instant> last_pass_;
  std::optional<Instant> next_pass_;  // While tickets wait and the gate is open.
  bool fleet_full_ = false;           // As of the last snapshot, like the next.
  std::optional<WaitReason> nobody_;
};

}  // namespace bascule::focus
