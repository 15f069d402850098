// The ways to attach the daemon to a server besides the default of two components.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/integration/stage.h"

namespace bascule::test {
namespace {

using testing::HasSubstr;

/// Requests over HTTP, and the service link as a second login of the focus account.
Stage::Options client_logins_only() {
  return {.daemon = {
              {"links.requests", {{"mode", "\"off\""}, {"secret-file", ""}}},
              {"links.service",
               {{"mode", "\"client\""}, {"secret-file", ""}, {"port", "0"}, {"tls", "\"off\""}}}}};
}

TEST(Topologies, ClientLoginsOnlyServeAConference) {
  Stage stage(client_logins_only());
  EXPECT_FALSE(
      stage.daemon.log_line("link.up", "jid=focus@auth.bascule.test/bascule-service").empty());
  EXPECT_FALSE(stage.daemon.metrics().contains("bascule_link_up{link=\"requests\"}"));
  const HttpAnswer answer =
      stage.daemon.post_json("/conference-request/v1", R"({"room":"plain@conference.bascule.test",)"
                                                       R"("properties":{"startAudioMuted":"5"}})");
  ASSERT_EQ(answer.status, 200U) << answer.body;
  const auto body = nlohmann::json::parse(answer.body);
  EXPECT_EQ(body.at("ready"), true);
  EXPECT_EQ(body.at("focusJid"), "focus@auth.bascule.test");
  EXPECT_EQ(body.at("room"), "plain@conference.bascule.test");

  ScriptedClient& first = stage.client("plain");
  ScriptedClient& second = stage.client("plain");
  first.join();
  second.join();
  stage.until_all_see_each_other({&first, &second});
  EXPECT_THAT(first.focus_address_seen, testing::StartsWith("focus@auth.bascule.test/"));

  peers::Bridge* dead = stage.bridge_of(first.endpoint());
  ASSERT_NE(dead, nullptr);
  dead->apply({.verb = "kill", .arguments = {}, .duration = {}});
  stage.until("both are moved", [&] { return first.invites == 2 && second.invites == 2; });
  stage.until_all_see_each_other({&first, &second});
}

TEST(Topologies, ClientLoginsOnlyComeBackAfterProsodyDied) {
  Stage stage(client_logins_only());
  stage.prosody.kill();
  stage.until("the daemon is not ready", [&stage] { return !stage.daemon.is_ready(); });
  stage.prosody.start();
  stage.until_ready();
  const HttpAnswer answer = stage.daemon.post_json(
      "/conference-request/v1", R"({"room":"plain@conference.bascule.test","properties":{}})");
  EXPECT_EQ(nlohmann::json::parse(answer.body).at("ready"), true);
}

TEST(Topologies, RequestsOverHttpThatAreWrongGetTheirError) {
  Stage stage(client_logins_only());
  EXPECT_EQ(stage.daemon.post_json("/conference-request/v1", "{").status, 400U);
  EXPECT_EQ(stage.daemon.post_json("/conference-request/v1", R"({"properties":{}})").status, 400U);
  EXPECT_EQ(
      stage.daemon
          .post_json("/conference-request/v1", R"({"room":"a@somewhere.else","properties":{}})")
          .status,
      400U);
  EXPECT_EQ(stage.daemon.get("/conference-request/v1").status, 405U);
  EXPECT_TRUE(stage.daemon.is_ready());
}

TEST(Topologies, RequestsThroughTheClientProxyAreAnsweredInItsName) {
  Stage stage(
      {.prosody = {.extra_global =
                       "plugin_paths = { \"" BASCULE_SOURCE_DIR "/tests/integration/modules\" }",
                   .focus_module = "\"client_proxy\"",
                   .focus_options = "target_address = \"focus@auth.bascule.test\""},
       .daemon = {{"links.requests", {{"mode", "\"client-proxy\""}, {"secret-file", ""}}}}});
  ScriptedClient& first = stage.client("proxied");
  // A client accepts an answer only from the address it has asked.
  const Reply reply = stage.wait_for(first.request_conference());
  EXPECT_EQ(stage.ready_field(reply), "true");
  EXPECT_EQ(reply.stanza.attribute_or_empty("from"), "focus.bascule.test");
  ScriptedClient& second = stage.client("proxied");
  stage.enter(first);
  stage.enter(second);
  stage.until_all_see_each_other({&first, &second});
  const Reply refused = stage.wait_for(first.request_conference("nobody@elsewhere.test"));
  EXPECT_EQ(refused.type(), "error");
  EXPECT_EQ(refused.condition(), "bad-request");

  // The proxy has forgotten us when the server comes back.
  stage.prosody.kill();
  stage.until("the daemon is not ready", [&stage] { return !stage.daemon.is_ready(); });
  stage.prosody.start();
  stage.until_ready();
  ScriptedClient& third = stage.client("proxied");
  stage.enter(third);
}

}  // namespace
}  // namespace bascule::test
