#include "focus/selector.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/focus/placement_fixture.h"

namespace bascule::focus {
namespace {

/// Owns the bridges that candidates point to.
class Fleet {
 public:
  Candidate add(std::int64_t estimate, bool ready = true, std::int64_t growth = 0) {
    bridges_.push_back(
        std::make_unique<Bridge>(bridge(static_cast<int>(bridges_.size())), PlacementOptions{}));
    Candidate candidate;
    candidate.bridge = bridges_.back().get();
    candidate.estimate = Stress(estimate);
    candidate.growth = Stress(growth);
    candidate.capacity = Stress::full();
    candidate.cost_per_unit = Stress(10'000);
    candidate.takes_new = true;
    candidate.ready = ready;
    return candidate;
  }
  Bridge& at(std::size_t index) { return *bridges_[index]; }

 private:
  std::vector<std::unique_ptr<Bridge>> bridges_;
};

Need need_of(Milliunits load, std::int64_t limit) {
  Need need;
  need.load = load;
  need.limit = Stress(limit);
  return need;
}

TEST(SelectorTest, ChoosesAtRandomInTheLowestBucketOnly) {
  Fleet fleet;
  Selector selector;
  selector.reset({fleet.add(305'000), fleet.add(301'000), fleet.add(311'000), fleet.add(309'999)});
  Prng prng(1);
  std::map<std::size_t, int> chosen;
  for (int i = 0; i < 3'000; ++i) {
    ++chosen[selector.choose(need_of(1'000, 750'000), prng).candidate.value()];
  }
  EXPECT_EQ(chosen.size(), 3u);
  EXPECT_FALSE(chosen.contains(2));
  for (const auto& [index, count] : chosen) {
    EXPECT_GT(count, 900) << index;
  }
}

TEST(SelectorTest, NobodyWithRoomMeansNobody) {
  Fleet fleet;
  Selector selector;
  selector.reset(
      {fleet.add(745'000), fleet.add(700'000, false), fleet.add(100'000, true, 645'000)});
  Prng prng(1);
  Choice choice = selector.choose(need_of(1'000, 750'000), prng);
  EXPECT_FALSE(choice.candidate.has_value());
  EXPECT_TRUE(choice.capacity_seen);  // The second has room but no pace.
  choice = selector.choose(need_of(6'000, 750'000), prng);
  EXPECT_FALSE(choice.candidate.has_value());
  Need careless = need_of(6'000, 750'000);
  careless.respect_growth = false;
  EXPECT_EQ(selector.choose(careless, prng).candidate, 2u);
  Need plan = need_of(1'000, 750'000);
  plan.pace_matters = false;
  EXPECT_EQ(selector.choose(plan, prng).candidate, 1u);
  EXPECT_FALSE(Selector().choose(plan, prng).capacity_seen);
}

TEST(SelectorTest, ALimitIsAShareOfTheCapacity) {
  Fleet fleet;
  Candidate weak = fleet.add(600'000);
  weak.capacity = Stress(800'000);
  EXPECT_FALSE(Selector::fits(weak, 1'000, Stress(750'000), true));
  EXPECT_TRUE(Selector::fits(weak, 1'000, Stress(770'000), true));
}

TEST(SelectorTest, RegionAndAvoidanceNarrowTheChoice) {
  Fleet fleet;
  Selector selector;
  selector.reset({fleet.add(0), fleet.add(100'000), fleet.add(200'000)});
  fleet.at(1).region = "eu";
  fleet.at(2).region = "eu";
  Prng prng(1);
  const std::string region = "eu";
  const std::vector<const Bridge*> avoid = {&fleet.at(1)};
  Need need = need_of(1'000, 750'000);
  need.region = &region;
  EXPECT_EQ(selector.choose(need, prng).candidate, 1u);
  need.avoid = avoid;
  EXPECT_EQ(selector.choose(need, prng).candidate, 2u);
}

// Goal: remembered refusals never change an answer. Method: random fleets, needs and updates; each
// choice is compared with a plain look at all candidates.
TEST(SelectorTest, AgreesWithALookAtEverybody) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Prng prng(seed);
    Fleet fleet;
    std::vector<Candidate> all;
    for (std::uint64_t i = 0; i < 1 + prng.below(12); ++i) {
      all.push_back(fleet.add(static_cast<std::int64_t>(500'000 + prng.below(450'000)),
                              prng.below(2) == 0, static_cast<std::int64_t>(prng.below(100'000))));
    }
    Selector selector;
    selector.reset(all);
    for (int step = 0; step < 300; ++step) {
      if (prng.below(4) == 0) {
        const auto index = static_cast<std::size_t>(prng.below(all.size()));
        all[index].estimate = Stress(static_cast<std::int64_t>(500'000 + prng.below(450'000)));
        all[index].ready = prng.below(2) == 0;
        all[index].takes_new = prng.below(5) > 0;
        selector.update(index, all[index]);
      }
      Need need = need_of(static_cast<Milliunits>(prng.below(20'000)),
                          std::vector<std::int64_t>{
                              750'000, 850'000, 900'000}[static_cast<std::size_t>(prng.below(3))]);
      need.respect_growth = prng.below(4) > 0;
      std::optional<std::int64_t> lowest;
      for (const Candidate& candidate : all) {
        if (candidate.takes_new && candidate.ready &&
            Selector::fits(candidate, need.load, need.limit, need.respect_growth)) {
          const std::int64_t bucket = (candidate.estimate + candidate.growth).millionths() / 10'000;
          lowest = lowest ? std::min(*lowest, bucket) : bucket;
        }
      }
      const Choice choice = selector.choose(need, prng);
      ASSERT_EQ(choice.candidate.has_value(), lowest.has_value());
      if (choice.candidate) {
        const Candidate& chosen = all[*choice.candidate];
        ASSERT_TRUE(chosen.takes_new && chosen.ready);
        ASSERT_TRUE(Selector::fits(chosen, need.load, need.limit, need.respect_growth));
        ASSERT_EQ((chosen.estimate + chosen.growth).millionths() / 10'000, *lowest);
      }
    }
  }
}

}  // namespace
}  // namespace bascule::focus
