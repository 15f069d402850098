// A focus::Placement that trusts the reports: the program bascule-naive and nothing else.
// README.md.

#include "focus/placement.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <utility>

#include "base/check.h"

namespace bascule::focus {
namespace {

/// How long a bridge that failed without leaving the brewery is left alone (Jicofo:
/// BridgeConfig.kt, failure-reset-threshold).
constexpr Duration kFailureReset = std::chrono::seconds{60};
/// Tickets nobody could serve are looked at again after this.
constexpr Duration kRecheck = std::chrono::milliseconds{100};

template <std::size_t N>
std::string_view word(const std::array<std::string_view, N>& words, std::size_t index) {
  BASCULE_CHECK(index < N);
  return words[index];
}

}  // namespace

std::string_view to_string(BridgeState state) {
  constexpr std::array<std::string_view, 4> kWords = {"unknown", "fresh", "stale", "failed"};
  return word(kWords, static_cast<std::size_t>(state));
}

std::string_view to_string(FailureCause cause) {
  constexpr std::array<std::string_view, kFailureCauseCount> kWords = {
      "left", "timeout", "unhealthy", "restarted", "ice_failing", "shut_down"};
  return word(kWords, static_cast<std::size_t>(cause));
}

std::string_view to_string(Overload overload) {
  constexpr std::array<std::string_view, kOverloadCount> kWords = {
      "none", "queue_long", "fleet_full", "settling", "no_bridge"};
  return word(kWords, static_cast<std::size_t>(overload));
}

std::string_view to_string(ReportOrigin origin) {
  return origin == ReportOrigin::kBrewery ? "brewery" : "pubsub";
}

std::string_view to_string(Confidence confidence) {
  constexpr std::array<std::string_view, kConfidenceCount> kWords = {"high", "medium", "low",
                                                                     "none"};
  return word(kWords, static_cast<std::size_t>(confidence));
}

std::string_view to_string(Blindness::Extent extent) {
  constexpr std::array<std::string_view, kBlindnessExtentCount> kWords = {"none", "partly",
                                                                          "mostly", "wholly"};
  return word(kWords, static_cast<std::size_t>(extent));
}

std::string_view to_string(Mode mode) {
  constexpr std::array<std::string_view, kModeCount> kWords = {"normal", "service_down", "settling",
                                                               "blind", "full"};
  return word(kWords, static_cast<std::size_t>(mode));
}

class Placement::Impl {
 public:
  struct Bridge {
    bool present = false;
    bool drain = false, cordoned = false, suspect = false, shutting_down = false;
    bool healthy = true;
    std::optional<Instant> failed_until;
    Stress reported;
    std::optional<Instant> reported_at;
    std::optional<std::string> version, region, relay_id;
    std::set<OccupantJid> members;
    std::size_t in_flight = 0;

    [[nodiscard]] bool usable(Instant now) const {
      return present && healthy && !suspect && !shutting_down && !drain && !cordoned &&
             (!failed_until || now >= *failed_until);
    }
  };
  struct Member {
    RoomJid room;
    std::uint32_t generation = 0;
    BridgeJid bridge;  ///< Empty: has no place.
    bool in_flight = false;
  };
  struct Waiting {
    Ticket ticket;
    Instant since;
  };

  /// The bridge of the first participant, as long as it works; otherwise the lowest report.
  std::optional<BridgeJid> choose(const Ticket& ticket, Instant now) const {
    const auto home = homes.find(ticket.room);
    if (home != homes.end()) {
      const auto found = bridges.find(home->second);
      if (found != bridges.end() && found->second.usable(now)) {
        return home->second;
      }
    }
    const Bridge* best = nullptr;
    std::optional<BridgeJid> chosen;
    for (const auto& [jid, bridge] : bridges) {
      if (bridge.usable(now) && (best == nullptr || better(bridge, *best))) {
        best = &bridge;
        chosen = jid;
      }
    }
    return chosen;
  }

  [[nodiscard]] bool better(const Bridge& a, const Bridge& b) const {
    return warm_start ? a.members.size() < b.members.size() : a.reported < b.reported;
  }

