#include "focus/selector.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/focus/placement_fixture.h"

namespace bascule::focus {
namespace {

PlacementOptions plain_costs() {
  PlacementOptions options = unpaced();
  options.margin_permille = 0;
  options.max_in_flight = 1;
  return options;
}

/// Bridges that report a load, sorted into a selector.
class Fleet {
 public:
  explicit Fleet(const PlacementOptions& options = plain_costs())
      : registry_(options), selector_(registry_, options) {}

  Bridge& add(std::int64_t stress, bool ready = true, std::int64_t growth = 0) {
    Bridge& added = *registry_.find_or_create(bridge(count_++));
    set(added, stress, ready, growth);
    return added;
  }
  /// `growth` in millionths of stress, a multiple of ten.
  void set(Bridge& bridge, std::int64_t stress, bool ready, std::int64_t growth = 0) {
    registry_.report(report_of(bridge.jid, stress, ++sequence_), now_);
    bridge.in_flight = ready ? 0 : 1;
    bridge.growth = growth / 10;
    selector_.sort_in(bridge, now_);
    selector_.begin_pass();
  }
  Choice choose(const Need& need) { return selector_.choose(need, now_, prng_); }
  [[nodiscard]] Stress load_of(const Bridge& bridge) const {
    const Candidate candidate = selector_.look(bridge, now_);
    return candidate.estimate + candidate.growth;
  }
  [[nodiscard]] Instant now() const { return now_; }
  Selector& selector() { return selector_; }
  BridgeRegistry& registry() { return registry_; }
  Prng& prng() { return prng_; }

