// The variables of the stock Jicofo container image that are converted, and those that are not
// followed. Those that are the value of a key as they stand: layers_test.cc.

#include "config/container.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/print.h"
#include "tests/unit/config/minimal.h"

namespace bascule::config {
namespace {

using std::chrono::minutes, std::chrono::milliseconds, std::chrono::seconds;
using testing::ElementsAre, testing::HasSubstr, testing::IsEmpty, testing::Not;

Config with(const Environment& environment) {
  auto loaded = assemble(minimal(), environment, no_files);
  EXPECT_TRUE(loaded.has_value()) << (loaded ? "" : to_string(loaded.error().front(), "f.toml"));
  return loaded ? loaded->config : Config{};
}

std::vector<std::string> errors_with(const Environment& environment) {
  return errors_of(minimal(), environment);
}

TEST(ContainerTest, AServerOfTheBridgesIsTakenWholeOrNotAtAll) {
  const Environment unused = {{"JVB_XMPP_SERVER", "bridges.test"},
                              {"JVB_XMPP_PORT", "7222"},
                              {"JVB_XMPP_AUTH_DOMAIN", "auth.bridges.test"},
                              {"JVB_XMPP_INTERNAL_MUC_DOMAIN", "muc.bridges.test"},
                              {"XMPP_SERVER", "xmpp.test"},
                              {"JVB_BREWERY_MUC", "herd"}};
  EXPECT_EQ(with(unused).service.host, "xmpp.test");
  EXPECT_EQ(with(unused).service.mode, ServiceMode::kComponent);
  EXPECT_EQ(with(unused).service.brewery, "herd@internal.auth.meet.test");
  Environment used = unused;
  used["ENABLE_JVB_XMPP_SERVER"] = "1";
  const Config config = with(used);
  EXPECT_EQ(config.service.host, "bridges.test");
  EXPECT_EQ(config.service.port, 7222);
  EXPECT_EQ(config.service.mode, ServiceMode::kClient);
  EXPECT_EQ(config.service_address.to_string(), "focus@auth.bridges.test/bascule-service");
  EXPECT_EQ(config.service.brewery, "herd@muc.bridges.test");
  EXPECT_EQ(config.client.host, "xmpp.test");
  const Config stock = with({{"ENABLE_JVB_XMPP_SERVER", "true"}});
  EXPECT_EQ(stock.service.host, "xmpp.jvb.meet.jitsi");
  EXPECT_EQ(stock.service.port, 6222);
  EXPECT_EQ(stock.service.brewery, "jvbbrewery@muc.jvb.meet.jitsi");
}

TEST(ContainerTest, TheBridgeServerTakesThePasswordOfTheFocus) {
  std::vector<Entry> entries = minimal();
  entries.pop_back();  // The secret of the service link.
  const auto loaded = assemble(
      entries, {{"ENABLE_JVB_XMPP_SERVER", "1"}, {"JICOFO_AUTH_PASSWORD", "pw"}}, no_files);
  ASSERT_TRUE(loaded.has_value());
  EXPECT_EQ(loaded->config.service.secret.value, "pw");
  EXPECT_THAT(print_config(*loaded), Not(HasSubstr("\"pw\"")));
}

TEST(ContainerTest, WhereRecordersLogInIsTrusted) {
  EXPECT_THAT(with({{"XMPP_HIDDEN_DOMAIN", "hidden.test"}}).focus.trusted_domains, IsEmpty());
  EXPECT_THAT(with({{"XMPP_HIDDEN_DOMAIN", "hidden.test"}, {"ENABLE_RECORDING", "1"}})
                  .focus.trusted_domains,
              ElementsAre("hidden.test"));
  EXPECT_THAT(with({{"XMPP_RECORDER_DOMAIN", "old.test"}, {"ENABLE_TRANSCRIPTIONS", "1"}})
                  .focus.trusted_domains,
              ElementsAre("old.test"));
  EXPECT_THAT(with({{"JICOFO_TRUSTED_DOMAINS", "a.test, b.test"}, {"ENABLE_RECORDING", "1"}})
                  .focus.trusted_domains,
              ElementsAre("a.test", "b.test"));
}

TEST(ContainerTest, AStressThresholdMovesTheLimitsAroundItOnlyAsFarAsNeeded) {
  const auto limits = [](const char* threshold) {
    const auto options = with({{"BRIDGE_STRESS_THRESHOLD", threshold}}).focus.placement;
    return std::vector<std::int64_t>{
        options.limit_new.millionths(), options.limit_join.millionths(),
        options.limit_max.millionths(), options.limit_single_join.millionths()};
  };
  EXPECT_THAT(limits("0.8"), ElementsAre(750'000, 800'000, 900'000, 940'000));
  EXPECT_THAT(limits("0.6"), ElementsAre(600'000, 600'000, 900'000, 940'000));
  EXPECT_THAT(limits("0.92"), ElementsAre(750'000, 920'000, 920'000, 940'000));
  EXPECT_THAT(errors_with({{"BRIDGE_STRESS_THRESHOLD", "high"}}),
              ElementsAre("environment BRIDGE_STRESS_THRESHOLD: selection.limit-join = \"high\": "
                          "must be 0.3 to 0.94"));
  EXPECT_THAT(errors_with({{"BRIDGE_STRESS_THRESHOLD", "0.95"}}),
              testing::Contains(HasSubstr("environment BRIDGE_STRESS_THRESHOLD")));
}

TEST(ContainerTest, NumbersOfSelectionAndRestarts) {
  const auto selection = [](const Environment& environment) {
    return with(environment).focus.placement;
  };
  EXPECT_EQ(selection({{"MAX_BRIDGE_PARTICIPANTS", "-1"}}).max_per_conference_bridge, 10'000U);
  EXPECT_EQ(selection({{"MAX_BRIDGE_PARTICIPANTS", "80"}}).max_per_conference_bridge, 80U);
  EXPECT_EQ(selection({{"JICOFO_ICE_FAILURE_INTERVAL", "60"}}).ice_failure_interval, seconds{60});
  EXPECT_EQ(selection({{"JICOFO_ICE_FAILURE_THRESHOLD", "0.1"}}).ice_failure_permille, 100);
  EXPECT_THAT(errors_with({{"JICOFO_ICE_FAILURE_INTERVAL", "often"}}),
              ElementsAre(HasSubstr("environment JICOFO_ICE_FAILURE_INTERVAL: "
                                    "selection.ice-failure-interval = \"often\": must be ")));
  const auto restarts = [](const Environment& environment) {
    return with(environment).focus.restarts_per_minute_max;
  };
  EXPECT_EQ(restarts({{"JICOFO_RESTART_REQUEST_MAX", "3"}}), 3U);
  EXPECT_EQ(
      restarts({{"JICOFO_RESTART_REQUEST_MAX", "3"}, {"JICOFO_RESTART_REQUEST_INTERVAL", "40"}}),
      5U);
  EXPECT_EQ(restarts({{"JICOFO_RESTART_REQUEST_INTERVAL", "40"}}), 5U) << "the default";
  EXPECT_THAT(
      errors_with({{"JICOFO_RESTART_REQUEST_MAX", "3"}, {"JICOFO_RESTART_REQUEST_INTERVAL", "0"}}),
      ElementsAre(HasSubstr("environment JICOFO_RESTART_REQUEST_MAX: "
                            "conference.restarts-per-minute-max = \"3 per 0 s\"")));
  EXPECT_EQ(with({{"MAX_SSRCS_PER_USER", "40"}}).focus.offer.max_groups_per_endpoint, 40U);
}

TEST(ContainerTest, ListsInTheSpellingOfJicofosFile) {
  const auto groups = [](const char* text) {
    return with({{"JICOFO_BRIDGE_REGION_GROUPS", text}}).focus.placement.region_groups;
  };
  EXPECT_THAT(groups(R"(["eu","uk"],["us", "ca"])"),
              ElementsAre(ElementsAre("eu", "uk"), ElementsAre("us", "ca")));
  EXPECT_THAT(groups(R"(["eu"])"), ElementsAre(ElementsAre("eu")));
  EXPECT_THAT(errors_with({{"JICOFO_BRIDGE_REGION_GROUPS", R"(["eu"],["eu")"}}),
              ElementsAre(HasSubstr("environment JICOFO_BRIDGE_REGION_GROUPS")));
  const auto delays = [](const char* text) {
    std::vector<std::pair<std::size_t, Duration>> steps;
    for (const auto& step :
         with({{"JICOFO_CONF_SOURCE_SIGNALING_DELAYS", text}}).focus.offer.signaling_delays) {
      steps.emplace_back(step.participants, step.delay);
    }
    return steps;
  };
  EXPECT_THAT(delays(R"({ "50": 500, 100 = 1000 })"),
              ElementsAre(testing::Pair(50U, milliseconds{500}), testing::Pair(100U, seconds{1})));
  EXPECT_THAT(delays("{}"), IsEmpty());
  for (const char* bad : {"{50: soon}", "{100: 1, 50: 2}", "{-1: 5}", "{50: 60001}", "50"}) {
    EXPECT_THAT(errors_with({{"JICOFO_CONF_SOURCE_SIGNALING_DELAYS", bad}}),
                ElementsAre(HasSubstr("environment JICOFO_CONF_SOURCE_SIGNALING_DELAYS: "
                                      "conference.source-signaling-delays")))
        << bad;
  }
}

TEST(ContainerTest, SwitchesAreReadAsTheTemplatesReadThem) {
  for (const char* off : {"0", "false", "False", "no", "off"}) {
    EXPECT_FALSE(with({{"ENABLE_AUTO_OWNER", off}}).focus.auto_owner) << off;
  }
  EXPECT_TRUE(with({{"ENABLE_AUTO_OWNER", "Yes"}}).focus.auto_owner);
  EXPECT_FALSE(with({{"ENABLE_SCTP", "0"}}).focus.offer.sctp);
  EXPECT_EQ(errors_with({{"ENABLE_AUTO_OWNER", "perhaps"}}).size(), 1U);
}

TEST(ContainerTest, TheRestInterfaceIsOpenedOnlyWhenItWasAskedFor) {
  EXPECT_EQ(with({}).admin.address, "127.0.0.1");
  EXPECT_EQ(with({{"JICOFO_ENABLE_REST", "0"}}).admin.address, "127.0.0.1");
  const auto asked = converted_variable("admin.address", {{"JICOFO_ENABLE_REST", "1"}});
  ASSERT_TRUE(asked.has_value());
  EXPECT_EQ(asked->value, "0.0.0.0");
  EXPECT_EQ(asked->variable, "JICOFO_ENABLE_REST");
}

TEST(ContainerTest, TheStockImageIsConfiguredByItsPasswordAlone) {
  const Environment environment = {{"BASCULE_STOCK_DEFAULTS", "1"}, {"JICOFO_AUTH_PASSWORD", "pw"}};
  const auto loaded = assemble({}, environment, no_files);
  ASSERT_TRUE(loaded.has_value()) << to_string(loaded.error().front(), "f.toml");
  const Config& config = loaded->config;
  EXPECT_EQ(config.client_address.to_string(), "focus@auth.meet.jitsi/focus");
  EXPECT_EQ(config.client.host, "xmpp.meet.jitsi");
  EXPECT_EQ(config.focus.conference_service.to_string(), "muc.meet.jitsi");
  EXPECT_EQ(config.focus.brewery.to_string(), "jvbbrewery@internal-muc.meet.jitsi");
  EXPECT_EQ(config.focus.proxy_address->to_string(), "focus.meet.jitsi");
  EXPECT_THAT(print_config(*loaded),
              HasSubstr("domain = \"meet.jitsi\"  # environment BASCULE_STOCK_DEFAULTS\n"));
  const auto own = assemble({},
                            {{"BASCULE_STOCK_DEFAULTS", "1"},
                             {"JICOFO_AUTH_PASSWORD", "pw"},
                             {"XMPP_DOMAIN", "meet.test"}},
                            no_files);
  ASSERT_TRUE(own.has_value());
  EXPECT_EQ(own->config.xmpp.domain, "meet.test");
  EXPECT_EQ(own->config.xmpp.muc, "muc.meet.jitsi") << "as the stock image has it";
}

TEST(ContainerTest, WhatIsNotFollowedAndMattersIsSaid) {
  const auto warned = [](const Environment& environment) {
    std::vector<std::string> names;
    for (const ContainerWarning& warning : ignored_variables(environment)) {
      EXPECT_FALSE(warning.effect.empty());
      names.push_back(warning.variable);
    }
    return names;
  };
  EXPECT_THAT(warned({}), IsEmpty());
  EXPECT_THAT(warned({{"ENABLE_AUTH", "0"},
                      {"ENABLE_RECORDING", ""},
                      {"JIGASI_SIP_URI", ""},
                      {"JICOFO_ENABLE_BRIDGE_HEALTH_CHECKS", "1"},
                      {"SENTRY_DSN", "https://sentry.test"}}),
              IsEmpty());
  EXPECT_THAT(warned({{"ENABLE_AUTH", "1"},
                      {"ENABLE_VISITORS", "true"},
                      {"JIGASI_SIP_URI", "sip:a@b"},
                      {"JICOFO_ENABLE_BRIDGE_HEALTH_CHECKS", "false"}}),
              ElementsAre("ENABLE_AUTH", "ENABLE_VISITORS", "JIGASI_SIP_URI",
                          "JICOFO_ENABLE_BRIDGE_HEALTH_CHECKS"));
}

}  // namespace
}  // namespace bascule::config
