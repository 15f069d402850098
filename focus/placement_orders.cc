// What operators order: bridges that are emptied, and moves by hand. Both only ask participants to
// move; the queue decides where they get, and when.

#include <algorithm>

#include "focus/placement_impl.h"

namespace bascule::focus {
namespace {

// Asked to move and not moved yet, per bridge that is emptied: the queue is everybody's.
constexpr std::size_t kWindow = 50;
// Conferences per second for which no other bridge is found before the rest counts as stuck, too.
constexpr int kMisses = 20;
constexpr Duration kWishLasts = std::chrono::seconds{30};

/// The ticket waits for something that time alone does not bring.
bool lacks_room(const WaitingTicket& waiting) {
  return waiting.last_reason && waiting.last_reason != WaitReason::kPace &&
         waiting.last_reason != WaitReason::kSettling;
}

std::int64_t on_host(const ConferenceLoad& room, const Bridge& bridge) {
  const ConferenceLoad::Host* host = room.host_on(bridge);
  return host == nullptr ? 0 : host->people + host->visitors;
}

std::string name_of(const Bridge& bridge) {
  return bridge.jid.jid().resource();
}

}  // namespace

void Placement::Impl::set_evacuating(const BridgeJid& jid, bool evacuating, Now now) {
  const Instant at = clock(now);
  if (Bridge* bridge = registry_.find_or_create(jid)) {
    bridge->evacuating = evacuating;
    bridge->leaving = 0;
    bridge->stuck = 0;
    next_tick_ = next_tick_ ? std::min(*next_tick_, at) : at;
  }
}

/// Once per second. O(bridges), and O(its conferences and who of them waits) for each that is
/// emptied.
void Placement::Impl::evacuate_bridges(Instant now) {
  if (!registry_.phase().link_is_up() || registry_.phase().settling()) {
    return;
  }
  for (auto& [jid, bridge] : registry_.all()) {
    if (bridge.evacuating) {
      selector_.begin_pass();
      evacuate(bridge, now);
    }
  }
}

void Placement::Impl::evacuate(Bridge& bridge, Instant now) {
  count_leaving(bridge);
  std::vector<ConferenceLoad*> rooms;
  for (const auto& [number, room] : bridge.conferences) {
    const bool under_way = room->plan && room->plan->kind == PlanKind::kMove;
    if (options_.relays || (!under_way && queue_.size(room->room) == 0)) {
      rooms.push_back(room);
    }
  }
  // The largest first: the others find a place more easily.
  std::stable_sort(rooms.begin(), rooms.end(), [&](const auto* a, const auto* b) {
    return on_host(*a, bridge) > on_host(*b, bridge);
  });
  int misses = 0;
  for (ConferenceLoad* room : rooms) {
    const auto people = static_cast<std::size_t>(on_host(*room, bridge));
    if (options_.relays) {
      const std::size_t free = kWindow - std::min(kWindow, bridge.leaving);
      const auto asked =
          hand_over(*room, bridge, static_cast<std::int64_t>(free), MoveCause::kEvacuate, now);
      bridge.leaving += static_cast<std::size_t>(asked);
    } else if (misses >= kMisses) {
      bridge.stuck += people;
    } else if (bridge.leaving == 0 || bridge.leaving + people <= kWindow) {
      if (room->hosts.size() == 1 && room->killed_bridges < 2 &&
          move_away(*room, MoveCause::kEvacuate, conference_load(room->people), now)) {
        bridge.leaving += people;
      } else {
        bridge.stuck += people;
        ++misses;
      }
    }
  }
}

void Placement::Impl::count_leaving(Bridge& bridge) {
  bridge.leaving = 0;
  bridge.stuck = 0;
  for (const auto& [number, room] : bridge.conferences) {
    if (queue_.size(room->room) == 0) {
      continue;
    }
    const auto [first, last] = members_of(room->room);
    for (auto it = first; it != last; ++it) {
      const WaitingTicket* waiting =
          it->second.bridge == &bridge ? queue_.find(it->first) : nullptr;
      bridge.leaving += waiting != nullptr ? 1U : 0U;
      bridge.stuck += waiting != nullptr && lacks_room(*waiting) ? 1U : 0U;
    }
  }
}

// Moves by hand.

Result<OrderDone> Placement::Impl::order_move(const order::Move& move, Now now) {
  const Instant at = clock(now);
  selector_.begin_pass();
  const auto to = target_of(move, at);
  if (!to) {
    return tl::make_unexpected(to.error());
  }
  const auto rooms = rooms_of(move);
  if (!rooms) {
    return tl::make_unexpected(rooms.error());
  }
  auto done = options_.relays ? move_people(move, *rooms, *to, at)
                              : move_conferences(move, *rooms, *to, at);
  flush(at);
  return done;
}

/// nullptr: none is named.
Result<Bridge*> Placement::Impl::target_of(const order::Move& move, Instant now) {
  if (!move.to) {
    return nullptr;
  }
  Bridge* to = registry_.find(*move.to);
  if (to == nullptr) {
    return fail(Errc::kNotFound, "no bridge is known as " + move.to->to_string());
  }
  if (!BridgeRegistry::takes_new(*to, now)) {
    return fail(
        Errc::kConflict,
        name_of(*to) + " takes nobody new: it is absent, failed, draining or shutting down");
  }
  return to;
}

/// Whose people may have to move, the largest conference first.
Result<std::vector<ConferenceLoad*>> Placement::Impl::rooms_of(const order::Move& move) {
  Bridge* from = move.from ? registry_.find(*move.from) : nullptr;
  if (move.from && from == nullptr) {
    return fail(Errc::kNotFound, "no bridge is known as " + move.from->to_string());
  }
  std::vector<ConferenceLoad*> rooms;
  if (move.room) {
    ConferenceLoad* room = loads_.find(*move.room);
    if (room == nullptr || room->hosts.empty()) {
      return fail(Errc::kNotFound, "nobody of " + move.room->to_string() + " is on a bridge");
    }
    rooms.push_back(room);
  } else if (from == nullptr) {
    return fail(Errc::kInvalidArgument, "a conference, or a bridge to leave, is needed");
  } else {
    for (const auto& [number, room] : from->conferences) {
      rooms.push_back(room);
    }
    std::stable_sort(rooms.begin(), rooms.end(), [&](const auto* a, const auto* b) {
      return on_host(*a, *from) > on_host(*b, *from);
    });
  }
  if (from != nullptr && std::none_of(rooms.begin(), rooms.end(), [&](const auto* room) {
        return room->host_on(*from) != nullptr;
      })) {
    return fail(Errc::kNotFound, "nobody to move is on " + name_of(*from));
  }
  return rooms;
}

/// One bridge per conference: whole conferences, until `people_max` is reached.
Result<OrderDone> Placement::Impl::move_conferences(const order::Move& move,
                                                    const std::vector<ConferenceLoad*>& rooms,
                                                    Bridge* to, Instant now) {
  if (move.endpoint) {
    return fail(Errc::kConflict,
                "a conference uses one bridge here (selection.relays is off): move all of it");
  }
  OrderDone done;
  bool any_elsewhere = false;
  for (ConferenceLoad* room : rooms) {
    if (done.participants >= move.people_max) {
      break;
    }
    const bool settled = room->hosts.size() == 1 && room->home != to;
    if (!settled || (move.from && room->home->jid != *move.from)) {
      continue;
    }
    any_elsewhere = true;
    const Milliunits load = conference_load(room->people);
    if (to == nullptr) {
      if (!move_away(*room, MoveCause::kOrder, load, now)) {
        continue;
      }
    } else if (Selector::fits(selector_.look(*to, now), load, options_.limit_join, false)) {
      plan_move(*room, *to, MoveCause::kOrder, now);
    } else {
      continue;
    }
    done.participants += static_cast<std::size_t>(on_host(*room, *room->home));
    ++done.conferences;
  }
  if (done.conferences == 0) {
    return fail(Errc::kConflict, any_elsewhere ? "no other bridge has room for a whole conference"
                                               : "it is there already, or is moving right now");
  }
  done.changed = true;
  return done;
}

/// With relays: single participants, until `people_max` is reached or `to` is full.
Result<OrderDone> Placement::Impl::move_people(const order::Move& move,
                                               const std::vector<ConferenceLoad*>& rooms,
                                               Bridge* to, Instant now) {
  OrderDone done;
  for (ConferenceLoad* room : rooms) {
    std::size_t most = move.people_max - std::min(move.people_max, done.participants);
    if (to != nullptr) {
      if (!to->relay_id && room->host_on(*to) == nullptr) {
        return fail(Errc::kConflict, name_of(*to) + " has no relay: it cannot join a conference");
      }
      const Candidate figures = selector_.look(*to, now);
      const std::int64_t each = std::max<std::int64_t>(participant_load(room->people), 1);
      while (most > 0 && !Selector::fits(figures,
                                         each * static_cast<std::int64_t>(std::min(
                                                    most, static_cast<std::size_t>(room->people))),
                                         options_.limit_join, false)) {
        most = std::min(most, static_cast<std::size_t>(room->people)) - 1;
      }
    }
    const std::size_t asked = move_people_of(*room, move, to, most, now);
    done.participants += asked;
    done.conferences += asked > 0 ? 1U : 0U;
  }
  if (done.participants == 0) {
    return fail(Errc::kConflict,
                to == nullptr ? "nobody can be asked to move: they wait, or move already"
                              : "nobody can be asked to move there: it has no room, or everybody "
                                "is there, waits, or moves already");
  }
  done.changed = true;
  return done;
}

std::size_t Placement::Impl::move_people_of(ConferenceLoad& room, const order::Move& move,
                                            Bridge* to, std::size_t people_max, Instant now) {
  std::size_t asked = 0;
  const auto [first, last] = members_of(room.room);
  for (auto it = first; it != last && asked < people_max; ++it) {
    Member& who = it->second;
    const bool meant = !move.endpoint || it->first.jid().resource() == move.endpoint->value();
    const bool movable = who.bridge != nullptr && who.bridge != to && !who.in_flight &&
                         !is_asked(who, now) && queue_.find(it->first) == nullptr;
    if (!meant || !movable || (move.from && who.bridge->jid != *move.from)) {
      continue;
    }
    who.wish =
        to == nullptr ? std::nullopt : std::optional(Member::Wish{to->jid, now + kWishLasts});
    want_move(room, it->first, who, MoveCause::kOrder, now);
    ++asked;
  }
  return asked;
}

}  // namespace bascule::focus
