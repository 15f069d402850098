#include <utility>

#include <gtest/gtest.h>

#include "focus/load_units.h"

namespace bascule::focus {
namespace {

using std::chrono::hours, std::chrono::milliseconds, std::chrono::seconds;

struct Vector {
  int age_s;
  std::int64_t share;
};

// round(32768 * exp(-age / decay)), computed with arbitrary precision.
TEST(FadedShareTest, IsTheExponentialOfAgeOverDecay) {
  const std::vector<std::pair<int, std::vector<Vector>>> tables = {
      {1, {{0, 32'768}, {1, 12'055}, {2, 4'435}}},
      {2, {{0, 32'768}, {1, 19'875}, {2, 12'055}}},
      {120,
       {{1, 32'496},
        {2, 32'226},
        {60, 19'875},
        {120, 12'055},
        {300, 2'690},
        {600, 221},
        {1200, 1}}},
      {300,
       {{1, 32'659},
        {2, 32'550},
        {60, 26'828},
        {120, 21'965},
        {300, 12'055},
        {600, 4'435},
        {1200, 600},
        {1920, 54},
        {4800, 0}}}};
  for (const auto& [decay, vectors] : tables) {
    for (const Vector& vector : vectors) {
      EXPECT_NEAR(static_cast<double>(faded_share(seconds{vector.age_s}, seconds{decay})),
                  static_cast<double>(vector.share), 1)
          << vector.age_s << " s of " << decay << " s";
    }
  }
}

TEST(FadedShareTest, NothingHasFadedAtOnceNorBeforeTheBeginning) {
  EXPECT_EQ(faded_share(Duration::zero(), seconds{120}), kWholeShare);
  EXPECT_EQ(faded_share(-seconds{5}, seconds{120}), kWholeShare);
}

TEST(FadedShareTest, CountsWholeSecondsAndNeverRises) {
  EXPECT_EQ(faded_share(milliseconds{1'999}, seconds{120}), faded_share(seconds{1}, seconds{120}));
  std::int64_t before = kWholeShare;
  for (int second = 0; second < 3'000; ++second) {
    const std::int64_t share = faded_share(seconds{second}, seconds{120});
    ASSERT_LE(share, before) << second;
    before = share;
  }
  EXPECT_EQ(before, 0);
}

TEST(FadedShareTest, VeryLongTimesAreNoMatter) {
  EXPECT_EQ(faded_share(hours{1'000'000}, seconds{1}), 0);
  EXPECT_EQ(faded_share(hours{24 * 365}, hours{24}), 0);
  EXPECT_NEAR(static_cast<double>(faded_share(hours{24}, hours{24})), 12'055, 1);
}

}  // namespace
}  // namespace bascule::focus
