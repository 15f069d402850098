#include "tests/integration/prosody.h"

#include <filesystem>
#include <stdexcept>

#include <gtest/gtest.h>
#include <signal.h>

namespace bascule::test {
namespace {

TEST(ProsodyFixtureTest, StartsStopsAndStartsAgainOnTheSamePorts) {
  Prosody prosody;
  const auto port = prosody.c2s_port();
  EXPECT_NE(port, prosody.component_port());
  EXPECT_TRUE(std::filesystem::exists(prosody.ca_file()));
  const pid_t first = prosody.pid();
  prosody.kill();
  EXPECT_EQ(::kill(first, 0), -1);
  prosody.start();
  EXPECT_NE(prosody.pid(), first);
  EXPECT_EQ(prosody.c2s_port(), port);
  prosody.stop();
  EXPECT_EQ(prosody.pid(), -1);
}

TEST(ProsodyFixtureTest, TwoRunSideBySide) {
  Prosody one;
  Prosody two;
  EXPECT_NE(one.c2s_port(), two.c2s_port());
}

TEST(ProsodyFixtureTest, ABadConfigurationIsReportedWithTheLog) {
  EXPECT_THROW(Prosody({.extra_global = "this is no Lua ("}), std::runtime_error);
}

TEST(ProsodyFixtureTest, NoFolderStaysBehind) {
  std::string certificate;
  {
    Prosody prosody;
    certificate = prosody.ca_file();
    ASSERT_TRUE(std::filesystem::exists(certificate));
  }
  EXPECT_FALSE(std::filesystem::exists(std::filesystem::path(certificate).parent_path()));
}

}  // namespace
}  // namespace bascule::test
