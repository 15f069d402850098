#include "stats/freshness.h"

#include <gtest/gtest.h>

namespace bascule::stats {
namespace {

using std::chrono::milliseconds, std::chrono::seconds;
constexpr Instant kReceived{seconds{1000}};

TEST(FreshnessTest, AgesAtItsLimits) {
  EXPECT_EQ(freshness(kReceived, kReceived), Freshness::kFresh);
  EXPECT_EQ(freshness(kReceived, kReceived + seconds{15}), Freshness::kFresh);
  EXPECT_EQ(freshness(kReceived, kReceived + milliseconds{15'001}), Freshness::kStale);
  EXPECT_EQ(freshness(kReceived, kReceived + seconds{45}), Freshness::kStale);
  EXPECT_EQ(freshness(kReceived, kReceived + milliseconds{45'001}), Freshness::kFailed);
  EXPECT_EQ(freshness(kReceived, kReceived - seconds{1}), Freshness::kFresh);
}

}  // namespace
}  // namespace bascule::stats
