// Conferences on several bridges: relays between real processes over real XMPP.

#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/integration/stage.h"
#include "tests/peers/clientsim/sources.h"
#include "tests/peers/common/stanza.h"

namespace bascule::test {
namespace {

using std::chrono::seconds;

/// Two people of one conference on each bridge.
Stage::Options spanning(int bridges) {
  return {.daemon = {{"selection", {{"relays", "true"}, {"max-per-conference-bridge", "2"}}}},
          .bridges = bridges,
          .relays = true};
}

const peers::BridgeConference* only_conference(const peers::Bridge& bridge) {
  const auto& conferences = bridge.colibri().conferences();
  return conferences.empty() ? nullptr : &conferences.begin()->second;
}

/// Whether the one conference there is has, between every two of its bridges, a relay on both sides
/// with the transport of the other side's and exactly who is there with exactly their sources.
bool is_mesh(const Stage& stage) {
  for (const auto& near : stage.bridges) {
    const auto* here = only_conference(*near);
    std::size_t others = 0;
    for (const auto& far : stage.bridges) {
      const auto* there = only_conference(*far);
      if (near == far || here == nullptr || there == nullptr) {
        continue;
      }
      ++others;
      const auto relay = here->relays.find(Stage::relay_id(far->id()));
      const auto back = there->relays.find(Stage::relay_id(near->id()));
      if (relay == here->relays.end() || back == there->relays.end() ||
          relay->second.remote_ufrag != back->second.ufrag ||
          relay->second.endpoints.size() != there->endpoints.size()) {
        return false;
      }
      for (const auto& [id, endpoint] : there->endpoints) {
        const auto known = relay->second.endpoints.find(id);
        if (known == relay->second.endpoints.end() || known->second.ssrcs != endpoint.ssrcs ||
            endpoint.ssrcs.empty()) {
          return false;
        }
      }
    }
    if (here != nullptr && here->relays.size() != others) {
      return false;
    }
  }
  return true;
}

/// Our own transports of all relays: they stay the same while links are kept.
std::vector<std::string> ufrags(const Stage& stage) {
  std::vector<std::string> all;
  for (const auto& bridge : stage.bridges) {
    if (const auto* conference = only_conference(*bridge)) {
      for (const auto& [id, relay] : conference->relays) {
        all.push_back(relay.ufrag);
      }
    }
  }
  return all;
}

void share_screen(ScriptedClient& client, std::uint32_t ssrc) {
  xml::Element jingle = peers::element("jingle", peers::ns::kJingle,
                                       {{"action", "source-add"}, {"sid", client.offer().sid}});
  xml::Element& content = jingle.add(
      peers::element("content", peers::ns::kJingle, {{"creator", "responder"}, {"name", "video"}}));
  peers::SourceSet screen;
  const std::string name = client.endpoint() + "-v1";
  screen.sources[ssrc] = {.ssrc = ssrc,
                          .video = true,
                          .desktop = true,
                          .name = name,
                          .msid = "screen-" + name + " track"};
  peers::append_sources(
      content.add(peers::element("description", peers::ns::kRtp, {{"media", "video"}})), screen,
      true);
  client.ask_jingle(jingle);
}

TEST(Spanning, ASourceReachesTheOtherBridgesAndADeadBridgeIsForgotten) {
  Stage stage(spanning(3));
  std::vector<ScriptedClient*> all;
  for (int i = 0; i < 4; ++i) {
    all.push_back(&stage.client("wide"));
    stage.enter(*all.back());
  }
  stage.until_all_see_each_other(all);
  stage.until("the bridges are linked", [&] { return is_mesh(stage); });
  peers::Bridge* dead = stage.bridge_of(all[0]->endpoint());
  ASSERT_NE(dead, nullptr);
  EXPECT_EQ(std::count_if(stage.bridges.begin(), stage.bridges.end(),
                          [](const auto& bridge) { return only_conference(*bridge) != nullptr; }),
            2);
  stage.until("the daemon knows that the link is there",
              [&] { return stage.daemon.metric("bascule_relay_links_total") == 1; });

  share_screen(*all[0], 4'000'000'001U);
  stage.until("the other bridge knows the new source", [&] {
    return std::any_of(stage.bridges.begin(), stage.bridges.end(), [&](const auto& bridge) {
      const auto* conference = only_conference(*bridge);
      const auto relay = conference == nullptr
                             ? decltype(conference->relays.end()){}
                             : conference->relays.find(Stage::relay_id(dead->id()));
      return conference != nullptr && relay != conference->relays.end() &&
             relay->second.endpoints.at(all[0]->endpoint()).ssrcs.contains("4000000001");
    });
  });
  stage.until("its own bridge as well", [&] { return is_mesh(stage); });

  dead->apply({.verb = "kill", .arguments = {}, .duration = {}});
  stage.until(
      "everybody is on a living bridge",
      [&] {
        return stage.endpoints_on_bridges() == 4 && is_mesh(stage) &&
               std::all_of(all.begin(), all.end(), [&](const ScriptedClient* one) {
                 return one->is_active() && stage.bridge_of(one->endpoint()) != nullptr &&
                        stage.bridge_of(one->endpoint()) != dead;
               });
      },
      seconds{30});
  stage.until_all_see_each_other(all);
  stage.until("the daemon knows that the link is there",
              [&] { return stage.daemon.metric("bascule_relay_links_total") == 2; });
  EXPECT_EQ(stage.daemon.metric("bascule_relay_failures_total"), 0);

  for (ScriptedClient* one : all) {
    one->leave();
  }
  stage.until("no bridge has anything left", [&] {
    return std::all_of(stage.bridges.begin(), stage.bridges.end(),
                       [](const auto& bridge) { return only_conference(*bridge) == nullptr; });
  });
}

TEST(Spanning, ANewDaemonTakesTheLinksOver) {
  Stage stage(spanning(2));
  std::vector<ScriptedClient*> all;
  for (int i = 0; i < 3; ++i) {
    all.push_back(&stage.client("kept"));
    stage.enter(*all.back());
  }
  stage.until_all_see_each_other(all);
  stage.until("the bridges are linked", [&] {
    return is_mesh(stage) && stage.daemon.metric("bascule_relay_links_total") == 1 &&
           stage.daemon.metric("bascule_commit_turns_waiting") == 0;
  });
  const std::vector<std::string> before = ufrags(stage);
  ASSERT_EQ(before.size(), 2U);
  stage.daemon.kill();
  stage.daemon.start();
  stage.until("the daemon is in the room again",
              [&] { return !stage.daemon.log_line("conference.joined", "again=true").empty(); });
  share_screen(*all[0], 4'000'000'002U);
  stage.until("the link carries news again", [&] {
    return is_mesh(stage) && stage.bridge_of(all[0]->endpoint()) != nullptr &&
           only_conference(*stage.bridge_of(all[0]->endpoint()))
               ->endpoints.at(all[0]->endpoint())
               .ssrcs.contains("4000000002");
  });
  EXPECT_EQ(ufrags(stage), before);
  EXPECT_EQ(stage.daemon.metric("bascule_relay_links_total"), 0);
}

}  // namespace
}  // namespace bascule::test
