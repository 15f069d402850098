// What StatsNode does about what it found.

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "focus/colibri_outcome.h"
#include "focus/stats_node.h"
#include "focus/stats_node_answers.h"

namespace bascule::focus {
namespace {

constexpr Duration kPaceMin = std::chrono::seconds{10};
constexpr Duration kPaceMax = std::chrono::minutes{5};
constexpr std::uint32_t kAttemptsMax = 6;

}  // namespace

void StatsNode::repair(NodeState found, NodeRepair kind, Turn& turn) {
  enter(found, to_string(kind), turn);
  Pace& pace = paces_.at(static_cast<std::size_t>(kind));
  if (turn.now.mono < pace.allowed_at) {
    return look_in(std::min(pace.allowed_at - turn.now.mono, kNodeLookPeriod), turn);
  }
  if (++attempts_ == kAttemptsMax) {
    tell_operator("repairs do not help", advice_for_no_effect(kind, place_of(turn)), turn);
  }
  send_repair(kind, turn);
}

void StatsNode::send_repair(NodeRepair kind, Turn& turn) {
  Pace& pace = paces_.at(static_cast<std::size_t>(kind));
  const bool long_ago = turn.now.mono - pace.allowed_at > kPaceMax;
  pace.delay = long_ago ? kPaceMin : std::clamp(pace.delay * 2, kPaceMin, kPaceMax);
  pace.allowed_at = turn.now.mono + pace.delay;
  repairing_ = kind;
  const std::string& node = turn.options().pubsub_node;
  const Jid& own = turn.shared.service_jid;
  const auto request = [&]() -> proto::PubsubRequest {
    switch (kind) {
      case NodeRepair::kCreate:
        return proto::PubsubCreate{node, node_configuration(turn.options().pubsub_keeps_items)};
      case NodeRepair::kSubscribe:
        return proto::PubsubSubscribe{node, own};
      case NodeRepair::kUnsubscribe:
        return proto::PubsubUnsubscribe{node, own};
      case NodeRepair::kConfigure:
        return proto::PubsubConfigure{node, corrections_};
      case NodeRepair::kPurge:
        purged_ = true;
        return proto::PubsubPurge{node};
      case NodeRepair::kDelete:
        return proto::PubsubDelete{node};
    }
    check_failed("kind is one of NodeRepair", __FILE__, __LINE__);
  };
  ask(Step::kRepair, request(), turn);
}

void StatsNode::on_repaired(const IqOutcome& outcome, Turn& turn) {
  const NodeRepair kind = repairing_;
  const bool exists_already =
      kind == NodeRepair::kCreate && is_condition(outcome, proto::Condition::kConflict);
  // Whoever is not subscribed may be told so in several ways; what counts is the next step.
  const bool not_needed =
      kind == NodeRepair::kUnsubscribe && !is_timeout(outcome) && !lacks_rights(outcome);
  if (outcome || exists_already || not_needed) {
    return repaired(turn);
  }
  ++counters_.failed.at(static_cast<std::size_t>(kind));
  if (lacks_rights(outcome)) {
    tell_operator(describe(outcome.error()), advice_for_refused(kind, place_of(turn)), turn);
  } else {
    turn.warn("pubsub.repair_failed", {{"node", turn.options().pubsub_node},
                                       {"repair", std::string(to_string(kind))},
                                       {"error", describe(outcome.error())}});
    if (kind == NodeRepair::kConfigure) {
      return ask_items(turn);  // A list that cannot be read cannot be made longer either.
    }
  }
  const Pace& pace = paces_.at(static_cast<std::size_t>(kind));
  look_in(std::min(pace.delay, kNodeLookPeriod), turn);
}

void StatsNode::repaired(Turn& turn) {
  ++counters_.repaired.at(static_cast<std::size_t>(repairing_));
  turn.info("pubsub.repaired", {{"node", turn.options().pubsub_node},
                                {"repair", std::string(to_string(repairing_))},
                                {"state", std::string(to_string(state_))}});
  switch (repairing_) {
    case NodeRepair::kCreate:
    case NodeRepair::kUnsubscribe:
      return send_repair(NodeRepair::kSubscribe, turn);
    case NodeRepair::kDelete:
      return send_repair(NodeRepair::kCreate, turn);
    case NodeRepair::kSubscribe:
    case NodeRepair::kConfigure:
    case NodeRepair::kPurge:
      // Whether it helped is seen, not believed; unless only an event can tell, give it time.
      silent_ = silent_ && state_ == NodeState::kDeaf;
      list_wanted_ = true;
      turn.clear_timer({TimerKind::kPubsub, kSilenceTimer});
      return look(turn);
  }
  check_failed("repair is one of NodeRepair", __FILE__, __LINE__);
}

void StatsNode::hopeless(NodeState state, std::string_view reason, Turn& turn) {
  enter(state, "look again", turn);
  tell_operator(reason,
                state == NodeState::kServiceGone ? advice_for_service_gone(place_of(turn))
                                                 : advice_for_service_broken(place_of(turn)),
                turn);
  look_in(kPaceMin + turn.jitter(kNodeLookJitter), turn);
}

void StatsNode::tell_operator(std::string_view reason, std::string action, Turn& turn) {
  if (!std::exchange(told_operator_, true)) {
    turn.error("pubsub.needs_operator", {{"node", turn.options().pubsub_node},
                                         {"service", turn.options().pubsub_service->to_string()},
                                         {"state", std::string(to_string(state_))},
                                         {"reason", std::string(reason)},
                                         {"action", std::move(action)}});
  }
}

}  // namespace bascule::focus
