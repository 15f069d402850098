#include "base/crc32c.h"

#include <string>

#include <gtest/gtest.h>

namespace bascule {
namespace {

// Check value of the catalogue of CRC algorithms, and the vectors of RFC 3720 B.4.
TEST(Crc32cTest, MatchesPublishedVectors) {
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAU);
  EXPECT_EQ(crc32c(std::string(32, '\xFF')), 0x62A8AB43U);
  EXPECT_EQ(crc32c(""), 0U);
}

}  // namespace
}  // namespace bascule
