// What bridges get wrong: nobody is lost on them, and their nonsense is counted.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/integration/scripted_bridge.h"
#include "tests/integration/stage.h"
#include "tests/peers/common/stanza.h"

namespace bascule::test {
namespace {

using peers::element;
namespace ns = peers::ns;

struct BadAnswer {
  const char* name;
  ScriptedBridge::Answerer make;
};

std::ostream& operator<<(std::ostream& out, const BadAnswer& answer) {
  return out << answer.name;
}

xml::Element result_with(const xml::Element& request, xml::Element child) {
  xml::Element answer = peers::result_of(request);
  answer.add(std::move(child));
  return answer;
}

class BridgeThatAnswersWrongly : public testing::TestWithParam<BadAnswer> {};

TEST_P(BridgeThatAnswersWrongly, LosesNobodyAndAGoodBridgeTakesThem) {
  Stage stage(
      {.daemon = {{"conference", {{"iq-timeout", "\"1 s\""}}},
                  {"selection", {{"retry-wait", "\"200 ms\""}, {"avoid-time", "\"500 ms\""}}}},
       .bridges = 0,
       .start_daemon = false});
  ScriptedBridge bad(stage.io, stage.prosody.c2s_port(), stage.prosody.domain(), "bad");
  bad.answer = GetParam().make;
  stage.until("the bad bridge is in", [&bad] { return bad.is_in(); });
  stage.daemon.start();
  stage.until_ready();
  ScriptedClient& first = stage.client("room");
  ScriptedClient& second = stage.client("room");
  stage.enter(first);
  stage.enter(second);
  stage.until("the bad bridge was asked", [&bad] { return bad.requests > 0; });
  stage.until("its failure is counted",
              [&stage] { return stage.daemon.metric("bascule_allocations_failed_total") > 0; });
  EXPECT_EQ(first.invites + second.invites, 0);
  // The bad one may be out of favour by now: then nobody is sent to it.
  stage.add_bridge();
  stage.until_all_see_each_other({&first, &second}, std::chrono::seconds(20));
  EXPECT_EQ(stage.endpoints_on_bridges(), 2);
  EXPECT_EQ(first.focus_departures, 0);
  EXPECT_EQ(stage.daemon.metric("bascule_bugs_total"), 0);
  EXPECT_EQ(stage.daemon.metric("bascule_links_lost_total"), 0);
}

INSTANTIATE_TEST_SUITE_P(
    Malformed, BridgeThatAnswersWrongly,
    testing::Values(
        BadAnswer{"Garbage",
                  [](const xml::Element& request) {
                    return result_with(request, element("what", "urn:example:test"));
                  }},
        BadAnswer{"WrongNamespace",
                  [](const xml::Element& request) {
                    return result_with(request, element("conference-modified", ns::kColibri));
                  }},
        BadAnswer{"EmptyResult",
                  [](const xml::Element& request) { return peers::result_of(request); }},
        BadAnswer{"HalfAnAnswer",
                  [](const xml::Element& request) {
                    xml::Element modified = element("conference-modified", ns::kColibri2);
                    modified.add(element("endpoint", ns::kColibri2, {{"id", "somebody"}}));
                    return result_with(request, modified);
                  }},
        BadAnswer{"Error",
                  [](const xml::Element& request) {
                    return peers::error_of(request, {"cancel", "internal-server-error", "no"});
                  }},
        BadAnswer{"Nothing", [](const xml::Element&) { return std::nullopt; }}),
    [](const auto& made) { return std::string(made.param.name); });

TEST(MalformedBridges, BrokenStatisticsAreCountedAndTheBridgesStayUsable) {
  Stage stage;
  ScriptedClient& first = stage.client("room");
  ScriptedClient& second = stage.client("room");
  stage.enter(first);
  stage.enter(second);
  stage.until_all_see_each_other({&first, &second});
  const double invalid = stage.daemon.metric("bascule_bridge_reports_invalid_total");
  for (const char* lie : {"nan", "negative", "missing", "duplicate", "extra"}) {
    const double reports = stage.daemon.metric("bascule_bridge_reports_total") +
                           stage.daemon.metric("bascule_bridge_reports_invalid_total");
    for (const auto& bridge : stage.bridges) {
      bridge->apply({.verb = "lie", .arguments = {lie}, .duration = {}});
    }
    stage.until("both have reported", [&stage, reports] {
      return stage.daemon.metric("bascule_bridge_reports_total") +
                 stage.daemon.metric("bascule_bridge_reports_invalid_total") >=
             reports + 2;
    });
    EXPECT_EQ(first.invites, 1) << lie;
  }
  EXPECT_GT(stage.daemon.metric("bascule_bridge_reports_invalid_total"), invalid);
  for (const auto& bridge : stage.bridges) {
    bridge->apply({.verb = "clear", .arguments = {}, .duration = {}});
  }
  ScriptedClient& third = stage.client("room");
  stage.enter(third);
  stage.until_all_see_each_other({&first, &second, &third});
  EXPECT_EQ(stage.daemon.metric("bascule_bridges_lost_total"), 0);
}

TEST(MalformedBridges, PresenceFullOfNonsenseHarmsNobody) {
  Stage stage;
  ScriptedBridge odd(stage.io, stage.prosody.c2s_port(), stage.prosody.domain(), "odd");
  stage.until("it is in", [&odd] { return odd.is_in(); });
  xml::Element stats = element("stats", ns::kColibri);
  stats.add(element("stat", ns::kColibri));
  stats.add(element("stat", ns::kColibri, {{"name", "stress_level"}}));
  stats.add(element("stat", ns::kColibri, {{"name", "stress_level"}, {"value", "1e999"}}));
  stats.add(element("stat", ns::kColibri, {{"name", "healthy"}, {"value", "perhaps"}}));
  stats.add(element("other", "urn:example:test"));
  odd.publish_extension(stats);
  odd.publish({{"stress_level", "high"}, {"version", std::string(5000, 'v')}});
  odd.publish({{"stress_level", "-7"}, {"participants", "many"}});
  odd.publish_extension(element("stats", "urn:example:test"));
  xml::Element question = peers::iq("get", odd.focus_occupant());
  question.add(element("what", "urn:example:test"));
  const Reply reply = stage.wait_for(odd.ask(question));
  EXPECT_EQ(reply.type(), "error");
  EXPECT_EQ(reply.condition(), "service-unavailable");
  stage.until("invalid reports are counted", [&stage] {
    return stage.daemon.metric("bascule_bridge_reports_invalid_total") >= 2;
  });
  ScriptedClient& first = stage.client("room");
  ScriptedClient& second = stage.client("room");
  odd.answer = [](const xml::Element& request) {
    return peers::error_of(request, {"cancel", "service-unavailable", ""});
  };
  stage.enter(first);
  stage.enter(second);
  stage.until_all_see_each_other({&first, &second});
  EXPECT_EQ(stage.daemon.metric("bascule_links_lost_total"), 0);
  EXPECT_EQ(stage.daemon.metric("bascule_bugs_total"), 0);
}

}  // namespace
}  // namespace bascule::test
