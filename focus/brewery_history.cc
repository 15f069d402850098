// What the Brewery does beside the room: reports by pubsub (XEP-0060) and the history of reports.

#include <algorithm>
#include <utility>

#include "focus/brewery.h"
#include "focus/bridge_report.h"
#include "focus/colibri_outcome.h"

namespace bascule::focus {
namespace {

constexpr TimerKey kPubsubTimer{TimerKind::kPubsub};
constexpr TimerKey kFlushTimer{TimerKind::kStatsFlush};
constexpr Duration kPubsubRetryMin = std::chrono::seconds{10};
constexpr Duration kPubsubRetryMax = std::chrono::minutes{5};
/// A subscription that the server lost without a word is renewed this often; it is idempotent.
constexpr Duration kPubsubRenew = std::chrono::seconds{30};
constexpr Duration kFlushPeriod = std::chrono::seconds{1};
/// Writes the store may owe us an answer for; reports are collected meanwhile.
constexpr std::uint32_t kWritesMax = 4;

IqNote pubsub_note() {
  return {.purpose = IqPurpose::kPubsub, .stream = StreamId::kService};
}

}  // namespace

void Brewery::subscribe(Turn& turn) {
  const Options& options = turn.options();
  if (!options.pubsub_service || options.pubsub_node.empty() ||
      !turn.shared.is_up(StreamId::kService)) {
    return;
  }
  turn.send_iq(
      pubsub_note(), *options.pubsub_service,
      proto::PubsubRequest(proto::PubsubSubscribe{options.pubsub_node, turn.shared.service_jid}));
}

void Brewery::on_pubsub_answer(const IqOutcome& outcome, Turn& turn) {
  if (outcome) {
    const bool first = pubsub_retry_ != kPubsubRenew;
    pubsub_retry_ = kPubsubRenew;
    turn.set_timer(kPubsubTimer, kPubsubRenew);
    if (first) {
      turn.info("pubsub.subscribed", {{"node", turn.options().pubsub_node}});
      turn.send_iq(pubsub_note(), *turn.options().pubsub_service,
                   proto::PubsubRequest(proto::PubsubGetItems{turn.options().pubsub_node, {}, {}}));
    }
    return;
  }
  if (is_link_down(outcome.error())) {
    return;
  }
  const bool failing = pubsub_retry_ != kPubsubRenew && pubsub_retry_ != Duration::zero();
  pubsub_retry_ = failing ? std::min(pubsub_retry_ * 2, kPubsubRetryMax) : kPubsubRetryMin;
  if (!failing) {
    turn.warn("pubsub.refused",
              {{"node", turn.options().pubsub_node}, {"error", describe(outcome.error())}});
  }
  turn.set_timer(kPubsubTimer, pubsub_retry_);
}

Brewery::Losses Brewery::on_message(const proto::Message& message, Turn& turn) {
  const Options& options = turn.options();
  if (!message.pubsub_event || !options.pubsub_service || message.from != *options.pubsub_service ||
      message.pubsub_event->node != options.pubsub_node) {
    ++turn.counters().messages_ignored;
    return {};
  }
  const auto& what = message.pubsub_event->what;
  if (const auto* published = std::get_if<proto::PubsubItemsPublished>(&what)) {
    return on_pubsub_items(published->items, turn);
  }
  if (std::holds_alternative<proto::PubsubDeleted>(what)) {
    pubsub_retry_ = Duration::zero();
    turn.warn("pubsub.node_deleted", {{"node", options.pubsub_node}});
    turn.set_timer(kPubsubTimer, kPubsubRetryMin);
  }
  return {};
}

Brewery::Losses Brewery::on_pubsub_items(const std::vector<proto::PubsubItem>& items, Turn& turn) {
  Losses losses;
  for (const auto& item : items) {
    const auto* stats = std::get_if<proto::ColibriStats>(&item.payload);
    if (stats == nullptr || !item.id) {
      continue;
    }
    // Only what the brewery has shown us is a bridge: an item proves nothing about who is there.
    const BridgeJid jid(turn.options().brewery.jid().with_resource(
        item.id->substr(item.id->find('/') == std::string::npos ? 0 : item.id->find('/') + 1)));
    const auto entry = bridges_.find(jid);
    auto report = to_report(jid, *stats);
    if (!report || entry == bridges_.end() || !entry->second.present) {
      ++turn.counters().reports_invalid;
      continue;
    }
    Bridge& bridge = entry->second;
    const bool first_hand =
        bridge.heard_at && turn.now.mono - *bridge.heard_at < turn.options().placement.stale_after;
    if (!first_hand) {
      auto more = on_report(jid, bridge, std::move(*report), stats::ReportSource::kPubsub, turn);
      std::move(more.begin(), more.end(), std::back_inserter(losses));
    }
  }
  return losses;
}

void Brewery::flush(Turn& turn) {
  if (batch_.empty()) {
    return;
  }
  if (writes_outstanding_ >= kWritesMax) {
    turn.set_timer(kFlushTimer, kFlushPeriod);
    return;
  }
  ++writes_outstanding_;
  turn.act(out::StoreWrite{WriteId(++last_write_), std::exchange(batch_, stats::Batch())});
}

void Brewery::on_store_answer(const in::StoreAnswer& answer, Turn& turn) {
  writes_outstanding_ -= std::min(writes_outstanding_, 1U);
  if (!answer.outcome) {
    ++turn.counters().store_failures;
    if (!std::exchange(store_failed_, true)) {
      turn.warn("stats.not_stored", {{"error", answer.outcome.error().what}});
    }
  } else if (std::exchange(store_failed_, false)) {
    turn.info("stats.stored_again", {});
  }
}

}  // namespace bascule::focus
