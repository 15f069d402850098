#include "focus/placement.h"

#include <algorithm>

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

std::string_view to_string(ReportOrigin origin) {
  switch (origin) {
    case ReportOrigin::kBrewery:
      return "brewery";
    case ReportOrigin::kPubsub:
      return "pubsub";
    case ReportOrigin::kPubsubList:
      return "pubsub_list";
  }
  check_failed("origin is one of ReportOrigin", __FILE__, __LINE__);
}

std::string_view to_string(Confidence confidence) {
  switch (confidence) {
    case Confidence::kHigh:
      return "high";
    case Confidence::kMedium:
      return "medium";
    case Confidence::kLow:
      return "low";
    case Confidence::kNone:
      return "none";
  }
  check_failed("confidence is one of Confidence", __FILE__, __LINE__);
}

std::string_view to_string(Blindness::Extent extent) {
  switch (extent) {
    case Blindness::Extent::kNone:
      return "none";
    case Blindness::Extent::kPartly:
      return "partly";
    case Blindness::Extent::kMostly:
      return "mostly";
    case Blindness::Extent::kWholly:
      return "wholly";
  }
  check_failed("extent is one of Blindness::Extent", __FILE__, __LINE__);
}

std::string_view to_string(Mode mode) {
  switch (mode) {
    case Mode::kNormal:
      return "normal";
    case Mode::kServiceDown:
      return "service_down";
    case Mode::kSettling:
      return "settling";
    case Mode::kBlind:
      return "blind";
    case Mode::kFull:
      return "full";
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
std::vector<RoomJid> Placement::report(const stats::BridgeReport& report, Now now,
                                       ReportOrigin origin) {
  return impl_->report(report, now, origin);
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
void Placement::set_evacuating(const BridgeJid& bridge, bool evacuating, Now now) {
  impl_->set_evacuating(bridge, evacuating, now);
}
Result<OrderDone> Placement::order_move(const order::Move& move, Now now) {
  return impl_->order_move(move, now);
}
void Placement::set_standby(const BridgeJid& bridge, bool standby, Now now) {
  impl_->set_standby(bridge, standby, now);
}
void Placement::pin(const RoomJid& room, const std::string& version, Duration for_time, Now now) {
  impl_->pin(room, version, for_time, now);
}
void Placement::unpin(const RoomJid& room) {
  impl_->unpin(room);
}
void Placement::restore_bridge(const BridgeMemory& memory, Now now) {
  impl_->restore_bridge(memory, now);
}
void Placement::restore_room(const RoomMemory& memory, Now now) {
  impl_->restore_room(memory, now);
}
std::vector<BridgeMemory> Placement::bridge_memory(Now now) const {
  return impl_->bridge_memory(now);
}
std::optional<BridgeMemory> Placement::bridge_memory(const BridgeJid& bridge, Now now) const {
  return impl_->bridge_memory(bridge, now);
}
std::vector<RoomMemory> Placement::room_memory(Now now) const {
  return impl_->room_memory(now);
}
std::optional<RoomMemory> Placement::room_memory(const RoomJid& room, Now now) const {
  return impl_->room_memory(room, now);
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
bool Placement::restart_requested(const OccupantJid& participant, Now now) {
  return impl_->restart_requested(participant, now);
}
void Placement::note_answer_time(Duration took, Now now) {
  impl_->note_answer_time(took, now);
}
void Placement::mass_drop(Now now) {
  impl_->mass_drop(now);
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

void Placement::restore_placement(const OccupantJid& participant, const BridgeJid& bridge,
                                  Duration age, Now now) {
  impl_->restore_placement(participant, bridge, age, now);
}

void Placement::drain(Now now, std::vector<Decision>& placed, std::vector<Move>& moves) {
  impl_->drain(now, placed, moves);
}
std::optional<Instant> Placement::next_deadline() const {
  return impl_->next_deadline();
}
Overload Placement::overload(Now now) const {
  return impl_->overload(now);
}

bool Placement::settling() const {
  return impl_->registry().phase().settling();
}
Mode Placement::mode() const {
  return impl_->mode();
}
Blindness Placement::blindness() const {
  return impl_->blindness();
}
std::vector<DecisionRecord> Placement::explain(const RoomJid& room, std::size_t limit) const {
  return impl_->decisions().about(room, limit);
}
std::vector<DecisionRecord> Placement::explain(const BridgeJid& bridge, std::size_t limit) const {
  return impl_->decisions().about(bridge, limit);
}
std::vector<DecisionRecord> Placement::decisions_since(std::uint64_t number,
                                                       std::size_t limit) const {
  return impl_->decisions().since(number, limit);
}

std::vector<RoomJid> Placement::conferences_on(const BridgeJid& bridge) const {
  std::vector<RoomJid> rooms;
  if (const Bridge* found = impl_->registry().find(bridge)) {
    for (const auto& [number, conference] : found->conferences) {
      rooms.push_back(conference->room);
    }
  }
  std::sort(rooms.begin(), rooms.end());
  return rooms;
}

std::optional<BridgeJid> Placement::bridge_of(const RoomJid& room) const {
  const ConferenceLoad* found = impl_->loads().find(room);
  return found == nullptr || found->home == nullptr ? std::nullopt
                                                    : std::optional(found->home->jid);
}

std::vector<BridgeJid> Placement::bridges_of(const RoomJid& room) const {
  std::vector<BridgeJid> bridges;
  if (const ConferenceLoad* found = impl_->loads().find(room)) {
    for (const ConferenceLoad::Host& host : found->hosts) {
      bridges.push_back(host.bridge->jid);
    }
  }
  return bridges;
}

std::optional<BridgeJid> Placement::bridge_of(const OccupantJid& participant) const {
  const Bridge* place = impl_->place_of(participant);
  return place == nullptr ? std::nullopt : std::optional(place->jid);
}

std::vector<BridgeView> Placement::bridges(Now now) const {
  std::vector<BridgeView> views;
  views.reserve(impl_->registry().all().size());
  for (const auto& [jid, bridge] : impl_->registry().all()) {
    views.push_back(impl_->view(bridge, now));
  }
  return views;
}

std::optional<BridgeView> Placement::bridge(const BridgeJid& bridge, Now now) const {
  const Bridge* found = impl_->registry().find(bridge);
  return found == nullptr ? std::nullopt : std::optional(impl_->view(*found, now));
}

std::size_t Placement::queued(TicketClass ticket_class) const {
  return impl_->queue().size(ticket_class);
}
std::size_t Placement::queued() const {
  return impl_->queue().size();
}

Duration Placement::oldest_wait(Now now) const {
  return impl_->oldest_wait(now);
}

std::vector<WaitingView> Placement::longest_waiting(std::size_t limit, Now now) const {
  return impl_->longest_waiting(limit, now);
}
std::optional<PlaceView> Placement::place_of(const OccupantJid& participant, Now now) const {
  return impl_->place_of(participant, now);
}
std::vector<std::pair<BridgeJid, std::size_t>> Placement::spread_of(const RoomJid& room) const {
  std::vector<std::pair<BridgeJid, std::size_t>> spread;
  if (const ConferenceLoad* found = impl_->loads().find(room)) {
    for (const ConferenceLoad::Host& host : found->hosts) {
      spread.emplace_back(host.bridge->jid, static_cast<std::size_t>(host.people + host.visitors));
    }
  }
  return spread;
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

}  // namespace bascule::focus
