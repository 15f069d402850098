#include "xmpp/stream_management.h"

#include <gtest/gtest.h>

#include "base/prng.h"

namespace bascule::xmpp {
namespace {

xml::Element sm_element(std::string name) {
  return {.name = std::move(name), .ns = std::string(kSmNamespace)};
}

xml::Element with_h(std::string name, std::uint32_t h) {
  xml::Element element = sm_element(std::move(name));
  element.set("h", std::to_string(h));
  return element;
}

xml::Element enabled_answer() {
  xml::Element element = sm_element("enabled");
  element.set("id", "token").set("resume", "true").set("max", "15");
  return element;
}

xml::Element resumed_answer(std::uint32_t h) {
  return with_h("resumed", h).set("previd", "token");
}

StreamManagement enabled_session(StreamManagement::Options options = {}) {
  StreamManagement sm(options);
  EXPECT_TRUE(sm.enabled(enabled_answer(), "focus@auth.test/one").has_value());
  return sm;
}

std::string h_of(const xml::Element& element) {
  return std::string(element.attribute_or_empty("h"));
}

TEST(StreamManagementTest, IsOffUntilTheServerEnablesIt) {
  StreamManagement sm;
  EXPECT_FALSE(sm.is_enabled());
  EXPECT_TRUE(sm.sent("<message/>").has_value());
  EXPECT_EQ(sm.outbox_size(), 0U);
  EXPECT_FALSE(sm.acknowledged(with_h("a", 0)).has_value());
  EXPECT_FALSE(sm.enabled(sm_element("failed"), "x").has_value());
}

TEST(StreamManagementTest, WithoutAnIdThereIsNothingToResume) {
  StreamManagement sm;
  ASSERT_TRUE(sm.enabled(sm_element("enabled").set("id", "token"), "x").has_value());
  EXPECT_TRUE(sm.is_enabled());
  EXPECT_FALSE(sm.can_resume());
}

TEST(StreamManagementTest, TellsTheHandledCountNotTheReceivedOne) {
  auto sm = enabled_session();
  EXPECT_EQ(sm.received(), 1U);
  EXPECT_EQ(sm.received(), 2U);
  EXPECT_EQ(sm.received(), 3U);
  sm.handled(1);
  EXPECT_EQ(h_of(sm.answer_request()), "1");
  EXPECT_EQ(h_of(sm.resume_request()), "1");
  EXPECT_EQ(sm.state().inbound_handled, 1U);
}

TEST(StreamManagementTest, OwesAnAnswerUntilTheCommitCatchesUp) {
  auto sm = enabled_session();
  sm.received();
  sm.received();
  EXPECT_EQ(h_of(sm.answer_request()), "0");
  EXPECT_FALSE(sm.take_owed_answer().has_value());
  sm.handled(1);
  EXPECT_FALSE(sm.take_owed_answer().has_value());
  sm.handled(2);
  const auto owed = sm.take_owed_answer();
  ASSERT_TRUE(owed.has_value());
  EXPECT_EQ(h_of(*owed), "2");
  EXPECT_FALSE(sm.take_owed_answer().has_value());
}

TEST(StreamManagementTest, HandledNeverRunsBackwards) {
  auto sm = enabled_session();
  sm.received();
  sm.received();
  sm.handled(2);
  sm.handled(1);
  EXPECT_EQ(h_of(sm.answer_request()), "2");
}

TEST(StreamManagementTest, ConfirmationsEmptyTheOutboxInOrder) {
  auto sm = enabled_session();
  for (const char* text : {"one", "two", "three"}) {
    ASSERT_TRUE(sm.sent(text).has_value());
  }
  EXPECT_EQ(sm.outbox_bytes(), 11U);
  ASSERT_TRUE(sm.acknowledged(with_h("a", 2)).has_value());
  EXPECT_EQ(sm.state().outbox, std::vector<std::string>{"three"});
  EXPECT_EQ(sm.outbox_bytes(), 5U);
  ASSERT_TRUE(sm.acknowledged(with_h("a", 2)).has_value());  // Repeated: no effect.
  ASSERT_TRUE(sm.acknowledged(with_h("a", 3)).has_value());
  EXPECT_EQ(sm.outbox_size(), 0U);
}

TEST(StreamManagementTest, RefusesImpossibleConfirmations) {
  auto sm = enabled_session();
  ASSERT_TRUE(sm.sent("one").has_value());
  EXPECT_EQ(sm.acknowledged(with_h("a", 2)).error().code, Errc::kInvalidArgument);
  EXPECT_EQ(sm.acknowledged(sm_element("a")).error().code, Errc::kMalformed);
  EXPECT_EQ(sm.acknowledged(sm_element("a").set("h", "-1")).error().code, Errc::kMalformed);
  EXPECT_EQ(sm.acknowledged(sm_element("a").set("h", "1x")).error().code, Errc::kMalformed);
  ASSERT_TRUE(sm.acknowledged(with_h("a", 1)).has_value());
  EXPECT_EQ(sm.acknowledged(with_h("a", 0)).error().code, Errc::kInvalidArgument);
  EXPECT_EQ(sm.outbox_size(), 0U);
}

TEST(StreamManagementTest, CountsModulo2To32) {
  SmState state{.id = "token",
                .bound_jid = "x",
                .inbound_handled = 0xFFFF'FFFEU,
                .outbound_acked = 0xFFFF'FFFFU,
                .outbox = {"a", "b", "c"}};
  auto sm = StreamManagement::restore(state, {});
  EXPECT_EQ(h_of(sm.resume_request()), "4294967294");
  const auto again = sm.resumed(resumed_answer(1));
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(*again, std::vector<std::string>{"c"});
  for (int i = 0; i < 3; ++i) {
    sm.handled(sm.received().value());
  }
  EXPECT_EQ(h_of(sm.answer_request()), "1");
}

TEST(StreamManagementTest, AFullOutboxIsAnErrorNotAGap) {
  auto few = enabled_session({.max_outbox_stanzas = 2});
  ASSERT_TRUE(few.sent("one").has_value());
  ASSERT_TRUE(few.sent("two").has_value());
  EXPECT_EQ(few.sent("three").error().code, Errc::kUnavailable);
  EXPECT_EQ(few.outbox_size(), 2U);
  auto small = enabled_session({.max_outbox_bytes = 4});
  EXPECT_EQ(small.sent("12345").error().code, Errc::kUnavailable);
}

TEST(StreamManagementTest, AsksForAConfirmationEveryNStanzas) {
  auto sm = enabled_session({.request_every = 3});
  for (int round = 0; round < 2; ++round) {
    for (const bool due : {false, false, true}) {
      ASSERT_TRUE(sm.sent("x").has_value());
      EXPECT_EQ(sm.take_request_due(), due);
    }
  }
}

TEST(StreamManagementTest, ResumeSendsAgainWhatTheServerMissedAndDropsWhatWeHave) {
  auto sm = enabled_session();
  for (const char* text : {"one", "two", "three"}) {
    ASSERT_TRUE(sm.sent(text).has_value());
  }
  for (int i = 0; i < 4; ++i) {
    sm.received();
  }
  sm.handled(2);
  EXPECT_EQ(h_of(sm.resume_request()), "2");
  sm.handled(3);  // Committed while the answer is on its way.
  const auto again = sm.resumed(resumed_answer(1));
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(*again, (std::vector<std::string>{"two", "three"}));
  EXPECT_EQ(h_of(sm.answer_request()), "2");  // Number 3 has not come on this connection.
  EXPECT_FALSE(sm.received().has_value());    // 3 again
  EXPECT_FALSE(sm.received().has_value());    // 4 again
  EXPECT_EQ(sm.received(), 5U);
  sm.handled(5);
  EXPECT_EQ(h_of(sm.answer_request()), "5");
}

TEST(StreamManagementTest, ASecondCutDuringRedeliveryStillDeliversEachStanzaOnce) {
  auto sm = enabled_session();
  for (int i = 0; i < 4; ++i) {
    sm.received();
  }
  EXPECT_EQ(h_of(sm.resume_request()), "0");
  ASSERT_TRUE(sm.resumed(resumed_answer(0)).has_value());
  EXPECT_FALSE(sm.received().has_value());
  sm.handled(1);
  EXPECT_EQ(h_of(sm.resume_request()), "1");
  ASSERT_TRUE(sm.resumed(resumed_answer(0)).has_value());
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(sm.received().has_value());
  }
  EXPECT_EQ(sm.received(), 5U);
}

TEST(StreamManagementTest, RefusesAResumeOfSomebodyElsesSession) {
  auto sm = enabled_session();
  EXPECT_EQ(sm.resumed(with_h("resumed", 0).set("previd", "other")).error().code, Errc::kMalformed);
  EXPECT_EQ(sm.resumed(with_h("resumed", 7).set("previd", "token")).error().code,
            Errc::kInvalidArgument);
}

TEST(StreamManagementTest, StateSurvivesExportAndRestore) {
  auto sm = enabled_session();
  ASSERT_TRUE(sm.sent("one").has_value());
  ASSERT_TRUE(sm.sent("two").has_value());
  ASSERT_TRUE(sm.acknowledged(with_h("a", 1)).has_value());
  sm.handled(sm.received().value());
  const SmState state = sm.state();
  EXPECT_EQ(state, (SmState{.id = "token",
                            .bound_jid = "focus@auth.test/one",
                            .inbound_handled = 1,
                            .outbound_acked = 1,
                            .outbox = {"two"}}));
  EXPECT_EQ(StreamManagement::restore(state, {}).state(), state);
}

void run_random_cuts(std::uint64_t seed) {
  Prng prng(seed);
  auto sm = enabled_session();
  std::vector<std::string> server_got;
  std::uint32_t server_sent = 0;    // Stanzas the server ever produced.
  std::uint32_t next_delivery = 1;  // The next one it would put on this connection.
  std::uint64_t expected_in = 1;
  int produced = 0;
  for (int step = 0; step < 400; ++step) {
    switch (prng.below(6)) {
      case 0: {  // We send; whether it arrives before a cut is the network's choice.
        const std::string text = std::to_string(produced++);
        ASSERT_TRUE(sm.sent(text).has_value());
        // In order only: it can arrive when everything before it did.
        if (server_got.size() + 1 == static_cast<std::size_t>(produced) && prng.below(2) == 0) {
          server_got.push_back(text);
        }
        break;
      }
      case 1:
        ++server_sent;
        break;
      case 2:
        if (next_delivery <= server_sent) {
          ++next_delivery;
          if (const auto sequence = sm.received()) {
            EXPECT_EQ(*sequence, expected_in++);
          }
        }
        break;
      case 3:
        if (expected_in > 1) {
          sm.handled(prng.below(expected_in));
        }
        break;
      case 4:
        ASSERT_TRUE(sm.acknowledged(with_h("a", static_cast<std::uint32_t>(server_got.size())))
                        .has_value());
        break;
      default: {
        const std::string h = h_of(sm.resume_request());
        const auto again =
            sm.resumed(resumed_answer(static_cast<std::uint32_t>(server_got.size())));
        ASSERT_TRUE(again.has_value());
        server_got.insert(server_got.end(), again->begin(), again->end());
        next_delivery = static_cast<std::uint32_t>(std::stoul(h)) + 1;
        break;
      }
    }
  }
  for (std::size_t i = 0; i < server_got.size(); ++i) {
    EXPECT_EQ(server_got[i], std::to_string(i));
  }
}

// Goal: whatever is cut wherever, the server gets every stanza once and in order, and so do we.
// Method: a model server that loses everything in flight at each cut, 100 seeds.
TEST(StreamManagementTest, NothingIsLostOrDoubledOverRandomCuts) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    ASSERT_NO_FATAL_FAILURE(run_random_cuts(seed));
  }
}

}  // namespace
}  // namespace bascule::xmpp
