#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>

#include "base/jid.h"
#include "base/time.h"
#include "focus/turn.h"
#include "xmpp/proto/colibri_stats.h"

namespace bascule::focus {

/// Publishes what bridges say in the brewery to the pubsub node, one item per bridge under its
/// address in the brewery, so that others who read the node keep one that works.
///
/// Only the newest report of a bridge waits, and one item is on its way at a time. After each the
/// mirror rests nine times as long as the server took, so it never asks for more than a tenth of
/// it: a server that rewrites a long list for every item (Prosody, persist_items) falls behind in
/// freshness, not over. What was refused is tried again after 30 s.
class StatsMirror {
 public:
  struct Counters {
    std::uint64_t published = 0;
    std::uint64_t failed = 0;
    std::uint64_t replaced = 0;  ///< Reports a newer one overtook before they were published.
  };

  void on_link_down(Turn& turn);
  /// A report from the brewery.
  void offer(const BridgeJid& bridge, const proto::ColibriStats& stats, bool node_takes_items,
             Turn& turn);
  /// It left: its item, if one may be on the node, is removed where the node keeps items.
  void forget(const BridgeJid& bridge, bool node_keeps_items, Turn& turn);
  /// IqPurpose::kPubsubPublish.
  void on_answer(const IqNote& note, const IqOutcome& outcome, Turn& turn);
  /// The node was not fit and is again: what waits goes out without a pause.
  void resume(Turn& turn);
  /// TimerKind::kPubsub, owner StatsNode::kPublishTimer.
  void on_timer(bool node_takes_items, Turn& turn);

  [[nodiscard]] const Counters& counters() const { return counters_; }
  [[nodiscard]] bool is_refused() const { return refused_; }

 private:
  void publish_next(Turn& turn);

  std::map<BridgeJid, proto::ColibriStats> waiting_;
  std::deque<BridgeJid> order_;  // Of what waits; who is gone meanwhile is skipped.
  std::optional<Instant> sent_at_;
  bool refused_ = false;
  Counters counters_;
};

}  // namespace bascule::focus
