#include "focus/brewery.h"

#include <algorithm>
#include <utility>

#include "focus/bridge_report.h"
#include "focus/colibri_outcome.h"

namespace bascule::focus {
namespace {

constexpr TimerKey kJoinTimer{TimerKind::kBreweryJoin};
constexpr TimerKey kSettledTimer{TimerKind::kBrewerySettled};
constexpr Duration kJoinRetry = std::chrono::seconds{15};   // Jicofo: BaseBrewery.kt.
constexpr Duration kJoinSpacing = std::chrono::seconds{1};  // However often we are thrown out.
constexpr Duration kProbeDelay = std::chrono::seconds{1};

proto::MucPresence join_presence(const Turn& turn) {
  proto::MucPresence presence;
  presence.to = turn.options().brewery.jid().with_resource(turn.options().focus_nick);
  presence.join = proto::MucJoin{.password = std::nullopt, .history_max_stanzas = 0};
  return presence;
}

void append(Brewery::Losses& losses, Brewery::Losses more) {
  std::move(more.begin(), more.end(), std::back_inserter(losses));
}

}  // namespace

void Brewery::restore(const std::vector<stats::ReceivedReport>& reports, Turn& turn) {
  for (const auto& received : reports) {
    bridge_at(received.report.bridge, turn);
  }
}

Brewery::Bridge& Brewery::bridge_at(const BridgeJid& jid, Turn& turn) {
  const auto [entry, inserted] = bridges_.try_emplace(jid);
  if (inserted) {
    entry->second.number = ++turn.shared.last_number;
    by_number_.emplace(entry->second.number, jid);
  }
  return entry->second;
}

std::size_t Brewery::bridges_present() const {
  return static_cast<std::size_t>(std::count_if(
      bridges_.begin(), bridges_.end(), [](const auto& entry) { return entry.second.present; }));
}

void Brewery::on_link_up(Turn& turn) {
  send_join(turn);
  node_.on_link_up(turn);
}

void Brewery::on_link_down(Turn& turn) {
  in_ = false;
  joining_ = false;
  turn.clear_timer(kJoinTimer);
  turn.clear_timer(kSettledTimer);
  node_.on_link_down(turn);
  mirror_.on_link_down(turn);
  for (auto& [jid, bridge] : bridges_) {
    bridge.present = false;
    bridge.health_asked = false;
    turn.clear_timer(health_timer(bridge));
  }
  turn.shared.placement.service_down(turn.now);
}

void Brewery::rejoin(Turn& turn) {
  if (in_ && turn.shared.is_up(StreamId::kService)) {
    turn.warn("brewery.not_in", {{"room", turn.options().brewery.to_string()}});
    in_ = false;
    turn.shared.placement.service_down(turn.now);
    if (turn.now.mono - join_sent_at_ < kJoinSpacing) {
      turn.set_timer(kJoinTimer, kJoinSpacing);
    } else {
      send_join(turn);
    }
  }
}

void Brewery::send_join(Turn& turn) {
  joining_ = true;
  join_sent_at_ = turn.now.mono;
  turn.send_presence(StreamId::kService, join_presence(turn));
  turn.set_timer(kJoinTimer, kJoinRetry);
}

void Brewery::requery(Turn& turn) {
  requeried_at_ = turn.now.mono;
  turn.info("stats.requeried", {{"bridges", static_cast<std::int64_t>(bridges_present())}});
  if (in_ && turn.now.mono - join_sent_at_ >= kJoinSpacing) {
    // Joining where we are already makes the room repeat the last presence of everybody.
    join_sent_at_ = turn.now.mono;
    turn.send_presence(StreamId::kService, join_presence(turn));
  }
  node_.requery(turn);
}

std::optional<StatsRequery> Brewery::last_requery() const {
  if (!requeried_at_) {
    return std::nullopt;
  }
  StatsRequery requery{.asked_at = *requeried_at_};
  for (const auto& [jid, bridge] : bridges_) {
    requery.expected += bridge.present ? 1U : 0U;
    requery.seen += bridge.present && bridge.reported_at >= requeried_at_ ? 1U : 0U;
  }
  return requery;
}

void Brewery::leave(Turn& turn) {
  if (in_ || joining_) {
    proto::MucPresence presence;
    presence.to = turn.options().brewery.jid().with_resource(turn.options().focus_nick);
    presence.type = proto::PresenceType::kUnavailable;
    turn.send_presence(StreamId::kService, std::move(presence));
  }
  in_ = false;
  joining_ = false;
}

Brewery::Losses Brewery::on_presence(const proto::MucPresence& presence, Turn& turn) {
  if (presence.from.bare() != turn.options().brewery.jid()) {
    ++turn.counters().presences_ignored;
    return {};
  }
  if (presence.type == proto::PresenceType::kError) {
    ++turn.counters().room_errors;
    if (joining_) {
      turn.error("brewery.refused",
                 {{"room", turn.options().brewery.to_string()},
                  {"error", presence.error ? describe({*presence.error}) : std::string("unknown")},
                  {"retry_in", kJoinRetry}});
    }
    return {};
  }
  if (presence.from.resource() == turn.options().focus_nick) {
    return on_own_presence(presence, turn);
  }
  return presence.from.is_bare() ? Losses{} : on_bridge_presence(presence, turn);
}

Brewery::Losses Brewery::on_own_presence(const proto::MucPresence& presence, Turn& turn) {
  if (presence.type == proto::PresenceType::kUnavailable) {
    if (in_) {
      rejoin(turn);
    }
    return {};
  }
  if (!joining_) {
    return {};
  }
  joining_ = false;
  in_ = true;
  turn.clear_timer(kJoinTimer);
  turn.set_timer(kSettledTimer, turn.options().placement.settle_max);
  turn.shared.placement.service_up(turn.now);
  turn.info("brewery.joined", {{"room", turn.options().brewery.to_string()},
                               {"bridges", static_cast<std::int64_t>(bridges_present())}});
  return {};
}

Brewery::Losses Brewery::on_bridge_presence(const proto::MucPresence& presence, Turn& turn) {
  const BridgeJid jid(presence.from);
  if (presence.type == proto::PresenceType::kUnavailable) {
    const auto entry = bridges_.find(jid);
    if (entry == bridges_.end() || !entry->second.present) {
      return {};
    }
    Bridge& bridge = entry->second;
    bridge.present = false;
    turn.clear_timer(health_timer(bridge));
    turn.shared.placement.bridge_left(jid, turn.now);
    mirror_.forget(jid, node_.keeps_items(), turn);
    return lose(jid, bridge.shutting_down ? FailureCause::kShutDown : FailureCause::kLeft, false,
                turn);
  }
  if (bridges_.size() >= turn.options().placement.max_bridges && !bridges_.contains(jid)) {
    ++turn.counters().reports_invalid;
    return {};
  }
  Bridge& bridge = bridge_at(jid, turn);
  if (!bridge.present) {
    bridge.present = true;
    bridge.seen_at = turn.now.mono;
    bridge.mute_told = false;
    bridge.shutting_down = false;
    turn.set_timer(health_timer(bridge), turn.options().health_interval);
    turn.info("bridge.seen", {{"bridge", jid.to_string()}});
    if (!turn.shared.placement.conferences_on(jid).empty()) {
      // It was away, and may be another process than the one that had them.
      turn.shared.deadlines.set_no_later({TimerKind::kProbe, 1}, turn.now.mono + kProbeDelay);
    }
  }
  const bool twins = presence.items.size() > 1;
  if (twins && !bridge.twins) {
    turn.warn("bridge.twins", {{"bridge", jid.to_string()},
                               {"sessions", static_cast<std::int64_t>(presence.items.size())}});
  }
  bridge.twins = twins;
  if (!presence.items.empty()) {
    bridge.real_jid = presence.items.front().jid.value_or(Jid());
  }
  if (!presence.colibri_stats) {
    return {};
  }
  auto report = to_report(jid, *presence.colibri_stats);
  if (!report) {
    ++turn.counters().reports_invalid;
    return {};
  }
  // A load that is none (NaN, negative) is left out; the rest of the report is used.
  const bool no_load = presence.colibri_stats->values.contains("stress_level") && !report->stress;
  turn.counters().reports_invalid += no_load ? 1U : 0U;
  bridge.heard_at = turn.now.mono;
  const bool repeated = bridge.load_at && !report->bridge_timestamp.empty() &&
                        report->bridge_timestamp == bridge.told_at;
  if (report->stress && !repeated) {
    bridge.load_at = turn.now.mono;
    bridge.told_at = report->bridge_timestamp;
  }
  bridge.dead = false;
  bridge.reported_at = turn.now.mono;
  mirror_.offer(jid, *presence.colibri_stats, node_.takes_items(), turn);
  return on_report(jid, bridge, std::move(*report), turn);
}

Brewery::Losses Brewery::on_report(const BridgeJid& jid, Bridge& bridge, stats::BridgeReport report,
                                   Turn& turn) {
  ++turn.counters().reports;
  Losses losses;
  if (auto rooms = turn.shared.placement.report(report, turn.now); !rooms.empty()) {
    ++turn.counters().bridges_lost;
    turn.warn("bridge.restarted", {{"bridge", jid.to_string()}});
    losses.push_back({jid, FailureCause::kRestarted, std::move(rooms), false});
  }
  if (report.healthy == false && !bridge.unhealthy) {
    bridge.unhealthy = true;
    append(losses, lose(jid, FailureCause::kUnhealthy, true, turn));
  } else if (report.healthy == true) {
    bridge.unhealthy = false;
  }
  if (report.shutting_down == true && !bridge.shutting_down) {
    bridge.shutting_down = true;
    append(losses,
           {{jid, FailureCause::kShutDown, turn.shared.placement.conferences_on(jid), true}});
    turn.info("bridge.shutting_down", {{"bridge", jid.to_string()}});
  }
  remember(std::move(report), stats::ReportSource::kBrewery, turn);
  return losses;
}

Brewery::Losses Brewery::lose(const BridgeJid& jid, FailureCause cause, bool alive, Turn& turn) {
  ++turn.counters().bridges_lost;
  auto rooms = turn.shared.placement.bridge_failed(jid, cause, turn.now);
  turn.warn("bridge.lost", {{"bridge", jid.to_string()},
                            {"cause", std::string(to_string(cause))},
                            {"conferences", static_cast<std::int64_t>(rooms.size())}});
  return {{jid, cause, std::move(rooms), alive}};
}

Brewery::Losses Brewery::lose_absent(Turn& turn) {
  Losses losses;
  for (auto& [jid, bridge] : bridges_) {
    if (!bridge.present && !turn.shared.placement.conferences_on(jid).empty()) {
      append(losses, lose(jid, FailureCause::kLeft, false, turn));
    }
  }
  return losses;
}

void Brewery::doubt(const BridgeJid& jid, std::string_view reason, Turn& turn) {
  ++turn.counters().bridge_errors;
  const auto entry = bridges_.find(jid);
  if (entry == bridges_.end() || !entry->second.present) {
    return;
  }
  turn.info("bridge.doubted", {{"bridge", jid.to_string()}, {"reason", std::string(reason)}});
  turn.shared.placement.set_suspect(jid, true, turn.now);
  check_health(jid, entry->second, turn);
}

void Brewery::check_health(const BridgeJid& jid, Bridge& bridge, Turn& turn) {
  if (bridge.health_asked || !in_) {
    return;
  }
  bridge.health_asked = true;
  turn.clear_timer(health_timer(bridge));
  turn.send_iq({.purpose = IqPurpose::kHealth, .stream = StreamId::kService, .bridge = jid},
               jid.jid(), proto::HealthCheck{});
}

/// Without one report nobody is placed on it, and nothing else would say why.
void Brewery::note_if_mute(const BridgeJid& jid, Bridge& bridge, Turn& turn) const {
  const bool had_time = turn.now.mono - bridge.seen_at >= turn.options().placement.blind_after;
  if (bridge.present && !bridge.reported_at && had_time && !std::exchange(bridge.mute_told, true)) {
    turn.warn("bridge.mute",
              {{"bridge", jid.to_string()}, {"for", turn.now.mono - bridge.seen_at}});
  }
}

Brewery::Losses Brewery::on_health(const BridgeJid& jid, const IqOutcome& outcome, Turn& turn) {
  const auto entry = bridges_.find(jid);
  if (entry == bridges_.end() || !entry->second.health_asked) {
    ++turn.counters().answers_late;
    return {};
  }
  Bridge& bridge = entry->second;
  bridge.health_asked = false;
  if (!bridge.present) {
    return {};
  }
  turn.set_timer(health_timer(bridge), turn.options().health_interval);
  if (outcome) {
    bridge.dead = false;
    bridge.unhealthy = false;
    turn.shared.placement.set_suspect(jid, false, turn.now);
    return {};
  }
  if (const auto* error = std::get_if<proto::StanzaError>(&outcome.error())) {
    const bool of_bridge =
        !error->by && (error->condition == proto::Condition::kInternalServerError ||
                       error->condition == proto::Condition::kServiceUnavailable);
    if (of_bridge) {
      ++turn.counters().health_failures;
      turn.shared.placement.set_suspect(jid, true, turn.now);
      if (!std::exchange(bridge.unhealthy, true)) {
        return lose(jid, FailureCause::kUnhealthy, true, turn);
      }
      return {};
    }
    ++turn.counters().room_errors;
    if (error->condition == proto::Condition::kNotAcceptable) {
      rejoin(turn);
    }
    return {};
  }
  if (is_link_down(outcome.error())) {
    return {};
  }
  ++turn.counters().health_failures;
  turn.shared.placement.set_suspect(jid, true, turn.now);
  turn.set_timer(health_timer(bridge), turn.options().health_interval / 2);
  // One missing answer proves nothing, and while reports come the bridge lives; but silence on both
  // ways is two pieces of evidence.
  const bool reporting =
      bridge.heard_at && turn.now.mono - *bridge.heard_at < turn.options().placement.stale_after;
  if (!reporting && !std::exchange(bridge.dead, true)) {
    return lose(jid, FailureCause::kTimeout, false, turn);
  }
  return {};
}

Brewery::Losses Brewery::on_answer(const IqNote& note, const IqOutcome& outcome, Turn& turn) {
  if (note.purpose == IqPurpose::kHealth) {
    return on_health(note.bridge, outcome, turn);
  }
  on_pubsub_answer(note, outcome, turn);
  return {};
}

Brewery::Losses Brewery::on_timer(const TimerKey& key, Turn& turn) {
  if (key.kind == TimerKind::kBreweryJoin) {
    if (turn.shared.is_up(StreamId::kService)) {
      if (joining_) {
        turn.warn("brewery.no_answer", {{"room", turn.options().brewery.to_string()}});
      }
      send_join(turn);
    }
  } else if (key.kind == TimerKind::kBrewerySettled) {
    return lose_absent(turn);
  } else if (key.kind == TimerKind::kBridgeHealth) {
    const auto jid = by_number_.find(key.owner);
    if (jid != by_number_.end()) {
      Bridge& bridge = bridges_.at(jid->second);
      note_if_mute(jid->second, bridge, turn);
      check_health(jid->second, bridge, turn);
    }
  } else if (key.kind == TimerKind::kPubsub && key.owner == StatsNode::kPublishTimer) {
    mirror_.on_timer(node_.takes_items(), turn);
  } else if (key.kind == TimerKind::kPubsub) {
    node_.on_timer(key, bridges_present(), turn);
  } else if (key.kind == TimerKind::kStatsFlush) {
    flush(turn);
  }
  return {};
}

}  // namespace bascule::focus
