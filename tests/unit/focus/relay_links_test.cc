#include "focus/relay_links.h"

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "source_builders.h"

namespace bascule::focus {
namespace {

using std::chrono::seconds;
using testing::endpoint;
using Kind = ColibriOutcomeKind;
using Link = Topology::Link;

BridgeJid bridge(const std::string& nick) {
  return BridgeJid(Jid::parse("brewery@internal.example.net/" + nick).value());
}

Link link(const std::string& initiator, const std::string& responder) {
  return {bridge(initiator), bridge(responder)};
}

proto::Transport make_transport(const std::string& ufrag) {
  proto::IceUdpTransport ice;
  ice.ufrag = ufrag;
  ice.fingerprints.push_back({.hash = "sha-256",
                              .setup = proto::DtlsSetup::kActpass,
                              .required = {},
                              .cryptex = {},
                              .value = "AA"});
  ice.web_sockets.push_back({.url = "wss://" + ufrag});
  return {.ice_udp = std::move(ice)};
}

/// Bridges that do what they are asked, in order, when `answer` is called; and a conference whose
/// endpoints send one source each, which `version` counts.
class RelayLinksTest : public ::testing::Test {
 protected:
  struct Relay {
    std::string remote_ufrag;
    std::map<std::string, std::string> endpoints;  // Id to its version.
    proto::Relay made;
  };

  explicit RelayLinksTest(bool sctp = true) : links(sctp) {}

  void present(const std::vector<std::string>& nicks) {
    nodes.clear();
    for (const auto& nick : nicks) {
      nodes.push_back({bridge(nick), nick + "-relay", 0});
    }
  }
  RelayLinks::Step update() {
    const RelayLinks::World world{
        .describe =
            [this](const EndpointId& id) {
              proto::EndpointSources sources;
              sources.audio = {
                  {.ssrc = Ssrc(1), .name = "v" + std::to_string(version[id.value()])}};
              return make_remote_create(id, "stats-" + id.value(), sources);
            },
        .media = [] { return std::vector<proto::Media>{{.type = proto::MediaType::kAudio}}; },
        .can_ask = [this](const BridgeJid& one) { return !away.contains(one.jid().resource()); }};
    auto step = links.update(nodes, world, now);
    take(step);
    return step;
  }
  void take(const RelayLinks::Step& step) {
    sent += step.send.size();
    queue.insert(queue.end(), step.send.begin(), step.send.end());
    failures += step.failed.size();
  }
  void add(const std::string& nick, const std::string& id) {
    links.endpoint_added(bridge(nick), endpoint(id));
  }
  void change(const std::string& nick, const std::string& id) {
    ++version[id];
    links.endpoint_changed(bridge(nick), endpoint(id));
  }
  void remove(const std::string& nick, const std::string& id) {
    links.endpoint_removed(bridge(nick), endpoint(id));
  }

  /// The bridge carries out the oldest request and answers; returns what comes of it.
  RelayLinks::Step answer(std::optional<Kind> failure = std::nullopt) {
    const RelayLinks::Request request = queue.front();
    queue.pop_front();
    RelayAnswer reply{.tag = request.tag, .kind = Kind::kDone, .transport = {}};
    if (failure) {
      reply.kind = *failure;
    } else {
      carry_out(request, reply);
    }
    auto step = links.answered(reply, now);
    take(step);
    return step;
  }
  void answer_all() {
    while (!queue.empty()) {
      answer();
    }
  }
  void settle() {
    update();
    answer_all();
  }

