// What happens to bridges in a history.

#include <algorithm>
#include <array>

#include "tests/unit/focus/placement_fixture.h"
#include "tests/unit/focus/properties/world.h"

namespace bascule::focus::properties {

void World::bridge_command(const Command& command) {
  const auto which = static_cast<BridgeId>(command.bridge) % model_.bridges.size();
  ModelBridge& bridge = model_.bridges.at(which);
  switch (command.what) {
    case Happening::kReportsAll:
      for (BridgeId each = 0; each < model_.bridges.size(); ++each) {
        if (model_.bridges[each].present) {
          report_truth(each, (command.amount - 50) * 300);
        }
      }
      break;
    case Happening::kWildReport:
      wild_report(which, command.amount);
      break;
    case Happening::kBridgeLeaves:
      placement_.bridge_left(bridge.jid, now());
      bridge.present = false;
      break;
    case Happening::kBridgeFails:
      fail_bridge(which, static_cast<FailureCause>(command.amount % 6), command.amount % 4 > 0);
      break;
    case Happening::kBridgeRestarts:
      restart(which, command.amount);
      break;
    case Happening::kSuspect:
      bridge.suspect = command.amount < 40;
      placement_.set_suspect(bridge.jid, bridge.suspect, now());
      break;
    case Happening::kCordon:
      set_cordoned(which, command.amount < 50);
      placement_.set_evacuating(bridge.jid, command.amount < 25, now());
      break;
    case Happening::kStandby:
      bridge.standby = command.amount < 50;
      placement_.set_standby(bridge.jid, bridge.standby, now());
      break;
    case Happening::kRestartWanted:
      restart_wanted(which, command.amount);
      break;
    default:
      report_truth(which, (command.amount - 50) * 1'000);
  }
}

void World::set_cordoned(BridgeId which, bool cordoned) {
  model_.bridges.at(which).cordoned = cordoned;
  placement_.set_cordoned(model_.bridges.at(which).jid, cordoned, now());
}

/// What the bridge would measure if everybody on it had reached full load, and some noise.
stats::BridgeReport World::truth_of(BridgeId which, std::int64_t noise) {
  static const std::array<std::string, 3> kRegions = {"eu", "uk", "us"};
  const Milliunits load = model_.own_loads().at(which);
  const std::int64_t stress = std::max<std::int64_t>(0, load * true_cost(setup_) / 1000 + noise);
  stats::BridgeReport report = report_of(model_.bridges.at(which).jid, stress, ++sequence_);
  report.version = "v1";
  report.relay_id = "relay" + std::to_string(which);
  if (setup_.regions) {
    report.region = kRegions.at(which % kRegions.size());
  }
  return report;
}

void World::report_truth(BridgeId which, std::int64_t noise) {
  report(truth_of(which, noise), which);
}

void World::report(stats::BridgeReport report, BridgeId which) {
  ModelBridge& bridge = model_.bridges.at(which);
  const auto rooms = placement_.report(report, now());
  require(rooms.empty(), "Q15", "a report without smaller counters is no restart");
  bridge.present = true;
  bridge.healthy = report.healthy.value_or(bridge.healthy);
  bridge.drain = report.drain.value_or(bridge.drain);
  bridge.graceful = bridge.graceful || report.graceful_shutdown.value_or(false);
  bridge.shutting_down = bridge.shutting_down || report.shutting_down.value_or(false);
  if (variation_.repeats_reports) {
    placement_.report(report, now());
    if (const auto older = last_reports_.find(which); older != last_reports_.end()) {
      placement_.report(older->second, now());
    }
    last_reports_.insert_or_assign(which, report);
  }
}

void World::wild_report(BridgeId which, int amount) {
  stats::BridgeReport wild = truth_of(which, 0);
  if (amount < 60) {
    wild.stress = Stress(amount * 20'000);
  } else if (amount < 65) {
    wild.stress.reset();
  } else if (amount < 80) {
    wild.drain = amount < 72;
  } else if (amount < 90) {
    wild.healthy = amount < 85;
  } else if (amount < 92) {
    wild.graceful_shutdown = true;
  } else if (amount < 94) {
    wild.shutting_down = true;
  } else {
    wild.local_endpoints = (amount - 94) * 10;
  }
  report(wild, which);
}

/// Counters that became smaller prove a restart; the first time there is nothing to compare.
void World::restart(BridgeId which, int amount) {
  ModelBridge& bridge = model_.bridges.at(which);
  stats::BridgeReport wild = truth_of(which, 0);
  wild.total_participants = bridge.told_total ? *bridge.told_total - 1 : 1000;
  if (!bridge.told_total) {
    report(wild, which);
    bridge.told_total = wild.total_participants;
    return;
  }
  bridge.present = true;
  bridge.graceful = bridge.shutting_down = false;
  const std::vector<BridgeView> before = placement_.bridges(now());
  const auto rooms = placement_.report(wild, now());
  failed_bridge(which, FailureCause::kRestarted, rooms, before, amount % 4 > 0);
}

void World::fail_bridge(BridgeId which, FailureCause cause, bool reinvite) {
  const std::vector<BridgeView> before = placement_.bridges(now());
  const auto rooms = placement_.bridge_failed(model_.bridges.at(which).jid, cause, now());
  failed_bridge(which, cause, rooms, before, reinvite);
}

void World::failed_bridge(BridgeId which, FailureCause cause, const std::vector<RoomJid>& rooms,
                          const std::vector<BridgeView>& before, bool reinvite) {
  std::vector<std::int64_t> sizes;
  for (const RoomJid& jid : rooms) {
    const auto found = std::find_if(model_.rooms.begin(), model_.rooms.end(),
                                    [&](const ModelRoom& room) { return room.jid == jid; });
    sizes.push_back(model_.size(static_cast<RoomId>(found - model_.rooms.begin())));
  }
  require(std::is_sorted(sizes.rbegin(), sizes.rend()), "Q15", "not the largest room first");
  const std::vector<PersonId> lost = model_.failed(which, cause, moment());
  check_failure(which, lost, rooms, before);
  for (const PersonId who : lost) {
    if (reinvite) {
      enqueue(who, TicketKind::kReinvite);
    }
  }
}

void World::restart_wanted(BridgeId which, int amount) {
  ModelBridge& bridge = model_.bridges.at(which);
  int asked = 0;
  for (const ModelPerson& person : model_.people) {
    if (person.place == which && asked++ <= amount % 15 &&
        placement_.restart_requested(person.jid, now())) {
      bridge.aside_until = moment() + model_.options.ice_failure_quarantine;
      std::size_t working = 0;
      std::size_t aside = 0;
      for (const ModelBridge& each : model_.bridges) {
        const bool works = each.works(moment());
        working += works ? 1U : 0U;
        aside += works && each.aside_until && moment() < *each.aside_until ? 1U : 0U;
      }
      require(aside * 2 <= working || !bridge.works(moment()), "Q15",
              "more than half of the fleet is put aside");
    }
  }
}

}  // namespace bascule::focus::properties
