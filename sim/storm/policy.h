#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "sim/storm/fleet.h"
#include "sim/storm/ids.h"
#include "sim/storm/scenario.h"

namespace bascule::sim::storm {

enum class PolicyId : std::uint8_t {
  kNaive,   ///< Least reported stress, conference stays together: what Jicofo did in April 2020.
  kRandom,  ///< Any bridge, conference stays together.
  kTwoChoices,     ///< The less loaded by report of two random ones, conference stays together.
  kJicofo,         ///< Jicofo's default.
  kJicofoRelay,    ///< Jicofo with relays, region strategy.
  kJicofoLimited,  ///< ... and 30 new participants per minute, conference and bridge.
  kJicofoRedistribution,  ///< ... and load redistribution.
  kBascule,               ///< The real core, a conference on one bridge.
  kBasculeRelay,          ///< The real core with relays.
};
inline constexpr std::size_t kPolicyCount = 9;
[[nodiscard]] std::string_view to_string(PolicyId policy);
/// Whether the policy remembers anything about rooms or bridges: the others behave in S2n, S2c and
/// S8n as in S2 and S8.
[[nodiscard]] bool has_memory(PolicyId policy);

enum class RequestKind : std::uint8_t {
  kJoin,
  kDisplaced,  ///< Had media until the bridge died.
};
struct Request {
  PersonId person = 0;
  RoomId room = 0;
  RequestKind kind = RequestKind::kJoin;
  bool visitor = false;                ///< Receives only.
  std::optional<std::uint8_t> region;  ///< Where the person is.
};
/// A decision. For a person that has a place it is a move.
struct Placed {
  PersonId person = 0;
  BridgeId bridge = 0;
};

/// Who decides. It sees requests, departures, reports and the presence of bridges, never the truth.
/// Decisions of any call are appended to `out` and carried out when the call returns; a request
/// that gets none stays the policy's until it is placed or released.
class Policy {
 public:
  virtual ~Policy() = default;
  /// What an earlier life learned of a bridge: stress per unit. For scenarios that begin with empty
  /// bridges in a fleet that is not new.
  virtual void knows(BridgeId /*bridge*/, double /*cost_per_unit*/, Now /*now*/) {}
  /// Placed before the run began.
  virtual void starts_with(PersonId person, RoomId room, BridgeId bridge, Now now) = 0;
  virtual void request(const Request& request, Now now, std::vector<Placed>& out) = 0;
  /// Left; waiting or placed.
  virtual void released(PersonId person, Now now) = 0;
  /// The bridge accepted the last placement of the person.
  virtual void confirmed(PersonId person, Now now) = 0;
  /// Nobody answered the last placement of the person: it did not happen. A request follows.
  virtual void not_answered(PersonId person, Now now) = 0;
  virtual void report(const Report& report, Now now) = 0;
  /// Died: whoever was on it will be requested next, as displaced.
  virtual void bridge_down(BridgeId bridge, Now now) = 0;
  /// Is there after it was down or absent; nothing is known of it.
  virtual void bridge_up(BridgeId bridge, Now now) = 0;
  /// Lost its XMPP stream; not known to be dead.
  virtual void bridge_absent(BridgeId bridge, Now now) = 0;
  /// The policy's own link to the XMPP server.
  virtual void service_down(Now now) = 0;
  virtual void service_up(Now now) = 0;
  /// Everybody lost the session, nobody waits or has a place any more. With a `memory` other than
  /// kAlive the process ended as well, and what follows is told to a new one.
  virtual void mass_drop(MemoryKept memory, Now now) = 0;
  /// Once per step.
  virtual void tick(Now now, std::vector<Placed>& out) = 0;
};

struct PolicySetup {
  std::size_t bridges = 0, rooms = 0, people = 0;
  std::size_t serving = 0;    ///< Bridges; those with higher indices stand by.
  std::uint32_t regions = 1;  ///< Bridge i is in region i modulo this.
  std::uint64_t seed = 0;
  bool remembers_rooms = true;
  std::uint32_t focuses = 1;  ///< Independent ones that share the fleet; this is one of them.
};
[[nodiscard]] std::unique_ptr<Policy> make_policy(PolicyId id, const PolicySetup& setup);

}  // namespace bascule::sim::storm
