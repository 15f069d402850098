#include "focus/placement.h"

#include "base/check.h"
#include "focus/placement_impl.h"

namespace bascule::focus {

std::string_view to_string(BridgeState state) {
  switch (state) {
    case BridgeState::kUnknown:
      return "unknown";
    case BridgeState::kFresh:
      return "fresh";
    case BridgeState::kStale:
      return "stale";
    case BridgeState::kFailed:
      return "failed";
  }
  BASCULE_CHECK(false && "enumerator out of range");
}

std::string_view to_string(FailureCause cause) {
  switch (cause) {
    case FailureCause::kLeft:
      return "left";
    case FailureCause::kTimeout:
      return "timeout";
    case FailureCause::kUnhealthy:
      return "unhealthy";
    case FailureCause::kRestarted:
      return "restarted";
    case FailureCause::kIceFailing:
      return "ice_failing";
    case FailureCause::kShutDown:
      return "shut_down";
  }
  BASCULE_CHECK(false && "enumerator out of range");
}

std::string_view to_string(Overload overload) {
  switch (overload) {
    case Overload::kNone:
      return "none";
    case Overload::kQueueLong:
      return "queue_long";
    case Overload::kFleetFull:
      return "fleet_full";
    case Overload::kSettling:
      return "settling";
    case Overload::kNoBridge:
      return "no_bridge";
  }
  BASCULE_CHECK(false && "enumerator out of range");
}

Placement::Placement(const PlacementOptions& options, std::uint64_t seed)
    : impl_(std::make_unique<Impl>(options, seed)) {
}
Placement::~Placement() = default;
Placement::Placement(Placement&&) noexcept = default;
Placement& Placement::operator=(Placement&&) noexcept = default;

void Placement::service_up(Now now) {
  impl_->service_up(now);
}
void Placement::service_down(Now now) {
  impl_->service_down(now);
}
std::vector<RoomJid> Placement::report(const stats::BridgeReport& report, Now now) {
  return impl_->report(report, now);
}
void Placement::bridge_left(const BridgeJid& bridge, Now now) {
  impl_->bridge_left(bridge, now);
}
std::vector<RoomJid> Placement::bridge_failed(const BridgeJid& bridge, FailureCause cause,
                                              Now now) {
  return impl_->bridge_failed(bridge, cause, now);
}
void Placement::set_suspect(const BridgeJid& bridge, bool suspect, Now now) {
  impl_->set_suspect(bridge, suspect, now);
}
void Placement::set_cordoned(const BridgeJid& bridge, bool cordoned, Now now) {
  impl_->set_cordoned(bridge, cordoned, now);
}

Result<> Placement::enqueue(const Ticket& ticket, Now now) {
  return impl_->enqueue(ticket, now);
}
void Placement::cancel(const OccupantJid& participant, std::uint32_t generation) {
  impl_->cancel(participant, generation);
}
void Placement::confirmed(const OccupantJid& participant, Now now) {
  impl_->confirmed(participant, now);
}
void Placement::allocation_failed(const OccupantJid& participant, Now now) {
  impl_->allocation_failed(participant, now);
}
void Placement::left(const OccupantJid& participant, Now now) {
  impl_->left(participant, now);
}
void Placement::conference_ended(const RoomJid& room, Now now) {
  impl_->conference_ended(room, now);
}
void Placement::restore_participant(const RoomJid& room, const OccupantJid& participant,
                                    const BridgeJid& bridge, Now now) {
  impl_->restore_participant(room, participant, bridge, now);
}

void Placement::drain(Now now, std::vector<Decision>& out) {
  impl_->drain(now, out);
}
std::optional<Instant> Placement::next_deadline() const {
  return impl_->next_deadline();
}
Overload Placement::overload(Now now) const {
  return impl_->overload(now);
}

bool Placement::settling() const {
  return impl_->registry().gate().settling();
}

std::vector<RoomJid> Placement::conferences_on(const BridgeJid& bridge) const {
  const Bridge* found = impl_->registry().find(bridge);
  return found == nullptr ? std::vector<RoomJid>{}
                          : std::vector<RoomJid>(found->rooms.begin(), found->rooms.end());
}

std::optional<BridgeJid> Placement::bridge_of(const RoomJid& room) const {
  const ConferenceLoad* found = impl_->loads().find(room);
  return found == nullptr || found->home == nullptr ? std::nullopt
                                                    : std::optional(found->home->jid);
}

std::optional<BridgeJid> Placement::bridge_of(const OccupantJid& participant) const {
  const Bridge* place = impl_->place_of(participant);
  return place == nullptr ? std::nullopt : std::optional(place->jid);
}

std::vector<BridgeView> Placement::bridges(Now now) const {
  std::vector<BridgeView> views;
  views.reserve(impl_->registry().all().size());
  for (const auto& [jid, bridge] : impl_->registry().all()) {
    views.push_back(impl_->view(bridge, now.mono));
  }
  return views;
}

std::optional<BridgeView> Placement::bridge(const BridgeJid& bridge, Now now) const {
  const Bridge* found = impl_->registry().find(bridge);
  return found == nullptr ? std::nullopt : std::optional(impl_->view(*found, now.mono));
}

std::size_t Placement::queued(TicketClass ticket_class) const {
  return impl_->queue().size(ticket_class);
}
std::size_t Placement::queued() const {
  return impl_->queue().size();
}

Duration Placement::oldest_wait(Now now) const {
  const auto oldest = impl_->queue().oldest();
  return oldest ? now.mono - *oldest : Duration::zero();
}

std::optional<WaitReason> Placement::waiting_for(const OccupantJid& participant) const {
  return impl_->waiting_for(participant);
}
const PlacementCounters& Placement::counters() const {
  return impl_->counters();
}
void Placement::check_invariants() const {
  impl_->check_invariants();
}

BridgeView Placement::Impl::view(const Bridge& bridge, Instant now) const {
  BridgeView view;
  view.bridge = bridge.jid;
  view.state = registry_.state(bridge, now);
  view.present = bridge.present;
  view.drain = bridge.drain;
  view.cordoned = bridge.cordoned;
  view.graceful_shutdown = bridge.graceful_shutdown;
  view.shutting_down = bridge.shutting_down;
  view.healthy = bridge.healthy;
  view.suspect = bridge.suspect;
  if (bridge.quarantined_until && now < *bridge.quarantined_until) {
    view.quarantined_until = bridge.quarantined_until;
  }
  view.reported = bridge.ledger.reported();
  if (bridge.ledger.heard_at()) {
    view.report_age = now - *bridge.ledger.heard_at();
  }
  const Candidate candidate = candidate_for(bridge, now);
  view.expected = candidate.estimate;
  view.reserved = candidate.growth;
  view.capacity = candidate.capacity;
  view.limit =
      Stress(options_.limit_single_join.millionths() * candidate.capacity.millionths() / 1'000'000);
  view.cost_per_unit = candidate.cost_per_unit;
  view.participants = bridge.participants;
  view.conferences = bridge.rooms.size();
  view.in_flight = bridge.in_flight;
  view.version = bridge.version;
  view.region = bridge.region;
  view.relay_id = bridge.relay_id;
  return view;
}

void Placement::Impl::check_invariants() const {
  queue_.check_invariants();
  loads_.check_invariants(registry_);
  std::map<BridgeJid, std::size_t> placed;
  std::map<BridgeJid, std::size_t> in_flight;
  std::map<RoomJid, std::size_t> members;
  for (const auto& [jid, who] : members_) {
    ++members[RoomJid(jid.jid().bare())];
    const WaitingTicket* waiting = queue_.find(jid);
    BASCULE_CHECK(who.bridge == nullptr || waiting == nullptr ||
                  waiting->ticket.kind == TicketKind::kMove);
    BASCULE_CHECK(!who.in_flight || who.bridge != nullptr);
    if (who.bridge != nullptr) {
      ++placed[who.bridge->jid];
      in_flight[who.bridge->jid] += who.in_flight ? 1 : 0;
    }
  }
  for (const auto& [jid, bridge] : registry_.all()) {
    BASCULE_CHECK(bridge.participants == placed[jid] && bridge.in_flight == in_flight[jid]);
  }
  for (const auto& [jid, room] : loads_.all()) {
    BASCULE_CHECK(room.members == members[jid]);
    BASCULE_CHECK(room.members > 0 || room.reservation);
  }
}

}  // namespace bascule::focus
