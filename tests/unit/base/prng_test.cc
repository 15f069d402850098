#include "base/prng.h"

#include <array>

#include <gtest/gtest.h>

namespace bascule {
namespace {

TEST(PrngTest, MatchesTheReferenceSequenceOfSplitMix64) {
  Prng prng(1234567);
  EXPECT_EQ(prng.next(), 6457827717110365317ULL);
  EXPECT_EQ(prng.next(), 3203168211198807973ULL);
}

TEST(PrngTest, BelowIsInRangeAndReachesEveryValue) {
  Prng prng(7);
  std::array<int, 5> seen{};
  for (int i = 0; i < 1'000; ++i) {
    const auto value = prng.below(5);
    ASSERT_LT(value, 5U);
    ++seen[value];
  }
  for (const int count : seen) {
    EXPECT_GT(count, 100);
  }
}

}  // namespace
}  // namespace bascule
