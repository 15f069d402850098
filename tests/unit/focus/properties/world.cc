#include "tests/unit/focus/properties/world.h"

#include <algorithm>
#include <sstream>

#include "tests/unit/focus/placement_fixture.h"

namespace bascule::focus::properties {
namespace {

using std::chrono::milliseconds, std::chrono::seconds;

constexpr int kRooms = 6;
constexpr int kPeople = 10;
constexpr Duration kRestStep = milliseconds{2'500};

}  // namespace

World::World(const Setup& setup, Evaluated& evaluated, const Variation& variation)
    : setup_(setup),
      evaluated_(evaluated),
      variation_(variation),
      model_(options_of(setup), setup.bridges, kRooms, kPeople),
      placement_(options_of(setup), static_cast<std::uint64_t>(setup.seed)) {
  start();
}

void World::start() {
  if (setup_.known_cost) {
    for (const ModelBridge& known : model_.bridges) {
      BridgeMemory memory;
      memory.bridge = known.jid;
      memory.cost = Stress(true_cost(setup_));
      memory.deviation = Stress(true_cost(setup_) / 10);
      memory.confirmations = 3;
      placement_.restore_bridge(memory, now());
    }
  }
  placement_.service_up(now());
  link_up_ = true;
  for (BridgeId which = 0; which < model_.bridges.size(); ++which) {
    report_truth(which);
  }
  for (int second = 0; second < 6 && setup_.seed % 4 > 0; ++second) {
    pass_time(seconds{1});
    drain();
  }
}

Now World::now() const {
  return {at(elapsed_ + variation_.offset).mono, variation_.wall};
}

void World::pass_time(Duration step) {
  elapsed_ += step;
}

void World::pause(Duration gap) {
  drain();
  elapsed_ += gap;
  standstill_ += gap - seconds{1};
  woke_up_ = true;
  drain();
  woke_up_ = false;
}

BridgeView World::view(BridgeId which) const {
  return *placement_.bridge(model_.bridges.at(which).jid, now());
}

Stress World::learned_cost(BridgeId which) const {
  for (const BridgeMemory& memory : placement_.bridge_memory(now())) {
    if (memory.bridge == model_.bridges.at(which).jid) {
      return memory.cost;
    }
  }
  throw Violation("a bridge was forgotten");
}

void World::run(const std::vector<Command>& commands) {
  for (const Command& command : commands) {
    apply(command);
  }
}

void World::apply(const Command& command) {
  pass_time(milliseconds{kPausesMs[command.pause]});
  if (kPausesMs[command.pause] >= 1000) {
    drain();  // Longer without a call would be a pause of the process.
  }
  if (command.what <= Happening::kConferenceEnds) {
    people_command(command);
  } else if (command.what <= Happening::kRestartWanted) {
    bridge_command(command);
  } else {
    fleet_command(command);
  }
  drain();
  check_state();
}

void World::people_command(const Command& command) {
  const auto in_room = model_.in_room(static_cast<RoomId>(command.room));
  const PersonId who = in_room.at(static_cast<std::size_t>(command.person));
  const ModelPerson& person = model_.people.at(who);
  switch (command.what) {
    case Happening::kJoinMany:
      for (int i = 0; i <= command.amount % kPeople; ++i) {
        join(command, in_room.at(static_cast<std::size_t>((command.person + i) % kPeople)));
      }
      break;
    case Happening::kReinvite:
      enqueue(who, TicketKind::kReinvite);
      break;
    case Happening::kMove:
      if (person.place) {
        moved_ = true;
        enqueue(who, TicketKind::kMove);
      }
      break;
    case Happening::kFollowMoves:
      follow_moves();
      break;
    case Happening::kCancel: {
      const auto older = static_cast<std::uint32_t>(command.amount % 3 == 0);
      const std::uint32_t generation = person.generation - std::min(older, person.generation);
      placement_.cancel(person.jid, generation);
      if (person.ticket && person.ticket->ticket.generation <= generation) {
        model_.ticket_removed(who);
      }
      break;
    }
    case Happening::kConfirmAll:
      confirm_all();
      break;
    case Happening::kAllocationFails:
      placement_.allocation_failed(person.jid, now());
      model_.allocation_failed(who, moment());
      break;
    case Happening::kLeaves:
      leave(who);
      break;
    case Happening::kConferenceEnds:
      placement_.conference_ended(model_.rooms.at(person.room).jid, now());
      for (const PersonId member : in_room) {
        model_.forgotten(member);
      }
      break;
    default:
      join(command, who);
  }
}

/// Seldom somebody who is there already, or with a number that is not new.
void World::join(const Command& command, PersonId who) {
  const ModelPerson& person = model_.people.at(who);
  if (person.place && command.amount < 90) {
    return;
  }
  std::vector<BridgeJid> avoid;
  if (command.amount % 11 == 1) {
    avoid.push_back(
        model_.bridges.at(static_cast<std::size_t>(command.bridge) % model_.bridges.size()).jid);
  }
  enqueue(who, TicketKind::kJoin, avoid);
  if (command.amount % 17 == 2) {
    Ticket stale =
        ticket(model_.rooms.at(person.room).jid, 0, TicketKind::kJoin, person.generation);
    stale.participant = person.jid;
    require(!placement_.enqueue(stale, now()).has_value(), "Q20",
            "a ticket with a number that is not new was accepted");
  }
}

Result<> World::enqueue(PersonId who, TicketKind kind, const std::vector<BridgeJid>& avoid) {
  static const std::array<std::string, 3> kRegions = {"eu", "uk", "us"};
  ModelPerson& person = model_.people.at(who);
  Ticket wanted;
  wanted.room = model_.rooms.at(person.room).jid;
  wanted.participant = person.jid;
  wanted.generation = ++person.generation;
  wanted.kind = kind;
  wanted.role = person.role;
  wanted.avoid = avoid;
  if (setup_.regions) {
    wanted.region = kRegions.at(who % kRegions.size());
  }
  const Errc expected = model_.expected_error(who, wanted);
  const auto result = placement_.enqueue(wanted, now());
  const Errc actual = result ? ReferenceModel::kNoError : result.error().code;
  require(expected == actual, "I3", "enqueue answered other than who waits and is placed allows");
  if (result) {
    model_.ticket_accepted(who, wanted, moment());
  }
  return result;
}

void World::follow_moves() {
  for (const Move& wish : std::exchange(wishes_, {})) {
    const PersonId who = model_.person_of.at(wish.participant);
    const auto& place = model_.people.at(who).place;
    if (place && model_.bridges.at(*place).jid == wish.from) {
      moved_ = true;
      enqueue(who, TicketKind::kMove);
    }
  }
}

void World::confirm_all() {
  for (ModelPerson& person : model_.people) {
    if (person.in_flight) {
      placement_.confirmed(person.jid, now());
      person.in_flight = person.goes_to_front = false;
      person.failed_at.reset();
    }
  }
}

void World::leave(PersonId who) {
  placement_.left(model_.people.at(who).jid, now());
  model_.forgotten(who);
  require(!placement_.bridge_of(model_.people.at(who).jid) &&
              !placement_.waiting_for(model_.people.at(who).jid),
          "Q20", "who left still waits or has a place");
}

void World::everybody_leaves() {
  for (PersonId who = 0; who < model_.people.size(); ++who) {
    leave(who);
  }
}

void World::fleet_command(const Command& command) {
  ModelRoom& room = model_.rooms.at(static_cast<std::size_t>(command.room));
  switch (command.what) {
    case Happening::kPin:
      room.pinned = command.amount < 50 ? "v1" : "v2";
      room.pinned_until = moment() + seconds{20};
      placement_.pin(room.jid, *room.pinned, seconds{20}, now());
      break;
    case Happening::kRestore: {
      const auto in_room = model_.in_room(static_cast<RoomId>(command.room));
      const PersonId who = in_room.at(static_cast<std::size_t>(command.person) % 8);  // A member.
      ModelPerson& person = model_.people.at(who);
      auto where = static_cast<BridgeId>(command.bridge) % model_.bridges.size();
      const auto hosts = model_.hosts(person.room);
      if (!setup_.relays && !hosts.empty()) {
        where = hosts.begin()->first;
      }
      placement_.restore_participant(room.jid, person.jid, model_.bridges.at(where).jid, now());
      if (!person.known) {
        person.known = true;
        person.place = where;
        person.place_generation = 0;
      }
      break;
    }
    case Happening::kMassDrop:
      placement_.mass_drop(now());
      for (PersonId who = 0; who < model_.people.size(); ++who) {
        model_.forgotten(who);
      }
      break;
    case Happening::kServiceDown:
      placement_.service_down(now());
      link_up_ = false;
      for (ModelBridge& bridge : model_.bridges) {
        bridge.present = false;
      }
      break;
    case Happening::kServiceUp:
      if (!link_up_) {
        placement_.service_up(now());
        link_up_ = true;
        for (RoomId r = 0; r < model_.rooms.size(); ++r) {
          model_.may_be_planned(r, moment());
        }
      }
      for (BridgeId which = 0; which < model_.bridges.size(); ++which) {
        report_truth(which);
      }
      break;
    case Happening::kPause:
      pause(seconds{6 + command.amount * 10});
      break;
    default:
      for (int i = 0; i <= (command.amount < 96 ? command.amount / 4 : 250); ++i) {
        pass_time(kRestStep);
        drain();
      }
  }
}

}  // namespace bascule::focus::properties
