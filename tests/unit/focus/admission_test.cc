#include "focus/admission.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/prng.h"
#include "tests/unit/focus/placement_fixture.h"

namespace bascule::focus {
namespace {

using std::chrono::seconds;
const Instant kNow = at(Duration::zero()).mono;

constexpr std::size_t kAll = 100'000;

Admission make_queue(std::size_t tickets = 1'000, std::size_t blocked = kAll) {
  return Admission({.tickets = tickets, .quantum = 4, .blocked_rooms = blocked});
}

/// Serves everything; the names of who was served, in order.
std::vector<std::string> serve_all(Admission& queue, Instant now = kNow,
                                   std::size_t decisions = kAll) {
  std::vector<std::string> served;
  queue.serve_pass(now, decisions,
                   [&](const WaitingTicket& waiting, TicketClass) -> std::optional<WaitReason> {
                     served.push_back(waiting.ticket.room.jid().local() + "/" +
                                      waiting.ticket.participant.jid().resource());
                     return std::nullopt;
                   });
  return served;
}

TEST(AdmissionTest, RoomsTakeTurnsOfFour) {
  Admission queue = make_queue();
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(queue.push(ticket(room("big"), i), false, kNow));
  }
  ASSERT_TRUE(queue.push(ticket(room("small"), 0), false, kNow));
  queue.check_invariants();
  const std::vector<std::string> expected = {"big/p0",   "big/p1", "big/p2", "big/p3",
                                             "small/p0", "big/p4", "big/p5", "big/p6",
                                             "big/p7",   "big/p8", "big/p9"};
  EXPECT_EQ(serve_all(queue), expected);
  EXPECT_TRUE(queue.empty());
  queue.check_invariants();
}

TEST(AdmissionTest, WhoMovesDoesNotHoldUpWhoJoins) {
  Admission queue = make_queue();
  ASSERT_TRUE(queue.push(ticket(room("r"), 0), false, kNow));
  ASSERT_TRUE(queue.push(ticket(room("r"), 1, TicketKind::kMove), false, kNow));
  ASSERT_TRUE(queue.push(ticket(room("r"), 2, TicketKind::kMove), false, kNow));
  ASSERT_TRUE(queue.push(ticket(room("r"), 3), false, kNow));
  ASSERT_TRUE(queue.push(ticket(room("r"), 4, TicketKind::kMove), false, kNow));
  ASSERT_TRUE(queue.push(ticket(room("r"), 5), false, kNow));
  const std::vector<std::string> expected = {"r/p0", "r/p3", "r/p5", "r/p1", "r/p2", "r/p4"};
  EXPECT_EQ(serve_all(queue), expected);
  queue.check_invariants();
}

TEST(AdmissionTest, DisplacedPeopleComeFirstThenJoinsThenNewConferences) {
  Admission queue = make_queue();
  ASSERT_TRUE(queue.push(ticket(room("new"), 0), false, kNow));
  ASSERT_TRUE(queue.push(ticket(room("live"), 0), false, kNow));
  queue.set_live(room("live"), true);
  ASSERT_TRUE(queue.push(ticket(room("new"), 1, TicketKind::kReinvite), false, kNow));
  EXPECT_EQ(queue.size(TicketClass::kDisplaced), 1u);
  EXPECT_EQ(queue.size(TicketClass::kJoinsLive), 1u);
  EXPECT_EQ(queue.size(TicketClass::kFirst), 1u);
  EXPECT_EQ(serve_all(queue), (std::vector<std::string>{"new/p1", "live/p0", "new/p0"}));
}

TEST(AdmissionTest, AWaitingTicketHoldsUpItsRoomOnly) {
  Admission queue = make_queue();
  ASSERT_TRUE(queue.push(ticket(room("stuck"), 0), false, kNow));
  ASSERT_TRUE(queue.push(ticket(room("stuck"), 1), false, kNow));
  ASSERT_TRUE(queue.push(ticket(room("fine"), 0), false, kNow));
  std::vector<std::string> offered;
  const auto pass = queue.serve_pass(kNow, kAll, [&](const WaitingTicket& waiting, TicketClass) {
    offered.push_back(waiting.ticket.room.jid().local());
    return offered.back() == "stuck" ? std::optional(WaitReason::kCapacity) : std::nullopt;
  });
  EXPECT_EQ(pass.served, 1u);
  EXPECT_TRUE(pass.complete);
  EXPECT_EQ(queue.find(occupant(room("stuck"), 0))->last_reason, WaitReason::kCapacity);
  EXPECT_FALSE(queue.find(occupant(room("stuck"), 1))->last_reason.has_value());
  EXPECT_EQ(queue.find(occupant(room("fine"), 0)), nullptr);
  queue.check_invariants();
}

TEST(AdmissionTest, ACancelledTicketIsGoneAndAnOlderGenerationCancelsNothing) {
  Admission queue = make_queue();
  ASSERT_TRUE(queue.push(ticket(room("r"), 0, TicketKind::kJoin, 5), false, kNow));
  EXPECT_FALSE(queue.cancel(occupant(room("r"), 0), 4));
  EXPECT_FALSE(queue.cancel(occupant(room("r"), 1), 9));
  EXPECT_EQ(queue.size(), 1u);
  EXPECT_TRUE(queue.cancel(occupant(room("r"), 0), 5));
  EXPECT_TRUE(queue.empty());
  EXPECT_TRUE(serve_all(queue).empty());
  queue.check_invariants();
}

TEST(AdmissionTest, ANewerGenerationTakesOverThePlaceOfTheOld) {
  Admission queue = make_queue();
  ASSERT_TRUE(queue.push(ticket(room("r"), 0), false, kNow));
  ASSERT_TRUE(queue.push(ticket(room("r"), 1), false, kNow));
  const auto again = queue.push(ticket(room("r"), 0), false, kNow);
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, Errc::kConflict);
  ASSERT_TRUE(queue.push(ticket(room("r"), 0, TicketKind::kJoin, 2), false, kNow + seconds{3}));
  EXPECT_EQ(queue.size(), 2u);
  EXPECT_EQ(queue.find(occupant(room("r"), 0))->ticket.generation, 2u);
  EXPECT_EQ(queue.find(occupant(room("r"), 0))->since, kNow);
  EXPECT_EQ(serve_all(queue), (std::vector<std::string>{"r/p0", "r/p1"}));
}

