#include "daemon/app.h"

#include <csignal>
#include <filesystem>
#include <optional>
#include <string>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/config/minimal.h"
#include "tests/unit/daemon/notify_socket.h"
#include "tests/unit/stats/store_support.h"
#include "tests/unit/xmpp/strophe/component_server.h"

namespace bascule::daemon {
namespace {

using boost::asio::ip::tcp;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

const RoomJid kRoom(Jid::parse("room@conference.example.net").value());

Jid jid(const char* text) {
  return Jid::parse(text).value();
}

/// An installation whose server is not there: nothing listens on port 1.
config::Config deserted() {
  config::Config config;
  for (std::string* host : {&config.requests.host, &config.client.host, &config.service.host}) {
    *host = "127.0.0.1";
  }
  config.requests.port = config.client.port = config.service.port = 1;
  config.requests_address = jid("focus.example.net");
  config.client_address = jid("focus@auth.example.net/focus");
  config.service_address = jid("bascule.example.net");
  config.focus.focus_user = jid("focus@auth.example.net");
  config.focus.conference_service = jid("conference.example.net");
  config.focus.brewery = RoomJid(jid("jvbbrewery@internal.auth.example.net"));
  config.admin.port = 0;
  return config;
}

class AppTest : public testing::Test {
 protected:
  ~AppTest() override {
    app_.reset();
    store_.reset();
  }

  /// A store that knows one conference, as an earlier process left it.
  void open_store() {
    auto earlier = stats::sqlite::Store::open({.directory = folder_.path()}, [](const auto&) {});
    earlier->store->commit(CommitId(1), {op(kRoom)});
    earlier->store.reset();
    auto opened =
        stats::sqlite::Store::open({.directory = folder_.path()}, [this](const auto& done) {
          boost::asio::post(io_, [this, done] {
            if (app_ && store_answers_) {
              app_->completed(done);
            }
          });
        });
    store_ = std::move(opened->store);
    restored_ = std::move(opened->restored);
    ASSERT_EQ(restored_.tables.conferences.size(), 1U);
  }

  Result<> start(const config::Config& config, focus::OutputGateOptions gate = {}) {
    open_store();
    app_.emplace(io_, config, std::move(restored_), *store_, log_, AppHooks{.gate = gate});
    return app_->start();
  }

  /// Conferences the next process would find.
  std::size_t stored_conferences() {
    app_.reset();
    store_.reset();
    auto opened = stats::sqlite::Store::open({.directory = folder_.path()}, [](const auto&) {});
    EXPECT_TRUE(opened->report.clean);
    return opened->restored.tables.conferences.size();
  }

  static focus::Operation op(const RoomJid& room) {
    return focus::op::ConferenceCreate{.room = room, .meeting_id = "m"};
  }

