#include "sim/storm/bascule_policy.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include "base/check.h"
#include "focus/placement.h"
#include "sim/storm/addresses.h"

namespace bascule::sim::storm {
namespace {

using focus::Decision;
using focus::Placement;
using focus::PlacementOptions;
using focus::Ticket;
using focus::TicketKind;

std::optional<std::string> region_name(std::uint32_t region) {
  return "region" + std::to_string(region);
}

PlacementOptions options_of(PolicyId id, const PolicySetup& setup) {
  PlacementOptions options;
  options.max_bridges = std::max(options.max_bridges, setup.bridges);
  options.relays = id == PolicyId::kBasculeRelay;
  options.focuses = setup.focuses;
  if (!setup.remembers_rooms) {
    options.max_remembered_rooms = 0;
  }
  for (std::size_t bridge = setup.serving; bridge < setup.bridges; ++bridge) {
    options.standby_bridges.push_back(Addresses::bridge_nick(static_cast<BridgeId>(bridge)));
  }
  options.max_tickets = std::max(options.max_tickets, setup.people);
  return options;
}

class BasculePolicy : public Policy {
 public:
  BasculePolicy(PolicyId id, const PolicySetup& setup)
      : setup_(setup),
        options_(options_of(id, setup)),
        placement_(options_, setup.seed),
        addresses_(setup.bridges, setup.rooms, setup.people),
        people_(setup.people),
        in_room_(setup.rooms, 0) {
    for (BridgeId bridge = 0; bridge < setup.bridges; ++bridge) {
      const BridgeJid& jid = addresses_.bridge(bridge);
      reports_.push_back(
          {.bridge = jid,
           .average_participant_stress = Stress(10'000),
           .version = "2.3",
           .region = setup.regions > 1 ? region_name(bridge % setup.regions) : std::nullopt,
           .relay_id = jid.jid().resource()});
    }
  }

  void knows(BridgeId bridge, double cost_per_unit, Now now) override {
    const Stress cost(std::llround(cost_per_unit * 1e6));
    placement_.restore_bridge({.bridge = addresses_.bridge(bridge),
                               .cost = cost,
                               .deviation = Stress(cost.millionths() / 10),
                               .confirmations = 3},
                              now);
  }

  void starts_with(PersonId person, RoomId room, BridgeId bridge, Now now) override {
    enters(person, room);
    placement_.restore_participant(addresses_.room(room), addresses_.person(person, room),
                                   addresses_.bridge(bridge), now);
  }

  void request(const Request& request, Now now, std::vector<Placed>& /*out*/) override {
    enters(request.person, request.room);
    enqueue({.room = addresses_.room(request.room),
             .participant = addresses_.person(request.person, request.room),
             .generation = ++people_[request.person].generation,
             .kind = request.kind == RequestKind::kDisplaced ? TicketKind::kReinvite
                                                             : TicketKind::kJoin,
             .role = request.visitor ? focus::Role::kVisitor : focus::Role::kMember,
             .region = request.region ? region_name(*request.region) : std::nullopt},
            now);
  }

  void released(PersonId person, Now now) override {
    Person& who = people_[person];
    if (!who.in_room) {
      return;
    }
    who.in_room = false;
    placement_.left(addresses_.person(person), now);
    if (--in_room_[who.room] == 0) {
      placement_.conference_ended(addresses_.room(who.room), now);
    }
  }

  void confirmed(PersonId person, Now now) override {
    placement_.confirmed(addresses_.person(person), now);
  }

  void not_answered(PersonId person, Now now) override {
    placement_.allocation_failed(addresses_.person(person), now);
  }

  void report(const Report& report, Now now) override {
    stats::BridgeReport& stats = reports_[report.bridge];
    stats.stress = Stress(std::llround(report.stress * 1e6));
    stats.local_endpoints = report.endpoints;
    stats.total_participants = report.total_participants;
    stats.bridge_timestamp = std::to_string(report.serial);
    const auto lost = placement_.report(stats, now);
    BASCULE_CHECK(lost.empty());  // Deaths are always noticed before a bridge is back.
  }

  void bridge_down(BridgeId bridge, Now now) override {
    placement_.bridge_left(addresses_.bridge(bridge), now);
    placement_.bridge_failed(addresses_.bridge(bridge), focus::FailureCause::kLeft, now);
  }
  /// The core learns of a bridge by its first report.
  void bridge_up(BridgeId /*bridge*/, Now /*now*/) override {}
  void bridge_absent(BridgeId bridge, Now now) override {
    placement_.bridge_left(addresses_.bridge(bridge), now);
  }

  void service_down(Now now) override {
    linked_ = false;
    placement_.service_down(now);
  }
  void service_up(Now now) override {
    linked_ = true;
    placement_.service_up(now);
  }

  void mass_drop(MemoryKept memory, Now now) override {
    if (memory == MemoryKept::kAll || memory == MemoryKept::kNothing) {
      start_again(memory, now);
    } else {
      placement_.mass_drop(now);
    }
    if (memory == MemoryKept::kNoCosts) {
      forget_costs(now);
    }
    std::fill(in_room_.begin(), in_room_.end(), 0U);
    for (Person& person : people_) {
      person.in_room = false;
    }
    refused_.clear();
  }

  void tick(Now now, std::vector<Placed>& out) override {
    for (const Ticket& ticket : std::exchange(refused_, {})) {
      if (people_[Addresses::index_of(ticket.participant.jid())].in_room) {
        enqueue(ticket, now);
      }
    }
    decisions_.clear();
    for (auto due = placement_.next_deadline(); due && *due <= now.mono;
         due = placement_.next_deadline()) {
      const std::size_t before = decisions_.size();
      placement_.drain(now, decisions_, moves_);
      if (decisions_.size() == before) {
        break;
      }
    }
    for (const focus::Move& move : std::exchange(moves_, {})) {
      enqueue({.room = move.room,
               .participant = move.participant,
               .generation = ++people_[Addresses::index_of(move.participant.jid())].generation,
               .kind = TicketKind::kMove},
              now);
    }
    for (const Decision& decision : decisions_) {
      out.push_back({Addresses::index_of(decision.ticket.participant.jid()),
                     Addresses::index_of(decision.bridge.jid())});
    }
  }

 private:
  struct Person {
    RoomId room = 0;
    std::uint32_t generation = 0;
    bool in_room = false;
  };

  /// The process ended; a new one knows what its store kept.
  void start_again(MemoryKept memory, Now now) {
    const auto bridges = placement_.bridge_memory(now);
    const auto rooms = placement_.room_memory(now);
    placement_ = Placement(options_, setup_.seed + 1);
    if (memory == MemoryKept::kAll) {
      for (const focus::BridgeMemory& bridge : bridges) {
        placement_.restore_bridge(bridge, now);
      }
      for (const focus::RoomMemory& room : rooms) {
        placement_.restore_room(room, now);
      }
    }
    if (linked_) {
      placement_.service_up(now);
    }
  }

  /// Every bridge costs again what a bridge says of itself before anything is learned.
  void forget_costs(Now now) {
    for (focus::BridgeMemory bridge : placement_.bridge_memory(now)) {
      const auto& said = reports_[Addresses::index_of(bridge.bridge.jid())];
      bridge.cost = *said.average_participant_stress;
      bridge.deviation = Stress(bridge.cost.millionths() * 3 / 10);
      bridge.confirmations = 0;
      placement_.restore_bridge(bridge, now);
    }
  }

  void enters(PersonId person, RoomId room) {
    Person& who = people_[person];
    in_room_[room] += who.in_room ? 0U : 1U;
    who.in_room = true;
    who.room = room;
  }

  void enqueue(const Ticket& ticket, Now now) {
    const auto accepted = placement_.enqueue(ticket, now);
    if (!accepted) {
      BASCULE_CHECK(accepted.error().code == Errc::kUnavailable);
      refused_.push_back(ticket);
    }
  }

  PolicySetup setup_;
  PlacementOptions options_;
  Placement placement_;
  Addresses addresses_;
  std::vector<stats::BridgeReport> reports_;  ///< The last of each bridge.
  std::vector<Person> people_;
  std::vector<std::uint32_t> in_room_;
  std::vector<Ticket> refused_;  ///< The queue was full.
  std::vector<Decision> decisions_;
  std::vector<focus::Move> moves_;
  bool linked_ = false;
};

}  // namespace

std::unique_ptr<Policy> make_bascule_policy(PolicyId id, const PolicySetup& setup) {
  return std::make_unique<BasculePolicy>(id, setup);
}

}  // namespace bascule::sim::storm