  void carry_out(const RelayLinks::Request& request, RelayAnswer& reply) {
    auto& relays = bridges[request.bridge.jid().resource()];
    const proto::Relay& relay = request.relay;
    if (relay.expire) {
      relays.erase(relay.id);
      return;
    }
    if (relay.create && relays.contains(relay.id)) {
      reply.kind = Kind::kEndpointExists;
      return;
    }
    if (!relay.create && !relays.contains(relay.id)) {
      reply.kind = Kind::kBadRequest;
      return;
    }
    Relay& mine = relays[relay.id];
    if (relay.create) {
      mine.made = relay;
      reply.transport =
          make_transport(request.bridge.jid().resource() + std::to_string(++transports));
    } else if (relay.transport) {
      EXPECT_EQ(mine.remote_ufrag, "") << "a bridge takes the credentials of the other side once";
      mine.remote_ufrag = relay.transport->ice_udp->ufrag.value();
    }
    for (const auto& item : relay.endpoints) {
      if (item.expire) {
        mine.endpoints.erase(item.id);
      } else if (item.create || mine.endpoints.contains(item.id)) {
        mine.endpoints[item.id] = item.sources->media_sources.at(0).id;
      } else {
        ADD_FAILURE() << "update of the unknown remote endpoint " << item.id;
      }
    }
  }
  [[nodiscard]] std::map<std::string, std::string> remote(const std::string& nick,
                                                          const std::string& far) const {
    const auto& relays = bridges.at(nick);
    const auto found = relays.find(far + "-relay");
    return found == relays.end() ? std::map<std::string, std::string>{{"no relay", ""}}
                                 : found->second.endpoints;
  }
  /// Both ends have the transport of the other's present relay.
  [[nodiscard]] bool joined(const std::string& a, const std::string& b) const {
    return !bridges.at(a).at(b + "-relay").remote_ufrag.empty() &&
           !bridges.at(b).at(a + "-relay").remote_ufrag.empty();
  }

  /// Bridges a (alice, bob) and b (carol), linked.
  void start() {
    add("a", "alice");
    add("a", "bob");
    add("b", "carol");
    present({"a", "b"});
    settle();
    sent = 0;
  }

