// The people and the faults of a run, drawn before it starts.

#include <algorithm>
#include <numeric>

#include "sim/storm/random_stream.h"
#include "sim/storm/scenario.h"

namespace bascule::sim::storm {
namespace {

using std::chrono::seconds;
using Kind = ScriptEvent::Kind;

constexpr Duration kWarm = seconds{300};
constexpr Duration kServerBack = seconds{10};
constexpr int kVisitors = 490;         // Of 500, so that there is somebody to look at.
constexpr double kJoinAfterMean = 20;  // Seconds after the start of the conference.
constexpr double kStayMin = 60;
constexpr double kStayMean = 600;  // On top of kStayMin.

class Writer {
 public:
  Writer(const Scenario& scenario, const ScriptSetup& setup)
      : scenario_(scenario),
        setup_(setup),
        people_(setup.seed, StreamUse::kPeople),
        faults_(setup.seed, StreamUse::kEvents) {
    script_.serving =
        setup.bridges - setup.bridges * static_cast<std::size_t>(scenario.spare_permille) / 1000;
    for (BridgeId id = 0; id < script_.serving; ++id) {
      capacity_ += kBaseStress / base_stress(setup.fleet, id);
    }
  }

  Script write() {
    script_.duration = scenario_.duration;
    if (scenario_.load > 0) {
      script_.warm = kWarm;
      add_rooms(scenario_.load, &Writer::usual_size);
      choose_regions();
      warm_start();
    }
    switch (scenario_.id) {
      case ScenarioId::kS1:
        busy_day();
        break;
      case ScenarioId::kS5:
        doubling();
        break;
      case ScenarioId::kS6:
        large_conference();
        break;
      case ScenarioId::kS10:
        classrooms();
        break;
      case ScenarioId::kX4:
        poisonous_conference();
        break;
      case ScenarioId::kX6:
        large_conference();
        script_.visitor.assign(script_.room_of.size(), false);
        std::fill(script_.visitor.end() - kVisitors, script_.visitor.end(), true);
        break;
      default:
        break;
    }
    faults();
    std::stable_sort(script_.events.begin(), script_.events.end(),
                     [](const auto& a, const auto& b) { return a.at < b.at; });
    return std::move(script_);
  }

 private:
  std::uint32_t usual_size() {
    const double kind = people_.uniform();
    return static_cast<std::uint32_t>(kind < 0.60   ? people_.between(2, 4)
                                      : kind < 0.90 ? people_.between(5, 15)
                                      : kind < 0.99 ? people_.between(16, 35)
                                                    : people_.between(40, 60));
  }
  std::uint32_t class_size() { return static_cast<std::uint32_t>(people_.between(15, 34)); }

  [[nodiscard]] double units_of(std::uint32_t size) const {
    return static_cast<double>(size * weight_hundredths(setup_.shape, size)) / 100;
  }

  /// Conferences until they need `load` of what the fleet can carry. Returns the first new one.
  RoomId add_rooms(double load, std::uint32_t (Writer::*size)()) {
    const auto first = static_cast<RoomId>(script_.room_size.size());
    for (double units = 0; kBaseStress * units < load * capacity_;) {
      units += units_of(add_room((this->*size)()));
    }
    return first;
  }
  std::uint32_t add_room(std::uint32_t size) {
    const auto room = static_cast<RoomId>(script_.room_size.size());
    script_.room_size.push_back(size);
    script_.room_of.insert(script_.room_of.end(), size, room);
    return size;
  }

  void add(Duration at, Kind kind, std::size_t who = 0) {
    script_.events.push_back({at, kind, static_cast<std::uint32_t>(who)});
  }

  /// Largest conferences first, each to the bridge with the least planned load.
  void warm_start() {
    RandomStream noise(setup_.seed, StreamUse::kWarmStart);
    script_.warm_people = script_.room_of.size();
    std::vector<RoomId> order(script_.room_size.size());
    std::iota(order.begin(), order.end(), 0U);
    std::stable_sort(order.begin(), order.end(), [&](RoomId a, RoomId b) {
      return script_.room_size[a] > script_.room_size[b];
    });
    std::vector<double> planned(script_.serving, 0);
    std::vector<BridgeId> bridge_of(script_.room_size.size());
    for (const RoomId room : order) {
      const double units = units_of(script_.room_size[room]);
      const auto with_room = [&](BridgeId bridge) {
        return planned[bridge] + base_stress(setup_.fleet, bridge) * units;
      };
      // With regions, where the conference is at home.
      auto least = static_cast<BridgeId>(room_region_.empty() ? 0 : room_region_[room]);
      for (BridgeId bridge = least; bridge < script_.serving; bridge += scenario_.regions) {
        least = with_room(bridge) < with_room(least) ? bridge : least;
      }
      bridge_of[room] = least;
      planned[least] += base_stress(setup_.fleet, least) * units * (1 + 0.02 * noise.normal());
    }
    script_.starts_on.reserve(script_.warm_people);
    for (const RoomId room : script_.room_of) {
      script_.starts_on.push_back(bridge_of[room]);
    }
  }

