#include <algorithm>

#include "sim/storm/metrics.h"
#include "sim/storm/run.h"

namespace bascule::sim::storm {
namespace {

using Kind = ScriptEvent::Kind;

constexpr Step kNoticedAfter = 10;
constexpr Step kDeadSteps = 600;

/// Sums over the bridges that are there.
struct Capacity {
  double units = 0;             ///< Free.
  double joins_per_second = 0;  ///< (1 - load) / cost of a join.
};

/// Load a bridge still carries after the event, in units.
std::vector<double> surviving_load(const Script& script, const RunSetup& setup) {
  std::vector<double> units(setup.bridges, 0);
  if (setup.scenario->mass_drop) {
    return units;
  }
  for (PersonId person = 0; person < script.warm_people; ++person) {
    const std::uint32_t size = script.room_size[script.room_of[person]];
    units[script.starts_on[person]] +=
        static_cast<double>(weight_hundredths(setup.truth.shape, size)) / 100;
  }
  return units;
}

class Fluid {
 public:
  Fluid(const Script& script, const RunSetup& setup)
      : script_(script),
        setup_(setup),
        load_(surviving_load(script, setup)),
        there_(setup.bridges, true) {}

  std::optional<double> served_p99() {
    const Step last = script_.duration / kStep;
    std::vector<double> served;
    for (Step now = 0; now <= last; ++now) {
      take_events(now);
      pour(now, served);
    }
    // Whoever is left did not fit at all.
    served.resize(served.size() + (waiting_.size() - poured_),
                  seconds(script_.duration - *script_.disturbed_at));
    if (served.empty()) {
      return std::nullopt;
    }
    std::sort(served.begin(), served.end());
    return quantile(served, 0.99);
  }

 private:
  void take_events(Step now) {
    while (next_ < script_.events.size() && script_.events[next_].at < time_of(now + 1)) {
      const ScriptEvent& event = script_.events[next_++];
      switch (event.kind) {
        case Kind::kJoin:
          wants(event.who);
          break;
        case Kind::kBridgeAbsent:
        case Kind::kBridgeBack:
          there_[event.who] = event.kind == Kind::kBridgeBack;
          break;
        case Kind::kBridgeDies:
          there_[event.who] = false;
          load_[event.who] = 0;
          died_.push_back(event.who);
          break;
        default:
          break;
      }
    }
    if (now == kNoticedAfter && !died_.empty()) {
      displace();
    }
    if (now == kDeadSteps) {
      for (const BridgeId bridge : died_) {
        there_[bridge] = true;
      }
    }
  }

  void displace() {
    for (PersonId person = 0; person < script_.warm_people; ++person) {
      if (std::find(died_.begin(), died_.end(), script_.starts_on[person]) != died_.end()) {
        wants(person);
      }
    }
  }

  void wants(PersonId person) {
    const std::uint32_t size = script_.room_size[script_.room_of[person]];
    waiting_.push_back(static_cast<double>(weight_hundredths(setup_.truth.shape, size)) / 100);
  }

  void pour(Step now, std::vector<double>& served) {
    if (poured_ == waiting_.size()) {
      joins_ = 0;
      return;
    }
    const Capacity capacity = free();
    joins_ = std::min(joins_ + capacity.joins_per_second * kStepSeconds, capacity.joins_per_second);
    while (poured_ < waiting_.size() && joins_ >= 1 &&
           placed_units_ + waiting_[poured_] <= capacity.units) {
      placed_units_ += waiting_[poured_++];
      joins_ -= 1;
      served.push_back(seconds(time_of(now) - *script_.disturbed_at));
    }
  }

  /// Room for those who wait now, what was poured before included.
  [[nodiscard]] Capacity free() const {
    Capacity sum;
    for (BridgeId bridge = 0; bridge < setup_.bridges; ++bridge) {
      if (there_[bridge]) {
        const double base = base_stress(setup_.fleet, bridge);
        const double room = std::max(0.0, 1 - load_[bridge] * base);
        sum.units += room / base;
        sum.joins_per_second += room / (kJoinCost * base / kBaseStress);
      }
    }
    return sum;
  }

  const Script& script_;
  const RunSetup& setup_;
  std::vector<double> load_;
  std::vector<bool> there_;
  std::vector<BridgeId> died_;
  std::vector<double> waiting_;  ///< Units of each who asked, in order.
  std::size_t poured_ = 0, next_ = 0;
  double placed_units_ = 0;
  double joins_ = 0;  ///< That may begin now.
};

}  // namespace

std::optional<double> fluid_optimum(const Script& script, const RunSetup& setup) {
  if (!script.disturbed_at) {
    return std::nullopt;
  }
  return Fluid(script, setup).served_p99();
}

}  // namespace bascule::sim::storm
