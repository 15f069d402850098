// One ticket: the rules asked, the decision carried out and recorded.

#include <algorithm>

#include "base/check.h"
#include "focus/placement_impl.h"

namespace bascule::focus {
namespace {

constexpr Duration kLongWait = std::chrono::seconds{10};

}  // namespace

/// The filters in their fixed order; the first that empties the list gives the reason.
std::optional<WaitReason> Placement::Impl::why_nobody(Instant now) const {
  if (selector_.open_count() > 0) {
    return std::nullopt;
  }
  bool any_present = false;
  bool any_works = false;
  for (const auto& [jid, bridge] : registry_.all()) {
    any_present = any_present || bridge.present;
    any_works = any_works || BridgeRegistry::works(bridge, now);
  }
  if (any_works) {
    return WaitReason::kAllDraining;
  }
  return any_present ? WaitReason::kAllFailed : WaitReason::kNoBridge;
}

TicketCase Placement::Impl::case_of(const WaitingTicket& waiting, TicketClass ticket_class,
                                    Member& who, Instant now) {
  const Ticket& ticket = waiting.ticket;
  std::erase_if(who.avoided, [&](const auto& avoided) { return avoided.until <= now; });
  TicketCase c{.ticket = ticket, .room = *who.room, .ticket_class = ticket_class};
  c.current = who.bridge;
  c.waiting_in_room = queue_.size(ticket.room);
  c.waited = now - waiting.since;
  if (!pins_.empty()) {
    const auto pin = pins_.find(ticket.room);
    c.pinned = pin == pins_.end() ? std::nullopt : std::optional(pin->second.version);
  }
  if (who.wish && ticket.kind == TicketKind::kMove && now < who.wish->until) {
    c.wished = registry_.find(who.wish->bridge);
  }
  const auto avoid = [&](const BridgeJid& jid) {
    if (const Bridge* bridge = registry_.find(jid)) {
      c.avoid.push_back(bridge);
    }
  };
  std::for_each(ticket.avoid.begin(), ticket.avoid.end(), avoid);
  for (const auto& avoided : who.avoided) {
    avoid(avoided.bridge);
  }
  return c;
}

std::optional<WaitReason> Placement::Impl::serve(const WaitingTicket& waiting,
                                                 TicketClass ticket_class, Instant now,
                                                 std::vector<Decision>& out) {
  Member& who = member(waiting.ticket.room, waiting.ticket.participant, now);
  ConferenceLoad& room = *who.room;
  const TicketCase c = case_of(waiting, ticket_class, who, now);
  const RuleContext context{.options = options_,
                            .loads = loads_,
                            .registry = registry_,
                            .selector = selector_,
                            .prng = prng_,
                            .now = now,
                            .fleet_full = fleet_full_};
  const RuleVerdict verdict = find_spot(c, context);
  if (const auto* spot = std::get_if<Spot>(&verdict)) {
    commit(waiting, ticket_class, who, *spot, now, out);
    return std::nullopt;
  }
  const Wait& wait = std::get<Wait>(verdict);
  WaitReason reason = wait.reason;
  if (reason == WaitReason::kCapacity) {
    reason = room.has_people() ? reason : why_nobody(now).value_or(reason);
    if (reason == WaitReason::kNoBridge && registry_.phase().settling()) {
      reason = WaitReason::kSettling;
    }
    if (!wait.make_room) {  // A spare is of no use to who must stay on its bridge.
      activate_spare(now);
    }
  }
  if (wait.make_room && room.home != nullptr) {
    make_room(*room.home, &room, now);
  }
  ++counters_.waits[static_cast<std::size_t>(reason)];
  note_wait(waiting, ticket_class, reason, now);
  return reason;
}

void Placement::Impl::commit(const WaitingTicket& waiting, TicketClass ticket_class, Member& who,
                             const Spot& spot, Instant now, std::vector<Decision>& out) {
  const Ticket& ticket = waiting.ticket;
  ConferenceLoad& room = *who.room;
  Bridge& bridge = *spot.bridge;
  DecisionRecord record = record_of(waiting, ticket_class, room, now);
  record.reason = spot.reason;
  record.bridge = bridge.jid;
  record.limit = spot.limit;
  record.looked_at = spot.looked_at;
  add_figures(record, bridge, now);
  decisions_.add(std::move(record));

  BASCULE_CHECK(
      bridge.limiter.try_place(now, registry_.stretch_permille(bridge, fleet_full_, now)));
  BASCULE_CHECK(pace_.try_place(now));
  drop_place(who, now);
  const bool second = room.has_people() && room.host_on(bridge) == nullptr && options_.relays;
  counters_.splits += second && room.hosts.size() == 1 ? 1U : 0U;
  who.stay = {ticket.role, loads_.join(room, bridge, ticket.role, now, false), now};
  who.bridge = &bridge;
  who.in_flight = true;
  who.generation = ticket.generation;
  who.wish.reset();
  ++bridge.in_flight;
  ++bridge.placed;
  ++placed_;
  if (spot.reason == PlacementReason::kAlone) {
    bridge.isolates_alone = room.number;
  }
  end_plan_if_done(room, bridge, now);
  flush(now);
  tell_queue(room, now);
  ++counters_.placed[static_cast<std::size_t>(spot.reason)];
  counters_.queue_wait.at(static_cast<std::size_t>(ticket_class)).record(now - waiting.since);
  const Stress expected = bridge.ledger.estimate(now);
  out.push_back({.ticket = ticket,
                 .bridge = bridge.jid,
                 .reason = spot.reason,
                 .expected = expected,
                 .limit = spot.limit,
                 .waited = now - waiting.since,
                 .candidates = selector_.open_count()});
  if (!options_.relays && expected > options_.make_room_above) {
    make_room(bridge, nullptr, now);
  }
}

/// `bridge` just got one more of the conference.
void Placement::Impl::end_plan_if_done(ConferenceLoad& room, const Bridge& bridge, Instant now) {
  const bool moving = !options_.relays && room.hosts.size() > 1;
  if (moving && (!room.plan || room.plan->bridge != &bridge)) {
    // The first one of a conference that moves as a whole: the others follow it.
    loads_.plan(room, *room.home, PlanKind::kMove, room.people, now);
    return;
  }
  if (!room.plan) {
    return;
  }
  const bool complete = room.plan->kind == PlanKind::kMove
                            ? room.hosts.size() == 1 && room.plan->bridge == &bridge
                            : room.people >= room.plan->size;
  const bool elsewhere = !options_.relays && room.plan->bridge != &bridge;
  if (complete || elsewhere) {
    loads_.drop_plan(room, now);
  }
}

void Placement::Impl::note_wait(const WaitingTicket& waiting, TicketClass ticket_class,
                                WaitReason reason, Instant now) {
  const Duration waited = now - waiting.since;
  // Once when the wait becomes long, and when its reason changes: passes may follow each other by
  // `drain_spacing`.
  const bool told_before = last_pass_ && *last_pass_ - waiting.since >= kLongWait;
  const bool worth_telling = waited >= kLongWait && (waiting.last_reason != reason || !told_before);
  if (!worth_telling) {
    return;
  }
  const ConferenceLoad& room = *loads_.find(waiting.ticket.room);
  DecisionRecord record = record_of(waiting, ticket_class, room, now);
  record.wait = reason;
  record.limit = options_.limit_max;
  const Bridge* told = room.home;
  if (told == nullptr && !selector_.open().empty()) {
    told = selector_.lowest(1).front();
  }
  if (told != nullptr) {
    add_figures(record, *told, now);
  }
  decisions_.add(std::move(record));
}

DecisionRecord Placement::Impl::record_of(const WaitingTicket& waiting, TicketClass ticket_class,
                                          const ConferenceLoad& room, Instant now) const {
  DecisionRecord record;
  record.at = pauses_.outside(now);
  record.ticket = waiting.ticket;
  record.ticket_class = ticket_class;
  record.waited = now - waiting.since;
  record.people = room.people;
  record.open_bridges = selector_.open_count();
  record.settling = registry_.phase().settling();
  record.fleet_full = fleet_full_;
  return record;
}

CandidateFigures Placement::Impl::figures_of(const Bridge& bridge, Stress limit,
                                             Instant now) const {
  const Candidate candidate = selector_.look(bridge, now);
  CandidateFigures figures;
  figures.bridge = bridge.jid;
  figures.report_age =
      bridge.ledger.heard_at() ? now - *bridge.ledger.heard_at() : -std::chrono::seconds{1};
  figures.reported = bridge.ledger.reported();
  figures.expected = candidate.estimate;
  figures.reserved = candidate.growth;
  figures.cost_per_unit = candidate.cost_per_unit;
  figures.capacity = candidate.capacity;
  figures.load = bridge.ledger.own() + bridge.ledger.foreign();
  figures.unaccounted = bridge.ledger.unaccounted();
  figures.in_flight = static_cast<std::uint32_t>(bridge.in_flight);
  figures.tokens = bridge.limiter.available(now);
  figures.fits = Selector::fits(candidate, 0, limit, false);
  return figures;
}

/// The bridge in question, then the least loaded others.
void Placement::Impl::add_figures(DecisionRecord& record, const Bridge& bridge, Instant now) const {
  record.figures.reserve(kFiguresMax);
  record.figures.push_back(figures_of(bridge, record.limit, now));
  for (const Bridge* other : selector_.lowest(kFiguresMax)) {
    if (other != &bridge && record.figures.size() < kFiguresMax) {
      record.figures.push_back(figures_of(*other, record.limit, now));
    }
  }
}

}  // namespace bascule::focus
