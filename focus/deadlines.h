#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/time.h"

namespace bascule::focus {

/// Everything in a Focus that can time out. What `owner` and `part` number is said behind each.
enum class TimerKind : std::uint8_t {
  kStreamRetry,      ///< Open a stream again. owner: StreamId.
  kRequestAnswer,    ///< Answer a conference request that is held. owner: held request.
  kRequestForget,    ///< Forget how often a client was put off.
  kRoomJoin,         ///< Our join was not answered. owner: conference.
  kInitial,          ///< A joined room that nobody enters. owner: conference.
  kSingle,           ///< A conference with one participant. owner: conference.
  kLinkGrace,        ///< The client link stays away: all conferences end.
  kBridgeRetry,      ///< Repeat a colibri2 create. owner: conference.
  kRelays,           ///< Relays between bridges: collected changes, retries. owner: conference.
  kPresence,         ///< Publish coalesced conference properties. owner: conference.
  kSourceSignaling,  ///< Announce collected source changes. owner: conference.
  kAccept,           ///< An offer that is not accepted. owner: conference, part: participant.
  kInviteRetry,      ///< Invite again after a failure. owner: conference, part: participant.
  kBreweryJoin,      ///< (Re-)enter the brewery.
  kBrewerySettled,   ///< Bridges that did not come back with the brewery are lost.
  kBridgeHealth,     ///< Next health check. owner: bridge number.
  kPubsub,           ///< Node with bridge stats. owner: StatsNode::k...Timer.
  kStatsFlush,       ///< Hand the collected reports to the store.
  kCleanup,          ///< Expire the next bridge conference that nobody owns any more.
  kProbe,            ///< Ask the bridges of the next conference about it. owner 1: from the first.
  kAudit,            ///< Look at the next conference.
  kMemory,           ///< Write what was learned of bridges.
  kQuarantine,       ///< A conference that was left out may come back.
  kServices,         ///< Ask again which components the server has.
  kShutdown,         ///< Stop now even if a goodbye is still unanswered.
};

struct TimerKey {
  TimerKind kind;
  std::uint64_t owner = 0;
  std::uint64_t part = 0;
  friend auto operator<=>(const TimerKey&, const TimerKey&) = default;
};

/// All deadlines of a Focus, at most one per key. Ties fire in key order, so that the sequence of
/// events is the same in every run. Cost of every operation: O(log number of deadlines).
class Deadlines {
 public:
  void set(const TimerKey& key, Instant when);
  /// Sets unless an earlier deadline is set already.
  void set_no_later(const TimerKey& key, Instant when);
  void clear(const TimerKey& key);
  [[nodiscard]] std::optional<Instant> get(const TimerKey& key) const;
  [[nodiscard]] bool is_set(const TimerKey& key) const { return by_key_.contains(key); }
  [[nodiscard]] std::optional<Instant> next() const;
  /// Clears and returns one key that is due at `now`.
  std::optional<TimerKey> take_due(Instant now);
  [[nodiscard]] std::size_t size() const { return by_key_.size(); }

 private:
  std::map<TimerKey, Instant> by_key_;
  std::set<std::pair<Instant, TimerKey>> by_time_;  // The same entries.
};

}  // namespace bascule::focus
