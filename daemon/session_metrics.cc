#include "daemon/session_metrics.h"

namespace bascule::daemon {
namespace {

using admin::Metrics;

void add_jingle(Metrics& metrics, const char* direction,
                const std::array<std::uint64_t, focus::kJingleActions>& counts) {
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts.at(i) > 0) {
      metrics.counter(
          "bascule_jingle_requests_total", "Jingle requests, by action and direction.",
          static_cast<double>(counts.at(i)),
          {{"direction", direction},
           {"action", std::string(proto::to_string(static_cast<proto::JingleAction>(i)))}});
    }
  }
}

void add_ice_restarts(const focus::Counters& counters, Metrics& metrics) {
  const auto outcome = [&metrics](const char* name, std::uint64_t value) {
    metrics.counter("bascule_ice_restarts_total",
                    "ICE restarts in place: asked for, and what became of them.",
                    static_cast<double>(value), {{"outcome", name}});
  };
  outcome("asked", counters.ice_restarts_asked);
  outcome("relayed", counters.ice_restarts_relayed);
  outcome("needless", counters.ice_restarts_needless);
  outcome("failed", counters.ice_restarts_failed);
}

double seconds(Duration duration) {
  return static_cast<double>(duration.count()) / 1e6;
}

}  // namespace

void add_sessions(const focus::Focus& focus, Now now, Metrics& metrics) {
  const focus::Counters& counters = focus.counters();
  add_jingle(metrics, "received", counters.jingle_received);
  add_jingle(metrics, "sent", counters.jingle_sent);
  add_ice_restarts(counters, metrics);
  metrics.counter("bascule_ice_failed_total", "Participants that said their ICE failed.",
                  static_cast<double>(counters.ice_failed));
  metrics.counter("bascule_participants_moved_total",
                  "Participants invited to another bridge than the one they had.",
                  static_cast<double>(counters.participants_moved));
  metrics.counter("bascule_conference_bridges_lost_total",
                  "Times a conference lost a bridge it was on.",
                  static_cast<double>(counters.bridges_removed));
  metrics.counter("bascule_conference_seconds_total", "How long all conferences lasted, together.",
                  seconds(counters.meetings.total(now.mono)));
  metrics.counter("bascule_participant_seconds_total",
                  "How long all members stayed in their rooms, together.",
                  seconds(counters.members.total(now.mono)));
}

}  // namespace bascule::daemon
