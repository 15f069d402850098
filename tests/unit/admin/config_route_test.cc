#include "admin/config_route.h"

#include <gmock/gmock.h>

#include "tests/unit/admin/ask.h"
#include "tests/unit/config/minimal.h"

namespace bascule::admin {
namespace {

using nlohmann::json;

class ConfigRouteTest : public testing::Test {
 protected:
  ConfigRouteTest()
      : loaded_(config::assemble(config::minimal_and({{"admin.port", std::int64_t{8889}}}),
                                 {{"BASCULE_LOG_LEVEL", "warn"}}, config::no_files)
                    .value()) {
    const auto loaded = [this]() -> const config::LoadedConfig& { return loaded_; };
    add_config_route(router_, {.file = "/etc/bascule/bascule.toml", .loaded = loaded});
  }
  json key(const std::string& path) {
    const json answer = json_of(ask(router_, get("/v1/config")));
    for (const json& each : answer.at("keys")) {
      if (each.at("key") == path) {
        return each;
      }
    }
    return nullptr;
  }

  config::LoadedConfig loaded_;
  Router router_;
};

TEST_F(ConfigRouteTest, EveryKeyIsToldWithValueOriginAndDefault) {
  const json answer = json_of(ask(router_, get("/v1/config")));
  EXPECT_EQ(answer.at("file"), "/etc/bascule/bascule.toml");
  EXPECT_EQ(answer.at("keys").size(), config::keys().size());
  const json port = key("admin.port");
  EXPECT_EQ(port.at("value"), 8889);
  EXPECT_EQ(port.at("default"), 8888);
  EXPECT_EQ(port.at("origin"), "line 10");
  EXPECT_EQ(port.at("secret"), false);
  EXPECT_EQ(port.at("reload"), false);
  EXPECT_EQ(key("log.level").at("value"), "warn");
  EXPECT_EQ(key("log.level").at("origin"), "environment BASCULE_LOG_LEVEL");
  EXPECT_EQ(key("log.level").at("reload"), true);
  EXPECT_EQ(key("log.hash-jids").at("value"), false);
  EXPECT_EQ(key("log.hash-jids").at("origin"), "default");
}

TEST_F(ConfigRouteTest, ValuesHaveTheTypesOfTheFile) {
  const json answer = json_of(ask(router_, get("/v1/config")));
  ASSERT_FALSE(answer.at("keys").empty());
  for (const json& each : answer.at("keys")) {
    const json& value = each.at("value");
    EXPECT_TRUE(each.at("secret") || value.is_string() || value.is_number() || value.is_boolean() ||
                value.is_array())
        << each;
    EXPECT_FALSE(value.is_string() && value.get<std::string>().starts_with('"')) << each;
  }
}

TEST_F(ConfigRouteTest, SecretsAreNotToldOnlyWhetherTheyAreSet) {
  const HttpResponse response = ask(router_, get("/v1/config"));
  loaded_.config.client.password.value = "hunter2";
  EXPECT_THAT(ask(router_, get("/v1/config")).body, testing::Not(testing::HasSubstr("hunter2")));
  EXPECT_EQ(key("links.client.password").at("value"), "***");
  EXPECT_EQ(key("links.client.password").at("secret"), true);
  loaded_.config.client.password.value = "";
  EXPECT_EQ(key("links.client.password").at("value"), nullptr);
}

TEST_F(ConfigRouteTest, WhoHasItAlreadyGetsNothingUntilItChanges) {
  const HttpResponse first = ask(router_, get("/v1/config"));
  ASSERT_EQ(first.headers.at(0).first, "ETag");
  HttpRequest again = get("/v1/config");
  again.if_none_match = first.headers.at(0).second;
  EXPECT_EQ(ask(router_, again).status, 304U);
  EXPECT_EQ(ask(router_, again).body, "");
  loaded_.config.admin.port = 1234;
  EXPECT_EQ(ask(router_, again).status, 200U);
  EXPECT_EQ(ask(router_, get("/v1/config", "x=1")).status, 400U);
}

}  // namespace
}  // namespace bascule::admin