  using Remote = std::map<std::string, std::string>;
  RelayLinks links;
  Instant now{seconds{100}};
  std::vector<Topology::Node> nodes;
  std::set<std::string> away;
  std::map<std::string, int> version;
  std::deque<RelayLinks::Request> queue;
  std::map<std::string, std::map<std::string, Relay>> bridges;
  std::size_t sent = 0;
  std::size_t failures = 0;
  int transports = 0;
};

class RelayLinksOverWebSocketTest : public RelayLinksTest {
 protected:
  RelayLinksOverWebSocketTest() : RelayLinksTest(false) {}
};

TEST_F(RelayLinksTest, OneBridgeIsToldNothing) {
  present({"a"});
  add("a", "alice");
  change("a", "alice");
  EXPECT_TRUE(update().send.empty());
  EXPECT_TRUE(links.empty());
}

TEST_F(RelayLinksTest, BothBridgesCreateARelayAndGetTheTransportOfTheOther) {
  add("a", "alice");
  present({"a"});
  update();
  add("b", "carol");
  present({"a", "b"});
  const auto step = update();
  ASSERT_EQ(step.send.size(), 2U);
  const proto::Relay& initiator = step.send[0].relay;
  EXPECT_EQ(step.send[0].bridge, bridge("a"));
  EXPECT_EQ(initiator.id, "b-relay");
  EXPECT_EQ(initiator.mesh_id, "0");
  EXPECT_TRUE(initiator.create);
  EXPECT_EQ(initiator.media.size(), 1U);
  EXPECT_EQ(initiator.transport,
            (proto::Transport{.ice_controlling = true,
                              .use_unique_port = true,
                              .sctp = proto::Sctp{.role = proto::SctpRole::kClient}}));
  ASSERT_EQ(initiator.endpoints.size(), 1U);
  EXPECT_EQ(initiator.endpoints[0].id, "carol");
  EXPECT_EQ(initiator.endpoints[0].stats_id, "stats-carol");
  EXPECT_EQ(initiator.endpoints[0].capabilities, (std::vector<std::string>{"source-names"}));
  const proto::Relay& responder = step.send[1].relay;
  EXPECT_EQ(responder.id, "a-relay");
  EXPECT_EQ(responder.transport,
            (proto::Transport{.sctp = proto::Sctp{.role = proto::SctpRole::kServer}}));

  const auto from_a = answer().send.at(0);
  EXPECT_EQ(from_a.bridge, bridge("b"));
  EXPECT_EQ(from_a.relay.id, "a-relay");
  EXPECT_EQ(from_a.relay.transport->ice_udp->ufrag, "a1");
  EXPECT_EQ(from_a.relay.transport->ice_udp->fingerprints[0].setup, proto::DtlsSetup::kPassive);
  EXPECT_TRUE(from_a.relay.transport->ice_udp->web_sockets.empty());
  const auto from_b = answer().send.at(0);
  EXPECT_EQ(from_b.bridge, bridge("a"));
  EXPECT_EQ(from_b.relay.transport->ice_udp->fingerprints[0].setup, proto::DtlsSetup::kActive);
  EXPECT_TRUE(answer().linked.empty());
  EXPECT_FALSE(links.is_established(link("a", "b")));
  const auto last = answer();
  EXPECT_EQ(last.linked, (std::vector{link("a", "b")}));
  EXPECT_EQ(last.changed, (std::vector{bridge("a"), bridge("b")}));
  EXPECT_EQ(links.established(bridge("a")), (std::vector<std::string>{"b-relay"}));
  EXPECT_EQ(remote("a", "b"), (Remote{{"carol", "v0"}}));
  EXPECT_EQ(remote("b", "a"), (Remote{{"alice", "v0"}}));
}

TEST_F(RelayLinksOverWebSocketTest, OnlyTheInitiatorIsToldWhereToDial) {
  add("a", "alice");
  add("b", "bob");
  present({"a", "b"});
  EXPECT_FALSE(update().send.at(0).relay.transport->sctp);
  EXPECT_TRUE(answer().send.at(0).relay.transport->ice_udp->web_sockets.empty());
  EXPECT_EQ(answer().send.at(0).relay.transport->ice_udp->web_sockets.at(0).url, "wss://b2");
}

TEST_F(RelayLinksTest, ChangesOfOneTurnAreOneRequestForEachOtherBridge) {
  start();
  change("a", "alice");
  change("a", "bob");
  change("a", "bob");
  add("a", "dave");
  add("a", "eve");
  remove("a", "eve");
  EXPECT_EQ(update().send.size(), 1U);
  answer_all();
  EXPECT_EQ(remote("b", "a"), (Remote{{"alice", "v1"}, {"bob", "v2"}, {"dave", "v0"}}));
  remove("a", "alice");
  EXPECT_EQ(update().send.size(), 1U);
  answer_all();
  EXPECT_EQ(remote("b", "a"), (Remote{{"bob", "v2"}, {"dave", "v0"}}));
  EXPECT_TRUE(update().send.empty());
}

TEST_F(RelayLinksTest, AThirdBridgeIsToldEverybodyAndTheOthersOnlyOfItsOwn) {
  start();
  add("c", "dora");
  present({"a", "b", "c"});
  settle();
  EXPECT_EQ(sent, 2U * 4U) << "two links: create and transport at both ends";
  EXPECT_EQ(remote("c", "a"), (Remote{{"alice", "v0"}, {"bob", "v0"}}));
  EXPECT_EQ(remote("c", "b"), (Remote{{"carol", "v0"}}));
  EXPECT_EQ(remote("a", "c"), (Remote{{"dora", "v0"}}));
  EXPECT_TRUE(joined("a", "c") && joined("b", "c") && joined("a", "b"));
  sent = 0;
  change("c", "dora");
  settle();
  EXPECT_EQ(sent, 2U);
}

TEST_F(RelayLinksTest, ABridgeThatLeavesIsForgottenByTheOthersAndNotAsked) {
  start();
  present({"a"});
  links.forget(bridge("b"));
  const auto step = update();
  ASSERT_EQ(step.send.size(), 1U);
  EXPECT_EQ(step.send[0].bridge, bridge("a"));
  EXPECT_TRUE(step.send[0].relay.expire);
  EXPECT_EQ(step.changed, (std::vector{bridge("a")}));
  answer_all();
  EXPECT_TRUE(bridges["a"].empty());
  EXPECT_TRUE(links.empty());
  // It comes back as a stranger.
  bridges["b"].clear();
  add("b", "carol");
  nodes.push_back({bridge("b"), "b-relay", 1});
  settle();
  EXPECT_TRUE(joined("a", "b"));
}

TEST_F(RelayLinksTest, WhoMovesIsNoRemoteEndpointAnyMoreWhenItArrives) {
  start();
  remove("a", "bob");
  const auto cleared = links.clear_way(bridge("b"), endpoint("bob"));
  ASSERT_EQ(cleared.size(), 1U);
  EXPECT_EQ(cleared[0].bridge, bridge("b"));
  EXPECT_EQ(cleared[0].relay.endpoints, (std::vector{make_remote_expire(endpoint("bob"))}));
  queue.insert(queue.end(), cleared.begin(), cleared.end());
  EXPECT_TRUE(links.clear_way(bridge("b"), endpoint("bob")).empty()) << "once is enough";
  settle();
  EXPECT_EQ(remote("b", "a"), (Remote{{"alice", "v0"}}));
  add("b", "bob");
  settle();
  EXPECT_EQ(remote("a", "b"), (Remote{{"bob", "v0"}, {"carol", "v0"}}));
}

TEST_F(RelayLinksTest, WhoComesBackInTheSameTurnIsMadeAnew) {
  start();
  remove("a", "bob");
  const auto cleared = links.clear_way(bridge("b"), endpoint("bob"));
  queue.insert(queue.end(), cleared.begin(), cleared.end());
  add("a", "bob");
  settle();
  EXPECT_EQ(remote("b", "a"), (Remote{{"alice", "v0"}, {"bob", "v0"}}));
}

TEST_F(RelayLinksTest, AFailedRelayIsMadeAnewOnBothSides) {
  add("a", "alice");
  add("b", "bob");
  present({"a", "b"});
  update();
  EXPECT_EQ(answer(Kind::kBridgeFailed).failed, (std::vector{link("a", "b")}));
  EXPECT_EQ(links.next_deadline(), now) << "the first time at once";
  answer_all();  // The late answer of the other side leads nowhere.
  EXPECT_EQ(update().send.size(), 4U);
  answer_all();
  EXPECT_TRUE(joined("a", "b"));
  EXPECT_TRUE(links.is_established(link("a", "b")));
}

TEST_F(RelayLinksTest, RepeatedFailuresAreTriedAgainMoreAndMoreSlowly) {
  add("a", "alice");
  add("b", "bob");
  present({"a", "b"});
  std::vector<Duration> waits;
  for (int i = 0; i < 8; ++i) {
    update();
    while (!queue.empty()) {
      answer(queue.front().relay.create ? std::optional(Kind::kTimeout) : std::nullopt);
    }
    ASSERT_TRUE(links.next_deadline());
    waits.push_back(*links.next_deadline() - now);
    now = *links.next_deadline();
  }
  EXPECT_EQ(failures, 8U);
  EXPECT_EQ(waits, (std::vector<Duration>{seconds{0}, seconds{2}, seconds{4}, seconds{8},
                                          seconds{16}, seconds{30}, seconds{30}, seconds{30}}));
  settle();
  EXPECT_TRUE(joined("a", "b"));
  EXPECT_EQ(links.next_deadline(), std::nullopt);
}

TEST_F(RelayLinksTest, ARelayTheBridgeHasLostIsMadeAnew) {
  start();
  bridges["b"].clear();
  change("a", "alice");
  update();
  const auto step = answer();
  EXPECT_EQ(step.failed.size(), 1U);
  EXPECT_EQ(step.changed, (std::vector{bridge("a"), bridge("b")})) << "not established any more";
  settle();
  EXPECT_TRUE(joined("a", "b"));
  EXPECT_EQ(remote("b", "a"), (Remote{{"alice", "v1"}, {"bob", "v0"}}));
}

TEST_F(RelayLinksTest, ARelayThatIsThereAlreadyIsReplaced) {
  bridges["a"]["b-relay"].endpoints["ghost"] = "v0";
  start();
  EXPECT_EQ(failures, 1U);
  settle();
  EXPECT_TRUE(joined("a", "b"));
  EXPECT_EQ(remote("a", "b"), (Remote{{"carol", "v0"}}));
}

TEST_F(RelayLinksTest, AnAnswerWithoutUsableTransportIsAFailure) {
  add("a", "alice");
  add("b", "bob");
  present({"a", "b"});
  const RelayTag tag = update().send.at(0).tag;
  proto::Transport fixed = make_transport("x");
  fixed.ice_udp->fingerprints[0].setup = proto::DtlsSetup::kActive;
  EXPECT_EQ(links.answered({.tag = tag, .kind = Kind::kDone, .transport = fixed}, now).failed,
            (std::vector{link("a", "b")}));
}

TEST_F(RelayLinksTest, WhatALostLinkSwallowedIsToldWhenTheBridgeCanBeAsked) {
  start();
  change("a", "alice");
  remove("a", "bob");
  update();
  EXPECT_TRUE(answer(Kind::kLinkDown).failed.empty()) << "nobody's failure";
  EXPECT_TRUE(links.is_established(link("a", "b")));
  away = {"b"};
  now = *links.next_deadline();
  EXPECT_TRUE(update().send.empty());
  away.clear();
  change("a", "alice");
  now = *links.next_deadline();
  settle();
  EXPECT_EQ(remote("b", "a"), (Remote{{"alice", "v2"}}));
  EXPECT_EQ(links.next_deadline(), std::nullopt);
}

TEST_F(RelayLinksTest, AnExpireThatWasLostGoesBeforeAnAllocation) {
  start();
  remove("a", "bob");
  update();
  answer(Kind::kTimeout);
  const auto cleared = links.clear_way(bridge("b"), endpoint("bob"));
  ASSERT_EQ(cleared.size(), 1U);
  EXPECT_EQ(cleared[0].relay.endpoints, (std::vector{make_remote_expire(endpoint("bob"))}));
}

TEST_F(RelayLinksTest, ARelayWhoseExpireWasLostIsExpiredLater) {
  start();
  present({"a"});
  links.forget(bridge("b"));
  update();
  answer(Kind::kLinkDown);
  EXPECT_FALSE(links.empty());
  // Before anybody is allocated there ...
  const auto cleared = links.clear_way(bridge("a"), endpoint("carol"));
  ASSERT_EQ(cleared.size(), 1U);
  EXPECT_TRUE(cleared[0].relay.expire);
  queue.insert(queue.end(), cleared.begin(), cleared.end());
  answer(Kind::kLinkDown);
  // ... or when it is due.
  now += RelayLinks::kRetry;
  settle();
  EXPECT_TRUE(bridges["a"].empty());
  EXPECT_TRUE(links.empty());
}

TEST_F(RelayLinksTest, ARelayWhoseExpireWasLostIsReplacedWhenTheBridgeComesBack) {
  start();
  present({"a"});
  links.forget(bridge("b"));
  update();
  answer(Kind::kLinkDown);
  bridges["b"].clear();
  add("b", "carol");
  nodes.push_back({bridge("b"), "b-relay", 1});
  settle();
  EXPECT_TRUE(joined("a", "b"));
  EXPECT_EQ(failures, 0U);
}

TEST_F(RelayLinksTest, NothingIsMadeWhileABridgeCannotBeAsked) {
  add("a", "alice");
  add("b", "bob");
  present({"a", "b"});
  away = {"a"};
  EXPECT_TRUE(update().send.empty());
  away.clear();
  now = links.next_deadline().value();
  settle();
  EXPECT_TRUE(joined("a", "b"));
}

TEST_F(RelayLinksTest, ALinkOfAnEarlierProcessIsTakenOverAndBroughtUpToDate) {
  start();
  RelayLinks next(true);
  std::swap(links, next);
  // The earlier process died before it could tell that bob had moved and alice had a new source.
  add("a", "alice");
  ++version["alice"];
  add("b", "bob");
  add("b", "carol");
  links.restore_link(link("b", "a"), {endpoint("alice"), endpoint("bob"), endpoint("carol")});
  settle();
  EXPECT_EQ(sent, 2U);
  EXPECT_TRUE(links.is_established(link("a", "b")));
  EXPECT_EQ(remote("b", "a"), (Remote{{"alice", "v1"}}));
  EXPECT_EQ(remote("a", "b"), (Remote{{"bob", "v0"}, {"carol", "v0"}}));
}

TEST_F(RelayLinksTest, ALinkTakenOverThatIsNotThereIsMadeAnew) {
  add("a", "alice");
  add("b", "bob");
  links.restore_link(link("a", "b"), {endpoint("alice"), endpoint("bob")});
  present({"a", "b"});
  settle();
  settle();
  EXPECT_TRUE(joined("a", "b"));
  EXPECT_EQ(remote("b", "a"), (Remote{{"alice", "v0"}}));
}

TEST_F(RelayLinksTest, ALinkThatWasBeingMadeIsMadeAnewWithoutACollision) {
  bridges["a"]["b-relay"].endpoints["ghost"] = "v0";
  bridges["b"]["a-relay"].remote_ufrag = "old";
  add("a", "alice");
  add("b", "bob");
  links.restore_relay(bridge("a"), "b-relay");
  links.restore_relay(bridge("b"), "a-relay");
  present({"a", "b"});
  settle();
  EXPECT_EQ(failures, 0U);
  EXPECT_TRUE(joined("a", "b"));
  EXPECT_EQ(remote("a", "b"), (Remote{{"bob", "v0"}}));
}

TEST_F(RelayLinksTest, ARelayOfAnEarlierProcessToWhereNobodyIsIsExpired) {
  bridges["a"]["b-relay"].endpoints["ghost"] = "v0";
  add("a", "alice");
  links.restore_relay(bridge("a"), "b-relay");
  links.restore_link(link("a", "b"), {});
  present({"a"});
  settle();
  EXPECT_TRUE(bridges["a"].empty());
  EXPECT_TRUE(links.empty());
}

TEST_F(RelayLinksTest, WhatMayBeOnABridgeIsKnownFromTheRequestToItsEnd) {
  using Ids = std::vector<std::string>;
  add("a", "alice");
  add("b", "bob");
  present({"a", "b"});
  EXPECT_EQ(update().changed, (std::vector{bridge("a"), bridge("b")}));
  EXPECT_EQ(links.relays(bridge("a")), (Ids{"b-relay"}));
  EXPECT_EQ(links.established(bridge("a")), Ids{});
  answer_all();
  EXPECT_EQ(links.established(bridge("a")), (Ids{"b-relay"}));
  present({"a"});
  links.forget(bridge("b"));
  EXPECT_EQ(update().changed, (std::vector{bridge("a")}));
  EXPECT_EQ(links.established(bridge("a")), Ids{});
  EXPECT_EQ(links.relays(bridge("a")), (Ids{"b-relay"})) << "the expire may be lost with us";
  EXPECT_EQ(answer().changed, (std::vector{bridge("a")}));
  EXPECT_EQ(links.relays(bridge("a")), Ids{});
}

TEST_F(RelayLinksTest, AChangeOfASuspectIsToldInFull) {
  add("a", "alice");
  add("b", "bob");
  bridges["a"]["b-relay"].remote_ufrag = "b";
  bridges["b"]["a-relay"].remote_ufrag = "a";  // It never heard of alice.
  links.restore_link(link("a", "b"), {endpoint("alice"), endpoint("bob")});
  away = {"a"};
  present({"a", "b"});
  update();
  away.clear();
  change("a", "alice");
  settle();
  EXPECT_EQ(remote("b", "a"), (Remote{{"alice", "v1"}}));
}

TEST_F(RelayLinksTest, AnswersOfAConferenceThatIsOverAreIgnored) {
  start();
  change("a", "alice");
  update();
  present({"a"});
  links.forget(bridge("b"));
  update();
  const auto step = answer(Kind::kBadRequest);
  EXPECT_TRUE(step.send.empty() && step.failed.empty());
}

}  // namespace
}  // namespace bascule::focus
