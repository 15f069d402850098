#include "config/container.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace bascule::config {
namespace {

using Text = std::optional<std::string>;

Text set(const Environment& environment, std::string_view name) {
  const auto found = environment.find(std::string(name));
  return found == environment.end() || found->second.empty() ? std::nullopt : Text(found->second);
}

bool is_on(const Environment& environment, std::string_view name) {
  const auto value = set(environment, name);
  return value && as_bool(Untyped{*value}).value_or(false);
}

bool is_off(const Environment& environment, std::string_view name) {
  const auto value = set(environment, name);
  return value && !as_bool(Untyped{*value}).value_or(true);
}

std::optional<std::int64_t> number(const Text& text) {
  return text ? as_integer(Untyped{*text}) : std::nullopt;
}

// ---- conversions: one function per rule --------------------------------------------------------

Text bridge_server(const Environment& environment, std::string_view variable,
                   std::string_view stock) {
  return is_on(environment, "ENABLE_JVB_XMPP_SERVER")
             ? Text(set(environment, variable).value_or(std::string(stock)))
             : std::nullopt;
}
Text bridge_server_host(const Environment& environment) {
  return bridge_server(environment, "JVB_XMPP_SERVER", "xmpp.jvb.meet.jitsi");
}
Text bridge_server_port(const Environment& environment) {
  return bridge_server(environment, "JVB_XMPP_PORT", "6222");
}
Text bridge_server_domain(const Environment& environment) {
  return bridge_server(environment, "JVB_XMPP_AUTH_DOMAIN", "auth.jvb.meet.jitsi");
}
Text bridge_server_mode(const Environment& environment) {
  return bridge_server(environment, "", "client");
}
Text bridge_server_password(const Environment& environment) {
  return is_on(environment, "ENABLE_JVB_XMPP_SERVER") ? set(environment, "JICOFO_AUTH_PASSWORD")
                                                      : std::nullopt;
}
Text bridge_server_brewery(const Environment& environment) {
  const auto domain =
      bridge_server(environment, "JVB_XMPP_INTERNAL_MUC_DOMAIN", "muc.jvb.meet.jitsi");
  const std::string room = set(environment, "JVB_BREWERY_MUC").value_or("jvbbrewery");
  return domain && room.find('@') == std::string::npos ? Text(room + "@" + *domain) : std::nullopt;
}

/// Recorders and transcribers log in there, when there are any.
Text hidden_domain(const Environment& environment) {
  if (set(environment, "JICOFO_TRUSTED_DOMAINS")) {
    return std::nullopt;
  }
  if (!is_on(environment, "ENABLE_RECORDING") && !is_on(environment, "ENABLE_TRANSCRIPTIONS")) {
    return std::nullopt;
  }
  const auto old_name = set(environment, "XMPP_RECORDER_DOMAIN");
  return set(environment, "XMPP_HIDDEN_DOMAIN").value_or(old_name.value_or("hidden.meet.jitsi"));
}

Text threshold(const Environment& environment) {
  return set(environment, "BRIDGE_STRESS_THRESHOLD");
}
/// The limits on either side of limit-join, which it sets, move only as far as they have to.
std::int64_t threshold_beyond(const Environment& environment, Stress limit) {
  const auto text = threshold(environment);
  const auto value = text ? as_fraction(Untyped{*text}) : std::nullopt;
  return value ? value->value - limit.millionths() : 0;
}
Text threshold_or_less(const Environment& environment) {
  const Stress limit = Config{}.focus.placement.limit_new;
  return threshold_beyond(environment, limit) < 0 ? threshold(environment) : std::nullopt;
}
Text threshold_or_more(const Environment& environment) {
  const Stress limit = Config{}.focus.placement.limit_max;
  return threshold_beyond(environment, limit) > 0 ? threshold(environment) : std::nullopt;
}
Text threshold_or_most(const Environment& environment) {
  const Stress limit = Config{}.focus.placement.limit_single_join;
  return threshold_beyond(environment, limit) > 0 ? threshold(environment) : std::nullopt;
}

Text unlimited(const Environment& environment) {
  return number(set(environment, "MAX_BRIDGE_PARTICIPANTS")) == -1 ? Text("10000") : std::nullopt;
}

Text in_seconds(const Environment& environment, std::string_view variable) {
  auto text = set(environment, variable);
  return number(text) ? Text(*text + " s") : text;
}
Text ice_failure_interval(const Environment& environment) {
  return in_seconds(environment, "JICOFO_ICE_FAILURE_INTERVAL");
}

/// So many per interval (60 s unless it is set) as so many per minute.
Text restarts_per_minute(const Environment& environment) {
  const auto most = set(environment, "JICOFO_RESTART_REQUEST_MAX");
  const auto interval = set(environment, "JICOFO_RESTART_REQUEST_INTERVAL");
  if (!most || !interval) {
    return most;
  }
  const auto count = number(most);
  const auto seconds = number(interval);
  constexpr std::int64_t kCountMax = 1'000'000;
  if (!count || !seconds || *seconds <= 0 || *count < 0 || *count > kCountMax) {
    return *most + " per " + *interval + " s";  // Refused, with both.
  }
  return std::to_string((*count * 60 + *seconds - 1) / *seconds);
}

/// `["eu","uk"],["us"]` as `eu uk, us`. Brackets that do not match become an empty group, which is
/// refused.
Text region_groups(const Environment& environment) {
  const auto text = set(environment, "JICOFO_BRIDGE_REGION_GROUPS");
  if (!text || text->find('[') == std::string::npos) {
    return text;
  }
  std::string groups;
  bool inside = false;
  for (const char c : *text) {
    if (c == '[' || c == ']') {
      if (inside == (c == '[')) {
        return "," + *text;
      }
      inside = c == '[';
    } else if (c == ',') {
      groups += inside ? ' ' : ',';
    } else if (c != '"') {
      groups += c;
    }
  }
  return inside ? "," + *text : groups;
}

/// `{ "50": 500, 100 = 1000 }` as `50: 500 ms, 100: 1000 ms`.
Text signaling_delays(const Environment& environment) {
  auto text = set(environment, "JICOFO_CONF_SOURCE_SIGNALING_DELAYS");
  if (!text || text->find('{') == std::string::npos) {
    return text;
  }
  std::string steps;
  for (const char c : *text) {
    if (c == '=') {
      steps += ':';
    } else if (c == ',') {
      steps += " ms,";
    } else if (std::string_view("{}\" ").find(c) == std::string_view::npos) {
      steps += c;
    }
  }
  return steps.empty() ? Text() : Text(steps + " ms");
}

Text rest_address(const Environment& environment) {
  return is_on(environment, "JICOFO_ENABLE_REST") ? Text("0.0.0.0") : std::nullopt;
}

struct Rule {
  std::string_view key;
  std::string_view variable;
  Text (*convert)(const Environment&);
};

constexpr std::string_view kOwnServer = "ENABLE_JVB_XMPP_SERVER";
constexpr std::array<Rule, 16> kRules = {{
    {"links.service.host", kOwnServer, bridge_server_host},
    {"links.service.port", kOwnServer, bridge_server_port},
    {"links.service.user-domain", kOwnServer, bridge_server_domain},
    {"links.service.mode", kOwnServer, bridge_server_mode},
    {"links.service.secret", "JICOFO_AUTH_PASSWORD", bridge_server_password},
    {"links.service.brewery", kOwnServer, bridge_server_brewery},
    {"xmpp.trusted-domains", "XMPP_HIDDEN_DOMAIN", hidden_domain},
    {"selection.limit-new", "BRIDGE_STRESS_THRESHOLD", threshold_or_less},
    {"selection.limit-max", "BRIDGE_STRESS_THRESHOLD", threshold_or_more},
    {"selection.limit-single-join", "BRIDGE_STRESS_THRESHOLD", threshold_or_most},
    {"selection.max-per-conference-bridge", "MAX_BRIDGE_PARTICIPANTS", unlimited},
    {"selection.region-groups", "JICOFO_BRIDGE_REGION_GROUPS", region_groups},
    {"selection.ice-failure-interval", "JICOFO_ICE_FAILURE_INTERVAL", ice_failure_interval},
    {"conference.restarts-per-minute-max", "JICOFO_RESTART_REQUEST_MAX", restarts_per_minute},
    {"conference.source-signaling-delays", "JICOFO_CONF_SOURCE_SIGNALING_DELAYS", signaling_delays},
    {"admin.address", "JICOFO_ENABLE_REST", rest_address},
}};

constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kStockDefaults = {{
    {"xmpp.domain", "meet.jitsi"},
    {"xmpp.auth-domain", "auth.meet.jitsi"},
    {"xmpp.muc-domain", "muc.meet.jitsi"},
    {"xmpp.internal-muc-domain", "internal-muc.meet.jitsi"},
    {"links.requests.mode", "client-proxy"},
    {"links.requests.host", "xmpp.meet.jitsi"},
    {"links.client.host", "xmpp.meet.jitsi"},
    {"links.service.mode", "client"},
    {"links.service.host", "xmpp.meet.jitsi"},
}};

struct Ignored {
  std::string_view variable;
  bool (*matters)(const Environment&, std::string_view);
  std::string_view effect;
};

bool is_given(const Environment& environment, std::string_view name) {
  return set(environment, name).has_value();
}

constexpr std::string_view kAnybody =
    "nobody is asked who they are before a room is opened; have the XMPP server ask instead";
constexpr std::string_view kNoRecording = "nobody can start a recording or a live stream";
constexpr std::array<Ignored, 12> kIgnored = {{
    {"ENABLE_AUTH", is_on, kAnybody},
    {"JICOFO_ENABLE_AUTH", is_on, kAnybody},
    {"ENABLE_VISITORS", is_on, "everybody enters the main room; there are no visitor nodes"},
    {"ENABLE_RECORDING", is_on, kNoRecording},
    {"JIBRI_SIP_BREWERY_MUC", is_given, "nobody can call a SIP address with video"},
    {"JIGASI_SIP_URI", is_given, "nobody can be dialled by telephone; dialling in goes on"},
    {"ENABLE_TRANSCRIPTIONS", is_on, "nobody can start a transcription"},
    {"JICOFO_TRANSLATION_URL_TEMPLATE", is_given, "there is no translation of speech"},
    {"ENABLE_SHARED_DOCUMENT_RANDOM_NAME", is_on, "shared documents are named like their room"},
    {"JICOFO_ENABLE_BRIDGE_HEALTH_CHECKS", is_off,
     "bridges are always checked; conference.health-interval says how often"},
    {"JICOFO_ICE_FAILURE_MIN_ENDPOINTS", is_given,
     "selection.ice-failure-min counts who asked for a restart, not who is there; set it instead"},
    {"JICOFO_LOG_FILE", is_given, "everything is logged to stderr"},
}};

}  // namespace

std::optional<ContainerValue> converted_variable(std::string_view key,
                                                 const Environment& environment) {
  for (const Rule& rule : kRules) {
    if (rule.key != key) {
      continue;
    }
    if (auto value = rule.convert(environment)) {
      return ContainerValue{std::string(rule.variable), *std::move(value)};
    }
  }
  return std::nullopt;
}

std::optional<ContainerValue> stock_default(std::string_view key, const Environment& environment) {
  if (!is_on(environment, kStockDefaultsVariable)) {
    return std::nullopt;
  }
  for (const auto& [known, value] : kStockDefaults) {
    if (known == key) {
      return ContainerValue{std::string(kStockDefaultsVariable), std::string(value)};
    }
  }
  return std::nullopt;
}

std::vector<ContainerWarning> ignored_variables(const Environment& environment) {
  std::vector<ContainerWarning> warnings;
  for (const Ignored& ignored : kIgnored) {
    if (ignored.matters(environment, ignored.variable)) {
      warnings.push_back({std::string(ignored.variable), std::string(ignored.effect)});
    }
  }
  return warnings;
}

}  // namespace bascule::config
