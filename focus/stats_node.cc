#include "focus/stats_node.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "focus/colibri_outcome.h"
#include "focus/stats_node_answers.h"

namespace bascule::focus {
namespace {

using std::chrono::seconds;

constexpr TimerKey kLook{TimerKind::kPubsub, StatsNode::kLookTimer};
constexpr TimerKey kSilence{TimerKind::kPubsub, StatsNode::kSilenceTimer};
constexpr Duration kStepTimeout = seconds{5};
constexpr Duration kLookSpacing = seconds{1};  // However often something happens.
/// Publish periods without one event before something must be wrong.
constexpr int kSilentPeriods = 3;
/// Asked for in the first look; later looks ask for one, only to see whether the list is readable.
constexpr std::uint32_t kItemsMax = 50;
constexpr std::string_view kCanaryId = "bascule-canary";
constexpr std::string_view kCanaryNamespace = "urn:bascule:canary";

bool is_well(NodeState state) {
  return state == NodeState::kWorking || state == NodeState::kSilent;
}

}  // namespace

std::string_view to_string(NodeState state) {
  switch (state) {
    case NodeState::kOff:
      return "off";
    case NodeState::kLooking:
      return "looking";
    case NodeState::kWorking:
      return "working";
    case NodeState::kSilent:
      return "silent";
    case NodeState::kServiceGone:
      return "service_gone";
    case NodeState::kServiceBroken:
      return "service_broken";
    case NodeState::kMissing:
      return "missing";
    case NodeState::kUnsubscribed:
      return "unsubscribed";
    case NodeState::kMisconfigured:
      return "misconfigured";
    case NodeState::kCorrupt:
      return "corrupt";
    case NodeState::kDeaf:
      return "deaf";
  }
  check_failed("state is one of NodeState", __FILE__, __LINE__);
}

void StatsNode::on_link_up(Turn& turn) {
  if (!turn.options().pubsub_service || turn.options().pubsub_node.empty()) {
    return;
  }
  state_ = NodeState::kLooking;
  fault_since_ = turn.now.mono;
  paces_ = {};
  was_well_ = false;
  attempts_ = 0;
  purged_ = silent_ = look_again_ = false;
  list_wanted_ = true;
  look(turn);
}

void StatsNode::on_link_down(Turn& turn) {
  state_ = NodeState::kOff;
  step_ = Step::kNone;
  turn.clear_timer(kLook);
  turn.clear_timer(kSilence);
}

void StatsNode::look(Turn& turn) {
  ++counters_.looks;
  looked_at_ = turn.now.mono;
  look_again_ = false;
  turn.clear_timer(kLook);
  ask(Step::kService, proto::DiscoInfoRequest{}, turn);
}

void StatsNode::look_in(Duration delay, Turn& turn) {
  if (state_ == NodeState::kOff) {
    return;
  }
  if (step_ != Step::kNone) {
    look_again_ = true;
    return;
  }
  turn.shared.deadlines.set_no_later(kLook,
                                     std::max(turn.now.mono + delay, looked_at_ + kLookSpacing));
}

void StatsNode::requery(Turn& turn) {
  list_wanted_ = true;
  look_in(Duration::zero(), turn);
}

void StatsNode::ask(Step step, proto::Request request, Turn& turn) {
  step_ = step;
  turn.send_iq(
      {.purpose = IqPurpose::kPubsub, .stream = StreamId::kService, .generation = ++asked_},
      *turn.options().pubsub_service, std::move(request), kStepTimeout);
}

StatsNode::Items StatsNode::on_answer(const IqNote& note, const IqOutcome& outcome,
                                      std::size_t bridges, Turn& turn) {
  if (note.generation != asked_ || step_ == Step::kNone) {
    return {};  // Of a look before the link was lost, or of the canary's removal.
  }
  const Step step = std::exchange(step_, Step::kNone);
  if (!outcome && is_link_down(outcome.error())) {
    return {};  // The next look begins when it is up again.
  }
  switch (step) {
    case Step::kService:
      on_service(outcome, turn);
      return {};
    case Step::kSubscriptions:
      on_subscriptions(outcome, turn);
      return {};
    case Step::kConfiguration:
      on_configuration(outcome, bridges, turn);
      return {};
    case Step::kItems:
      return on_items(outcome, turn);
    case Step::kCanary:
      on_canary(outcome, turn);
      return {};
    case Step::kRepair:
      on_repaired(outcome, turn);
      return {};
    case Step::kNone:
      break;
  }
  check_failed("step is one that asks", __FILE__, __LINE__);
}

void StatsNode::on_service(const IqOutcome& outcome, Turn& turn) {
  if (!outcome) {
    return hopeless(NodeState::kServiceGone, describe(outcome.error()), turn);
  }
  const auto* info = std::get_if<proto::DiscoInfo>(&*outcome);
  if (info == nullptr || !info->has_feature(proto::kPubsubNamespace)) {
    return hopeless(NodeState::kServiceBroken, "the service does not offer pubsub", turn);
  }
  ask(Step::kSubscriptions,
      proto::PubsubRequest(proto::PubsubGetSubscriptions{turn.options().pubsub_node}), turn);
}

void StatsNode::on_subscriptions(const IqOutcome& outcome, Turn& turn) {
  if (is_condition(outcome, proto::Condition::kItemNotFound)) {
    return repair(NodeState::kMissing, NodeRepair::kCreate, turn);
  }
  if (is_timeout(outcome)) {
    return hopeless(NodeState::kServiceBroken, "no answer about subscriptions", turn);
  }
  const auto* list = answer_of<proto::PubsubSubscriptions>(outcome);
  const bool subscribed =
      list != nullptr && std::any_of(list->subscriptions.begin(), list->subscriptions.end(),
                                     [&turn](const proto::PubsubSubscription& one) {
                                       return one.jid == turn.shared.service_jid &&
                                              one.state == proto::SubscriptionState::kSubscribed;
                                     });
  if (!subscribed) {
    return repair(NodeState::kUnsubscribed, NodeRepair::kSubscribe, turn);
  }
  ask(Step::kConfiguration,
      proto::PubsubRequest(proto::PubsubGetConfiguration{turn.options().pubsub_node}), turn);
}

void StatsNode::on_configuration(const IqOutcome& outcome, std::size_t bridges, Turn& turn) {
  if (is_condition(outcome, proto::Condition::kItemNotFound)) {
    return repair(NodeState::kMissing, NodeRepair::kCreate, turn);
  }
  if (lacks_rights(outcome) && !std::exchange(told_not_owner_, true)) {
    turn.warn("pubsub.not_owner",
              {{"node", turn.options().pubsub_node},
               {"meaning", std::string("its configuration is not seen, nothing can be repaired but "
                                       "the subscription")},
               {"action", advice_for_refused(NodeRepair::kConfigure, place_of(turn))}});
  }
  if (const auto* answer = answer_of<proto::PubsubConfiguration>(outcome)) {
    told_not_owner_ = false;
    keeps_items_ = answer->form.boolean("pubsub#persist_items").value_or(false);
    corrections_ = corrections_of(answer->form, turn.options().pubsub_keeps_items, bridges);
    if (!corrections_.empty()) {
      return repair(NodeState::kMisconfigured, NodeRepair::kConfigure, turn);
    }
    if (!keeps_items_) {
      return ask_canary_or_conclude(turn);
    }
  }
  ask_items(turn);
}

void StatsNode::ask_items(Turn& turn) {
  ask(Step::kItems,
      proto::PubsubRequest(proto::PubsubGetItems{
          turn.options().pubsub_node, list_wanted_ ? kItemsMax : std::uint32_t{1}, {}}),
      turn);
}

StatsNode::Items StatsNode::on_items(const IqOutcome& outcome, Turn& turn) {
  if (is_condition(outcome, proto::Condition::kItemNotFound)) {
    repair(NodeState::kMissing, NodeRepair::kCreate, turn);
    return {};
  }
  if (is_timeout(outcome) || is_condition(outcome, proto::Condition::kInternalServerError)) {
    repair(NodeState::kCorrupt, purged_ ? NodeRepair::kDelete : NodeRepair::kPurge, turn);
    return {};
  }
  const auto* list = answer_of<proto::PubsubItems>(outcome);
  const bool whole_list = std::exchange(list_wanted_, false);
  ask_canary_or_conclude(turn);
  return list != nullptr && whole_list ? list->items : Items{};
}

void StatsNode::ask_canary_or_conclude(Turn& turn) {
  if (!silent_) {
    return conclude(NodeState::kWorking, turn);
  }
  canary_seen_ = false;
  proto::PubsubItem canary{.id = std::string(kCanaryId), .publisher = {}, .payload = {}};
  xml::Element payload;
  payload.name = "canary";
  payload.ns = kCanaryNamespace;
  canary.payload = std::move(payload);
  ask(Step::kCanary,
      proto::PubsubRequest(proto::PubsubPublish{turn.options().pubsub_node, std::move(canary)}),
      turn);
}

void StatsNode::on_canary(const IqOutcome& outcome, Turn& turn) {
  if (is_condition(outcome, proto::Condition::kInternalServerError)) {
    return repair(NodeState::kCorrupt, purged_ ? NodeRepair::kDelete : NodeRepair::kPurge, turn);
  }
  if (is_condition(outcome, proto::Condition::kItemNotFound)) {
    return repair(NodeState::kMissing, NodeRepair::kCreate, turn);
  }
  if (outcome && keeps_items_) {
    turn.send_iq({.purpose = IqPurpose::kPubsub, .stream = StreamId::kService},
                 *turn.options().pubsub_service,
                 proto::PubsubRequest(proto::PubsubRetract{
                     turn.options().pubsub_node, {std::string(kCanaryId)}, false}));
  }
  // The event of an item leaves the server before the answer to its publisher.
  if (outcome && !canary_seen_) {
    return repair(NodeState::kDeaf, NodeRepair::kUnsubscribe, turn);
  }
  if (state_ == NodeState::kDeaf) {
    silent_ = false;  // It was us: publishers get another chance to be heard.
  }
  conclude(silent_ ? NodeState::kSilent : NodeState::kWorking, turn);
}

void StatsNode::enter(NodeState state, std::string_view reason, Turn& turn) {
  if (state_ == state) {
    return;
  }
  if (is_well(state_)) {
    fault_since_ = turn.now.mono;
  }
  state_ = state;
  told_operator_ = false;
  ++counters_.entered.at(static_cast<std::size_t>(state));
  turn.warn("pubsub.fault", {{"node", turn.options().pubsub_node},
                             {"state", std::string(to_string(state))},
                             {"silent", silent_},
                             {"next", std::string(reason)}});
}

void StatsNode::conclude(NodeState state, Turn& turn) {
  if (std::exchange(state_, state) != state) {
    ++counters_.entered.at(static_cast<std::size_t>(state));
    if (state == NodeState::kSilent) {
      turn.warn("pubsub.silent",
                {{"node", turn.options().pubsub_node},
                 {"action", advice_for_silence(place_of(turn), turn.options().pubsub_publishes)}});
    } else {
      turn.info("pubsub.working",
                {{"node", turn.options().pubsub_node}, {"after", turn.now.mono - fault_since_}});
    }
  }
  if (!std::exchange(was_well_, true)) {
    paces_ = {};
  }
  told_operator_ = false;
  attempts_ = 0;
  purged_ = false;
  if (!silent_ && !turn.shared.deadlines.is_set(kSilence)) {
    watch_for_silence(turn);
  }
  look_in(std::exchange(look_again_, false) ? kLookSpacing
                                            : kNodeLookPeriod + turn.jitter(kNodeLookJitter),
          turn);
}

void StatsNode::watch_for_silence(Turn& turn) {
  turn.set_timer(kSilence, turn.options().placement.publish_period * kSilentPeriods);
}

void StatsNode::on_event(const proto::PubsubEvent& event, Turn& turn) {
  if (state_ == NodeState::kOff) {
    return;
  }
  ++counters_.events;
  if (const auto* published = std::get_if<proto::PubsubItemsPublished>(&event.what)) {
    const bool canary = std::any_of(published->items.begin(), published->items.end(),
                                    [](const auto& item) { return item.id == kCanaryId; });
    canary_seen_ = canary_seen_ || canary;
    if (canary || published->items.empty()) {
      return;
    }
    last_event_ = turn.now.mono;
    silent_ = false;
    watch_for_silence(turn);
    if (state_ == NodeState::kSilent) {
      conclude(NodeState::kWorking, turn);
    } else if (state_ == NodeState::kServiceGone || state_ == NodeState::kServiceBroken) {
      look_in(kLookSpacing, turn);  // It lives.
    }
    return;
  }
  if (std::holds_alternative<proto::PubsubDeleted>(event.what)) {
    turn.warn("pubsub.node_deleted", {{"node", event.node}});
  }
  look_in(Duration::zero(), turn);
}

void StatsNode::on_timer(const TimerKey& key, std::size_t bridges, Turn& turn) {
  if (state_ == NodeState::kOff) {
    return;
  }
  if (key.owner == kLookTimer) {
    if (step_ == Step::kNone) {
      look(turn);
    }
    return;
  }
  if (bridges == 0) {
    return watch_for_silence(turn);
  }
  if (!std::exchange(silent_, true)) {
    look_in(Duration::zero(), turn);
  }
}

void StatsNode::publish_failed(const IqOutcome& outcome, Turn& turn) {
  if (step_ != Step::kNone || state_ == NodeState::kOff) {
    look_again_ = true;
    return;
  }
  if (is_condition(outcome, proto::Condition::kInternalServerError)) {
    return repair(NodeState::kCorrupt, purged_ ? NodeRepair::kDelete : NodeRepair::kPurge, turn);
  }
  look_in(Duration::zero(), turn);
}

}  // namespace bascule::focus
