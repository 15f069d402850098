#include "admin/jicofo_metrics.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "admin/json.h"
#include "admin/metrics.h"

namespace bascule::admin {
namespace {

constexpr std::string_view kPrefix = "jitsi_jicofo_";

/// What the rows below are computed from, once per answer.
struct Source {
  const JicofoFigures& figures;
  const focus::Counters& counters;
  JicofoSizes sizes;
  JicofoBridges bridges;
};

double number(std::uint64_t value) {
  return static_cast<double>(value);
}
double seconds(Duration duration) {
  return static_cast<double>(duration.count()) / 1e6;
}
/// Of what Bascule does not have: recorders, gateways, visitor nodes.
double none(const Source&) {
  return 0;
}

enum class Kind : std::uint8_t { kCounter, kGauge, kSwitch, kSeconds };

struct Row {
  const char* name;
  Kind kind;
  double (*value)(const Source&);
  const char* help;
};

constexpr Row kRows[] = {
    {"bridge_selection_rate_limited_total", Kind::kCounter,
     [](const Source& s) {
       return number(
           s.figures.placement.waits.at(static_cast<std::size_t>(focus::WaitReason::kPace)));
     },
     "Looks at a participant whose bridges had room and were over their pace."},
    {"bridge_selector_bridge_count", Kind::kGauge,
     [](const Source& s) { return number(s.bridges.all); }, "Bridges."},
    {"bridge_selector_bridge_count_in_shutdown", Kind::kGauge,
     [](const Source& s) { return number(s.bridges.in_shutdown); },
     "Bridges in graceful shutdown."},
    {"bridge_selector_bridge_count_operational", Kind::kGauge,
     [](const Source& s) { return number(s.bridges.operational); }, "Bridges that work."},
    {"bridge_selector_bridge_version_count", Kind::kGauge,
     [](const Source& s) { return number(s.bridges.versions); }, "Different versions of bridges."},
    {"bridge_selector_lost_bridges_total", Kind::kCounter,
     [](const Source& s) { return number(jicofo_lost_bridges(s.figures.placement)); },
     "Bridges that went without having announced it."},
    {"bridges_removed_total", Kind::kCounter,
     [](const Source& s) { return number(s.counters.bridges_removed); },
     "Times a conference lost a bridge."},
    {"conference_requests_total", Kind::kCounter,
     [](const Source& s) { return number(s.counters.requests); }, "Conference requests."},
    {"conference_requests_new_total", Kind::kCounter,
     [](const Source& s) { return number(s.counters.requests_new); },
     "Conference requests for rooms without a conference."},
    {"conferences", Kind::kGauge, [](const Source& s) { return number(s.sizes.conferences); },
     "Conferences now."},
    {"conferences_created_total", Kind::kCounter,
     [](const Source& s) { return number(s.counters.conferences_created); }, "Conferences begun."},
    {"conferences_seconds", Kind::kSeconds,
     [](const Source& s) { return seconds(s.counters.meetings.total(s.figures.now)); },
     "How long all conferences lasted, together."},
    {"conferences_with_visitors", Kind::kGauge,
     [](const Source& s) { return number(s.sizes.with_visitors); }, "Conferences with visitors."},
    {"endpoint_seconds", Kind::kSeconds,
     [](const Source& s) { return seconds(s.counters.members.total(s.figures.now)); },
     "How long all participants stayed, together."},
    {"healthy", Kind::kSwitch, [](const Source& s) { return s.figures.healthy ? 1.0 : 0.0; },
     "1 while /readyz is 200."},
    {"ice_restarts_requested_total", Kind::kCounter,
     [](const Source& s) { return number(s.counters.ice_restarts_asked); },
     "ICE restarts in place that participants asked for."},
    {"ice_restarts_relayed_total", Kind::kCounter,
     [](const Source& s) { return number(s.counters.ice_restarts_relayed); },
     "ICE restarts whose new transport was sent to the participant."},
    {"ice_restarts_not_needed_total", Kind::kCounter,
     [](const Source& s) { return number(s.counters.ice_restarts_needless); },
     "ICE restarts answered by the bridge with a transport that was known."},
    {"ice_restarts_failed_total", Kind::kCounter,
     [](const Source& s) { return number(s.counters.ice_restarts_failed); },
     "ICE restarts that were refused."},
    {"jibri_instances", Kind::kGauge, none, "Recorders; not served."},
    {"jibri_instances_available", Kind::kGauge, none, "Idle recorders; not served."},
    {"sip_jibri_instances", Kind::kGauge, none, "SIP video gateways; not served."},
    {"sip_jibri_instances_available", Kind::kGauge, none, "Idle SIP video gateways; not served."},
    {"jibri_live_streaming_active", Kind::kGauge, none, "Live streams; not served."},
    {"jibri_recording_active", Kind::kGauge, none, "Recordings; not served."},
    {"jibri_sip_active", Kind::kGauge, none, "SIP video calls; not served."},
    {"jibri_live_streaming_failures_total", Kind::kCounter, none, "Not served."},
    {"jibri_recording_failures_total", Kind::kCounter, none, "Not served."},
    {"jibri_sip_failures_total", Kind::kCounter, none, "Not served."},
    {"jibri_no_instance_failures_total", Kind::kCounter, none, "Not served."},
    {"jibri_start_requests_rate_limited_total", Kind::kCounter, none, "Not served."},
    {"jigasi_sip_count", Kind::kGauge, none, "Telephone gateways; not served."},
    {"jigasi_sip_in_graceful_shutdown_count", Kind::kGauge, none, "Not served."},
    {"jigasi_transcriber_count", Kind::kGauge, none, "Transcribers; not served."},
    {"jigasi_iq_handler_accepted_requests_total", Kind::kCounter, none, "Not served."},
    {"jigasi_iq_handler_rejected_requests_total", Kind::kCounter, none, "Not served."},
    {"jigasi_iq_handler_instance_errors_total", Kind::kCounter, none, "Not served."},
    {"jigasi_iq_handler_instance_timeouts_total", Kind::kCounter, none, "Not served."},
    {"jigasi_iq_handler_retries_total", Kind::kCounter, none, "Not served."},
    {"largest_conference", Kind::kGauge, [](const Source& s) { return number(s.sizes.largest); },
     "Participants of the largest conference."},
    {"load_redistributor_endpoints_moved_total", Kind::kCounter,
     [](const Source& s) {
       return number(
           s.figures.placement.moves.at(static_cast<std::size_t>(focus::MoveCause::kRelief)));
     },
     "Participants asked to leave a bridge that is too busy."},
    {"participants_current", Kind::kGauge,
     [](const Source& s) { return number(s.sizes.participants); }, "Participants now."},
    {"participants_total", Kind::kCounter,
     [](const Source& s) { return number(s.counters.participants_seen); },
     "Members that entered rooms."},
    {"participants_pairs", Kind::kGauge, [](const Source& s) { return number(s.sizes.pairs); },
     "Sum of the squares of the sizes of conferences."},
    {"participants_ice_failed_total", Kind::kCounter,
     [](const Source& s) { return number(s.counters.ice_failed); },
     "Participants that said their ICE failed."},
    {"participants_restart_requested_total", Kind::kCounter,
     [](const Source& s) { return number(jicofo_restarts(s.counters)); },
     "Participants that asked for a new session."},
    {"participants_moved_total", Kind::kCounter,
     [](const Source& s) { return number(s.counters.participants_moved); },
     "Participants invited to another bridge than the one they had."},
    {"participants_no_start_muted_rmd_total", Kind::kCounter, none,
     "Not counted: everybody is told by Jingle whether they start muted."},
    {"threads", Kind::kGauge, [](const Source& s) { return number(s.figures.threads); },
     "Threads of the process."},
    {"visitors_current", Kind::kGauge, [](const Source& s) { return number(s.sizes.visitors); },
     "Visitors now."},
    {"xmpp_disconnects_total", Kind::kCounter,
     [](const Source& s) { return number(s.counters.links_lost); },
     "Times a link to the XMPP server went down."},
};

/// One series per bridge in the brewery, labelled by its nick.
struct BridgeRow {
  const char* name;
  Kind kind;
  double (*value)(const focus::BridgeView&);
  const char* help;
};
constexpr BridgeRow kBridgeRows[] = {
    {"bridge_endpoints", Kind::kGauge,
     [](const focus::BridgeView& view) { return number(view.participants); },
     "Participants placed on the bridge."},
    {"bridge_endpoints_moved_total", Kind::kCounter,
     [](const focus::BridgeView& view) { return number(view.relieved); },
     "Participants asked to leave the bridge because it is too busy."},
    {"bridge_failing_ice", Kind::kSwitch,
     [](const focus::BridgeView& view) { return view.ice_failing ? 1.0 : 0.0; },
     "1 while many participants there cannot connect."},
    {"bridge_restart_requests_total", Kind::kCounter,
     [](const focus::BridgeView& view) { return number(view.restarts_asked); },
     "Participants there that asked for a new session."},
};

std::string named(std::string_view name) {
  return std::string(kPrefix) + std::string(name);
}

void add(Metrics& metrics, std::string_view name, Kind kind, const char* help, double value,
         const MetricLabels& labels = {}) {
  if (kind == Kind::kCounter) {
    metrics.counter(named(name), help, value, labels);
  } else {
    metrics.gauge(named(name), help, value, labels);
  }
}

std::string jingle_name(const JicofoJingleAction& action, const char* direction) {
  return std::string("jingle_") + action.metric + "_" + direction + "_total";
}

std::string text(const Source& source) {
  Metrics metrics;
  for (const BridgeRow& row : kBridgeRows) {
    for (const focus::BridgeView& view : source.figures.bridges) {
      add(metrics, row.name, row.kind, row.help, row.value(view),
          {{"jvb", view.bridge.jid().resource()}});
    }
  }
  for (const Row& row : kRows) {
    add(metrics, row.name, row.kind, row.help, row.value(source));
  }
  for (const JicofoJingleAction& action : kJicofoJingleActions) {
    add(metrics, jingle_name(action, "received"), Kind::kCounter, "Jingle requests received.",
        number(jicofo_jingle(source.counters.jingle_received, action)));
    add(metrics, jingle_name(action, "sent"), Kind::kCounter, "Jingle requests sent.",
        number(jicofo_jingle(source.counters.jingle_sent, action)));
  }
  add(metrics, "version_info", Kind::kGauge, "Always 1; the version is the label.", 1,
      {{"version", source.figures.version}});
  return metrics.take_text();
}

/// OpenMetrics 1.0.0 from the text format: a counter's family has no `_total`, an info's no
/// `_info`, and the end is marked.
std::string open_metrics(std::string_view classic) {
  std::string out;
  out.reserve(classic.size() + 8);
  const auto family = [](std::string_view name, std::string_view suffix) {
    return name.ends_with(suffix) ? name.substr(0, name.size() - suffix.size()) : name;
  };
  while (!classic.empty()) {
    const std::string_view line = classic.substr(0, classic.find('\n'));
    classic.remove_prefix(std::min(classic.size(), line.size() + 1));
    if (!line.starts_with("# ")) {
      out.append(line).append("\n");
      continue;
    }
    const std::string_view keyword = line.substr(0, line.find(' ', 2) + 1);
    const std::string_view rest = line.substr(keyword.size());
    const std::string_view name = rest.substr(0, rest.find(' '));
    const bool is_info = name.ends_with("version_info");
    out.append(keyword).append(family(family(name, "_total"), "_info"));
    out.append(is_info && keyword == "# TYPE " ? std::string_view(" info")
                                               : rest.substr(name.size()));
    out.append("\n");
  }
  return out + "# EOF\n";
}

Json flat(const Source& source) {
  Json object = Json::object();
  for (const Row& row : kRows) {
    const double value = row.value(source);
    if (row.kind == Kind::kSwitch) {
      object[row.name] = value != 0;
    } else if (row.kind == Kind::kSeconds) {
      object[row.name] = value;
    } else {
      object[row.name] = static_cast<std::uint64_t>(value);
    }
  }
  for (const JicofoJingleAction& action : kJicofoJingleActions) {
    object[jingle_name(action, "received")] =
        jicofo_jingle(source.counters.jingle_received, action);
    object[jingle_name(action, "sent")] = jicofo_jingle(source.counters.jingle_sent, action);
  }
  return object;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') {
    text.remove_prefix(1);
  }
  while (!text.empty() && text.back() == ' ') {
    text.remove_suffix(1);
  }
  return text;
}

/// The quality of one entry of Accept in thousandths (RFC 9110 12.4.2); 1000 when it has none.
int quality(std::string_view parameters) {
  const auto q = parameters.find("q=");
  if (q == std::string_view::npos) {
    return 1000;
  }
  std::string digits;
  for (const char c : parameters.substr(q + 2)) {
    if (c >= '0' && c <= '9' && digits.size() < 4) {
      digits += c;
    } else if (c != '.') {
      break;
    }
  }
  digits.resize(4, '0');
  int value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

enum class Form : std::uint8_t { kText, kOpenMetrics, kJson };

/// The known type of the highest quality; the first of several.
Form form_for(std::string_view accept) {
  Form form = Form::kText;
  int best = 0;
  while (!accept.empty()) {
    const std::string_view entry = accept.substr(0, accept.find(','));
    accept.remove_prefix(std::min(accept.size(), entry.size() + 1));
    const auto semicolon = std::min(entry.find(';'), entry.size());
    const std::string_view type = trimmed(entry.substr(0, semicolon));
    const std::optional<Form> known =
        type == "application/openmetrics-text"  ? std::optional(Form::kOpenMetrics)
        : type == "application/json"            ? std::optional(Form::kJson)
        : type == "text/plain" || type == "*/*" ? std::optional(Form::kText)
                                                : std::nullopt;
    const int wanted = quality(entry.substr(semicolon));
    if (known && wanted > best) {
      form = *known;
      best = wanted;
    }
  }
  return form;
}

}  // namespace

HttpResponse jicofo_metrics(const JicofoFigures& figures, std::string_view accept) {
  const Source source{.figures = figures,
                      .counters = figures.counters,
                      .sizes = jicofo_sizes(figures.conferences),
                      .bridges = jicofo_bridges(figures.bridges)};
  HttpResponse response;
  switch (form_for(accept)) {
    case Form::kJson:
      return json_response(flat(source));
    case Form::kOpenMetrics:
      response.content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
      response.body = open_metrics(text(source));
      return response;
    case Form::kText:
      break;
  }
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.body = text(source);
  return response;
}

}  // namespace bascule::admin