  stats::sqlite::TempFolder folder_{stats::sqlite::Medium::kMemory};
  boost::asio::io_context io_{1};
  LogSink log_{{.level = focus::NoteLevel::kError}};
  std::unique_ptr<stats::sqlite::Store> store_;
  focus::Restored restored_;
  std::optional<App> app_;
  bool store_answers_ = true;
};

TEST_F(AppTest, ATakenAdminPortIsNamed) {
  tcp::acceptor other(io_, {boost::asio::ip::make_address("127.0.0.1"), 0});
  config::Config config = deserted();
  config.admin.port = other.local_endpoint().port();
  const auto started = start(config);
  ASSERT_FALSE(started.has_value());
  EXPECT_EQ(started.error().code, Errc::kUnavailable);
  EXPECT_THAT(started.error().what, HasSubstr("127.0.0.1:" + std::to_string(config.admin.port)));
  EXPECT_EQ(stored_conferences(), 1U);
}

TEST_F(AppTest, SigtermWithoutLinksEndsConferencesAndTheLoop) {
  ASSERT_TRUE(start(deserted()).has_value());
  boost::asio::post(io_, [] { std::raise(SIGTERM); });
  io_.run_for(seconds{3});  // Sooner than the bound that ends a stop that hangs.
  EXPECT_TRUE(io_.stopped());
  EXPECT_EQ(stored_conferences(), 0U);
}

TEST_F(AppTest, TheLoopEndsAfterTheFarewellsOfTheLinks) {
  xmpp::ComponentServer requests(io_, "secret");
  xmpp::ComponentServer service(io_, "secret");
  config::Config config = deserted();
  config.requests.port = requests.port();
  config.service.port = service.port();
  config.requests.secret.value = config.service.secret.value = "secret";
  ASSERT_TRUE(start(config).has_value());
  const auto run_until = [this](const auto& condition) {
    while (!condition() && io_.run_one_for(seconds{5}) > 0) {
    }
    return condition();
  };
  ASSERT_TRUE(run_until([&] { return requests.logins == 1 && service.logins == 1; }));
  requests.write(
      "<iq type='get' id='is-up' from='a@example.net/r' to='focus.example.net'>"
      "<ping xmlns='urn:xmpp:ping'/></iq>");
  ASSERT_TRUE(run_until([&] {
    return requests.received.find("is-up") != std::string::npos &&
           service.received.find("<presence") != std::string::npos;
  }));
  boost::asio::post(io_, [] { std::raise(SIGTERM); });
  io_.run_for(seconds{5});
  EXPECT_TRUE(io_.stopped());
  EXPECT_THAT(requests.received, HasSubstr("</stream:stream>"));
  EXPECT_THAT(service.received, HasSubstr("type='unavailable'"));  // Out of the brewery.
  EXPECT_THAT(service.received, HasSubstr("</stream:stream>"));
}

TEST_F(AppTest, ASecondSignalDoesNotWaitForTheStore) {
  store_answers_ = false;
  ASSERT_TRUE(start(deserted()).has_value());
  boost::asio::post(io_, [] { std::raise(SIGTERM); });
  io_.run_for(milliseconds{300});
  EXPECT_FALSE(io_.stopped());
  boost::asio::post(io_, [] { std::raise(SIGTERM); });
  io_.run_for(seconds{1});  // Sooner than the gate gives up on the store.
  EXPECT_TRUE(io_.stopped());
  EXPECT_EQ(stored_conferences(), 0U);  // What was handed to the store is not lost.
}

TEST_F(AppTest, SigtermByPolicyWaitsForTheLastConferenceUntilTheDeadline) {
  const NotifySocket systemd(folder_.path() + "/notify");
  config::Config config = deserted();
  config.life = {.stop = config::StopPolicy::kLeaveWhenEmpty, .stop_deadline = milliseconds{400}};
  ASSERT_TRUE(start(config).has_value());
  boost::asio::post(io_, [] { std::raise(SIGTERM); });
  io_.run_for(milliseconds{250});
  EXPECT_FALSE(io_.stopped());
  EXPECT_EQ(app_->conference_count(), 1U);
  const auto heard = systemd.heard();
  EXPECT_THAT(heard, testing::Contains("STOPPING=1"));
  EXPECT_THAT(heard, testing::Contains("EXTEND_TIMEOUT_USEC=15000000"));
  io_.run_for(seconds{3});
  EXPECT_TRUE(io_.stopped());
  EXPECT_EQ(stored_conferences(), 0U);
}

TEST_F(AppTest, WhoAsksAgainDoesNotWaitForTheDeadline) {
  config::Config config = deserted();
  config.life = {.stop = config::StopPolicy::kLeaveWhenEmpty,
                 .stop_deadline = std::chrono::hours{1}};
  ASSERT_TRUE(start(config).has_value());
  boost::asio::post(io_, [] { std::raise(SIGTERM); });
  io_.run_for(milliseconds{100});
  boost::asio::post(io_, [] { std::raise(SIGTERM); });
  io_.run_for(seconds{3});
  EXPECT_TRUE(io_.stopped());
  EXPECT_EQ(stored_conferences(), 0U);
}

TEST_F(AppTest, AReloadChangesHowSigtermEndsTheProcess) {
  const auto loaded = [](const char* policy) {
    return config::assemble(config::minimal_and({{"service.stop", std::string(policy)}}), {},
                            config::no_files);
  };
  config::LoadedConfig running = loaded("leave").value();
  Reloader reloader(
      running, "f.toml", [&loaded] { return loaded("leave-when-empty"); }, log_);
  config::Config config = deserted();
  config.life = running.config.life;
  open_store();
  app_.emplace(io_, config, std::move(restored_), *store_, log_, AppHooks{.reloader = &reloader});
  ASSERT_TRUE(app_->start().has_value());
  boost::asio::post(io_, [] { std::raise(SIGHUP); });
  io_.run_for(milliseconds{100});
  ASSERT_EQ(reloader.status().succeeded, 1U);
  boost::asio::post(io_, [] { std::raise(SIGTERM); });
  io_.run_for(milliseconds{250});
  EXPECT_EQ(app_->conference_count(), 1U);
  boost::asio::post(io_, [] { std::raise(SIGTERM); });
  io_.run_for(seconds{3});
  EXPECT_TRUE(io_.stopped());
  EXPECT_EQ(app_->conference_count(), 0U);
  app_.reset();  // Before the reloader it knows.
}

TEST_F(AppTest, AStoreThatHangsDoesNotMakeTheLoopSpin) {
  store_answers_ = false;
  config::Config config = deserted();
  config.focus.link_grace = milliseconds{50};  // The end of the conference waits for the store.
  ASSERT_TRUE(start(config, {.turns_max = 0, .hold_max = seconds{60}}).has_value());
  io_.run_for(milliseconds{700});  // Now attempts to reconnect are due that may not be made.
  EXPECT_LT(io_.run_for(milliseconds{500}), 200U);
}

}  // namespace
}  // namespace bascule::daemon
