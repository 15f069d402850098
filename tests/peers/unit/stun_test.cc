#include "tests/peers/bridgesim/stun.h"

#include <gtest/gtest.h>

namespace bascule::peers::stun {
namespace {

std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

// RFC 5769 2.1: a request with short-term credentials.
const std::string kSample = from_hex(
    "000100582112a442b7e7a701bc34d686fa87dfae"
    "802200105354554e207465737420636c69656e74"
    "002400046e0001ff"
    "80290008932ff9b151263b36"
    "000600096576746a3a68367659202020"
    "000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2"
    "80280004e57a3bcf");
constexpr std::string_view kSamplePassword = "VOkJxbRl1RmTxUk/WvJxBt";

TEST(Stun, ReadsTheSampleOfTheRfc) {
  ASSERT_TRUE(is_message(kSample));
  const auto check = parse_check(kSample);
  ASSERT_TRUE(check);
  EXPECT_EQ(check->username, "evtj:h6vY");
  EXPECT_EQ(check->transaction, from_hex("b7e7a701bc34d686fa87dfae"));
  EXPECT_TRUE(is_intact(kSample, *check, kSamplePassword));
  EXPECT_FALSE(is_intact(kSample, *check, "another"));
}

TEST(Stun, RefusesWhatIsCutOrIsNotACheck) {
  for (std::size_t length = 0; length < kSample.size(); ++length) {
    EXPECT_FALSE(parse_check(std::string_view(kSample).substr(0, length))) << length;
  }
  EXPECT_FALSE(is_message("u7k3 12"));
  std::string too_long = kSample;
  too_long[23] = '\x7f';  // The first attribute reaches beyond the message.
  EXPECT_FALSE(parse_check(too_long));
  const Check check{.transaction = from_hex("b7e7a701bc34d686fa87dfae"), .username = "a:b"};
  EXPECT_FALSE(parse_check(answer(check, {}, "x")));
}

TEST(Stun, AnswersWithTheSendersAddress) {
  const auto check = parse_check(kSample);
  ASSERT_TRUE(check);
  const std::string answered = answer(*check, {0xC0000201, 32853}, kSamplePassword);
  // RFC 5769 2.2 has the same attribute for 192.0.2.1:32853.
  EXPECT_EQ(answered.substr(20, 12), from_hex("002000080001a147e112a643"));
  EXPECT_EQ(answered.substr(0, 4), from_hex("0101002c"));
  EXPECT_EQ(answered.size(), 20U + 0x2c);
  EXPECT_EQ(answered.substr(4, 16), kSample.substr(4, 16));
}

TEST(Stun, OwnChecksAreIntact) {
  Prng random(7);
  const std::string ours = nominate("them:us", "their-password", random);
  const auto check = parse_check(ours);
  ASSERT_TRUE(check);
  EXPECT_EQ(check->username, "them:us");
  EXPECT_TRUE(is_intact(ours, *check, "their-password"));
  EXPECT_NE(ours.find(from_hex("00250000")), std::string::npos);
  EXPECT_NE(nominate("them:us", "their-password", random).substr(8, 12), check->transaction);
}

}  // namespace
}  // namespace bascule::peers::stun
