// The section [admin]: who can reach it, and how.

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/config/minimal.h"

namespace bascule::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Settings = std::vector<std::pair<std::string, RawValue>>;

std::vector<std::string> errors_with(const Settings& settings) {
  return errors_of(minimal_and(settings));
}

RawValue text_of(const char* value) {
  return std::string(value);
}

RawValue list_of(std::vector<std::string> values) {
  return values;
}

TEST(AdminConfigTest, LoopbackNeedsNothing) {
  for (const char* address : {"127.0.0.1", "127.1.2.3", "::1"}) {
    EXPECT_THAT(errors_with({{"admin.address", text_of(address)}}), IsEmpty()) << address;
  }
}

TEST(AdminConfigTest, OtherAddressesNeedTlsAndTokens) {
  const Settings tls = {{"admin.tls-certificate", text_of("/c.pem")},
                        {"admin.tls-key", text_of("/k.pem")}};
  const Settings tokens = {{"admin.tokens-file", text_of("/t")}};
  for (const char* address :
       {"0.0.0.0", "::", "192.0.2.1", "2001:db8::1", "::ffff:127.0.0.1", "0:0:0:0:0:0:0:1"}) {
    Settings settings = {{"admin.address", text_of(address)}};
    const std::string blamed =
        std::string("f.toml:10: admin.address = \"") + address + "\": needs ";
    EXPECT_THAT(errors_with(settings), ElementsAre(HasSubstr(blamed + "admin.tls-certificate"),
                                                   HasSubstr(blamed + "admin.tokens-file")));
    settings.insert(settings.end(), tls.begin(), tls.end());
    EXPECT_THAT(errors_with(settings), ElementsAre(HasSubstr(blamed + "admin.tokens-file")));
    settings.insert(settings.end(), tokens.begin(), tokens.end());
    EXPECT_THAT(errors_with(settings), IsEmpty()) << address;
    settings.erase(settings.begin() + 1, settings.begin() + 3);
    EXPECT_THAT(errors_with(settings), ElementsAre(HasSubstr(blamed + "admin.tls-certificate")));
  }
}

TEST(AdminConfigTest, CertificateAndKeyBelongTogether) {
  EXPECT_THAT(errors_with({{"admin.tls-certificate", text_of("/c.pem")}}),
              ElementsAre(HasSubstr("admin.tls-key = \"\": is required")));
  EXPECT_THAT(errors_with({{"admin.tls-key", text_of("/k.pem")}}),
              ElementsAre(HasSubstr("admin.tls-certificate = \"\": is required")));
}

TEST(AdminConfigTest, OriginsAreWrittenAsBrowsersSendThem) {
  for (const char* origin :
       {"https://meet.example.com", "http://localhost:8080", "https://a-b.example:8443", "*"}) {
    EXPECT_THAT(errors_with({{"admin.conference-request-origins", list_of({origin})}}), IsEmpty())
        << origin;
  }
  for (const char* origin :
       {"meet.example.com", "https://meet.example.com/", "https://Meet.example.com", "https://",
        "https://a:", "https://a:8x", "https://*.example.com", "null", "ftp://a", ""}) {
    EXPECT_THAT(errors_with({{"admin.conference-request-origins", list_of({origin})}}),
                ElementsAre(HasSubstr("must be origins like")))
        << origin;
  }
}

TEST(AdminConfigTest, HostsAndSocketsAreNamedExactly) {
  EXPECT_THAT(errors_with({{"admin.trusted-hosts", list_of({"bascule.example.com", "bascule"})},
                           {"admin.unix-socket", text_of("/run/bascule/admin.sock")}}),
              IsEmpty());
  for (const char* host : {"bascule:8888", "Bascule", "*", "https://bascule", ""}) {
    EXPECT_THAT(errors_with({{"admin.trusted-hosts", list_of({host})}}),
                ElementsAre(HasSubstr("must be host names")))
        << host;
  }
  for (const std::string& path :
       {std::string("admin.sock"), std::string("/run/bascule/"), "/" + std::string(100, 'x')}) {
    EXPECT_THAT(errors_with({{"admin.unix-socket", path}}),
                ElementsAre(HasSubstr("must be an absolute path of at most 100 bytes")))
        << path;
  }
}

}  // namespace
}  // namespace bascule::config
