// Reports by pubsub (XEP-0060): who they are of, and how much they count; see brewery.h.

#include <utility>

#include "focus/brewery.h"
#include "focus/bridge_report.h"

namespace bascule::focus {
namespace {

/// `jvb1` of `jvb1.example.com`: bridges that were components named their items so.
std::string_view first_label(std::string_view id) {
  return id.substr(0, id.find('.'));
}

}  // namespace

void Brewery::on_pubsub_answer(const IqNote& note, const IqOutcome& outcome, Turn& turn) {
  const bool took_items = node_.takes_items();
  if (note.purpose == IqPurpose::kPubsubPublish) {
    mirror_.on_answer(note, outcome, turn);
    if (!outcome && !is_link_down(outcome.error())) {
      node_.publish_failed(outcome, turn);
    }
  } else {
    on_items(node_.on_answer(note, outcome, bridges_present(), turn), ReportOrigin::kPubsubList,
             turn);
  }
  if (!took_items && node_.takes_items()) {
    mirror_.resume(turn);
  }
}

Brewery::Losses Brewery::on_message(const proto::Message& message, Turn& turn) {
  const Options& options = turn.options();
  if (!message.pubsub_event || !options.pubsub_service || message.from != *options.pubsub_service ||
      message.pubsub_event->node != options.pubsub_node) {
    ++turn.counters().messages_ignored;
    return {};
  }
  const bool took_items = node_.takes_items();
  node_.on_event(*message.pubsub_event, turn);
  if (!took_items && node_.takes_items()) {
    mirror_.resume(turn);
  }
  const auto& what = message.pubsub_event->what;
  if (const auto* published = std::get_if<proto::PubsubItemsPublished>(&what)) {
    on_items(published->items, ReportOrigin::kPubsub, turn);
  }
  return {};
}

std::pair<const BridgeJid, Brewery::Bridge>* Brewery::bridge_of_item(const std::string& id) {
  const auto slash = id.find('/');
  const std::string_view nick =
      slash == std::string::npos ? std::string_view(id) : std::string_view(id).substr(slash + 1);
  std::pair<const BridgeJid, Bridge>* by_label = nullptr;
  for (auto& entry : bridges_) {
    if (!entry.second.present) {
      continue;
    }
    const std::string& own_nick = entry.first.jid().resource();
    if (own_nick == nick ||
        (!entry.second.real_jid.empty() && entry.second.real_jid.to_string() == id)) {
      return &entry;
    }
    if (slash == std::string::npos && own_nick == first_label(id)) {
      by_label = &entry;
    }
  }
  return by_label;
}

bool Brewery::is_first_hand(const Bridge& bridge, Turn& turn) const {
  return bridge.load_at && turn.now.mono - *bridge.load_at < turn.options().placement.stale_after;
}

void Brewery::on_items(const std::vector<proto::PubsubItem>& items, ReportOrigin origin,
                       Turn& turn) {
  for (const auto& item : items) {
    const bool offline = std::holds_alternative<proto::BridgeOffline>(item.payload);
    const auto* stats = std::get_if<proto::ColibriStats>(&item.payload);
    if (!item.id || (stats == nullptr && !offline)) {
      continue;
    }
    auto* entry = bridge_of_item(*item.id);
    if (entry == nullptr) {
      ++turn.counters().items_of_strangers;
    } else if (is_first_hand(entry->second, turn)) {
      ++turn.counters().items_second_hand;
    } else if (offline) {
      doubt(entry->first, "said to be offline by pubsub", turn);
    } else {
      on_item(entry->first, entry->second, *stats, origin, turn);
    }
  }
}

void Brewery::on_item(const BridgeJid& jid, Bridge& bridge, const proto::ColibriStats& stats,
                      ReportOrigin origin, Turn& turn) {
  if (origin == ReportOrigin::kPubsubList && bridge.reported_at) {
    return;
  }
  auto report = to_report(jid, stats);
  if (report && !report->stress) {
    report->stress = stress_of_packet_rates(stats);
  }
  if (!report) {
    ++turn.counters().reports_invalid;
    return;
  }
  const bool unwell = report->healthy == false || report->shutting_down == true;
  // Nobody is moved because of what others say, and an old count is no sign of a restart.
  report->healthy.reset();
  report->shutting_down.reset();
  report->graceful_shutdown.reset();
  report->total_participants.reset();
  ++turn.counters().items_used;
  bridge.reported_at = turn.now.mono;
  turn.shared.placement.report(*report, turn.now, origin);
  if (origin == ReportOrigin::kPubsub) {
    remember(std::move(*report), stats::ReportSource::kPubsub, turn);
    if (unwell) {
      doubt(jid, "said to be unwell by pubsub", turn);
    }
  }
}

}  // namespace bascule::focus
