// The pubsub node of bridge stats on a real Prosody, broken in every way that is known to lose it.
// Each test prints one row of the table in docs/operations.md: how long until the daemon noticed,
// until events arrived again, what the operator read, and that people were placed meanwhile.

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/integration/stage.h"
#include "tests/peers/common/stanza.h"

namespace bascule::test {
namespace {

using peers::element;
using std::chrono::milliseconds, std::chrono::seconds;
using testing::HasSubstr;

constexpr const char* kNode = "sharedStatsNode";
constexpr const char* kOwnerNamespace = "http://jabber.org/protocol/pubsub#owner";

/// Somebody with an admin's account and his own connection.
class Operator : public peers::XmppClient::Listener {
 public:
  explicit Operator(Stage& stage) : service_("pubsub." + stage.prosody.domain()) {
    peers::Account account;
    account.server = {boost::asio::ip::address_v4::loopback(), stage.prosody.c2s_port()};
    account.domain = "auth." + stage.prosody.domain();
    account.user = "jvb";
    account.password = "jvb-password";
    account.resource = "operator";
    client_ = peers::XmppClient::start(stage.io, account, *this);
    stage.until("the operator is logged in", [this] { return ready_; });
  }
  ~Operator() override { client_->abort(); }
  Operator(const Operator&) = delete;
  Operator& operator=(const Operator&) = delete;

  std::shared_ptr<Reply> ask(const char* ns, xml::Element action) {
    xml::Element stanza = peers::iq("set", service_);
    stanza.add(element("pubsub", ns)).add(std::move(action));
    return send_request(*client_, std::move(stanza));
  }

  void on_ready(const Jid& /*own*/) override { ready_ = true; }
  void on_presence(const xml::Element& /*stanza*/) override {}
  void on_iq_request(const xml::Element& stanza) override {
    client_->send(peers::result_of(stanza));
  }
  void on_message(const xml::Element& /*stanza*/) override {}
  void on_closed(const std::string& /*reason*/) override { ready_ = false; }

 private:
  std::string service_;
  std::shared_ptr<peers::XmppClient> client_;
  bool ready_ = false;
};

/// Two people who come in while something is broken, and ask until they are let in.
class Newcomers {
 public:
  Newcomers(Stage& stage, const std::string& room)
      : stage_(stage), people_{&stage.client(room), &stage.client(room)} {}

  /// Goes one step further if it can; true when both have their sessions.
  bool have_sessions() {
    for (std::size_t i = 0; i < people_.size(); ++i) {
      if (!asked_[i]) {
        asked_[i] = people_[i]->request_conference();
      } else if (asked_[i]->done && !joined_[i]) {
        joined_[i] = stage_.ready_field(*asked_[i]) == "true";
        if (joined_[i]) {
          people_[i]->join();
        } else {
          asked_[i].reset();
        }
      }
    }
    return people_[0]->is_active() && people_[1]->is_active();
  }

 private:
  Stage& stage_;
  std::array<ScriptedClient*, 2> people_;
  std::array<std::shared_ptr<Reply>, 2> asked_;
  std::array<bool, 2> joined_{};
};

class StatsNodeLive : public ::testing::Test {
 protected:
  static Stage::Options options(bool publishes = false) {
    Stage::Options made;
    made.pubsub_node = publishes ? "" : kNode;
    made.daemon["links.service"] = {{"pubsub-service", "\"pubsub.bascule.test\""},
                                    {"pubsub-node", "\"sharedStatsNode\""},
                                    {"pubsub-persist", "true"},
                                    {"pubsub-publish", publishes ? "true" : "false"}};
    return made;
  }
  static double events(const Stage& stage) {
    return stage.daemon.metric("bascule_pubsub_events_total");
  }
  static bool is(const Stage& stage, const std::string& state) {
    return stage.daemon.metric("bascule_pubsub_state{state=\"" + state + "\"}") == 1;
  }
  static void until_working(Stage& stage) {
    stage.until("the node works and events arrive",
                [&stage] { return is(stage, "working") && events(stage) >= 4; });
  }
  static std::filesystem::path host_folder(const Stage& stage) {
    return stage.prosody.data() / "pubsub%2ebascule%2etest";
  }
  static std::filesystem::path list_file(const Stage& stage) {
    return host_folder(stage) / (std::string("pubsub_") + kNode + ".list");
  }
  static std::filesystem::path record_file(const Stage& stage) {
    return host_folder(stage) / "pubsub_nodes" / (std::string(kNode) + ".dat");
  }
  /// Half of two items of the same size would be one that can be read.
  static void truncate_in_an_item(const std::filesystem::path& file) {
    std::filesystem::resize_file(file, std::filesystem::file_size(file) * 2 / 3);
  }
  /// The address under which the daemon is subscribed.
  static std::string own_address(const Stage& stage) {
    const std::string line = stage.daemon.log_line("link.up link=service", "jid=");
    const std::size_t begin = line.find("jid=") + 4;
    return line.substr(begin, line.find(' ', begin) - begin);
  }
  /// Kills Prosody, does something to its files, starts it again.
  static void restart_with(Stage& stage, const std::function<void()>& damage) {
    stage.prosody.kill();
    damage();
    stage.prosody.start();
  }

