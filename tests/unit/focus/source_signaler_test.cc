#include "focus/source_signaler.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/prng.h"
#include "source_builders.h"
#include "xmpp/proto/jitsi_meet_json.h"

namespace bascule::focus {
namespace {

using proto::EndpointSources;
using proto::JingleAction;
using std::chrono::milliseconds, std::chrono::seconds;
using testing::a, testing::v, testing::sim, testing::fid, testing::set_of, testing::endpoint;
using testing::simulcast_set;

constexpr Instant kStart{seconds{1000}};
constexpr std::size_t kAll = 1000;
const EndpointId kOne = endpoint("e1");
const EndpointId kTwo = endpoint("e2");
const EndpointId kThree = endpoint("e3");
const SourceReceiver kJson{.json = true};

/// A source map and a signaler that are told of the same changes, as a conference does it.
class Room {
 public:
  explicit Room(std::vector<SignalingDelay> delays = {}) : signaler(std::move(delays)) {}

  void add(const EndpointId& owner, const EndpointSources& sources) {
    const auto before = map.snapshot(owner);
    const auto added = map.add(owner, sources);
    ASSERT_TRUE(added.has_value()) << added.error().text;
    signaler.changed(owner, before, participants, now);
  }
  void remove(const EndpointId& owner, const EndpointSources& sources) {
    const auto before = map.snapshot(owner);
    ASSERT_TRUE(map.remove(owner, sources).has_value());
    signaler.changed(owner, before, participants, now);
  }
  void remove_all(const EndpointId& owner) {
    const auto before = map.snapshot(owner);
    map.remove_owner(owner);
    signaler.changed(owner, before, participants, now);
  }
  void leave(const EndpointId& owner) {
    map.remove_owner(owner);
    signaler.left(owner);
  }
  std::vector<SourceMessage> join(const EndpointId& receiver, SourceReceiver how = kJson) {
    signaler.offered(receiver, how);
    return signaler.activate(receiver, map).messages;
  }
  std::vector<SourceMessage> due() { return signaler.take_due(map, now, kAll).messages; }

  ConferenceSourceMap map{{}};
  SourceSignaler signaler;
  std::size_t participants = 3;
  Instant now = kStart;
};

/// As the tests wrote them: the compact form has no camera, its reader assumes one.
proto::SourceMap sources_of(const SourceMessage& message) {
  auto sources = proto::decode_sources_json(message.payload->json_message->json).value();
  for (auto& [owner, set] : sources) {
    for (auto& source : set.video) {
      if (source.video_type == proto::VideoType::kCamera) {
        source.video_type.reset();
      }
    }
  }
  return sources;
}

proto::SourceMap owned(const EndpointId& owner, EndpointSources sources) {
  return {{owner, std::move(sources)}};
}

TEST(SourceSignalerTest, TwoAddsWithinTheDelayAreOneMessage) {
  Room room({{.participants = 0, .delay = milliseconds{500}}});
  room.join(kTwo);
  room.add(kOne, set_of({a(1)}));
  EXPECT_EQ(room.signaler.next_deadline(), kStart + milliseconds{500});
  room.now += milliseconds{100};
  room.add(kOne, set_of({a(2)}));
  EXPECT_TRUE(room.due().empty());
  EXPECT_EQ(room.signaler.next_deadline(), kStart + milliseconds{500});
  room.now = kStart + milliseconds{500};
  const auto messages = room.due();
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].receiver, kTwo);
  EXPECT_EQ(messages[0].action, JingleAction::kSourceAdd);
  EXPECT_EQ(sources_of(messages[0]), owned(kOne, set_of({a(1), a(2)})));
  EXPECT_EQ(room.signaler.next_deadline(), std::nullopt);
}

TEST(SourceSignalerTest, WhatIsTakenBackIsNeverMentioned) {
  Room room;
  room.join(kTwo);
  room.add(kOne, set_of({a(1)}));
  room.remove(kOne, set_of({a(1)}));
  EXPECT_TRUE(room.due().empty());

  room.add(kOne, set_of({a(1), v(2), v(3)}));
  room.remove(kOne, set_of({v(3)}));
  room.add(kTwo, set_of({a(20)}));
  room.add(kOne, set_of({v(4)}));
  const auto messages = room.due();
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(sources_of(messages[0]), owned(kOne, set_of({a(1), v(2), v(4)})));

  room.remove(kOne, set_of({v(2)}));
  room.add(kOne, set_of({v(2)}));
  EXPECT_TRUE(room.due().empty());
}

