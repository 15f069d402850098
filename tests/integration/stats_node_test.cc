// The pubsub node of bridge stats on a real Prosody, broken in every way that is known to lose it.
// Each test prints one row of the table in docs/operations.md: how long until the daemon noticed,
// until events arrived again, what the operator read, and that people were placed meanwhile.

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/integration/stats_node_stage.h"

namespace bascule::test {
namespace {

using peers::element;
using std::chrono::seconds;
using testing::HasSubstr;

TEST_F(StatsNodeLive, RecordDeleted) {
  Stage stage(options());
  until_working(stage);
  const Row row = measure(stage, "node `.dat` deleted, Prosody restarted", [&stage] {
    restart_with(stage, [&stage] { ASSERT_TRUE(std::filesystem::remove(record_file(stage))); });
  });
  EXPECT_THAT(row.told, HasSubstr("state=missing"));
  EXPECT_THAT(row.told, HasSubstr("repair=create"));
}

TEST_F(StatsNodeLive, ListDeleted) {
  Stage stage(options());
  until_working(stage);
  measure(
      stage, "`.list` deleted, Prosody restarted",
      [&stage] {
        restart_with(stage, [&stage] { ASSERT_TRUE(std::filesystem::remove(list_file(stage))); });
      },
      true);
}

TEST_F(StatsNodeLive, ListTruncated) {
  Stage stage(options());
  until_working(stage);
  const Row row = measure(stage, "`.list` truncated, Prosody restarted", [&stage] {
    restart_with(stage, [&stage] { truncate_in_an_item(list_file(stage)); });
  });
  EXPECT_THAT(row.told, HasSubstr("state=corrupt"));
  EXPECT_THAT(row.told, HasSubstr("repair=purge"));
}

TEST_F(StatsNodeLive, ListCorruptedWhileProsodyRuns) {
  Stage stage(options());
  until_working(stage);
  const Row row = measure(stage, "`.list` overwritten with NUL, Prosody running",
                          [&stage] { overwrite_with_nul(list_file(stage)); });
  EXPECT_THAT(row.told, HasSubstr("state=corrupt"));
}

TEST_F(StatsNodeLive, ListCorrupted) {
  Stage stage(options());
  until_working(stage);
  const Row row = measure(stage, "`.list` overwritten with NUL, Prosody restarted", [&stage] {
    restart_with(stage, [&stage] { overwrite_with_nul(list_file(stage)); });
  });
  EXPECT_THAT(row.told, HasSubstr("state=corrupt"));
}

TEST_F(StatsNodeLive, WholeFolderGone) {
  Stage stage(options());
  until_working(stage);
  const Row row = measure(stage, "data folder of the pubsub host gone, Prosody restarted", [&] {
    restart_with(stage, [&stage] { std::filesystem::remove_all(host_folder(stage)); });
  });
  EXPECT_THAT(row.told, HasSubstr("state=missing"));
}

TEST_F(StatsNodeLive, RecordDamagedNeedsTheOperator) {
  Stage stage(options());
  until_working(stage);
  const std::size_t before = stage.daemon.log().size();
  restart_with(stage, [&stage] { std::filesystem::resize_file(record_file(stage), 20); });
  const auto began = Stage::Clock::now();
  Newcomers people(stage, "meanwhile");
  Row row;
  const auto elapsed = [began] {
    return std::chrono::duration<double>(Stage::Clock::now() - began).count();
  };
  stage.until(
      "the operator is told and people are placed",
      [&] {
        if (!row.noticed && !stage.daemon.log_line("pubsub.needs_operator", "action=").empty()) {
          row.noticed = elapsed();
        }
        if (people.have_sessions() && !row.placed) {
          row.placed = elapsed();
        }
        return row.noticed && row.placed;
      },
      seconds{60});
  row.told = told_since(stage, before);
  EXPECT_THAT(row.told, HasSubstr("pubsub%2ebascule%2etest/pubsub_nodes/sharedStatsNode.dat"));
  EXPECT_TRUE(is(stage, "service_broken"));
  print("node `.dat` truncated, Prosody restarted", row);
  // The operator does what was written.
  measure(
      stage, "... after the operator moved it away and restarted",
      [&stage] { restart_with(stage, [&stage] { std::filesystem::remove(record_file(stage)); }); },
      true);
}

TEST_F(StatsNodeLive, ProsodyKilled) {
  Stage stage(options());
  until_working(stage);
  measure(
      stage, "Prosody SIGKILLed and restarted", [&] { restart_with(stage, [] {}); }, true);
}

TEST_F(StatsNodeLive, ModuleReloaded) {
  const ServerConsole console;
  Stage::Options made = options();
  made.prosody.extra_global = console.configuration();
  Stage stage(made);
  until_working(stage);
  measure(
      stage, "mod_pubsub reloaded in the running Prosody",
      [&] { console.run("module:reload(\"pubsub\", \"pubsub.bascule.test\")"); }, true);
}

TEST_F(StatsNodeLive, ModuleUnloadedAndLoadedAgain) {
  const ServerConsole console;
  Stage::Options made = options();
  made.prosody.extra_global = console.configuration();
  Stage stage(made);
  until_working(stage);
  const std::size_t before = stage.daemon.log().size();
  const auto seconds_since = [](Stage::Clock::time_point began) {
    return std::chrono::duration<double>(Stage::Clock::now() - began).count();
  };
  console.run("module:unload(\"pubsub\", \"pubsub.bascule.test\")");
  const auto unloaded = Stage::Clock::now();
  Newcomers people(stage, "meanwhile");
  Row row;
  stage.until(
      "the operator is told and people are placed",
      [&] {
        if (!row.noticed && !stage.daemon.log_line("pubsub.needs_operator", "action=").empty()) {
          row.noticed = seconds_since(unloaded);
        }
        if (people.have_sessions() && !row.placed) {
          row.placed = seconds_since(unloaded);
        }
        return row.noticed && row.placed;
      },
      seconds{60});
  console.run("module:load(\"pubsub\", \"pubsub.bascule.test\")");
  const auto loaded = Stage::Clock::now();
  const double events_before = events(stage);
  stage.until(
      "events arrive again",
      [&] { return is(stage, "working") && events(stage) >= events_before + 2; }, seconds{60});
  row.repaired = seconds_since(loaded);
  row.told = told_since(stage, before);
  print("mod_pubsub unloaded; repaired: after it was loaded again", row);
  EXPECT_THAT(row.told, HasSubstr("is the module pubsub loaded on"));
}

TEST_F(StatsNodeLive, ServiceLinkCut) {
  Stage::Options made = options();
  made.proxy_service_link = true;
  Stage stage(made);
  until_working(stage);
  measure(
      stage, "service link cut", [&stage] { stage.proxy->cut(); }, true);
  EXPECT_GE(stage.daemon.metric("bascule_links_lost_total"), 1);
}

TEST_F(StatsNodeLive, SubscriptionRemovedBehindOurBack) {
  Stage stage(options());
  until_working(stage);
  Operator admin(stage);
  const Row row = measure(stage, "subscription removed behind our back", [&] {
    const Reply reply = stage.wait_for(admin.ask(
        peers::ns::kPubsub.data(), element("unsubscribe", peers::ns::kPubsub,
                                           {{"node", kStatsNode}, {"jid", own_address(stage)}})));
    ASSERT_EQ(reply.type(), "result");
  });
  EXPECT_THAT(row.told, HasSubstr("state=unsubscribed"));
  EXPECT_LT(*row.noticed, 8);  // Three publish periods, here of one second, and a look.
}

TEST_F(StatsNodeLive, NodeDeletedByAnAdmin) {
  Stage stage(options());
  until_working(stage);
  Operator admin(stage);
  const Row row = measure(stage, "node deleted over XMPP by an admin", [&] {
    const Reply reply = stage.wait_for(
        admin.ask(kOwnerNamespace, element("delete", kOwnerNamespace, {{"node", kStatsNode}})));
    ASSERT_EQ(reply.type(), "result");
  });
  EXPECT_THAT(row.told, HasSubstr("pubsub.node_deleted"));
}

TEST_F(StatsNodeLive, ListTooShortForTheFleetIsReconfigured) {
  Stage::Options made = options();
  made.start_daemon = false;
  Stage stage(made);
  Operator admin(stage);
  ASSERT_EQ(stage
                .wait_for(admin.ask(peers::ns::kPubsub.data(),
                                    element("create", peers::ns::kPubsub, {{"node", kStatsNode}})))
                .type(),
            "result");
  stage.daemon.start();
  stage.until_ready();
  until_working(stage);
  Row row;
  row.told = told_since(stage, 0);
  EXPECT_THAT(row.told, HasSubstr("state=misconfigured"));
  EXPECT_THAT(row.told, HasSubstr("repair=configure"));
  EXPECT_EQ(stage.daemon.metric("bascule_pubsub_repairs_total{repair=\"configure\"}"), 1);
  print("node with Prosody's default of 20 items (found at start)", row);
}

TEST_F(StatsNodeLive, PublishingForbidden) {
  Stage::Options made = options(true);
  made.prosody.extra_global = "admins = { \"focus@auth.bascule.test\", \"jvb@auth.bascule.test\" }";
  made.start_daemon = false;
  Stage stage(made);
  Operator admin(stage);
  xml::Element create = element("create", peers::ns::kPubsub, {{"node", kStatsNode}});
  ASSERT_EQ(stage.wait_for(admin.ask(peers::ns::kPubsub.data(), create)).type(), "result");
  const auto began = Stage::Clock::now();
  stage.daemon.start();
  stage.until_ready();
  const auto elapsed = [began] {
    return std::chrono::duration<double>(Stage::Clock::now() - began).count();
  };
  Newcomers people(stage, "meanwhile");
  Row row;
  stage.until("the operator is told and people are placed", [&] {
    if (!row.noticed && !stage.daemon.log_line("pubsub.publish_refused", "action=").empty()) {
      row.noticed = elapsed();
    }
    if (people.have_sessions() && !row.placed) {
      row.placed = elapsed();
    }
    return row.noticed && row.placed;
  });
  const std::string told = stage.daemon.log_line("pubsub.publish_refused", "action=");
  EXPECT_THAT(told, HasSubstr("affiliation publisher"));
  const std::size_t name = told.find("give \\\"") + 7;
  // The operator does what was written; the next attempt is at most half a minute away.
  xml::Element list = element("affiliations", kOwnerNamespace, {{"node", kStatsNode}});
  list.add(element(
      "affiliation", kOwnerNamespace,
      {{"jid", told.substr(name, told.find("\\\"", name) - name)}, {"affiliation", "publisher"}}));
  ASSERT_EQ(stage.wait_for(admin.ask(kOwnerNamespace, list)).type(), "result");
  stage.until(
      "reports are published",
      [&] { return !stage.daemon.log_line("pubsub.publishes_again", kStatsNode).empty(); },
      seconds{45});
  row.repaired = elapsed();
  row.told = told_since(stage, 0);
  print("publish forbidden (mirror), operator grants it", row);
  EXPECT_GE(stage.daemon.metric("bascule_pubsub_published_total"), 1);
}

TEST_F(StatsNodeLive, MirrorKeepsANodeThatNobodyElseFills) {
  Stage stage(options(true));
  until_working(stage);
  EXPECT_GE(stage.daemon.metric("bascule_pubsub_published_total"), 4);
  EXPECT_EQ(stage.daemon.metric("bascule_pubsub_items_used_total"), 0);
  const Row row = measure(stage, "`.list` truncated, Prosody running, mirror on",
                          [&stage] { truncate_in_an_item(list_file(stage)); });
  EXPECT_THAT(row.told, HasSubstr("state=corrupt"));
}

}  // namespace
}  // namespace bascule::test
