#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "admin/http.h"

namespace bascule::admin {
namespace {

HttpResponse ask(const Router& router, std::string method, std::string path) {
  HttpResponse answer;
  int answers = 0;
  HttpRequest request;
  request.method = std::move(method);
  request.path = std::move(path);
  router.handle(request, [&answer, &answers](HttpResponse response) {
    answer = std::move(response);
    ++answers;
  });
  EXPECT_EQ(answers, 1);
  return answer;
}

Router example() {
  Router router;
  router.add("GET", "/a", [](const HttpRequest&, const Respond& respond) {
    respond({.status = 200, .content_type = "text/plain", .body = "a", .headers = {}});
  });
  router.add("POST", "/a", [](const HttpRequest&, const Respond& respond) {
    respond({.status = 201, .content_type = "text/plain", .body = "made", .headers = {}});
  });
  return router;
}

TEST(RouterTest, FindsByMethodAndPathAndServesHeadByGet) {
  EXPECT_EQ(ask(example(), "GET", "/a").body, "a");
  EXPECT_EQ(ask(example(), "HEAD", "/a").status, 200U);
  EXPECT_EQ(ask(example(), "POST", "/a").status, 201U);
}

TEST(RouterTest, UnknownPathIs404AndUnknownMethodIs405WithAllow) {
  EXPECT_EQ(ask(example(), "GET", "/b").status, 404U);
  const auto response = ask(example(), "DELETE", "/a");
  EXPECT_EQ(response.status, 405U);
  ASSERT_EQ(response.headers.size(), 1U);
  EXPECT_EQ(response.headers[0].second, "GET, HEAD, POST");
}

TEST(RouterTest, APatternTakesOneDecodedSegment) {
  Router router;
  router.add("GET", "/bridges/{}/history", [](const HttpRequest& request, const Respond& respond) {
    respond({.status = 200, .content_type = {}, .body = request.segment, .headers = {}});
  });
  EXPECT_EQ(ask(router, "GET", "/bridges/jvb1/history").body, "jvb1");
  EXPECT_EQ(ask(router, "GET", "/bridges/b%40i.example%2Fjvb1/history").body, "b@i.example/jvb1");
  for (const char* path : {"/bridges/history", "/bridges//history", "/bridges/a/b/history",
                           "/bridges/a/history/x", "/bridges/a/histor"}) {
    EXPECT_EQ(ask(router, "GET", path).status, 404U) << path;
  }
  EXPECT_EQ(ask(router, "POST", "/bridges/jvb1/history").status, 405U);
  EXPECT_EQ(ask(router, "GET", "/bridges/%4/history").status, 400U);
  EXPECT_EQ(ask(router, "GET", "/bridges/%C3%A9/history").body, "\xc3\xa9");
  for (const char* bad : {"%FF", "%C3", "%C0%AF", "%ED%A0%80", "\xff"}) {
    EXPECT_EQ(ask(router, "GET", "/bridges/" + std::string(bad) + "/history").status, 400U) << bad;
  }
}

TEST(RouterTest, APatternMayHaveSeveralSegments) {
  Router router;
  router.add("GET", "/conferences/{}/participants/{}",
             [](const HttpRequest& request, const Respond& respond) {
               EXPECT_EQ(request.segment, request.segments.front());
               respond({.status = 200,
                        .content_type = {},
                        .body = request.segments.at(0) + " " + request.segments.at(1),
                        .headers = {}});
             });
  EXPECT_EQ(ask(router, "GET", "/conferences/a%2Fb/participants/c").body, "a/b c");
  for (const char* path : {"/conferences/a/participants", "/conferences/a/participants/",
                           "/conferences//participants/c", "conferences/a/participants/c", ""}) {
    EXPECT_EQ(ask(router, "GET", path).status, 404U) << path;
  }
}

TEST(RouterTest, TheGateIsAskedWithTheRoleOfTheRoute) {
  Router router;
  const auto name = [](const HttpRequest& request, const Respond& respond) {
    respond({.status = 200, .content_type = {}, .body = request.principal.name, .headers = {}});
  };
  router.add("GET", "/look", name);
  router.add("POST", "/do", name);
  router.add("GET", "/health", Role::kPublic, name);
  router.add("PUT", "/level", Role::kAdmin, name);
  std::vector<Role> asked;
  const Gate gate = [&asked](HttpRequest& request, Role role) -> std::optional<HttpResponse> {
    asked.push_back(role);
    request.principal = {.name = "ann", .role = Role::kOperate};
    return role > request.principal.role ? std::optional(problem(403, "Forbidden", "no"))
                                         : std::nullopt;
  };
  HttpResponse answer;
  const auto through = [&](const char* method, const char* path) {
    HttpRequest request;
    request.method = method;
    request.path = path;
    router.handle(
        request, [&answer](HttpResponse given) { answer = std::move(given); }, gate);
    return answer.status;
  };
  EXPECT_EQ(through("GET", "/look"), 200U);
  EXPECT_EQ(answer.body, "ann");
  EXPECT_EQ(through("HEAD", "/look"), 200U);
  EXPECT_EQ(through("POST", "/do"), 200U);
  EXPECT_EQ(through("GET", "/health"), 200U);
  EXPECT_EQ(through("PUT", "/level"), 403U);
  EXPECT_EQ(asked,
            (std::vector{Role::kRead, Role::kRead, Role::kOperate, Role::kPublic, Role::kAdmin}));
  EXPECT_EQ(through("GET", "/nothing"), 404U);
  EXPECT_EQ(asked.size(), 5U) << "where there is nothing, nobody is asked for";
}

TEST(RouterTest, RolesHaveNames) {
  for (const Role role : {Role::kPublic, Role::kRead, Role::kOperate, Role::kAdmin}) {
    EXPECT_EQ(role_named(name_of(role)), role);
  }
  EXPECT_EQ(role_named("root"), std::nullopt);
}

TEST(RouterTest, ProblemsAreJsonEvenWhenTheyQuoteBytesThatAreNotUtf8) {
  const auto response = ask(example(), "GET", "/\xff");
  EXPECT_EQ(response.content_type, "application/problem+json");
  EXPECT_EQ(nlohmann::json::parse(response.body).at("status"), 404);
}

}  // namespace
}  // namespace bascule::admin
