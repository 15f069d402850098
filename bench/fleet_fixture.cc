#include "bench/fleet_fixture.h"

#include <algorithm>
#include <string>

#include "base/check.h"

namespace bascule::bench {
namespace {

constexpr Duration kReportPeriod = std::chrono::seconds{5};
constexpr std::uint64_t kRoomsPerBridge = 10;
constexpr std::uint64_t kPeoplePerRoom = 5;
// Addresses of people who are there from the start do not meet those of `room`.
constexpr std::uint64_t kFirstRoom = 1'000'000'000;

focus::PlacementOptions options_for(std::size_t bridges) {
  focus::PlacementOptions options;
  options.max_bridges = std::max(options.max_bridges, bridges);
  // What is measured is the work, not the waiting.
  options.global_rate = 20'000;
  options.global_burst = 10'000;
  options.unknown_window = Stress();
  return options;
}

Jid parsed(const std::string& text) {
  auto jid = Jid::parse(text);
  BASCULE_CHECK(jid.has_value());
  return *jid;
}

}  // namespace

FleetFixture::FleetFixture(std::size_t bridges, Load load)
    : placement_(options_for(bridges), 1),
      prng_(2),
      now_(std::chrono::hours{1}),
      next_reports_(now_) {
  placement_.service_up(now());
  const bool busy = load == Load::kBusy;
  for (std::size_t i = 0; i < bridges; ++i) {
    bridges_.push_back({.jid = bridge(i)});
    if (!busy) {
      continue;
    }
    bridges_[i].people = kRoomsPerBridge * kPeoplePerRoom;
    bridges_[i].stress = 350'000 + static_cast<std::int64_t>(prng_.below(150'000));
    for (std::uint64_t r = 0; r < kRoomsPerBridge; ++r) {
      const RoomJid jid = room(kFirstRoom + i * kRoomsPerBridge + r);
      for (std::uint64_t p = 0; p < kPeoplePerRoom; ++p) {
        placement_.restore_participant(jid, person(jid, p), bridges_[i].jid, now());
      }
    }
  }
  std::vector<focus::Decision> none;
  std::vector<focus::Move> no_moves;
  // Three samples teach the cost of a unit, and everything from the start is visible in reports.
  for (int i = 0; i < 60; ++i) {
    advance(std::chrono::seconds{1});
    placement_.drain(now(), none, no_moves);
  }
}

void FleetFixture::advance(Duration by) {
  now_ += by;
  if (now_ >= next_reports_) {
    report_all();
  }
}

void FleetFixture::report_all() {
  next_reports_ = now_ + kReportPeriod;
  for (std::size_t i = 0; i < bridges_.size(); ++i) {
    report(i);
  }
}

void FleetFixture::report(std::size_t index) {
  const Bridge& bridge = bridges_[index];
  const auto noise = static_cast<std::int64_t>(prng_.below(20'000));
  placement_.report({.bridge = bridge.jid,
                     .stress = Stress(bridge.stress + noise),
                     .average_participant_stress = Stress(10'000),
                     .version = "2.3",
                     .relay_id = bridge.jid.jid().resource(),
                     .local_endpoints = bridge.people,
                     .bridge_timestamp = std::to_string(++reports_)},
                    now());
}

BridgeJid FleetFixture::bridge(std::size_t index) {
  return BridgeJid(parsed("brewery@internal.bench/" + std::to_string(index)));
}

RoomJid FleetFixture::room(std::uint64_t index) {
  return RoomJid(parsed("room" + std::to_string(index) + "@conference.bench"));
}

OccupantJid FleetFixture::person(const RoomJid& room, std::uint64_t index) {
  return OccupantJid(room.jid().with_resource(std::to_string(index)));
}

}  // namespace bascule::bench
