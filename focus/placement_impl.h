#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/prng.h"
#include "focus/admission.h"
#include "focus/bridge_registry.h"
#include "focus/conference_loads.h"
#include "focus/decision_log.h"
#include "focus/global_pace.h"
#include "focus/pause_guard.h"
#include "focus/placement.h"
#include "focus/selector.h"
#include "focus/ticket_rules.h"

namespace bascule::focus {

/// Joins registry, loads, queue and rules; see `Placement` for what its functions promise. Private
/// to placement*.cc: bridges and participants in placement_impl.cc, the passes over the queue in
/// placement_drain.cc, plans and returns in placement_plans.cc, making room in placement_relief.cc,
/// what operators order in placement_orders.cc.
class Placement::Impl {
 public:
  Impl(const PlacementOptions& options, std::uint64_t seed);

  void service_up(Now now);
  void service_down(Now now);
  std::vector<RoomJid> report(const stats::BridgeReport& report, Now now, ReportOrigin origin);
  void bridge_left(const BridgeJid& bridge, Now now);
  std::vector<RoomJid> bridge_failed(const BridgeJid& bridge, FailureCause cause, Now now);
  void set_suspect(const BridgeJid& bridge, bool suspect, Now now);
  void set_cordoned(const BridgeJid& bridge, bool cordoned, Now now);
  void set_evacuating(const BridgeJid& bridge, bool evacuating, Now now);
  Result<OrderDone> order_move(const order::Move& move, Now now);
  void set_standby(const BridgeJid& bridge, bool standby, Now now);
  void pin(const RoomJid& room, const std::string& version, Duration for_time, Now now);
  void unpin(const RoomJid& room);
  void restore_bridge(const BridgeMemory& memory, Now now);
  void restore_room(const RoomMemory& memory, Now now);
  [[nodiscard]] std::vector<BridgeMemory> bridge_memory(Now now) const;
  [[nodiscard]] std::optional<BridgeMemory> bridge_memory(const BridgeJid& jid, Now now) const;
  [[nodiscard]] std::vector<RoomMemory> room_memory(Now now) const;
  [[nodiscard]] std::optional<RoomMemory> room_memory(const RoomJid& jid, Now now) const;

  Result<> enqueue(const Ticket& ticket, Now now);
  void cancel(const OccupantJid& participant, std::uint32_t generation);
  void confirmed(const OccupantJid& participant, Now now);
  void allocation_failed(const OccupantJid& participant, Now now);
  bool restart_requested(const OccupantJid& participant, Now now);
  void note_answer_time(Duration took, Now now);
  void mass_drop(Now now);
  void left(const OccupantJid& participant, Now now);
  void conference_ended(const RoomJid& room, Now now);
  void restore_placement(const OccupantJid& participant, const BridgeJid& bridge, Duration age,
                         Now now);
  void restore_participant(const RoomJid& room, const OccupantJid& participant,
                           const BridgeJid& bridge, Now now);

  void drain(Now now, std::vector<Decision>& placed, std::vector<Move>& moves);
  [[nodiscard]] std::optional<Instant> next_deadline() const;
  [[nodiscard]] Overload overload(Now now) const;

  [[nodiscard]] BridgeView view(const Bridge& bridge, Now now) const;
  [[nodiscard]] Mode mode() const;
  [[nodiscard]] Blindness blindness() const { return blindness_; }
  [[nodiscard]] Duration oldest_wait(Now now) const;
  [[nodiscard]] std::optional<WaitReason> waiting_for(const OccupantJid& participant) const;
  [[nodiscard]] const DecisionLog& decisions() const { return decisions_; }
  [[nodiscard]] const BridgeRegistry& registry() const { return registry_; }
  [[nodiscard]] const ConferenceLoads& loads() const { return loads_; }
  [[nodiscard]] const Admission& queue() const { return queue_; }
  [[nodiscard]] const Bridge* place_of(const OccupantJid& participant) const;
  [[nodiscard]] std::optional<PlaceView> place_of(const OccupantJid& participant, Now now) const;
  [[nodiscard]] std::vector<WaitingView> longest_waiting(std::size_t limit, Now now) const;
  [[nodiscard]] const PlacementCounters& counters() const { return counters_; }
  void check_invariants() const;

