#include "admin/http_json.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace bascule::admin {
namespace {

HttpRequest with_body(std::string body, std::string content_type = "application/json") {
  HttpRequest request;
  request.method = "PUT";
  request.body = std::move(body);
  request.content_type = std::move(content_type);
  return request;
}

std::string header(const HttpResponse& response, std::string_view name) {
  const auto found = std::find_if(response.headers.begin(), response.headers.end(),
                                  [name](const auto& entry) { return entry.first == name; });
  return found == response.headers.end() ? "" : found->second;
}

TEST(HttpJsonTest, AnObjectIsTaken) {
  EXPECT_EQ(json_object_body(with_body(R"({"a":1})"))->at("a"), 1);
  EXPECT_TRUE(json_object_body(with_body("{}", "")).has_value()) << "no type counts as JSON";
  EXPECT_TRUE(json_object_body(with_body("{}", "Application/JSON ; charset=utf-8")).has_value());
}

TEST(HttpJsonTest, AnotherTypeIs415) {
  for (const char* type : {"text/plain", "application/x-www-form-urlencoded", "application/jsonp",
                           "multipart/form-data; boundary=application/json"}) {
    const auto refused = json_object_body(with_body("{}", type));
    ASSERT_FALSE(refused.has_value()) << type;
    EXPECT_EQ(refused.error().status, 415U) << type;
    EXPECT_EQ(header(refused.error(), "Accept"), "application/json");
  }
}

TEST(HttpJsonTest, WhatIsMalformedIs400WithThePosition) {
  const auto refused = json_object_body(with_body(R"({"a":1,,})"));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().status, 400U);
  EXPECT_NE(refused.error().body.find("byte 8"), std::string::npos) << refused.error().body;
  for (const char* body : {"", "[]", "1", "null", "{\"a\":\"\xff\"}", "{} x"}) {
    const auto other = json_object_body(with_body(body));
    ASSERT_FALSE(other.has_value()) << body;
    EXPECT_EQ(other.error().status, 400U) << body;
  }
}

TEST(HttpJsonTest, NestingHasABound) {
  const auto nested = [](std::size_t depth) {
    return R"({"a":)" + std::string(depth, '[') + std::string(depth, ']') + "}";
  };
  EXPECT_TRUE(json_object_body(with_body(nested(20))).has_value());
  EXPECT_EQ(json_object_body(with_body(nested(40))).error().status, 400U);
  EXPECT_EQ(json_object_body(with_body(nested(30'000))).error().status, 400U);
}

TEST(HttpJsonTest, WhatTheClientHasIsNotSentAgain) {
  HttpRequest request;
  request.method = "GET";
  const HttpResponse answer = json_response(200, nlohmann::json{{"a", 1}});
  const HttpResponse first = with_etag(request, answer);
  const std::string tag = header(first, "ETag");
  EXPECT_EQ(first.status, 200U);
  EXPECT_EQ(tag, etag_of(answer.body));
  for (const std::string& known : {tag, "W/" + tag, "\"other\", " + tag, std::string("*")}) {
    request.if_none_match = known;
    const HttpResponse again = with_etag(request, answer);
    EXPECT_EQ(again.status, 304U) << known;
    EXPECT_EQ(again.body, "");
    EXPECT_EQ(header(again, "ETag"), tag);
  }
  for (const std::string& unknown :
       {std::string(), std::string("\"other\""), std::string(",,"), tag.substr(1)}) {
    request.if_none_match = unknown;
    EXPECT_EQ(with_etag(request, answer).status, 200U) << unknown;
  }
}

TEST(HttpJsonTest, AChangeOfSomethingElseIs412) {
  HttpRequest request = with_body("{}");
  EXPECT_EQ(failed_precondition(request, "\"now\""), std::nullopt);
  request.if_match = "\"before\"";
  EXPECT_EQ(failed_precondition(request, "\"now\"")->status, 412U);
  request.if_match = "\"before\", \"now\"";
  EXPECT_EQ(failed_precondition(request, "\"now\""), std::nullopt);
}

TEST(HttpJsonTest, BytesThatAreNotUtf8AreReplaced) {
  const HttpResponse answer = json_response(200, nlohmann::json{{"a", "\xff"}});
  EXPECT_EQ(nlohmann::json::parse(answer.body).at("a"), "\xef\xbf\xbd");
}

}  // namespace
}  // namespace bascule::admin
