#include <algorithm>
#include <deque>

#include "sim/storm/baseline_policies.h"
#include "sim/storm/jicofo_selection.h"

namespace bascule::sim::storm {
namespace {

using std::chrono::minutes;

constexpr Duration kMinute = minutes{1};
constexpr double kRedistributeAbove = 0.9;
constexpr Duration kRedistributeAgain = minutes{3};
constexpr std::size_t kRedistributeEndpoints = 10;

JicofoOptions options_of(PolicyId id) {
  JicofoOptions options;
  options.relays = id != PolicyId::kJicofo;
  if (id == PolicyId::kJicofoLimited || id == PolicyId::kJicofoRedistribution) {
    options.max_per_minute = 30;
  }
  return options;
}

/// Jicofo with one of its configurations. A failed selection is tried again every step, which is
/// kinder than the original: it drops the invitation.
class JicofoPolicy : public ImmediatePolicy {
 public:
  JicofoPolicy(PolicyId id, const PolicySetup& setup)
      : ImmediatePolicy(setup),
        options_(options_of(id)),
        redistributes_(id == PolicyId::kJicofoRedistribution),
        selection_(options_, setup.bridges),
        added_(setup.rooms),
        redistributed_(setup.bridges) {}

  void report(const Report& report, Now /*now*/) override {
    selection_.reported(report.bridge, report.stress);
  }
  void bridge_down(BridgeId bridge, Now /*now*/) override {
    placements().forget_bridge(bridge);
    selection_.remove(bridge);
    redistributed_[bridge].reset();
  }
  void bridge_up(BridgeId bridge, Now /*now*/) override { selection_.add(bridge); }

  void tick(Now now, std::vector<Placed>& out) override {
    ImmediatePolicy::tick(now, out);
    if (redistributes_ && (!next_redistribution_ || *next_redistribution_ <= now.mono)) {
      next_redistribution_ = now.mono + kMinute;
      redistribute(now, out);
    }
  }

 protected:
  std::optional<BridgeId> choose(const Request& request, Now now) override {
    conference_.clear();
    for (const auto& use : placements().uses(request.room)) {
      conference_.push_back(
          {.bridge = use.bridge,
           .participants = static_cast<std::int64_t>(use.people.size()),
           .added_last_minute = added_last_minute(request.room, use.bridge, now)});
    }
    return selection_.select(conference_, now.mono);
  }

  void chosen(const Request& request, BridgeId bridge, Now now) override {
    selection_.endpoint_added(bridge, now.mono);
    if (options_.max_per_minute) {
      added_[request.room].push_back({.at = now.mono, .bridge = bridge});
    }
  }

  void process_restarted() override {
    for (BridgeId bridge = 0; bridge < selection_.size(); ++bridge) {
      if (selection_.known(bridge)) {
        selection_.add(bridge);
      }
    }
    std::fill(added_.begin(), added_.end(), std::deque<Added>{});
    std::fill(redistributed_.begin(), redistributed_.end(), std::nullopt);
    next_redistribution_.reset();
  }

 private:
  struct Added {
    Instant at;
    BridgeId bridge = 0;
  };

  std::int64_t added_last_minute(RoomId room, BridgeId bridge, Now now) {
    auto& added = added_[room];
    while (!added.empty() && added.front().at + kMinute <= now.mono) {
      added.pop_front();
    }
    return std::count_if(added.begin(), added.end(),
                         [&](const Added& one) { return one.bridge == bridge; });
  }

  /// Each minute, unless everybody is overloaded: the hottest bridges give ten endpoints away, from
  /// their largest conferences (LoadRedistributor.kt).
  void redistribute(Now now, std::vector<Placed>& out) {
    bool somebody_has_room = false;
    for (BridgeId bridge = 0; bridge < selection_.size(); ++bridge) {
      somebody_has_room = somebody_has_room ||
                          (selection_.known(bridge) && !selection_.overloaded(bridge, now.mono));
    }
    for (BridgeId bridge = 0; somebody_has_room && bridge < selection_.size(); ++bridge) {
      auto& last = redistributed_[bridge];
      if (selection_.known(bridge) && (!last || *last + kRedistributeAgain <= now.mono) &&
          selection_.corrected_stress(bridge, now.mono) >= kRedistributeAbove) {
        last = now.mono;
        relieve(bridge, now, out);
      }
    }
  }

  void relieve(BridgeId bridge, Now now, std::vector<Placed>& out) {
    const auto on_bridge = [&](RoomId room) -> const std::vector<PersonId>& {
      const auto& uses = placements().uses(room);
      return std::find_if(uses.begin(), uses.end(),
                          [&](const auto& use) { return use.bridge == bridge; })
          ->people;
    };
    std::vector<RoomId> rooms = placements().rooms_on(bridge);
    std::stable_sort(rooms.begin(), rooms.end(),
                     [&](RoomId a, RoomId b) { return on_bridge(a).size() > on_bridge(b).size(); });
    std::vector<Request> moved;
    for (const RoomId room : rooms) {
      for (const PersonId person : on_bridge(room)) {
        if (moved.size() < kRedistributeEndpoints) {
          moved.push_back({.person = person, .room = room});
        }
      }
    }
    for (const Request& request : moved) {
      placements().forget(request.person);
    }
    for (const Request& again : moved) {
      request(again, now, out);
    }
  }

  JicofoOptions options_;
  bool redistributes_;
  JicofoSelection selection_;
  std::vector<std::deque<Added>> added_;  ///< By room; only with a limit per minute.
  std::vector<std::optional<Instant>> redistributed_;
  std::optional<Instant> next_redistribution_;
  std::vector<JicofoSelection::Use> conference_;  ///< Scratch.
};

}  // namespace

std::unique_ptr<Policy> make_jicofo_policy(PolicyId id, const PolicySetup& setup) {
  return std::make_unique<JicofoPolicy>(id, setup);
}

}  // namespace bascule::sim::storm
