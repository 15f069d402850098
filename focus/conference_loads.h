#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/jid.h"
#include "base/time.h"
#include "focus/bridge_registry.h"
#include "focus/load_units.h"
#include "focus/room_history.h"
#include "focus/ticket.h"

namespace bascule::focus {

/// Why a conference has a bridge reserved.
enum class PlanKind : std::uint8_t {
  kAffinity,  ///< It was there before everybody was dropped.
  kFailure,   ///< Its bridge died.
  kMove,      ///< It makes room for others, or has to leave.
};

/// Where the participants of one conference are, and what is kept free for it.
struct ConferenceLoad {
  struct Host {
    Bridge* bridge;
    std::int64_t people = 0;
    std::int64_t visitors = 0;
    Milliunits load = 0;    ///< What the conference puts on this bridge now.
    Milliunits growth = 0;  ///< What it is expected to add; part of `Bridge::growth`.
  };
  /// A bridge with room kept for the whole conference.
  struct Plan {
    Bridge* bridge;
    PlanKind kind;
    std::int64_t size;  ///< Of the conference, when all have come.
    Instant until;
    Milliunits growth = 0;  ///< What is still missing; part of `Bridge::growth`.
  };

  RoomJid room;
  std::uint64_t number = 0;  ///< Never used twice; orders conferences.
  std::vector<Host> hosts;   ///< One; two while it moves; more with relays.
  std::int64_t people = 0;   ///< On all hosts, without visitors.
  Bridge* home = nullptr;    ///< The latest host; null before the first and after a failure.
  std::optional<Plan> plan;
  std::size_t members = 0;  ///< Participants known to us, waiting ones included.
  /// Version of its first bridge; other bridges must have the same unless mixed.
  std::optional<std::string> version;
  std::optional<std::string> first_region;  ///< Of its first bridge.

  // Expected size.
  Instant started{};            ///< First join.
  std::int64_t known_size = 0;  ///< Last time, or announced; 0: unknown.
  std::int64_t lost_size = 0;   ///< Before a bridge died under it; 0: not being rebuilt.
  Instant lost_until{};
  std::int64_t largest = 0;  ///< Since `started`; what is remembered.

  // Repeated failures (PlacementOptions::retry_*).
  std::uint32_t failures = 0;
  std::optional<Instant> last_failure, held_until;
  std::int64_t reinvites = 0;  ///< In the window that began at `reinvites_since`.
  Instant reinvites_since{};

  std::optional<Instant> moved_at;     ///< By make-room or relief.
  std::optional<Instant> rehomed_at;   ///< Its latest bridge joined then.
  std::uint32_t killed_bridges = 0;    ///< Idle ones that died soon after it arrived.
  std::optional<Instant> killed_last;  ///< The latest of them.

  [[nodiscard]] const Host* host_on(const Bridge& bridge) const;
  [[nodiscard]] bool has_people() const { return !hosts.empty(); }
};

/// The load that conferences put on bridges. The only place where load changes: every member makes
/// the others heavier (`participant_load`), so a join is more than one participant's load, and a
/// second bridge costs a relay on both.
///
/// Invariant: a bridge's own load is the sum over its conferences of `load_on`. Cost: O(log n) and
/// O(hosts of the conference) per change; `refresh_growth` O(conferences that are expected to
/// grow).
class ConferenceLoads {
 public:
  explicit ConferenceLoads(const PlacementOptions& options);

  /// Creates the conference when it is new, with what is remembered of its last time.
  ConferenceLoad& at(const RoomJid& room, Instant now);
  [[nodiscard]] ConferenceLoad* find(const RoomJid& room);
  [[nodiscard]] const ConferenceLoad* find(const RoomJid& room) const;
  /// Drops a conference without members, people and plan; remembers where it was.
  void forget_if_idle(ConferenceLoad& room);

  /// Load one more participant adds to `bridge`, growth of the others and relay included.
  [[nodiscard]] Milliunits load_of_join(const ConferenceLoad& room, const Bridge& bridge,
                                        Role role = Role::kMember) const;