 private:
  /// A participant we know: with a place, a ticket, both (while moving) or neither (the caller is
  /// about to enqueue it again).
  struct Member {
    ConferenceLoad* room = nullptr;  // Lives as long as it has members.
    Bridge* bridge = nullptr;        // Its place.
    bool in_flight = false;          // The allocation is not answered.
    std::uint32_t generation = 0;
    ConferenceLoads::Stay stay{Role::kMember, 0, Instant{}};
    struct Avoided {
      BridgeJid bridge;
      Instant until;
    };
    std::vector<Avoided> avoided;        // After failed allocations.
    bool waited_before = false;          // Goes to the front of its room.
    std::optional<Instant> move_wanted;  // Told in a Move, not answered by a ticket yet.
    struct Wish {
      BridgeJid bridge;
      Instant until;
    };
    std::optional<Wish> wish;      // The bridge an operator named for its next move.
    std::uint32_t restart_of = 0;  // Number of the bridge for which it asked for a restart ...
    Instant restart_at{};          // ... last.
  };
  using Members = std::map<OccupantJid, Member>;
  /// A conference that needs a new bridge as a whole.
  struct Homeless {
    RoomJid room;
    std::int64_t size = 0;
    bool had_people = false;  // Otherwise it only had a plan there.
  };
  struct Pin {
    std::string version;
    Instant until;
  };
  /// People leaving within a few seconds: a crash looks like that.
  struct Departures {
    std::uint64_t window = 0;
    Instant since{};
    std::size_t before = 0, gone = 0;
  };

  // Time and housekeeping.
  Instant clock(Now now);
  [[nodiscard]] Instant time_of(Now now) const { return pauses_.inside(now.mono); }
  void tick_if_due(Instant now);
  void tick(Instant now);
  void refresh_fleet(Instant now);
  /// Sorts in again whose load changed.
  void flush(Instant now);
  void sort_in(Bridge& bridge, Instant now) { selector_.sort_in(bridge, now); }
  /// Something changed that may let a ticket through.
  void wake(Instant now);

  // Participants.
  /// Members of one room are neighbours in the map.
  [[nodiscard]] std::pair<Members::iterator, Members::iterator> members_of(const RoomJid& room);
  Member& member(const RoomJid& room, const OccupantJid& participant, Instant now);
  void forget(Members::iterator member, Instant now);
  void drop_place(Member& member, Instant now);
  void note_departure(Bridge& bridge, Instant now);
  void note_room_failure(ConferenceLoad& room, Instant placed_at, Instant now);
  void note_reinvite(ConferenceLoad& room, Instant now);
  void tell_queue(const ConferenceLoad& room, Instant now);

  // Plans.
  /// The version new bridges of the room must have; null: any.
  [[nodiscard]] const std::string* pinned_version(const RoomJid& room) const;
  std::vector<Homeless> strip_bridge(Bridge& bridge, FailureCause cause, Instant now);
  void suspect_of_killing(ConferenceLoad& room, Instant now);
  void plan_conferences(const std::vector<Homeless>& homeless, Instant now);
  void plan_return(const RoomMemory& memory, Instant now);
  void everybody_dropped(Instant now);
  /// How much of the fleet is back.
  enum class Back : std::uint8_t { kTooFew, kEnough, kAll };
  [[nodiscard]] Back bridges_back() const;
  void settle_if_due(Instant now);
  void replan_missing(Instant now);

