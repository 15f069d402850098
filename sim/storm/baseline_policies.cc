#include "sim/storm/baseline_policies.h"

#include "base/check.h"
#include "sim/storm/random_stream.h"

namespace bascule::sim::storm {

ImmediatePolicy::ImmediatePolicy(const PolicySetup& setup)
    : placements_(setup.rooms, setup.people) {
}

void ImmediatePolicy::starts_with(PersonId person, RoomId room, BridgeId bridge, Now /*now*/) {
  placements_.place(person, room, bridge);
}

bool ImmediatePolicy::decide(const Request& request, Now now, std::vector<Placed>& out) {
  const auto bridge = choose(request, now);
  if (!bridge) {
    return false;
  }
  placements_.place(request.person, request.room, *bridge);
  chosen(request, *bridge, now);
  out.push_back({request.person, *bridge});
  return true;
}

void ImmediatePolicy::request(const Request& request, Now now, std::vector<Placed>& out) {
  if (!decide(request, now, out)) {
    placements_.wait(request);
  }
}

void ImmediatePolicy::released(PersonId person, Now /*now*/) {
  placements_.forget(person);
}

void ImmediatePolicy::confirmed(PersonId /*person*/, Now /*now*/) {
}
void ImmediatePolicy::not_answered(PersonId person, Now /*now*/) {
  placements_.forget(person);
}
void ImmediatePolicy::service_down(Now /*now*/) {
}
void ImmediatePolicy::service_up(Now /*now*/) {
}

void ImmediatePolicy::bridge_absent(BridgeId bridge, Now now) {
  bridge_down(bridge, now);
}

void ImmediatePolicy::mass_drop(MemoryKept memory, Now /*now*/) {
  placements_.forget_all();
  if (memory != MemoryKept::kAlive) {
    process_restarted();
  }
}

void ImmediatePolicy::tick(Now now, std::vector<Placed>& out) {
  std::deque<Request> waiting;
  waiting.swap(placements_.waiting());
  for (const Request& request : waiting) {
    if (placements_.still_waits(request.person) && !decide(request, now, out)) {
      placements_.wait(request);
    }
  }
}

namespace {

class PinningPolicy : public ImmediatePolicy {
 public:
  PinningPolicy(PolicyId id, const PolicySetup& setup)
      : ImmediatePolicy(setup),
        id_(id),
        random_(setup.seed, StreamUse::kPolicy),
        bridges_(setup.bridges) {}

  void report(const Report& report, Now /*now*/) override {
    bridges_[report.bridge].reported = report.stress;
  }
  void bridge_down(BridgeId bridge, Now /*now*/) override {
    placements().forget_bridge(bridge);
    bridges_[bridge] = {};
    list_present();
  }
  void bridge_up(BridgeId bridge, Now /*now*/) override {
    bridges_[bridge].present = true;
    list_present();
  }

 protected:
  std::optional<BridgeId> choose(const Request& request, Now /*now*/) override {
    if (const auto& uses = placements().uses(request.room); !uses.empty()) {
      return uses.front().bridge;
    }
    if (present_.empty()) {
      return std::nullopt;
    }
    if (id_ == PolicyId::kNaive) {
      return least(present_);
    }
    const BridgeId one = present_[random_.below(present_.size())];
    return id_ == PolicyId::kRandom ? one : least({one, present_[random_.below(present_.size())]});
  }
  void chosen(const Request& /*request*/, BridgeId /*bridge*/, Now /*now*/) override {}
  void process_restarted() override {
    for (Bridge& bridge : bridges_) {
      bridge.reported = 0;
    }
  }

 private:
  struct Bridge {
    bool present = false;
    double reported = 0;
  };
  [[nodiscard]] BridgeId least(const std::vector<BridgeId>& among) const {
    BridgeId best = among.front();
    for (const BridgeId bridge : among) {
      best = bridges_[bridge].reported < bridges_[best].reported ? bridge : best;
    }
    return best;
  }
  void list_present() {
    present_.clear();
    for (BridgeId bridge = 0; bridge < bridges_.size(); ++bridge) {
      if (bridges_[bridge].present) {
        present_.push_back(bridge);
      }
    }
  }

  PolicyId id_;
  RandomStream random_;
  std::vector<Bridge> bridges_;
  std::vector<BridgeId> present_;
};

}  // namespace

std::unique_ptr<Policy> make_pinning_policy(PolicyId id, const PolicySetup& setup) {
  return std::make_unique<PinningPolicy>(id, setup);
}

}  // namespace bascule::sim::storm
