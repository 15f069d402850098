#include "focus/stats_mirror.h"

#include <algorithm>
#include <string>
#include <utility>

#include "focus/colibri_outcome.h"
#include "focus/stats_node.h"
#include "focus/stats_node_answers.h"

namespace bascule::focus {
namespace {

constexpr TimerKey kPublish{TimerKind::kPubsub, StatsNode::kPublishTimer};
constexpr int kRestPerWork = 9;
constexpr Duration kRefusedRetry = std::chrono::seconds{30};
constexpr Duration kRestMax = std::chrono::seconds{30};

}  // namespace

void StatsMirror::on_link_down(Turn& turn) {
  waiting_.clear();
  order_.clear();
  sent_at_.reset();
  turn.clear_timer(kPublish);
}

void StatsMirror::offer(const BridgeJid& bridge, const proto::ColibriStats& stats,
                        bool node_takes_items, Turn& turn) {
  if (!turn.options().pubsub_publishes || !turn.options().pubsub_service) {
    return;
  }
  const auto [entry, inserted] = waiting_.insert_or_assign(bridge, stats);
  if (inserted) {
    order_.push_back(bridge);
  } else {
    ++counters_.replaced;
  }
  if (node_takes_items && !sent_at_ && !turn.shared.deadlines.is_set(kPublish)) {
    publish_next(turn);
  }
}

void StatsMirror::forget(const BridgeJid& bridge, bool node_keeps_items, Turn& turn) {
  waiting_.erase(bridge);
  order_.erase(std::remove(order_.begin(), order_.end(), bridge), order_.end());
  if (turn.options().pubsub_publishes && turn.options().pubsub_service && node_keeps_items &&
      turn.shared.is_up(StreamId::kService)) {
    turn.send_iq({.purpose = IqPurpose::kPubsub, .stream = StreamId::kService},
                 *turn.options().pubsub_service,
                 proto::PubsubRequest(
                     proto::PubsubRetract{turn.options().pubsub_node, {bridge.to_string()}, true}));
  }
}

void StatsMirror::publish_next(Turn& turn) {
  if (order_.empty()) {
    return;
  }
  const BridgeJid bridge = std::move(order_.front());
  order_.pop_front();
  auto stats = waiting_.extract(bridge);
  proto::PubsubItem item{.id = bridge.to_string(), .publisher = {}, .payload = {}};
  item.payload = std::move(stats.mapped());
  sent_at_ = turn.now.mono;
  turn.send_iq(
      {.purpose = IqPurpose::kPubsubPublish, .stream = StreamId::kService},
      *turn.options().pubsub_service,
      proto::PubsubRequest(proto::PubsubPublish{turn.options().pubsub_node, std::move(item)}));
}

void StatsMirror::on_answer(const IqNote& /*note*/, const IqOutcome& outcome, Turn& turn) {
  if (!sent_at_) {
    return;  // Of before the link was lost.
  }
  const Duration took = turn.now.mono - *std::exchange(sent_at_, std::nullopt);
  if (outcome) {
    ++counters_.published;
    if (std::exchange(refused_, false)) {
      turn.info("pubsub.publishes_again", {{"node", turn.options().pubsub_node}});
    }
    turn.set_timer(kPublish, std::min(took * kRestPerWork, kRestMax));
    return;
  }
  if (is_link_down(outcome.error())) {
    return;
  }
  ++counters_.failed;
  turn.set_timer(kPublish, kRefusedRetry);
  const auto* error = std::get_if<proto::StanzaError>(&outcome.error());
  if (!std::exchange(refused_, true)) {
    const bool forbidden = error != nullptr && error->condition == proto::Condition::kForbidden;
    const NodePlace place = place_of(turn);
    if (forbidden) {
      turn.error("pubsub.publish_refused", {{"node", place.node},
                                            {"error", describe(outcome.error())},
                                            {"action", advice_for_publish_refused(place)}});
    } else {
      turn.warn("pubsub.publish_failed",
                {{"node", place.node}, {"error", describe(outcome.error())}});
    }
  }
}

void StatsMirror::resume(Turn& turn) {
  if (!sent_at_) {
    turn.clear_timer(kPublish);
    publish_next(turn);
  }
}

void StatsMirror::on_timer(bool node_takes_items, Turn& turn) {
  if (node_takes_items && !sent_at_) {
    publish_next(turn);
  }
}

}  // namespace bascule::focus
