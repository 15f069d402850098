#pragma once

#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "focus/placement.h"
#include "tests/unit/focus/properties/history.h"
#include "tests/unit/focus/properties/reference_model.h"

namespace bascule::focus::properties {

/// A property or invariant that does not hold; rapidcheck takes it for a failure of the history.
class Violation : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// How often a property was looked at, by its number: one that never was proves nothing.
using Evaluated = std::map<std::string_view, std::size_t>;

/// What may differ between two runs that must decide the same.
struct Variation {
  Duration offset{};  ///< Added to every instant.
  WallTime wall{};
  bool repeats_reports = false;  ///< Every report arrives twice, and the one before it again.
};

/// A Placement and the reference model, told the same; compared after every command. Which
/// properties are looked at, and what each means here: checks.cc.
class World {
 public:
  World(const Setup& setup, Evaluated& evaluated, const Variation& variation = {});

  void run(const std::vector<Command>& commands);
  void apply(const Command& command);
  void pass_time(Duration step);
  /// The process stands still: nothing is called for longer than a pause has to be.
  void pause(Duration gap);
  /// One call of `Placement::drain`, with everything checked that it decided.
  void drain();

  // Steps of which properties are made.
  void report_truth(BridgeId which, std::int64_t noise = 0);
  void confirm_all();
  void everybody_leaves();
  void fail_bridge(BridgeId which, FailureCause cause, bool reinvite);
  Result<> enqueue(PersonId who, TicketKind kind, const std::vector<BridgeJid>& avoid = {});
  void set_cordoned(BridgeId which, bool cordoned);

  [[nodiscard]] Placement& placement() { return placement_; }
  [[nodiscard]] const ReferenceModel& model() const { return model_; }
  [[nodiscard]] Now now() const;
  [[nodiscard]] BridgeView view(BridgeId which) const;
  /// Stress of a unit as learned, without margin.
  [[nodiscard]] Stress learned_cost(BridgeId which) const;
  /// Every decision: who, where, why, expected stress.
  [[nodiscard]] const std::vector<std::string>& log() const { return log_; }
  /// Time without pauses, as Placement counts it.
  [[nodiscard]] Instant moment() const { return now().mono - standstill_; }
  void check_state();

 private:
  void start();
  void people_command(const Command& command);
  void bridge_command(const Command& command);
  void fleet_command(const Command& command);
  void join(const Command& command, PersonId who);
  void follow_moves();
  void report(stats::BridgeReport report, BridgeId which);
  void wild_report(BridgeId which, int amount);
  void restart(BridgeId which, int amount);
  void restart_wanted(BridgeId which, int amount);
  void failed_bridge(BridgeId which, FailureCause cause, const std::vector<RoomJid>& rooms,
                     const std::vector<BridgeView>& before, bool reinvite);
  void leave(PersonId who);
  stats::BridgeReport truth_of(BridgeId which, std::int64_t noise);

  // checks.cc
  void require(bool holds, std::string_view property, std::string_view what,
               const Decision* decision = nullptr);
  void require(bool holds, std::string_view property, std::string_view what,
               const ModelPerson& person);
  [[noreturn]] void violated(std::string_view property, std::string_view what,
                             const std::string& detail) const;
  void check_decision(const Decision& decision);
  void check_limit_of_rule(const Decision& decision, const ModelPerson& person);
  void check_bridge_of(const Decision& decision, const ModelPerson& person, BridgeId where);
  void note_plans();
  void check_pace(BridgeId where);
  void check_reservation(const Decision& decision, const std::vector<BridgeView>& before,
                         const ModelPerson& person_before);
  void check_waits();
  void check_first_wait(RoomId room, const ModelPerson& person);
  void check_join_wait(RoomId room, const ModelPerson& person);
  [[nodiscard]] bool may_fit(BridgeId which, Milliunits load, Stress limit, bool with_growth) const;
  void check_failure(BridgeId which, const std::vector<PersonId>& lost,
                     const std::vector<RoomJid>& rooms, const std::vector<BridgeView>& before);
  void check_bridges();
  void check_hosts();

  Setup setup_;
  Evaluated& evaluated_;
  Variation variation_;
  ReferenceModel model_;
  Placement placement_;
  Duration elapsed_{};
  Duration standstill_{};  ///< Part of `elapsed_` that does not count.
  bool link_up_ = false;
  std::int64_t sequence_ = 0;
  std::map<BridgeId, stats::BridgeReport> last_reports_;
  std::vector<Move> wishes_;
  std::uint64_t mass_drops_ = 0;  ///< Noticed so far.
  bool woke_up_ = false;          ///< What was seen just before is of before a pause.
  std::vector<std::string> log_;
  bool moved_ = false;  ///< Somebody was told to move: conferences may be in two places.
};

}  // namespace bascule::focus::properties
