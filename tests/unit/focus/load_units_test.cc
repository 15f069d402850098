#include "focus/load_units.h"

#include <utility>

#include <gtest/gtest.h>

namespace bascule::focus {
namespace {

using std::chrono::milliseconds, std::chrono::seconds;
constexpr Duration kRamp = seconds{20};
constexpr Duration kWindow = seconds{10};

TEST(LoadUnitsTest, AParticipantWeighsMoreInALargerConference) {
  for (const auto& [size, load] : {std::pair{1, 460},
                                   {2, 520},
                                   {3, 580},
                                   {4, 640},
                                   {5, 700},
                                   {6, 760},
                                   {8, 880},
                                   {10, 1000},
                                   {15, 1300},
                                   {20, 1600},
                                   {30, 1600},
                                   {60, 1600}}) {
    EXPECT_EQ(participant_load(size), load) << size;
    EXPECT_EQ(conference_load(size), size * load) << size;
  }
}

TEST(LoadUnitsTest, StressIsRoundedUpForLoadAndTowardZeroForCredits) {
  EXPECT_EQ(stress_of(1, Stress(1)), Stress(1));
  EXPECT_EQ(stress_of(1'000, Stress(10'000)), Stress(10'000));
  EXPECT_EQ(stress_of(460, Stress(10'001)), Stress(4'601));
  EXPECT_EQ(stress_of(-460, Stress(10'001)), Stress(-4'600));
}

// The share of a load of some age that a ten second average can contain, in 1/32768.
TEST(LoadUnitsTest, AJoinBecomesVisibleSlowly) {
  for (const auto& [age_ms, share] : {std::pair{0, 0},
                                      {1'000, 0},
                                      {2'000, 82},
                                      {3'000, 328},
                                      {4'000, 737},
                                      {5'000, 1311},
                                      {7'500, 3461},
                                      {10'000, 6636},
                                      {12'500, 10650},
                                      {15'000, 14746},
                                      {17'500, 18842},
                                      {20'000, 22938},
                                      {22'500, 26849},
                                      {25'000, 29819},
                                      {27'500, 31764},
                                      {30'000, 32686},
                                      {31'000, 32768},
                                      {40'000, 32768},
                                      {86'400'000, 32768}}) {
    EXPECT_NEAR(static_cast<double>(visible_join_share(milliseconds{age_ms}, kRamp, kWindow)),
                share, 1)
        << age_ms;
  }
  EXPECT_EQ(visible_join_share(seconds{-5}, kRamp, kWindow), 0);
}

TEST(LoadUnitsTest, AJoinWithoutRampIsVisibleAfterSetupAndWindow) {
  EXPECT_EQ(visible_join_share(seconds{1}, Duration::zero(), kWindow), 0);
  EXPECT_NEAR(static_cast<double>(visible_join_share(seconds{6}, Duration::zero(), kWindow)),
              static_cast<double>(kWholeShare) / 2, 4);
  EXPECT_EQ(visible_join_share(milliseconds{11'001}, Duration::zero(), kWindow), kWholeShare);
}

TEST(LoadUnitsTest, ALeaveBecomesVisibleWithinOneWindow) {
  EXPECT_EQ(visible_leave_share(seconds{-1}, kWindow), 0);
  EXPECT_EQ(visible_leave_share(Duration::zero(), kWindow), 0);
  EXPECT_EQ(visible_leave_share(seconds{5}, kWindow), kWholeShare / 2);
  EXPECT_EQ(visible_leave_share(seconds{10}, kWindow), kWholeShare);
  EXPECT_EQ(visible_leave_share(seconds{99}, kWindow), kWholeShare);
}

TEST(LoadUnitsTest, VisibilityNeverShrinksWithAge) {
  std::int64_t previous = 0;
  for (Duration age{}; age < seconds{40}; age += milliseconds{7}) {
    const std::int64_t share = visible_join_share(age, kRamp, kWindow);
    ASSERT_GE(share, previous);
    previous = share;
  }
  EXPECT_EQ(previous, kWholeShare);
}

}  // namespace
}  // namespace bascule::focus
