#include "focus/source_filter.h"

#include <gtest/gtest.h>

#include "source_builders.h"

namespace bascule::focus {
namespace {

using testing::a, testing::v, testing::sim, testing::fid, testing::set_of;
using testing::simulcast_set;

TEST(SourceFilterTest, KeepsTheFirstLayerAndItsRetransmission) {
  auto set = simulcast_set();
  set.video.push_back(v(8).source);
  EXPECT_EQ(strip_simulcast(set), set_of({v(1, "m"), v(4, "m"), v(8), a(7)}, {fid({1, 4})}));
}

TEST(SourceFilterTest, KeepsSourcesOutsideTheGroup) {
  EXPECT_EQ(strip_simulcast(set_of({v(1), v(2), v(3), v(8)}, {sim({1, 2, 3})})),
            set_of({v(1), v(8)}));
}

TEST(SourceFilterTest, StripsEverySimulcastGroup) {
  EXPECT_EQ(strip_simulcast(set_of({v(1), v(2), v(3), v(4), v(5), v(6), v(7), v(8)},
                                   {sim({1, 2, 3}), sim({4, 5, 6})})),
            set_of({v(1), v(4), v(7), v(8)}));
}

TEST(SourceFilterTest, LeavesAloneWhatHasNoSimulcast) {
  const auto set = set_of({v(1, "m"), v(4, "m"), a(7)}, {fid({1, 4})});
  EXPECT_EQ(strip_simulcast(set), set);
}

TEST(SourceFilterTest, DropsTheMediaTheReceiverLacks) {
  const auto set = simulcast_set();
  EXPECT_EQ(filtered(set, {.audio = true, .video = false}), set_of({a(7)}));
  const auto video_only = filtered(set, {.audio = false, .video = true, .strip_simulcast = false});
  EXPECT_TRUE(video_only.audio.empty());
  EXPECT_EQ(video_only.video, set.video);
  EXPECT_EQ(video_only.video_groups, set.video_groups);
}

TEST(SourceFilterTest, FollowsOptionsAndFeatures) {
  OfferOptions options;
  options.strip_simulcast = false;
  EXPECT_EQ(source_filter(options, Features().add(Feature::kAudio)),
            (SourceFilter{.audio = true, .video = false, .strip_simulcast = false}));
}

TEST(SourceFilterTest, DifferenceIsElementByElementOnAllFields) {
  const auto left = set_of({v(1, "m"), v(2, "m"), a(7)}, {fid({1, 2})});
  const auto right = set_of({v(1, "other"), v(2, "m"), a(7)}, {fid({2, 1})});
  EXPECT_EQ(difference(left, right), set_of({v(1, "m")}, {fid({1, 2})}));
  EXPECT_TRUE(difference(left, left).empty());
}

}  // namespace
}  // namespace bascule::focus
