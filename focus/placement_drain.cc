// How `Placement` makes decisions: snapshot, pass over the queue, commit.

#include <algorithm>

#include "base/check.h"
#include "focus/placement_impl.h"

namespace bascule::focus {
namespace {

constexpr Milliunits kWindowProbe = 2'000;  // Two units: more than most single joins add.
constexpr Milliunits kRoomProbe = 5'000;    // A bridge without this much room is full.

}  // namespace

void Placement::Impl::drain(Now now, std::vector<Decision>& out) {
  const Instant at = now.mono;
  loads_.release_expired(at);
  if (registry_.open_gate_if_due(at)) {
    next_pass_ = at;
  }
  if (queue_.empty()) {
    next_pass_.reset();
    return;
  }
  if (!registry_.gate().open() || (next_pass_ && at < *next_pass_)) {
    return;
  }
  take_snapshot(at);
  const std::size_t decisions =
      std::min<std::size_t>(options_.max_decisions_per_drain, global_limiter_.available(at));
  const Admission::Pass pass = queue_.serve_pass(at, decisions, [&](const WaitingTicket& waiting) {
    const auto reason = serve(waiting, at, out);
    if (reason) {
      ++counters_.waits[static_cast<std::size_t>(*reason)];
    }
    return reason;
  });
  last_pass_ = at;
  if (queue_.empty()) {
    next_pass_.reset();
  } else if (pass.served >= options_.max_decisions_per_drain) {
    next_pass_ = at;
  } else if (!pass.complete) {
    next_pass_ = at + options_.drain_spacing;
  } else {
    next_pass_ = std::clamp(next_pace(at), at + options_.drain_spacing, at + options_.recheck);
  }
}

std::optional<Instant> Placement::Impl::next_deadline() const {
  std::optional<Instant> earliest = registry_.gate().deadline();
  const auto consider = [&](std::optional<Instant> deadline) {
    if (deadline && (!earliest || *deadline < *earliest)) {
      earliest = deadline;
    }
  };
  consider(loads_.next_expiry());
  if (!queue_.empty() && registry_.gate().open()) {
    consider(next_pass_);
  }
  return earliest;
}

Overload Placement::Impl::overload(Now now) const {
  if (!registry_.gate().open()) {
    return registry_.present_count() < options_.settle_min_bridges ? Overload::kSettling
                                                                   : Overload::kNone;
  }
  std::vector<Candidate> candidates;
  std::int64_t usable = 0;
  for (const auto& [jid, bridge] : registry_.all()) {
    candidates.push_back(candidate_for(bridge, now.mono));
    usable += candidates.back().takes_new ? 1 : 0;
  }
  if (usable == 0) {
    return Overload::kNoBridge;
  }
  const std::int64_t per_second =
      usable * (Duration(std::chrono::seconds{1}) / options_.placement_interval);
  if (static_cast<std::int64_t>(queue_.size()) >
      std::max<std::int64_t>(1, per_second) * options_.overload_queue_seconds) {
    return Overload::kQueueLong;
  }
  const auto oldest = queue_.oldest(TicketClass::kFirst);
  if (oldest && now.mono - *oldest > options_.overload_wait && fleet_is_full(candidates)) {
    return Overload::kFleetFull;
  }
  return Overload::kNone;
}

Candidate Placement::Impl::candidate_for(const Bridge& bridge, Instant now) const {
  Candidate candidate;
  candidate.bridge = &bridge;
  candidate.estimate = bridge.ledger.estimate(now);
  candidate.cost_per_unit = bridge.ledger.cost_with_margin();
  candidate.growth = stress_of(bridge.growth, candidate.cost_per_unit);
  candidate.capacity = registry_.capacity(bridge, now);
  candidate.takes_new = BridgeRegistry::takes_new(bridge, now);
  candidate.ready = bridge.limiter.earliest() <= now && bridge.in_flight < options_.max_in_flight &&
                    bridge.ledger.within_window(kWindowProbe, now);
  return candidate;
}

void Placement::Impl::take_snapshot(Instant now) {
  std::vector<Candidate> candidates;
  candidates.reserve(registry_.all().size());
  for (auto& [jid, bridge] : registry_.all()) {
    bridge.candidate = candidates.size();
    candidates.push_back(candidate_for(bridge, now));
  }
  fleet_full_ = fleet_is_full(candidates);
  nobody_ = why_nobody(now);
  selector_.reset(std::move(candidates));
}

bool Placement::Impl::fleet_is_full(const std::vector<Candidate>& candidates) const {
  std::int64_t usable = 0;
  std::int64_t roomy = 0;
  for (const Candidate& candidate : candidates) {
    if (candidate.takes_new) {
      ++usable;
      roomy += Selector::fits(candidate, kRoomProbe, options_.limit_join, true) ? 1 : 0;
    }
  }
  return usable > 0 && roomy * 1000 < usable * options_.pressure_permille;
}

/// The filters in their fixed order; the first that empties the list gives the reason.
std::optional<WaitReason> Placement::Impl::why_nobody(Instant now) const {
  bool any_present = false;
  bool any_works = false;
  for (const auto& [jid, bridge] : registry_.all()) {
    if (BridgeRegistry::takes_new(bridge, now)) {
      return std::nullopt;
    }
    any_present = any_present || bridge.present;
    any_works = any_works || BridgeRegistry::works(bridge, now);
  }
  if (any_works) {
    return WaitReason::kAllDraining;
  }
  return any_present ? WaitReason::kAllFailed : WaitReason::kNoBridge;
}

std::optional<WaitReason> Placement::Impl::serve(const WaitingTicket& waiting, Instant now,
                                                 std::vector<Decision>& out) {
  const Ticket& ticket = waiting.ticket;
  Member& who = member(ticket.room, ticket.participant);
  std::erase_if(who.avoided, [&](const auto& avoided) { return avoided.until <= now; });
  TicketCase ticket_case{.ticket = ticket, .room = loads_.at(ticket.room)};
  ticket_case.current = who.bridge;
  ticket_case.waiting_in_room = queue_.size(ticket.room);
  ticket_case.waited = now - waiting.since;
  ticket_case.fleet_full = fleet_full_;
  ticket_case.nobody = nobody_;
  const auto avoid = [&](const BridgeJid& jid) {
    if (const Bridge* bridge = registry_.find(jid)) {
      ticket_case.avoid.push_back(bridge);
    }
  };
  std::for_each(ticket.avoid.begin(), ticket.avoid.end(), avoid);
  for (const auto& avoided : who.avoided) {
    avoid(avoided.bridge);
  }
  const auto verdict = find_spot(ticket_case, options_, selector_, prng_, now);
  if (const auto* reason = std::get_if<WaitReason>(&verdict)) {
    return *reason;
  }
  commit(waiting, std::get<Spot>(verdict), now, out);
  return std::nullopt;
}

void Placement::Impl::commit(const WaitingTicket& waiting, const Spot& spot, Instant now,
                             std::vector<Decision>& out) {
  const Ticket& ticket = waiting.ticket;
  Bridge& bridge = *registry_.find(selector_.candidates()[spot.candidate].bridge->jid);
  BASCULE_CHECK(bridge.limiter.try_place(now, registry_.stretch_permille(bridge, now)));
  BASCULE_CHECK(global_limiter_.try_place(now));
  Member& who = member(ticket.room, ticket.participant);
  if (who.bridge != nullptr) {
    Bridge& before = *who.bridge;
    drop_place(ticket.participant, who, now);
    selector_.update(before.candidate, candidate_for(before, now));
  }
  who.join_load = loads_.join(ticket.room, bridge, now, false);
  who.bridge = &bridge;
  who.in_flight = true;
  who.generation = ticket.generation;
  who.placed_at = now;
  ++bridge.in_flight;
  if (spot.reserve) {
    loads_.reserve(ticket.room, bridge, *spot.reserve, now + options_.reservation_ttl);
  }
  refresh_candidates(loads_.at(ticket.room), now);
  tell_queue(ticket.room, now);
  ++counters_.placed[static_cast<std::size_t>(spot.reason)];
  out.push_back({.ticket = ticket,
                 .bridge = bridge.jid,
                 .reason = spot.reason,
                 .expected = bridge.ledger.estimate(now),
                 .waited = now - waiting.since,
                 .candidates = selector_.open_count()});
}

/// A join changes the load of every host of the conference.
void Placement::Impl::refresh_candidates(const ConferenceLoad& room, Instant now) {
  for (const ConferenceLoad::Host& host : room.hosts) {
    selector_.update(host.bridge->candidate, candidate_for(*host.bridge, now));
  }
  if (room.reservation) {
    const Bridge& kept = *room.reservation->bridge;
    selector_.update(kept.candidate, candidate_for(kept, now));
  }
}

void Placement::Impl::wake(Instant now) {
  if (queue_.empty() || !next_pass_) {
    return;
  }
  const Instant soonest = last_pass_ ? std::max(now, *last_pass_ + options_.drain_spacing) : now;
  next_pass_ = std::min(*next_pass_, soonest);
}

/// When the next token of anybody falls due.
Instant Placement::Impl::next_pace(Instant now) const {
  Instant earliest = now + options_.recheck;
  if (global_limiter_.earliest() > now) {
    return global_limiter_.earliest();
  }
  for (const auto& [jid, bridge] : registry_.all()) {
    if (bridge.present && bridge.limiter.earliest() > now) {
      earliest = std::min(earliest, bridge.limiter.earliest());
    }
  }
  return earliest;
}

}  // namespace bascule::focus
