#include "focus/bridge_report.h"

#include <string>

#include <gtest/gtest.h>

namespace bascule::focus {
namespace {

const BridgeJid kBridge(Jid::parse("brewery@internal.example.net/jvb1").value());

Result<stats::BridgeReport> report_of(std::map<std::string, std::string> values) {
  return to_report(kBridge, proto::ColibriStats{.values = std::move(values)});
}

TEST(BridgeReportTest, ReadsWhatABridgePublishes) {
  const auto report = report_of({{"stress_level", "1.1"},
                                 {"average_participant_stress", "0.01"},
                                 {"healthy", "true"},
                                 {"drain", "false"},
                                 {"graceful_shutdown", "true"},
                                 {"version", "2.3.219"},
                                 {"release", "7"},
                                 {"region", "eu"},
                                 {"relay_id", "r1"},
                                 {"local_endpoints", "17"},
                                 {"total_participants", "400"},
                                 {"current_timestamp", "2026-11-21 10:00:00.000"},
                                 {"cpu_usage", "nonsense"}});
  ASSERT_TRUE(report.has_value());
  stats::BridgeReport expected;
  expected.bridge = kBridge;
  expected.stress = Stress(1'100'000);
  expected.average_participant_stress = Stress(10'000);
  expected.healthy = true;
  expected.drain = false;
  expected.graceful_shutdown = true;
  expected.version = "2.3.219";
  expected.release = "7";
  expected.region = "eu";
  expected.relay_id = "r1";
  expected.local_endpoints = 17;
  expected.total_participants = 400;
  expected.bridge_timestamp = "2026-11-21 10:00:00.000";
  EXPECT_EQ(*report, expected);
}

TEST(BridgeReportTest, WhatIsOutOfItsRangeIsAbsent) {
  for (const char* bad : {"-0.1", "10.1", "NaN", "Infinity", "", "1,5", "99999999999999999999"}) {
    const auto report = report_of({{"stress_level", bad}, {"drain", "false"}});
    ASSERT_TRUE(report.has_value()) << bad;
    EXPECT_FALSE(report->stress.has_value()) << bad;
  }
  for (const char* good : {"0", "0.0", "10", "1.0E-4"}) {
    EXPECT_TRUE(report_of({{"stress_level", good}})->stress.has_value()) << good;
  }
  const auto report = report_of({{"local_endpoints", "-1"},
                                 {"total_participants", "1000000001"},
                                 {"region", std::string(5'000, 'x')}});
  ASSERT_TRUE(report.has_value());
  EXPECT_FALSE(report->local_endpoints.has_value());
  EXPECT_FALSE(report->total_participants.has_value());
  EXPECT_EQ(report->region->size(), 200U);
}

TEST(BridgeReportTest, SilenceIsNoReport) {
  EXPECT_EQ(report_of({}).error().code, Errc::kMalformed);
  EXPECT_EQ(report_of({{"cpu_usage", "0.5"}, {"region", ""}}).error().code, Errc::kMalformed);
}

}  // namespace
}  // namespace bascule::focus
