#include "tests/peers/bridgesim/script.h"

#include <gtest/gtest.h>

#include "tests/peers/bridgesim/faults.h"

namespace bascule::peers {
namespace {

TEST(ScriptTest, ReadsTriggersFaultsAndDurations) {
  const auto script = parse_script(
      "# storm\n"
      "at 12s bridge 2 kill for 8s\n"
      "\n"
      "when stress 0.9 bridge all errors internal 0.25 create for 300ms  # a comment\n"
      "when endpoints 40 bridge 1 slow 14.9s\n"
      "at 1s bridge all stats stopped for 30s\n"
      "at 2s bridge 1 deaf for 5s\n");
  ASSERT_TRUE(script) << script.error().what;
  ASSERT_EQ(script->size(), 5U);
  Faults faults;
  EXPECT_TRUE(faults.apply((*script)[4].action));
  EXPECT_TRUE(faults.deaf);
  faults.end("deaf");
  EXPECT_FALSE(faults.deaf);
  EXPECT_EQ((*script)[3].action.arguments, std::vector<std::string>{"stopped"});
  const ScriptLine& kill = (*script)[0];
  EXPECT_EQ(kill.trigger.kind, FaultTrigger::Kind::kTime);
  EXPECT_EQ(kill.trigger.threshold, 12);
  EXPECT_EQ(kill.bridge, 2);
  EXPECT_EQ(kill.action.verb, "kill");
  EXPECT_EQ(kill.action.duration, Milliseconds(8000));
  const ScriptLine& errors = (*script)[1];
  EXPECT_EQ(errors.bridge, 0);
  EXPECT_EQ(errors.action.arguments, (std::vector<std::string>{"internal", "0.25", "create"}));
  EXPECT_EQ(errors.action.duration, Milliseconds(300));
  EXPECT_EQ((*script)[2].action.arguments, std::vector<std::string>{"14.9s"});
  EXPECT_FALSE((*script)[2].action.duration);
}

TEST(ScriptTest, NamesTheBadLineAndWord) {
  const char* const bad[] = {
      "at 12 bridge 2 kill",           "at 12s bridge two kill",
      "at 12s bridge 2 explode",       "at 12s bridge 0 kill",
      "at 12s bridge 2 slow",          "at 12s bridge 2 slow fast",
      "at 12s bridge 2 drain maybe",   "at 12s bridge 2 errors internal 1.5",
      "at 12s bridge 2 errors nobody", "at 12s bridge 2 kill now",
      "when moon 3 bridge 2 kill",     "bridge 2 kill",
      "at 12s bridge 2 kill for ever", "at 12s bridge 2 lose-endpoints some",
  };
  for (const char* line : bad) {
    const auto script = parse_script(std::string("at 1s bridge 1 clear\n") + line);
    ASSERT_FALSE(script) << line;
    EXPECT_EQ(script.error().code, Errc::kInvalidArgument);
    EXPECT_TRUE(script.error().what.starts_with("line 2: ")) << script.error().what;
  }
}

}  // namespace
}  // namespace bascule::peers