TEST(SourceSignalerTest, AChangedAttributeIsARemoveAndThenAnAdd) {
  Room room;
  room.join(kTwo);
  room.add(kOne, set_of({a(1, "x")}));
  room.due();
  room.remove(kOne, set_of({a(1)}));
  room.add(kOne, set_of({a(1, "y")}));
  const auto messages = room.due();
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(messages[0].action, JingleAction::kSourceRemove);
  EXPECT_EQ(sources_of(messages[0]), owned(kOne, set_of({a(1, "x")})));
  EXPECT_EQ(messages[1].action, JingleAction::kSourceAdd);
  EXPECT_EQ(sources_of(messages[1]), owned(kOne, set_of({a(1, "y")})));
}

TEST(SourceSignalerTest, TheOwnerIsNotToldOfItself) {
  Room room;
  room.join(kOne);
  room.join(kTwo);
  room.add(kOne, set_of({a(1)}));
  const auto messages = room.due();
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].receiver, kTwo);
}

TEST(SourceSignalerTest, ThoseTheBridgeTellsAreNotTold) {
  Room room;
  room.join(kTwo, {.json = true, .ssrc_rewriting = true});
  room.add(kOne, set_of({a(1)}));
  EXPECT_EQ(room.signaler.next_deadline(), std::nullopt);
  EXPECT_TRUE(room.due().empty());
}

TEST(SourceSignalerTest, APendingReceiverIsToldRightAfterItsAccept) {
  Room room({{.participants = 0, .delay = seconds{1}}});
  room.add(kOne, set_of({a(1)}));
  room.signaler.offered(kTwo, kJson);  // The offer has source 1.
  room.add(kOne, set_of({v(2)}));
  EXPECT_EQ(room.signaler.next_deadline(), std::nullopt);
  const auto messages = room.signaler.activate(kTwo, room.map).messages;
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(sources_of(messages[0]), owned(kOne, set_of({v(2)})));
}

TEST(SourceSignalerTest, AnotherOfferStartsAfresh) {
  Room room({{.participants = 0, .delay = seconds{1}}});
  room.join(kTwo);
  room.add(kOne, set_of({a(1)}));
  room.signaler.session_ended(kTwo);
  EXPECT_EQ(room.signaler.next_deadline(), std::nullopt);
  room.add(kOne, set_of({v(2)}));
  EXPECT_TRUE(room.join(kTwo).empty());  // The second offer has both.
  room.add(kOne, set_of({v(3)}));
  room.now += seconds{1};
  const auto messages = room.due();
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(sources_of(messages[0]), owned(kOne, set_of({v(3)})));
}

TEST(SourceSignalerTest, NothingIsSaidAboutThoseWhoLeftAndTheirReturnIsNews) {
  Room room;
  room.join(kTwo);
  room.add(kOne, set_of({a(1)}));
  ASSERT_EQ(room.due().size(), 1U);
  room.leave(kOne);
  EXPECT_TRUE(room.due().empty());
  room.add(kOne, set_of({a(1)}));
  const auto messages = room.due();
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(sources_of(messages[0]), owned(kOne, set_of({a(1)})));
}

TEST(SourceSignalerTest, LeavingCancelsWhatWasPending) {
  Room room;
  room.join(kTwo);
  room.join(kThree);
  room.add(kOne, set_of({a(1)}));
  room.leave(kOne);
  room.add(kThree, set_of({a(3)}));
  room.leave(kTwo);
  EXPECT_TRUE(room.due().empty());
}

TEST(SourceSignalerTest, AMovedParticipantIsRemovedAndAnnouncedAgain) {
  Room room;
  room.join(kTwo);
  room.add(kOne, simulcast_set());
  room.due();
  room.remove_all(kOne);
  const auto removed = room.due();
  ASSERT_EQ(removed.size(), 1U);
  EXPECT_EQ(removed[0].action, JingleAction::kSourceRemove);
  EXPECT_EQ(sources_of(removed[0]),
            owned(kOne, set_of({v(1, "m"), v(4, "m"), a(7)}, {fid({1, 4})})));
  room.add(kOne, simulcast_set());
  EXPECT_EQ(room.due().at(0).action, JingleAction::kSourceAdd);
}

TEST(SourceSignalerTest, StrippingLooksAtTheWholeSetNotAtTheChange) {
  Room room;
  room.join(kTwo);
  room.add(kOne, set_of({v(1, "m"), v(2, "m"), v(3, "m")}, {sim({1, 2, 3})}));
  const auto first = room.due();
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(sources_of(first[0]), owned(kOne, set_of({v(1, "m")})));
  room.add(kOne,
           set_of({v(4, "m"), v(5, "m"), v(6, "m")}, {fid({1, 4}), fid({2, 5}), fid({3, 6})}));
  const auto second = room.due();
  ASSERT_EQ(second.size(), 1U);
  EXPECT_EQ(sources_of(second[0]), owned(kOne, set_of({v(4, "m")}, {fid({1, 4})})));
}

