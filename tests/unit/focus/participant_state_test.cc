#include "focus/participant_state.h"

#include <array>
#include <string>

#include <gtest/gtest.h>

namespace bascule::focus {
namespace {

/// The whole machine, one row per event and one letter per state in the order of the enumeration:
/// Discovering Waiting Queued Allocating Inviting Active Moving Backoff detacHed Gone.
/// A capital is the next state, `=` no change, `!` a bug of ours.
constexpr std::array<const char*, kParticipantEventCount> kTable = {
    "W!!!!!!!!=",  // Discovered
    "=Q====="
    "=Q=",         // Wanted
    "==WWWWWWW=",  // Unwanted
    "!!A!!!A!!=",  // Placed
    "!!!I!!!!!=",  // Allocated
    "!!!Q!!!!!=",  // AllocationFailed
    "!!!B!!!!!=",  // AllocationBroken
    "!!!!B=Q!!=",  // InviteFailed
    "!!!!C==!!=",  // Accepted
    "!!!!QQQ!!=",  // Restart
    "!!!!HHH!!=",  // Ended
    "===QMM====",  // BridgeLost
    "!!!!!!!Q!=",  // RetryDue
    "GGGGGGGGG=",  // Left
};
const std::string kLetters = "DWQAICMBHG";

TEST(ParticipantState, EveryPairIsATransitionIgnoredOrABug) {
  for (std::size_t e = 0; e < kParticipantEventCount; ++e) {
    for (std::size_t s = 0; s < kParticipantStateCount; ++s) {
      const auto state = static_cast<ParticipantState>(s);
      const auto event = static_cast<ParticipantEvent>(e);
      const ParticipantStep taken = step(state, event);
      const char expected = kTable[e][s];
      SCOPED_TRACE(std::string(name_of(state)) + " x " + std::string(name_of(event)));
      EXPECT_EQ(expected == '!', taken.effect == ParticipantEffect::kImpossible);
      if (expected == '=' || expected == '!') {
        EXPECT_EQ(taken.next, state);
      } else {
        EXPECT_EQ(taken.next, static_cast<ParticipantState>(kLetters.find(expected)));
      }
      if (expected == '=') {
        EXPECT_EQ(taken.effect, ParticipantEffect::kNothing);
      }
    }
  }
}

TEST(ParticipantState, TicketsAndSessionsFollowTheState) {
  for (std::size_t s = 0; s < kParticipantStateCount; ++s) {
    for (std::size_t e = 0; e < kParticipantEventCount; ++e) {
      const auto state = static_cast<ParticipantState>(s);
      const ParticipantStep taken = step(state, static_cast<ParticipantEvent>(e));
      const bool enqueues = taken.effect == ParticipantEffect::kEnqueue ||
                            taken.effect == ParticipantEffect::kEnqueueMove ||
                            taken.effect == ParticipantEffect::kRequeue ||
                            taken.effect == ParticipantEffect::kReleaseEnqueue;
      if (enqueues) {
        EXPECT_TRUE(has_ticket(taken.next));
      }
      if (taken.effect == ParticipantEffect::kInvite) {
        EXPECT_TRUE(has_session(taken.next) && !has_session(state));
      }
      if (has_session(state) && !has_session(taken.next)) {
        EXPECT_NE(taken.effect, ParticipantEffect::kNothing);
      }
    }
  }
}

}  // namespace
}  // namespace bascule::focus
