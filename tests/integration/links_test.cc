// The daemon's links to a real Prosody: lost, cut, refused; and the end of the daemon itself.

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/integration/stage.h"

namespace bascule::test {
namespace {

using std::chrono::milliseconds, std::chrono::seconds;
using testing::HasSubstr, testing::Not, testing::IsEmpty;

TEST(Links, ProsodyDeathEndsWithLinksBackAndPeopleInTheirRooms) {
  Stage stage;
  ScriptedClient& first = stage.client("crash");
  ScriptedClient& second = stage.client("crash");
  stage.enter(first);
  stage.enter(second);
  stage.until_all_see_each_other({&first, &second});

  stage.prosody.kill();
  stage.until("the daemon says that it is not ready", [&stage] {
    const HttpAnswer answer = stage.daemon.get("/readyz");
    return answer.status == 503 && answer.body.find("client_link_down") != std::string::npos &&
           answer.body.find("service_link_down") != std::string::npos &&
           answer.body.find("requests_link_down") != std::string::npos;
  });
  EXPECT_EQ(stage.daemon.get("/livez").status, 200U);
  stage.until("the clients have noticed",
              [&] { return !first.is_logged_in() && !second.is_logged_in(); });

  stage.prosody.start();
  stage.until_ready();
  EXPECT_EQ(stage.daemon.metric("bascule_links_lost_total"), 3);
  EXPECT_EQ(stage.daemon.metric("bascule_link_up{link=\"client\"}"), 1);
  for (ScriptedClient* one : {&first, &second}) {
    one->focus_arrivals = 0;
    one->connect();
    stage.until("a client is logged in again", [one] { return one->is_logged_in(); });
    stage.enter(*one);
  }
  stage.until_all_see_each_other({&first, &second});
  EXPECT_EQ(stage.bridge_of(first.endpoint()), stage.bridge_of(second.endpoint()));
  EXPECT_EQ(stage.daemon.metric("bascule_conferences"), 1);
}

TEST(Links, WrongSecretOfTheServiceLinkIsNamedAndRetried) {
  Stage stage({.daemon = {{"links.service", {{"secret-file", ""}, {"secret", "\"wrong\""}}}},
               .start_daemon = false});
  stage.daemon.start();
  stage.until("the refusal is in the log",
              [&stage] { return !stage.daemon.log_line("link.refused", "link=service").empty(); });
  const std::string line = stage.daemon.log_line("link.refused", "link=service");
  EXPECT_THAT(line, HasSubstr("error"));
  EXPECT_THAT(line, HasSubstr("not-authorized"));
  EXPECT_THAT(line, HasSubstr("retry_in="));
  EXPECT_THAT(line, Not(HasSubstr("wrong")));  // The secret.
  stage.until("the other links are up", [&stage] {
    return stage.daemon.metric("bascule_link_up{link=\"client\"}") == 1 &&
           stage.daemon.metric("bascule_link_up{link=\"requests\"}") == 1;
  });
  const HttpAnswer answer = stage.daemon.get("/readyz");
  EXPECT_EQ(answer.status, 503U);
  EXPECT_THAT(answer.body, HasSubstr("service_link_down"));
  EXPECT_THAT(answer.body, Not(HasSubstr("client_link_down")));
  // Clients hear "later", not an error.
  ScriptedClient& client = stage.client("waits");
  const Reply reply = stage.wait_for(client.request_conference());
  EXPECT_EQ(reply.type(), "result");
  EXPECT_EQ(stage.ready_field(reply), "false");
  EXPECT_FALSE(stage.daemon.exit_code().has_value());
}

TEST(Links, WrongSecretOfTheRequestsLinkIsNamedAndRetried) {
  Stage stage({.daemon = {{"links.requests", {{"secret-file", ""}, {"secret", "\"wrong\""}}}},
               .start_daemon = false});
  stage.daemon.start();
  stage.until("the refusal is in the log",
              [&stage] { return !stage.daemon.log_line("link.refused", "link=requests").empty(); });
  const std::string line = stage.daemon.log_line("link.refused", "link=requests");
  EXPECT_THAT(line, HasSubstr("not-authorized"));
  EXPECT_THAT(line, HasSubstr("retry_in="));
  const HttpAnswer answer = stage.daemon.get("/readyz");
  EXPECT_EQ(answer.status, 503U);
  EXPECT_THAT(answer.body, HasSubstr("requests_link_down"));
  EXPECT_FALSE(stage.daemon.exit_code().has_value());
}

TEST(Links, WrongPasswordOfTheClientLinkIsNamedAndRetried) {
  Stage stage({.daemon = {{"links.client", {{"password-file", ""}, {"password", "\"wrong\""}}}},
               .start_daemon = false});
  stage.daemon.start();
  stage.until("the refusal is in the log",
              [&stage] { return !stage.daemon.log_line("link.refused", "link=client").empty(); });
  EXPECT_THAT(stage.daemon.log_line("link.refused", "link=client"), HasSubstr("not-authorized"));
  EXPECT_THAT(stage.daemon.get("/readyz").body, HasSubstr("client_link_down"));
}

TEST(Links, CertificateThatCannotBeVerifiedIsRefusedAndNamedAndCanBePinned) {
  Stage stage({.daemon = {{"links.client", {{"ca-file", ""}}}}, .start_daemon = false});
  stage.daemon.start();
  stage.until("the refusal is in the log",
              [&stage] { return !stage.daemon.log_line("link.refused", "link=client").empty(); });
  const std::string line = stage.daemon.log_line("link.refused", "link=client");
  EXPECT_THAT(line, HasSubstr("bascule.test"));  // The subject.
  EXPECT_THAT(line, HasSubstr("self-signed"));   // The reason.
  const HttpAnswer answer = stage.daemon.get("/readyz");
  EXPECT_EQ(answer.status, 503U);
  EXPECT_THAT(answer.body, HasSubstr("client_link_down"));
  // Nothing was said to a server that nobody vouches for.
  EXPECT_THAT(stage.prosody.log(), Not(HasSubstr("Authenticated as focus@")));
  ScriptedClient& client = stage.client("waits");
  const Reply reply = stage.wait_for(client.request_conference());
  EXPECT_EQ(stage.ready_field(reply), "false");
  EXPECT_GE(stage.daemon.metric("bascule_conference_answers_total{result=\"link\"}"), 1);

  // The line has what an operator needs to trust it all the same.
  std::string fingerprint;
  for (std::size_t at = 0; at + 64 <= line.size() && fingerprint.empty(); ++at) {
    const std::string part = line.substr(at, 64);
    if (part.find_first_not_of("0123456789abcdef") == std::string::npos) {
      fingerprint = part;
    }
  }
  ASSERT_EQ(fingerprint.size(), 64U) << line;
  BasculeProcess pinned(
      stage.prosody, {{"links.client", {{"ca-file", ""}, {"pins", "[\"" + fingerprint + "\"]"}}}});
  EXPECT_EQ(stage.stop_daemon(), 0);
  pinned.start();
  stage.until("the daemon with the pin is ready", [&pinned] { return pinned.is_ready(); });
}

TEST(Links, RoomsTheFocusMayNotCreateMeanReadyFalseAndAreReported) {
  Stage stage({.prosody = {.extra_global = "admins = { \"jvb@auth.bascule.test\", "
                                           "\"bascule.bascule.test\", "
                                           "\"focus@bascule.bascule.test\" }"}});
  ScriptedClient& client = stage.client("forbidden");
  for (int i = 0; i < 3; ++i) {
    const Reply reply = stage.wait_for(client.request_conference());
    EXPECT_EQ(reply.type(), "result");
    EXPECT_EQ(stage.ready_field(reply), "false");
  }
  stage.until("the daemon says that rooms are refused", [&stage] {
    const HttpAnswer answer = stage.daemon.get("/readyz");
    return answer.status == 503 && answer.body.find("rooms_refused") != std::string::npos;
  });
  EXPECT_GE(stage.daemon.metric("bascule_room_join_failures_total"), 1);
  EXPECT_GE(stage.daemon.metric("bascule_conference_answers_total{result=\"join\"}"), 1);
  EXPECT_THAT(stage.daemon.log_line("room.refused", "room=forbidden@"), HasSubstr("restricted"));
  EXPECT_EQ(stage.daemon.metric("bascule_conferences"), 0);
}

TEST(Links, CutClientLinkResumesWithoutLeavingTheRoom) {
  Stage stage({.proxy_client_link = true});
  ScriptedClient& first = stage.client("resume");
  ScriptedClient& second = stage.client("resume");
  stage.enter(first);
  stage.enter(second);
  stage.until_all_see_each_other({&first, &second});
  const std::size_t connections = stage.proxy->connections();
  // Somebody comes in the same moment: what was on its way must not be lost.
  ScriptedClient& third = stage.client("resume");
  third.join();
  stage.proxy->cut();
  stage.until("the link has been resumed",
              [&stage] { return stage.daemon.metric("bascule_links_resumed_total") == 1; });
  EXPECT_GT(stage.proxy->connections(), connections);
  stage.until_all_see_each_other({&first, &second, &third});
  for (const ScriptedClient* one : {&first, &second, &third}) {
    EXPECT_EQ(one->focus_departures, 0);
    EXPECT_EQ(one->invites, 1);
    EXPECT_THAT(one->terminations, IsEmpty());
  }
  // Once more, with nothing going on.
  stage.proxy->cut();
  stage.until("the link has been resumed again",
              [&stage] { return stage.daemon.metric("bascule_links_resumed_total") == 2; });
  first.leave();
  stage.until("who left is gone from the bridge",
              [&stage] { return stage.endpoints_on_bridges() == 2; });
  EXPECT_EQ(second.focus_departures, 0);
  EXPECT_TRUE(stage.daemon.is_ready());
}

TEST(Links, InterruptEndsTheDaemonInOrder) {
  Stage stage;
  ScriptedClient& first = stage.client("end");
  ScriptedClient& second = stage.client("end");
  stage.enter(first);
  stage.enter(second);
  stage.until_all_see_each_other({&first, &second});
  const auto began = Stage::Clock::now();
  EXPECT_EQ(stage.stop_daemon(), 0);
  EXPECT_LT(Stage::Clock::now() - began, seconds(3));
  EXPECT_FALSE(stage.daemon.log_line("shutdown.done", "").empty()) << stage.daemon.log();
  EXPECT_FALSE(stage.daemon.log_line("daemon.stopped", "").empty());
  EXPECT_EQ(stage.endpoints_on_bridges(), 0);
  stage.until("the focus has left the room",
              [&] { return first.focus_departures == 1 && second.focus_departures == 1; });

  stage.daemon.start();
  stage.until_ready();
  EXPECT_FALSE(stage.daemon.log_line("daemon.started", "clean=true").empty()) << stage.daemon.log();
  for (ScriptedClient* one : {&first, &second}) {  // A page reloads when the focus leaves.
    one->connect();
    stage.until("a client is logged in again", [one] { return one->is_logged_in(); });
    stage.enter(*one);
  }
  stage.until_all_see_each_other({&first, &second});
}

TEST(Links, KilledDaemonStartsAgainWithItsConferences) {
  Stage stage;
  ScriptedClient& first = stage.client("again");
  ScriptedClient& second = stage.client("again");
  stage.enter(first);
  stage.enter(second);
  stage.until_all_see_each_other({&first, &second});
  stage.daemon.kill();
  stage.daemon.start();
  stage.until_ready();
  EXPECT_FALSE(stage.daemon.log_line("daemon.started", "conferences=1").empty())
      << stage.daemon.log();
  EXPECT_EQ(stage.daemon.metric("bascule_conferences_restored_total"), 1);
  ScriptedClient& third = stage.client("again");
  stage.enter(third);
  stage.until("who comes now has a session", [&third] { return third.is_active(); });
}

}  // namespace
}  // namespace bascule::test
