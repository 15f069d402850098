// The keys of section [selection] that are more than a number.

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/config/minimal.h"

namespace bascule::config {
namespace {

using focus::PlacementOptions, focus::Strategy;
using std::chrono::milliseconds, std::chrono::seconds;
using testing::ElementsAre, testing::HasSubstr, testing::IsEmpty;

PlacementOptions options_of(const std::vector<std::pair<std::string, RawValue>>& more,
                            const Environment& environment = {}) {
  auto loaded = assemble(minimal_and(more), environment, no_files);
  EXPECT_TRUE(loaded.has_value()) << to_string(loaded.error()[0], "f.toml");
  return loaded ? loaded->config.focus.placement : PlacementOptions();
}

TEST(SelectionTest, TheDefaultsAreThoseOfTheOptions) {
  const PlacementOptions loaded = options_of({});
  const PlacementOptions built_in;
  EXPECT_EQ(loaded.strategy, Strategy::kBascule);
  EXPECT_FALSE(loaded.relays);
  EXPECT_THAT(loaded.region_groups, IsEmpty());
  EXPECT_THAT(loaded.standby_bridges, IsEmpty());
  EXPECT_EQ(loaded.max_per_conference_bridge, built_in.max_per_conference_bridge);
  EXPECT_EQ(loaded.focuses, 1u);
  EXPECT_EQ(loaded.relief_estimate, built_in.relief_estimate);
  EXPECT_EQ(loaded.ice_failure_permille, built_in.ice_failure_permille);
  EXPECT_EQ(loaded.pause_max, built_in.pause_max);
  EXPECT_EQ(loaded.max_decisions, built_in.max_decisions);
}

TEST(SelectionTest, AStrategyIsKnownByItsShortAndItsFullName) {
  const std::vector<std::pair<std::string, Strategy>> names = {
      {"SingleBridgeSelectionStrategy", Strategy::kSingle},
      {"SplitBridgeSelectionStrategy", Strategy::kSplit},
      {"RegionBasedBridgeSelectionStrategy", Strategy::kRegionBased},
      {"IntraRegionBridgeSelectionStrategy", Strategy::kIntraRegion},
      {"VisitorSelectionStrategy", Strategy::kVisitor}};
  for (const auto& [name, strategy] : names) {
    EXPECT_EQ(options_of({{"selection.strategy", name}}).strategy, strategy) << name;
    EXPECT_EQ(options_of({{"selection.strategy", "org.jitsi.jicofo.bridge." + name}}).strategy,
              strategy)
        << name;
  }
  EXPECT_EQ(options_of({{"selection.strategy", std::string("Bascule")}}).strategy,
            Strategy::kBascule);
}

TEST(SelectionTest, TheEnvironmentOfJicofoNamesAStrategy) {
  for (const char* variable : {"BRIDGE_SELECTION_STRATEGY", "OCTO_BRIDGE_SELECTION_STRATEGY"}) {
    EXPECT_EQ(options_of({}, {{variable, "RegionBasedBridgeSelectionStrategy"}}).strategy,
              Strategy::kRegionBased)
        << variable;
    EXPECT_EQ(
        options_of({}, {{variable, "org.jitsi.jicofo.bridge.IntraRegionBridgeSelectionStrategy"}})
            .strategy,
        Strategy::kIntraRegion)
        << variable;
  }
}

TEST(SelectionTest, AnUnknownStrategyIsRefusedWithTheKnownOnes) {
  for (const char* name :
       {"Region", "", "org.jitsi.jicofo.bridge.", "singlebridgeselectionstrategy",
        "org.example.SingleBridgeSelectionStrategy"}) {
    EXPECT_THAT(errors_of(minimal_and({{"selection.strategy", std::string(name)}})),
                ElementsAre(testing::AllOf(HasSubstr("selection.strategy"),
                                           HasSubstr("RegionBasedBridgeSelectionStrategy"))))
        << name;
  }
}

TEST(SelectionTest, MembersAndVisitorsHaveStrategiesOfTheirOwnButNotThatOfVisitorsAgain) {
  const PlacementOptions options =
      options_of({{"selection.strategy", std::string("VisitorSelectionStrategy")},
                  {"selection.participant-strategy", std::string("SplitBridgeSelectionStrategy")},
                  {"selection.visitor-strategy",
                   std::string("org.jitsi.jicofo.bridge.RegionBasedBridgeSelectionStrategy")}});
  EXPECT_EQ(options.participant_strategy, Strategy::kSplit);
  EXPECT_EQ(options.visitor_strategy, Strategy::kRegionBased);
  for (const char* key : {"selection.participant-strategy", "selection.visitor-strategy"}) {
    EXPECT_THAT(errors_of(minimal_and({{key, std::string("VisitorSelectionStrategy")}})),
                ElementsAre(HasSubstr(key)));
  }
}

TEST(SelectionTest, RegionGroupsAreListsOfNames) {
  const std::vector<std::string> groups = {"eu-west eu-central", " us-east\tus-west ", "asia"};
  EXPECT_THAT(options_of({{"selection.region-groups", groups}}).region_groups,
              ElementsAre(ElementsAre("eu-west", "eu-central"), ElementsAre("us-east", "us-west"),
                          ElementsAre("asia")));
}

TEST(SelectionTest, ARegionIsInOneGroupAtMostAndNoGroupIsEmpty) {
  const std::vector<std::vector<std::string>> wrong = {
      {"eu-west eu-central", "us eu-west"}, {"eu eu"}, {"eu", ""}, {"  "}};
  for (const std::vector<std::string>& groups : wrong) {
    EXPECT_THAT(errors_of(minimal_and({{"selection.region-groups", groups}})),
                ElementsAre(HasSubstr("selection.region-groups")))
        << groups.front();
  }
  EXPECT_THAT(errors_of(minimal_and({{"selection.region-groups", std::string("eu us")}})),
              ElementsAre(HasSubstr("list of groups")));
}

TEST(SelectionTest, RegionGroupsArePrintedAsTheyAreRead) {
  const auto index = find_key("selection.region-groups");
  ASSERT_TRUE(index.has_value());
  const Field& field = keys().at(*index).field;
  Config config;
  ASSERT_TRUE(
      field.assign(config, RawValue(std::vector<std::string>{"eu-west  eu-central", "us"})));
  EXPECT_EQ(field.print(config), R"(["eu-west eu-central", "us"])");
}

TEST(SelectionTest, StandbyBridgesAreNicks) {
  const std::vector<std::string> nicks = {"jvb7", "jvb8"};
  EXPECT_EQ(options_of({{"selection.standby-bridges", nicks}}).standby_bridges, nicks);
  for (const char* wrong : {"", "two words", "a\"b"}) {
    EXPECT_THAT(errors_of(minimal_and(
                    {{"selection.standby-bridges", std::vector<std::string>{"jvb7", wrong}}})),
                ElementsAre(HasSubstr("selection.standby-bridges")))
        << wrong;
  }
}

TEST(SelectionTest, TheRestOfJicofosEnvironmentIsUnderstood) {
  const PlacementOptions options = options_of({}, {{"ENABLE_OCTO", "true"},
                                                   {"MAX_BRIDGE_PARTICIPANTS", "120"},
                                                   {"JICOFO_OCTO_REGION", "eu"},
                                                   {"JICOFO_ENABLE_ICE_FAILURE_DETECTION", "0"}});
  EXPECT_TRUE(options.relays);
  EXPECT_EQ(options.max_per_conference_bridge, 120);
  EXPECT_EQ(options.local_region, "eu");
  EXPECT_FALSE(options.ice_failure_detection);
}

TEST(SelectionTest, SharesAreFractionsAndTimesHaveUnits) {
  const PlacementOptions options = options_of({{"selection.ice-failure-share", Millionths{500'000}},
                                               {"selection.relief-sample", Millionths{1'000'000}},
                                               {"selection.split-wait", std::string("500 ms")},
                                               {"selection.plan-ttl", std::string("2 min")}});
  EXPECT_EQ(options.ice_failure_permille, 500);
  EXPECT_EQ(options.relief_sample, Stress(1'000'000));
  EXPECT_EQ(options.split_wait, milliseconds{500});
  EXPECT_EQ(options.plan_ttl, seconds{120});
}

TEST(SelectionTest, NumbersOutsideTheirRangeAreRefused) {
  const std::vector<std::pair<std::string, RawValue>> wrong = {
      {"selection.max-per-conference-bridge", std::int64_t{0}},
      {"selection.max-bridges-per-conference", std::int64_t{33}},
      {"selection.relay-load", std::int64_t{-1}},
      {"selection.focuses", std::int64_t{9}},
      {"selection.plan-ttl", std::string("9 s")},
      {"selection.relief-people", std::int64_t{1001}},
      {"selection.growth-min", std::int64_t{0}},
      {"selection.bucket-width", Millionths{500}},
      {"selection.make-room-size", std::int64_t{100}},    // Above make-room-size-max.
      {"selection.global-rate-min", std::int64_t{600}}};  // Above global-rate.
  for (const auto& entry : wrong) {
    EXPECT_THAT(errors_of(minimal_and({entry})), ElementsAre(HasSubstr(entry.first)));
  }
}

}  // namespace
}  // namespace bascule::config
