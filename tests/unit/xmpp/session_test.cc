#include "xmpp/session.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/prng.h"
#include "xmpp/proto/iq.h"

namespace bascule::xmpp {
namespace {

using std::chrono::milliseconds, std::chrono::seconds;
constexpr Duration kTimeout = seconds{15};

Now at(Duration since_start) {
  return {.mono = Instant(since_start), .wall = WallTime()};
}
Jid jid(std::string_view text) {
  return Jid::parse(text).value();
}

const Jid kOwnAddress = jid("focus@auth.example.net/bascule");
const Jid kBridge = jid("jvbbrewery@internal.example.net/jvb1");

Session make_session(std::size_t outstanding_max = 100) {
  Session session({.id_token = 0xFEEDFACECAFEBEEFU, .outstanding_max = outstanding_max});
  session.stream_up(kOwnAddress);
  return session;
}

xml::Element ping_to(Session& session, std::uint64_t request, const Jid& to, Now now = at({})) {
  return session.send(RequestId(request), to, proto::Ping{}, kTimeout, now).value();
}

/// The result to `request`; an empty `from` leaves the attribute out.
xml::Element result_for(const xml::Element& request, std::string_view from) {
  xml::Element answer{.name = "iq", .ns = "jabber:client"};
  answer.set("type", "result").set("id", request.attribute("id").value());
  if (!from.empty()) {
    answer.set("from", from);
  }
  return answer;
}

Errc error_of(const Completed& completed) {
  return std::get<Error>(completed.outcome.error()).code;
}

TEST(SessionTest, PairsAResultWithItsRequest) {
  auto session = make_session();
  const auto iq = ping_to(session, 7, kBridge);
  EXPECT_EQ(iq.attribute("to"), kBridge.to_string());
  EXPECT_EQ(iq.attribute("type"), "get");
  EXPECT_FALSE(iq.attribute("from").has_value());
  ASSERT_EQ(iq.children.size(), 1U);
  EXPECT_TRUE(iq.children[0].is("ping", "urn:xmpp:ping"));

  const auto completed = session.receive(result_for(iq, kBridge.to_string()));
  ASSERT_TRUE(completed.has_value());
  EXPECT_EQ(completed->request, RequestId(7));
  ASSERT_TRUE(completed->outcome.has_value());
  EXPECT_TRUE(std::holds_alternative<proto::Empty>(*completed->outcome));
  EXPECT_EQ(session.outstanding(), 0U);
  EXPECT_EQ(session.next_deadline(), std::nullopt);
}

TEST(SessionTest, AComponentNamesTheSenderOfItsRequests) {
  auto session = make_session();
  session.stream_up(jid("bascule.example.net"), jid("focus@bascule.example.net/1"));
  const auto iq = ping_to(session, 1, kBridge);
  EXPECT_EQ(iq.attribute("from"), "focus@bascule.example.net/1");
}

TEST(SessionTest, HandsOverTheErrorOfThePeer) {
  auto session = make_session();
  const auto iq = ping_to(session, 1, kBridge);
  const auto error = proto::encode_iq_error(proto::decode_iq_envelope(iq).value(),
                                            proto::make_error(proto::Condition::kItemNotFound));
  const auto completed = session.receive(error);
  ASSERT_TRUE(completed.has_value());
  const auto& failure = std::get<proto::StanzaError>(completed->outcome.error());
  EXPECT_EQ(failure.condition, proto::Condition::kItemNotFound);
  EXPECT_EQ(session.counters().stanza_errors, 1U);
}

TEST(SessionTest, AnErrorWithoutErrorElementIsMalformed) {
  auto session = make_session();
  auto answer = result_for(ping_to(session, 1, kBridge), kBridge.to_string());
  answer.set("type", "error");
  const auto completed = session.receive(answer);
  ASSERT_TRUE(completed.has_value());
  EXPECT_EQ(error_of(*completed), Errc::kMalformed);
  EXPECT_EQ(session.counters().malformed, 1U);
}

TEST(SessionTest, AMalformedResultCompletesItsRequest) {
  auto session = make_session();
  const auto iq =
      session.send(RequestId(1), kBridge, proto::DiscoInfoRequest{}, kTimeout, at({})).value();
  auto answer = result_for(iq, kBridge.to_string());
  auto& query = answer.add({.name = "query", .ns = "http://jabber.org/protocol/disco#info"});
  query.add({.name = "feature", .ns = query.ns});  // A feature without `var`.
  const auto completed = session.receive(answer);
  ASSERT_TRUE(completed.has_value());
  ASSERT_FALSE(completed->outcome.has_value());
  EXPECT_EQ(error_of(*completed), Errc::kMalformed);
}

TEST(SessionTest, DuplicateLateAndInventedAnswersCompleteNothing) {
  auto session = make_session();
  const auto answer = result_for(ping_to(session, 1, kBridge), kBridge.to_string());
  ASSERT_TRUE(session.receive(answer).has_value());
  EXPECT_FALSE(session.receive(answer).has_value());
  EXPECT_EQ(session.counters().late_or_duplicate, 1U);

  const auto late = result_for(ping_to(session, 2, kBridge), kBridge.to_string());
  std::vector<Completed> completed;
  session.fire_timers(at(kTimeout), completed);
  ASSERT_EQ(completed.size(), 1U);
  EXPECT_FALSE(session.receive(late).has_value());
  EXPECT_EQ(session.counters().late_or_duplicate, 2U);

  const auto waiting = ping_to(session, 3, kBridge);
  const std::string id(waiting.attribute("id").value());
  std::uint64_t invented = 0;
  for (const auto& wrong : {std::string("3"), std::string(), id + "/", id.substr(0, id.size() - 1),
                            std::string("b-3"), id.substr(0, id.size() - 1) + "03"}) {
    auto forged = answer;
    forged.set("id", wrong);
    EXPECT_FALSE(session.receive(forged).has_value()) << wrong;
    ++invented;
  }
  EXPECT_EQ(session.counters().unknown_id, invented);
  EXPECT_EQ(session.outstanding(), 1U);
}

TEST(SessionTest, AnAnswerToAnEarlierProcessMatchesNothing) {
  Session earlier({.id_token = 1});
  earlier.stream_up(kOwnAddress);
  auto session = make_session();
  const auto old = result_for(ping_to(earlier, 1, kBridge), kBridge.to_string());
  ping_to(session, 1, kBridge);
  EXPECT_FALSE(session.receive(old).has_value());
  EXPECT_EQ(session.counters().unknown_id, 1U);
}

struct SenderCase {
  const char* to;    ///< Empty: no `to`.
  const char* from;  ///< Empty: no `from`.
  bool counts;
};

TEST(SessionTest, OnlyTheAskedEntityMayAnswer) {
  const std::vector<SenderCase> cases = {
      {"a@x.net/r", "a@x.net/r", true},
      {"a@x.net/r", "A@X.net/r", true},
      {"a@x.net/r", "a@x.net/R", false},
      {"a@x.net/r", "a@x.net", false},
      {"a@x.net", "a@x.net/r", false},
      {"a@x.net/r", "", false},
      {"a@x.net/r", "x.net", false},
      {"conference.example.net", "conference.example.net", true},
      {"conference.example.net", "", false},
      // The own server.
      {"auth.example.net", "auth.example.net", true},
      {"auth.example.net", "", true},
      {"auth.example.net", "focus@auth.example.net", false},
      // The own account (RFC 6120 8.1.2.1).
      {"", "", true},
      {"", "focus@auth.example.net", true},
      {"", "focus@auth.example.net/bascule", true},
      {"", "auth.example.net", true},
      {"", "focus@auth.example.net/other", false},
      {"", "other@auth.example.net", false},
      {"focus@auth.example.net", "", true},
      {"focus@auth.example.net", "focus@auth.example.net", true},
      {"focus@auth.example.net", "a@x.net", false},
      {"a@x.net/r", "@", false},
  };
  std::uint64_t refused = 0;
  for (const auto& c : cases) {
    SCOPED_TRACE(std::string(c.to) + " asked, answer from " + c.from);
    auto session = make_session();
    const auto to = std::string_view(c.to).empty() ? Jid() : jid(c.to);
    const auto iq = ping_to(session, 1, to);
    EXPECT_EQ(session.receive(result_for(iq, c.from)).has_value(), c.counts);
    EXPECT_EQ(session.outstanding(), c.counts ? 0U : 1U);
    refused += session.counters().wrong_sender;
  }
  EXPECT_EQ(refused, 11U);
}

TEST(SessionTest, FiresNotEarlyAndInOrderOfDeadlines) {
  auto session = make_session();
  for (const auto& [request, timeout] :
       {std::pair{1, seconds{3}}, {2, seconds{1}}, {3, seconds{2}}}) {
    ASSERT_TRUE(session.send(RequestId(static_cast<std::uint64_t>(request)), kBridge, proto::Ping{},
                             timeout, at({})));
  }
  EXPECT_EQ(session.next_deadline(), Instant(seconds{1}));
  std::vector<Completed> completed;
  session.fire_timers(at(milliseconds{999}), completed);
  EXPECT_TRUE(completed.empty());
  session.fire_timers(at(seconds{2}), completed);
  ASSERT_EQ(completed.size(), 2U);
  EXPECT_EQ(completed[0].request, RequestId(2));
  EXPECT_EQ(completed[1].request, RequestId(3));
  EXPECT_EQ(error_of(completed[0]), Errc::kTimeout);
  EXPECT_EQ(session.next_deadline(), Instant(seconds{3}));
}

TEST(SessionTest, RefusesWhatItCannotSend) {
  auto session = make_session(2);
  ping_to(session, 1, kBridge);
  ping_to(session, 2, kBridge);
  const auto refused = session.send(RequestId(3), kBridge, proto::Ping{}, kTimeout, at({}));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().request, RequestId(3));
  EXPECT_EQ(error_of(refused.error()), Errc::kRefused);

