#include "config/reload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/config/minimal.h"

namespace bascule::config {
namespace {

using std::chrono::hours;
using testing::ElementsAre;
using testing::IsEmpty;

LoadedConfig loaded(const std::vector<std::pair<std::string, RawValue>>& more) {
  return assemble(minimal_and(more), {}, no_files).value();
}

TEST(ReloadTest, TakesOverWhatMayChangeAndNamesTheRest) {
  const LoadedConfig running = loaded({{"log.level", std::string("info")},
                                       {"state.backups-kept", std::int64_t{3}},
                                       {"limits.conferences", std::int64_t{10}}});
  const auto merged = merge(running, loaded({{"limits.conferences", std::int64_t{20}},
                                             {"log.level", std::string("debug")},
                                             {"service.stop", std::string("leave-when-empty")},
                                             {"state.backup-interval", std::string("1 h")}}));
  ASSERT_TRUE(merged.has_value());
  EXPECT_THAT(merged->changes.applied, ElementsAre("state.backup-interval", "state.backups-kept",
                                                   "service.stop", "log.level"));
  EXPECT_THAT(merged->changes.needs_restart, ElementsAre("limits.conferences"));
  const Config& config = merged->config.config;
  EXPECT_EQ(config.log.level, focus::NoteLevel::kDebug);
  EXPECT_EQ(config.life.stop, StopPolicy::kLeaveWhenEmpty);
  EXPECT_EQ(config.state.backup_interval, hours{1});
  EXPECT_EQ(config.state.backups_kept, State().backups_kept);
  EXPECT_EQ(config.focus.limits.conferences, 10U);
}

TEST(ReloadTest, WhatIsDerivedFromAChangedKeyIsNotNamedBesideIt) {
  std::vector<Entry> other = minimal();
  other[0].value = std::string("other.test");  // xmpp.domain, of which most domains are made.
  const auto merged = merge(loaded({}), assemble(other, {}, no_files).value());
  ASSERT_TRUE(merged.has_value());
  EXPECT_THAT(merged->changes.needs_restart, ElementsAre("xmpp.domain"));
}

TEST(ReloadTest, OriginsFollowTheValues) {
  const LoadedConfig running = loaded({{"limits.conferences", std::int64_t{10}}});
  const auto merged =
      merge(running,
            loaded({{"log.level", std::string("warn")}, {"limits.conferences", std::int64_t{20}}}));
  ASSERT_TRUE(merged.has_value());
  const auto line = [&](const char* key) { return merged->config.origins[*find_key(key)].line; };
  EXPECT_EQ(line("log.level"), 10);
  EXPECT_EQ(line("limits.conferences"), 10);  // Where the value in force stood.
}

TEST(ReloadTest, AChangedSecretIsNamedWithoutItsValue) {
  LoadedConfig fresh = loaded({});
  fresh.config.requests.secret.value = "another";  // It has the origin of the first.
  const auto merged = merge(loaded({}), fresh);
  ASSERT_TRUE(merged.has_value());
  EXPECT_THAT(merged->changes.needs_restart, ElementsAre("links.requests.secret"));
}

TEST(ReloadTest, TheSameFileChangesNothingInEitherTopology) {
  for (const bool one_account : {false, true}) {
    std::vector<std::pair<std::string, RawValue>> more = {{"log.level", std::string("warn")}};
    if (one_account) {
      more.emplace_back("links.requests.mode", std::string("client-proxy"));
      more.emplace_back("links.service.mode", std::string("client"));
    }
    const auto same = merge(loaded(more), loaded(more));
    ASSERT_TRUE(same.has_value());
    EXPECT_THAT(same->changes.applied, IsEmpty());
    EXPECT_THAT(same->changes.needs_restart, IsEmpty());
    more[0].second = std::string("error");
    // A derived configuration is checked here, which looks different from one that was read.
    EXPECT_TRUE(merge(loaded(more), loaded(more)).has_value());
    const auto changed = merge(same->config, loaded(more));
    ASSERT_TRUE(changed.has_value()) << changed.error()[0].message;
    EXPECT_THAT(changed->changes.applied, ElementsAre("log.level"));
  }
}

TEST(ReloadTest, EveryReloadableKeyCanBeTakenOver) {
  std::size_t count = 0;
  for (const auto& key : keys()) {
    SCOPED_TRACE(key.path);
    EXPECT_EQ(key.field.reloadable, static_cast<bool>(key.field.copy));
    EXPECT_EQ(key.field.is_secret, static_cast<bool>(key.field.is_same));
    count += key.field.reloadable ? 1U : 0U;
  }
  EXPECT_GT(count, 5U);
}

}  // namespace
}  // namespace bascule::config
