// Work conservation (Q6): whoever waits for capacity fits nowhere, by the limit of the last rule
// that was tried. Looked at after every pass that placed nobody, as then nothing changed meanwhile.

#include <algorithm>

#include "tests/unit/focus/properties/world.h"

namespace bascule::focus::properties {
namespace {

Stress share(Stress limit, Stress capacity) {
  return Stress(limit.millionths() * capacity.millionths() / 1'000'000);
}

/// What a unit may add to the estimate: old reports inflate it by up to 11 percent.
Stress cost_of_more(const BridgeView& seen, const PlacementOptions& options) {
  const bool old = seen.report_age.value_or(Duration::max()) > options.stale_after;
  return old ? Stress(seen.cost_per_unit.millionths() * 111 / 100 + 1) : seen.cost_per_unit;
}

}  // namespace

void World::check_waits() {
  const bool plain = model_.options.strategy == Strategy::kBascule &&
                     placement_.counters().isolations == 0 && link_up_;
  for (RoomId r = 0; plain && r < model_.rooms.size(); ++r) {
    const ModelRoom& room = model_.rooms[r];
    const bool pinned = room.pinned && moment() < room.pinned_until;
    for (const auto& line : room.lines) {
      if (line.empty() || pinned) {
        continue;
      }
      const ModelPerson& person = model_.people.at(line.front());
      if (placement_.waiting_for(person.jid) != WaitReason::kCapacity ||
          person.ticket->ticket.kind == TicketKind::kMove || person.failed_at ||
          !person.ticket->ticket.avoid.empty()) {
        continue;
      }
      model_.hosts(r).empty() ? check_first_wait(r, person) : check_join_wait(r, person);
    }
  }
}

bool World::may_fit(BridgeId which, Milliunits load, Stress limit, bool with_growth) const {
  const BridgeView seen = view(which);
  if (seen.standby) {
    return false;  // It may have been activated by this very look.
  }
  const Stress before = with_growth ? seen.expected + seen.reserved : seen.expected;
  const Stress settled(placement_.settling()
                           ? limit.millionths() * model_.options.settle_permille / 1000
                           : limit.millionths());
  return before + stress_of(load, cost_of_more(seen, model_.options)) <=
         share(settled, seen.capacity);
}

void World::check_first_wait(RoomId /*room*/, const ModelPerson& person) {
  const bool displaced = person.ticket->line == 0;
  const bool little_will_do = !displaced || setup_.relays ||
                              moment() - person.ticket->since > model_.options.small_need_after;
  if (!little_will_do) {
    return;
  }
  for (BridgeId which = 0; which < model_.bridges.size(); ++which) {
    if (model_.bridges[which].open(moment())) {
      const Milliunits few = displaced ? conference_load(4) : conference_load(2);
      const Stress limit = displaced ? model_.options.limit_max : model_.options.limit_join;
      require(!may_fit(which, few, limit, displaced), "Q6",
              "a first placement waits although a bridge has room", person);
    }
  }
}

void World::check_join_wait(RoomId room, const ModelPerson& person) {
  const PlacementOptions& options = model_.options;
  const auto hosts = model_.hosts(room);
  for (const auto& [which, crowd] : hosts) {
    const ModelBridge& bridge = model_.bridges.at(which);
    const bool last_home =
        setup_.relays || placement_.bridge_of(model_.rooms.at(room).jid) == bridge.jid;
    const bool usable =
        bridge.works(moment()) && !bridge.shutting_down && last_home &&
        (!setup_.relays || crowd.people + crowd.visitors < options.max_per_conference_bridge);
    const BridgeView seen = view(which);
    const Milliunits load = model_.load_of_join(room, which, person.role);
    const Stress after = seen.expected + stress_of(load, cost_of_more(seen, options));
    require(!usable || after > share(options.limit_max, seen.capacity), "Q6",
            "a join waits although its bridge has room", person);
  }
  if (!setup_.relays) {
    return;
  }
  const std::int64_t people = model_.size(room);
  const Milliunits load = options.relay_load + participant_load(people + 1);
  for (BridgeId which = 0; which < model_.bridges.size(); ++which) {
    if (model_.bridges[which].open(moment()) && !hosts.contains(which)) {
      require(!may_fit(which, load, options.limit_max, true), "Q6",
              "a join waits although another bridge has room", person);
    }
  }
}

}  // namespace bascule::focus::properties
