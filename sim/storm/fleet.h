#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "sim/storm/ids.h"
#include "sim/storm/media.h"
#include "sim/storm/random_stream.h"
#include "sim/storm/truth_options.h"

namespace bascule::sim::storm {

/// What a bridge publishes about itself; all a policy ever learns of its load.
struct Report {
  BridgeId bridge = 0;
  double stress = 0;                    ///< Last sample of its gauge.
  std::int64_t endpoints = 0;           ///< Present now, ghosts included.
  std::int64_t total_participants = 0;  ///< Since the process started.
  std::uint64_t serial = 0;             ///< Differs for every publication of the run.
};

/// The bridges: load with noise, gauge, publisher, death and return. It draws its random numbers
/// from streams of its own, one pair per bridge.
class Fleet {
 public:
  struct Setup {
    std::size_t bridges = 0;
    FleetKind kind = FleetKind::kEqual;
    std::uint64_t seed = 0;
    Step start = 0;  ///< First step of the run.
  };
  Fleet(const TruthOptions& options, const Setup& setup);

  /// What happened in one step.
  struct Events {
    std::vector<Report> reports;
    std::vector<BridgeId> died;      ///< Of load, in this step.
    std::vector<BridgeId> noticed;   ///< Died a second ago: everybody knows now.
    std::vector<BridgeId> returned;  ///< Empty, and visible again.
  };
  /// Computes the load at the end of step `now`. `noticed` and `returned` have to be acted upon by
  /// the caller before the next step: the people of a noticed bridge have to be removed.
  void step(Step now, Media& media, Events& events);

  /// Dies now, of something else than load; unless it is dead.
  void kill(BridgeId bridge, Step now);
  /// Loses or regains the XMPP server; media runs on.
  void set_connected(BridgeId bridge, bool connected, Step now);
  /// Nobody's reports arrive while it is off.
  void set_reporting(bool on) { reporting_ = on; }
  /// Everybody on the bridge was dropped without a goodbye: it keeps counting them for a while.
  void leave_ghosts(BridgeId bridge, std::size_t people, Step now);
  /// From here on `kills` and `stress_max` count.
  void begin_counting();

  /// Can be given participants: known to be there by everybody who listens.
  [[nodiscard]] bool reachable(BridgeId bridge) const {
    return bridges_[bridge].visible && bridges_[bridge].connected;
  }
  [[nodiscard]] std::size_t size() const { return bridges_.size(); }
  [[nodiscard]] double stress(BridgeId bridge) const { return bridges_[bridge].stress; }
  /// Everybody who is there has published something by the end of the warm phase.
  [[nodiscard]] const Report& last_report(BridgeId bridge) const { return bridges_[bridge].last; }
  [[nodiscard]] double base(BridgeId bridge) const { return bridges_[bridge].base; }
  [[nodiscard]] double stress_max() const { return stress_max_; }
  [[nodiscard]] std::size_t kills() const { return kills_; }
  [[nodiscard]] std::size_t bridges_killed() const;
  /// Steps so far in which nobody on the bridge had usable media, or in which it was above 1.
  [[nodiscard]] Step steps_down(BridgeId bridge) const { return bridges_[bridge].steps_down; }
  [[nodiscard]] Step steps_over(BridgeId bridge) const { return bridges_[bridge].steps_over; }

 private:
  struct Bridge {
    double base = kBaseStress;
    RandomStream load_noise, report_noise;
    Report last;
    double deviation = 0;  ///< AR(1).
    double stress = 0;
    double sum = 0;     ///< Of the gauge since its last sample.
    double sample = 0;  ///< What the gauge shows.
    Step sample_due = 0, publish_due = 0;
    int steps_hot = 0, steps_very_hot = 0;
    Step steps_down = 0, steps_over = 0;
    bool alive = true;      ///< The process runs.
    bool visible = true;    ///< Not known to be dead.
    bool connected = true;  ///< To the XMPP server.
    bool killed = false;    ///< By load, since counting began.
    std::size_t ghosts = 0;
    Step ghosts_until = 0;
  };
  struct Due {
    Step at = 0;
    BridgeId bridge = 0;
  };

  void load(Bridge& bridge, BridgeId id, Step now, const Media& media);
  void measure(Bridge& bridge, Step now);
  void publish(Bridge& bridge, BridgeId id, Step now, const Media& media, Events& events);
  [[nodiscard]] static bool dies(Bridge& bridge);

  TruthOptions options_;
  Step sampler_steps_, publish_steps_;
  std::vector<Bridge> bridges_;
  std::deque<Due> to_notice_, to_return_;
  bool reporting_ = true;
  std::uint64_t reports_ = 0;
  std::size_t kills_ = 0;
  double stress_max_ = 0;
};

}  // namespace bascule::sim::storm
