#include "admin/jicofo_stats.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bascule::admin {
namespace {

using testing::UnorderedElementsAreArray;

JicofoFigures with_sizes(const std::vector<focus::ConferenceSize>& sizes) {
  JicofoFigures figures;
  figures.version = "1.2.3";
  figures.healthy = true;
  figures.threads = 3;
  figures.conferences = sizes;
  return figures;
}

/// "a", "a.b": every member, objects and what is in them.
void collect(const Json& object, const std::string& prefix, std::vector<std::string>& names) {
  for (const auto& [name, value] : object.items()) {
    names.push_back(prefix + name);
    if (value.is_object()) {
      collect(value, prefix + name + ".", names);
    }
  }
}

TEST(JicofoStatsTest, TheKeysAreThoseOfJicofo) {
  std::vector<std::string> names;
  collect(jicofo_stats(with_sizes({})), "", names);
  EXPECT_THAT(names, UnorderedElementsAreArray(
                         std::vector<std::string>{"conferences",
                                                  "participants",
                                                  "visitors",
                                                  "largest_conference",
                                                  "endpoint_pairs",
                                                  "conference_sizes",
                                                  "conference_sizes.average",
                                                  "conference_sizes.max",
                                                  "conference_sizes.min",
                                                  "conference_sizes.total_value",
                                                  "conference_sizes.total_count",
                                                  "conference_sizes.discarded",
                                                  "conference_sizes.buckets",
                                                  "conference_sizes.buckets.0_to_1",
                                                  "conference_sizes.buckets.1_to_2",
                                                  "conference_sizes.buckets.2_to_3",
                                                  "conference_sizes.buckets.3_to_5",
                                                  "conference_sizes.buckets.5_to_10",
                                                  "conference_sizes.buckets.10_to_20",
                                                  "conference_sizes.buckets.20_to_50",
                                                  "conference_sizes.buckets.50_to_100",
                                                  "conference_sizes.buckets.100_to_200",
                                                  "conference_sizes.buckets.200_to_300",
                                                  "conference_sizes.buckets.300_to_400",
                                                  "conference_sizes.buckets.400_to_500",
                                                  "conference_sizes.buckets.500_to_max",
                                                  "conference_sizes.buckets.p99_upper_bound",
                                                  "conference_sizes.buckets.p999_upper_bound",
                                                  "conferences_with_visitors",
                                                  "total_conferences_created",
                                                  "total_participants",
                                                  "bridge_failures",
                                                  "bridge_failures.participants_moved",
                                                  "bridge_failures.bridges_removed",
                                                  "participant_notifications",
                                                  "participant_notifications.ice_failed",
                                                  "participant_notifications.request_restart",
                                                  "jibri",
                                                  "jibri.total_sip_call_failures",
                                                  "jibri.total_live_streaming_failures",
                                                  "jibri.total_recording_failures",
                                                  "jibri.live_streaming_active",
                                                  "jibri.recording_active",
                                                  "jibri.sip_call_active",
                                                  "queues",
                                                  "bridge_selector",
                                                  "bridge_selector.bridge_count",
                                                  "bridge_selector.operational_bridge_count",
                                                  "bridge_selector.in_shutdown_bridge_count",
                                                  "bridge_selector.lost_bridges",
                                                  "bridge_selector.bridge_version_count",
                                                  "jibri_detector",
                                                  "jibri_detector.count",
                                                  "jibri_detector.available",
                                                  "sip_jibri_detector",
                                                  "sip_jibri_detector.count",
                                                  "sip_jibri_detector.available",
                                                  "jigasi",
                                                  "threads",
                                                  "jingle",
                                                  "jingle.sent",
                                                  "jingle.received",
                                                  "version",
                                                  "slow_health_check",
                                                  "healthy",
                                                  "health",
                                                  "health.success",
                                                  "health.hardFailure",
                                                  "health.responseCode",
                                                  "health.sticky",
                                                  "health.message"}));
}

TEST(JicofoStatsTest, WithoutConferencesTheAverageIsZero) {
  const Json stats = jicofo_stats(with_sizes({}));
  EXPECT_EQ(stats.at("conference_sizes").at("average"), 0.0);
  EXPECT_EQ(stats.at("conference_sizes").at("min"), 0);
  EXPECT_EQ(stats.at("conferences"), 0);
  EXPECT_EQ(stats.at("conference_sizes").at("buckets").at("p99_upper_bound"), -1);
}

TEST(JicofoStatsTest, SizesAreThoseOfJicofo) {
  // One waits for others, one room is empty: both are meetings of one.
  const Json stats = jicofo_stats(with_sizes({{1, 0}, {0, 0}, {4, 1}, {41, 40}, {600, 0}}));
  EXPECT_EQ(stats.at("conferences"), 5);
  EXPECT_EQ(stats.at("participants"), 647);
  EXPECT_EQ(stats.at("visitors"), 41);
  EXPECT_EQ(stats.at("conferences_with_visitors"), 2);
  EXPECT_EQ(stats.at("largest_conference"), 600);
  EXPECT_EQ(stats.at("endpoint_pairs"), 1 + 1 + 16 + 1681 + 360'000);
  for (const char* key : {"conferences", "participants", "visitors", "endpoint_pairs"}) {
    EXPECT_TRUE(stats.at(key).is_number_integer()) << key;
  }
  const Json& sizes = stats.at("conference_sizes");
  EXPECT_EQ(sizes.at("average"), 647.0 / 5);
  EXPECT_EQ(sizes.at("max"), 600);
  EXPECT_EQ(sizes.at("min"), 1);
  EXPECT_EQ(sizes.at("total_value"), 647);
  EXPECT_EQ(sizes.at("total_count"), 5);
  const Json& buckets = sizes.at("buckets");
  EXPECT_EQ(buckets.at("0_to_1"), 0);
  EXPECT_EQ(buckets.at("1_to_2"), 2);
  EXPECT_EQ(buckets.at("3_to_5"), 1);
  EXPECT_EQ(buckets.at("20_to_50"), 1);
  EXPECT_EQ(buckets.at("500_to_max"), 1);
  EXPECT_EQ(buckets.at("p99_upper_bound"), -1) << "too few to tell";
}

TEST(JicofoStatsTest, AnEdgeBelongsToTheBucketAboveIt) {
  std::vector<focus::ConferenceSize> sizes;
  for (const std::size_t size : {1U, 2U, 3U, 5U, 10U, 20U, 50U, 100U, 200U, 300U, 400U, 500U}) {
    sizes.push_back({size, 0});
  }
  const Json buckets = jicofo_stats(with_sizes(sizes)).at("conference_sizes").at("buckets");
  for (const auto& [name, count] : buckets.items()) {
    if (name.find("_to_") != std::string::npos) {
      EXPECT_EQ(count, name == "0_to_1" ? 0 : 1) << name;
    }
  }
}

TEST(JicofoStatsTest, PercentilesAreUpperEdgesOfBuckets) {
  std::vector<focus::ConferenceSize> sizes(99, {2, 0});
  const auto bounds = [&sizes] {
    const Json buckets = jicofo_stats(with_sizes(sizes)).at("conference_sizes").at("buckets");
    return std::pair(buckets.at("p99_upper_bound").get<int>(),
                     buckets.at("p999_upper_bound").get<int>());
  };
  EXPECT_EQ(bounds(), std::pair(-1, -1));
  sizes.push_back({30, 0});
  EXPECT_EQ(bounds(), std::pair(50, -1)) << "99 of 100 are not more than 99 per cent";
  sizes.resize(1000, {2, 0});
  EXPECT_EQ(bounds(), std::pair(3, 50));
  sizes.push_back({600, 0});
  sizes.push_back({600, 0});
  EXPECT_EQ(bounds(), std::pair(3, -1)) << "the last bucket has no upper edge";
}

TEST(JicofoStatsTest, CountersAreToldUnderJicofosNames) {
  JicofoFigures figures = with_sizes({});
  focus::Counters& counters = figures.counters;
  counters.conferences_created = 7;
  counters.participants_seen = 30;
  counters.participants_moved = 4;
  counters.bridges_removed = 2;
  counters.restarts = 9;
  counters.ice_failed = 3;
  counters.restarts_limited = 1;
  counters.jingle_sent.at(static_cast<std::size_t>(proto::JingleAction::kSessionInitiate)) = 5;
  counters.jingle_received.at(static_cast<std::size_t>(proto::JingleAction::kSourceAdd)) = 6;
  figures.placement.bridge_failures.at(static_cast<std::size_t>(focus::FailureCause::kLeft)) = 8;
  figures.placement.bridge_failures.at(static_cast<std::size_t>(focus::FailureCause::kShutDown)) =
      20;
  const Json stats = jicofo_stats(figures);
  EXPECT_EQ(stats.at("total_conferences_created"), 7);
  EXPECT_EQ(stats.at("total_participants"), 30);
  EXPECT_EQ(stats.at("bridge_failures").at("participants_moved"), 4);
  EXPECT_EQ(stats.at("bridge_failures").at("bridges_removed"), 2);
  EXPECT_EQ(stats.at("participant_notifications").at("ice_failed"), 3);
  EXPECT_EQ(stats.at("participant_notifications").at("request_restart"), 7);
  EXPECT_EQ(stats.at("bridge_selector").at("lost_bridges"), 8);
  EXPECT_EQ(stats.at("jingle").at("sent"), Json({{"SESSION_INITIATE", 5}}));
  EXPECT_EQ(stats.at("jingle").at("received"), Json({{"SOURCEADD", 6}}));
  EXPECT_EQ(stats.at("threads"), 3);
  EXPECT_EQ(stats.at("version"), "1.2.3");
}

TEST(JicofoStatsTest, BridgesAndHealth) {
  JicofoFigures figures = with_sizes({});
  focus::BridgeView fresh;
  fresh.state = focus::BridgeState::kFresh;
  fresh.version = "2.3";
  focus::BridgeView failed = fresh;
  failed.state = focus::BridgeState::kFailed;
  focus::BridgeView leaving = fresh;
  leaving.graceful_shutdown = true;
  leaving.version = "2.2";
  figures.bridges = {fresh, failed, leaving, focus::BridgeView{}};
  figures.healthy = false;
  figures.problems = "no_bridge";
  const Json stats = jicofo_stats(figures);
  EXPECT_EQ(stats.at("bridge_selector").at("bridge_count"), 4);
  EXPECT_EQ(stats.at("bridge_selector").at("operational_bridge_count"), 3);
  EXPECT_EQ(stats.at("bridge_selector").at("in_shutdown_bridge_count"), 1);
  EXPECT_EQ(stats.at("bridge_selector").at("bridge_version_count"), 2);
  EXPECT_EQ(stats.at("healthy"), false);
  EXPECT_EQ(stats.at("health").at("success"), false);
  EXPECT_EQ(stats.at("health").at("message"), "no_bridge");
}

}  // namespace
}  // namespace bascule::admin
