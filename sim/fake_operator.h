#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/prng.h"
#include "focus/action.h"
#include "sim/focus_host.h"
#include "sim/schedule.h"

namespace bascule::sim {

/// An operator at work: drains, evacuates, moves and pins at random, and takes it back. Watches
/// that no bridge gets a meeting it did not have while its drain is in force, also after the focus
/// was killed.
class FakeOperator {
 public:
  struct Fleet {
    std::vector<BridgeJid> bridges;
    std::vector<RoomJid> rooms;
  };
  /// Draws from a generator of its own: the rest of the world is the same with and without it.
  FakeOperator(Schedule& schedule, FocusHost& host, Fleet fleet, std::uint64_t seed);

  /// Plans what it does until `end`.
  void plan(Duration end);
  /// Takes everything back, as often as it needs.
  void retire();
  void observe(const focus::Action& action);

  /// Bridges that are drained, or may be: the order was given.
  [[nodiscard]] std::size_t drained() const { return given_.size(); }
  [[nodiscard]] bool drains(const BridgeJid& bridge) const { return given_.contains(bridge); }
  [[nodiscard]] std::uint64_t orders() const { return last_; }
  [[nodiscard]] const std::vector<std::string>& complaints() const { return complaints_; }

 private:
  void drain();
  void undrain(const BridgeJid& bridge);
  void move();
  void pin();
  void give(focus::Order order);

  Schedule& schedule_;
  FocusHost& host_;
  Fleet fleet_;
  Prng prng_;
  std::uint64_t last_ = 0;
  std::map<focus::OrderId, focus::Order> asked_;
  std::set<BridgeJid> given_;     // Drains that were ordered, answered or not.
  std::set<BridgeJid> in_force_;  // Those the focus said yes to.
  std::vector<std::string> complaints_;
};

}  // namespace bascule::sim
