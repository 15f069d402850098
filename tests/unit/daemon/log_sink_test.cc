#include "daemon/log_sink.h"

#include <gtest/gtest.h>

namespace bascule::daemon {
namespace {

using focus::Note;
using focus::NoteLevel;
using std::chrono::milliseconds;

TEST(LogSinkTest, OneLinePerEventWithEveryKindOfValue) {
  const Note note{.level = NoteLevel::kInfo,
                  .event = "bridge.placed",
                  .fields = {{"room", std::string("a@conference.example")},
                             {"expected", std::int64_t{412}},
                             {"planned", true},
                             {"waited_ms", Duration{milliseconds{130}}}}};
  EXPECT_EQ(LogSink::format(note, false),
            "bridge.placed room=a@conference.example expected=412 planned=true waited_ms=130");
}

TEST(LogSinkTest, AHostileValueCannotForgeALineOrAField) {
  const Note note{.level = NoteLevel::kInfo,
                  .event = "x",
                  .fields = {{"nick", std::string("a\n2026 error focus.dead b=\"c\\")}}};
  EXPECT_EQ(LogSink::format(note, false), R"(x nick="a\x0a2026 error focus.dead b=\"c\\")");
}

TEST(LogSinkTest, HashesPeopleAndRoomsButNotBridgesOnRequest) {
  const Note note{
      .level = NoteLevel::kInfo,
      .event = "x",
      .fields = {{"room", std::string("secret@c.example")}, {"bridge", std::string("jvb1")}}};
  const auto line = LogSink::format(note, true);
  EXPECT_EQ(line.find("secret"), std::string::npos);
  EXPECT_NE(line.find("bridge=jvb1"), std::string::npos);
}

TEST(LogSinkTest, JsonKeepsTypesAndSurvivesBytesThatAreNotUtf8) {
  const Note note{.level = NoteLevel::kInfo,
                  .event = "x",
                  .fields = {{"n", std::int64_t{4}}, {"s", std::string("a\xff\"")}}};
  EXPECT_EQ(LogSink::format_json(note, false),
            "{\"event\":\"x\",\"n\":4,\"s\":\"a\xEF\xBF\xBD\\\"\"}");
}

TEST(LogSinkTest, AFloodOfOneEventIsCountedNotWritten) {
  LogSink sink({.level = NoteLevel::kInfo, .lines_per_second_max = 2});
  const Note note{.level = NoteLevel::kInfo, .event = "flood", .fields = {}};
  const Now now{.mono = Instant{std::chrono::seconds{100}}, .wall = WallTime{}};
  for (int i = 0; i < 5; ++i) {
    sink.write(note, now);
  }
  EXPECT_EQ(sink.suppressed_total(), 3U);
}

}  // namespace
}  // namespace bascule::daemon
