#include "admin/access.h"

#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "tests/unit/admin/private_files.h"

namespace bascule::admin {
namespace {

const Peer kLoopback{.address = "127.0.0.1", .to_loopback = true};
const Peer kRemote{.address = "192.0.2.7", .over_tls = true};
const Peer kOperator{.address = "socket:1000", .is_local = true, .may_do_all = true};

HttpRequest request_of(const std::string& token = {}) {
  HttpRequest request;
  request.method = "GET";
  request.path = "/v1/bridges";
  request.host = "localhost:8888";
  request.authorization = token.empty() ? "" : "Bearer " + token;
  return request;
}

/// 200 when it is admitted.
unsigned status_of(Access& access, const Peer& peer, HttpRequest request, Role role) {
  const auto refusal = access.admit(peer, request, role);
  return refusal ? refusal->status : 200;
}

class AccessTest : public testing::Test {
 protected:
  std::shared_ptr<Access> with_tokens() {
    files_.write("tokens", "# who\n" + line_of("watch", "read", reader_) +
                               line_of("ann", "operate", operator_) +
                               line_of("root", "admin", admin_));
    return Access::open({.tokens_file = files_.path("tokens")}).value();
  }

  PrivateFiles files_;
  const std::string reader_ = token_number(1);
  const std::string operator_ = token_number(2);
  const std::string admin_ = token_number(3);
};

TEST_F(AccessTest, WithoutTokensLoopbackIsTheOperator) {
  const auto access = Access::open({}).value();
  HttpRequest request = request_of();
  EXPECT_FALSE(access->admit(kLoopback, request, Role::kAdmin).has_value());
  EXPECT_EQ(request.principal.name, "local");
  EXPECT_EQ(request.principal.role, Role::kAdmin);
  EXPECT_EQ(status_of(*access, kRemote, request_of(), Role::kRead), 401U)
      << "the configuration forbids it, and so do we";
  EXPECT_EQ(status_of(*access, kRemote, request_of(), Role::kPublic), 200U);
}

TEST_F(AccessTest, EachRoleMayWhatTheOnesBeforeItMay) {
  const auto access = with_tokens();
  const auto matrix = [&](const std::string& token) {
    std::vector<unsigned> statuses;
    for (const Role role : {Role::kPublic, Role::kRead, Role::kOperate, Role::kAdmin}) {
      statuses.push_back(status_of(*access, kRemote, request_of(token), role));
    }
    return statuses;
  };
  EXPECT_EQ(matrix(""), (std::vector<unsigned>{200, 401, 401, 401}));
  EXPECT_EQ(matrix(token_number(9)), (std::vector<unsigned>{200, 401, 401, 401}));
  EXPECT_EQ(matrix("swordfish"), (std::vector<unsigned>{200, 401, 401, 401}));
  EXPECT_EQ(matrix(reader_), (std::vector<unsigned>{200, 200, 403, 403}));
  EXPECT_EQ(matrix(operator_), (std::vector<unsigned>{200, 200, 200, 403}));
  EXPECT_EQ(matrix(admin_), (std::vector<unsigned>{200, 200, 200, 200}));
  EXPECT_EQ(access->denied(Denial::kUnauthenticated), 9U);
  EXPECT_EQ(access->denied(Denial::kForbidden), 3U);
  HttpRequest request = request_of(operator_);
  ASSERT_FALSE(access->admit(kRemote, request, Role::kRead).has_value());
  EXPECT_EQ(request.principal.name, "ann");
  EXPECT_EQ(status_of(*access, kLoopback, request_of(), Role::kRead), 401U)
      << "with tokens, loopback needs one as well";
}

TEST_F(AccessTest, TheHeaderIsReadAsRfc6750Says) {
  const auto access = with_tokens();
  const auto with = [&](const std::string& authorization) {
    HttpRequest request = request_of();
    request.authorization = authorization;
    return status_of(*access, kRemote, request, Role::kRead);
  };
  EXPECT_EQ(with("bearer " + reader_), 200U);
  EXPECT_EQ(with("Bearer   " + reader_), 200U);
  for (const std::string& bad :
       {reader_, "Basic " + reader_, "Bearer" + reader_, "Bearer " + reader_ + " x",
        std::string("Bearer "), std::string("Bearer"), "Bearer " + reader_ + "," + admin_,
        "Bearer \"" + reader_ + "\""}) {
    EXPECT_EQ(with(bad), 401U) << bad;
  }
}

TEST_F(AccessTest, ARefusalSaysWhatIsMissing) {
  const auto access = with_tokens();
  HttpRequest request = request_of();
  auto refusal = access->admit(kRemote, request, Role::kRead).value();
  EXPECT_EQ(refusal.headers.at(0),
            std::pair(std::string("WWW-Authenticate"), std::string("Bearer realm=\"bascule\"")));
  request = request_of(token_number(9));
  refusal = access->admit(kRemote, request, Role::kRead).value();
  EXPECT_NE(refusal.headers.at(0).second.find("invalid_token"), std::string::npos);
  EXPECT_EQ(refusal.body.find(token_number(9)), std::string::npos) << "no secret comes back";
  request = request_of(reader_);
  refusal = access->admit(kRemote, request, Role::kOperate).value();
  EXPECT_NE(refusal.body.find("needs the role operate; watch has read"), std::string::npos);
}

TEST_F(AccessTest, TheUnixSocketKnowsWhoAsks) {
  const auto access = with_tokens();
  HttpRequest request = request_of();
  request.host = "";
  ASSERT_FALSE(access->admit(kOperator, request, Role::kAdmin).has_value());
  EXPECT_EQ(request.principal.name, "socket:1000");
  Peer stranger = kOperator;
  stranger.may_do_all = false;
  EXPECT_EQ(status_of(*access, stranger, request, Role::kRead), 403U);
  EXPECT_EQ(status_of(*access, stranger, request, Role::kPublic), 200U);
  request.authorization = "Bearer " + reader_;
  EXPECT_EQ(status_of(*access, kOperator, request, Role::kOperate), 403U)
      << "who shows a token is held to it";
  EXPECT_EQ(status_of(*access, stranger, request, Role::kRead), 200U);
}

TEST_F(AccessTest, OnLoopbackOnlyKnownHostsAreServed) {
  const auto access = Access::open({.trusted_hosts = {"bascule.example"}}).value();
  const auto with = [&](const std::string& host, Role role, const Peer& peer) {
    HttpRequest request = request_of();
    request.host = host;
    return status_of(*access, peer, request, role);
  };
  for (const char* host : {"localhost", "LOCALHOST:8888", "127.0.0.1", "127.0.0.1:8888", "[::1]",
                           "[::1]:8888", "bascule.example", "Bascule.Example:443", "192.0.2.1"}) {
    EXPECT_EQ(with(host, Role::kRead, kLoopback), 200U) << host;
  }
  for (const char* host :
       {"", "evil.example", "localhost.evil.example", "evil.example:8888", "127.0.0.1.evil.example",
        "xlocalhost", "localhost.", "[::1", "::1", "bascule.example.evil", "localhost@evil"}) {
    EXPECT_EQ(with(host, Role::kRead, kLoopback), 421U) << host;
    EXPECT_EQ(with(host, Role::kPublic, kLoopback), 200U) << "a proxy's own name for us: " << host;
    EXPECT_EQ(with(host, Role::kRead, kOperator), 200U) << host;
  }
  EXPECT_EQ(access->denied(Denial::kHost), 11U);
}

TEST_F(AccessTest, PagesOfOtherSitesChangeNothing) {
  const auto access = Access::open({.trusted_hosts = {"admin.example"}}).value();
  const auto with = [&](const char* method, const std::string& origin, Role role,
                        const Peer& peer = kLoopback) {
    HttpRequest request = request_of();
    request.method = method;
    request.origin = origin;
    return status_of(*access, peer, request, role);
  };
  for (const char* own :
       {"", "http://localhost:8888", "https://localhost:8888", "https://admin.example"}) {
    EXPECT_EQ(with("POST", own, Role::kOperate), 200U) << own;
  }
  for (const char* other :
       {"null", "http://localhost", "http://localhost:8889", "http://evil.example",
        "http://localhost:8888.evil.example", "http://localhost:8888@evil.example",
        "https://admin.example.evil", "ftp://localhost:8888", "localhost:8888", "http://"}) {
    EXPECT_EQ(with("POST", other, Role::kOperate), 403U) << other;
    EXPECT_EQ(with("GET", other, Role::kRead), 200U) << "reads nothing without our leave";
    EXPECT_EQ(with("GET", other, Role::kOperate), 403U) << "some routes change things by GET";
    EXPECT_EQ(with("POST", other, Role::kPublic), 200U) << other;
    EXPECT_EQ(with("POST", other, Role::kOperate, kOperator), 403U) << other;
  }
}

TEST_F(AccessTest, LinksOnOtherSitesChangeNothing) {
  const auto access = Access::open({}).value();
  HttpRequest request = request_of();
  for (const auto& [site, status] :
       std::vector<std::pair<std::string, unsigned>>{{"", 200},
                                                     {"none", 200},
                                                     {"same-origin", 200},
                                                     {"same-site", 403},
                                                     {"cross-site", 403}}) {
    request.fetch_site = site;
    EXPECT_EQ(status_of(*access, kLoopback, request, Role::kOperate), status) << site;
    EXPECT_EQ(status_of(*access, kLoopback, request, Role::kRead), 200U) << site;
  }
}

TEST_F(AccessTest, OverTlsOnlyPagesThatCameByTlsAreOurs) {
  const auto access = with_tokens();
  HttpRequest request = request_of(operator_);
  request.method = "POST";
  request.host = "bascule.example";
  request.origin = "http://bascule.example";
  EXPECT_EQ(status_of(*access, kRemote, request, Role::kOperate), 403U);
  request.origin = "https://bascule.example:443";
  EXPECT_EQ(status_of(*access, kRemote, request, Role::kOperate), 200U);
}

TEST_F(AccessTest, DenialsAreTold) {
  const auto access = with_tokens();
  std::vector<std::string> told;
  access->on_denial([&told](Denial denial, const Peer& peer, const HttpRequest& request) {
    told.push_back(std::string(name_of(denial)) + " " + peer.address + " " + request.path);
  });
  HttpRequest request = request_of();
  access->admit(kRemote, request, Role::kRead);
  EXPECT_EQ(told, std::vector<std::string>{"unauthenticated 192.0.2.7 /v1/bridges"});
}

TEST_F(AccessTest, ReloadingTakesNewTokensAndKeepsOldOnesWhenTheFileIsBroken) {
  const auto access = with_tokens();
  files_.write("tokens", line_of("bob", "read", token_number(7)));
  auto reloaded = access->reload();
  ASSERT_EQ(reloaded.size(), 1U);
  EXPECT_TRUE(reloaded[0].outcome.has_value());
  EXPECT_EQ(status_of(*access, kRemote, request_of(token_number(7)), Role::kRead), 200U);
  EXPECT_EQ(status_of(*access, kRemote, request_of(reader_), Role::kRead), 401U) << "revoked";
  files_.write("tokens", "bob read\n");
  reloaded = access->reload();
  ASSERT_FALSE(reloaded[0].outcome.has_value());
  EXPECT_NE(reloaded[0].outcome.error().what.find(files_.path("tokens") + ": line 1: "),
            std::string::npos);
  EXPECT_EQ(status_of(*access, kRemote, request_of(token_number(7)), Role::kRead), 200U);
  files_.write("tokens", "# nobody\n");
  EXPECT_TRUE(access->reload()[0].outcome.has_value());
  EXPECT_EQ(status_of(*access, kRemote, request_of(token_number(7)), Role::kRead), 401U);
}

TEST_F(AccessTest, AFileThatOthersCanReadIsRefused) {
  files_.write("tokens", line_of("bob", "read", token_number(7)));
  using std::filesystem::perms;
  for (const auto& [mode, good] : std::vector<std::pair<unsigned, bool>>{
           {0600, true}, {0640, true}, {0400, true}, {0644, false}, {0604, false}, {0660, false}}) {
    std::filesystem::permissions(files_.path("tokens"), static_cast<perms>(mode));
    EXPECT_EQ(Access::open({.tokens_file = files_.path("tokens")}).has_value(), good) << mode;
  }
  const auto missing = Access::open({.tokens_file = files_.path("none")});
  ASSERT_FALSE(missing.has_value());
  EXPECT_NE(missing.error().what.find(files_.path("none")), std::string::npos);
  EXPECT_FALSE(Access::open({.tokens_file = "/"}).has_value());
}

/// What a stranger who tries tokens costs the loop, with as many of ours as there may be.
TEST(TokensTest, ATryCostsLittle) {
  std::string text;
  for (int i = 0; i < 1000; ++i) {
    text += line_of("t" + std::to_string(i), "read", token_number(static_cast<unsigned char>(i)));
  }
  const Tokens tokens = Tokens::parse(text).value();
  ASSERT_EQ(tokens.size(), 1000U);
  const std::string wrong = token_number(0);
  constexpr int kTries = 1000;
  const std::clock_t begin = std::clock();  // Of the processor: others may use it, too.
  for (int i = 0; i < kTries; ++i) {
    static_cast<void>(tokens.find(wrong));
  }
  const auto us = (std::clock() - begin) * 1'000'000 / CLOCKS_PER_SEC / kTries;
  std::printf("[ MEASURED ] one try among 1000 tokens: %ld us\n", static_cast<long>(us));
  EXPECT_LT(us, 1000);
}

TEST(TokensTest, BadLinesAreNamed) {
  const std::string good = line_of("ann", "read", token_number(1));
  const std::string digest = good.substr(good.find("sha256:"));
  for (const std::string& bad :
       {"local read " + digest, "a:b read " + digest, "ann all " + digest, "ann public " + digest,
        std::string("ann read sha256:00"), std::string("ann read"), std::string("ann"),
        "ann read " + token_number(1), good.substr(0, good.size() - 2) + "x",
        good.substr(0, good.size() - 1) + " more", std::string(65, 'a') + " read " + digest,
        good + good}) {
    const auto tokens = Tokens::parse("# one\n" + bad);
    ASSERT_FALSE(tokens.has_value()) << bad;
    EXPECT_EQ(tokens.error().what.rfind("line ", 0), 0U) << tokens.error().what;
  }
  EXPECT_EQ(Tokens::parse("\n  # x\n\t" + good + "\r\n")->size(), 1U);
  EXPECT_EQ(Tokens::parse("")->size(), 0U);
}

}  // namespace
}  // namespace bascule::admin
