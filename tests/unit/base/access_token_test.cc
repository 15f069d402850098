#include "base/access_token.h"

#include <gtest/gtest.h>

namespace bascule {
namespace {

std::string token_of(unsigned char first) {
  std::array<unsigned char, kTokenEntropyBytes> entropy{};
  entropy.fill(0xfb);  // Whose base64 has '+' and '/'.
  entropy[0] = first;
  return make_access_token(entropy);
}

TEST(AccessTokenTest, IsTextForHeadersAndUrls) {
  const std::string token = token_of(1);
  EXPECT_EQ(token.size(), 52U);
  EXPECT_TRUE(is_access_token(token)) << token;
  EXPECT_EQ(token.find_first_of("+/= "), std::string::npos) << token;
  EXPECT_NE(token, token_of(2));
}

TEST(AccessTokenTest, EveryMistypedCharacterIsNoticed) {
  const std::string token = token_of(1);
  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string wrong = token;
    wrong[i] = wrong[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(is_access_token(wrong)) << i;
  }
}

TEST(AccessTokenTest, WordsThatPeopleMakeUpAreNone) {
  for (const std::string& text :
       {std::string(), std::string("secret"), std::string("bsc_"), "bsc_" + std::string(48, 'A'),
        token_of(1) + "A", token_of(1) + " ", token_of(1).substr(0, 51), "x" + token_of(1),
        "bsc_+" + token_of(1).substr(5), "bsc_=" + token_of(1).substr(5),
        token_of(1).substr(0, 50) + "=="}) {
    EXPECT_FALSE(is_access_token(text)) << text;
  }
}

TEST(AccessTokenTest, TheDigestIsPlainSha256) {
  const TokenDigest abc = token_digest("abc");  // FIPS 180-2, appendix B.1.
  EXPECT_EQ(abc[0], 0xba);
  EXPECT_EQ(abc[1], 0x78);
  EXPECT_EQ(abc[31], 0xad);
  EXPECT_EQ(stored_form("abc"),
            "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_TRUE(equal(abc, token_digest("abc")));
  EXPECT_FALSE(equal(abc, token_digest("abd")));
}

}  // namespace
}  // namespace bascule
