#include "admin/conference_routes.h"

#include <gmock/gmock.h>

#include "base/time_text.h"
#include "tests/unit/admin/meeting_fixture.h"

namespace bascule::admin {
namespace {

using nlohmann::json;
using std::chrono::seconds;

class ConferenceRoutesTest : public MeetingFixture {
 protected:
  ConferenceRoutesTest() {
    add_conference_routes(
        router_,
        {.focus = &stage_.focus, .now = [this] { return stage_.now; }, .earlier = &earlier_});
  }

  std::vector<std::string> rooms_of(const json& page) {
    std::vector<std::string> rooms;
    for (const json& conference : page.at("conferences")) {
      rooms.push_back(conference.at("room"));
    }
    return rooms;
  }

  Decisions earlier_;
};

TEST_F(ConferenceRoutesTest, AMeetingIsListedWithWhereItsPeopleAre) {
  const std::string created = to_text(stage_.now.wall);
  stage_.meet("tea", {"alice", "bob"});
  const json page = json_at("/v1/conferences");
  EXPECT_EQ(page.at("total"), 1);
  EXPECT_EQ(page.at("next"), nullptr);
  ASSERT_EQ(page.at("conferences").size(), 1U);
  const json& tea = page.at("conferences").at(0);
  EXPECT_EQ(tea.at("room"), room("tea"));
  EXPECT_EQ(tea.at("created_at"), created);
  EXPECT_EQ(tea.at("state"), "active");
  EXPECT_EQ(tea.at("participants"), 2);
  EXPECT_EQ(tea.at("sessions"), 2);
  EXPECT_NE(tea.at("meeting_id"), nullptr);
  ASSERT_EQ(tea.at("bridges").size(), 1U);
  EXPECT_EQ(tea.at("bridges").at(0).at("participants"), 2);
  EXPECT_THAT(tea.at("bridges").at(0).at("bridge").get<std::string>(), testing::EndsWith("/jvb2"));
}

TEST_F(ConferenceRoutesTest, PagesFollowEachOtherWithoutGapOrRepetition) {
  for (const char* name : {"a", "b", "c", "d", "e"}) {
    stage_.ask(name);
  }
  std::vector<std::string> seen;
  std::string query = "limit=2";
  for (int pages = 1;; ++pages) {
    const json page = json_at("/v1/conferences", query);
    EXPECT_EQ(page.at("total"), 5);
    const auto rooms = rooms_of(page);
    seen.insert(seen.end(), rooms.begin(), rooms.end());
    if (page.at("next") == nullptr) {
      EXPECT_EQ(pages, 3);
      break;
    }
    query = "limit=2&after=" + page.at("next").get<std::string>();
  }
  EXPECT_THAT(seen, testing::ElementsAre(room("a"), room("b"), room("c"), room("d"), room("e")));
}

TEST_F(ConferenceRoutesTest, AConferenceThatEndsBetweenTwoPagesDoesNoHarm) {
  for (const char* name : {"a", "b", "c"}) {
    stage_.meet(name, {"alice", "bob"});
  }
  const json first = json_at("/v1/conferences", "limit=1");
  stage_.leave("a", "alice");
  stage_.leave("a", "bob");
  stage_.advance(seconds{120});
  const json second = json_at("/v1/conferences", "after=" + first.at("next").get<std::string>());
  EXPECT_THAT(rooms_of(second), testing::ElementsAre(room("b"), room("c")));
}

TEST_F(ConferenceRoutesTest, SearchLooksAtNamesAndBridgesAtPeople) {
  stage_.meet("morning-tea", {"alice", "bob"});
  stage_.ask("evening-tea");
  stage_.ask("dinner");
  EXPECT_THAT(rooms_of(json_at("/v1/conferences", "search=TEA")),
              testing::ElementsAre(room("evening-tea"), room("morning-tea")));
  EXPECT_THAT(rooms_of(json_at("/v1/conferences", "search=example")), testing::IsEmpty());
  EXPECT_THAT(rooms_of(json_at("/v1/conferences", "bridge=jvb2")),
              testing::ElementsAre(room("morning-tea")));
  EXPECT_THAT(rooms_of(json_at("/v1/conferences", "bridge=jvb1")), testing::IsEmpty());
}

TEST_F(ConferenceRoutesTest, ParticipantsAreToldWithWhereSinceWhenAndWhy) {
  stage_.meet("tea", {"alice"});
  stage_.join("tea", "bob");
  const std::string then = to_text(stage_.now.wall);
  stage_.advance(seconds{60});
  const json tea = json_at("/v1/conferences/tea%40conference.example.net");
  EXPECT_EQ(tea.at("room"), room("tea"));
  EXPECT_EQ(tea.at("pin"), nullptr);
  ASSERT_EQ(tea.at("participants").size(), 2U);
  const json& bob = tea.at("participants").at(1);
  EXPECT_EQ(bob.at("endpoint"), "bob");
  EXPECT_EQ(bob.at("state"), "active");
  EXPECT_THAT(bob.at("bridge").get<std::string>(), testing::EndsWith("/jvb2"));
  EXPECT_EQ(bob.at("sid"), stage_.client("tea", "bob").sid);
  EXPECT_EQ(bob.at("joined_at"), then);
  EXPECT_EQ(bob.at("placed_at"), then);
  EXPECT_EQ(bob.at("rule"), "join");
  EXPECT_EQ(tea.at("participants").at(0).at("rule"), "new");
  EXPECT_EQ(bob.at("waiting"), nullptr);
  EXPECT_EQ(bob.at("role"), "participant");
  EXPECT_EQ(bob.at("kind"), "user");
}

TEST_F(ConferenceRoutesTest, WhoWaitsIsToldWithWhy) {
  stage_.meet("tea", {"alice"});
  stage_.remove_bridge("jvb1");
  stage_.remove_bridge("jvb2");
  stage_.join("tea", "bob");
  const json tea = json_at("/v1/conferences/" + room("tea"));
  const json& alice = tea.at("participants").at(0);
  EXPECT_EQ(alice.at("state"), "queued");
  EXPECT_EQ(alice.at("bridge"), nullptr);
  EXPECT_EQ(alice.at("placed_at"), nullptr);
  EXPECT_EQ(alice.at("rule"), nullptr);
  EXPECT_EQ(alice.at("waiting"), "no_bridge");
}

TEST_F(ConferenceRoutesTest, OneParticipantComesWithTheDecisionsAboutIt) {
  stage_.meet("tea", {"alice", "bob"});
  focus::op::Decision before{.at = WallTime(seconds{1'600'000'000}), .number = 1};
  before.room = RoomJid(Jid::parse(room("tea")).value());
  before.endpoint = EndpointId("bob");
  before.reason = "capacity";
  earlier_[{before.at, 1}] = before;
  const json bob = json_at("/v1/conferences/" + room("tea") + "/participants/bob");
  EXPECT_EQ(bob.at("endpoint"), "bob");
  EXPECT_EQ(bob.at("room"), room("tea"));
  ASSERT_EQ(bob.at("decisions").size(), 2U);
  EXPECT_EQ(bob.at("decisions").at(0).at("endpoint"), "bob");
  EXPECT_EQ(bob.at("decisions").at(0).at("rule"), "join");
  EXPECT_EQ(bob.at("decisions").at(1).at("earlier_process"), true);
  EXPECT_EQ(bob.at("decisions").at(1).at("wait"), "capacity");
}

TEST_F(ConferenceRoutesTest, WhatIsNotThereOrNotUnderstoodIsAProblem) {
  stage_.meet("tea", {"alice", "bob"});
  for (const char* query : {"limit=0", "limit=1001", "limit=x", "after=nowhere",
                            "after=", "search=a&search=b", "sort=name", "search=%4"}) {
    expect_problem(400, "/v1/conferences", query);
  }
  expect_problem(404, "/v1/conferences", "bridge=jvb9");
  expect_problem(404, "/v1/conferences/" + room("coffee"));
  expect_problem(404, "/v1/conferences/tea");
  expect_problem(404, "/v1/conferences/" + room("coffee") + "/participants/bob");
  expect_problem(404, "/v1/conferences/" + room("tea") + "/participants/carol");
  expect_problem(400, "/v1/conferences/" + room("tea"), "x=1");
  expect_problem(400, "/v1/conferences/" + room("tea") + "/participants/bob", "x=1");
}

/// Conferences that an earlier process left.
focus::Restored many(int count) {
  focus::Restored restored;
  for (int i = 0; i < count; ++i) {
    const RoomJid room(
        Jid::parse("r" + std::to_string(100'000 + i) + "@conference.example.net").value());
    restored.tables.apply(focus::op::ConferenceCreate{.room = room, .meeting_id = "m"});
  }
  restored.same_boot = true;
  return restored;
}

TEST(ConferencePagesTest, ASearchInThousandsIsCutIntoPages) {
  focus::Stage stage(many(9'000));
  Router router;
  add_conference_routes(router, {.focus = &stage.focus, .now = [&stage] { return stage.now; }});
  std::string query = "search=r108999";
  std::vector<std::size_t> looked_at;
  json found;
  while (found.empty()) {
    const json page = json_of(ask(router, get("/v1/conferences", query)));
    looked_at.push_back(page.at("looked_at"));
    found = page.at("conferences");
    if (page.at("next") == nullptr) {
      break;
    }
    query = "search=r108999&after=" + page.at("next").get<std::string>();
  }
  EXPECT_THAT(looked_at, testing::ElementsAre(4'000, 4'000, 1'000));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found.at(0).at("room"), "r108999@conference.example.net");
}

}  // namespace
}  // namespace bascule::admin
