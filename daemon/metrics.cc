#include "daemon/metrics.h"

#include <array>
#include <cstdio>
#include <memory>
#include <vector>

#include <sys/resource.h>
#include <unistd.h>

#include "admin/metrics.h"
#include "daemon/reload_metrics.h"
#include "daemon/store_metrics.h"
#include "focus/links.h"
#include "focus/stats_mirror.h"
#include "focus/stats_node.h"

namespace bascule::daemon {
namespace {

using admin::Metrics;
using focus::Counters;

struct CounterRow {
  const char* name;
  const char* help;
  std::uint64_t Counters::*value;
};

constexpr CounterRow kCounters[] = {
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
    {"bascule_store_failures_total", "Stats batches the store could not take.",
     &Counters::store_failures},
    {"bascule_operator_orders_total", "Orders of operators that were carried out.",
     &Counters::orders},
    {"bascule_operator_orders_refused_total", "Orders of operators that could not be carried out.",
     &Counters::orders_refused},
    {"bascule_bugs_total", "Impossible transitions; each ended one conference.", &Counters::bugs},
};

void add_refusals(const Counters& counters, Metrics& metrics) {
  for (std::size_t i = 0; i < counters.sources_refused.size(); ++i) {
    metrics.counter("bascule_sources_refused_total", "Sources refused, by the rule they broke.",
                    static_cast<double>(counters.sources_refused.at(i)),
                    {{"rule", std::string(to_string(static_cast<focus::SourceRule>(i)))}});
  }
  for (std::size_t i = 0; i < counters.jingle_refused.size(); ++i) {
    if (counters.jingle_refused.at(i) > 0) {
      metrics.counter("bascule_jingle_refused_total",
                      "Jingle requests of participants answered by an error, by its condition.",
                      static_cast<double>(counters.jingle_refused.at(i)),
                      {{"condition", std::string(to_string(static_cast<proto::Condition>(i)))}});
    }
  }
}

void add_audit(const Counters& counters, Metrics& metrics) {
  const auto repair = [&metrics](const char* kind, std::uint64_t value) {
    metrics.counter("bascule_audit_repairs_total",
                    "What the audit repaired: rooms that had lost the focus, bridges that had "
                    "forgotten a meeting, sources nobody knew of.",
                    static_cast<double>(value), {{"kind", kind}});
  };
  repair("room", counters.audit_repaired_rooms);
  repair("bridge", counters.audit_repaired_bridges);
  repair("sources", counters.audit_repaired_sources);
}

void add_answers(const Counters& counters, Metrics& metrics) {
  const auto answer = [&metrics](const char* result, std::uint64_t value) {
    metrics.counter("bascule_conference_answers_total",
                    "Conference requests answered: ready, or the reason for ready=false.",
                    static_cast<double>(value), {{"result", result}});
  };
  answer("ready", counters.answers_ready);
  answer("overload", counters.answers_later_overload);
  answer("limit", counters.answers_later_limit);
  answer("link", counters.answers_later_link);
  answer("join", counters.answers_later_join);
  answer("shutdown", counters.answers_later_shutdown);
  answer("poisoned", counters.answers_later_poisoned);
}

void add_confidence(const focus::Placement& placement, Now now, Metrics& metrics) {
  std::array<std::uint64_t, focus::kConfidenceCount> bridges{};
  for (const focus::BridgeView& view : placement.bridges(now)) {
    const auto level = static_cast<std::size_t>(focus::level_of(view.confidence_permille));
    bridges.at(level) += view.present ? 1U : 0U;
  }
  for (std::size_t i = 0; i < bridges.size(); ++i) {
    metrics.gauge("bascule_bridges_by_confidence",
                  "Bridges that are there, by how far their figures are trusted.",
                  static_cast<double>(bridges.at(i)),
                  {{"level", std::string(focus::to_string(static_cast<focus::Confidence>(i)))}});
  }
  for (std::size_t i = 0; i < focus::kBlindnessExtentCount; ++i) {
    const auto extent = static_cast<focus::Blindness::Extent>(i);
    metrics.gauge("bascule_stats_blind", "1 for how much of the fleet tells no load.",
                  placement.blindness().extent() == extent ? 1 : 0,
                  {{"extent", std::string(focus::to_string(extent))}});
  }
}

void add_bridges(const focus::Placement& placement, Now now, Metrics& metrics) {
  constexpr double kFull = 1'000'000;
  for (const focus::BridgeView& view : placement.bridges(now)) {
    const admin::MetricLabels labels{{"bridge", view.bridge.jid().resource()}};
    const auto gauge = [&metrics, &labels](const char* name, const char* help, double value) {
      metrics.gauge(name, help, value, labels);
    };
    gauge("bascule_bridge_present", "1 while the bridge is in the brewery.", view.present);
    gauge("bascule_bridge_usable", "1 while the bridge is fresh, healthy and not draining.",
          view.state == focus::BridgeState::kFresh && view.healthy && !view.drain &&
              !view.cordoned && !view.graceful_shutdown && !view.shutting_down);
    gauge("bascule_bridge_stress_reported", "Load the bridge last reported; 1 is full.",
          static_cast<double>(view.reported.millionths()) / kFull);
    gauge("bascule_bridge_stress_expected",
          "Estimated load, with what the report cannot contain yet; 1 is full.",
          static_cast<double>(view.expected.millionths()) / kFull);
    gauge("bascule_bridge_stress_limit", "Load above which nobody joins; 1 is full.",
          static_cast<double>(view.limit.millionths()) / kFull);
    gauge("bascule_bridge_participants", "Participants placed on the bridge.",
          static_cast<double>(view.participants));
    gauge("bascule_bridge_conferences", "Conferences with participants on the bridge.",
          static_cast<double>(view.conferences));
    gauge("bascule_bridge_in_flight", "Allocations the bridge has not answered yet.",
          static_cast<double>(view.in_flight));
    gauge("bascule_bridge_unaccounted_units",
          "Load units on the bridge that no report can contain yet.",
          static_cast<double>(view.unaccounted) / 1e3);
    gauge("bascule_bridge_stress_per_unit_ratio", "Learned cost of one load unit; 1 is full.",
          static_cast<double>(view.cost_per_unit.millionths()) / kFull);
    gauge("bascule_bridge_capacity_ratio", "Capacity used; below 1 after it died while busy.",
          static_cast<double>(view.capacity.millionths()) / kFull);
    if (view.reported > Stress()) {
      gauge("bascule_bridge_estimate_ratio", "Estimated load over the load last reported.",
            static_cast<double>(view.expected.millionths()) /
                static_cast<double>(view.reported.millionths()));
    }
    gauge("bascule_bridge_confidence_ratio",
          "How far its figures are trusted: 1 fresh and its own, below 0.5 our counts decide.",
          static_cast<double>(view.confidence_permille) / focus::kFullConfidence);
    if (view.report_age) {
      gauge("bascule_bridge_report_age_seconds", "Age of the last report.",
            static_cast<double>(view.report_age->count()) / kFull);
    }
  }
}

struct PlacementCounterRow {
  const char* name;
  const char* help;
  std::uint64_t focus::PlacementCounters::*value;
};

constexpr PlacementCounterRow kPlacementCounters[] = {
    {"bascule_tickets_total", "Participants that asked for a place.",
     &focus::PlacementCounters::tickets},
    {"bascule_tickets_refused_total", "Tickets the full queue did not take; asked again later.",
     &focus::PlacementCounters::tickets_refused},
    {"bascule_tickets_cancelled_total", "Tickets given back before they were served.",
     &focus::PlacementCounters::tickets_cancelled},
    {"bascule_splits_total", "Conferences that got a second bridge.",
     &focus::PlacementCounters::splits},
    {"bascule_spares_activated_total", "Standby bridges taken into use.",
     &focus::PlacementCounters::spares_activated},
    {"bascule_ice_quarantines_total", "Bridges put aside because participants could not connect.",
     &focus::PlacementCounters::ice_quarantines},
    {"bascule_isolations_total", "Conferences suspected of killing bridges.",
     &focus::PlacementCounters::isolations},
    {"bascule_mass_drops_total", "Times most participants vanished at once.",
     &focus::PlacementCounters::mass_drops},
    {"bascule_pauses_total", "Times the process or its machine had been stopped.",
     &focus::PlacementCounters::pauses},
};

/// One sample per value of a closed list, named by its `to_string`.
template <class Enum, std::size_t N>
void add_by_name(Metrics& metrics, const char* metric, const char* help, const char* label,
                 const std::array<std::uint64_t, N>& counts) {
  for (std::size_t i = 0; i < N; ++i) {
    metrics.counter(metric, help, static_cast<double>(counts.at(i)),
                    {{label, std::string(focus::to_string(static_cast<Enum>(i)))}});
  }
}

void add_estimate_errors(const focus::PlacementCounters& counters, Metrics& metrics) {
  std::vector<double> edges;
  for (const std::int64_t edge : focus::kEstimateErrorEdges) {
    edges.push_back(static_cast<double>(edge) / 1e6);
  }
  metrics.histogram("bascule_bridge_estimate_error",
                    "How far new reports were from what was expected of them; 1 is full.", edges,
                    {counters.estimate_errors.begin(), counters.estimate_errors.end()},
                    static_cast<double>(counters.estimate_error_sum) / 1e6);
}

void add_decisions(const focus::Placement& placement, Metrics& metrics) {
  const focus::PlacementCounters& counters = placement.counters();
  for (const PlacementCounterRow& row : kPlacementCounters) {
    metrics.counter(row.name, row.help, static_cast<double>(counters.*row.value));
  }
  add_by_name<focus::PlacementReason>(metrics, "bascule_placements_total",
                                      "Placements on bridges, by the rule that made them.",
                                      "reason", counters.placed);
  add_by_name<focus::WaitReason>(metrics, "bascule_waits_total",
                                 "Looks at a ticket that had to wait, by what it lacked.", "reason",
                                 counters.waits);
  add_by_name<focus::MoveCause>(metrics, "bascule_moves_wanted_total",
                                "Participants asked to leave a bridge that works.", "cause",
                                counters.moves);
  add_by_name<focus::FailureCause>(metrics, "bascule_bridge_failures_total",
                                   "Bridges that failed or went away, by cause.", "cause",
                                   counters.bridge_failures);
  add_estimate_errors(counters, metrics);
  for (std::size_t i = 0; i < focus::kModeCount; ++i) {
    const auto mode = static_cast<focus::Mode>(i);
    metrics.gauge("bascule_mode", "1 for the mode in force.", placement.mode() == mode ? 1 : 0,
                  {{"mode", std::string(focus::to_string(mode))}});
  }
}

void add_placement(const focus::Placement& placement, Now now, Metrics& metrics) {
  for (std::size_t i = 0; i < focus::kTicketClassCount; ++i) {
    const auto ticket_class = static_cast<focus::TicketClass>(i);
    metrics.gauge("bascule_queue_tickets", "Participants waiting for a bridge.",
                  static_cast<double>(placement.queued(ticket_class)),
                  {{"class", std::string(focus::to_string(ticket_class))}});
  }
  metrics.gauge("bascule_queue_oldest_wait_seconds", "Wait of the oldest ticket.",
                static_cast<double>(placement.oldest_wait(now).count()) / 1e6);
  metrics.gauge("bascule_overloaded", "1 while new rooms are answered ready=false.",
                placement.overload(now) == focus::Overload::kNone ? 0 : 1);
}

/// The pubsub node with bridge stats; nothing when none is configured.
void add_stats_node(const focus::Focus& focus, Now now, Metrics& metrics) {
  if (!focus.options().pubsub_service) {
    return;
  }
  const focus::StatsNode& node = focus.stats_node();
  for (std::size_t i = 0; i < focus::kNodeStateCount; ++i) {
    const auto state = static_cast<focus::NodeState>(i);
    metrics.gauge("bascule_pubsub_state", "1 for what the last look at the node found.",
                  node.state() == state ? 1 : 0, {{"state", std::string(to_string(state))}});
  }
  add_by_name<focus::NodeState>(metrics, "bascule_pubsub_states_entered_total",
                                "Times the node came into a state.", "state",
                                node.counters().entered);
  add_by_name<focus::NodeRepair>(metrics, "bascule_pubsub_repairs_total",
                                 "Repairs of the node the server confirmed.", "repair",
                                 node.counters().repaired);
  add_by_name<focus::NodeRepair>(metrics, "bascule_pubsub_repairs_failed_total",
                                 "Repairs of the node that were refused or not answered.", "repair",
                                 node.counters().failed);
  metrics.counter("bascule_pubsub_events_total", "Events of the node.",
                  static_cast<double>(node.counters().events));
  metrics.counter("bascule_pubsub_looks_total", "Times the node was looked at.",
                  static_cast<double>(node.counters().looks));
  metrics.gauge("bascule_pubsub_needs_operator", "1 while it cannot be repaired from here.",
                node.needs_operator() || focus.stats_mirror().is_refused() ? 1 : 0);
  if (node.last_event()) {
    metrics.gauge("bascule_pubsub_event_age_seconds", "Age of the last item that arrived.",
                  static_cast<double>((now.mono - *node.last_event()).count()) / 1e6);
  }
  metrics.counter("bascule_pubsub_published_total", "Reports published to the node.",
                  static_cast<double>(focus.stats_mirror().counters().published));
  metrics.counter("bascule_pubsub_publish_failures_total", "Reports the node did not take.",
                  static_cast<double>(focus.stats_mirror().counters().failed));
}

void add_links(const MetricsSources& sources, Metrics& metrics) {
  for (std::size_t i = 0; i < sources.links.size(); ++i) {
    if (!sources.links[i]) {
      continue;
    }
    const LinkRuntime& runtime = *sources.links[i];
    const focus::LinkCounters& counters = runtime.link().counters();
    const std::string link(focus::name_of(static_cast<StreamId>(i)));
    metrics.gauge("bascule_link_up", "1 while the link is up.", runtime.is_up() ? 1 : 0,
                  {{"link", link}});
    metrics.gauge("bascule_link_queued_bytes", "Bytes not written to the server yet.",
                  static_cast<double>(runtime.queued_bytes()), {{"link", link}});
    metrics.gauge("bascule_link_outstanding_iqs", "Requests without an answer yet.",
                  static_cast<double>(runtime.link().outstanding()), {{"link", link}});
    metrics.counter("bascule_link_stanzas_sent_total", "Stanzas sent.",
                    static_cast<double>(counters.sent), {{"link", link}});
    const auto received = [&metrics, &link](const char* result, std::uint64_t value) {
      metrics.counter("bascule_link_stanzas_received_total",
                      "Stanzas received, by what became of them.", static_cast<double>(value),
                      {{"link", link}, {"result", result}});
    };
    received("delivered", counters.delivered);
    received("malformed", counters.malformed);
    received("over_limit", counters.over_limit);
    received("unpaired", counters.unpaired);
    received("ignored", counters.ignored);
    received("refused", counters.refused);
    metrics.counter("bascule_link_iq_timeouts_total", "Requests nobody answered in time.",
                    static_cast<double>(runtime.link().iq_counters().timeouts), {{"link", link}});
  }
}

/// Resident bytes from /proc/self/statm; 0 when it cannot be read.
double resident_bytes() {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen("/proc/self/statm", "r"),
                                                             std::fclose);
  long pages = 0;
  if (!file || std::fscanf(file.get(), "%*s %ld", &pages) != 1) {
    return 0;
  }
  return static_cast<double>(pages) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

void add_process(const MetricsSources& sources, Metrics& metrics) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const double cpu = static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                     static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
  metrics.counter("process_cpu_seconds_total", "CPU time of the process.", cpu);
  metrics.gauge("process_resident_memory_bytes", "Memory of the process.", resident_bytes());
  metrics.gauge("bascule_build_info", "Always 1; the version is the label.", 1,
                {{"version", sources.version}, {"revision", sources.revision}});
  metrics.counter("bascule_loop_turns_total", "Turns of the event loop.",
                  static_cast<double>(sources.turns));
  metrics.counter("bascule_log_lines_suppressed_total", "Log lines over the rate limit.",
                  static_cast<double>(sources.log_lines_suppressed));
  metrics.gauge("bascule_commit_degraded",
                "1 while effects leave before their operations are durable.",
                sources.gate.is_degraded() ? 1 : 0);
  metrics.counter("bascule_commit_released_uncommitted_total",
                  "Loop turns that left before their operations were durable.",
                  static_cast<double>(sources.gate.released_uncommitted()));
  metrics.gauge("bascule_commit_turns_waiting", "Loop turns waiting for the store.",
                static_cast<double>(sources.gate.waiting()));
  metrics.counter("bascule_http_requests_total", "HTTP requests served.",
                  static_cast<double>(sources.http.requests));
  metrics.counter("bascule_http_requests_bad_total", "HTTP requests over a limit or malformed.",
                  static_cast<double>(sources.http.requests_bad));
  metrics.gauge("bascule_http_connections", "Open HTTP connections.",
                static_cast<double>(sources.http.connections_open));
}

}  // namespace