TEST(SourceSignalerTest, AReceiverWithoutVideoHearsOfAudioOnly) {
  Room room;
  room.join(kTwo, {.filter = {.audio = true, .video = false}, .json = true});
  room.add(kOne, set_of({a(1), v(2)}));
  const auto messages = room.due();
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(sources_of(messages[0]), owned(kOne, set_of({a(1)})));
  room.add(kOne, set_of({v(3)}));
  EXPECT_TRUE(room.due().empty());
}

TEST(SourceSignalerTest, ReceiversThatAreToldTheSameShareOnePayload) {
  Room room;
  for (const char* id : {"r1", "r2", "r3"}) {
    room.join(endpoint(id));
  }
  room.join(endpoint("r4"), {.json = false});
  room.add(kOne, set_of({a(1)}));
  const auto messages = room.due();
  ASSERT_EQ(messages.size(), 4U);
  EXPECT_EQ(messages[0].payload, messages[1].payload);
  EXPECT_EQ(messages[0].payload, messages[2].payload);
  EXPECT_NE(messages[0].payload, messages[3].payload);
  EXPECT_EQ(messages[3].payload->json_message, std::nullopt);
  ASSERT_EQ(messages[3].payload->contents.size(), 1U);
  EXPECT_EQ(messages[3].payload->contents[0].name, "audio");
}

TEST(SourceSignalerTest, MessagesBecomeJingleInEitherForm) {
  Room room;
  room.join(kTwo);
  room.join(kThree, {.json = false});
  room.add(kOne, set_of({a(1)}));
  const auto messages = room.due();
  ASSERT_EQ(messages.size(), 2U);
  const auto json = make_jingle(messages[0], "sid-2");
  EXPECT_EQ(json.action, JingleAction::kSourceAdd);
  EXPECT_EQ(json.sid, "sid-2");
  EXPECT_EQ(json.initiator, std::nullopt);
  EXPECT_TRUE(json.all_contents().empty());
  EXPECT_EQ(json.json()->json, R"({"sources":{"e1":[[],[],[{"s":1}]]}})");
  const auto xml = make_jingle(messages[1], "sid-3");
  EXPECT_EQ(xml.json(), std::nullopt);
  ASSERT_EQ(xml.all_contents().size(), 1U);
  ASSERT_EQ(xml.all_contents()[0].description->sources.size(), 1U);
  EXPECT_EQ(xml.all_contents()[0].description->sources[0].owner, "e1");
}

TEST(SourceSignalerTest, ALargeRoomIsServedInPortions) {
  Room room;
  for (int i = 0; i < 5; ++i) {
    room.join(endpoint("r" + std::to_string(i)));
  }
  room.add(kOne, set_of({a(1)}));
  EXPECT_EQ(room.signaler.take_due(room.map, kStart, 2).settled.size(), 2U);
  EXPECT_EQ(room.signaler.next_deadline(), kStart);
  EXPECT_EQ(room.signaler.take_due(room.map, kStart, 2).settled.size(), 2U);
  EXPECT_EQ(room.signaler.take_due(room.map, kStart, 2).settled.size(), 1U);
  EXPECT_EQ(room.signaler.next_deadline(), std::nullopt);
}

TEST(SourceSignalerTest, TheDelayGrowsWithTheConference) {
  const SourceSignaler signaler({{.participants = 50, .delay = milliseconds{500}},
                                 {.participants = 100, .delay = milliseconds{1000}}});
  EXPECT_EQ(signaler.delay(49), Duration::zero());
  EXPECT_EQ(signaler.delay(50), milliseconds{500});
  EXPECT_EQ(signaler.delay(99), milliseconds{500});
  EXPECT_EQ(signaler.delay(100), milliseconds{1000});
}

/// What a client believes, kept from its offer and the messages it gets.
class Client {
 public:
  void offer(const ConferenceSourceMap& map, const EndpointId& self, SourceFilter filter) {
    known_.clear();
    for (const auto& [owner, snapshot] : map.owners()) {
      if (owner != self) {
        store(owner, filtered(snapshot.sources(), filter));
      }
    }
  }
  void apply(const SourceMessage& message) {
    for (const auto& [owner, change] : sources_of(message)) {
      EndpointSources next = known_[owner];
      if (message.action == JingleAction::kSourceRemove) {
        ASSERT_TRUE(difference(change, next).empty()) << "told to remove what it never had";
        next = difference(next, change);
      } else {
        ASSERT_EQ(difference(change, next), change) << "told of what it has";
        next.audio.insert(next.audio.end(), change.audio.begin(), change.audio.end());
        next.video.insert(next.video.end(), change.video.begin(), change.video.end());
      }
      store(owner, std::move(next));
    }
  }
  void forget(const EndpointId& owner) { known_.erase(owner); }
  [[nodiscard]] const proto::SourceMap& known() const { return known_; }

