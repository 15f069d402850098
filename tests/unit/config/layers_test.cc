#include "config/layers.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/print.h"
#include "tests/unit/config/minimal.h"

namespace bascule::config {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

Config config_of(const std::vector<Entry>& entries, const Environment& environment = {}) {
  auto loaded = assemble(entries, environment, no_files);
  EXPECT_TRUE(loaded.has_value()) << to_string(loaded.error()[0], "f.toml");
  return loaded ? loaded->config : Config();
}

TEST(LayersTest, DerivesTheDeploymentFromTheDomain) {
  const auto config = config_of(minimal());
  EXPECT_EQ(config.requests_address.to_string(), "focus.meet.test");
  EXPECT_EQ(config.client_address.to_string(), "focus@auth.meet.test/focus");
  EXPECT_EQ(config.service_address.to_string(), "bascule.meet.test");
  EXPECT_EQ(config.service.port, 5347);
  EXPECT_EQ(config.focus.focus_user.to_string(), "focus@auth.meet.test");
  EXPECT_EQ(config.focus.conference_service.to_string(), "conference.meet.test");
  EXPECT_EQ(config.focus.brewery.to_string(), "jvbbrewery@internal.auth.meet.test");
  EXPECT_EQ(config.focus.breakout_service, Jid::parse("breakout.meet.test").value());
  EXPECT_EQ(config.focus.proxy_address, std::nullopt);
  EXPECT_TRUE(config.focus.requests_link);
}

TEST(LayersTest, TheClientProxyTopologyNeedsOneAccountOnly) {
  const auto config = config_of({{"xmpp.domain", std::string("meet.test"), 1},
                                 {"links.requests.mode", std::string("client-proxy"), 2},
                                 {"links.client.password", std::string("c"), 3},
                                 {"links.service.mode", std::string("client"), 4}});
  EXPECT_EQ(config.focus.proxy_address, Jid::parse("focus.meet.test").value());
  EXPECT_FALSE(config.focus.requests_link);
  EXPECT_TRUE(config.requests_address.empty());
  EXPECT_EQ(config.service_address.to_string(), "focus@auth.meet.test/bascule-service");
  EXPECT_EQ(config.service.secret.value, "c");
  EXPECT_EQ(config.service.port, 5222);
}

TEST(LayersTest, ReportsAllErrorsAtOnceWithKeyValueRangeAndLine) {
  const auto lines =
      errors_of(minimal_and({{"conference.initial-timeout", std::string("0 s")},
                             {"links.client.port", std::int64_t{70000}},
                             {"selection.limit-new", Millionths{950'000}},
                             {"links.requests.mode", std::string("proxy")},
                             {"conference.initial-timout", std::string("15 s")},
                             {"nonsense", true},
                             {"links.client.pins", std::vector<std::string>{"ab"}},
                             {"links.service.pubsub-node", std::string("sharedStatsNode")}}));
  EXPECT_THAT(
      lines,
      ElementsAre(
          "f.toml:10: conference.initial-timeout = \"0 s\": must be \"1 s\" to \"1 h\"",
          "f.toml:11: links.client.port = 70000: must be 1 to 65535",
          "f.toml:12: selection.limit-new = 0.95: must be 0.3 to 0.9",
          "f.toml:13: links.requests.mode = \"proxy\": must be one of: component client-proxy off",
          "f.toml:14: conference.initial-timout: unknown key; did you mean "
          "conference.initial-timeout?",
          "f.toml:15: nonsense: unknown key",
          "f.toml:16: links.client.pins = [\"ab\"]: must be SHA-256 fingerprints of 64 lower-case "
          "hex digits",
          "links.service.pubsub-service = \"\": is required: pubsub-service and pubsub-node belong "
          "together"));
}

TEST(LayersTest, NamesEverythingThatIsMissing) {
  EXPECT_THAT(errors_of({}),
              ElementsAre(HasSubstr("xmpp.domain"), HasSubstr("links.requests.secret: is required"),
                          HasSubstr("links.client.password: is required"),
                          HasSubstr("links.service.secret: is required")));
}

TEST(LayersTest, BlamesTheValueThatWasSetForAContradiction) {
  EXPECT_THAT(errors_of(minimal_and({{"selection.limit-new", Millionths{900'000}}})),
              ElementsAre("f.toml:10: selection.limit-new = 0.9: must not exceed "
                          "selection.limit-join (0.85)"));
  EXPECT_THAT(errors_of(minimal_and({{"selection.limit-join", Millionths{700'000}}})),
              ElementsAre("f.toml:10: selection.limit-join = 0.7: must not be below "
                          "selection.limit-new (0.75)"));
  EXPECT_THAT(errors_of(minimal_and({{"offer.mid", false}})),
              ElementsAre(HasSubstr("offer.rtp-mid-demux = true: needs")));
  EXPECT_THAT(
      errors_of(minimal_and({{"links.service.component-domain", std::string("focus.meet.test")}})),
      ElementsAre(HasSubstr("must differ from the domain of the requests link")));
  EXPECT_THAT(errors_of(minimal_and({{"links.service.mode", std::string("client")},
                                     {"links.service.resource", std::string("focus")}})),
              ElementsAre(HasSubstr("must differ from links.client.resource")));
}

TEST(LayersTest, TwoProcessesNeedTheirNames) {
  const std::pair<std::string, RawValue> on{"ha.coordinator", std::string("file")};
  const std::pair<std::string, RawValue> node{"ha.node", std::string("a")};
  EXPECT_THAT(errors_of(minimal_and({on})), ElementsAre(HasSubstr("a name of its own")));
  EXPECT_THAT(errors_of(minimal_and({on, node})), testing::IsEmpty());
  EXPECT_THAT(errors_of(minimal_and({on, node, {"ha.shared", std::string("/var/lib/bascule")}})),
              ElementsAre(HasSubstr("must differ from state.dir")));
  EXPECT_THAT(errors_of(minimal_and({on, node, {"links.client.stream-management", false}})),
              ElementsAre(HasSubstr("could not go on")));
  for (const char* bad : {"A", "a b", "a_b", "123456789012345678901234567890123"}) {
    EXPECT_THAT(errors_of(minimal_and({on, {"ha.node", std::string(bad)}})),
                testing::Contains(HasSubstr("1 to 32 of the letters a-z")))
        << bad;
  }
}

TEST(LayersTest, OwnVariablesBeatTheFileWhichBeatsTheContainersVariables) {
  const auto entries = minimal_and(
      {{"links.client.host", std::string("from-file")}, {"links.client.port", std::int64_t{5000}}});
  const Environment environment = {{"XMPP_SERVER", "from-container"},
                                   {"XMPP_PORT", "6000"},
                                   {"BASCULE_LINKS_CLIENT_PORT", "7000"},
                                   {"BASCULE_LOG_HASH_JIDS", "true"},
                                   {"BASCULE_ADMIN_ADDRESS", ""}};
  const auto loaded = assemble(entries, environment, no_files).value();
  EXPECT_EQ(loaded.config.client.host, "from-file");
  EXPECT_EQ(loaded.config.client.port, 7000);
  EXPECT_EQ(loaded.config.requests.host, "from-container");
  EXPECT_TRUE(loaded.config.log.hash_jids);
  EXPECT_EQ(loaded.config.admin.address, "127.0.0.1");
  const auto printed = print_config(loaded);
  EXPECT_THAT(printed, HasSubstr("host = \"from-file\"  # line 10\n"));
  EXPECT_THAT(printed, HasSubstr("port = 7000  # environment BASCULE_LINKS_CLIENT_PORT\n"));
  EXPECT_THAT(printed, HasSubstr("host = \"from-container\"  # environment XMPP_SERVER\n"));
  EXPECT_THAT(printed, HasSubstr("address = \"127.0.0.1\"  # default\n"));
}

TEST(LayersTest, TheContainerOfJicofoIsConfiguredByItsVariablesAlone) {
  const Environment environment = {{"XMPP_DOMAIN", "meet.jitsi"},
                                   {"XMPP_AUTH_DOMAIN", "auth.meet.jitsi"},
                                   {"XMPP_MUC_DOMAIN", "muc.meet.jitsi"},
                                   {"XMPP_INTERNAL_MUC_DOMAIN", "internal-muc.meet.jitsi"},
                                   {"XMPP_SERVER", "xmpp.meet.jitsi"},
                                   {"XMPP_PORT", "5222"},
                                   {"JICOFO_AUTH_PASSWORD", "pw"},
                                   {"JVB_BREWERY_MUC", "jvbbrewery"},
                                   {"JICOFO_CONF_INITIAL_PARTICIPANT_WAIT_TIMEOUT", "30 seconds"},
                                   {"ENABLE_CODEC_AV1", "0"},
                                   {"MAX_SSRCS_PER_USER", "40"},
                                   {"BASCULE_LINKS_REQUESTS_MODE", "client-proxy"},
                                   {"BASCULE_LINKS_SERVICE_MODE", "client"}};
  const auto config = config_of({}, environment);
  EXPECT_EQ(config.client_address.to_string(), "focus@auth.meet.jitsi/focus");
  EXPECT_EQ(config.client.host, "xmpp.meet.jitsi");
  EXPECT_EQ(config.service.host, "xmpp.meet.jitsi");
  EXPECT_EQ(config.focus.conference_service.to_string(), "muc.meet.jitsi");
  EXPECT_EQ(config.focus.brewery.to_string(), "jvbbrewery@internal-muc.meet.jitsi");
  EXPECT_EQ(config.focus.initial_timeout, seconds{30});
  EXPECT_FALSE(config.focus.offer.av1.enabled);
  EXPECT_EQ(config.focus.offer.max_sources_per_endpoint, 40U);
}

TEST(LayersTest, AWrongVariableIsNamed) {
  EXPECT_THAT(errors_of(minimal(), {{"XMPP_PORT", "many"}}),
              ElementsAre("environment XMPP_PORT: links.client.port = \"many\": must be 1 to "
                          "65535"));
}

TEST(LayersTest, SecretsComeFromFilesOrVariablesAndAreNeverPrinted) {
  const std::vector<Entry> entries = {
      {"xmpp.domain", std::string("meet.test"), 1},
      {"links.requests.secret-file", std::string("/run/requests"), 2},
      {"links.client.password-env", std::string("THE_PASSWORD"), 3}};
  const Environment environment = {{"THE_PASSWORD", "hunter2"},
                                   {"BASCULE_LINKS_SERVICE_SECRET_FILE", "/run/service"}};
  const auto loaded = assemble(entries, environment, [](const std::string& path) {
    return Result<std::string>("hush-" + path.substr(5) + "\n");
  });
  ASSERT_TRUE(loaded.has_value());
  EXPECT_EQ(loaded->config.requests.secret.value, "hush-requests");
  EXPECT_EQ(loaded->config.client.password.value, "hunter2");
  EXPECT_EQ(loaded->config.service.secret.value, "hush-service");
  const auto printed = print_config(*loaded);
  EXPECT_THAT(printed, HasSubstr("# secret (set, from file /run/requests)\n"));
  EXPECT_THAT(printed, HasSubstr("# password (set, from environment THE_PASSWORD)\n"));
  EXPECT_THAT(printed, HasSubstr("# secret (set, from file /run/service)\n"));
  EXPECT_THAT(printed, Not(HasSubstr("hush-")));
  EXPECT_THAT(printed, Not(HasSubstr("hunter2")));
}

TEST(LayersTest, ErrorsOfSecretsDoNotShowThem) {
  const auto lines = errors_of({{"xmpp.domain", std::string("meet.test"), 1},
                                {"links.requests.secret", std::string("two\nlines"), 2},
                                {"links.client.password-file", std::string("/missing"), 3},
                                {"links.service.secret-env", std::string("UNSET"), 4},
                                {"links.service.secret", std::string("s"), 5},
                                {"links.service.secret-file", std::string("/missing-too"), 6}});
  EXPECT_THAT(
      lines,
      ElementsAre("f.toml:2: links.requests.secret: must be text without line breaks",
                  "f.toml:3: links.client.password-file = \"/missing\": cannot be read: no file "
                  "/missing",
                  "f.toml:4: links.service.secret-env = \"UNSET\": names an environment variable "
                  "that is not set",
                  "f.toml:6: links.service.secret-file = \"/missing-too\": cannot be read: no file "
                  "/missing-too"));
  EXPECT_THAT(errors_of(minimal_and({{"links.service.secret-env", std::string("OTHER")}}),
                        {{"OTHER", "x"}}),
              ElementsAre(HasSubstr("more than once")));
}

}  // namespace
}  // namespace bascule::config