  void place(const Waiting& waiting, const BridgeJid& jid, Instant now,
             std::vector<Decision>& out) {
    const Ticket& ticket = waiting.ticket;
    Member& member = members[ticket.participant];
    unplace(ticket.participant, member);
    Bridge& bridge = bridges.at(jid);
    const bool pinned = homes[ticket.room] == jid;
    homes[ticket.room] = jid;
    member = {ticket.room, ticket.generation, jid, true};
    bridge.members.insert(ticket.participant);
    ++bridge.in_flight;
    const PlacementReason reason = pinned ? PlacementReason::kJoin : PlacementReason::kNew;
    ++counters.placed.at(static_cast<std::size_t>(reason));
    out.push_back({.ticket = ticket,
                   .bridge = jid,
                   .reason = reason,
                   .expected = bridge.reported,
                   .waited = now - waiting.since,
                   .candidates = bridges.size()});
  }

  void unplace(const OccupantJid& participant, Member& member) {
    if (member.bridge.empty()) {
      return;
    }
    Bridge& bridge = bridges.at(member.bridge);
    bridge.members.erase(participant);
    bridge.in_flight -= member.in_flight ? 1 : 0;
    member.bridge = BridgeJid();
    member.in_flight = false;
  }

  void forget(const OccupantJid& participant) {
    const auto found = members.find(participant);
    if (found != members.end()) {
      unplace(participant, found->second);
      members.erase(found);
    }
  }

  void drop_tickets(const std::function<bool(const Ticket&)>& condition) {
    std::erase_if(queue, [&condition](const Waiting& one) { return condition(one.ticket); });
  }

  [[nodiscard]] BridgeView view(const BridgeJid& jid, const Bridge& bridge, Instant now) const {
    BridgeView view;
    view.bridge = jid;
    view.state = !bridge.usable(now)  ? BridgeState::kFailed
                 : bridge.reported_at ? BridgeState::kFresh
                                      : BridgeState::kUnknown;
    view.present = bridge.present;
    view.drain = bridge.drain;
    view.cordoned = bridge.cordoned;
    view.shutting_down = bridge.shutting_down;
    view.healthy = bridge.healthy;
    view.suspect = bridge.suspect;
    if (bridge.failed_until && now < *bridge.failed_until) {
      view.quarantined_until = bridge.failed_until;
    }
    view.reported = view.expected = bridge.reported;
    if (bridge.reported_at) {
      view.report_age = now - *bridge.reported_at;
    }
    view.limit = view.capacity = Stress::full();
    view.participants = bridge.members.size();
    view.conferences = rooms_on(jid).size();
    view.in_flight = bridge.in_flight;
    view.version = bridge.version;
    view.region = bridge.region;
    view.relay_id = bridge.relay_id;
    return view;
  }

  [[nodiscard]] std::vector<RoomJid> rooms_on(const BridgeJid& jid) const {
    std::map<RoomJid, std::size_t> sizes;
    if (const auto found = bridges.find(jid); found != bridges.end()) {
      for (const OccupantJid& one : found->second.members) {
        ++sizes[RoomJid(one.jid().bare())];
      }
    }
    std::vector<std::pair<std::size_t, RoomJid>> order;
    order.reserve(sizes.size());
    for (const auto& [room, size] : sizes) {
      order.emplace_back(size, room);
    }
    std::sort(order.rbegin(), order.rend());
    std::vector<RoomJid> rooms;
    rooms.reserve(order.size());
    for (auto& [size, room] : order) {
      rooms.push_back(std::move(room));
    }
    return rooms;
  }

