#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/prng.h"
#include "focus/focus.h"
#include "sim/checkers.h"
#include "sim/fake_bridge.h"
#include "sim/fake_client.h"
#include "sim/fake_operator.h"
#include "sim/fake_prosody.h"
#include "sim/focus_host.h"
#include "sim/schedule.h"

namespace bascule::sim {

/// Whether conferences may span bridges.
enum class Relays : std::uint8_t { kSome, kAll, kNone };  ///< kSome: every third seed.
/// Seeds with a server that has no stream management: a session ends with its connection, and rooms
/// see the focus leave when it crashes.
inline constexpr std::uint64_t kForgetfulServerEvery = 4;

/// How a run is set up; what is not given here the seed draws.
struct WorldOptions {
  std::uint64_t seed = 1;
  bool wire = false;        ///< Every stanza through the writer and the parser.
  bool crash_focus = true;  ///< Among the faults: the focus dies between any two actions.
  Relays relays = Relays::kSome;
  /// Losses nobody reports: a room without the focus, a bridge without a meeting. With `faults`.
  bool silent_faults = true;
  bool orders = true;  ///< An operator drains, moves and pins. With `faults`.
  bool audit = true;   ///< Of the focus; without it silent faults are not repaired.
  bool faults = true;  ///< false: only people coming and going.
  Duration fault_phase = std::chrono::seconds{90};
  Duration liveness_bound = std::chrono::seconds{300};
  /// Gets every note of the focus and every fault, each as one line with the virtual time.
  std::function<void(const std::string&)> journal;
  bool journal_stanzas = false;  ///< The journal also gets what the server receives.
};

struct WorldResult {
  std::uint64_t seed = 0;
  std::vector<std::string> complaints;  ///< Empty: every checker was content.
  std::size_t clients = 0, bridges = 0, rooms = 0;
  std::size_t faults = 0, crashes = 0, placements = 0;
  std::uint64_t repairs = 0;                   ///< By the audit.
  std::uint64_t orders = 0;                    ///< Of the operator.
  std::uint64_t links = 0, link_failures = 0;  ///< Relays between bridges.
  std::uint64_t sessions = 0, reloads = 0, fatal_answers = 0, unanswered = 0;
  AskCounts asks{};                ///< What clients asked for by Jingle.
  std::uint64_t accepts_late = 0;  ///< Offers the focus gave up waiting for.
  std::size_t window_max = 0, window_limit = 0;
  std::int64_t max_settled_millionths = 0;
  Duration converged_after{};  ///< Healing to everybody back, virtual time.
  std::uint64_t events = 0, stanzas = 0;
  std::uint64_t action_hash = 0;
};

/// One simulated deployment: safety phase with faults, then liveness phase without.
class World {
 public:
  explicit World(const WorldOptions& options);
  WorldResult run();

 private:
  void draw();
  void draw_relays();
  void note(const std::string& line);
  void on_log(const focus::Note& note);
  void plan_faults();
  void plan_silent_faults();
  void make_operator();
  void plan_churn();
  void heal();
  void run_until(Instant end);
  void check_safety();
  [[nodiscard]] std::string what_is_missing() const;
  [[nodiscard]] std::string client_problem(const FakeClient& client) const;
  [[nodiscard]] std::size_t wanted_in(const RoomJid& room) const;
  [[nodiscard]] Duration seconds_between(std::uint64_t low, std::uint64_t high);
  [[nodiscard]] std::int64_t serving_bridges() const;
  void fault_bridge_crash();
  void fault_bridge_hang();
  void fault_bridge_drain();
  void fault_server_crash();
  void fault_link_cut();
  void fault_focus_crash();
  void fault_room_forgets(std::size_t which);
  void fault_bridge_forgets(std::size_t which);
  void restart_focus_later();
  [[nodiscard]] BridgeMedia media_of(const std::string& nick);
  void collect(WorldResult& result) const;

  WorldOptions options_;
  Prng prng_;
  Deployment deployment_;
  Schedule schedule_;
  focus::Options focus_options_;
  std::unique_ptr<FakeProsody> server_;
  std::unique_ptr<PaceChecker> pace_;
  std::unique_ptr<FocusHost> host_;
  std::unique_ptr<FakeOperator> operator_;
  std::vector<std::unique_ptr<FakeBridge>> bridges_;
  std::vector<std::unique_ptr<FakeClient>> clients_;
  std::size_t rooms_ = 0;
  std::uint64_t links_ = 0, link_failures_ = 0, accepts_late_ = 0, repairs_ = 0;
  std::size_t faults_ = 0;
  bool healing_ = false;
  std::set<RoomJid> forgotten_;  // Rooms that had lost the focus for a while.
  std::vector<std::string> complaints_;
};

}  // namespace bascule::sim
