#include "focus/topology.h"

#include <gtest/gtest.h>

namespace bascule::focus {
namespace {

using Links = std::vector<Topology::Link>;
using Nodes = std::vector<Topology::Node>;

BridgeJid bridge(const std::string& nick) {
  return BridgeJid(Jid::parse("brewery@internal.example.net/" + nick).value());
}

Topology::Node node(const std::string& nick, std::uint32_t incarnation = 0) {
  return {bridge(nick), nick + "-relay", incarnation};
}

Topology::Link link(const std::string& initiator, const std::string& responder) {
  return {bridge(initiator), bridge(responder)};
}

TEST(TopologyTest, OneBridgeNeedsNoLink) {
  Topology topology;
  const auto change = topology.update(Nodes{node("a")});
  EXPECT_TRUE(change.added.empty());
  EXPECT_TRUE(topology.links().empty());
}

TEST(TopologyTest, EachNewBridgeIsLinkedToAllAndThoseThereInitiate) {
  Topology topology;
  topology.update(Nodes{node("b")});
  EXPECT_EQ(topology.update(Nodes{node("a"), node("b")}).added, (Links{link("b", "a")}));
  const auto change = topology.update(Nodes{node("a"), node("b"), node("c")});
  EXPECT_EQ(change.added, (Links{link("b", "c"), link("a", "c")}));
  EXPECT_TRUE(change.removed.empty());
  EXPECT_EQ(topology.links(), (Links{link("b", "a"), link("b", "c"), link("a", "c")}));
}

TEST(TopologyTest, SeveralAtOnceJoinInTheOrderGiven) {
  Topology topology;
  const auto change = topology.update(Nodes{node("a"), node("b"), node("c"), node("d")});
  EXPECT_EQ(change.added.size(), 6U);
  EXPECT_EQ(change.added.front(), link("a", "b"));
  EXPECT_EQ(change.added.back(), link("c", "d"));
}

TEST(TopologyTest, ABridgeThatLeavesTakesItsLinksAlong) {
  Topology topology;
  topology.update(Nodes{node("a"), node("b"), node("c")});
  const auto change = topology.update(Nodes{node("a"), node("c")});
  EXPECT_EQ(change.removed, (Links{link("a", "b"), link("b", "c")}));
  EXPECT_TRUE(change.added.empty());
  EXPECT_EQ(topology.links(), (Links{link("a", "c")}));
}

TEST(TopologyTest, ANewIncarnationIsLinkedAnewAsTheLastToCome) {
  Topology topology;
  topology.update(Nodes{node("a"), node("b")});
  const auto change = topology.update(Nodes{node("a", 1), node("b")});
  EXPECT_EQ(change.removed, (Links{link("a", "b")}));
  EXPECT_EQ(change.added, (Links{link("b", "a")}));
}

TEST(TopologyTest, WithoutARelayIdABridgeStaysAlone) {
  Topology topology;
  const auto change = topology.update(Nodes{node("a"), {bridge("b"), "", 0}, node("c")});
  EXPECT_EQ(change.added, (Links{link("a", "c")}));
  EXPECT_EQ(change.isolated, (std::vector{bridge("b")}));
  EXPECT_TRUE(topology.update(Nodes{node("a"), {bridge("b"), "", 0}, node("c")}).isolated.empty());
  // It tells its id later.
  EXPECT_EQ(topology.update(Nodes{node("a"), node("b"), node("c")}).added,
            (Links{link("a", "b"), link("c", "b")}));
}

TEST(TopologyTest, TheOnlyBridgeIsNotIsolatedUntilThereIsAnother) {
  Topology topology;
  EXPECT_TRUE(topology.update(Nodes{{bridge("a"), "", 0}}).isolated.empty());
  EXPECT_EQ(topology.update(Nodes{{bridge("a"), "", 0}, node("b")}).isolated,
            (std::vector{bridge("a")}));
  EXPECT_TRUE(topology.update(Nodes{{bridge("a"), "", 0}}).isolated.empty());
  // Having left, it is news again.
  topology.update(Nodes{node("b")});
  EXPECT_EQ(topology.update(Nodes{node("b"), {bridge("a"), "", 0}}).isolated,
            (std::vector{bridge("a")}));
}

TEST(TopologyTest, ARelayIdBelongsToTheFirstThatHasIt) {
  Topology topology;
  topology.update(Nodes{node("a"), {bridge("b"), "same", 0}});
  const auto change =
      topology.update(Nodes{node("a"), {bridge("b"), "same", 0}, {bridge("c"), "same", 0}});
  EXPECT_EQ(change.isolated, (std::vector{bridge("c")}));
  EXPECT_TRUE(change.added.empty());
  EXPECT_EQ(topology.links(), (Links{link("a", "b")}));
  // When that one leaves, the next has it.
  EXPECT_EQ(topology.update(Nodes{node("a"), {bridge("c"), "same", 0}}).added,
            (Links{link("a", "c")}));
}

}  // namespace
}  // namespace bascule::focus