  void people_arrive(std::size_t first_person, RoomId first_room, double starts_within,
                     bool leave) {
    double start = 0;
    RoomId last_room = first_room - 1;
    for (std::size_t person = first_person; person < script_.room_of.size(); ++person) {
      if (script_.room_of[person] != last_room) {
        last_room = script_.room_of[person];
        start = people_.uniform(0, starts_within);
      }
      const double joins = start + people_.exponential(kJoinAfterMean);
      add(from_seconds(joins), Kind::kJoin, person);
      if (leave) {
        add(from_seconds(joins + kStayMin + people_.exponential(kStayMean)), Kind::kLeave, person);
      }
    }
  }

  void busy_day() {
    const double length = seconds_of(scenario_.duration);
    const double stationary = 0.9 * length / (kStayMin + kStayMean);
    people_arrive(0, add_rooms(stationary, &Writer::usual_size), length, true);
  }

  void doubling() {
    const std::size_t first = script_.room_of.size();
    people_arrive(first, add_rooms(scenario_.load, &Writer::usual_size), 300, false);
  }

  void large_conference() {
    const std::size_t first = script_.room_of.size();
    add_room(500);
    for (std::size_t person = first; person < script_.room_of.size(); ++person) {
      add(from_seconds(people_.uniform(0, 30)), Kind::kJoin, person);
    }
    script_.disturbed_at = Duration{};
  }

  void poisonous_conference() {
    script_.poison = static_cast<RoomId>(script_.room_size.size());
    const std::size_t first = script_.room_of.size();
    add_room(10);
    for (std::size_t person = first; person < script_.room_of.size(); ++person) {
      add(from_seconds(people_.uniform(0, 5)), Kind::kJoin, person);
    }
  }

  /// Most people of a room are where the room is.
  void choose_regions() {
    if (scenario_.regions == 1) {
      return;
    }
    room_region_.resize(script_.room_size.size());
    for (std::uint64_t& region : room_region_) {
      region = people_.below(scenario_.regions);
    }
    for (const RoomId room : script_.room_of) {
      const bool elsewhere = people_.uniform() < 0.1;
      script_.region_of.push_back(static_cast<std::uint8_t>(
          elsewhere ? people_.below(scenario_.regions) : room_region_[room]));
    }
  }

  void classrooms() {
    add_rooms(0.6, &Writer::class_size);
    std::size_t person = 0;
    for (const std::uint32_t size : script_.room_size) {
      for (std::uint32_t i = 0; i < size; ++i, ++person) {
        add(from_seconds(i < 2 ? people_.uniform(0, 300) : 330 + people_.exponential(30)),
            Kind::kJoin, person);
      }
    }
  }

  void faults() {
    if (scenario_.blind_until > Duration{}) {
      add({}, Kind::kStatsOff);
      add(scenario_.blind_until, Kind::kStatsOn);
    }
    if (scenario_.bridges_absent) {
      bridges_leave();
    }
    if (scenario_.mass_drop) {
      script_.disturbed_at = scenario_.return_from;
      add({}, Kind::kMassDrop);
      for (std::size_t person = 0; person < script_.warm_people; ++person) {
        add(from_seconds(people_.uniform(seconds_of(scenario_.return_from),
                                         seconds_of(scenario_.return_to))),
            Kind::kJoin, person);
      }
    }
    bridges_die();
  }

  void bridges_leave() {
    add({}, Kind::kServiceDown);
    add(kServerBack, Kind::kServiceUp);
    for (std::size_t bridge = 0; bridge < setup_.bridges; ++bridge) {
      add({}, Kind::kBridgeAbsent, bridge);
      const bool quick = faults_.uniform() < 0.8;
      add(from_seconds(quick ? faults_.uniform(10, 15) : faults_.uniform(15, 40)),
          Kind::kBridgeBack, bridge);
    }
  }

  void bridges_die() {
    const std::size_t dying =
        scenario_.dying_permille == kOneBridge
            ? 1
            : script_.serving * static_cast<std::size_t>(scenario_.dying_permille) / 1000;
    std::vector<BridgeId> order;
    for (BridgeId bridge = 0; bridge < script_.serving; bridge += scenario_.regions) {
      order.push_back(bridge);  // All of the first region.
    }
    for (std::size_t i = 0; i < dying; ++i) {
      std::swap(order[i], order[i + faults_.below(order.size() - i)]);
      add({}, Kind::kBridgeDies, order[i]);
      script_.disturbed_at = Duration{};
    }
  }

  static double seconds_of(Duration duration) { return storm::seconds(duration); }

  const Scenario& scenario_;
  ScriptSetup setup_;
  RandomStream people_, faults_;
  double capacity_ = 0;  ///< Of the fleet, in ordinary bridges.
  std::vector<std::uint64_t> room_region_;
  Script script_;
};

}  // namespace

Script make_script(const Scenario& scenario, const ScriptSetup& setup) {
  return Writer(scenario, setup).write();
}

}  // namespace bascule::sim::storm
