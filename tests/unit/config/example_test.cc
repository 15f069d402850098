// config/bascule.example.toml is generated from the table of keys and must not drift from it.
// BASCULE_REWRITE=1 in the environment of this test writes the file anew.

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/print.h"
#include "config/schema.h"
#include "config/toml/load.h"

namespace bascule::config {
namespace {

const std::string kExample = BASCULE_SOURCE_DIR "/config/bascule.example.toml";
/// What an installation must say in any case.
const Environment kSecrets = {{"BASCULE_LINKS_REQUESTS_SECRET", "r"},
                              {"BASCULE_LINKS_CLIENT_PASSWORD", "c"},
                              {"BASCULE_LINKS_SERVICE_SECRET", "s"}};

std::string read_example() {
  std::ifstream stream(kExample);
  return {std::istreambuf_iterator<char>(stream), {}};
}

TEST(ExampleTest, IsWhatTheTableSays) {
  if (std::getenv("BASCULE_REWRITE") != nullptr) {
    std::ofstream(kExample) << print_example();
  }
  std::istringstream file(read_example());
  std::istringstream table(print_example());
  std::string in_file;
  std::string in_table;
  while (std::getline(table, in_table)) {
    in_file.clear();
    std::getline(file, in_file);
    EXPECT_EQ(in_file, in_table);
  }
  EXPECT_TRUE(read_example() == print_example())
      << "A key or default changed. Write the example file anew and commit it:\n"
         "  BASCULE_REWRITE=1 ctest --test-dir build/dev -R '^unit.config$'";
}

TEST(ExampleTest, ParsesAndEqualsTheDefaults) {
  const auto from_file = load(kExample, kSecrets);
  ASSERT_TRUE(from_file.has_value()) << to_string(from_file.error()[0], kExample);
  auto environment = kSecrets;
  environment["BASCULE_XMPP_DOMAIN"] = "meet.example.com";  // The one key without a default.
  const auto defaults = load("", environment);
  ASSERT_TRUE(defaults.has_value()) << to_string(defaults.error()[0], "");
  for (const auto& key : keys()) {
    EXPECT_EQ(key.field.print(from_file->config), key.field.print(defaults->config)) << key.path;
  }
}

TEST(ExampleTest, NamesEveryKey) {
  const auto entries = parse_toml(read_example());
  ASSERT_TRUE(entries.has_value());
  std::size_t secrets = 0;
  for (const auto& key : keys()) {
    secrets += key.field.is_secret ? 1 : 0;
    if (!key.field.is_secret) {
      EXPECT_TRUE(std::any_of(entries->begin(), entries->end(), [&](const Entry& entry) {
        return entry.path == key.path;
      })) << key.path;
    }
  }
  EXPECT_EQ(entries->size() + secrets, keys().size());
  EXPECT_THAT(read_example(), testing::HasSubstr("# password-file = "));
}

}  // namespace
}  // namespace bascule::config
