#include "admin/dashboard.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <regex>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bascule::admin {
namespace {

using testing::HasSubstr;

class DashboardTest : public testing::Test {
 protected:
  DashboardTest() { add_dashboard(router_); }

  HttpResponse get(std::string path, std::string if_none_match = {}) {
    HttpRequest request{.method = "GET", .path = std::move(path)};
    request.if_none_match = std::move(if_none_match);
    request.principal = {.name = "night-shift", .role = Role::kOperate};
    HttpResponse answer;
    router_.handle(std::move(request),
                   [&answer](HttpResponse response) { answer = std::move(response); });
    return answer;
  }

  static std::string header(const HttpResponse& response, std::string_view name) {
    const auto found = std::find_if(response.headers.begin(), response.headers.end(),
                                    [name](const auto& each) { return each.first == name; });
    return found == response.headers.end() ? "" : found->second;
  }

  Router router_;
};

TEST_F(DashboardTest, ThePageRunsItsOwnFilesOnly) {
  const HttpResponse page = get("/");
  EXPECT_EQ(page.status, 200U);
  EXPECT_EQ(page.content_type, "text/html; charset=utf-8");
  EXPECT_THAT(page.body, HasSubstr("<!doctype html>"));
  EXPECT_THAT(header(page, "Content-Security-Policy"), HasSubstr("default-src 'self'"));
  EXPECT_EQ(header(page, "X-Content-Type-Options"), "nosniff");
}

TEST_F(DashboardTest, WhatABrowserHasIsNotSentAgain) {
  const HttpResponse first = get("/dashboard/main.js");
  EXPECT_EQ(first.content_type, "text/javascript; charset=utf-8");
  const HttpResponse again = get("/dashboard/main.js", header(first, "ETag"));
  EXPECT_EQ(again.status, 304U);
  EXPECT_EQ(again.body, "");
}

TEST_F(DashboardTest, NothingElseIsServed) {
  EXPECT_EQ(get("/dashboard/").status, 404U);
  EXPECT_EQ(get("/dashboard/index.html").status, 404U);
  EXPECT_EQ(get("/dashboard/embed.cmake").status, 404U);
  EXPECT_EQ(get("/dashboard/..%2Froutes.cc").status, 404U);
}

TEST_F(DashboardTest, EveryFileOfTheFolderIsInTheProgram) {
  std::set<std::string> expected;
  for (const auto& entry :
       std::filesystem::directory_iterator(BASCULE_SOURCE_DIR "/admin/dashboard")) {
    const auto extension = entry.path().extension();
    if (extension != ".md" && extension != ".cmake") {
      expected.insert(entry.path().filename());
    }
  }
  std::set<std::string> embedded;
  for (const DashboardFile& file : dashboard_files()) {
    EXPECT_NE(file.content_type, "") << file.name;
    embedded.insert(std::string(file.name));
  }
  EXPECT_EQ(embedded, expected);
}

TEST_F(DashboardTest, EveryFileThatIsAskedForExists) {
  const std::regex imported(R"((?:from '\./|"dashboard/)([a-z_]+\.[a-z]+))");
  std::set<std::string> asked_for = {"index.html"};
  for (const DashboardFile& file : dashboard_files()) {
    const std::string text(file.content);
    for (std::sregex_iterator it(text.begin(), text.end(), imported), end; it != end; ++it) {
      asked_for.insert((*it)[1]);
      EXPECT_EQ(get("/dashboard/" + std::string((*it)[1])).status, 200U) << file.name;
    }
  }
  for (const DashboardFile& file : dashboard_files()) {
    EXPECT_EQ(asked_for.count(std::string(file.name)), 1U) << file.name << " is used by nobody";
  }
}

// Names of rooms and people are strangers' input. The browser refuses these too, by the policy;
// this says it before anybody has to look.
TEST_F(DashboardTest, NoFileMakesMarkupOfTextOrAsksAnotherHost) {
  const std::regex forbidden(
      R"(innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|\sstyle=|\son[a-z]+=)");
  const std::regex address(R"([a-z]+://[^\s'"]*)");
  for (const DashboardFile& file : dashboard_files()) {
    const std::string text(file.content);
    std::smatch found;
    EXPECT_FALSE(std::regex_search(text, found, forbidden)) << file.name << ": " << found.str();
    for (std::sregex_iterator it(text.begin(), text.end(), address), end; it != end; ++it) {
      EXPECT_EQ(it->str(), "http://www.w3.org/2000/svg") << file.name;
    }
  }
}

TEST_F(DashboardTest, SaysWhoAsks) {
  EXPECT_EQ(get("/v1/access").body, "{\"name\":\"night-shift\",\"role\":\"operate\"}\n");
}

}  // namespace
}  // namespace bascule::admin