TEST(AdmissionTest, AFullQueueRefusesButStillReplaces) {
  Admission queue = make_queue(2);
  ASSERT_TRUE(queue.push(ticket(room("r"), 0), false, kNow));
  ASSERT_TRUE(queue.push(ticket(room("r"), 1), false, kNow));
  const auto refused = queue.push(ticket(room("r"), 2), false, kNow);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::kUnavailable);
  EXPECT_TRUE(queue.push(ticket(room("r"), 1, TicketKind::kReinvite, 2), false, kNow));
  EXPECT_EQ(queue.size(), 2u);
  queue.check_invariants();
}

TEST(AdmissionTest, AHeldRoomIsNotOfferedUntilItsTime) {
  Admission queue = make_queue();
  ASSERT_TRUE(queue.push(ticket(room("r"), 0), false, kNow));
  queue.hold(room("r"), kNow + seconds{5});
  EXPECT_TRUE(serve_all(queue, kNow + seconds{4}).empty());
  EXPECT_EQ(queue.find(occupant(room("r"), 0))->last_reason, WaitReason::kRetryWait);
  EXPECT_EQ(serve_all(queue, kNow + seconds{5}).size(), 1u);
}

TEST(AdmissionTest, APassIsBoundedAndTheNextContinues) {
  Admission queue = make_queue(1'000, 20);
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(queue.push(ticket(room("r" + std::to_string(i)), 0), false, kNow));
  }
  std::set<std::string> offered;
  for (int pass = 0; pass < 5; ++pass) {
    std::size_t offers = 0;
    const auto result =
        queue.serve_pass(kNow, kAll, [&](const WaitingTicket& waiting, TicketClass) {
          offered.insert(waiting.ticket.room.jid().local());
          ++offers;
          return std::optional(WaitReason::kCapacity);
        });
    EXPECT_EQ(offers, 20u);
    EXPECT_FALSE(result.complete);
  }
  EXPECT_EQ(offered.size(), 100u);
  EXPECT_EQ(serve_all(queue, kNow, 10).size(), 10u);
  queue.check_invariants();
}

