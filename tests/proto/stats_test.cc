#include <limits>

#include <gtest/gtest.h>

#include "base/prng.h"
#include "xmpp/proto/colibri_stats.h"

namespace bascule::proto {
namespace {

TEST(ParseMillionths, ReadsWhatJavaWrites) {
  const std::pair<std::string_view, std::int64_t> cases[] = {
      {"0", 0},
      {"1", 1'000'000},
      {"0.2177777", 217'777},
      {"0.9999999", 999'999},
      {"-0.5", -500'000},
      {"1.0E-4", 100},
      {"1.5E-6", 1},
      {"9.9E-7", 0},
      {"1.0E3", 1'000'000'000},
      {"2.5e+1", 25'000'000},
      {"12.", 12'000'000},
      {".5", 500'000},
      {"1.0E-300", 0},
      {"0.0E300", 0},
      {"9223372036854.775807", std::numeric_limits<std::int64_t>::max()},
  };
  for (const auto& [text, expected] : cases) {
    const auto parsed = parse_millionths(text);
    ASSERT_TRUE(parsed.has_value()) << text;
    EXPECT_EQ(*parsed, expected) << text;
  }
}

TEST(ParseMillionths, RefusesEverythingElse) {
  for (const std::string_view text :
       {"", "NaN", "Infinity", "-Infinity", ".", "-", "1.2.3", "1e", "1e1.5", "0x10", " 1", "1 ",
        "1,5", "9223372036854.775808", "1E300", "1E99999999999", "one", "1E--1"}) {
    const auto parsed = parse_millionths(text);
    ASSERT_FALSE(parsed.has_value()) << text;
    EXPECT_EQ(parsed.error().code, Errc::kMalformed);
  }
  EXPECT_FALSE(parse_millionths(std::string(2000, '0')).has_value());
}

TEST(FormatMillionths, IsReadBackExactly) {
  EXPECT_EQ(format_millionths(0), "0");
  EXPECT_EQ(format_millionths(217'700), "0.2177");
  EXPECT_EQ(format_millionths(1'000'000), "1");
  EXPECT_EQ(format_millionths(-1), "-0.000001");
  EXPECT_EQ(format_millionths(12'000'010), "12.00001");
  Prng prng(3);
  for (int i = 0; i < 10'000; ++i) {
    const auto value = static_cast<std::int64_t>(prng.next() >> (1 + prng.below(60))) *
                       (prng.below(2) == 0 ? 1 : -1);
    ASSERT_EQ(parse_millionths(format_millionths(value)), value);
  }
}

TEST(ColibriStats, AccessorsReadWhatIsThere) {
  const ColibriStats stats{.values = {{"stress_level", "0.25"},
                                      {"average_participant_stress", "1.0E-2"},
                                      {"healthy", "TRUE"},
                                      {"drain", "no"},
                                      {"shutting_down", "false"},
                                      {"participants", "17"},
                                      {"conferences", "1.5"},
                                      {"region", ""},
                                      {"version", "2.3"}}};
  EXPECT_EQ(stats.stress_level(), Stress(250'000));
  EXPECT_EQ(stats.average_participant_stress(), Stress(10'000));
  EXPECT_EQ(stats.healthy(), true);
  EXPECT_EQ(stats.drain(), std::nullopt);
  EXPECT_EQ(stats.graceful_shutdown(), std::nullopt);
  EXPECT_EQ(stats.shutting_down(), false);
  EXPECT_EQ(stats.participants(), 17);
  EXPECT_EQ(stats.conferences(), std::nullopt);
  EXPECT_EQ(stats.region(), "");
  EXPECT_EQ(stats.relay_id(), std::nullopt);
  EXPECT_EQ(stats.version(), "2.3");
  EXPECT_EQ((ColibriStats{.values = {{"stress_level", "NaN"}}}.stress_level()), std::nullopt);
}

}  // namespace
}  // namespace bascule::proto