 private:
  void store(const EndpointId& owner, EndpointSources sources) {
    if (sources.empty()) {
      known_.erase(owner);
    } else {
      known_[owner] = std::move(sources);
    }
  }
  proto::SourceMap known_;
};

/// Same sources whatever their order.
proto::SourceMap sorted(proto::SourceMap map) {
  const auto by_ssrc = [](const proto::Source& x, const proto::Source& y) {
    return x.ssrc < y.ssrc;
  };
  for (auto& [owner, set] : map) {
    std::sort(set.audio.begin(), set.audio.end(), by_ssrc);
    std::sort(set.video.begin(), set.video.end(), by_ssrc);
  }
  return map;
}

/// Four participants that add, remove, leave, return and are re-invited at random.
class RandomRoom {
 public:
  explicit RandomRoom(std::uint64_t seed)
      : prng_(seed), room_({{.participants = 0, .delay = milliseconds{300}}}) {}

  void step() {
    room_.now += milliseconds{static_cast<std::int64_t>(prng_.below(200))};
    const std::size_t i = prng_.below(kIds.size());
    switch (prng_.below(8)) {
      case 0:
        room_.signaler.offered(kIds[i], how(i));
        clients_[i].offer(room_.map, kIds[i], how(i).filter);
        break;
      case 1:
        deliver(room_.signaler.activate(kIds[i], room_.map).messages);
        break;
      case 2:
        room_.leave(kIds[i]);
        for (auto& client : clients_) {
          client.forget(kIds[i]);
        }
        break;
      case 3:
        room_.remove_all(kIds[i]);
        break;
      default: {
        const auto ssrc = static_cast<std::uint32_t>(1 + i * 10 + prng_.below(4));
        const auto one = set_of({prng_.below(2) == 0 ? a(ssrc) : v(ssrc)});
        if (!room_.map.owner_of(Ssrc(ssrc))) {
          room_.add(kIds[i], one);
        } else {
          room_.remove(kIds[i], one);
        }
      }
    }
    deliver(room_.signaler.take_due(room_.map, room_.now, 2).messages);
  }

  void settle_and_compare() {
    for (std::size_t i = 0; i < kIds.size(); ++i) {
      room_.signaler.offered(kIds[i], how(i));
      clients_[i].offer(room_.map, kIds[i], how(i).filter);
      deliver(room_.signaler.activate(kIds[i], room_.map).messages);
    }
    for (int i = 0; i < 30; ++i) {
      const std::size_t owner = prng_.below(kIds.size());
      const auto ssrc = static_cast<std::uint32_t>(1 + owner * 10 + prng_.below(4));
      const auto one = set_of({a(ssrc)});
      if (!room_.map.owner_of(Ssrc(ssrc))) {
        room_.add(kIds[owner], one);
      } else {
        room_.remove(kIds[owner], one);
      }
      room_.now += milliseconds{static_cast<std::int64_t>(prng_.below(200))};
      deliver(room_.signaler.take_due(room_.map, room_.now, 3).messages);
    }
    room_.now += seconds{1};
    deliver(room_.due());
    for (std::size_t i = 0; i < kIds.size(); ++i) {
      Client fresh;
      fresh.offer(room_.map, kIds[i], how(i).filter);
      ASSERT_EQ(sorted(clients_[i].known()), sorted(fresh.known())) << kIds[i].value();
    }
  }

 private:
  static SourceReceiver how(std::size_t i) {
    return {.filter = {.audio = true, .video = i != 3}, .json = true};
  }
  void deliver(const std::vector<SourceMessage>& messages) {
    for (const SourceMessage& message : messages) {
      const auto i = std::find(kIds.begin(), kIds.end(), message.receiver) - kIds.begin();
      clients_[static_cast<std::size_t>(i)].apply(message);
    }
  }

  inline static const std::vector<EndpointId> kIds = {endpoint("p0"), endpoint("p1"),
                                                      endpoint("p2"), endpoint("p3")};
  Prng prng_;
  Room room_;
  std::vector<Client> clients_ = std::vector<Client>(4);
};

// Goal: the documented guarantee. Method: seeded histories; a client model applies offers and
// messages and complains about removes of unknown and adds of known sources; at the end what each
// client believes is what a fresh offer would say.
TEST(SourceSignalerTest, ClientsEndUpKnowingExactlyWhatIsThere) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    RandomRoom room(seed);
    for (int step = 0; step < 150; ++step) {
      room.step();
      ASSERT_FALSE(::testing::Test::HasFailure());
    }
    room.settle_and_compare();
    ASSERT_FALSE(::testing::Test::HasFailure());
  }
}

}  // namespace
}  // namespace bascule::focus
