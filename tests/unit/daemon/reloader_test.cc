#include "daemon/reloader.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/log_key.h"
#include "daemon/reload_metrics.h"
#include "tests/unit/config/minimal.h"
#include "tests/unit/daemon/notify_socket.h"
#include "tests/unit/stats/store_support.h"

namespace bascule::daemon {
namespace {

using config::RawValue;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

using Settings = std::vector<std::pair<std::string, RawValue>>;

class ReloaderTest : public testing::Test {
 protected:
  static config::LoadedConfig loaded(const Settings& settings) {
    return config::assemble(config::minimal_and(settings), {}, config::no_files).value();
  }
  /// What the file says now.
  void write_file(const Settings& settings) { file_ = config::minimal_and(settings); }
  /// Reloads, and returns what was logged.
  std::string reload() {
    testing::internal::CaptureStderr();
    reloader_.reload();
    return testing::internal::GetCapturedStderr();
  }
  std::string metrics() const {
    admin::Metrics metrics;
    add_reloads(&reloader_, metrics);
    return metrics.take_text();
  }

  stats::sqlite::TempFolder folder_{stats::sqlite::Medium::kMemory};
  LogSink log_{{.level = focus::NoteLevel::kInfo}};
  config::LoadedConfig running_ = loaded({});
  std::vector<config::Entry> file_ = config::minimal();
  Reloader reloader_{running_, "f.toml",
                     [this] { return config::assemble(file_, {}, config::no_files); }, log_};
};

TEST_F(ReloaderTest, AppliesWhatItCanAndNamesWhatNeedsARestart) {
  std::vector<std::string> levels;
  reloader_.set_apply([&](const config::Config& config) {
    levels.emplace_back(config.log.level == focus::NoteLevel::kDebug ? "debug" : "other");
    return Result<>();
  });
  write_file({{"log.level", std::string("debug")},
              {"limits.conferences", std::int64_t{7}},
              {"xmpp.domain", std::string("other.test")}});
  file_.erase(file_.begin());  // xmpp.domain stood there as well.
  const std::string lines = reload();
  EXPECT_THAT(lines, HasSubstr(" info config.reloaded applied=log.level\n"));
  EXPECT_THAT(lines, HasSubstr(" warn config.reload_needs_restart "
                               "keys=\"xmpp.domain limits.conferences\"\n"));
  EXPECT_THAT(levels, testing::ElementsAre("debug"));
  EXPECT_EQ(log_.options().level, focus::NoteLevel::kDebug);
  EXPECT_EQ(running_.config.log.level, focus::NoteLevel::kDebug);
  EXPECT_EQ(running_.config.xmpp.domain, "meet.test");
  EXPECT_THAT(metrics(), HasSubstr("bascule_config_reloads_total{outcome=\"success\"} 1"));
  EXPECT_THAT(metrics(), HasSubstr("bascule_config_last_reload_successful 1"));
  EXPECT_THAT(metrics(), Not(HasSubstr("bascule_config_last_reload_success_timestamp_seconds 0")));
}

TEST_F(ReloaderTest, AfterAnErrorNothingHasChanged) {
  write_file({{"log.level", std::string("debug")}, {"links.client.port", std::int64_t{70'000}}});
  EXPECT_THAT(reload(),
              MatchesRegex("[^\n]+ error config.reload_failed key=links.client.port "
                           "reason=\"must be 1 to 65535\" value=70000 file=f.toml line=11\n"));
  EXPECT_EQ(log_.options().level, focus::NoteLevel::kInfo);
  EXPECT_EQ(running_.config.log.level, focus::NoteLevel::kInfo);
  EXPECT_THAT(metrics(), HasSubstr("bascule_config_reloads_total{outcome=\"failure\"} 1"));
  EXPECT_THAT(metrics(), HasSubstr("bascule_config_last_reload_successful 0"));
  EXPECT_THAT(metrics(), HasSubstr("bascule_config_last_reload_success_timestamp_seconds 0"));
}

TEST_F(ReloaderTest, WhatCannotBeAppliedIsRefusedAsAWhole) {
  reloader_.set_apply([](const config::Config&) -> Result<> {
    return fail(Errc::kNotFound, "the certificate cannot be read");
  });
  write_file({{"log.level", std::string("debug")}});
  EXPECT_THAT(reload(), HasSubstr("reason=\"the certificate cannot be read\""));
  EXPECT_EQ(running_.config.log.level, focus::NoteLevel::kInfo);
  reloader_.set_apply({});
  EXPECT_THAT(reload(), HasSubstr("config.reloaded applied=log.level"));
}

TEST_F(ReloaderTest, TheServiceManagerKnowsWhenItBeginsAndEnds) {
  const NotifySocket systemd(folder_.path() + "/notify");
  reload();
  EXPECT_THAT(systemd.heard(),
              testing::ElementsAre(MatchesRegex("RELOADING=1\nMONOTONIC_USEC=[0-9]+"), "READY=1"));
}

TEST_F(ReloaderTest, HashingCanBeTurnedOnAndUsesTheKeyOfTheInstallation) {
  running_.config.state.dir = folder_.path();
  file_.push_back({"state.dir", folder_.path(), 5});
  file_.push_back({"log.hash-jids", true, 6});
  reload();
  const auto key = load_log_key(folder_.path());
  ASSERT_TRUE(key.has_value());
  testing::internal::CaptureStderr();
  log_.write({.level = focus::NoteLevel::kInfo,
              .event = "x",
              .fields = {{"room", std::string("a@c.example")}}},
             {.mono = Instant{std::chrono::hours{1}}, .wall = WallTime{}});
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              HasSubstr("x room=" + hash_for_log(*key, "a@c.example")));
}

TEST(LogKeyTest, IsMadeOnceForItsOwnerOnly) {
  const stats::sqlite::TempFolder folder{stats::sqlite::Medium::kMemory};
  const auto first = load_log_key(folder.path());
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->size(), 32U);
  EXPECT_EQ(load_log_key(folder.path()), first);
  namespace fs = std::filesystem;
  EXPECT_EQ(fs::status(folder.path() + "/log.key").permissions(),
            fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()), 1);
}

TEST(LogKeyTest, WhatIsNoKeyIsNotUsed) {
  const stats::sqlite::TempFolder folder{stats::sqlite::Medium::kMemory};
  std::ofstream(folder.path() + "/log.key") << "short";
  EXPECT_EQ(load_log_key(folder.path()).error().code, Errc::kCorrupt);
  EXPECT_EQ(load_log_key(folder.path() + "/missing").error().code, Errc::kUnavailable);
}

}  // namespace
}  // namespace bascule::daemon
