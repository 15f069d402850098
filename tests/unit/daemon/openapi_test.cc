// The document at /openapi.json against the routes there are, in both directions.

#include "admin/openapi.h"

#include <algorithm>
#include <map>
#include <regex>
#include <string>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "daemon/app.h"
#include "daemon/standby_routes.h"
#include "tests/unit/stats/store_support.h"

namespace bascule::daemon {
namespace {

/// "GET /v1/bridges/{}" to the name of its role.
using Routes = std::map<std::string, std::string>;

Routes documented() {
  const static std::regex kName("\\{[a-z]+\\}");
  Routes routes;
  const auto document = nlohmann::json::parse(admin::openapi_json());
  for (const auto& [path, item] : document.at("paths").items()) {
    for (const auto& [name, operation] : item.items()) {
      std::string method = name;
      std::transform(method.begin(), method.end(), method.begin(),
                     [](char c) { return static_cast<char>(c - 'a' + 'A'); });
      routes[method + " " + std::regex_replace(path, kName, "{}")] = operation.at("x-role");
    }
  }
  return routes;
}

/// Files of the dashboard are for browsers alone.
bool is_page(const std::string& path) {
  return path == "/" || path.starts_with("/dashboard/");
}

void add(const admin::Router& router, Routes& to) {
  for (const admin::Router::Route& route : router.routes()) {
    if (is_page(route.path)) {
      continue;
    }
    to[route.method + " " + route.path] = admin::name_of(route.role);
  }
}

Jid jid(const char* text) {
  return Jid::parse(text).value();
}

TEST(OpenapiTest, DescribesWhatIsServedWithItsRoleAndNothingElse) {
  boost::asio::io_context io{1};
  const stats::sqlite::TempFolder folder(stats::sqlite::Medium::kMemory);
  auto opened = stats::sqlite::Store::open({.directory = folder.path()}, [](const auto&) {});
  LogSink log({.level = focus::NoteLevel::kError});
  config::Config config;
  config.focus.conference_service = jid("conference.example.net");
  config.focus.brewery = RoomJid(jid("jvbbrewery@internal.auth.example.net"));
  config.requests_address = jid("focus.example.net");
  config.client_address = jid("focus@auth.example.net/focus");
  config.service_address = jid("bascule.example.net");
  config::LoadedConfig loaded;
  Reloader reloader(loaded, "bascule.toml", {}, log);
  App app(io, config, opened->restored, *opened->store, log, AppHooks{.reloader = &reloader});
  Routes served;
  add(app.make_router(), served);
  // What two processes have in addition is the same whether active or standby.
  add(standby_routes({.status = [] { return HaStatus(); },
                      .store = *opened->store,
                      .reloader = nullptr,
                      .http = {},
                      .config = config}),
      served);
  EXPECT_EQ(documented(), served)
      << "describe every route in admin/openapi (admin/README.md says how)";
}

}  // namespace
}  // namespace bascule::daemon