  std::map<BridgeJid, Bridge> bridges;
  std::map<RoomJid, BridgeJid> homes;
  std::map<OccupantJid, Member> members;
  std::deque<Waiting> queue;
  PlacementCounters counters;
  Instant looked_at{};
  bool up = false;
  bool ever_up = false;
  /// Until the service link is lost for the first time people are spread by our own counts, so that
  /// an incident meets the same well-balanced fleet as any other policy would have made.
  bool warm_start = true;
};

Placement::Placement(const PlacementOptions& /*options*/, std::uint64_t /*seed*/)
    : impl_(std::make_unique<Impl>()) {
}
Placement::~Placement() = default;
Placement::Placement(Placement&&) noexcept = default;
Placement& Placement::operator=(Placement&&) noexcept = default;

void Placement::service_up(Now /*now*/) {
  impl_->up = impl_->ever_up = true;
}

void Placement::service_down(Now /*now*/) {
  impl_->up = false;
  impl_->warm_start = impl_->warm_start && !impl_->ever_up;
  for (auto& [jid, bridge] : impl_->bridges) {
    bridge.present = false;
  }
}

std::vector<RoomJid> Placement::report(const stats::BridgeReport& report, Now now,
                                       ReportOrigin /*origin*/) {
  Impl::Bridge& bridge = impl_->bridges[report.bridge];
  ++impl_->counters.reports;
  bridge.present = true;
  bridge.reported = report.stress.value_or(bridge.reported);
  bridge.reported_at = now.mono;
  bridge.healthy = report.healthy.value_or(true);
  bridge.drain = report.drain.value_or(false);
  bridge.shutting_down = report.shutting_down.value_or(false);
  bridge.version = report.version;
  bridge.region = report.region;
  bridge.relay_id = report.relay_id;
  return {};
}

void Placement::bridge_left(const BridgeJid& bridge, Now /*now*/) {
  if (const auto found = impl_->bridges.find(bridge); found != impl_->bridges.end()) {
    found->second.present = false;
  }
}

std::vector<RoomJid> Placement::bridge_failed(const BridgeJid& bridge, FailureCause cause,
                                              Now now) {
  const auto found = impl_->bridges.find(bridge);
  if (found == impl_->bridges.end()) {
    return {};
  }
  ++impl_->counters.bridge_failures.at(static_cast<std::size_t>(cause));
  std::vector<RoomJid> rooms = impl_->rooms_on(bridge);
  const std::set<OccupantJid> lost = found->second.members;
  for (const OccupantJid& participant : lost) {
    impl_->unplace(participant, impl_->members.at(participant));
  }
  std::erase_if(impl_->homes, [&bridge](const auto& home) { return home.second == bridge; });
  // Who left and returns is a new process; who stays is distrusted for a while.
  if (found->second.present) {
    found->second.failed_until = now.mono + kFailureReset;
  } else {
    found->second.failed_until.reset();
    found->second.reported = Stress();
    found->second.suspect = false;
  }
  return rooms;
}

void Placement::set_suspect(const BridgeJid& bridge, bool suspect, Now /*now*/) {
  if (const auto found = impl_->bridges.find(bridge); found != impl_->bridges.end()) {
    found->second.suspect = suspect;
  }
}

void Placement::set_cordoned(const BridgeJid& bridge, bool cordoned, Now /*now*/) {
  impl_->bridges[bridge].cordoned = cordoned;
}

void Placement::set_evacuating(const BridgeJid& /*bridge*/, bool /*evacuating*/, Now /*now*/) {
}
Result<OrderDone> Placement::order_move(const order::Move& /*move*/, Now /*now*/) {
  return fail(Errc::kConflict, "this focus moves nobody");
}
std::vector<WaitingView> Placement::longest_waiting(std::size_t /*limit*/, Now /*now*/) const {
  return {};
}
std::optional<PlaceView> Placement::place_of(const OccupantJid& participant, Now /*now*/) const {
  const auto bridge = bridge_of(participant);
  return bridge ? std::optional(PlaceView{*bridge, Duration::zero(), false}) : std::nullopt;
}
std::vector<std::pair<BridgeJid, std::size_t>> Placement::spread_of(const RoomJid& /*room*/) const {
  return {};
}

Result<> Placement::enqueue(const Ticket& ticket, Now now) {
  const auto found = impl_->members.find(ticket.participant);
  if (found != impl_->members.end() && !found->second.bridge.empty() &&
      found->second.generation >= ticket.generation) {
    return fail(Errc::kConflict, "has a place already");
  }
  ++impl_->counters.tickets;
  impl_->drop_tickets(
      [&ticket](const Ticket& one) { return one.participant == ticket.participant; });
  if (ticket.kind == TicketKind::kReinvite && found != impl_->members.end()) {
    impl_->unplace(found->first, found->second);
  }
  impl_->queue.push_back({ticket, now.mono});
  return {};
}

void Placement::cancel(const OccupantJid& participant, std::uint32_t generation) {
  const std::size_t before = impl_->queue.size();
  impl_->drop_tickets([&participant, generation](const Ticket& one) {
    return one.participant == participant && one.generation <= generation;
  });
  impl_->counters.tickets_cancelled += before - impl_->queue.size();
}

void Placement::confirmed(const OccupantJid& participant, Now /*now*/) {
  const auto found = impl_->members.find(participant);
  if (found != impl_->members.end() && found->second.in_flight) {
    ++impl_->counters.confirmed;
    found->second.in_flight = false;
    --impl_->bridges.at(found->second.bridge).in_flight;
  }
}

void Placement::allocation_failed(const OccupantJid& participant, Now /*now*/) {
  const auto found = impl_->members.find(participant);
  if (found != impl_->members.end() && found->second.in_flight) {
    ++impl_->counters.allocation_failures;
    impl_->unplace(participant, found->second);
  }
}

void Placement::mass_drop(Now now) {
  const std::map<OccupantJid, Impl::Member> everybody = impl_->members;
  for (const auto& [participant, member] : everybody) {
    left(participant, now);
  }
}

void Placement::left(const OccupantJid& participant, Now /*now*/) {
  impl_->forget(participant);
  impl_->drop_tickets([&participant](const Ticket& one) { return one.participant == participant; });
}

void Placement::conference_ended(const RoomJid& room, Now /*now*/) {
  std::vector<OccupantJid> gone;
  for (const auto& [participant, member] : impl_->members) {
    if (member.room == room) {
      gone.push_back(participant);
    }
  }
  for (const OccupantJid& participant : gone) {
    impl_->forget(participant);
  }
  impl_->drop_tickets([&room](const Ticket& one) { return one.room == room; });
  impl_->homes.erase(room);
}

void Placement::restore_participant(const RoomJid& room, const OccupantJid& participant,
                                    const BridgeJid& bridge, Now /*now*/) {
  if (impl_->members.try_emplace(participant, Impl::Member{room, 0, bridge, false}).second) {
    impl_->bridges[bridge].members.insert(participant);
    impl_->homes.try_emplace(room, bridge);
  }
}

void Placement::restore_placement(const OccupantJid& /*participant*/, const BridgeJid& /*bridge*/,
                                  Duration /*age*/, Now /*now*/) {
}

void Placement::drain(Now now, std::vector<Decision>& placed, std::vector<Move>& /*moves*/) {
  impl_->looked_at = now.mono;
  if (!impl_->up) {
    return;
  }
  std::deque<Impl::Waiting> still;
  for (Impl::Waiting& waiting : std::exchange(impl_->queue, {})) {
    if (const auto bridge = impl_->choose(waiting.ticket, now.mono)) {
      impl_->place(waiting, *bridge, now.mono, placed);
    } else {
      ++impl_->counters.waits.at(static_cast<std::size_t>(WaitReason::kNoBridge));
      still.push_back(std::move(waiting));
    }
  }
  impl_->queue = std::move(still);
}

std::optional<Instant> Placement::next_deadline() const {
  return impl_->queue.empty() || !impl_->up ? std::nullopt
                                            : std::optional(impl_->looked_at + kRecheck);
}

Overload Placement::overload(Now /*now*/) const {
  return Overload::kNone;
}

bool Placement::settling() const {
  return false;
}

/// It trusts whatever it was told last, and never wonders.
Blindness Placement::blindness() const {
  return {};
}

Mode Placement::mode() const {
  return impl_->up ? Mode::kNormal : Mode::kServiceDown;
}

// What a focus that trusts the reports does not have: no plans, no memory, no brakes, no records.

void Placement::set_standby(const BridgeJid& /*bridge*/, bool /*standby*/, Now /*now*/) {
}
void Placement::pin(const RoomJid& /*room*/, const std::string& /*version*/, Duration /*for_time*/,
                    Now /*now*/) {
}
void Placement::unpin(const RoomJid& /*room*/) {
}
void Placement::restore_bridge(const BridgeMemory& /*memory*/, Now /*now*/) {
}
void Placement::restore_room(const RoomMemory& /*memory*/, Now /*now*/) {
}
std::vector<BridgeMemory> Placement::bridge_memory(Now /*now*/) const {
  return {};
}
std::vector<RoomMemory> Placement::room_memory(Now /*now*/) const {
  return {};
}
std::optional<BridgeMemory> Placement::bridge_memory(const BridgeJid& /*bridge*/,
                                                     Now /*now*/) const {
  return std::nullopt;
}
std::optional<RoomMemory> Placement::room_memory(const RoomJid& /*room*/, Now /*now*/) const {
  return std::nullopt;
}
bool Placement::restart_requested(const OccupantJid& /*participant*/, Now /*now*/) {
  return false;
}
void Placement::note_answer_time(Duration /*took*/, Now /*now*/) {
}
std::vector<DecisionRecord> Placement::explain(const RoomJid& /*room*/,
                                               std::size_t /*limit*/) const {
  return {};
}
std::vector<DecisionRecord> Placement::explain(const BridgeJid& /*bridge*/,
                                               std::size_t /*limit*/) const {
  return {};
}
std::vector<DecisionRecord> Placement::decisions_since(std::uint64_t /*number*/,
                                                       std::size_t /*limit*/) const {
  return {};
}

std::vector<RoomJid> Placement::conferences_on(const BridgeJid& bridge) const {
  return impl_->rooms_on(bridge);
}

std::optional<BridgeJid> Placement::bridge_of(const RoomJid& room) const {
  const auto found = impl_->homes.find(room);
  return found == impl_->homes.end() ? std::nullopt : std::optional(found->second);
}

std::vector<BridgeJid> Placement::bridges_of(const RoomJid& room) const {
  const auto home = bridge_of(room);
  return home ? std::vector<BridgeJid>{*home} : std::vector<BridgeJid>{};
}

std::optional<BridgeJid> Placement::bridge_of(const OccupantJid& participant) const {
  const auto found = impl_->members.find(participant);
  return found == impl_->members.end() || found->second.bridge.empty()
             ? std::nullopt
             : std::optional(found->second.bridge);
}

std::vector<BridgeView> Placement::bridges(Now now) const {
  std::vector<BridgeView> views;
  for (const auto& [jid, bridge] : impl_->bridges) {
    views.push_back(impl_->view(jid, bridge, now.mono));
  }
  return views;
}

std::optional<BridgeView> Placement::bridge(const BridgeJid& bridge, Now now) const {
  const auto found = impl_->bridges.find(bridge);
  return found == impl_->bridges.end()
             ? std::nullopt
             : std::optional(impl_->view(bridge, found->second, now.mono));
}

std::size_t Placement::queued(TicketClass ticket_class) const {
  return ticket_class == TicketClass::kFirst ? impl_->queue.size() : 0;
}

std::size_t Placement::queued() const {
  return impl_->queue.size();
}

Duration Placement::oldest_wait(Now now) const {
  return impl_->queue.empty() ? Duration::zero() : now.mono - impl_->queue.front().since;
}

std::optional<WaitReason> Placement::waiting_for(const OccupantJid& participant) const {
  const bool waits = std::any_of(
      impl_->queue.begin(), impl_->queue.end(),
      [&participant](const Impl::Waiting& one) { return one.ticket.participant == participant; });
  return waits ? std::optional(WaitReason::kNoBridge) : std::nullopt;
}

const PlacementCounters& Placement::counters() const {
  return impl_->counters;
}

void Placement::check_invariants() const {
  for (const auto& [participant, member] : impl_->members) {
    BASCULE_CHECK(member.bridge.empty() ||
                  impl_->bridges.at(member.bridge).members.contains(participant));
  }
}

}  // namespace bascule::focus
