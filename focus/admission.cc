#include "focus/admission.h"

#include <algorithm>
#include <iterator>
#include <tuple>

#include "base/check.h"

namespace bascule::focus {

TicketClass Admission::class_of(const Room& room, Line line) {
  if (line == Line::kDisplaced) {
    return TicketClass::kDisplaced;
  }
  return room.live ? TicketClass::kJoinsLive : TicketClass::kFirst;
}

Admission::Line Admission::line_of(const Ticket& ticket) {
  return ticket.kind == TicketKind::kReinvite ? Line::kDisplaced : Line::kOthers;
}

Result<> Admission::push(const Ticket& ticket, bool front, Instant now) {
  Instant since = now;
  if (const auto old = positions_.find(ticket.participant); old != positions_.end()) {
    WaitingTicket& waiting = *old->second.ticket;
    if (waiting.ticket.generation >= ticket.generation) {
      return fail(Errc::kConflict, "participant already waits with this or a newer generation");
    }
    if (old->second.line == line_of(ticket)) {
      waiting.ticket = ticket;
      return {};
    }
    since = waiting.since;
    erase(ticket.participant, old->second);
  } else if (positions_.size() >= limits_.tickets) {
    return fail(Errc::kUnavailable, "placement queue is full");
  }
  RoomEntry& entry = *rooms_.try_emplace(ticket.room).first;
  Room& room = entry.second;
  const Line line = line_of(ticket);
  std::list<WaitingTicket>& tickets = room.lines[static_cast<std::size_t>(line)].tickets;
  auto position = front ? tickets.begin() : tickets.end();
  while (!front && ticket.kind != TicketKind::kMove && position != tickets.begin() &&
         std::prev(position)->ticket.kind == TicketKind::kMove) {
    --position;  // Who moves has media, and may have nowhere to go for long.
  }
  const auto added =
      tickets.insert(position, {.ticket = ticket, .since = since, .last_reason = {}});
  positions_.emplace(ticket.participant, Position{line, added});
  count(*added, class_of(room, line), true);
  auto& place = room.lines[static_cast<std::size_t>(line)].place;
  if (!place) {
    Turn& rooms = turn(class_of(room, line));
    place = rooms.insert(rooms.end(), &entry);
  }
  return {};
}

bool Admission::cancel(const OccupantJid& participant, std::uint32_t generation) {
  const auto found = positions_.find(participant);
  if (found == positions_.end() || found->second.ticket->ticket.generation > generation) {
    return false;
  }
  erase(participant, found->second);
  return true;
}

bool Admission::cancel_any(const OccupantJid& participant) {
  const auto found = positions_.find(participant);
  if (found == positions_.end()) {
    return false;
  }
  erase(participant, found->second);
  return true;
}

void Admission::set_live(const RoomJid& jid, bool live) {
  const auto found = rooms_.find(jid);
  if (found == rooms_.end() || found->second.live == live) {
    return;
  }
  Room& room = found->second;
  const RoomLine& others = room.lines[static_cast<std::size_t>(Line::kOthers)];
  const TicketClass before = class_of(room, Line::kOthers);
  room.live = live;
  const TicketClass after = class_of(room, Line::kOthers);
  for (const WaitingTicket& waiting : others.tickets) {
    count(waiting, before, false);
    count(waiting, after, true);
  }
  if (others.place) {
    turn(after).splice(turn(after).end(), turn(before), *others.place);
  }
}

void Admission::hold(const RoomJid& jid, Instant until) {
  if (const auto found = rooms_.find(jid); found != rooms_.end()) {
    found->second.held_until = until;
  }
}

Admission::Pass Admission::serve_pass(Instant now, std::size_t decisions, const Serve& serve) {
  Pass pass;
  std::size_t first_placements = 0;
  do {
    serve_class(TicketClass::kDisplaced, now, decisions, serve, pass);
    serve_class(TicketClass::kJoinsLive, now, decisions, serve, pass);
    // Each makes the other tickets of its room joins: look at those again.
    first_placements = serve_class(TicketClass::kFirst, now, decisions, serve, pass);
  } while (first_placements > 0 && pass.served < decisions);
  return pass;
}

std::size_t Admission::serve_class(TicketClass ticket_class, Instant now, std::size_t decisions,
                                   const Serve& serve, Pass& pass) {
  const Line line = ticket_class == TicketClass::kDisplaced ? Line::kDisplaced : Line::kOthers;
  Turn& rooms = turn(ticket_class);
  const std::size_t served_before = pass.served;
  std::size_t waiting_in_a_row = 0;
  while (waiting_in_a_row < rooms.size()) {
    if (pass.served >= decisions || waiting_in_a_row >= limits_.blocked_rooms) {
      pass.complete = false;
      break;
    }
    const std::size_t served = visit(*rooms.front(), line, decisions - pass.served, now, serve);
    pass.served += served;
    waiting_in_a_row = served == 0 ? waiting_in_a_row + 1 : 0;
  }
  return pass.served - served_before;
}

/// One turn of one room: up to `quantum` tickets, ending at the first that waits. The room then
/// goes to the end of the turn of whatever class it has by now.
std::size_t Admission::visit(RoomEntry& entry, Line line, std::size_t budget, Instant now,
                             const Serve& serve) {
  std::size_t served = 0;
  Room& room = entry.second;
  if (room.held_until && *room.held_until <= now) {
    room.held_until.reset();
  }
  RoomLine& served_line = room.lines[static_cast<std::size_t>(line)];
  const std::size_t most = std::min<std::size_t>(limits_.quantum, budget);
  while (served < most && !served_line.tickets.empty()) {
    WaitingTicket& waiting = served_line.tickets.front();
    const auto reason =
        room.held_until ? WaitReason::kRetryWait : serve(waiting, class_of(room, line));
    if (reason) {
      waiting.last_reason = reason;
      break;
    }
    count(waiting, class_of(room, line), false);
    positions_.erase(waiting.ticket.participant);
    served_line.tickets.pop_front();
    ++served;
  }
  Turn& rooms = turn(class_of(room, line));
  rooms.splice(rooms.end(), rooms, *served_line.place);
  if (served_line.tickets.empty()) {
    forget_if_empty(entry.first, line);
  }
  return served;
}

std::size_t Admission::size(TicketClass ticket_class) const {
  return arrivals_[static_cast<std::size_t>(ticket_class)].size();
}

std::size_t Admission::size(const RoomJid& jid) const {
  const auto found = rooms_.find(jid);
  return found == rooms_.end()
             ? 0
             : found->second.lines[0].tickets.size() + found->second.lines[1].tickets.size();
}

const WaitingTicket* Admission::find(const OccupantJid& participant) const {
  const auto found = positions_.find(participant);
  return found == positions_.end() ? nullptr : &*found->second.ticket;
}

std::vector<std::pair<const WaitingTicket*, TicketClass>> Admission::longest_waiting(
    std::size_t limit) const {
  std::vector<std::pair<const WaitingTicket*, TicketClass>> all;
  all.reserve(positions_.size());
  for (const auto& [participant, position] : positions_) {
    const Room& room = rooms_.at(position.ticket->ticket.room);
    all.emplace_back(&*position.ticket, class_of(room, position.line));
  }
  const auto middle = all.begin() + static_cast<std::ptrdiff_t>(std::min(limit, all.size()));
  std::partial_sort(all.begin(), middle, all.end(), [](const auto& a, const auto& b) {
    return std::tie(a.first->since, a.first->ticket.participant) <
           std::tie(b.first->since, b.first->ticket.participant);
  });
  all.erase(middle, all.end());
  return all;
}

std::optional<Instant> Admission::oldest() const {
  std::optional<Instant> earliest;
  for (const auto& arrivals : arrivals_) {
    if (!arrivals.empty() && (!earliest || *arrivals.begin() < *earliest)) {
      earliest = *arrivals.begin();
    }
  }
  return earliest;
}

std::optional<Instant> Admission::oldest(TicketClass ticket_class) const {
  const auto& arrivals = arrivals_[static_cast<std::size_t>(ticket_class)];
  return arrivals.empty() ? std::nullopt : std::optional(*arrivals.begin());
}

/// A line without tickets leaves its turn; a room without lines is forgotten.
void Admission::forget_if_empty(const RoomJid& jid, Line emptied) {
  const auto found = rooms_.find(jid);
  Room& room = found->second;
  RoomLine& line = room.lines[static_cast<std::size_t>(emptied)];
  if (!line.tickets.empty()) {
    return;
  }
  turn(class_of(room, emptied)).erase(*line.place);
  line.place.reset();
  if (room.lines[0].tickets.empty() && room.lines[1].tickets.empty()) {
    rooms_.erase(found);
  }
}

void Admission::count(const WaitingTicket& waiting, TicketClass ticket_class, bool added) {
  auto& arrivals = arrivals_[static_cast<std::size_t>(ticket_class)];
  if (added) {
    arrivals.insert(waiting.since);
  } else {
    arrivals.erase(arrivals.find(waiting.since));
  }
}

void Admission::erase(const OccupantJid& participant, const Position& position) {
  const RoomJid jid = position.ticket->ticket.room;
  Room& room = rooms_.at(jid);
  const Line line = position.line;
  RoomLine& shortened = room.lines[static_cast<std::size_t>(line)];
  count(*position.ticket, class_of(room, line), false);
  shortened.tickets.erase(position.ticket);
  positions_.erase(participant);
  forget_if_empty(jid, line);
}

void Admission::check_invariants() const {
  std::size_t tickets = 0;
  std::array<std::size_t, kTicketClassCount> places{};
  std::array<std::size_t, kTicketClassCount> members{};
  for (const auto& [jid, room] : rooms_) {
    for (const Line line : {Line::kDisplaced, Line::kOthers}) {
      const RoomLine& checked = room.lines[static_cast<std::size_t>(line)];
      const auto index = static_cast<std::size_t>(class_of(room, line));
      BASCULE_CHECK(checked.place.has_value() == !checked.tickets.empty());
      BASCULE_CHECK(!checked.place || (**checked.place)->first == jid);
      places[index] += checked.place ? std::size_t{1} : std::size_t{0};
      members[index] += checked.tickets.size();
      for (const WaitingTicket& waiting : checked.tickets) {
        BASCULE_CHECK(positions_.at(waiting.ticket.participant).line == line);
        ++tickets;
      }
    }
  }
  BASCULE_CHECK(tickets == positions_.size() && tickets <= limits_.tickets);
  for (std::size_t i = 0; i < kTicketClassCount; ++i) {
    const auto its_class = static_cast<TicketClass>(i);
    const Line line = its_class == TicketClass::kDisplaced ? Line::kDisplaced : Line::kOthers;
    BASCULE_CHECK(places[i] == turns_[i].size());
    BASCULE_CHECK(members[i] == arrivals_[i].size());
    for (auto place = turns_[i].begin(); place != turns_[i].end(); ++place) {
      const Room& room = (*place)->second;
      BASCULE_CHECK(class_of(room, line) == its_class);
      BASCULE_CHECK(room.lines[static_cast<std::size_t>(line)].place == place);
    }
  }
}

}  // namespace bascule::focus
