#include "tests/unit/focus/properties/reference_model.h"

#include <algorithm>
#include <string>

#include "tests/unit/focus/placement_fixture.h"

namespace bascule::focus::properties {

ReferenceModel::ReferenceModel(const PlacementOptions& placement_options, int bridge_count,
                               int room_count, int people_per_room)
    : options(placement_options) {
  for (int i = 0; i < bridge_count; ++i) {
    bridges.push_back({.jid = bridge(i)});
    bridge_of.emplace(bridges.back().jid, bridges.size() - 1);
  }
  for (int r = 0; r < room_count; ++r) {
    rooms.push_back({.jid = room("r" + std::to_string(r))});
    for (int p = 0; p < people_per_room; ++p) {
      ModelPerson person{.jid = occupant(rooms.back().jid, p)};
      person.room = rooms.size() - 1;
      // The last fifth of each room only watches.
      person.role = p * 5 >= people_per_room * 4 ? Role::kVisitor : Role::kMember;
      person_of.emplace(person.jid, people.size());
      people.push_back(std::move(person));
    }
  }
}

Errc ReferenceModel::expected_error(PersonId who, const Ticket& ticket) const {
  const ModelPerson& person = people.at(who);
  if (person.place && person.place_generation >= ticket.generation) {
    return Errc::kConflict;
  }
  if (person.ticket) {
    return person.ticket->ticket.generation >= ticket.generation ? Errc::kConflict : kNoError;
  }
  return queued() >= options.max_tickets ? Errc::kUnavailable : kNoError;
}

void ReferenceModel::ticket_accepted(PersonId who, const Ticket& ticket, Instant now) {
  ModelPerson& person = people.at(who);
  person.known = true;
  person.generation = std::max(person.generation, ticket.generation);
  const std::size_t line = ticket.kind == TicketKind::kReinvite ? 0 : 1;
  Instant since = now;
  bool keeps_turn = false;
  if (person.ticket) {
    since = person.ticket->since;
    keeps_turn = person.ticket->line == line;
    if (!keeps_turn) {
      ticket_removed(who);
    }
  }
  if (!keeps_turn) {
    auto& waiting = rooms.at(person.room).lines.at(line);
    auto position = person.goes_to_front ? waiting.begin() : waiting.end();
    if (ticket.kind != TicketKind::kMove && !person.goes_to_front) {
      while (position != waiting.begin() &&
             people[*std::prev(position)].ticket->ticket.kind == TicketKind::kMove) {
        --position;
      }
    }
    waiting.insert(position, who);
  }
  person.ticket = ModelTicket{ticket, line, since};
  if (ticket.kind != TicketKind::kMove) {
    person.place.reset();
    person.in_flight = false;
  }
}

void ReferenceModel::ticket_removed(PersonId who) {
  ModelPerson& person = people.at(who);
  rooms.at(person.room).lines.at(person.ticket->line).remove(who);
  person.ticket.reset();
}

void ReferenceModel::placed(PersonId who, BridgeId where, std::uint32_t generation, Instant now) {
  ModelPerson& person = people.at(who);
  ticket_removed(who);
  person.place = where;
  person.place_generation = generation;
  person.in_flight = true;
  bridges.at(where).placements.push_back(now);
}

void ReferenceModel::allocation_failed(PersonId who, Instant now) {
  ModelPerson& person = people.at(who);
  if (person.in_flight) {
    person.place.reset();
    person.in_flight = false;
    person.goes_to_front = true;
    person.failed_at = now;
  }
}

void ReferenceModel::forgotten(PersonId who) {
  ModelPerson& person = people.at(who);
  if (person.ticket) {
    ticket_removed(who);
  }
  person.place.reset();
  person.in_flight = person.goes_to_front = person.known = false;
  person.failed_at.reset();
  person.place_generation = 0;
}

void ReferenceModel::may_be_planned(RoomId room, Instant now) {
  rooms.at(room).planned_until = now + options.plan_ttl;
}

std::vector<PersonId> ReferenceModel::failed(BridgeId which, FailureCause cause, Instant now) {
  ModelBridge& bridge = bridges.at(which);
  const bool was_idle = own_loads().at(which) == 0;
  std::vector<PersonId> lost;
  for (PersonId who = 0; who < people.size(); ++who) {
    if (people[who].place == which) {
      people[who].place.reset();
      people[who].in_flight = false;
      lost.push_back(who);
    }
  }
  const bool counts =
      cause != FailureCause::kShutDown && !(cause == FailureCause::kRestarted && was_idle);
  if (counts) {
    const bool forgotten =
        !bridge.last_failure || now - *bridge.last_failure > options.quarantine_memory;
    bridge.failures = forgotten ? 1 : bridge.failures + 1;
    bridge.last_failure = now;
    const Duration quarantine = bridge.failures >= options.flapping_failures
                                    ? options.quarantine_flapping
                                    : options.quarantine_base * bridge.failures;
    // 30 s, 60 s, then 600 s: the doubling ends before it differs from this.
    bridge.quarantined_until = bridge.quarantined_until
                                   ? std::max(*bridge.quarantined_until, now + quarantine)
                                   : now + quarantine;
  }
  bridge.graceful = bridge.shutting_down = bridge.suspect = false;
  bridge.aside_until.reset();
  bridge.healthy = true;
  bridge.told_total.reset();
  bridge.present = bridge.present && cause == FailureCause::kRestarted;
  return lost;
}

std::vector<PersonId> ReferenceModel::in_room(RoomId room) const {
  std::vector<PersonId> found;
  for (PersonId who = 0; who < people.size(); ++who) {
    if (people[who].room == room) {
      found.push_back(who);
    }
  }
  return found;
}

std::map<BridgeId, ReferenceModel::Crowd> ReferenceModel::hosts(RoomId room) const {
  std::map<BridgeId, Crowd> found;
  for (const ModelPerson& person : people) {
    if (person.room == room && person.place) {
      Crowd& crowd = found[*person.place];
      (person.role == Role::kMember ? crowd.people : crowd.visitors) += 1;
    }
  }
  return found;
}

std::int64_t ReferenceModel::size(RoomId room) const {
  std::int64_t people_there = 0;
  for (const auto& [bridge, crowd] : hosts(room)) {
    people_there += crowd.people;
  }
  return people_there;
}

std::size_t ReferenceModel::queued(TicketClass ticket_class) const {
  std::size_t count = 0;
  for (RoomId r = 0; r < rooms.size(); ++r) {
    const TicketClass of_others = hosts(r).empty() ? TicketClass::kFirst : TicketClass::kJoinsLive;
    count += ticket_class == TicketClass::kDisplaced ? rooms[r].lines[0].size() : 0;
    count += ticket_class == of_others ? rooms[r].lines[1].size() : 0;
  }
  return count;
}

std::size_t ReferenceModel::queued() const {
  std::size_t count = 0;
  for (const ModelRoom& r : rooms) {
    count += r.lines[0].size() + r.lines[1].size();
  }
  return count;
}

Milliunits ReferenceModel::host_load(const Crowd& crowd, std::int64_t people_there,
                                     std::size_t hosts_there) const {
  return crowd.people * participant_load(people_there) +
         crowd.visitors * visitor_load(people_there) +
         (options.relays && hosts_there > 1 ? options.relay_load : 0);
}

std::vector<Milliunits> ReferenceModel::own_loads() const {
  std::vector<Milliunits> loads(bridges.size(), 0);
  for (RoomId r = 0; r < rooms.size(); ++r) {
    const auto crowds = hosts(r);
    std::int64_t people_there = 0;
    for (const auto& [bridge, crowd] : crowds) {
      people_there += crowd.people;
    }
    for (const auto& [bridge, crowd] : crowds) {
      loads[bridge] += host_load(crowd, people_there, crowds.size());
    }
  }
  return loads;
}

Milliunits ReferenceModel::load_of_join(RoomId room, BridgeId where, Role role) const {
  auto crowds = hosts(room);
  const std::int64_t before = size(room);
  const std::int64_t after = before + (role == Role::kMember ? 1 : 0);
  const auto here = crowds.find(where);
  const Milliunits now = here == crowds.end() ? 0 : host_load(here->second, before, crowds.size());
  Crowd& joined = crowds[where];
  (role == Role::kMember ? joined.people : joined.visitors) += 1;
  return host_load(joined, after, crowds.size()) - now;
}

}  // namespace bascule::focus::properties
