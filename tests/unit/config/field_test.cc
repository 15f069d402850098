#include "config/field.h"

#include <set>
#include <string>

#include <gtest/gtest.h>

#include "config/schema.h"

namespace bascule::config {
namespace {

using std::chrono::hours, std::chrono::microseconds, std::chrono::milliseconds,
    std::chrono::minutes, std::chrono::seconds;

TEST(FieldTest, ReadsDurationsWithTheirUnit) {
  const auto read = [](const char* text) { return as_duration(std::string(text)); };
  EXPECT_EQ(read("15 s"), seconds{15});
  EXPECT_EQ(read("15s"), seconds{15});
  EXPECT_EQ(read(" 500 ms "), milliseconds{500});
  EXPECT_EQ(read("2 min"), minutes{2});
  EXPECT_EQ(read("1 h"), hours{1});
  EXPECT_EQ(read("7 us"), microseconds{7});
  for (const char* wrong : {"", "s", "15", "-1 s", "1.5 s", "15 seconds", "1 s 2 ms", "15 S",
                            "9223372036854775807 s", "99999999999999999999 s"}) {
    EXPECT_EQ(read(wrong), std::nullopt) << wrong;
  }
  EXPECT_EQ(as_duration(std::int64_t{15}), std::nullopt);
}

TEST(FieldTest, TheEnvironmentMayUseTheUnitsOfJicofo) {
  EXPECT_EQ(as_duration(Untyped{"15000"}), seconds{15});
  EXPECT_EQ(as_duration(Untyped{"15 seconds"}), seconds{15});
  EXPECT_EQ(as_duration(Untyped{"1 minute"}), minutes{1});
  EXPECT_EQ(as_duration(Untyped{"15 s"}), seconds{15});
  EXPECT_EQ(as_duration(Untyped{"soon"}), std::nullopt);
}

TEST(FieldTest, ReadsFractionsWithoutRounding) {
  EXPECT_EQ(as_fraction(Untyped{"0.85"}), Millionths{850'000});
  EXPECT_EQ(as_fraction(Untyped{"1"}), Millionths{1'000'000});
  EXPECT_EQ(as_fraction(Untyped{"0.000001"}), Millionths{1});
  EXPECT_EQ(as_fraction(std::int64_t{2}), Millionths{2'000'000});
  for (const char* wrong : {"", ".5", "1.", "0.0000001", "-0.5", "1e3", "0.5x"}) {
    EXPECT_EQ(as_fraction(Untyped{wrong}), std::nullopt) << wrong;
  }
  EXPECT_EQ(print_fraction({850'000}), "0.85");
  EXPECT_EQ(print_fraction({1'000'000}), "1.0");
  EXPECT_EQ(print_fraction({5}), "0.000005");
}

TEST(FieldTest, ReadsListsFromTheEnvironment) {
  EXPECT_EQ(as_list(Untyped{"a, b,c "}), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(as_list(Untyped{" "}), std::vector<std::string>());
}

TEST(FieldTest, EscapesText) {
  EXPECT_EQ(print_text("a\"b\\c\n"), "\"a\\\"b\\\\c\\u000A\"");
}

TEST(SchemaTest, EveryKeyIsUniqueComplete) {
  std::set<std::string> paths;
  std::set<std::string> variables;
  const Config defaults;
  for (const auto& key : keys()) {
    SCOPED_TRACE(key.path);
    EXPECT_TRUE(paths.insert(key.path).second);
    EXPECT_TRUE(variables.insert(environment_variable(key)).second);
    EXPECT_FALSE(key.field.allowed.empty());
    EXPECT_FALSE(key.field.print(defaults).empty());
    EXPECT_NE(key.path.find('.'), std::string::npos);
    EXPECT_EQ(key.field.is_secret, !key.example.empty() && key.example[0] == '/');
  }
}

// A key that wrote to the wrong member, or a default outside of its own range, shows here.
TEST(SchemaTest, EveryKeyReadsBackWhatItPrints) {
  for (const auto& key : keys()) {
    SCOPED_TRACE(key.path);
    if (key.field.is_secret) {
      continue;
    }
    Config config;
    auto printed = key.field.print(config);
    if (printed.front() == '"') {
      printed = printed.substr(1, printed.size() - 2);
    }
    if (printed == "[]") {
      printed = "";
    }
    if (printed.empty() && key.field.assign(config, Untyped{"conference"})) {
      const auto now_printed = key.field.print(config);
      EXPECT_TRUE(now_printed == "\"conference\"" || now_printed == "[\"conference\"]");
      continue;
    }
    EXPECT_TRUE(key.field.assign(config, Untyped{printed})) << printed;
    for (const auto& other : keys()) {
      EXPECT_EQ(other.field.print(config), other.field.print(Config()));
    }
  }
}

TEST(SchemaTest, EveryKeyRefusesNonsenseAndLeavesTheConfigAlone) {
  const std::string nonsense(2000, '\n');
  for (const auto& key : keys()) {
    SCOPED_TRACE(key.path);
    Config config;
    EXPECT_FALSE(key.field.assign(config, RawValue()));
    EXPECT_FALSE(key.field.assign(config, std::vector<std::string>{nonsense}));
    EXPECT_FALSE(key.field.assign(config, std::int64_t{-1}));
    EXPECT_EQ(key.field.print(config), key.field.print(Config()));
  }
}

}  // namespace
}  // namespace bascule::config
