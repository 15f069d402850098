#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/prng.h"
#include "focus/load_units.h"
#include "focus/placement.h"
#include "tests/unit/focus/placement_fixture.h"

namespace bascule::focus {

/// What bridges really carry, known to the tests only. A participant's load starts a second after
/// its placement and rises for 15 s; each bridge averages 10 s of it at a random phase and
/// publishes every 5 s: the behaviour of jitsi-videobridge that makes naive selection fail.
class TrueFleet {
 public:
  TrueFleet(const std::vector<std::int64_t>& costs, std::uint64_t seed) : prng_(seed) {
    for (const std::int64_t cost : costs) {
      bridges_.push_back({cost, phase(10'000), phase(5'000), {}, {}, {}, 0});
    }
  }

  void place(const Decision& decision, Instant now) {
    remove(decision.ticket.participant);
    const auto index = index_of(decision.bridge);
    bridges_[index].people[decision.ticket.participant] = now;
    ++bridges_[index].rooms[decision.ticket.room];
    ++sizes_[decision.ticket.room];
    where_[decision.ticket.participant] = index;
  }
  void remove(const OccupantJid& participant) {
    const auto found = where_.find(participant);
    if (found == where_.end()) {
      return;
    }
    Truth& truth = bridges_[found->second];
    const RoomJid room(participant.jid().bare());
    truth.people.erase(participant);
    if (--truth.rooms[room] == 0) {
      truth.rooms.erase(room);
    }
    --sizes_[room];
    where_.erase(found);
  }
  std::vector<OccupantJid> kill(std::size_t index) {
    std::vector<OccupantJid> victims;
    for (const auto& [participant, since] : bridges_[index].people) {
      victims.push_back(participant);
    }
    for (const OccupantJid& participant : victims) {
      remove(participant);
    }
    bridges_[index].history.clear();
    bridges_[index].sample = 0;
    return victims;
  }

  /// Load when everybody there has reached full load, in millionths.
  std::int64_t final_load(std::size_t index) const {
    Milliunits load = 0;
    for (const auto& [room, people] : bridges_[index].rooms) {
      load += people * participant_load(sizes_.at(room));
    }
    return load * bridges_[index].cost / 1000;
  }
  std::int64_t highest_final_load() const {
    std::int64_t highest = 0;
    for (std::size_t i = 0; i < bridges_.size(); ++i) {
      highest = std::max(highest, final_load(i));
    }
    return highest;
  }

  /// Call every 250 ms; reports of bridges for which `alive` holds go to `placement`.
  template <class Alive>
  void step(Duration elapsed, Placement& placement, Alive alive) {
    const Now now = at(elapsed);
    const std::int64_t ms = elapsed / std::chrono::milliseconds{1};
    for (std::size_t i = 0; i < bridges_.size(); ++i) {
      if (!alive(i)) {
        continue;
      }
      Truth& truth = bridges_[i];
      truth.history.push_back(load_now(truth, now.mono));
      if (truth.history.size() > 40) {
        truth.history.erase(truth.history.begin());
      }
      if (ms % 10'000 == truth.sample_phase) {
        std::int64_t sum = 0;
        for (const std::int64_t value : truth.history) {
          sum += value;
        }
        const auto noise = static_cast<std::int64_t>(prng_.below(2'001)) - 1'000;
        truth.sample = std::max<std::int64_t>(
            0, sum / static_cast<std::int64_t>(truth.history.size()) + noise);
      }
      if (ms % 5'000 == truth.publish_phase) {
        auto report = report_of(bridge(static_cast<int>(i)), truth.sample, ms);
        report.relay_id = "relay" + std::to_string(i);
        placement.report(report, now);
      }
    }
  }

  std::size_t size() const { return bridges_.size(); }
  std::size_t people(std::size_t index) const { return bridges_[index].people.size(); }

 private:
  struct Truth {
    std::int64_t cost;
    std::int64_t sample_phase, publish_phase;
    std::map<OccupantJid, Instant> people;
    std::map<RoomJid, std::int64_t> rooms;
    std::vector<std::int64_t> history;
    std::int64_t sample;
  };

  std::int64_t phase(std::uint64_t period_ms) {
    return static_cast<std::int64_t>(prng_.below(period_ms / 250)) * 250;
  }
  static std::size_t index_of(const BridgeJid& jid) {
    return std::stoul(jid.jid().resource().substr(3)) - 1000;
  }
  std::int64_t load_now(const Truth& truth, Instant now) const {
    std::int64_t load = 0;
    for (const auto& [participant, since] : truth.people) {
      const std::int64_t active = (now - since) / std::chrono::milliseconds{1} - 1'000;
      load += participant_load(sizes_.at(RoomJid(participant.jid().bare()))) *
              std::clamp<std::int64_t>(active, 0, 15'000) / 15'000;
    }
    return load * truth.cost / 1000;
  }

  Prng prng_;
  std::vector<Truth> bridges_;
  std::map<RoomJid, std::int64_t> sizes_;
  std::map<OccupantJid, std::size_t> where_;
};

}  // namespace bascule::focus
