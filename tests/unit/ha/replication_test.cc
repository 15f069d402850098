// The active side and the standby side, on a wire made of strings.

#include <deque>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ha/replica.h"
#include "ha/replicator.h"
#include "tests/unit/focus/random_operations.h"

namespace bascule::ha {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr Duration kSync = milliseconds{250};
constexpr Duration kSilence = milliseconds{3'000};

RoomJid room(const std::string& name) {
  return RoomJid(Jid::parse(name + "@conference.example.net").value());
}
focus::Operation created(const std::string& name) {
  return focus::op::ConferenceCreate{.room = room(name), .meeting_id = "m-" + name};
}

focus::Restored start_with(const std::vector<focus::Operation>& operations) {
  focus::Restored restored;
  for (const focus::Operation& operation : operations) {
    restored.tables.apply(operation);
  }
  return restored;
}

/// Frames of a connection, both ways; nothing arrives unless the test says so.
class Wire {
 public:
  Wire(Replicator& active, PeerId peer, Replica& standby)
      : active_(active), peer_(peer), standby_(standby) {}

  void greet(Now now) {
    FrameReader reader;
    reader.append(standby_.hello());
    active_.join(peer_, decode_greeting(reader.next().value()->payload).value(), now);
  }
  /// Everything that waits goes to the standby.
  Result<> deliver() {
    while (const auto bytes = active_.next_frame(peer_)) {
      FrameReader reader;
      reader.append(*bytes);
      if (auto taken = standby_.receive(**reader.next()); !taken) {
        return taken;
      }
    }
    return {};
  }
  /// Only the next frame.
  Result<> deliver_one() {
    FrameReader reader;
    reader.append(active_.next_frame(peer_).value());
    return standby_.receive(**reader.next());
  }
  /// The frames the standby wants to say arrive.
  Result<> answer(Now now) {
    for (const std::string& bytes : standby_.take_replies()) {
      FrameReader reader;
      reader.append(bytes);
      if (auto taken = active_.receive(peer_, **reader.next(), now); !taken) {
        return taken;
      }
    }
    return {};
  }

 private:
  Replicator& active_;
  PeerId peer_;
  Replica& standby_;
};

class Replication : public testing::Test {
 protected:
  Replication()
      : active({.node = "a",
                .version = "1",
                .epoch = 4,
                .sync_timeout = kSync,
                .silence_max = kSilence},
               start_with({created("old")})) {}

  Now now(Duration after = {}) {
    time += after;
    return {.mono = Instant(time), .wall = WallTime(time)};
  }
  /// A turn of the active process.
  CommitId commit(const std::vector<focus::Operation>& operations) {
    const CommitId id{++commits};
    active.commit(id, operations, now());
    return id;
  }
  std::vector<std::uint64_t> answered() {
    std::vector<std::uint64_t> ids;
    for (const Replicator::Answer& answer : active.take_answers()) {
      ids.push_back(answer.id.value());
    }
    return ids;
  }
  std::vector<Replicator::Change> changes() {
    std::vector<Replicator::Change> seen;
    for (const Replicator::Event& event : active.take_changes()) {
      seen.push_back(event.change);
    }
    return seen;
  }
  void synchronize() {
    wire.greet(now());
    ASSERT_TRUE(wire.deliver());
    ASSERT_TRUE(wire.answer(now()));
    ASSERT_THAT(changes(), ElementsAre(Replicator::Change::kInSync));
  }

  Duration time = milliseconds{1};
  std::uint64_t commits = 0;
  Replicator active;
  Replica standby{"b", "1", {}};
  Wire wire{active, PeerId(1), standby};
};

TEST_F(Replication, AloneACommitNeedsTheStoreOnly) {
  const CommitId id = commit({created("r")});
  EXPECT_THAT(answered(), IsEmpty());
  active.stored(id, {});
  EXPECT_THAT(answered(), ElementsAre(1));
  EXPECT_EQ(active.next_deadline(), std::nullopt);
}

TEST_F(Replication, AFailureOfTheStoreIsHandedOn) {
  const CommitId id = commit({created("r")});
  active.stored(id, fail(Errc::kUnavailable, "full"));
  const auto answers = active.take_answers();
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers.front().outcome.error().what, "full");
}

TEST_F(Replication, ASnapshotMakesTheStandbyEqual) {
  synchronize();
  EXPECT_EQ(standby.position(), (Position{4, 0}));
  EXPECT_THAT(active.nodes_in_sync(), ElementsAre("b"));
  EXPECT_EQ(standby.tables(), active.tables());
  const auto work = standby.take_work();
  ASSERT_EQ(work.size(), 1U);
  EXPECT_EQ(std::get<Replica::ReplaceAll>(work.front()), standby.tables());
}

TEST_F(Replication, InSyncACommitNeedsBoth) {
  synchronize();
  const CommitId first = commit({created("r")});
  const CommitId second = commit({created("s")});
  active.stored(first, {});
  active.stored(second, {});
  EXPECT_THAT(answered(), IsEmpty());
  ASSERT_TRUE(wire.deliver_one());
  ASSERT_TRUE(wire.answer(now()));
  EXPECT_THAT(answered(), ElementsAre(1));
  const CommitId third = commit({created("t")});
  ASSERT_TRUE(wire.deliver());
  ASSERT_TRUE(wire.answer(now()));
  EXPECT_THAT(answered(), ElementsAre(2)) << "the store does not have the third";
  active.stored(third, {});
  EXPECT_THAT(answered(), ElementsAre(3));
  EXPECT_EQ(standby.tables(), active.tables());
}

TEST_F(Replication, AConfirmationThatIsLateIsNotWaitedFor) {
  synchronize();
  const CommitId first = commit({created("r")});
  active.stored(first, {});
  EXPECT_LE(*active.next_deadline(), now().mono + kSync);
  active.fire_timers(now(kSync - milliseconds{1}));
  EXPECT_THAT(answered(), IsEmpty());
  active.fire_timers(now(milliseconds{1}));
  EXPECT_THAT(changes(), ElementsAre(Replicator::Change::kDegraded));
  EXPECT_THAT(active.nodes_in_sync(), IsEmpty());
  EXPECT_THAT(answered(), ElementsAre(1));
  const CommitId second = commit({created("s")});
  active.stored(second, {});
  EXPECT_THAT(answered(), ElementsAre(2));
  // It comes back by itself, and not before it has everything that was answered.
  ASSERT_TRUE(wire.deliver_one());
  ASSERT_TRUE(wire.answer(now()));
  EXPECT_THAT(changes(), IsEmpty());
  ASSERT_TRUE(wire.deliver());
  ASSERT_TRUE(wire.answer(now()));
  EXPECT_THAT(changes(), ElementsAre(Replicator::Change::kInSync));
}

TEST_F(Replication, WhoBecomesInSyncIsWaitedForByWhatWaitsAlready) {
  wire.greet(now());
  const CommitId first = commit({created("r")});
  const CommitId second = commit({created("s")});
  active.stored(first, {});
  EXPECT_THAT(answered(), ElementsAre(1));
  // Snapshot, and the first commit: nothing else was answered.
  ASSERT_TRUE(wire.deliver_one());  // WELCOME
  while (standby.position() != Position{4, 1}) {
    ASSERT_TRUE(wire.deliver_one());
  }
  ASSERT_TRUE(wire.answer(now()));
  EXPECT_THAT(changes(), ElementsAre(Replicator::Change::kInSync));
  active.stored(second, {});
  EXPECT_THAT(answered(), IsEmpty());
  ASSERT_TRUE(wire.deliver());
  ASSERT_TRUE(wire.answer(now()));
  EXPECT_THAT(answered(), ElementsAre(2));
}

TEST_F(Replication, AConnectionThatEndsReleasesWhatWaited) {
  synchronize();
  const CommitId first = commit({created("r")});
  active.stored(first, {});
  active.leave(PeerId(1), "gone");
  EXPECT_THAT(changes(), ElementsAre(Replicator::Change::kDegraded));
  EXPECT_THAT(answered(), ElementsAre(1));
  EXPECT_EQ(active.next_frame(PeerId(1)), std::nullopt);
}

TEST_F(Replication, ANewConnectionBeginsWithASnapshotWhateverTheStandbyHas) {
  Replica divergent("b", "1", start_with({created("only-here"), created("old")}));
  Wire other(active, PeerId(2), divergent);
  other.greet(now());
  commit({created("r")});
  ASSERT_TRUE(other.deliver());
  EXPECT_EQ(divergent.tables(), active.tables());
  // Again, after a connection that broke.
  divergent.disconnected();
  active.leave(PeerId(2), "gone");
  commit({created("s")});
  Wire again(active, PeerId(3), divergent);
  again.greet(now());
  ASSERT_TRUE(again.deliver());
  EXPECT_EQ(divergent.tables(), active.tables());
  EXPECT_EQ(divergent.snapshots(), 2U);
}

TEST_F(Replication, HalfASnapshotChangesNothing) {
  Replica half("b", "1", start_with({created("mine")}));
  const focus::Tables before = half.tables();
  Wire other(active, PeerId(2), half);
  other.greet(now());
  ASSERT_TRUE(other.deliver_one());
  ASSERT_TRUE(other.deliver_one());
  ASSERT_TRUE(other.deliver_one());
  half.disconnected();
  EXPECT_EQ(half.tables(), before);
  EXPECT_EQ(half.position(), std::nullopt);
  EXPECT_THAT(half.take_work(), IsEmpty());
}

TEST_F(Replication, ACommitInPartsIsAppliedWhole) {
  synchronize();
  (void)standby.take_work();
  const std::string large(400'000, 'x');
  std::vector<focus::Operation> operations = {
      focus::op::LinkSet{.bare = Jid::parse("focus@example.net").value(), .resume_id = "s"}};
  for (std::uint64_t i = 1; i <= 6; ++i) {
    operations.emplace_back(focus::op::OutboundPush{.index = i, .xml = large});
  }
  commit(operations);
  ASSERT_TRUE(wire.deliver_one());
  EXPECT_EQ(standby.position(), (Position{4, 0}));
  EXPECT_THAT(standby.take_work(), IsEmpty());
  EXPECT_THAT(standby.take_replies(), IsEmpty());
  ASSERT_TRUE(wire.deliver());
  EXPECT_EQ(standby.position(), (Position{4, 1}));
  EXPECT_EQ(standby.tables(), active.tables());
  EXPECT_EQ(standby.take_work().size(), 1U);
}

TEST_F(Replication, AHoleInTheOperationsIsNoticed) {
  synchronize();
  commit({created("r")});
  commit({created("s")});
  (void)active.next_frame(PeerId(1));  // Lost.
  const auto taken = wire.deliver();
  ASSERT_FALSE(taken.has_value());
  EXPECT_THAT(taken.error().what, HasSubstr("left out operations"));
}

TEST_F(Replication, ConfirmingWhatWasNeverToldIsRefused) {
  synchronize();
  for (const Position wrong : {Position{4, 7}, Position{3, 0}}) {
    FrameReader reader;
    reader.append(encode(FrameType::kAck, wrong));
    EXPECT_FALSE(active.receive(PeerId(1), **reader.next(), now()).has_value());
  }
}

TEST_F(Replication, SilenceIsNoticedByHeartbeatsThatAreMissing) {
  synchronize();
  for (int i = 0; i < 20; ++i) {
    active.fire_timers(now(milliseconds{500}));
    ASSERT_TRUE(wire.deliver());
    FrameReader reader;
    reader.append(encode(Heartbeat{}));
    ASSERT_TRUE(active.receive(PeerId(1), **reader.next(), now()));
  }
  EXPECT_TRUE(standby.in_sync());
  EXPECT_THAT(changes(), IsEmpty());
  active.fire_timers(now(kSilence));
  EXPECT_THAT(changes(), ElementsAre(Replicator::Change::kDegraded, Replicator::Change::kDropped));
}

TEST_F(Replication, ReportsAreHandedOnAndTheLastOnesAreInTheSnapshot) {
  stats::ReceivedReport report;
  report.report.bridge = BridgeJid(Jid::parse("brewery@muc.example.net/jvb1").value());
  report.report.region = "eu";
  active.reports({report});
  synchronize();
  ASSERT_EQ(Replica(standby).restored({}).reports.size(), 1U);
  EXPECT_EQ(Replica(standby).restored({}).reports.front().report, report.report);
  EXPECT_EQ(Replica(standby).restored({}).reports.front().source, stats::ReportSource::kRestored);
  (void)standby.take_work();
  report.report.region = "us";
  active.reports({report});
  ASSERT_TRUE(wire.deliver());
  EXPECT_EQ(Replica(standby).restored({}).reports.front().report.region, "us");
  const auto work = standby.take_work();
  ASSERT_EQ(work.size(), 1U);
  EXPECT_THAT(std::get<std::vector<stats::ReceivedReport>>(work.front()), ElementsAre(report));
}

TEST_F(Replication, SwitchoverNeedsSomebodyInSyncWithEverything) {
  EXPECT_FALSE(active.offer_switch());
  synchronize();
  const CommitId id = commit({created("r")});
  active.stored(id, {});
  EXPECT_FALSE(active.offer_switch()) << "a confirmation is missing";
  ASSERT_TRUE(wire.deliver());
  ASSERT_TRUE(wire.answer(now()));
  ASSERT_TRUE(active.offer_switch());
  ASSERT_TRUE(wire.deliver());
  EXPECT_EQ(standby.promised(), (Position{4, 1}));
  EXPECT_EQ(active.successor(), std::nullopt);
  ASSERT_TRUE(wire.answer(now()));
  EXPECT_EQ(active.successor(), "b");
}

TEST_F(Replication, AnAnswerToAnOfferThatWasWithdrawnMeansNothing) {
  synchronize();
  ASSERT_TRUE(active.offer_switch());
  ASSERT_TRUE(wire.deliver());
  active.withdraw_switch();
  ASSERT_TRUE(wire.answer(now()));
  EXPECT_EQ(active.successor(), std::nullopt);
}

TEST_F(Replication, TwoStandbysAreBothWaitedFor) {
  synchronize();
  Replica third("c", "1", {});
  Wire other(active, PeerId(2), third);
  other.greet(now());
  ASSERT_TRUE(other.deliver());
  ASSERT_TRUE(other.answer(now()));
  EXPECT_THAT(active.nodes_in_sync(), ElementsAre("b", "c"));
  const CommitId id = commit({created("r")});
  active.stored(id, {});
  ASSERT_TRUE(wire.deliver());
  ASSERT_TRUE(wire.answer(now()));
  EXPECT_THAT(answered(), IsEmpty());
  ASSERT_TRUE(other.deliver());
  ASSERT_TRUE(other.answer(now()));
  EXPECT_THAT(answered(), ElementsAre(1));
}

TEST_F(Replication, TheSameNameIsRefused) {
  Replica twin("a", "1", {});
  Wire other(active, PeerId(2), twin);
  other.greet(now());
  const auto taken = other.deliver();
  ASSERT_FALSE(taken.has_value());
  EXPECT_THAT(taken.error().what, HasSubstr("ha.node"));
}

/// An active process and a standby that comes and goes, at random.
class Storm {
 public:
  explicit Storm(std::uint64_t seed)
      : random_(seed),
        operations_(seed),
        active_({.node = "a", .epoch = seed, .sync_timeout = kSync, .silence_max = kSilence}, {}) {}

  void step() {
    switch (random_.below(8)) {
      case 0:
      case 1:
        active_.commit(CommitId(++commits_), operations_.some(1 + random_.below(3)), now());
        break;
      case 2:
        if (stored_ < commits_) {
          active_.stored(CommitId(++stored_), {});
        }
        break;
      case 3:
        deliver();
        break;
      case 4:
        if (wire_) {
          EXPECT_TRUE(wire_->answer(now()));
        }
        break;
      case 5:
        time_ += milliseconds{static_cast<std::int64_t>(random_.below(200))};
        active_.fire_timers(now());
        break;
      default:
        come_or_go();
    }
    look();
  }
  void deliver() {
    if (wire_) {
      EXPECT_TRUE(wire_->deliver());
    }
  }
  /// Once everything is delivered.
  void expect_equal() const {
    if (wire_) {
      EXPECT_EQ(standby_->tables(), active_.tables());
    }
  }

 private:
  [[nodiscard]] Now now() const { return {.mono = Instant(time_), .wall = WallTime(time_)}; }
  void come_or_go() {
    if (!wire_) {
      standby_.emplace("b", "1", focus::Restored{});
      wire_.emplace(active_, PeerId(++peers_), *standby_);
      wire_->greet(now());
    } else if (random_.below(12) == 0) {
      active_.leave(PeerId(peers_), "gone");
      wire_.reset();
    }
  }
  void look() {
    for (const Replicator::Event& event : active_.take_changes()) {
      if (event.change == Replicator::Change::kDropped) {
        active_.leave(event.peer, event.why);
        wire_.reset();
      }
    }
    for (const Replicator::Answer& answer : active_.take_answers()) {
      ASSERT_EQ(answer.id.value(), answered_ + 1);
      answered_ = answer.id.value();
    }
    if (!active_.nodes_in_sync().empty()) {
      ASSERT_TRUE(standby_->position().has_value());
      ASSERT_GE(standby_->position()->sequence, answered_);
    }
  }

  Prng random_;
  focus::RandomOperations operations_;
  Replicator active_;
  std::optional<Replica> standby_;
  std::optional<Wire> wire_;
  std::uint64_t peers_ = 0;
  std::uint64_t commits_ = 0;
  std::uint64_t stored_ = 0;
  std::uint64_t answered_ = 0;
  Duration time_{1};
};

/// Whatever happens on the way: what was answered while a standby was in sync is on it.
TEST(ReplicationStorm, AnsweredIsOnEveryStandbyInSync) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    Storm storm(seed);
    for (int step = 0; step < 400; ++step) {
      storm.step();
    }
    storm.deliver();
    storm.expect_equal();
  }
}

}  // namespace
}  // namespace bascule::ha