  struct Row {
    std::optional<double> noticed, repaired, placed;  // Seconds.
    std::string told;
  };

  /// Waits until the fault is noticed (unless `harmless`), events flow again and two people who
  /// came meanwhile have their sessions; prints the row.
  Row measure(Stage& stage, const std::string& name, const std::function<void()>& inflict,
              bool harmless = false) {
    const std::size_t log_before = stage.daemon.log().size();
    inflict();
    const auto began = Stage::Clock::now();
    const auto elapsed = [began] {
      return std::chrono::duration<double>(Stage::Clock::now() - began).count();
    };
    const double events_before = events(stage);
    Newcomers people(stage, "meanwhile");
    Row row;
    double events_when_noticed = events_before;
    stage.until(
        name + ": noticed, repaired, people placed",
        [&] {
          const std::string log = stage.daemon.log().substr(log_before);
          if (!row.noticed && log.find("pubsub.fault") != std::string::npos) {
            row.noticed = elapsed();
            events_when_noticed = events(stage);
          }
          const bool over = harmless || row.noticed;
          if (over && !row.repaired && is(stage, "working") &&
              events(stage) >= events_when_noticed + 2) {
            row.repaired = elapsed();
          }
          if (people.have_sessions() && !row.placed) {
            row.placed = elapsed();
          }
          return row.repaired && row.placed;
        },
        seconds{60});
    row.told = told_since(stage, log_before);
    print(name, row);
    return row;
  }

  /// What the log said of the node, without the times.
  static std::string told_since(const Stage& stage, std::size_t before) {
    std::istringstream lines(stage.daemon.log().substr(before));
    std::string told;
    for (std::string line; std::getline(lines, line);) {
      const std::size_t at = line.find(" pubsub.");
      if (at != std::string::npos) {
        told += (told.empty() ? "" : ";") + line.substr(at);
      }
    }
    return told;
  }

  static void print(const std::string& name, const Row& row) {
    const auto text = [](const std::optional<double>& value) {
      std::ostringstream out;
      out.precision(1);
      if (value) {
        out << std::fixed << *value << " s";
      } else {
        out << "-";
      }
      return out.str();
    };
    std::printf("| %s | %s | %s | %s | %s |\n", name.c_str(), text(row.noticed).c_str(),
                text(row.repaired).c_str(), text(row.placed).c_str(), row.told.c_str());
    std::fflush(stdout);
  }
};

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
  const Row row = measure(stage, "`.list` overwritten with NUL, Prosody running", [&stage] {
    std::fstream file(list_file(stage), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(10);
    file << std::string(40, '\0');
  });
  EXPECT_THAT(row.told, HasSubstr("state=corrupt"));
}

TEST_F(StatsNodeLive, ListCorrupted) {
  Stage stage(options());
  until_working(stage);
  const Row row = measure(stage, "`.list` overwritten with NUL, Prosody restarted", [&stage] {
    restart_with(stage, [&stage] {
      std::fstream file(list_file(stage), std::ios::in | std::ios::out | std::ios::binary);
      file.seekp(10);
      file << std::string(40, '\0');
    });
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
                                           {{"node", kNode}, {"jid", own_address(stage)}})));
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
        admin.ask(kOwnerNamespace, element("delete", kOwnerNamespace, {{"node", kNode}})));
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
                                    element("create", peers::ns::kPubsub, {{"node", kNode}})))
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
  xml::Element create = element("create", peers::ns::kPubsub, {{"node", kNode}});
  ASSERT_EQ(stage.wait_for(admin.ask(peers::ns::kPubsub.data(), create)).type(), "result");
  stage.daemon.start();
  stage.until_ready();
  const auto began = Stage::Clock::now();
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
  xml::Element list = element("affiliations", kOwnerNamespace, {{"node", kNode}});
  list.add(element(
      "affiliation", kOwnerNamespace,
      {{"jid", told.substr(name, told.find("\\\"", name) - name)}, {"affiliation", "publisher"}}));
  ASSERT_EQ(stage.wait_for(admin.ask(kOwnerNamespace, list)).type(), "result");
  stage.until(
      "reports are published",
      [&] { return !stage.daemon.log_line("pubsub.publishes_again", kNode).empty(); }, seconds{45});
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