  std::vector<Completed> completed;
  session.stream_down(completed);
  ASSERT_EQ(completed.size(), 2U);
  EXPECT_EQ(error_of(completed[0]), Errc::kUnavailable);
  const auto down = session.send(RequestId(4), kBridge, proto::Ping{}, kTimeout, at({}));
  ASSERT_FALSE(down.has_value());
  EXPECT_EQ(error_of(down.error()), Errc::kUnavailable);
}

TEST(SessionTest, RequestsSurviveAnInterruptionThatIsResumed) {
  auto session = make_session();
  const auto iq = ping_to(session, 1, kBridge);
  session.stream_interrupted();
  EXPECT_FALSE(session.send(RequestId(2), kBridge, proto::Ping{}, kTimeout, at({})).has_value());
  session.stream_up(kOwnAddress);
  EXPECT_TRUE(session.receive(result_for(iq, kBridge.to_string())).has_value());
}

void run_random_history(std::uint64_t seed) {
  Prng prng(seed);
  Session session({.id_token = prng.next(), .outstanding_max = 1 + prng.below(30)});
  session.stream_up(kOwnAddress);
  std::map<std::uint64_t, int> completions;
  std::vector<std::pair<xml::Element, std::string>> sent;
  std::vector<Completed> completed;
  Duration clock{};
  std::uint64_t next_request = prng.below(1'000'000);
  const auto note = [&](const Completed& c) { ++completions[c.request.value()]; };
  for (int step = 0; step < 400; ++step) {
    const auto what = prng.below(100);
    if (what < 45) {
      const auto request = next_request++;
      completions[request] = 0;
      const std::string peer = "room@c.net/p" + std::to_string(prng.below(5));
      const Duration timeout{1 + static_cast<std::int64_t>(prng.below(2'000'000))};
      auto iq = session.send(RequestId(request), jid(peer), proto::Ping{}, timeout, at(clock));
      if (iq) {
        sent.emplace_back(std::move(*iq), peer);
      } else {
        note(iq.error());
      }
    } else if (what < 85 && !sent.empty()) {
      const auto& [iq, peer] = sent[prng.below(sent.size())];
      const bool forge = prng.below(3) == 0;
      const auto answer =
          session.receive(result_for(iq, forge ? std::string("room@c.net/thief") : peer));
      ASSERT_FALSE(forge && answer.has_value());
      if (answer) {
        note(*answer);
      }
    } else if (what < 97) {
      clock += Duration(static_cast<std::int64_t>(prng.below(300'000)));
      session.fire_timers(at(clock), completed);
      const auto next = session.next_deadline();
      ASSERT_TRUE(!next || *next > Instant(clock));
    } else {
      session.stream_down(completed);
      ASSERT_EQ(session.outstanding(), 0U);
      session.stream_up(kOwnAddress);
    }
  }
  session.stream_down(completed);
  for (const auto& c : completed) {
    note(c);
  }
  for (const auto& [request, count] : completions) {
    ASSERT_EQ(count, 1) << "request " << request;
  }
  ASSERT_EQ(session.outstanding(), 0U);
  ASSERT_EQ(session.next_deadline(), std::nullopt);
}

// Goal: every request is completed exactly once whatever happens. Method: 200 seeded storms of
// sends, true, duplicate, late and forged answers, time jumps and stream losses; at the end the
// stream goes down, and each request must have been completed once, and with its own peer's answer.
TEST(SessionTest, EveryRequestIsCompletedExactlyOnce) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    ASSERT_NO_FATAL_FAILURE(run_random_history(seed));
  }
}

}  // namespace
}  // namespace bascule::xmpp
