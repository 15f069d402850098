#include "focus/placement_impl.h"

#include <algorithm>

#include "base/check.h"

namespace bascule::focus {
namespace {

constexpr std::size_t kAvoidedMax = 8;

PlacementLimiter make_global_limiter(const PlacementOptions& options) {
  auto limiter = PlacementLimiter::create(
      {.interval = options.global_interval, .burst = options.global_burst});
  BASCULE_CHECK(limiter.has_value());  // Options are validated where they are read.
  return *limiter;
}

RoomJid room_of(const OccupantJid& participant) {
  return RoomJid(participant.jid().bare());
}

}  // namespace

Placement::Impl::Impl(const PlacementOptions& options, std::uint64_t seed)
    : options_(options),
      prng_(seed),
      registry_(options),
      queue_({.tickets = options.max_tickets,
              .quantum = options.quantum,
              .blocked_rooms = options.max_blocked_rooms_per_drain}),
      global_limiter_(make_global_limiter(options)) {
}

void Placement::Impl::service_up(Now now) {
  registry_.link_up(now.mono);
}

void Placement::Impl::service_down(Now now) {
  registry_.link_down(now.mono);
}

std::vector<RoomJid> Placement::Impl::report(const stats::BridgeReport& report, Now now) {
  ++counters_.reports;
  if (!report.stress) {
    ++counters_.reports_bad;
  }
  switch (registry_.report(report, now.mono)) {
    case ReportEffect::kRefused:
      ++counters_.reports_refused;
      return {};
    case ReportEffect::kRestarted:
      return bridge_failed(report.bridge, FailureCause::kRestarted, now);
    case ReportEffect::kRepeated:
      ++counters_.reports_repeated;
      return {};
    case ReportEffect::kAppeared:
    case ReportEffect::kUpdated:
      wake(now.mono);
      return {};
  }
  BASCULE_CHECK(false && "enumerator out of range");
}

void Placement::Impl::bridge_left(const BridgeJid& bridge, Now now) {
  registry_.left(bridge);
  wake(now.mono);
}

std::vector<RoomJid> Placement::Impl::bridge_failed(const BridgeJid& jid, FailureCause cause,
                                                    Now now) {
  Bridge* bridge = registry_.find(jid);
  if (bridge == nullptr) {
    return {};
  }
  ++counters_.bridge_failures[static_cast<std::size_t>(cause)];
  const std::vector<LostConference> lost = strip_bridge(*bridge, now.mono);
  registry_.failed(*bridge, cause, now.mono);
  plan_conferences(lost, now.mono);
  wake(now.mono);
  std::vector<RoomJid> rooms;
  rooms.reserve(lost.size());
  for (const LostConference& conference : lost) {
    if (conference.had_people) {
      rooms.push_back(conference.room);
    }
  }
  return rooms;
}

void Placement::Impl::set_suspect(const BridgeJid& jid, bool suspect, Now now) {
  if (Bridge* bridge = registry_.find(jid)) {
    bridge->suspect = suspect;
    wake(now.mono);
  }
}

void Placement::Impl::set_cordoned(const BridgeJid& jid, bool cordoned, Now now) {
  if (Bridge* bridge = registry_.find(jid)) {
    bridge->cordoned = cordoned;
    wake(now.mono);
  }
}

Result<> Placement::Impl::enqueue(const Ticket& ticket, Now now) {
  if (room_of(ticket.participant) != ticket.room || ticket.avoid.size() > kAvoidedMax) {
    return fail(Errc::kInvalidArgument, "ticket of another room, or too many bridges to avoid");
  }
  const auto known = members_.find(ticket.participant);
  const bool has_place = known != members_.end() && known->second.bridge != nullptr;
  if (has_place && known->second.generation >= ticket.generation) {
    return fail(Errc::kConflict, "participant has a place of this or a newer generation");
  }
  const bool front = known != members_.end() && known->second.waited_before;
  const bool was_empty = queue_.empty();
  if (auto pushed = queue_.push(ticket, front, now.mono); !pushed) {
    ++counters_.tickets_refused;
    return pushed;
  }
  ++counters_.tickets;
  Member& who = member(ticket.room, ticket.participant);
  if (has_place && ticket.kind != TicketKind::kMove) {
    drop_place(ticket.participant, who, now.mono);
  }
  tell_queue(ticket.room, now.mono);
  if (was_empty || !next_pass_) {
    next_pass_ = now.mono;
  }
  return {};
}

void Placement::Impl::cancel(const OccupantJid& participant, std::uint32_t generation) {
  if (!queue_.cancel(participant, generation)) {
    return;
  }
  ++counters_.tickets_cancelled;
}

void Placement::Impl::confirmed(const OccupantJid& participant, Now now) {
  const auto found = members_.find(participant);
  if (found == members_.end() || !found->second.in_flight) {
    return;
  }
  Member& who = found->second;
  ++counters_.confirmed;
  who.in_flight = false;
  --who.bridge->in_flight;
  who.avoided.clear();
  who.waited_before = false;
  wake(now.mono);
}

void Placement::Impl::allocation_failed(const OccupantJid& participant, Now now) {
  const auto found = members_.find(participant);
  if (found == members_.end() || !found->second.in_flight) {
    return;
  }
  Member& who = found->second;
  ++counters_.allocation_failures;
  if (who.avoided.size() == kAvoidedMax) {
    who.avoided.erase(who.avoided.begin());
  }
  who.avoided.push_back({who.bridge->jid, now.mono + options_.avoid_time});
  who.waited_before = true;
  const Instant placed_at = who.placed_at;
  drop_place(participant, who, now.mono);
  note_room_failure(room_of(participant), placed_at, now.mono);
}

void Placement::Impl::left(const OccupantJid& participant, Now now) {
  const auto found = members_.find(participant);
  if (found == members_.end()) {
    return;
  }
  const RoomJid room = room_of(participant);
  forget(found, now);
  if (loads_.find(room)->members == 0) {
    loads_.release(room);
  }
  loads_.forget_if_idle(room);
}

void Placement::Impl::conference_ended(const RoomJid& room, Now now) {
  auto [next, end] = members_of(room);
  while (next != end) {
    forget(next++, now);
  }
  loads_.release(room);
  loads_.forget_if_idle(room);
}

void Placement::Impl::restore_participant(const RoomJid& room, const OccupantJid& participant,
                                          const BridgeJid& jid, Now now) {
  Bridge* bridge = registry_.find_or_create(jid);
  if (bridge == nullptr || members_.contains(participant)) {
    return;
  }
  Member& who = member(room, participant);
  who.bridge = bridge;
  who.placed_at = now.mono;
  who.join_load = loads_.join(room, *bridge, now.mono, true);
  tell_queue(room, now.mono);
}

std::optional<WaitReason> Placement::Impl::waiting_for(const OccupantJid& participant) const {
  const WaitingTicket* waiting = queue_.find(participant);
  if (waiting == nullptr) {
    return std::nullopt;
  }
  if (!registry_.gate().open()) {
    return registry_.gate().link_is_up() ? WaitReason::kSettling : WaitReason::kServiceDown;
  }
  return waiting->last_reason;
}

const Bridge* Placement::Impl::place_of(const OccupantJid& participant) const {
  const auto found = members_.find(participant);
  return found == members_.end() ? nullptr : found->second.bridge;
}

std::pair<Placement::Impl::Members::iterator, Placement::Impl::Members::iterator>
Placement::Impl::members_of(const RoomJid& room) {
  // Addresses order by domain, localpart, resource: no nick sorts before the bare address.
  const auto first = members_.lower_bound(OccupantJid(room.jid()));
  auto last = first;
  while (last != members_.end() && room_of(last->first) == room) {
    ++last;
  }
  return {first, last};
}

Placement::Impl::Member& Placement::Impl::member(const RoomJid& room,
                                                 const OccupantJid& participant) {
  const auto [position, added] = members_.try_emplace(participant);
  if (added) {
    ++loads_.at(room).members;
  }
  return position->second;
}

/// Leaves the room itself to the caller, who may have more members to forget.
void Placement::Impl::forget(Members::iterator member, Now now) {
  const OccupantJid participant = member->first;
  if (const WaitingTicket* waiting = queue_.find(participant)) {
    cancel(participant, waiting->ticket.generation);
  }
  if (member->second.bridge != nullptr) {
    drop_place(participant, member->second, now.mono);
    loads_.expect_one_less(room_of(participant));
  }
  --loads_.find(room_of(participant))->members;
  members_.erase(member);
}

void Placement::Impl::drop_place(const OccupantJid& participant, Member& who, Instant now) {
  if (who.bridge == nullptr) {
    return;
  }
  const RoomJid room = room_of(participant);
  if (who.in_flight) {
    --who.bridge->in_flight;
    who.in_flight = false;
  }
  loads_.leave(room, *who.bridge, who.join_load, who.placed_at, now);
  who.bridge = nullptr;
  tell_queue(room, now);
  wake(now);
}

/// Failures of placements made before the last counted one are the same failure seen again: a
/// bridge that dies fails everything it was asked for at once.
void Placement::Impl::note_room_failure(const RoomJid& jid, Instant placed_at, Instant now) {
  ConferenceLoad& room = loads_.at(jid);
  if (room.last_failure && placed_at < *room.last_failure) {
    return;
  }
  const bool forgotten = room.last_failure && now - *room.last_failure > options_.retry_memory;
  room.failures = (forgotten ? 0 : room.failures) + 1;
  room.last_failure = now;
  if (room.failures >= options_.retry_free) {
    const auto doublings = std::min<std::uint32_t>(room.failures - options_.retry_free, 16);
    room.held_until =
        now + std::min(options_.retry_wait_max, options_.retry_wait * (1U << doublings));
  }
  tell_queue(jid, now);
}

void Placement::Impl::tell_queue(const RoomJid& jid, Instant now) {
  const ConferenceLoad* room = loads_.find(jid);
  queue_.set_live(jid, room != nullptr && room->home != nullptr);
  if (room != nullptr && room->held_until && now < *room->held_until) {
    queue_.hold(jid, *room->held_until);
  }
}

/// Takes everything off a bridge that is gone. Largest conference first.
std::vector<Placement::Impl::LostConference> Placement::Impl::strip_bridge(Bridge& bridge,
                                                                           Instant now) {
  std::map<RoomJid, LostConference> losses;
  for (const RoomJid& room : std::set<RoomJid>(bridge.rooms)) {
    const auto [first, last] = members_of(room);
    for (auto it = first; it != last; ++it) {
      if (it->second.bridge == &bridge) {
        it->second.bridge = nullptr;
        it->second.in_flight = false;
      }
    }
    losses[room] = {room, loads_.lose_host(room, bridge, now), true};
  }
  bridge.in_flight = 0;
  // Those who were still expected here belong to what was lost.
  for (const RoomJid& room : std::set<RoomJid>(bridge.plans)) {
    const ConferenceLoad* planned = loads_.find(room);
    if (planned->home == nullptr) {
      LostConference& loss = losses.try_emplace(room, LostConference{room, 0, false}).first->second;
      loss.size = std::max(loss.size, planned->reservation->size);
    }
    loads_.release(room);
  }
  std::vector<LostConference> lost;
  for (const auto& [room, loss] : losses) {
    tell_queue(room, now);
    lost.push_back(loss);
  }
  std::stable_sort(lost.begin(), lost.end(),
                   [](const auto& a, const auto& b) { return a.size > b.size; });
  return lost;
}

/// Finds each lost conference one bridge with room for all of it, so that it is not split. What
/// fits nowhere now has no plan and waits in the queue like others.
void Placement::Impl::plan_conferences(const std::vector<LostConference>& lost, Instant now) {
  if (!registry_.gate().open()) {
    return;
  }
  take_snapshot(now);
  for (const LostConference& conference : lost) {
    if (loads_.at(conference.room).home != nullptr) {
      continue;  // A part of it lives: joins there are ordinary.
    }
    Choice choice;
    for (const Stress limit : {options_.limit_new, options_.limit_join, options_.limit_max}) {
      if (!choice.candidate) {
        choice = selector_.choose({.load = conference_load(conference.size),
                                   .limit = limit,
                                   .respect_growth = true,
                                   .pace_matters = false,
                                   .region = nullptr,
                                   .avoid = {}},
                                  prng_);
      }
    }
    if (!choice.candidate) {
      ++counters_.plans_without_room;
      continue;
    }
    ++counters_.plans;
    Bridge& target = *registry_.find(selector_.candidates()[*choice.candidate].bridge->jid);
    loads_.reserve(conference.room, target, conference.size, now + options_.reservation_ttl);
    selector_.update(*choice.candidate, candidate_for(target, now));
  }
}

}  // namespace bascule::focus
