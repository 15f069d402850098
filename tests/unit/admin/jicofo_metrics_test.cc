#include "admin/jicofo_metrics.h"

#include <map>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace bascule::admin {
namespace {

using testing::HasSubstr, testing::Not;
using Types = std::map<std::string, std::string>;

/// Jicofo's complete list (BridgeMetrics.kt, BridgeSelector.kt, ConferenceIqHandler.kt,
/// ConferenceMetrics.kt, GlobalMetrics.kt, IceRestartMetrics.kt, JibriDetectorMetrics.kt,
/// JibriStats.kt, JigasiDetector.kt, JigasiIqHandler.kt, LoadRedistributor.kt, JicofoServices.kt);
/// without the prefix. Jingle's are made below.
const Types kTypes = {
    {"bridge_endpoints", "gauge"},
    {"bridge_endpoints_moved_total", "counter"},
    {"bridge_failing_ice", "gauge"},
    {"bridge_restart_requests_total", "counter"},
    {"bridge_selection_rate_limited_total", "counter"},
    {"bridge_selector_bridge_count", "gauge"},
    {"bridge_selector_bridge_count_in_shutdown", "gauge"},
    {"bridge_selector_bridge_count_operational", "gauge"},
    {"bridge_selector_bridge_version_count", "gauge"},
    {"bridge_selector_lost_bridges_total", "counter"},
    {"bridges_removed_total", "counter"},
    {"conference_requests_total", "counter"},
    {"conference_requests_new_total", "counter"},
    {"conferences", "gauge"},
    {"conferences_created_total", "counter"},
    {"conferences_seconds", "gauge"},
    {"conferences_with_visitors", "gauge"},
    {"endpoint_seconds", "gauge"},
    {"healthy", "gauge"},
    {"ice_restarts_requested_total", "counter"},
    {"ice_restarts_relayed_total", "counter"},
    {"ice_restarts_not_needed_total", "counter"},
    {"ice_restarts_failed_total", "counter"},
    {"jibri_instances", "gauge"},
    {"jibri_instances_available", "gauge"},
    {"sip_jibri_instances", "gauge"},
    {"sip_jibri_instances_available", "gauge"},
    {"jibri_live_streaming_active", "gauge"},
    {"jibri_recording_active", "gauge"},
    {"jibri_sip_active", "gauge"},
    {"jibri_live_streaming_failures_total", "counter"},
    {"jibri_recording_failures_total", "counter"},
    {"jibri_sip_failures_total", "counter"},
    {"jibri_no_instance_failures_total", "counter"},
    {"jibri_start_requests_rate_limited_total", "counter"},
    {"jigasi_sip_count", "gauge"},
    {"jigasi_sip_in_graceful_shutdown_count", "gauge"},
    {"jigasi_transcriber_count", "gauge"},
    {"jigasi_iq_handler_accepted_requests_total", "counter"},
    {"jigasi_iq_handler_rejected_requests_total", "counter"},
    {"jigasi_iq_handler_instance_errors_total", "counter"},
    {"jigasi_iq_handler_instance_timeouts_total", "counter"},
    {"jigasi_iq_handler_retries_total", "counter"},
    {"largest_conference", "gauge"},
    {"load_redistributor_endpoints_moved_total", "counter"},
    {"participants_current", "gauge"},
    {"participants_total", "counter"},
    {"participants_pairs", "gauge"},
    {"participants_ice_failed_total", "counter"},
    {"participants_restart_requested_total", "counter"},
    {"participants_moved_total", "counter"},
    {"participants_no_start_muted_rmd_total", "counter"},
    {"threads", "gauge"},
    {"version_info", "gauge"},
    {"visitors_current", "gauge"},
    {"xmpp_disconnects_total", "counter"},
};

Types all_types() {
  Types types;
  for (const auto& [name, type] : kTypes) {
    types["jitsi_jicofo_" + name] = type;
  }
  for (const char* action :
       {"session_initiate", "session_accept", "session_info", "session_terminate",
        "transport_accept", "transport_info", "transport_reject", "transport_replace", "sourceadd",
        "sourceremove", "addsource", "removesource", "content_accept", "content_add",
        "content_modify", "content_reject", "content_remove", "description_info",
        "security_info"}) {
    for (const char* direction : {"received", "sent"}) {
      types[std::string("jitsi_jicofo_jingle_") + action + "_" + direction + "_total"] = "counter";
    }
  }
  return types;
}

JicofoFigures some_figures() {
  JicofoFigures figures;
  figures.version = "1.2.3";
  figures.healthy = true;
  figures.threads = 3;
  focus::BridgeView view;
  view.bridge = BridgeJid(Jid::parse("brewery@internal.example.net/jvb1").value());
  view.participants = 12;
  view.relieved = 2;
  view.restarts_asked = 5;
  view.ice_failing = true;
  figures.bridges = {view};
  figures.conferences = {{3, 1}, {2, 0}};
  figures.counters.conferences_created = 118;
  const Instant start{std::chrono::seconds{100}};
  figures.counters.meetings.enter(start);
  figures.counters.members.enter(start);
  figures.counters.members.enter(start + std::chrono::seconds{10});
  figures.now = start + std::chrono::milliseconds{20'500};
  return figures;
}

/// Name to type, of the families in the text.
Types types_in(const std::string& text) {
  Types types;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string hash, keyword, name, type;
    if (words >> hash >> keyword >> name >> type && hash == "#" && keyword == "TYPE") {
      EXPECT_TRUE(types.emplace(name, type).second) << name << " twice";
    }
  }
  return types;
}

TEST(JicofoMetricsTest, NamesAndTypesAreThoseOfJicofoAndNoOthers) {
  const HttpResponse response = jicofo_metrics(some_figures(), "");
  EXPECT_EQ(response.content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(types_in(response.body), all_types());
}

TEST(JicofoMetricsTest, ValuesAndLabels) {
  const std::string text = jicofo_metrics(some_figures(), "text/plain").body;
  for (const char* line :
       {"jitsi_jicofo_bridge_endpoints{jvb=\"jvb1\"} 12\n",
        "jitsi_jicofo_bridge_endpoints_moved_total{jvb=\"jvb1\"} 2\n",
        "jitsi_jicofo_bridge_failing_ice{jvb=\"jvb1\"} 1\n",
        "jitsi_jicofo_bridge_restart_requests_total{jvb=\"jvb1\"} 5\n",
        "jitsi_jicofo_version_info{version=\"1.2.3\"} 1\n", "jitsi_jicofo_conferences 2\n",
        "jitsi_jicofo_participants_current 5\n", "jitsi_jicofo_visitors_current 1\n",
        "jitsi_jicofo_participants_pairs 13\n", "jitsi_jicofo_conferences_created_total 118\n",
        "jitsi_jicofo_conferences_seconds 20.5\n", "jitsi_jicofo_endpoint_seconds 31\n",
        "jitsi_jicofo_healthy 1\n", "jitsi_jicofo_threads 3\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

TEST(JicofoMetricsTest, TheFormFollowsAccept) {
  const auto type = [](const char* accept) {
    return jicofo_metrics(some_figures(), accept).content_type;
  };
  const char* text = "text/plain; version=0.0.4; charset=utf-8";
  const char* open = "application/openmetrics-text; version=1.0.0; charset=utf-8";
  EXPECT_EQ(type("*/*"), text);
  EXPECT_EQ(type("text/html"), text);
  EXPECT_EQ(type("application/openmetrics-text"), open);
  EXPECT_EQ(type("application/openmetrics-text;version=1.0.0;q=0.5,"
                 "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,"
                 "*/*;q=0.2"),
            open)
      << "Prometheus";
  EXPECT_EQ(type("text/plain; q=0.9, application/openmetrics-text; q=0.35"), text);
  EXPECT_EQ(type("application/json"), "application/json");
  EXPECT_EQ(type("application/json;q=0"), text);
}

TEST(JicofoMetricsTest, OpenMetricsNamesFamiliesWithoutSuffixAndHasAnEnd) {
  const std::string text = jicofo_metrics(some_figures(), "application/openmetrics-text").body;
  EXPECT_TRUE(text.ends_with("\n# EOF\n"));
  for (const char* line :
       {"# TYPE jitsi_jicofo_conferences_created counter\n",
        "jitsi_jicofo_conferences_created_total 118\n", "# TYPE jitsi_jicofo_version info\n",
        "jitsi_jicofo_version_info{version=\"1.2.3\"} 1\n",
        "# TYPE jitsi_jicofo_conferences gauge\n", "# HELP jitsi_jicofo_bridge_endpoints_moved "}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  EXPECT_THAT(text, Not(HasSubstr("_total counter\n")));
}

TEST(JicofoMetricsTest, JsonHasThoseWithoutLabelsAndWithoutPrefix) {
  const auto object =
      nlohmann::json::parse(jicofo_metrics(some_figures(), "application/json").body);
  EXPECT_EQ(object.at("conferences"), 2);
  EXPECT_TRUE(object.at("conferences").is_number_integer());
  EXPECT_EQ(object.at("conferences_created_total"), 118);
  EXPECT_EQ(object.at("conferences_seconds"), 20.5);
  EXPECT_EQ(object.at("healthy"), true);
  std::size_t labelled = 0;
  for (const auto& [name, type] : all_types()) {
    const std::string bare = name.substr(std::string("jitsi_jicofo_").size());
    labelled += object.contains(bare) ? 0U : 1U;
  }
  EXPECT_EQ(labelled, 5U) << "four of bridges, and the version";
  EXPECT_EQ(object.size() + labelled, all_types().size());
}

}  // namespace
}  // namespace bascule::admin
