// Who may ask for conferences from a page of another host.

#include <algorithm>

#include <gtest/gtest.h>

#include "admin/origin.h"

namespace bascule::admin {
namespace {

HttpResponse ask(const std::vector<std::string>& origins, const std::string& method,
                 const std::string& origin) {
  HttpRequest request;
  request.method = method;
  request.origin = origin;
  HttpResponse answer;
  const Handler handler = with_cors(origins, [](const HttpRequest&, const Respond& respond) {
    respond({.status = 200, .body = "done", .headers = {}});
  });
  handler(request, [&answer](HttpResponse given) { answer = std::move(given); });
  return answer;
}

std::string header(const HttpResponse& response, std::string_view name) {
  const auto found = std::find_if(response.headers.begin(), response.headers.end(),
                                  [name](const auto& entry) { return entry.first == name; });
  return found == response.headers.end() ? "" : found->second;
}

constexpr auto kAllowed = "Access-Control-Allow-Origin";

TEST(CorsTest, PagesThatAreNamedGetLeave) {
  const std::vector<std::string> origins = {"https://a.example", "https://b.example:8443"};
  for (const std::string& origin : origins) {
    const HttpResponse answer = ask(origins, "POST", origin);
    EXPECT_EQ(answer.status, 200U);
    EXPECT_EQ(header(answer, kAllowed), origin);
    EXPECT_EQ(header(answer, "Vary"), "Origin");
    EXPECT_EQ(header(answer, "Access-Control-Allow-Methods"), "") << "of a preflight only";
    const HttpResponse preflight = ask(origins, "OPTIONS", origin);
    EXPECT_EQ(header(preflight, kAllowed), origin);
    EXPECT_EQ(header(preflight, "Access-Control-Allow-Methods"), "POST, OPTIONS");
    EXPECT_EQ(header(preflight, "Access-Control-Allow-Headers"), "Content-Type, Authorization");
    EXPECT_EQ(header(preflight, "Access-Control-Max-Age"), "3600");
    EXPECT_EQ(header(preflight, "Access-Control-Allow-Credentials"), "") << "there are no cookies";
  }
}

TEST(CorsTest, OthersGetNone) {
  const std::vector<std::string> origins = {"https://a.example"};
  for (const char* origin : {"", "null", "https://A.example", "https://a.example.evil",
                             "http://a.example", "https://a.example:443", "*"}) {
    for (const char* method : {"POST", "OPTIONS"}) {
      const HttpResponse answer = ask(origins, method, origin);
      EXPECT_EQ(header(answer, kAllowed), "") << origin;
      EXPECT_EQ(header(answer, "Vary"), "Origin") << "a cache must not mix them up";
    }
  }
  EXPECT_EQ(header(ask({}, "OPTIONS", "https://a.example"), kAllowed), "");
}

TEST(CorsTest, AStarIsForAll) {
  EXPECT_EQ(header(ask({"*"}, "POST", "https://a.example"), kAllowed), "*");
  EXPECT_EQ(header(ask({"*"}, "OPTIONS", "null"), kAllowed), "*");
  EXPECT_EQ(header(ask({"*"}, "POST", ""), kAllowed), "") << "not from a page";
}

}  // namespace
}  // namespace bascule::admin
