#include "sim/storm/placements.h"

#include <algorithm>

namespace bascule::sim::storm {
namespace {

auto use_on(std::vector<Placements::Use>& uses, BridgeId bridge) {
  return std::find_if(uses.begin(), uses.end(),
                      [&](const Placements::Use& use) { return use.bridge == bridge; });
}

}  // namespace

void Placements::take_off(PersonId id) {
  Person& person = people_[id];
  if (!person.bridge) {
    return;
  }
  auto& uses = rooms_[person.room];
  const auto use = use_on(uses, *person.bridge);
  std::erase(use->people, id);
  if (use->people.empty()) {
    uses.erase(use);
  }
  person.bridge.reset();
}

void Placements::place(PersonId id, RoomId room, BridgeId bridge) {
  take_off(id);
  people_[id] = {.room = room, .bridge = bridge};
  auto& uses = rooms_[room];
  auto use = use_on(uses, bridge);
  if (use == uses.end()) {
    use = uses.insert(uses.end(), {.bridge = bridge});
  }
  use->people.push_back(id);
}

void Placements::forget(PersonId person) {
  take_off(person);
  people_[person].waits = false;
}

void Placements::forget_bridge(BridgeId bridge) {
  for (auto& uses : rooms_) {
    const auto use = use_on(uses, bridge);
    if (use != uses.end()) {
      for (const PersonId person : use->people) {
        people_[person].bridge.reset();
      }
      uses.erase(use);
    }
  }
}

void Placements::forget_all() {
  std::fill(rooms_.begin(), rooms_.end(), std::vector<Use>{});
  std::fill(people_.begin(), people_.end(), Person{});
  waiting_.clear();
}

std::vector<RoomId> Placements::rooms_on(BridgeId bridge) const {
  std::vector<RoomId> found;
  for (RoomId room = 0; room < rooms_.size(); ++room) {
    if (std::any_of(rooms_[room].begin(), rooms_[room].end(),
                    [&](const Use& use) { return use.bridge == bridge; })) {
      found.push_back(room);
    }
  }
  return found;
}

void Placements::wait(const Request& request) {
  people_[request.person].waits = true;
  waiting_.push_back(request);
}

}  // namespace bascule::sim::storm