  // Making room.
  void relieve_bridges(Instant now);
  void make_room(Bridge& bridge, const ConferenceLoad* blocked, Instant now);
  bool move_away(ConferenceLoad& room, MoveCause cause, Milliunits load, Instant now);
  [[nodiscard]] bool may_move(const ConferenceLoad& room, Instant now) const;
  bool move_smallest(Bridge& bridge, const ConferenceLoad* blocked, Instant now);
  void relieve(Bridge& bridge, Instant now);
  std::int64_t hand_over(ConferenceLoad& room, Bridge& from, std::int64_t people, MoveCause cause,
                         Instant now);
  void want_move(ConferenceLoad& room, const OccupantJid& participant, Member& who, MoveCause cause,
                 Instant now);
  /// It was told in a Move just now: the ticket is on its way.
  [[nodiscard]] static bool is_asked(const Member& who, Instant now);
  void activate_spare(Instant now);

  // Orders.
  void evacuate_bridges(Instant now);
  void evacuate(Bridge& bridge, Instant now);
  void count_leaving(Bridge& bridge);
  void plan_move(ConferenceLoad& room, Bridge& to, MoveCause cause, Instant now);
  [[nodiscard]] Result<Bridge*> target_of(const order::Move& move, Instant now);
  [[nodiscard]] Result<std::vector<ConferenceLoad*>> rooms_of(const order::Move& move);
  Result<OrderDone> move_conferences(const order::Move& move,
                                     const std::vector<ConferenceLoad*>& rooms, Bridge* to,
                                     Instant now);
  Result<OrderDone> move_people(const order::Move& move, const std::vector<ConferenceLoad*>& rooms,
                                Bridge* to, Instant now);
  std::size_t move_people_of(ConferenceLoad& room, const order::Move& move, Bridge* to,
                             std::size_t people_max, Instant now);

  // Decisions.
  [[nodiscard]] std::optional<WaitReason> why_nobody(Instant now) const;
  std::optional<WaitReason> serve(const WaitingTicket& waiting, TicketClass ticket_class,
                                  Instant now, std::vector<Decision>& out);
  [[nodiscard]] TicketCase case_of(const WaitingTicket& waiting, TicketClass ticket_class,
                                   Member& who, Instant now);
  void commit(const WaitingTicket& waiting, TicketClass ticket_class, Member& who, const Spot& spot,
              Instant now, std::vector<Decision>& out);
  void end_plan_if_done(ConferenceLoad& room, const Bridge& bridge, Instant now);
  void note_wait(const WaitingTicket& waiting, TicketClass ticket_class, WaitReason reason,
                 Instant now);
  [[nodiscard]] DecisionRecord record_of(const WaitingTicket& waiting, TicketClass ticket_class,
                                         const ConferenceLoad& room, Instant now) const;
  [[nodiscard]] CandidateFigures figures_of(const Bridge& bridge, Stress limit, Instant now) const;
  void add_figures(DecisionRecord& record, const Bridge& bridge, Instant now) const;
  [[nodiscard]] Instant next_pace(Instant now) const;

  PlacementOptions options_;
  Prng prng_;
  BridgeRegistry registry_;
  ConferenceLoads loads_;
  Admission queue_;
  Selector selector_;
  GlobalPace pace_;
  PauseGuard pauses_;
  DecisionLog decisions_;
  Members members_;
  /// Of earlier processes, lately; until the link to the bridges is up.
  std::map<std::pair<OccupantJid, BridgeJid>, Instant> placed_before_;
  std::map<RoomJid, Pin> pins_;
  PlacementCounters counters_;
  std::vector<Move> moves_;  // Not told yet.

  std::optional<Instant> last_pass_;
  std::optional<Instant> next_pass_;  // While tickets wait and the link is up.
  std::optional<Instant> next_tick_;  // While there is anything to look after.

  Instant latest_{};  // Of all calls.

  // As of the last tick.
  bool fleet_full_ = false;
  bool fleet_blind_ = false;
  Blindness blindness_;
  std::optional<Instant> full_since_;

  std::size_t placed_ = 0;  // Members with a place.
  Departures departures_;
  std::optional<Instant> returns_until_;  // After a mass drop, whoever leaves comes back.
  std::size_t known_before_ = 0;          // Bridges when settling began.
  std::optional<Instant> enough_since_;   // Of them are back.
  std::optional<Instant> spare_activated_at_;
};

}  // namespace bascule::focus
