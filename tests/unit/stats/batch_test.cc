#include "stats/batch.h"

#include <gtest/gtest.h>

#include "base/prng.h"

namespace bascule::stats {
namespace {

BridgeJid bridge(int number) {
  return BridgeJid(Jid::parse("brewery@internal.example.net/jvb" + std::to_string(number)).value());
}

ReceivedReport full_report() {
  ReceivedReport report{.source = ReportSource::kPubsub,
                        .received = Instant(Duration(12)),
                        .received_wall = WallTime(Duration(-5))};
  report.report.bridge = bridge(1);
  report.report.stress = Stress(1'100'000);
  report.report.average_participant_stress = Stress(10'000);
  report.report.healthy = false;
  report.report.drain = true;
  report.report.graceful_shutdown = false;
  report.report.version = "2.3.219";
  report.report.region = "";
  report.report.local_endpoints = 17;
  report.report.bridge_timestamp = "2026-11-21 10:00:00.000";
  return report;
}

TEST(BatchTest, ReportsSurviveEncoding) {
  ReceivedReport sparse;
  sparse.report.bridge = bridge(2);
  for (const ReceivedReport& report : {full_report(), sparse}) {
    const auto decoded = decode_report(encode(report));
    ASSERT_TRUE(decoded.has_value());
    EXPECT_EQ(*decoded, report);
  }
}

TEST(BatchTest, DamagedReportsNeverCrash) {
  const std::string bytes = encode(full_report());
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
      const auto decoded = decode_report(damaged);
      if (decoded) {
        ASSERT_EQ(decode_report(encode(*decoded)), *decoded);
      } else {
        ASSERT_EQ(decoded.error().code, Errc::kCorrupt);
      }
    }
    ASSERT_FALSE(decode_report(std::string_view(bytes).substr(0, at)).has_value());
  }
}

TEST(BatchTest, AFullBatchKeepsTheNewestReportOfAKnownBridge) {
  Batch batch(2);
  ReceivedReport first;
  first.report.bridge = bridge(1);
  ReceivedReport second;
  second.report.bridge = bridge(2);
  ASSERT_TRUE(batch.add(first));
  ASSERT_TRUE(batch.add(second));
  ReceivedReport newer = full_report();
  ASSERT_TRUE(batch.add(newer));
  ReceivedReport stranger;
  stranger.report.bridge = bridge(3);
  EXPECT_EQ(batch.add(stranger).error().code, Errc::kUnavailable);
  EXPECT_EQ(batch.reports(), (std::vector{newer, second}));
}

}  // namespace
}  // namespace bascule::stats
