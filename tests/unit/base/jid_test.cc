#include "base/jid.h"

#include <string>

#include <gtest/gtest.h>

namespace bascule {
namespace {

TEST(JidTest, SplitsAtTheFirstSlashSoThatProxyAddressesKeepTheirDomain) {
  const auto jid = Jid::parse("focus.example.net/user@example.net/res").value();
  EXPECT_EQ(jid.domain(), "focus.example.net");
  EXPECT_EQ(jid.local(), "");
  EXPECT_EQ(jid.resource(), "user@example.net/res");
}

TEST(JidTest, FoldsCaseOfLocalpartAndDomainButNotOfTheResource) {
  EXPECT_EQ(Jid::parse("Room@Conf.Example/Nick").value().to_string(), "room@conf.example/Nick");
}

TEST(JidTest, RoundTripsEveryShape) {
  for (const char* text : {"a.b", "u@a.b", "u@a.b/r", "a.b/r/with/slashes", "u@a.b/r@x"}) {
    EXPECT_EQ(Jid::parse(text).value().to_string(), text);
  }
}

TEST(JidTest, RejectsWhatRfc7622Forbids) {
  const std::string too_long(1024, 'x');
  for (const std::string& text :
       {std::string(), std::string("@a.b"), std::string("u@"), std::string("u@a.b/"),
        std::string("a b@c"), std::string("u@a@b"), std::string("u\x01@a"), std::string("u&@a"),
        too_long, too_long + "@a", "a/" + too_long}) {
    const auto jid = Jid::parse(text);
    ASSERT_FALSE(jid.has_value()) << text.substr(0, 20);
    EXPECT_EQ(jid.error().code, Errc::kMalformed);
  }
}

}  // namespace
}  // namespace bascule
