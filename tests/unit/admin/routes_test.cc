#include "admin/routes.h"

#include <optional>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "admin/metrics_page.h"

namespace bascule::admin {
namespace {

class RoutesTest : public testing::Test {
 protected:
  HttpResponse ask(std::string method, std::string path, std::string body = {},
                   std::string authorization = {}) {
    std::optional<HttpResponse> answer;
    HttpRequest request{.method = std::move(method),
                        .path = std::move(path),
                        .query = {},
                        .authorization = std::move(authorization),
                        .body = std::move(body)};
    router_.handle(request, [&answer](HttpResponse response) { answer = std::move(response); });
    return answer.value_or(
        HttpResponse{.status = 0, .content_type = {}, .body = {}, .headers = {}});
  }

  /// What the focus answers; the request is kept in `seen_`.
  std::function<tl::expected<proto::ConferenceAnswer, proto::StanzaError>()> focus_ = [] {
    proto::ConferenceAnswer answer;
    answer.room = RoomJid(Jid::parse("r@conference.example").value());
    answer.ready = true;
    return answer;
  };
  std::optional<proto::ConferenceRequest> seen_;
  ConferenceRequests requests_{[this](HttpId id, proto::ConferenceRequest request) {
                                 seen_ = std::move(request);
                                 requests_.answer(id, focus_());
                               },
                               10};
  Health health_;
  Router router_ =
      make_routes({.version = "1.2.3",
                   .health = [this] { return health_; },
                   .metrics = [](const HttpRequest&,
                                 const Respond& respond) { respond(metrics_response("m 1\n")); },
                   .conference_requests = &requests_,
                   .placement = {}});
};

constexpr auto kRequest = R"({"room":"r@conference.example","machineUid":"u"})";

TEST_F(RoutesTest, ReadinessSaysWhatIsMissing) {
  health_ = {.ready = false, .problems = {"client link is down"}};
  EXPECT_EQ(ask("GET", "/readyz").status, 503U);
  EXPECT_EQ(nlohmann::json::parse(ask("GET", "/readyz").body).at("problems").at(0),
            "client link is down");
  EXPECT_EQ(ask("GET", "/about/health").status, 503U);
  EXPECT_EQ(ask("GET", "/livez").status, 200U);
  health_ = {.ready = true, .problems = {}};
  EXPECT_EQ(ask("GET", "/readyz").status, 200U);
  EXPECT_EQ(ask("GET", "/about/health").body, "OK");
}

TEST_F(RoutesTest, ConferenceRequestReachesTheFocusWithItsToken) {
  const auto response = ask("POST", "/conference-request/v1", kRequest, "Bearer t.o.k");
  EXPECT_EQ(response.status, 200U);
  const auto body = nlohmann::json::parse(response.body);
  EXPECT_EQ(body.at("ready"), true);
  EXPECT_TRUE(body.at("properties").is_object());
  EXPECT_EQ(seen_->token, "t.o.k");
  EXPECT_EQ(ask("OPTIONS", "/conference-request/v1").status, 200U);
}

TEST_F(RoutesTest, ErrorsAreWhatTheClientLibraryUnderstands) {
  EXPECT_EQ(ask("POST", "/conference-request/v1", "{").status, 400U);
  focus_ = [] {
    return tl::make_unexpected(proto::make_error(proto::Condition::kNotAuthorized, "no"));
  };
  EXPECT_EQ(ask("POST", "/conference-request/v1", kRequest).status, 403U);
  focus_ = [] { return tl::make_unexpected(proto::make_session_invalid_error()); };
  const auto invalid = ask("POST", "/conference-request/v1", kRequest);
  EXPECT_EQ(invalid.status, 400U);
  EXPECT_GT(invalid.body.find("400 invalid-session"), 0U);
  EXPECT_NE(invalid.body.find("400 invalid-session"), std::string::npos);
}

TEST_F(RoutesTest, TooManyWaitingRequestsAreToldToComeBack) {
  ConferenceRequests full([](HttpId, const proto::ConferenceRequest&) {}, 1);
  std::vector<std::string> answers;
  const auto keep = [&answers](const HttpResponse& response) { answers.push_back(response.body); };
  full.handle({.method = "POST", .path = {}, .query = {}, .authorization = {}, .body = kRequest},
              keep);
  full.handle({.method = "POST", .path = {}, .query = {}, .authorization = {}, .body = kRequest},
              keep);
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(nlohmann::json::parse(answers[0]).at("ready"), false);
  full.answer(HttpId{1}, focus_());
  full.answer(HttpId{1}, focus_());
  EXPECT_EQ(answers.size(), 2U) << "one answer per request, duplicates ignored";
}

}  // namespace
}  // namespace bascule::admin
