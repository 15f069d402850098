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
  EXPECT_EQ(response.headers[0].second, "GET, POST");
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
}

TEST(RouterTest, ProblemsAreJsonEvenWhenTheyQuoteBytesThatAreNotUtf8) {
  const auto response = ask(example(), "GET", "/\xff");
  EXPECT_EQ(response.content_type, "application/problem+json");
  EXPECT_EQ(nlohmann::json::parse(response.body).at("status"), 404);
}

}  // namespace
}  // namespace bascule::admin
