#include "stats/record.h"

#include <limits>

#include <gtest/gtest.h>

namespace bascule::stats {
namespace {

const Row kRow{
    .table = 7,
    .columns = {Value{}, Value{std::int64_t{-1}}, Value{std::numeric_limits<std::int64_t>::min()},
                Value{std::string("a\0b", 3)}, Value{std::string()}}};

TEST(RecordTest, RowSurvives) {
  EXPECT_EQ(decode_row(encode_row(kRow)), kRow);
}

TEST(RecordTest, BytesAreAsDocumented) {
  const Row row{.table = 2,
                .columns = {Value{std::int64_t{258}}, Value{std::string("ab")}, Value{}}};
  EXPECT_EQ(encode_row(row), std::string("SLR1\0\2\0\3\1\0\0\0\0\0\0\1\2\3\0\0\0\2ab\0", 25));
}

TEST(RecordTest, RejectsEveryTruncationAndTrailingByte) {
  const std::string bytes = encode_row(kRow);
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    ASSERT_FALSE(decode_row(std::string_view(bytes).substr(0, length)).has_value()) << length;
  }
  EXPECT_EQ(decode_row(bytes + "x").error().code, Errc::kCorrupt);
}

// FIPS 180-4 example: SHA-256("abc").
TEST(RecordTest, ChainIsSha256OfPreviousAndBytes) {
  const Digest abc = sha256({"a", "", "bc"});
  EXPECT_EQ(abc[0], 0xBA);
  EXPECT_EQ(abc[1], 0x78);
  EXPECT_EQ(abc[31], 0xAD);
  EXPECT_EQ(chain(abc, "x"), sha256({to_view(abc), "x"}));
  EXPECT_NE(chain(abc, "x"), chain(abc, "y"));
  EXPECT_EQ(to_digest(to_view(abc)), abc);
  EXPECT_FALSE(to_digest("short").has_value());
}

}  // namespace
}  // namespace bascule::stats
