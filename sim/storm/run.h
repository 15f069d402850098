#pragma once

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "sim/storm/fleet.h"
#include "sim/storm/media.h"
#include "sim/storm/metrics.h"
#include "sim/storm/people.h"
#include "sim/storm/policy.h"
#include "sim/storm/scenario.h"

namespace bascule::sim::storm {

struct RunSetup {
  const Scenario* scenario = nullptr;
  PolicyId policy = PolicyId::kNaive;
  std::size_t bridges = 200;
  FleetKind fleet = FleetKind::kEqual;
  std::uint64_t seed = 1;
  std::uint32_t focuses = 1;  ///< Independent policies that share the fleet; rooms are dealt out.
  TruthOptions truth;
  bool keep_series = false;
};

/// One scenario under one policy: truth and policy side by side, talking only through `Policy`.
class StormRun {
 public:
  using PolicyFactory = std::function<std::unique_ptr<Policy>(const PolicySetup& setup)>;
  explicit StormRun(const RunSetup& setup);
  /// With a policy of one's own; `setup.policy` is ignored.
  StormRun(const RunSetup& setup, const PolicyFactory& make);
  /// Once.
  RunResult run();

  // For checks of the truth model.
  [[nodiscard]] const Script& script() const { return script_; }

 private:
  /// To a placement.
  struct Answer {
    PersonId person = 0;
    std::uint32_t serial = 0;
    BridgeId bridge = 0;
    bool carried_out = false;  ///< Media flows already: the answer is quick.
    bool lost = false;         ///< It comes too late for anybody to wait for it.
  };
  struct Poisoned {
    BridgeId bridge = 0;
    Step since = 0;
  };

  void warm_start();
  /// From the end of step `now - 1` to the end of step `now`.
  void step(Step now);
  void play_events(Step now);
  void play(const ScriptEvent& event);
  void play_people(const ScriptEvent& event);
  void mass_drop(Duration at);
  void bridge_events(Step now);
  void notice_deaths(Duration at);
  void request(PersonId person, RequestKind kind, Duration at);
  void remove_media(PersonId person);
  void lose_media(PersonId person, Duration at);
  void carry_out(Duration at);
  void use(PersonId person, BridgeId bridge, Duration at);
  void hear_answers(Step now);
  [[nodiscard]] Step next_answer(BridgeId bridge);
  void poison(Step now);
  void sample_load(Step now);
  [[nodiscard]] std::optional<double> share_at_home() const;
  RunResult finish();

  [[nodiscard]] Policy& policy_of(PersonId person) {
    return *policies_[people_.room_of(person) % policies_.size()];
  }
  [[nodiscard]] Now clock(Duration at) const;
  template <class Call>
  void tell_all(Call call);

  RunSetup setup_;
  Script script_;
  Media media_;
  Fleet fleet_;
  People people_;
  std::vector<std::unique_ptr<Policy>> policies_;
  Step now_ = 0;
  std::size_t next_event_ = 0;
  Fleet::Events events_;
  std::vector<Placed> decided_;
  std::vector<PersonId> wanting_;
  std::multimap<Step, Answer> answers_;  ///< By when they come.
  std::vector<std::uint32_t> serials_;   ///< By person: of the last placement.
  double server_busy_until_ = 0;         ///< In steps.
  std::vector<Poisoned> poisoned_;
  RunResult result_;
};

/// Seconds from the event until 99 % of the people could have been served by a fleet that is a
/// fluid: every bridge that is there takes load up to 1 and joins as fast as 1 allows, in order of
/// arrival. Nullopt when the script has no event or nobody is affected.
[[nodiscard]] std::optional<double> fluid_optimum(const Script& script, const RunSetup& setup);

}  // namespace bascule::sim::storm
