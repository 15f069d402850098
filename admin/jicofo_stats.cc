#include "admin/jicofo_stats.h"

#include <optional>

namespace bascule::admin {
namespace {

/// The upper edge of the bucket that holds the participant of rank `permille`; -1 while there are
/// too few to tell, or when that bucket has none (BucketStats.kt).
std::int64_t upper_bound(const JicofoSizes& sizes, std::uint64_t permille, std::uint64_t enough) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i + 1 < sizes.buckets.size() && sizes.conferences >= enough; ++i) {
    sum += sizes.buckets.at(i);
    if (sum * 1000 > sizes.conferences * permille) {
      return static_cast<std::int64_t>(JicofoSizes::kEdges.at(i + 1));
    }
  }
  return -1;
}

Json conference_sizes(const JicofoSizes& sizes) {
  Json buckets = Json::object();
  for (std::size_t i = 0; i < sizes.buckets.size(); ++i) {
    const std::string to = i + 1 < JicofoSizes::kEdges.size()
                               ? std::to_string(JicofoSizes::kEdges.at(i + 1))
                               : std::string("max");
    buckets[std::to_string(JicofoSizes::kEdges.at(i)) + "_to_" + to] = sizes.buckets.at(i);
  }
  buckets["p99_upper_bound"] = upper_bound(sizes, 990, 100);
  buckets["p999_upper_bound"] = upper_bound(sizes, 999, 1000);
  const double average = sizes.conferences == 0 ? 0.0
                                                : static_cast<double>(sizes.participants) /
                                                      static_cast<double>(sizes.conferences);
  return {{"average", average},
          {"max", sizes.largest},
          {"min", sizes.smallest},
          {"total_value", sizes.participants},
          {"total_count", sizes.conferences},
          {"discarded", 0},
          {"buckets", std::move(buckets)}};
}

Json jingle(const std::array<std::uint64_t, focus::kJingleActions>& counts) {
  Json actions = Json::object();
  for (const JicofoJingleAction& action : kJicofoJingleActions) {
    if (const std::uint64_t count = jicofo_jingle(counts, action); count > 0) {
      actions[action.constant] = count;
    }
  }
  return actions;
}

Json health(const JicofoFigures& figures) {
  return {{"success", figures.healthy},
          {"hardFailure", false},
          {"responseCode", nullptr},
          {"sticky", false},
          {"message", figures.healthy ? Json(nullptr) : Json(figures.problems)}};
}

Json detector() {
  return {{"count", 0}, {"available", 0}};
}

}  // namespace

Json jicofo_stats(const JicofoFigures& figures) {
  const JicofoSizes sizes = jicofo_sizes(figures.conferences);
  const JicofoBridges bridges = jicofo_bridges(figures.bridges);
  const focus::Counters& counters = figures.counters;
  return {
      {"conferences", sizes.conferences},
      {"participants", sizes.participants},
      {"visitors", sizes.visitors},
      {"largest_conference", sizes.largest},
      {"endpoint_pairs", sizes.pairs},
      {"conference_sizes", conference_sizes(sizes)},
      {"conferences_with_visitors", sizes.with_visitors},
      {"total_conferences_created", counters.conferences_created},
      {"total_participants", counters.participants_seen},
      {"bridge_failures",
       {{"participants_moved", counters.participants_moved},
        {"bridges_removed", counters.bridges_removed}}},
      {"participant_notifications",
       {{"ice_failed", counters.ice_failed}, {"request_restart", jicofo_restarts(counters)}}},
      {"jibri",
       {{"total_sip_call_failures", 0},
        {"total_live_streaming_failures", 0},
        {"total_recording_failures", 0},
        {"live_streaming_active", 0},
        {"recording_active", 0},
        {"sip_call_active", 0}}},
      {"queues", Json::object()},
      {"bridge_selector",
       {{"bridge_count", bridges.all},
        {"operational_bridge_count", bridges.operational},
        {"in_shutdown_bridge_count", bridges.in_shutdown},
        {"lost_bridges", jicofo_lost_bridges(figures.placement)},
        {"bridge_version_count", bridges.versions}}},
      {"jibri_detector", detector()},
      {"sip_jibri_detector", detector()},
      {"jigasi", Json::object()},
      {"threads", figures.threads},
      {"jingle",
       {{"sent", jingle(counters.jingle_sent)}, {"received", jingle(counters.jingle_received)}}},
      {"version", figures.version},
      {"slow_health_check", 0},
      {"healthy", figures.healthy},
      {"health", health(figures)}};
}

}  // namespace bascule::admin
