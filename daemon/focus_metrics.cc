#include "daemon/focus_metrics.h"

#include <string>

#include "focus/stats_mirror.h"
#include "focus/stats_node.h"

namespace bascule::daemon {
namespace {

using admin::Metrics;
using focus::Counters;

constexpr admin::CounterRow<Counters> kCounters[] = {
    {"bascule_conference_requests_total", "Conference requests received.", &Counters::requests},
    {"bascule_conference_requests_new_total", "Conference requests for rooms without a conference.",
     &Counters::requests_new},
    {"bascule_conference_requests_held_total", "Conference requests not answered at once.",
     &Counters::requests_held},
    {"bascule_conference_requests_invalid_total", "Conference requests answered by an error.",
     &Counters::requests_invalid},
    {"bascule_conferences_created_total", "Conferences begun.", &Counters::conferences_created},
    {"bascule_conferences_ended_total", "Conferences ended.", &Counters::conferences_ended},
    {"bascule_conferences_restored_total", "Conferences rebuilt from the store.",
     &Counters::conferences_restored},
    {"bascule_conferences_poisoned_total",
     "Conferences left out because earlier processes died of them.",
     &Counters::conferences_poisoned},
    {"bascule_audit_conferences_total", "Conferences the audit looked at.", &Counters::audited},
    {"bascule_room_joins_total", "Rooms the focus asked to enter.", &Counters::room_joins},
    {"bascule_room_join_failures_total", "Rooms that refused the focus or did not answer.",
     &Counters::room_join_failures},
    {"bascule_rooms_vanished_total", "Rooms the server had forgotten when the link came back.",
     &Counters::rooms_vanished},
    {"bascule_participants_seen_total", "Members that entered rooms.",
     &Counters::participants_seen},
    {"bascule_participants_refused_total", "Members over the limit of their conference.",
     &Counters::participants_refused},
    {"bascule_moves_total", "Placements of participants that lost their bridge.", &Counters::moves},
    {"bascule_allocations_failed_total", "Placements the bridge did not accept.",
     &Counters::allocations_failed},
    {"bascule_invites_total", "Jingle sessions offered.", &Counters::invites},
    {"bascule_invites_refused_total", "Offers answered by an error or not at all.",
     &Counters::invites_refused},
    {"bascule_accept_timeouts_total", "Offers not accepted in time.", &Counters::accept_timeouts},
    {"bascule_sessions_accepted_total", "Jingle sessions accepted.", &Counters::accepted},
    {"bascule_restarts_total", "Session restarts asked for by clients.", &Counters::restarts},
    {"bascule_restarts_limited_total", "Session restarts over the rate limit.",
     &Counters::restarts_limited},
    {"bascule_mutes_total", "Requests of clients to mute or unmute that were granted.",
     &Counters::mutes},
    {"bascule_mutes_refused_total", "Requests to mute or unmute that were refused.",
     &Counters::mutes_refused},
    {"bascule_mutes_sent_total", "Clients told to mute.", &Counters::mutes_sent},
    {"bascule_source_messages_total", "source-add and source-remove sent.",
     &Counters::source_messages},
    {"bascule_relay_links_total", "Links between two bridges of one conference established.",
     &Counters::relays_linked},
    {"bascule_relay_failures_total", "Attempts to link two bridges that failed; repeated.",
     &Counters::relays_failed},
    {"bascule_iq_unknown_total", "Requests answered service-unavailable.", &Counters::iq_unknown},
    {"bascule_iq_strangers_total", "Jingle requests from outside the conference.",
     &Counters::iq_from_strangers},
    {"bascule_jingle_unknown_session_total", "Jingle requests for sessions that do not exist.",
     &Counters::jingle_unknown_session},
    {"bascule_answers_late_total", "Answers whose conference or participant is gone or changed.",
     &Counters::answers_late},
    {"bascule_answers_unexpected_total", "Answers to requests we do not remember.",
     &Counters::answers_unexpected},
    {"bascule_presences_ignored_total", "Presence that is nobody's business of ours.",
     &Counters::presences_ignored},
    {"bascule_messages_ignored_total", "Messages nobody here reads.", &Counters::messages_ignored},
    {"bascule_room_messages_malformed_total",
     "Messages of the components for room metadata and moderation that make no sense.",
     &Counters::room_messages_malformed},
    {"bascule_brewery_errors_total", "Errors of the brewery room itself, not of a bridge.",
     &Counters::room_errors},
    {"bascule_bridge_cleanups_total",
     "Conferences expired on bridges after nobody owned them any more.", &Counters::cleanups},
    {"bascule_bridges_lost_total", "Bridges given up.", &Counters::bridges_lost},
    {"bascule_bridge_errors_total", "Errors answered by bridges.", &Counters::bridge_errors},
    {"bascule_bridge_reports_total", "Load reports of bridges.", &Counters::reports},
    {"bascule_bridge_reports_invalid_total", "Load reports that could not be used.",
     &Counters::reports_invalid},
    {"bascule_pubsub_items_used_total", "Pubsub items that told something of a bridge.",
     &Counters::items_used},
    {"bascule_pubsub_items_second_hand_total", "Pubsub items of bridges that report themselves.",
     &Counters::items_second_hand},
    {"bascule_pubsub_items_unknown_total", "Pubsub items of no bridge in the brewery.",
     &Counters::items_of_strangers},
    {"bascule_bridge_health_failures_total", "Health checks that failed.",
     &Counters::health_failures},
    {"bascule_links_lost_total", "Times a link to the XMPP server went down.",
     &Counters::links_lost},
    {"bascule_links_resumed_total", "Times the client link was resumed.", &Counters::links_resumed},
    {"bascule_operator_orders_total", "Orders of operators that were carried out.",
     &Counters::orders},
    {"bascule_operator_orders_refused_total", "Orders of operators that could not be carried out.",
     &Counters::orders_refused},
    {"bascule_store_failures_total", "Stats batches the store could not take.",
     &Counters::store_failures},
    {"bascule_bugs_total", "Impossible transitions; each ended one conference.", &Counters::bugs},
};

template <class Enum>
auto names() {
  return [](std::size_t i) { return to_string(static_cast<Enum>(i)); };
}

void add_refusals(const Counters& counters, Metrics& metrics) {
  metrics.counters_by("bascule_sources_refused_total", "Sources refused, by the rule they broke.",
                      "rule", counters.sources_refused, names<focus::SourceRule>());
  for (std::size_t i = 0; i < counters.jingle_refused.size(); ++i) {
    if (counters.jingle_refused.at(i) > 0) {
      metrics.counter("bascule_jingle_refused_total",
                      "Jingle requests of participants answered by an error, by its condition.",
                      counters.jingle_refused.at(i),
                      {{"condition", std::string(to_string(static_cast<proto::Condition>(i)))}});
    }
  }
}

void add_audit(const Counters& counters, Metrics& metrics) {
  const auto repair = [&metrics](const char* kind, std::uint64_t value) {
    metrics.counter("bascule_audit_repairs_total",
                    "What the audit repaired: rooms that had lost the focus, bridges that had "
                    "forgotten a meeting, sources nobody knew of.",
                    value, {{"kind", kind}});
  };
  repair("room", counters.audit_repaired_rooms);
  repair("bridge", counters.audit_repaired_bridges);
  repair("sources", counters.audit_repaired_sources);
}

void add_answers(const Counters& counters, Metrics& metrics) {
  const auto answer = [&metrics](const char* result, std::uint64_t value) {
    metrics.counter("bascule_conference_answers_total",
                    "Conference requests answered: ready, or the reason for ready=false.", value,
                    {{"result", result}});
  };
  answer("ready", counters.answers_ready);
  answer("overload", counters.answers_later_overload);
  answer("limit", counters.answers_later_limit);
  answer("link", counters.answers_later_link);
  answer("join", counters.answers_later_join);
  answer("shutdown", counters.answers_later_shutdown);
  answer("poisoned", counters.answers_later_poisoned);
}

void add_timings(const focus::Timings& timings, Metrics& metrics) {
  constexpr auto kReady = "bascule_conference_ready_seconds";
  constexpr auto kReadyHelp =
      "From a conference request to ready=true, by what the focus had to do.";
  metrics.histogram(kReady, kReadyHelp, timings.request_new, {{"room", "entered"}});
  metrics.histogram(kReady, kReadyHelp, timings.request_known, {{"room", "known"}});
  metrics.histogram("bascule_invite_seconds",
                    "From a member being in a room with enough people to its invitation.",
                    timings.invite);
  metrics.histogram("bascule_accept_seconds", "From an invitation to its session-accept.",
                    timings.accept);
  for (std::size_t i = 0; i < timings.move.size(); ++i) {
    metrics.histogram("bascule_move_seconds",
                      "From the need of another session to its session-accept, by the need.",
                      timings.move.at(i),
                      {{"cause", std::string(name_of(static_cast<focus::MoveNeed>(i)))}});
  }
  const auto kind = [](std::size_t i) { return name_of(static_cast<focus::IqKind>(i)); };
  for (std::size_t i = 0; i < timings.iq.size(); ++i) {
    metrics.histogram(
        "bascule_iq_seconds",
        "From a request of ours to its answer, errors included, by what it was about.",
        timings.iq.at(i), {{"kind", std::string(kind(i))}});
  }
  metrics.counters_by("bascule_iq_timeouts_total", "Requests of ours nobody answered in time.",
                      "kind", timings.iq_timeouts, kind);
}

void add_now(const focus::Focus& focus, Now now, Metrics& metrics) {
  const focus::Readiness readiness = focus.readiness(now);
  metrics.gauges({
      {"bascule_conferences", "Conferences now.", focus.conference_count()},
      {"bascule_participants", "Members of all rooms now.", focus.participant_count()},
      {"bascule_visitors", "Of these, those that get no media.", focus.visitor_count()},
      {"bascule_sessions", "Accepted sessions now.", focus.session_count()},
      {"bascule_requests_waiting", "Conference requests whose answer is held.",
       focus.waiting_requests()},
      {"bascule_ready", "1 while /readyz is 200.", readiness.ready()},
  });
  std::array<bool, focus::kNotReadyCount> failing{};
  for (const focus::NotReady reason : readiness.reasons) {
    failing.at(static_cast<std::size_t>(reason)) = true;
  }
  for (std::size_t i = 0; i < failing.size(); ++i) {
    metrics.gauge("bascule_healthy", "1 while /readyz does not name this problem.", !failing.at(i),
                  {{"check", std::string(name_of(static_cast<focus::NotReady>(i)))}});
  }
}

/// The pubsub node with bridge stats; nothing when none is configured.
void add_stats_node(const focus::Focus& focus, Now now, Metrics& metrics) {
  if (!focus.options().pubsub_service) {
    return;
  }
  const focus::StatsNode& node = focus.stats_node();
  const focus::StatsMirror& mirror = focus.stats_mirror();
  metrics.state("bascule_pubsub_state", "1 for what the last look at the node found.", "state",
                static_cast<std::size_t>(node.state()), focus::kNodeStateCount,
                names<focus::NodeState>());
  metrics.counters_by("bascule_pubsub_states_entered_total", "Times the node came into a state.",
                      "state", node.counters().entered, names<focus::NodeState>());
  metrics.counters_by("bascule_pubsub_repairs_total", "Repairs of the node the server confirmed.",
                      "repair", node.counters().repaired, names<focus::NodeRepair>());
  metrics.counters_by("bascule_pubsub_repairs_failed_total",
                      "Repairs of the node that were refused or not answered.", "repair",
                      node.counters().failed, names<focus::NodeRepair>());
  metrics.counters({
      {"bascule_pubsub_events_total", "Events of the node.", node.counters().events},
      {"bascule_pubsub_looks_total", "Times the node was looked at.", node.counters().looks},
      {"bascule_pubsub_published_total", "Reports published to the node.",
       mirror.counters().published},
      {"bascule_pubsub_publish_failures_total", "Reports the node did not take.",
       mirror.counters().failed},
  });
  metrics.gauge("bascule_pubsub_needs_operator", "1 while it cannot be repaired from here.",
                node.needs_operator() || mirror.is_refused());
  if (node.last_event()) {
    metrics.gauge("bascule_pubsub_event_age_seconds", "Age of the last item that arrived.",
                  now.mono - *node.last_event());
  }
}

}  // namespace

void add_focus(const focus::Focus& focus, Now now, Metrics& metrics) {
  const Counters& counters = focus.counters();
  metrics.counters(kCounters, counters);
  add_refusals(counters, metrics);
  add_answers(counters, metrics);
  add_audit(counters, metrics);
  add_now(focus, now, metrics);
  add_stats_node(focus, now, metrics);
}

void add_focus_timings(const focus::Focus& focus, Metrics& metrics) {
  add_timings(focus.counters().timings, metrics);
}

}  // namespace bascule::daemon