  /// Adds one participant; makes `bridge` the home. Returns `load_of_join`. `settled`: restored,
  /// contained in every future report, unless it is known when it was placed.
  Milliunits join(ConferenceLoad& room, Bridge& bridge, Role role, Instant at, bool settled,
                  std::optional<Instant> placed = std::nullopt);
  struct Stay {
    Role role;
    Milliunits join_load;  ///< What its `join` returned.
    Instant joined_at;
  };
  /// Takes one participant away again.
  void leave(ConferenceLoad& room, Bridge& bridge, const Stay& stay, Instant at);
  /// All participants of the room on `bridge` are gone with the bridge: no credit there, but what
  /// the loss takes off the other hosts is credited. Returns how many.
  std::int64_t lose_host(ConferenceLoad& room, Bridge& bridge, Instant at);

  /// Keeps room on `bridge` for a conference of `size`; replaces an earlier plan.
  void plan(ConferenceLoad& room, Bridge& bridge, PlanKind kind, std::int64_t size, Instant now);
  void drop_plan(ConferenceLoad& room, Instant now);
  /// Somebody left for good: plan and rebuilding count one less.
  void expect_one_less(ConferenceLoad& room, Instant now);
  /// Participants the conference is expected to gain, by its plan, its history or its youth.
  [[nodiscard]] std::int64_t expected_gain(const ConferenceLoad& room, Instant now) const;
  /// Fades what is expected; drops plans that are over. O(conferences that are expected to grow);
  /// once per second.
  void refresh_growth(Instant now);
  [[nodiscard]] std::optional<Instant> next_plan_end() const;
  void drop_expired_plans(Instant now);

  /// Bridges whose load or growth changed since the last call; at most once each.
  [[nodiscard]] std::vector<Bridge*> take_touched();
  /// Call before a bridge is destroyed.
  void untouch(const Bridge& bridge) { std::erase(touched_, &bridge); }

  [[nodiscard]] RoomHistory& history() { return history_; }
  [[nodiscard]] const RoomHistory& history() const { return history_; }
  [[nodiscard]] std::map<RoomJid, ConferenceLoad>& all() { return rooms_; }
  [[nodiscard]] const std::map<RoomJid, ConferenceLoad>& all() const { return rooms_; }
  [[nodiscard]] std::size_t plan_count() const { return plan_ends_.size(); }
  /// Compares with what `registry` holds. `now`: of the latest call. O(conferences + bridges).
  void check_invariants(const BridgeRegistry& registry, Instant now) const;

 private:
  [[nodiscard]] Milliunits load_on(const ConferenceLoad& room, const ConferenceLoad::Host& host,
                                   std::size_t hosts) const;
  ConferenceLoad::Host& host(ConferenceLoad& room, Bridge& bridge, Instant at);
  void remove_host(ConferenceLoad& room, const Bridge& bridge);
  void update_growth(ConferenceLoad& room, Instant now);
  void check_growth(const ConferenceLoad& room, Instant now) const;
  [[nodiscard]] static Milliunits growth_of_host(const ConferenceLoad& room, std::int64_t gain);
  [[nodiscard]] static Milliunits growth_of_plan(const ConferenceLoad& room, std::int64_t gain);
  void set_growth(Bridge& bridge, Milliunits& growth, Milliunits wanted);
  void touch(Bridge& bridge);

  PlacementOptions options_;
  std::map<RoomJid, ConferenceLoad> rooms_;
  std::set<std::pair<Instant, RoomJid>> plan_ends_;
  std::map<std::uint64_t, ConferenceLoad*> growing_;  // By number: with growth reserved on hosts.
  std::vector<Bridge*> touched_;
  RoomHistory history_;
  std::uint64_t last_number_ = 0;
  Instant refreshed_at_ = Instant::min();  // All growth is at least as new as this.
};

}  // namespace bascule::focus
