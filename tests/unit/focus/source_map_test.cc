#include "focus/source_map.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/prng.h"
#include "source_builders.h"

namespace bascule::focus {
namespace {

using proto::EndpointSources;
using testing::a, testing::v, testing::sim, testing::fid, testing::set_of, testing::endpoint;
using testing::simulcast_set;

const EndpointId kOne = endpoint("e1");
const EndpointId kTwo = endpoint("e2");

struct Given {
  EndpointId owner;
  EndpointSources sources;
};

struct Vector {
  std::string name;
  std::vector<Given> before;
  EndpointId owner;
  EndpointSources request;
  EndpointSources result;  // What is announced.
};

struct BadVector {
  std::string name;
  std::vector<Given> before;
  EndpointId owner;
  EndpointSources request;
  SourceRule rule;
  std::string text;
  SourceLimits limits;
};

ConferenceSourceMap make_map(const std::vector<Given>& given, SourceLimits limits = {}) {
  ConferenceSourceMap map(limits);
  for (const Given& item : given) {
    EXPECT_TRUE(map.add(item.owner, item.sources).has_value());
  }
  return map;
}

std::map<EndpointId, EndpointSources> contents(const ConferenceSourceMap& map) {
  std::map<EndpointId, EndpointSources> result;
  for (const auto& [owner, snapshot] : map.owners()) {
    result.emplace(owner, snapshot.sources());
  }
  return result;
}

EndpointSources plain(std::uint32_t first, std::uint32_t count) {
  EndpointSources set;
  for (std::uint32_t i = 0; i < count; ++i) {
    set.video.push_back({.ssrc = Ssrc(first + i)});
  }
  return set;
}

TEST(SourceMapTest, AcceptsAndReportsWhatIsNew) {
  const auto base = simulcast_set();
  const std::vector<Vector> vectors = {
      {"A1 nothing", {}, kOne, {}, {}},
      {"A2 simulcast set", {}, kOne, base, base},
      {"A3 video, then audio",
       {{kOne, set_of({v(1, "m"), v(4, "m")}, {fid({1, 4})})}},
       kOne,
       set_of({a(7)}),
       set_of({a(7)})},
      {"A4 somebody else",
       {{kOne, base}},
       kTwo,
       set_of({v(101, "n"), v(102, "n"), a(103)}, {fid({101, 102})}),
       set_of({v(101, "n"), v(102, "n"), a(103)}, {fid({101, 102})})},
      {"A6 ends of the range",
       {},
       kOne,
       set_of({a(1), a(4294967295)}),
       set_of({a(1), a(4294967295)})},
      {"A10 twenty", {}, kOne, plain(1, 20), plain(1, 20)},
      {"A12 a group it has", {{kOne, base}}, kOne, set_of({}, {sim({1, 2, 3})}), {}},
      {"A15 the same twice", {}, kOne, set_of({v(1, "m"), v(1, "m")}), set_of({v(1, "m")})},
      {"A22 empty groups",
       {},
       kOne,
       set_of({v(1, "m"), v(2, "m"), v(3, "m")}, {sim({1, 2, 3}), sim({}), fid({})}),
       set_of({v(1, "m"), v(2, "m"), v(3, "m")}, {sim({1, 2, 3})})},
      {"A28 without msid",
       {},
       kOne,
       set_of({v(1), v(2), v(3), a(4), a(5)}),
       set_of({v(1), v(2), v(3), a(4), a(5)})},
      {"A29 audio and video without msid", {}, kOne, set_of({a(1), v(2)}), set_of({a(1), v(2)})},
      {"A29 audio and video with one msid",
       {},
       kOne,
       set_of({v(1, "m"), a(111, "m")}),
       set_of({v(1, "m"), a(111, "m")})},
      {"A29 audio with the msid of the simulcast set",
       {{kOne, base}},
       kOne,
       set_of({a(111, "m")}),
       set_of({a(111, "m")})},
      {"A30 group with a source it has",
       {{kOne, set_of({v(1, "m")})}},
       kOne,
       set_of({v(2, "m")}, {fid({1, 2})}),
       set_of({v(2, "m")}, {fid({1, 2})})},
      {"A31 one layer", {}, kOne, set_of({v(1, "m")}, {sim({1})}), set_of({v(1, "m")}, {sim({1})})},
      {"A36 camera and desktop",
       {{kOne, base}},
       kOne,
       set_of({v(11, "d"), v(12, "d")}, {fid({11, 12})}),
       set_of({v(11, "d"), v(12, "d")}, {fid({11, 12})})},
  };
  for (const Vector& vector : vectors) {
    SCOPED_TRACE(vector.name);
    auto map = make_map(vector.before);
    const auto before = map.snapshot(vector.owner);
    const auto added = map.add(vector.owner, vector.request);
    ASSERT_TRUE(added.has_value()) << added.error().text;
    EXPECT_EQ(*added, vector.result);
    EXPECT_EQ(map.snapshot(vector.owner).version == before.version, vector.result.empty());
    map.check_invariants();
  }
}

TEST(SourceMapTest, RefusesWhatWouldBeAmbiguousAndChangesNothing) {
  const auto base = simulcast_set();
  const std::vector<BadVector> vectors = {
      {"A5 zero", {}, kOne, set_of({a(0)}), SourceRule::kInvalidSsrc, "Invalid SSRC: 0.", {}},
      {"A8 limit",
       {},
       kOne,
       base,
       SourceRule::kSsrcLimitExceeded,
       "SSRC limit (4) exceeded.",
       {.sources_per_endpoint = 4}},
      {"A9 limit reached later",
       {{kOne, set_of({v(1, "m"), v(2, "m"), v(3, "m")}, {sim({1, 2, 3})})}},
       kOne,
       set_of({v(4, "m"), v(5, "m"), v(6, "m")}, {fid({1, 4}), fid({2, 5}), fid({3, 6})}),
       SourceRule::kSsrcLimitExceeded,
       "SSRC limit (4) exceeded.",
       {.sources_per_endpoint = 4}},
      {"A10 twenty-one",
       {},
       kOne,
       plain(1, 21),
       SourceRule::kSsrcLimitExceeded,
       "SSRC limit (20) exceeded.",
       {}},
      {"A11 group limit",
       {},
       kOne,
       base,
       SourceRule::kGroupLimitExceeded,
       "ssrc-group limit (2) exceeded.",
       {.groups_per_endpoint = 2}},
      {"A13 own SSRC, audio",
       {{kOne, set_of({a(1)})}},
       kOne,
       set_of({a(1, "x")}),
       SourceRule::kSsrcAlreadyUsed,
       "SSRC is already used: 1.",
       {}},
      {"A13 own SSRC, video",
       {{kOne, set_of({a(1)})}},
       kOne,
       set_of({v(1, "x")}),
       SourceRule::kSsrcAlreadyUsed,
       "SSRC is already used: 1.",
       {}},
      {"A14 SSRC of another",
       {{kOne, set_of({a(1)})}},
       kTwo,
       set_of({v(1, "x")}),
       SourceRule::kSsrcAlreadyUsed,
       "SSRC is already used: 1.",
       {}},
      {"A16 one SSRC for two sources",
       {},
       kOne,
       set_of({a(1, "x"), v(1, "y")}),
       SourceRule::kSsrcAlreadyUsed,
       "SSRC is already used: 1.",
       {}},
      {"A17 group without msid",
       {},
       kOne,
       set_of({v(1), v(2), v(3)}, {sim({1, 2, 3})}),
       SourceRule::kMsidMissing,
       "Required source parameter 'msid' is not present.",
       {}},
      {"A18 group with two msids",
       {},
       kOne,
       set_of({v(1, "m"), v(2, "m"), v(3, "x")}, {sim({1, 2, 3})}),
       SourceRule::kGroupMsidMismatch,
       "SsrcGroup contains sources with different MSIDs: [1, 2, 3].",
       {}},
      {"A19 unknown SSRC",
       {},
       kOne,
       set_of({v(1, "m")}, {fid({1, 2})}),
       SourceRule::kGroupContainsUnknownSsrc,
       "An SSRC group contains an SSRC, which hasn't been signaled as a source: [1, 2].",
       {}},
      {"A20 SSRC of another in a group",
       {{kOne, set_of({v(1, "m")})}},
       kTwo,
       set_of({v(201, "n")}, {fid({1, 201})}),
       SourceRule::kGroupContainsUnknownSsrc,
       "An SSRC group contains an SSRC, which hasn't been signaled as a source: [1, 201].",
       {}},
      {"A21 three in FID",
       {},
       kOne,
       set_of({v(1, "m"), v(2, "m"), v(3, "m")}, {fid({1, 2, 3})}),
       SourceRule::kInvalidFidGroup,
       "Invalid FID group: [1, 2, 3].",
       {}},
      {"A21 one in FID",
       {},
       kOne,
       set_of({v(1, "m")}, {fid({1})}),
       SourceRule::kInvalidFidGroup,
       "Invalid FID group: [1].",
       {}},
      {"A23 msid of another",
       {{kOne, set_of({v(1, "m")})}},
       kTwo,
       set_of({v(2, "m")}),
       SourceRule::kMsidConflict,
       "MSID is already used: m.",
       {}},
      {"A24 own msid",
       {{kOne, set_of({v(1, "m")})}},
       kOne,
       set_of({v(2, "m")}),
       SourceRule::kMsidConflict,
       "MSID is already used: m.",
       {}},
      {"A25 one msid, no group",
       {},
       kOne,
       set_of({v(1, "m"), v(2, "m")}),
       SourceRule::kMsidConflict,
       "MSID is already used: m.",
       {}},
      {"A26 one msid, two FID groups",
       {},
       kOne,
       set_of({v(1, "m"), v(2, "m"), v(4, "m"), v(5, "m")}, {fid({1, 4}), fid({2, 5})}),
       SourceRule::kMsidConflict,
       "MSID is already used: m.",
       {}},
      {"A27 one msid, two simulcast groups",
       {},
       kOne,
       set_of({v(1, "m"), v(2, "m"), v(3, "m"), v(4, "m")}, {sim({1, 2}), sim({3, 4})}),
       SourceRule::kMsidConflict,
       "MSID is already used: m.",
       {}},
      {"A33 FEC-FR",
       {},
       kOne,
       set_of({v(1, "m"), v(2, "m")}, {testing::make_group(proto::GroupSemantics::kFecFr, {1, 2})}),
       SourceRule::kUnsupportedSemantics,
       "Unsupported ssrc-group semantics: FEC-FR.",
       {}},
  };
  for (const BadVector& vector : vectors) {
    SCOPED_TRACE(vector.name);
    auto map = make_map(vector.before, vector.limits);
    const auto before = contents(map);
    const auto added = map.add(vector.owner, vector.request);
    ASSERT_FALSE(added.has_value());
    EXPECT_EQ(added.error(), (SourceError{vector.rule, vector.text}));
    EXPECT_EQ(contents(map), before);
    map.check_invariants();
  }
}

TEST(SourceMapTest, RemovesBySsrcAndTakesTheGroupsAlong) {
  const auto base = simulcast_set();
  const auto desktop = set_of({v(11, "d"), v(12, "d")}, {fid({11, 12})});
  const std::vector<Vector> vectors = {
      {"R1 nothing", {{kOne, base}}, kOne, {}, {}},
      {"R2 all", {{kOne, base}}, kOne, base, base},
      {"R3 all sources, no groups",
       {{kOne, base}},
       kOne,
       set_of({v(1), v(2), v(3), v(4), v(5), v(6), a(7)}),
       base},
      {"R4 all but one",
       {{kOne, base}},
       kOne,
       set_of({v(2), v(3), v(4), v(5), v(6), a(7)},
              {sim({1, 2, 3}), fid({1, 4}), fid({2, 5}), fid({3, 6})}),
       set_of({v(2, "m"), v(3, "m"), v(4, "m"), v(5, "m"), v(6, "m"), a(7)},
              {sim({1, 2, 3}), fid({1, 4}), fid({2, 5}), fid({3, 6})})},
      {"R11 audio listed as video", {{kOne, base}}, kOne, set_of({v(7, "wrong")}), set_of({a(7)})},
      {"R12 the desktop", {{kOne, base}, {kOne, desktop}}, kOne, set_of({v(11), v(12)}), desktop},
  };
  for (const Vector& vector : vectors) {
    SCOPED_TRACE(vector.name);
    auto map = make_map(vector.before);
    const auto removed = map.remove(vector.owner, vector.request);
    ASSERT_TRUE(removed.has_value()) << removed.error().text;
    EXPECT_EQ(*removed, vector.result);
    map.check_invariants();
  }
}

TEST(SourceMapTest, RefusesRemovalsThatDoNotFitAndChangesNothing) {
  const auto base = simulcast_set();
  auto base_and_a_group = base;
  base_and_a_group.video_groups.push_back(fid({1, 2}).group);
  const std::string conflict = "MSID is already used: m.";
  const std::vector<BadVector> vectors = {
      {"R5 of another",
       {{kOne, base}},
       kTwo,
       base,
       SourceRule::kSourceDoesNotExist,
       "Source does not exist or is not owned by endpoint null.",
       {}},
      {"R6 unknown",
       {{kOne, base}},
       kOne,
       set_of({a(1111)}),
       SourceRule::kSourceDoesNotExist,
       "Source does not exist or is not owned by endpoint (ssrc=1111).",
       {}},
      {"R7 unknown group",
       {{kOne, base}},
       kOne,
       base_and_a_group,
       SourceRule::kGroupDoesNotExist,
       "Source group does not exist",
       {}},
      {"R8 the first layer with its groups",
       {{kOne, base}},
       kOne,
       set_of({v(1), v(4)}, {sim({1, 2, 3}), fid({1, 4})}),
       SourceRule::kMsidConflict,
       conflict,
       {}},
      {"R9 one source of a simulcast group",
       {{kOne, base}},
       kOne,
       set_of({v(1)}),
       SourceRule::kMsidConflict,
       conflict,
       {}},
      {"R10 only the simulcast group",
       {{kOne, base}},
       kOne,
       set_of({}, {sim({1, 2, 3})}),
       SourceRule::kMsidConflict,
       conflict,
       {}},
      {"R10 only one FID group",
       {{kOne, base}},
       kOne,
       set_of({}, {fid({1, 4})}),
       SourceRule::kMsidConflict,
       conflict,
       {}},
      {"R10 all groups",
       {{kOne, base}},
       kOne,
       set_of({}, {sim({1, 2, 3}), fid({1, 4}), fid({2, 5}), fid({3, 6})}),
       SourceRule::kMsidConflict,
       conflict,
       {}},
  };
  for (const BadVector& vector : vectors) {
    SCOPED_TRACE(vector.name);
    auto map = make_map(vector.before);
    const auto before = contents(map);
    const auto removed = map.remove(vector.owner, vector.request);
    ASSERT_FALSE(removed.has_value());
    EXPECT_EQ(removed.error(), (SourceError{vector.rule, vector.text}));
    EXPECT_EQ(contents(map), before);
    map.check_invariants();
  }
}

TEST(SourceMapTest, WhoeverLeavesFreesItsSsrcsAndMsids) {
  auto map = make_map({{kOne, simulcast_set()}});
  EXPECT_EQ(map.owner_of(Ssrc(7)), kOne);
  EXPECT_EQ(map.remove_owner(kOne), simulcast_set());
  EXPECT_TRUE(map.empty());
  EXPECT_TRUE(map.remove_owner(kOne).empty());
  EXPECT_TRUE(map.add(kTwo, simulcast_set()).has_value());  // R13.
  EXPECT_EQ(map.owner_of(Ssrc(7)), kTwo);
  EXPECT_EQ(map.owner_of(Ssrc(8)), std::nullopt);
  map.check_invariants();
}

TEST(SourceMapTest, KeepsOutWhatOnlyTheSenderOfASetMaySay) {
  ConferenceSourceMap map({});
  auto request = set_of({a(1, "m")});
  request.audio[0].owner = "somebody-else";
  request.audio[0].rid = "1";
  EXPECT_EQ(map.add(kOne, request).value(), set_of({a(1, "m")}));
}

TEST(SourceMapTest, SnapshotsStayAsTheyWere) {
  auto map = make_map({{kOne, set_of({a(1)})}});
  const auto before = map.snapshot(kOne);
  ASSERT_TRUE(map.add(kOne, set_of({a(2)})).has_value());
  EXPECT_EQ(before.sources(), set_of({a(1)}));
  EXPECT_EQ(map.snapshot(kOne).sources(), set_of({a(1), a(2)}));
  EXPECT_EQ(map.snapshot(kTwo).version, 0U);
}

TEST(SourceMapTest, EveryRuleIsABadRequestWithItsText) {
  const auto error = to_stanza_error({SourceRule::kMsidConflict, "MSID is already used: m."});
  EXPECT_EQ(error.condition, proto::Condition::kBadRequest);
  EXPECT_EQ(error.type, proto::ErrorType::kModify);
  EXPECT_EQ(error.text, "MSID is already used: m.");
}

EndpointSources random_set(Prng& prng) {
  EndpointSources set;
  const auto ssrc = [&] { return static_cast<std::uint32_t>(1 + prng.below(12)); };
  for (std::uint64_t i = prng.below(4); i > 0; --i) {
    const auto source = proto::Source{
        .ssrc = Ssrc(ssrc()),
        .msid = prng.below(3) == 0
                    ? std::nullopt
                    : std::optional(std::string(1, static_cast<char>('a' + prng.below(3))))};
    (prng.below(3) == 0 ? set.audio : set.video).push_back(source);
  }
  for (std::uint64_t i = prng.below(2); i > 0; --i) {
    set.video_groups.push_back(
        (prng.below(2) == 0 ? sim({ssrc(), ssrc()}) : fid({ssrc(), ssrc()})).group);
  }
  return set;
}

// Goal: whatever is asked in whatever order, the indexes agree with the sets and a refusal changes
// nothing. Method: random small requests over few SSRCs and msids, so that rules are often broken.
TEST(SourceMapTest, StaysConsistentUnderRandomRequests) {
  int accepted = 0;
  int refused = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    Prng prng(seed);
    ConferenceSourceMap map({.sources_per_endpoint = 5, .groups_per_endpoint = 3});
    for (int step = 0; step < 200; ++step) {
      const EndpointId owner = prng.below(2) == 0 ? kOne : kTwo;
      const auto before = contents(map);
      const auto request = random_set(prng);
      const auto outcome =
          prng.below(3) == 0 ? map.remove(owner, request) : map.add(owner, request);
      ++(outcome ? accepted : refused);
      if (!outcome || outcome->empty()) {
        ASSERT_EQ(contents(map), before);
      }
      if (prng.below(20) == 0) {
        map.remove_owner(owner);
      }
      map.check_invariants();
    }
  }
  EXPECT_GT(accepted, 1000);
  EXPECT_GT(refused, 1000);
}

}  // namespace
}  // namespace bascule::focus
