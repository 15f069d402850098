#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "sim/storm/ids.h"
#include "sim/storm/truth_options.h"

namespace bascule::sim::storm {

/// Whose media runs over which bridge, and the load that follows from it.
///
/// The load of a bridge is sum over its sessions (a conference on a bridge) of eq * w(k), plus 0.1
/// per participant elsewhere (at most 20) when the conference is split. eq counts participants,
/// each rising evenly from 0 to 1 during the ramp that starts one second after its placement; k is
/// the whole conference without its visitors, who cost less. All of it is kept as integers
/// (hundredths of a unit times ramp steps) that change with events only: a step costs nothing per
/// participant and nothing drifts.
class Media {
 public:
  struct Sizes {
    std::size_t bridges = 0, rooms = 0, people = 0;
  };
  Media(const TruthOptions& options, Sizes sizes);

  /// From now on this person only receives.
  void set_visitor(PersonId person) { people_[person].visitor = true; }
  /// The person has no place.
  void place(PersonId person, RoomId room, BridgeId bridge, Step now);
  /// The person has a place.
  void remove(PersonId person, Step now);
  /// The bridge was restarted; nobody is on it any more.
  void restart(BridgeId bridge);
  /// Lets ramps begin and end; call once per step before asking for loads.
  void advance(Step now);

  /// Load in units, without noise and join cost.
  [[nodiscard]] double units(BridgeId bridge, Step now) const;
  /// Joins of the last second.
  [[nodiscard]] std::int32_t joining(BridgeId bridge) const { return bridges_[bridge].joining; }
  [[nodiscard]] const std::vector<PersonId>& people_on(BridgeId bridge) const {
    return bridges_[bridge].people;
  }
  [[nodiscard]] bool placed(PersonId person) const { return people_[person].phase != Phase::kNone; }
  [[nodiscard]] BridgeId bridge_of(PersonId person) const { return people_[person].bridge; }
  /// Where the conference is now.
  [[nodiscard]] std::vector<BridgeId> bridges_of(RoomId room) const;
  [[nodiscard]] std::int64_t total_joins(BridgeId bridge) const {
    return bridges_[bridge].total_joins;
  }
  /// Conferences that used two bridges at once for longer than a whole one takes to move.
  [[nodiscard]] std::size_t splits(Step now) const;
  /// The same from now on.
  void forget_splits(Step now);

 private:
  enum class Phase : std::uint8_t { kNone, kConnecting, kRamping, kSettled };
  struct Stay {
    BridgeId bridge = 0;
    RoomId room = 0;
    Step ramp_start = 0;
    std::uint32_t serial = 0;  ///< Of the placement; queued ramps of earlier ones are stale.
    std::uint32_t slot = 0;    ///< In the list of the bridge.
    Phase phase = Phase::kNone;
    bool visitor = false;
  };
  struct Count {
    std::int64_t settled = 0, ramping = 0, ramp_starts = 0;
  };
  struct Session {
    BridgeId bridge = 0;
    std::int64_t people = 0;
    Count members, visitors;
  };
  struct Room {
    std::int64_t people = 0, members = 0;
    std::vector<Session> sessions;
    Step apart_since = 0;  ///< Only while there are two sessions.
    bool split = false;
  };
  struct Bridge {
    std::int64_t fixed = 0, slope = 0;  ///< load = (fixed + slope * step) / (100 * ramp)
    std::int32_t joining = 0;
    std::uint32_t life = 0;
    std::int64_t total_joins = 0;
    std::vector<PersonId> people;
  };
  struct Ramp {
    Step due = 0;
    PersonId person = 0;
    std::uint32_t serial = 0;
    BridgeId bridge = 0;
    std::uint32_t life = 0;
  };

  /// Adds (sign 1) or takes away (-1) what the conference costs its bridges.
  void count(const Room& room, std::int64_t sign);
  Session& session(Room& room, BridgeId bridge, Step now);
  static Count& count_of(Session& session, const Stay& stay) {
    return stay.visitor ? session.visitors : session.members;
  }
  void drop_session(Room& room, BridgeId bridge, Step now);
  void begin_ramp(const Ramp& ramp);
  void end_ramp(const Ramp& ramp);

  CostShape shape_;
  Step ramp_steps_;
  std::vector<Stay> people_;
  std::vector<Room> rooms_;
  std::vector<Bridge> bridges_;
  std::deque<Ramp> starting_, ending_;
};

}  // namespace bascule::sim::storm