 private:
  BridgeRegistry registry_;
  Selector selector_;
  Prng prng_{1};
  Instant now_ = at(std::chrono::seconds{1}).mono;
  int count_ = 0;
  std::int64_t sequence_ = 0;
};

Need needs(Milliunits load, std::int64_t limit) {
  Need need;
  need.load = load;
  need.limit = Stress(limit);
  return need;
}

TEST(SelectorTest, ChoosesAtRandomInTheLowestBucketOnly) {
  Fleet fleet;
  fleet.add(305'000);
  fleet.add(301'000);
  const Bridge& busier = fleet.add(311'000);
  fleet.add(309'999);
  std::map<BridgeJid, int> chosen;
  for (int i = 0; i < 3'000; ++i) {
    ++chosen[fleet.choose(needs(1'000, 750'000)).bridge->jid];
  }
  EXPECT_EQ(chosen.size(), 3u);
  EXPECT_FALSE(chosen.contains(busier.jid));
  for (const auto& [jid, count] : chosen) {
    EXPECT_GT(count, 900) << jid.to_string();
  }
}

TEST(SelectorTest, NobodyWithRoomMeansNobody) {
  Fleet fleet;
  fleet.add(745'000);
  const Bridge& unready = fleet.add(700'000, false);
  const Bridge& reserved = fleet.add(100'000, true, 645'000);
  Choice choice = fleet.choose(needs(1'000, 750'000));
  EXPECT_EQ(choice.bridge, nullptr);
  EXPECT_TRUE(choice.capacity_seen);  // The second has room but no pace.
  choice = fleet.choose(needs(6'000, 750'000));
  EXPECT_EQ(choice.bridge, nullptr);
  Need careless = needs(6'000, 750'000);
  careless.respect_growth = false;
  EXPECT_EQ(fleet.choose(careless).bridge, &reserved);
  Need plan = needs(1'000, 750'000);
  plan.pace_matters = false;
  EXPECT_EQ(fleet.choose(plan).bridge, &unready);
  EXPECT_FALSE(Fleet().choose(plan).capacity_seen);
}

TEST(SelectorTest, ALimitIsAShareOfTheCapacity) {
  const Candidate weak{.estimate = Stress(600'000),
                       .growth = Stress(),
                       .capacity = Stress(800'000),
                       .cost_per_unit = Stress(10'000)};
  EXPECT_FALSE(Selector::fits(weak, 1'000, Stress(750'000), true));
  EXPECT_TRUE(Selector::fits(weak, 1'000, Stress(770'000), true));
}

TEST(SelectorTest, FiltersNarrowTheChoice) {
  Fleet fleet;
  fleet.add(0);
  Bridge& near = fleet.add(100'000);
  Bridge& far = fleet.add(200'000);
  near.region = far.region = "eu";
  far.version = "2.3";
  far.relay_id = "r";
  const std::vector<std::string> regions = {"eu"};
  const std::vector<const Bridge*> avoid = {&near};
  Need need = needs(1'000, 750'000);
  need.regions = &regions;
  EXPECT_EQ(fleet.choose(need).bridge, &near);
  need.avoid = avoid;
  EXPECT_EQ(fleet.choose(need).bridge, &far);
  need.avoid = {};
  const std::string version = "2.3";
  need.version = &version;
  EXPECT_EQ(fleet.choose(need).bridge, &far);
  need.version = nullptr;
  need.wants_relay = true;
  EXPECT_EQ(fleet.choose(need).bridge, &far);
  far.relay_id.reset();
  const Choice none = fleet.choose(need);
  EXPECT_EQ(none.bridge, nullptr);
  EXPECT_FALSE(none.anybody_suits);
}

TEST(SelectorTest, SpareAndDrainingBridgesAreNotInTheOrder) {
  Fleet fleet;
  Bridge& spare = fleet.add(0);
  spare.standby = true;
  fleet.selector().sort_in(spare, fleet.now());
  EXPECT_EQ(fleet.selector().open_count(), 0u);
  spare.activated = true;
  fleet.selector().sort_in(spare, fleet.now());
  EXPECT_EQ(fleet.choose(needs(1'000, 750'000)).bridge, &spare);
  spare.drain = true;
  fleet.selector().sort_in(spare, fleet.now());
  EXPECT_EQ(fleet.choose(needs(1'000, 750'000)).bridge, nullptr);
}

TEST(SelectorTest, WithSeveralFocusesTheOrderIsNotTheSameForAll) {
  PlacementOptions options = plain_costs();
  options.focuses = 4;
  Fleet fleet(options);
  for (int i = 0; i < 10; ++i) {
    fleet.add(100'000 + 20'000 * i);
  }
  std::map<BridgeJid, int> chosen;
  for (int i = 0; i < 2'000; ++i) {
    ++chosen[fleet.choose(needs(1'000, 750'000)).bridge->jid];
  }
  EXPECT_GE(chosen.size(), 9u);  // The worst is drawn twice in one of a hundred.
  EXPECT_GT(chosen[bridge(0)], chosen[bridge(8)] * 3);
}

// Goal: buckets and remembered refusals never change an answer. Method: random fleets, needs and
// updates; each choice is compared with a plain look at all bridges.
TEST(SelectorTest, AgreesWithALookAtEverybody) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Prng prng(seed);
    Fleet fleet;
    std::vector<Bridge*> all;
    const auto random_stress = [&] { return static_cast<std::int64_t>(prng.below(1'000'000)); };
    for (std::uint64_t i = 0; i < 1 + prng.below(12); ++i) {
      all.push_back(&fleet.add(random_stress(), prng.below(2) == 0,
                               static_cast<std::int64_t>(prng.below(10'000)) * 10));
    }
    for (int step = 0; step < 300; ++step) {
      if (prng.below(4) == 0) {
        Bridge& changed = *all[static_cast<std::size_t>(prng.below(all.size()))];
        changed.cordoned = prng.below(5) == 0;
        fleet.set(changed, random_stress(), prng.below(2) == 0);
      }
      Need need = needs(static_cast<Milliunits>(prng.below(20'000)),
                        std::vector<std::int64_t>{
                            750'000, 850'000, 900'000}[static_cast<std::size_t>(prng.below(3))]);
      need.respect_growth = prng.below(4) > 0;
      std::optional<std::int64_t> lowest;
      for (const Bridge* each : all) {
        if (BridgeRegistry::takes_new(*each, fleet.now()) && each->in_flight == 0 &&
            Selector::fits(fleet.selector().look(*each, fleet.now()), need.load, need.limit,
                           need.respect_growth)) {
          const std::int64_t bucket = fleet.load_of(*each).millionths() / 10'000;
          lowest = lowest ? std::min(*lowest, bucket) : bucket;
        }
      }
      const Choice choice = fleet.choose(need);
      ASSERT_EQ(choice.bridge != nullptr, lowest.has_value());
      if (choice.bridge != nullptr) {
        ASSERT_EQ(choice.bridge->in_flight, 0u);
        ASSERT_TRUE(Selector::fits(fleet.selector().look(*choice.bridge, fleet.now()), need.load,
                                   need.limit, need.respect_growth));
        ASSERT_EQ(fleet.load_of(*choice.bridge).millionths() / 10'000, *lowest);
      }
      fleet.selector().check_invariants(fleet.now());
    }
  }
}

}  // namespace
}  // namespace bascule::focus