TEST(AdmissionTest, TheFirstOfARoomMakesTheOthersJoinsInTheSamePass) {
  Admission queue = make_queue();
  for (int i = 0; i < 9; ++i) {
    ASSERT_TRUE(queue.push(ticket(room("r"), i), false, kNow));
  }
  std::size_t served = 0;
  queue.serve_pass(kNow, kAll,
                   [&](const WaitingTicket& waiting, TicketClass) -> std::optional<WaitReason> {
                     queue.set_live(waiting.ticket.room, true);
                     ++served;
                     return std::nullopt;
                   });
  EXPECT_EQ(served, 9u);
  EXPECT_TRUE(queue.empty());
  queue.check_invariants();
}

TEST(AdmissionTest, TheOldestArrivalIsKnownPerClass) {
  Admission queue = make_queue();
  EXPECT_FALSE(queue.oldest().has_value());
  ASSERT_TRUE(queue.push(ticket(room("a"), 0), false, kNow + seconds{2}));
  ASSERT_TRUE(queue.push(ticket(room("b"), 0, TicketKind::kReinvite), false, kNow + seconds{3}));
  EXPECT_EQ(queue.oldest(), kNow + seconds{2});
  EXPECT_EQ(queue.oldest(TicketClass::kDisplaced), kNow + seconds{3});
  EXPECT_FALSE(queue.oldest(TicketClass::kJoinsLive).has_value());
}

// Goal: between two services of a servable room, every other room of its class gets at most four.
// Method: random rooms of very different size, random blocking.
TEST(AdmissionTest, NoRoomIsServedMoreThanItsShareBetweenTwoServicesOfAnother) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Prng prng(seed);
    Admission queue = make_queue(10'000);
    std::map<std::string, int> left;
    for (int r = 0; r < 20; ++r) {
      const std::string name = "r" + std::to_string(r);
      left[name] = static_cast<int>(1 + prng.below(r == 0 ? 500 : 20));
      for (int i = 0; i < left[name]; ++i) {
        ASSERT_TRUE(queue.push(ticket(room(name), i), false, kNow));
      }
    }
    std::map<std::string, std::map<std::string, int>> since;  // Others served since its last turn.
    std::string visited;
    while (!queue.empty()) {
      queue.serve_pass(kNow, kAll,
                       [&](const WaitingTicket& waiting, TicketClass) -> std::optional<WaitReason> {
                         const std::string name = waiting.ticket.room.jid().local();
                         if (prng.below(8) == 0) {
                           since.clear();  // Somebody was not servable: the property starts anew.
                           return WaitReason::kPace;
                         }
                         --left[name];
                         for (const auto& [other, tickets] : left) {
                           if (tickets > 0 && other != name) {
                             EXPECT_LE(++since[other][name], 4);
                           }
                         }
                         since[name].clear();
                         return std::nullopt;
                       });
      queue.check_invariants();
    }
  }
}

// Goal: the structure survives any interleaving of its operations.
TEST(AdmissionTest, InvariantsHoldForRandomHistories) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Prng prng(seed);
    Admission queue = make_queue(200, 5);
    std::uint32_t generation = 1;
    for (int step = 0; step < 2'000; ++step) {
      const RoomJid where = room("r" + std::to_string(prng.below(8)));
      const int who = static_cast<int>(prng.below(12));
      const auto kind = static_cast<TicketKind>(prng.below(3));
      switch (prng.below(5)) {
        case 0:
        case 1:
          static_cast<void>(
              queue.push(ticket(where, who, kind, ++generation), prng.below(4) == 0, kNow));
          break;
        case 2:
          queue.cancel(occupant(where, who), generation);
          break;
        case 3:
          queue.set_live(where, prng.below(2) == 0);
          break;
        default:
          queue.serve_pass(
              kNow + Duration(step), 7, [&](const WaitingTicket& waiting, TicketClass) {
                queue.set_live(waiting.ticket.room, prng.below(2) == 0);
                return prng.below(2) == 0 ? std::optional(WaitReason::kPace) : std::nullopt;
              });
      }
      queue.check_invariants();
    }
  }
}

}  // namespace
}  // namespace bascule::focus
