#include "focus/placement_impl.h"

#include <algorithm>

#include "base/check.h"

namespace bascule::focus {
namespace {

constexpr std::size_t kAvoidedMax = 8;
/// What was placed longer ago is in every report.
constexpr Duration kUnreportedMax = std::chrono::minutes{2};
constexpr Duration kTickPeriod = std::chrono::seconds{1};
constexpr Duration kLearnAfterPause = std::chrono::seconds{20};
constexpr Duration kDepartureWindow = std::chrono::seconds{5};
constexpr std::size_t kDeparturesMin = 20;  // Fewer people leave together at the end of a meeting.

}  // namespace

Placement::Impl::Impl(const PlacementOptions& options, std::uint64_t seed)
    : options_(options),
      prng_(seed),
      registry_(options),
      loads_(options),
      queue_({.tickets = options.max_tickets,
              .quantum = options.quantum,
              .blocked_rooms = options.max_blocked_rooms_per_drain}),
      selector_(registry_, options),
      pace_(options),
      pauses_(options.pause_max),
      decisions_(options.max_decisions) {
}

Instant Placement::Impl::clock(Now now) {
  const bool paused = pauses_.advance(now.mono, next_tick_.has_value());
  const Instant at = pauses_.inside(now.mono);
  if (paused) {
    ++counters_.pauses;
    registry_.suspend_learning(at, kLearnAfterPause);
  }
  if (!next_tick_) {
    next_tick_ = at + kTickPeriod;
  }
  latest_ = at;
  return at;
}

void Placement::Impl::service_up(Now now) {
  const Instant at = clock(now);
  known_before_ = registry_.known_before_count();
  placed_before_.clear();
  registry_.link_up(at);
  const auto recent = loads_.history().seen_since(at - kDepartureWindow, at);
  for (const RoomMemory& memory : recent) {
    plan_return(memory, at);
  }
  refresh_fleet(at);
  wake(at);
}

void Placement::Impl::service_down(Now now) {
  const Instant at = clock(now);
  registry_.link_down(at);
  for (auto& [jid, bridge] : registry_.all()) {
    sort_in(bridge, at);
  }
}

std::vector<RoomJid> Placement::Impl::report(const stats::BridgeReport& report, Now now,
                                             ReportOrigin origin) {
  const Instant at = clock(now);
  ++counters_.reports;
  if (!report.stress) {
    ++counters_.reports_bad;
  }
  const ReportEffect effect = registry_.report(report, at, origin);
  Bridge* bridge = registry_.find(report.bridge);
  if (bridge != nullptr && effect != ReportEffect::kRestarted) {
    sort_in(*bridge, at);
  }
  switch (effect) {
    case ReportEffect::kRefused:
      ++counters_.reports_refused;
      return {};
    case ReportEffect::kRestarted:
      return bridge_failed(report.bridge, FailureCause::kRestarted, now);
    case ReportEffect::kRepeated:
      ++counters_.reports_repeated;
      return {};
    case ReportEffect::kAppeared:
      settle_if_due(at);
      wake(at);
      return {};
    case ReportEffect::kUpdated:
      if (const auto error = bridge->ledger.sample_error()) {
        ++counters_.estimate_errors[estimate_error_class(*error)];
        counters_.estimate_error_sum += static_cast<std::uint64_t>(*error);
      }
      wake(at);
      return {};
  }
  BASCULE_CHECK(false && "enumerator out of range");
}

void Placement::Impl::bridge_left(const BridgeJid& jid, Now now) {
  const Instant at = clock(now);
  registry_.left(jid);
  if (Bridge* bridge = registry_.find(jid)) {
    sort_in(*bridge, at);
  }
  wake(at);
}

std::vector<RoomJid> Placement::Impl::bridge_failed(const BridgeJid& jid, FailureCause cause,
                                                    Now now) {
  const Instant at = clock(now);
  Bridge* bridge = registry_.find(jid);
  if (bridge == nullptr) {
    return {};
  }
  ++counters_.bridge_failures[static_cast<std::size_t>(cause)];
  const std::vector<Homeless> lost = strip_bridge(*bridge, cause, at);
  registry_.failed(*bridge, cause, at);
  sort_in(*bridge, at);  // One that restarted while idle may be used at once.
  flush(at);
  plan_conferences(lost, at);
  wake(at);
  std::vector<RoomJid> rooms;
  rooms.reserve(lost.size());
  for (const Homeless& conference : lost) {
    if (conference.had_people) {
      rooms.push_back(conference.room);
    }
  }
  return rooms;
}

void Placement::Impl::set_suspect(const BridgeJid& jid, bool suspect, Now now) {
  const Instant at = clock(now);
  if (Bridge* bridge = registry_.find(jid)) {
    bridge->suspect = suspect;
    sort_in(*bridge, at);
    wake(at);
  }
}

void Placement::Impl::set_cordoned(const BridgeJid& jid, bool cordoned, Now now) {
  const Instant at = clock(now);
  if (Bridge* bridge = registry_.find_or_create(jid)) {
    bridge->cordoned = cordoned;
    sort_in(*bridge, at);
    wake(at);
  }
}

void Placement::Impl::set_standby(const BridgeJid& jid, bool standby, Now now) {
  const Instant at = clock(now);
  if (Bridge* bridge = registry_.find_or_create(jid)) {
    bridge->standby = standby;
    bridge->activated = false;
    sort_in(*bridge, at);
    wake(at);
  }
}

void Placement::Impl::pin(const RoomJid& room, const std::string& version, Duration for_time,
                          Now now) {
  pins_.insert_or_assign(room, Pin{version, clock(now) + for_time});
}

void Placement::Impl::unpin(const RoomJid& room) {
  pins_.erase(room);
}

Result<> Placement::Impl::enqueue(const Ticket& ticket, Now now) {
  const Instant at = clock(now);
  const bool is_occupant =
      ticket.room.jid().is_bare() && ticket.participant.jid().has_same_bare(ticket.room.jid());
  if (!is_occupant || ticket.avoid.size() > kAvoidedMax) {
    return fail(Errc::kInvalidArgument, "ticket of another room, or too many bridges to avoid");
  }
  const auto known = members_.find(ticket.participant);
  const bool has_place = known != members_.end() && known->second.bridge != nullptr;
  if (has_place && known->second.generation >= ticket.generation) {
    return fail(Errc::kConflict, "participant has a place of this or a newer generation");
  }
  const bool front = known != members_.end() && known->second.waited_before;
  const bool was_empty = queue_.empty();
  if (auto pushed = queue_.push(ticket, front, at); !pushed) {
    ++counters_.tickets_refused;
    return pushed;
  }
  ++counters_.tickets;
  Member& who = has_place ? known->second : member(ticket.room, ticket.participant, at);
  ConferenceLoad& room = *who.room;
  who.move_wanted.reset();
  if (has_place && ticket.kind != TicketKind::kMove) {
    drop_place(who, at);
  }
  if (ticket.kind == TicketKind::kReinvite) {
    note_reinvite(room, at);
  }
  flush(at);
  tell_queue(room, at);
  if (was_empty || !next_pass_) {
    next_pass_ = at;
  } else {
    wake(at);
  }
  return {};
}

void Placement::Impl::cancel(const OccupantJid& participant, std::uint32_t generation) {
  if (queue_.cancel(participant, generation)) {
    ++counters_.tickets_cancelled;
  }
}

void Placement::Impl::confirmed(const OccupantJid& participant, Now now) {
  const Instant at = clock(now);
  const auto found = members_.find(participant);
  if (found == members_.end() || !found->second.in_flight) {
    return;
  }
  Member& who = found->second;
  ++counters_.confirmed;
  who.in_flight = false;
  --who.bridge->in_flight;
  BridgeRegistry::answered(*who.bridge, at - who.stay.joined_at);
  pace_.answered(at - who.stay.joined_at);
  who.avoided.clear();
  who.waited_before = false;
  wake(at);
}

void Placement::Impl::allocation_failed(const OccupantJid& participant, Now now) {
  const Instant at = clock(now);
  const auto found = members_.find(participant);
  if (found == members_.end() || !found->second.in_flight) {
    return;
  }
  Member& who = found->second;
  ++counters_.allocation_failures;
  BridgeRegistry::answered(*who.bridge, at - who.stay.joined_at);
  if (who.avoided.size() == kAvoidedMax) {
    who.avoided.erase(who.avoided.begin());
  }
  who.avoided.push_back({who.bridge->jid, at + options_.avoid_time});
  who.waited_before = true;
  const Instant placed_at = who.stay.joined_at;
  drop_place(who, at);
  flush(at);
  note_room_failure(*who.room, placed_at, at);
}

bool Placement::Impl::restart_requested(const OccupantJid& participant, Now now) {
  const Instant at = clock(now);
  const auto found = members_.find(participant);
  if (found == members_.end() || found->second.bridge == nullptr) {
    return false;
  }
  Member& who = found->second;
  ++who.bridge->restarts_asked;
  const bool asked_before =
      who.restart_of == who.bridge->number && at - who.restart_at <= options_.ice_failure_interval;
  who.restart_of = who.bridge->number;
  who.restart_at = at;
  // One participant with a bad network says nothing about the bridge, however often it asks.
  if (asked_before || !registry_.restart_requested(*who.bridge, at)) {
    return false;
  }
  ++counters_.ice_quarantines;
  sort_in(*who.bridge, at);
  return true;
}

void Placement::Impl::note_answer_time(Duration took, Now now) {
  clock(now);
  pace_.answered(took);
}

void Placement::Impl::left(const OccupantJid& participant, Now now) {
  const Instant at = clock(now);
  const auto found = members_.find(participant);
  if (found == members_.end()) {
    return;
  }
  ConferenceLoad& room = *found->second.room;
  forget(found, at);
  if (room.members == 0 && !returns_until_) {
    loads_.drop_plan(room, at);
  }
  loads_.forget_if_idle(room);
  flush(at);
}

void Placement::Impl::conference_ended(const RoomJid& jid, Now now) {
  const Instant at = clock(now);
  ConferenceLoad* room = loads_.find(jid);
  if (room == nullptr) {
    return;
  }
  auto [next, end] = members_of(jid);
  while (next != end) {
    forget(next++, at);
  }
  if (!returns_until_) {
    loads_.drop_plan(*room, at);
  }
  loads_.forget_if_idle(*room);
  flush(at);
}

void Placement::Impl::restore_participant(const RoomJid& jid, const OccupantJid& participant,
                                          const BridgeJid& bridge_jid, Now now) {
  const Instant at = clock(now);
  Bridge* bridge = registry_.find_or_create(bridge_jid);
  if (bridge == nullptr || members_.contains(participant)) {
    return;
  }
  Member& who = member(jid, participant, at);
  ConferenceLoad& room = *who.room;
  who.bridge = bridge;
  const auto placed = placed_before_.find({participant, bridge_jid});
  const auto placed_at =
      placed == placed_before_.end() ? std::nullopt : std::optional(placed->second);
  who.stay = {Role::kMember, loads_.join(room, *bridge, Role::kMember, at, true, placed_at),
              placed_at.value_or(at)};
  bridge->expected_back = bridge->expected_back || !bridge->present;
  ++placed_;
  flush(at);
  tell_queue(room, at);
}

void Placement::Impl::restore_placement(const OccupantJid& participant, const BridgeJid& jid,
                                        Duration age, Now now) {
  const Instant at = clock(now) - age;
  if (age <= options_.placement_interval * options_.placement_burst) {
    if (Bridge* bridge = registry_.find_or_create(jid)) {
      // One that does not conform was placed under another configuration; the others count.
      static_cast<void>(bridge->limiter.try_place(at));
    }
  }
  if (age <= kUnreportedMax) {
    placed_before_.insert_or_assign({participant, jid}, at);
  }
}

Duration Placement::Impl::oldest_wait(Now now) const {
  const auto oldest = queue_.oldest();
  return oldest ? time_of(now) - *oldest : Duration::zero();
}

std::optional<WaitReason> Placement::Impl::waiting_for(const OccupantJid& participant) const {
  const WaitingTicket* waiting = queue_.find(participant);
  if (waiting == nullptr) {
    return std::nullopt;
  }
  return registry_.phase().link_is_up() ? waiting->last_reason : WaitReason::kServiceDown;
}

const Bridge* Placement::Impl::place_of(const OccupantJid& participant) const {
  const auto found = members_.find(participant);
  return found == members_.end() ? nullptr : found->second.bridge;
}

std::pair<Placement::Impl::Members::iterator, Placement::Impl::Members::iterator>
Placement::Impl::members_of(const RoomJid& room) {
  // No nick sorts before the bare address.
  const auto first = members_.lower_bound(OccupantJid(room.jid()));
  auto last = first;
  while (last != members_.end() && last->first.jid().has_same_bare(room.jid())) {
    ++last;
  }
  return {first, last};
}

Placement::Impl::Member& Placement::Impl::member(const RoomJid& room,
                                                 const OccupantJid& participant, Instant now) {
  const auto [position, added] = members_.try_emplace(participant);
  if (added) {
    position->second.room = &loads_.at(room, now);
    ++position->second.room->members;
  }
  return position->second;
}

/// Leaves the room itself to the caller, who may have more members to forget.
void Placement::Impl::forget(Members::iterator member, Instant now) {
  Member& who = member->second;
  ConferenceLoad& room = *who.room;
  if (queue_.cancel_any(member->first)) {
    ++counters_.tickets_cancelled;
  }
  if (who.bridge != nullptr) {
    note_departure(*who.bridge, now);
    const BridgeJid* bridge = &who.bridge->jid;
    drop_place(who, now);
    loads_.expect_one_less(room, now);
    if (returns_until_ && !room.has_people()) {
      plan_return({room.room, *bridge, room.largest, Duration::zero()}, now);
    }
  }
  --room.members;
  members_.erase(member);
}

void Placement::Impl::drop_place(Member& who, Instant now) {
  if (who.bridge == nullptr) {
    return;
  }
  if (who.in_flight) {
    --who.bridge->in_flight;
    who.in_flight = false;
  }
  loads_.leave(*who.room, *who.bridge, who.stay, now);
  who.bridge = nullptr;
  --placed_;
  tell_queue(*who.room, now);
  wake(now);
}

void Placement::Impl::note_departure(Bridge& bridge, Instant now) {
  if (now - departures_.since > kDepartureWindow || departures_.window == 0) {
    departures_ = {departures_.window + 1, now, placed_, 0};
  }
  if (bridge.departures_window != departures_.window) {
    bridge.departures_window = departures_.window;
    bridge.departures = 0;
  }
  ++bridge.departures;
  ++departures_.gone;
  const bool most = departures_.before >= kDeparturesMin &&
                    departures_.gone * 2 > departures_.before && !returns_until_;
  if (most) {
    everybody_dropped(now);
  }
}

/// Failures of placements made before the last counted one are the same failure seen again: a
/// bridge that dies fails everything it was asked for at once.
void Placement::Impl::note_room_failure(ConferenceLoad& room, Instant placed_at, Instant now) {
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
  tell_queue(room, now);
}

/// A conference that is re-invited over and over has a trouble that another placement does not
/// cure, and every one costs its bridge a join.
void Placement::Impl::note_reinvite(ConferenceLoad& room, Instant now) {
  if (now - room.reinvites_since > options_.retry_memory) {
    room.reinvites_since = now;
    room.reinvites = 0;
  }
  ++room.reinvites;
  const auto size = std::max<std::int64_t>(static_cast<std::int64_t>(room.members), 1);
  if (room.reinvites > size * static_cast<std::int64_t>(options_.retry_budget)) {
    const Instant until = now + options_.retry_budget_wait;
    room.held_until = room.held_until ? std::max(*room.held_until, until) : until;
  }
}

void Placement::Impl::tell_queue(const ConferenceLoad& room, Instant now) {
  queue_.set_live(room.room, room.home != nullptr);
  if (room.held_until && now < *room.held_until) {
    queue_.hold(room.room, *room.held_until);
  }
}

}  // namespace bascule::focus
