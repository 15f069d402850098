#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/jid.h"
#include "focus/input.h"
#include "focus/placement.h"
#include "focus/stats_mirror.h"
#include "focus/stats_node.h"
#include "focus/turn.h"
#include "focus/view.h"
#include "stats/batch.h"
#include "stats/report.h"

namespace bascule::focus {

/// The service link: membership in the brewery, the reports of the bridges, their health.
///
/// Sources of what is known of a bridge, and what they may say (docs/operations.md):
/// 1. The brewery decides alone which bridges there are, and while a bridge tells its load there,
///    what it says counts and nothing else.
/// 2. A pubsub event counts for a bridge that is in the brewery and has told no new load there for
///    `stale_after`: its load, and that it wants nothing new. That it is unwell, ends or is gone
///    is a reason to ask the bridge, never to move anybody.
/// 3. What the node remembered counts for a bridge that nobody has told anything of yet, as old.
/// 4. Our own allocations count always: what a report cannot contain is added to it, and when no
///    source is fresh they decide alone (StressLedger).
/// Ages are those of arrival here. `current_timestamp` only tells a repetition from something new.
///
/// A bridge is lost when it leaves the brewery, says that it is unhealthy, or neither answers nor
/// reports; never because the room or the server answered in its place, and never while our own
/// link is the one that is down (Jicofo: BaseBrewery.kt, JvbDoctor.kt, which do both).
class Brewery {
 public:
  /// Whoever has participants there must move them.
  struct Lost {
    BridgeJid bridge;
    FailureCause cause = FailureCause::kLeft;
    std::vector<RoomJid> rooms;  ///< That lost participants, largest first.
    bool alive = false;          ///< Still answers: endpoints on it can be expired.
  };
  using Losses = std::vector<Lost>;

  /// Bridges that were there before a restart; `Placement` knows their participants.
  void restore(const std::vector<stats::ReceivedReport>& reports, Turn& turn);

  /// Has participants of ours, as the tables say: when it does not appear, it is lost.
  void expect(const BridgeJid& bridge, Turn& turn) { bridge_at(bridge, turn); }

  void on_link_up(Turn& turn);
  void on_link_down(Turn& turn);
  Losses on_presence(const proto::MucPresence& presence, Turn& turn);
  /// Pubsub events with reports.
  Losses on_message(const proto::Message& message, Turn& turn);
  /// kHealth, kPubsub and kPubsubPublish.
  Losses on_answer(const IqNote& note, const IqOutcome& outcome, Turn& turn);
  void on_store_answer(const in::StoreAnswer& answer, Turn& turn);
  /// TimerKind::kBreweryJoin, kBrewerySettled, kBridgeHealth, kPubsub and kStatsFlush.
  Losses on_timer(const TimerKey& key, Turn& turn);

  /// A request was not answered, or the bridge said that it cannot: look at it now.
  void doubt(const BridgeJid& bridge, std::string_view reason, Turn& turn);
  /// The room says that we are not in it.
  void rejoin(Turn& turn);
  /// Asks the room and the node for everything they know, also when nothing seems to be missing.
  void requery(Turn& turn);
  /// How far the answers to the last `requery` are; nullopt: there was none. O(bridges).
  [[nodiscard]] std::optional<StatsRequery> last_requery() const;
  void leave(Turn& turn);

  [[nodiscard]] bool is_in() const { return in_; }
  [[nodiscard]] std::size_t bridges_present() const;
  [[nodiscard]] const StatsNode& stats_node() const { return node_; }
  [[nodiscard]] const StatsMirror& stats_mirror() const { return mirror_; }

 private:
  struct Bridge {
    std::uint64_t number = 0;
    bool present = false;
    bool health_asked = false;
    bool shutting_down = false;  // As announced, or gone unhealthy: told to others once.
    bool unhealthy = false;
    bool dead = false;                   // Given up, until it is heard of again.
    std::optional<Instant> heard_at;     // Last presence with a report.
    std::optional<Instant> load_at;      // Last presence with a load it had not told before.
    std::string told_at;                 // Its own time of that, compared only.
    Instant seen_at{};                   // Came into the brewery.
    bool mute_told = false;              // That it tells nothing.
    std::optional<Instant> reported_at;  // Last report of anybody since we started.
    Jid real_jid;                        // As the room shows it; may be empty.
    bool twins = false;                  // Two sessions under one nick, told once.
  };

  void send_join(Turn& turn);
  Losses on_bridge_presence(const proto::MucPresence& presence, Turn& turn);
  Losses on_report(const BridgeJid& jid, Bridge& bridge, stats::BridgeReport report, Turn& turn);
  void note_if_mute(const BridgeJid& jid, Bridge& bridge, Turn& turn) const;
  Losses on_health(const BridgeJid& jid, const IqOutcome& outcome, Turn& turn);
  Losses on_own_presence(const proto::MucPresence& presence, Turn& turn);
  Losses lose(const BridgeJid& jid, FailureCause cause, bool alive, Turn& turn);
  Losses lose_absent(Turn& turn);
  void check_health(const BridgeJid& jid, Bridge& bridge, Turn& turn);
  void on_pubsub_answer(const IqNote& note, const IqOutcome& outcome, Turn& turn);
  void on_items(const std::vector<proto::PubsubItem>& items, ReportOrigin origin, Turn& turn);
  void on_item(const BridgeJid& jid, Bridge& bridge, const proto::ColibriStats& stats,
               ReportOrigin origin, Turn& turn);
  /// Whose item this is, by its id; nullptr: of no bridge in the brewery.
  std::pair<const BridgeJid, Bridge>* bridge_of_item(const std::string& id);
  [[nodiscard]] bool is_first_hand(const Bridge& bridge, Turn& turn) const;
  void remember(stats::BridgeReport report, stats::ReportSource source, Turn& turn);
  void flush(Turn& turn);
  Bridge& bridge_at(const BridgeJid& jid, Turn& turn);
  [[nodiscard]] TimerKey health_timer(const Bridge& bridge) const {
    return {TimerKind::kBridgeHealth, bridge.number};
  }

  bool in_ = false;
  bool joining_ = false;
  Instant join_sent_at_{};
  std::optional<Instant> requeried_at_;
  std::map<BridgeJid, Bridge> bridges_;
  std::map<std::uint64_t, BridgeJid> by_number_;
  std::uint64_t last_write_ = 0;
  std::uint32_t writes_outstanding_ = 0;
  stats::Batch batch_;
  bool store_failed_ = false;
  StatsNode node_;
  StatsMirror mirror_;
};

}  // namespace bascule::focus
