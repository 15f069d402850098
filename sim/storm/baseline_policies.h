#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "sim/storm/placements.h"
#include "sim/storm/policy.h"

namespace bascule::sim::storm {

/// naive, random and p2c: they believe the reports, and a conference stays on its bridge.
[[nodiscard]] std::unique_ptr<Policy> make_pinning_policy(PolicyId id, const PolicySetup& setup);
/// The four variants of Jicofo.
[[nodiscard]] std::unique_ptr<Policy> make_jicofo_policy(PolicyId id, const PolicySetup& setup);

/// What baselines have in common: a request is decided at once or tried again every step.
class ImmediatePolicy : public Policy {
 public:
  explicit ImmediatePolicy(const PolicySetup& setup);
  void starts_with(PersonId person, RoomId room, BridgeId bridge, Now now) override;
  void request(const Request& request, Now now, std::vector<Placed>& out) override;
  void released(PersonId person, Now now) override;
  void confirmed(PersonId person, Now now) override;
  void not_answered(PersonId person, Now now) override;
  void service_down(Now now) override;
  void service_up(Now now) override;
  void bridge_absent(BridgeId bridge, Now now) override;
  void mass_drop(MemoryKept memory, Now now) override;
  void tick(Now now, std::vector<Placed>& out) override;

 protected:
  /// Where `request` goes, or nowhere now.
  virtual std::optional<BridgeId> choose(const Request& request, Now now) = 0;
  virtual void chosen(const Request& request, BridgeId bridge, Now now) = 0;
  /// A new process: nothing is known of any bridge; those that are there show up at once.
  virtual void process_restarted() = 0;

  [[nodiscard]] Placements& placements() { return placements_; }

 private:
  bool decide(const Request& request, Now now, std::vector<Placed>& out);
  Placements placements_;
};

}  // namespace bascule::sim::storm
