// What goes wrong in a World, and how it is healed.

#include <algorithm>
#include <utility>

#include "focus/links.h"
#include "sim/world.h"

namespace bascule::sim {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint64_t kSilentFaults = 0x5afe'b0a7;

void World::plan_churn() {
  const std::uint64_t events = 2 * clients_.size();
  const auto phase = static_cast<std::uint64_t>(
      std::chrono::duration_cast<milliseconds>(options_.fault_phase).count());
  for (std::uint64_t i = 0; i < events; ++i) {
    FakeClient& client = *clients_[prng_.below(clients_.size())];
    const auto when = milliseconds{static_cast<std::int64_t>(5'000 + prng_.below(phase - 5'000))};
    const std::uint64_t what = prng_.below(13);
    const std::uint64_t which = prng_.below(4);
    schedule_.after(when, [this, &client, what, which] {
      if (healing_) {
        return;
      }
      if (what < 2) {
        client.leave();
      } else if (what == 2) {
        client.vanish();
      } else if (what < 5) {
        client.arrive();
      } else if (what == 5) {
        client.ask_for_restart();
      } else if (what < 8) {
        client.share_screen(what == 6);
      } else if (what < 10) {
        client.share_screen(true);
      } else if (what == 10) {
        client.ask_for_ice_restart();
      } else {
        client.send_invalid_sources(which);
      }
    });
  }
}

void World::plan_faults() {
  const std::uint64_t count = prng_.below(6);
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto latest = static_cast<std::uint64_t>(
        std::chrono::duration_cast<milliseconds>(options_.fault_phase).count());
    const auto when = milliseconds{static_cast<std::int64_t>(8'000 + prng_.below(latest - 10'000))};
    const std::uint64_t what = prng_.below(options_.crash_focus ? 7 : 5);
    ++faults_;
    schedule_.after(when, [this, what] {
      switch (what) {
        case 0:
        case 1:
          return fault_bridge_crash();
        case 2:
          return prng_.below(2) == 0 ? fault_bridge_hang() : fault_bridge_drain();
        case 3:
          return fault_server_crash();
        case 4:
          return fault_link_cut();
        default:
          return fault_focus_crash();
      }
    });
  }
}

/// Drawn from a generator of their own: the rest of the world is the same with and without them.
void World::plan_silent_faults() {
  if (!options_.silent_faults) {
    return;
  }
  Prng prng(options_.seed ^ kSilentFaults);
  const std::uint64_t count = prng.below(4);
  const auto latest = static_cast<std::uint64_t>(
      std::chrono::duration_cast<milliseconds>(options_.fault_phase).count());
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto when = milliseconds{static_cast<std::int64_t>(10'000 + prng.below(latest - 10'000))};
    const bool of_room = prng.below(2) == 0;
    const auto which = static_cast<std::size_t>(prng.below(1'000));
    ++faults_;
    schedule_.after(when, [this, of_room, which] {
      of_room ? fault_room_forgets(which) : fault_bridge_forgets(which);
    });
  }
}

void World::fault_room_forgets(std::size_t which) {
  if (const auto room =
          server_->forget_occupant(deployment_.focus_user.with_resource("focus"), which)) {
    forgotten_.insert(*room);
    note("fault: " + room->to_string() + " forgets the focus");
  }
}

void World::fault_bridge_forgets(std::size_t which) {
  FakeBridge& bridge = *bridges_[which % bridges_.size()];
  if (const auto meeting = bridge.forget_meeting(which)) {
    note("fault: " + bridge.nick() + " forgets " + *meeting);
  }
}

std::int64_t World::serving_bridges() const {
  return std::count_if(bridges_.begin(), bridges_.end(), [this](const auto& bridge) {
    return bridge->is_running() && !bridge->is_hanging() && !bridge->is_draining() &&
           !operator_->drains(BridgeJid(deployment_.brewery.jid().with_resource(bridge->nick())));
  });
}

void World::fault_bridge_crash() {
  // Two bridges stay, so that there is capacity elsewhere.
  FakeBridge& bridge = *bridges_[prng_.below(bridges_.size())];
  if (serving_bridges() < 3 || !bridge.is_running()) {
    return;
  }
  note("fault: crash of " + bridge.nick());
  bridge.crash();
  schedule_.after(seconds_between(2, 60), [this, &bridge] {
    if (!bridge.is_running()) {
      note("start of " + bridge.nick());
      bridge.start();
    }
  });
}

void World::fault_bridge_hang() {
  FakeBridge& bridge = *bridges_[prng_.below(bridges_.size())];
  if (serving_bridges() < 3 || !bridge.is_running()) {
    return;
  }
  note("fault: hang of " + bridge.nick());
  bridge.hang(true);
  // A bridge that hung for long is restarted by its supervisor; then it has forgotten everything.
  schedule_.after(seconds_between(5, 60), [&bridge] {
    if (bridge.is_running()) {
      bridge.crash();
    }
  });
  schedule_.after(seconds{65}, [&bridge] {
    if (!bridge.is_running()) {
      bridge.start();
    }
  });
}

void World::fault_bridge_drain() {
  FakeBridge& bridge = *bridges_[prng_.below(bridges_.size())];
  if (serving_bridges() < 3) {
    return;
  }
  note("fault: drain of " + bridge.nick());
  bridge.drain(true);
  schedule_.after(seconds_between(5, 40), [&bridge] { bridge.drain(false); });
}

void World::fault_server_crash() {
  if (!server_->is_up()) {
    return;
  }
  note("fault: crash of the server");
  server_->kill();
  schedule_.after(seconds_between(1, 20), [this] {
    note("start of the server");
    server_->restart();
  });
}

void World::fault_link_cut() {
  const auto stream = static_cast<StreamId>(prng_.below(kStreamCount));
  note("fault: cut of link " + std::string(focus::name_of(stream)));
  host_->cut(stream);
}

void World::fault_focus_crash() {
  if (!host_->is_running()) {
    return;
  }
  note("fault: crash of the focus");
  if (prng_.below(2) == 0) {
    host_->crash();
  } else {
    host_->crash_after_actions(prng_.below(200));
  }
  restart_focus_later();
}

void World::restart_focus_later() {
  schedule_.after(milliseconds{static_cast<std::int64_t>(100 + prng_.below(4'000))}, [this] {
    if (host_->is_running()) {
      // The countdown has not run out: the crash is still to come.
      if (!healing_) {
        restart_focus_later();
      }
    } else {
      host_->start();
    }
  });
}

void World::heal() {
  healing_ = true;
  note("healing");
  for (const auto& client : clients_) {
    client->set_erratic(false);
  }
  if (!server_->is_up()) {
    server_->restart();
  }
  host_->spare();
  if (!host_->is_running()) {
    host_->start();
  }
  operator_->retire();
  for (const auto& bridge : bridges_) {
    if (bridge->is_hanging()) {
      bridge->crash();
    }
    if (!bridge->is_running()) {
      bridge->start();
    }
    if (bridge->is_draining()) {
      bridge->drain(false);
    }
  }
}

}  // namespace bascule::sim
