#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "sim/storm/ids.h"
#include "sim/storm/policy.h"

namespace bascule::sim::storm {

/// Who was put where, as a simple policy remembers it, and who still waits.
class Placements {
 public:
  struct Use {
    BridgeId bridge = 0;
    std::vector<PersonId> people;
  };

  Placements(std::size_t rooms, std::size_t people) : rooms_(rooms), people_(people) {}

  void place(PersonId person, RoomId room, BridgeId bridge);
  /// From its bridge and from the queue.
  void forget(PersonId person);
  /// Everybody on the bridge.
  void forget_bridge(BridgeId bridge);
  void forget_all();

  [[nodiscard]] const std::vector<Use>& uses(RoomId room) const { return rooms_[room]; }
  [[nodiscard]] std::vector<RoomId> rooms_on(BridgeId bridge) const;

  void wait(const Request& request);
  /// Of those who wait, in order; who was forgotten meanwhile is left out.
  [[nodiscard]] std::deque<Request>& waiting() { return waiting_; }
  [[nodiscard]] bool still_waits(PersonId person) const { return people_[person].waits; }

 private:
  struct Person {
    RoomId room = 0;
    std::optional<BridgeId> bridge;
    bool waits = false;
  };
  void take_off(PersonId person);

  std::vector<std::vector<Use>> rooms_;
  std::vector<Person> people_;
  std::deque<Request> waiting_;
};

}  // namespace bascule::sim::storm
