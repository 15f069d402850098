#include "xmpp/scram.h"

#include <string>

#include <gtest/gtest.h>

#include "xmpp/base64.h"

namespace bascule::xmpp {
namespace {

// The exchange of RFC 5802 5.
constexpr const char* kSha1Nonce = "fyko+d2lbbFgONRv9qkxdawL";
constexpr const char* kSha1ServerFirst =
    "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096";
// The exchange of RFC 7677 3.
constexpr const char* kSha256Nonce = "rOprNGfwEbeRWgbNEkqO";
constexpr const char* kSha256ServerFirst =
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";

ScramClient sha1_client() {
  return ScramClient::create(ScramHash::kSha1, "user", "pencil", kSha1Nonce).value();
}

TEST(ScramTest, SpeaksTheExchangeOfRfc5802) {
  auto client = sha1_client();
  EXPECT_EQ(client.first_message(), "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL");
  EXPECT_EQ(client.final_message(kSha1ServerFirst).value(),
            "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=");
  EXPECT_TRUE(client.verify("v=rmF9pqV8S7suAoZWja4dJRkFsKQ=").has_value());
}

TEST(ScramTest, SpeaksTheExchangeOfRfc7677) {
  auto client = ScramClient::create(ScramHash::kSha256, "user", "pencil", kSha256Nonce).value();
  EXPECT_EQ(client.final_message(kSha256ServerFirst).value(),
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
            "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
  EXPECT_TRUE(client.verify("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=").has_value());
}

TEST(ScramTest, RefusesAServerThatDoesNotKnowThePassword) {
  auto client = sha1_client();
  ASSERT_TRUE(client.final_message(kSha1ServerFirst).has_value());
  EXPECT_EQ(client.verify("v=rmF9pqV8S7suAoZWja4dJRkFsKA=").error().code, Errc::kRefused);
  EXPECT_EQ(client.verify("v=").error().code, Errc::kRefused);
  EXPECT_EQ(client.verify("e=invalid-proof").error().code, Errc::kRefused);
  EXPECT_EQ(client.verify("").error().code, Errc::kMalformed);
}

TEST(ScramTest, AProofBeforeTheExchangeIsRefused) {
  EXPECT_EQ(sha1_client().verify("v=rmF9pqV8S7suAoZWja4dJRkFsKQ=").error().code, Errc::kRefused);
}

TEST(ScramTest, RefusesBadFirstMessagesOfTheServer) {
  struct Case {
    const char* message;
    Errc expected;
  };
  for (const Case& c : {
           Case{"", Errc::kMalformed},
           Case{"m=x,r=fyko+d2lbbFgONRv9qkxdawL3,s=QSXC,i=4096", Errc::kMalformed},
           Case{"r=fyko+d2lbbFgONRv9qkxdawL3,i=4096", Errc::kMalformed},
           Case{"r=fyko+d2lbbFgONRv9qkxdawL3,s=%%%%,i=4096", Errc::kMalformed},
           Case{"r=fyko+d2lbbFgONRv9qkxdawL3,s=QSXC,i=many", Errc::kMalformed},
           Case{"r=fyko+d2lbbFgONRv9qkxdawL3,s=QSXC,i=-1", Errc::kMalformed},
           Case{"r=fyko+d2lbbFgONRv9qkxdawL,s=QSXC,i=4096", Errc::kRefused},  // Adds nothing.
           Case{"r=another0nonce0another0nonce,s=QSXC,i=4096", Errc::kRefused},
           Case{"r=fyko+d2lbbFgONRv9qkxdawL3,s=QSXC,i=4095", Errc::kRefused},
           Case{"r=fyko+d2lbbFgONRv9qkxdawL3,s=QSXC,i=1000001", Errc::kRefused},
           Case{"r=fyko+d2lbbFgONRv9qkxdawL3,s=QSXC,i=99999999999", Errc::kRefused},
       }) {
    SCOPED_TRACE(c.message);
    auto client = sha1_client();
    const auto answer = client.final_message(c.message);
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().code, c.expected);
  }
}

TEST(ScramTest, EscapesTheUserName) {
  const auto client = ScramClient::create(ScramHash::kSha1, "a=b,c", "pencil", kSha1Nonce).value();
  EXPECT_EQ(client.first_message(), "n,,n=a=3Db=2Cc,r=fyko+d2lbbFgONRv9qkxdawL");
}

TEST(ScramTest, RejectsArgumentsThatCannotWork) {
  for (const auto& [user, password, nonce] : {
           std::tuple{"", "pencil", kSha1Nonce},
           std::tuple{"user", "", kSha1Nonce},
           std::tuple{"user", "pen\ncil", kSha1Nonce},
           std::tuple{"user", "pencil", "short"},
           std::tuple{"user", "pencil", "comma,comma,comma,comma"},
       }) {
    EXPECT_EQ(ScramClient::create(ScramHash::kSha1, user, password, nonce).error().code,
              Errc::kInvalidArgument);
  }
}

TEST(ScramTest, ChoosesTheStrongestMechanismAndNeverPlain) {
  EXPECT_EQ(choose_scram({"PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-256"}), ScramHash::kSha256);
  EXPECT_EQ(choose_scram({"SCRAM-SHA-1-PLUS", "SCRAM-SHA-1"}), ScramHash::kSha1);
  EXPECT_EQ(choose_scram({"PLAIN", "ANONYMOUS"}), std::nullopt);
  EXPECT_EQ(choose_scram({}), std::nullopt);
}

TEST(Base64Test, EncodesAndDecodesTheVectorsOfRfc4648) {
  for (const auto& [plain, coded] : {
           std::pair<std::string, std::string>{"", ""},
           {"f", "Zg=="},
           {"fo", "Zm8="},
           {"foo", "Zm9v"},
           {"foob", "Zm9vYg=="},
           {"fooba", "Zm9vYmE="},
           {"foobar", "Zm9vYmFy"},
           {std::string("\x00\xFF\x10", 3), "AP8Q"},
       }) {
    EXPECT_EQ(base64_encode(plain), coded);
    EXPECT_EQ(base64_decode(coded).value(), plain);
  }
}

TEST(Base64Test, RefusesWhatNoEncoderWrites) {
  for (const char* text :
       {"Zg", "Zg=", "Z===", "====", "Zh==", "Zm9=", "Zg==Zg==", "Zm 9", "Zm9v\n"}) {
    SCOPED_TRACE(text);
    EXPECT_FALSE(base64_decode(text).has_value());
  }
}

}  // namespace
}  // namespace bascule::xmpp
