// What others see of `Placement`; its invariants.

#include <algorithm>

#include "base/check.h"
#include "focus/placement_impl.h"

namespace bascule::focus {

Overload Placement::Impl::overload(Now now) const {
  if (!registry_.phase().link_is_up() || registry_.phase().settling()) {
    return registry_.present_count() < options_.settle_min_bridges ? Overload::kSettling
                                                                   : Overload::kNone;
  }
  const auto usable = static_cast<std::int64_t>(selector_.open_count());
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
  if (oldest && time_of(now) - *oldest > options_.overload_wait && fleet_full_) {
    return Overload::kFleetFull;
  }
  return Overload::kNone;
}

Mode Placement::Impl::mode() const {
  if (!registry_.phase().link_is_up()) {
    return Mode::kServiceDown;
  }
  if (registry_.phase().settling()) {
    return Mode::kSettling;
  }
  if (fleet_blind_) {
    return Mode::kBlind;
  }
  return fleet_full_ ? Mode::kFull : Mode::kNormal;
}

BridgeView Placement::Impl::view(const Bridge& bridge, Now now) const {
  const Instant at = time_of(now);
  const Candidate candidate = selector_.look(bridge, at);
  BridgeView view;
  view.bridge = bridge.jid;
  view.state = registry_.state(bridge, at);
  view.present = bridge.present;
  view.drain = bridge.drain;
  view.cordoned = bridge.cordoned;
  view.evacuating = bridge.evacuating;
  view.leaving = bridge.leaving;
  view.stuck = bridge.stuck;
  view.graceful_shutdown = bridge.graceful_shutdown;
  view.shutting_down = bridge.shutting_down;
  view.healthy = bridge.healthy;
  view.suspect = bridge.suspect;
  view.ice_failing = bridge.ice_failing_until && at < *bridge.ice_failing_until;
  if (bridge.quarantined_until && at < *bridge.quarantined_until) {
    view.quarantined_until = pauses_.outside(*bridge.quarantined_until);
  }
  view.reported = bridge.ledger.reported();
  if (bridge.ledger.heard_at()) {
    view.report_age = at - *bridge.ledger.heard_at();
    view.report_origin = bridge.ledger.origin();
  }
  view.confidence_permille = bridge.ledger.confidence(at);
  view.caution_permille = bridge.ledger.caution(at);
  view.expected = candidate.estimate;
  view.reserved = candidate.growth;
  view.capacity = candidate.capacity;
  view.limit =
      Stress((options_.relays ? options_.limit_max : options_.limit_single_join).millionths() *
             candidate.capacity.millionths() / 1'000'000);
  view.cost_per_unit = bridge.ledger.cost_with_margin();
  view.load = bridge.ledger.own() + bridge.ledger.foreign();
  view.unaccounted = bridge.ledger.unaccounted();
  view.foreign = bridge.ledger.foreign();
  view.confirmations = bridge.ledger.learned().confirmations;
  view.standby = bridge.standby;
  view.activated = bridge.activated;
  view.participants = bridge.participants;
  view.conferences = bridge.conferences.size();
  view.in_flight = bridge.in_flight;
  view.restarts_asked = bridge.restarts_asked;
  view.relieved = bridge.relieved;
  view.placed = bridge.placed;
  view.version = bridge.version;
  view.region = bridge.region;
  view.relay_id = bridge.relay_id;
  return view;
}

std::optional<PlaceView> Placement::Impl::place_of(const OccupantJid& participant, Now now) const {
  const auto found = members_.find(participant);
  if (found == members_.end() || found->second.bridge == nullptr) {
    return std::nullopt;
  }
  const Member& who = found->second;
  return PlaceView{.bridge = who.bridge->jid,
                   .age = time_of(now) - who.stay.joined_at,
                   .in_flight = who.in_flight};
}

std::vector<WaitingView> Placement::Impl::longest_waiting(std::size_t limit, Now now) const {
  std::vector<WaitingView> views;
  for (const auto& [waiting, ticket_class] : queue_.longest_waiting(limit)) {
    views.push_back({.ticket = waiting->ticket,
                     .ticket_class = ticket_class,
                     .waited = time_of(now) - waiting->since,
                     .reason = registry_.phase().link_is_up()
                                   ? waiting->last_reason
                                   : std::optional(WaitReason::kServiceDown)});
  }
  return views;
}

void Placement::Impl::check_invariants() const {
  queue_.check_invariants();
  loads_.check_invariants(registry_, latest_);
  selector_.check_invariants(latest_);
  std::map<BridgeJid, std::size_t> in_flight;
  std::map<RoomJid, std::size_t> members;
  std::size_t placed = 0;
  std::size_t waiting_members = 0;
  for (const auto& [jid, who] : members_) {
    ++members[RoomJid(jid.jid().bare())];
    placed += who.bridge != nullptr ? 1U : 0U;
    if (const WaitingTicket* waiting = queue_.find(jid)) {
      // Only who moves has a place and waits.
      BASCULE_CHECK(who.bridge == nullptr || waiting->ticket.kind == TicketKind::kMove);
      ++waiting_members;
    }
    if (who.in_flight) {
      BASCULE_CHECK(who.bridge != nullptr);
      ++in_flight[who.bridge->jid];
    }
  }
  BASCULE_CHECK(placed == placed_ && waiting_members == queue_.size());
  for (const auto& [jid, room] : loads_.all()) {
    BASCULE_CHECK(room.members == members[jid]);
  }
  for (const auto& [jid, bridge] : registry_.all()) {
    BASCULE_CHECK(bridge.in_flight == in_flight[jid]);
  }
}

}  // namespace bascule::focus