std::string render_metrics(const MetricsSources& sources, Now now) {
  Metrics metrics;
  const Counters& counters = sources.focus.counters();
  for (const CounterRow& row : kCounters) {
    metrics.counter(row.name, row.help, static_cast<double>(counters.*row.value));
  }
  add_refusals(counters, metrics);
  add_answers(counters, metrics);
  add_audit(counters, metrics);
  metrics.gauge("bascule_conferences", "Conferences now.",
                static_cast<double>(sources.focus.conference_count()));
  metrics.gauge("bascule_participants", "Members of all rooms now.",
                static_cast<double>(sources.focus.participant_count()));
  metrics.gauge("bascule_sessions", "Accepted sessions now.",
                static_cast<double>(sources.focus.session_count()));
  metrics.gauge("bascule_requests_waiting", "Conference requests whose answer is held.",
                static_cast<double>(sources.focus.waiting_requests()));
  metrics.gauge("bascule_ready", "1 while /readyz is 200.",
                sources.focus.readiness(now).ready() ? 1 : 0);
  add_placement(sources.focus.placement(), now, metrics);
  add_decisions(sources.focus.placement(), metrics);
  add_bridges(sources.focus.placement(), now, metrics);
  add_confidence(sources.focus.placement(), now, metrics);
  add_stats_node(sources.focus, now, metrics);
  add_links(sources, metrics);
  add_process(sources, metrics);
  add_store(sources.store, metrics);
  add_upkeep(sources.upkeep, now, metrics);
  add_reloads(sources.reloader, metrics);
  if (sources.add) {
    sources.add(metrics);
  }
  return metrics.text();
}

}  // namespace bascule::daemon
