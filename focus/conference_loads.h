#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/jid.h"
#include "base/time.h"
#include "focus/bridge_registry.h"
#include "focus/load_units.h"

namespace bascule::focus {

/// Where the participants of one conference are, and what is kept free for it.
struct ConferenceLoad {
  struct Host {
    Bridge* bridge;
    std::int64_t people;
  };
  /// Room kept on a bridge for the people who are still expected.
  struct Reservation {
    Bridge* bridge;
    std::int64_t size;  ///< Of the conference, when all have come.
    Instant until;
    Milliunits load;  ///< What is still missing; part of `Bridge::growth`.
  };

  std::vector<Host> hosts;  ///< One, or two while the conference moves.
  std::int64_t people = 0;  ///< On all hosts.
  Bridge* home = nullptr;   ///< Where the next one goes; null before the first and after a failure.
  std::optional<Reservation> reservation;
  std::size_t members = 0;  ///< Participants known to us, waiting ones included.

  // Repeated allocation failures (PlacementOptions::retry_*).
  std::uint32_t failures = 0;
  std::optional<Instant> last_failure, held_until;
};

/// The load that conferences put on bridges. The only place where load changes: every member makes
/// the others heavier (`participant_load`), so a join is more than one participant's load.
///
/// Invariant: a bridge's own load is the sum over its conferences of people * participant_load
/// (size). Cost: O(log n) and O(hosts of the conference) per change.
class ConferenceLoads {
 public:
  /// Creates the conference when it is new.
  ConferenceLoad& at(const RoomJid& room) { return rooms_[room]; }
  [[nodiscard]] ConferenceLoad* find(const RoomJid& room);
  [[nodiscard]] const ConferenceLoad* find(const RoomJid& room) const;
  /// Drops a conference without members, people and reservation.
  void forget_if_idle(const RoomJid& room);

  /// Load one more participant adds to `bridge`, growth of the others there included.
  [[nodiscard]] static Milliunits load_of_join(const ConferenceLoad& room, const Bridge& bridge);

  /// Adds one participant; makes `bridge` the home. Returns `load_of_join`. `settled`: restored,
  /// contained in every future report.
  Milliunits join(const RoomJid& room, Bridge& bridge, Instant at, bool settled);
  /// Takes one participant away again. `join_load`: what its `join` returned.
  void leave(const RoomJid& room, Bridge& bridge, Milliunits join_load, Instant joined_at,
             Instant at);
  /// All participants of the room on `bridge` are gone with the bridge: no credit there, but what
  /// the loss takes off the other hosts is credited. Returns how many.
  std::int64_t lose_host(const RoomJid& room, Bridge& bridge, Instant at);

  /// Keeps room on `bridge` for a conference of `size`; replaces an earlier reservation.
  void reserve(const RoomJid& room, Bridge& bridge, std::int64_t size, Instant until);
  void release(const RoomJid& room);
  /// Somebody left for good: the reservation counts one less.
  void expect_one_less(const RoomJid& room);
  /// Releases what ended by `now`.
  void release_expired(Instant now);
  [[nodiscard]] std::optional<Instant> next_expiry() const;

  [[nodiscard]] const std::map<RoomJid, ConferenceLoad>& all() const { return rooms_; }
  /// Compares with what `registry` holds. O(conferences + bridges).
  void check_invariants(const BridgeRegistry& registry) const;

 private:
  static ConferenceLoad::Host* host(ConferenceLoad& room, const Bridge& bridge);
  static void size_changed(ConferenceLoad& room);

  std::map<RoomJid, ConferenceLoad> rooms_;
  std::set<std::pair<Instant, RoomJid>> expiries_;  // Of reservations.
};

}  // namespace bascule::focus
