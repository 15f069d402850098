#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/focus/placement_fixture.h"

namespace bascule::focus {

/// A placement with its bridges and a clock, so that a test reads as a story. Starts 30 s after the
/// service link came up, with idle bridges 0 to `count` - 1; what they say besides their load may
/// be set with `describe` before.
class Fleet {
 public:
  using Describe = std::function<void(int number, stats::BridgeReport& report)>;

  Fleet(const PlacementOptions& options, int count, const Describe& describe = {},
        std::int64_t cost = 0)
      : placement(options, 1) {
    for (int i = 0; i < count; ++i) {
      if (cost > 0) {
        placement.restore_bridge({.bridge = bridge(i),
                                  .cost = Stress(cost),
                                  .deviation = Stress(cost / 50),
                                  .confirmations = 3},
                                 now());
      }
      reports_.push_back(report_of(bridge(i), 0, 0));
      if (describe) {
        describe(i, reports_.back());
      }
    }
    placement.service_up(now());
    pass(std::chrono::seconds{1});
    say_all(0);
    pass(std::chrono::seconds{29});
    say_all(0);
  }

  [[nodiscard]] Now now() const { return at(time); }

  /// The bridge reports this stress, in millionths.
  std::vector<RoomJid> say(int number, std::int64_t stress) {
    stats::BridgeReport& report = reports_.at(static_cast<std::size_t>(number));
    report.stress = Stress(stress);
    report.bridge_timestamp = "t" + std::to_string(++sequence_);
    return placement.report(report, now());
  }
  void say_all(std::int64_t stress) {
    for (int i = 0; i < static_cast<int>(reports_.size()); ++i) {
      say(i, stress);
    }
  }
  /// What it says besides, from its next report on.
  stats::BridgeReport& report(int number) { return reports_.at(static_cast<std::size_t>(number)); }

  std::vector<Decision> drain() {
    std::vector<Decision> placed;
    placement.drain(now(), placed, moves);
    return placed;
  }
  /// Time passes, with a call of `drain` every second; what was decided meanwhile.
  std::vector<Decision> pass(Duration duration) {
    std::vector<Decision> all;
    const Duration end = time + duration;
    while (time < end) {
      time = std::min(end, time + Duration(std::chrono::seconds{1}));
      const auto placed = drain();
      all.insert(all.end(), placed.begin(), placed.end());
    }
    return all;
  }

  void ask(const Ticket& wanted) {
    const auto result = placement.enqueue(wanted, now());
    ASSERT_TRUE(result.has_value()) << result.error().what;
  }
  /// Asks, decides, and answers the allocations.
  std::vector<Decision> join(const Ticket& wanted) {
    ask(wanted);
    return answered(drain());
  }
  /// Participants `first` to `first` + `count` - 1 of the room.
  std::vector<Decision> join(const std::string& name, int count, int first = 0) {
    for (int i = first; i < first + count; ++i) {
      ask(ticket(room(name), i));
    }
    return answered(drain());
  }
  /// Participants `first` to `first` + `count` - 1 on that bridge, by avoiding all others.
  void seat(const std::string& name, int on_bridge, int count, int first = 0) {
    for (int i = first; i < first + count; ++i) {
      Ticket wanted = ticket(room(name), i);
      for (int other = 0; other < static_cast<int>(reports_.size()); ++other) {
        if (other != on_bridge) {
          wanted.avoid.push_back(bridge(other));
        }
      }
      ask(wanted);
    }
    answered(drain());
    for (int i = first; i < first + count; ++i) {
      ASSERT_EQ(place_of(name, i), on_bridge) << name << " " << i;
    }
  }
  /// The same, placed in an earlier life: their load is settled.
  void restore(const std::string& name, int on_bridge, int count, int first = 0) {
    for (int i = first; i < first + count; ++i) {
      placement.restore_participant(room(name), occupant(room(name), i), bridge(on_bridge), now());
    }
  }
  std::vector<Decision> answered(std::vector<Decision> decisions) {
    for (const Decision& decision : decisions) {
      placement.confirmed(decision.ticket.participant, now());
    }
    return decisions;
  }
  void leave(const std::string& name, int number) {
    placement.left(occupant(room(name), number), now());
  }
  std::vector<RoomJid> fail(int number, FailureCause cause = FailureCause::kLeft) {
    return placement.bridge_failed(bridge(number), cause, now());
  }
  [[nodiscard]] BridgeView view(int number) const {
    return placement.bridge(bridge(number), now()).value();
  }
  /// The number of the bridge, -1: nowhere.
  [[nodiscard]] int place_of(const std::string& name, int number) const {
    return number_of(placement.bridge_of(occupant(room(name), number)));
  }
  [[nodiscard]] int home_of(const std::string& name) const {
    return number_of(placement.bridge_of(room(name)));
  }
  [[nodiscard]] std::optional<WaitReason> waits(const std::string& name, int number) const {
    return placement.waiting_for(occupant(room(name), number));
  }
  std::vector<Move> take_moves() { return std::exchange(moves, {}); }

  Placement placement;
  std::vector<Move> moves;
  Duration time{};

 private:
  [[nodiscard]] int number_of(const std::optional<BridgeJid>& jid) const {
    for (int i = 0; jid && i < static_cast<int>(reports_.size()); ++i) {
      if (bridge(i) == *jid) {
        return i;
      }
    }
    return -1;
  }

  std::vector<stats::BridgeReport> reports_;
  std::int64_t sequence_ = 0;
};

/// `unpaced` with relays; every bridge then needs a relay id (`with_relays`).
inline PlacementOptions spanning() {
  PlacementOptions options = unpaced();
  options.relays = true;
  return options;
}
inline void with_relays(int number, stats::BridgeReport& report) {
  report.relay_id = "relay" + std::to_string(number);
}

/// The numbers of decisions per bridge.
inline std::vector<int> spread(const std::vector<Decision>& decisions, int bridges) {
  std::vector<int> counts;
  for (int i = 0; i < bridges; ++i) {
    counts.push_back(static_cast<int>(
        std::count_if(decisions.begin(), decisions.end(),
                      [&](const Decision& decision) { return decision.bridge == bridge(i); })));
  }
  return counts;
}

}  // namespace bascule::focus
