#include "daemon/log_sink.h"

#include <functional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace bascule::daemon {
namespace {

using focus::Note;
using focus::NoteLevel;
using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::MatchesRegex;

TEST(LogSinkTest, OneLinePerEventWithEveryKindOfValue) {
  const Note note{.level = NoteLevel::kInfo,
                  .event = "bridge.placed",
                  .fields = {{"room", std::string("a@conference.example")},
                             {"expected", std::int64_t{412}},
                             {"planned", true},
                             {"waited_ms", Duration{milliseconds{130}}}}};
  EXPECT_EQ(LogSink::format(note, {}),
            "bridge.placed room=a@conference.example expected=412 planned=true waited_ms=130");
}

TEST(LogSinkTest, AHostileValueCannotForgeALineOrAField) {
  const Note note{.level = NoteLevel::kInfo,
                  .event = "x",
                  .fields = {{"nick", std::string("a\n2026 error focus.dead b=\"c\\")}}};
  EXPECT_EQ(LogSink::format(note, {}), R"(x nick="a\x0a2026 error focus.dead b=\"c\\")");
}

TEST(LogSinkTest, HashesPeopleAndRoomsButNotBridgesOnRequest) {
  const Note note{.level = NoteLevel::kInfo,
                  .event = "x",
                  .fields = {{"room", std::string("secret@c.example")},
                             {"endpoint", std::string("ab12")},
                             {"bridge", std::string("jvb1")}}};
  const std::string room = hash_for_log("key", "secret@c.example");
  EXPECT_EQ(LogSink::format(note, "key"),
            "x room=" + room + " endpoint=" + hash_for_log("key", "ab12") + " bridge=jvb1");
  EXPECT_THAT(LogSink::format_json(note, "key"), HasSubstr("\"room\":\"" + room + "\""));
}

// Without the key nobody can find a room by trying names; with it the operator can.
TEST(LogSinkTest, AHashDependsOnTheKey) {
  EXPECT_EQ(hash_for_log("key", "room@c.example").size(), 12U);
  EXPECT_EQ(hash_for_log("key", "room@c.example"), hash_for_log("key", "room@c.example"));
  EXPECT_NE(hash_for_log("key", "room@c.example"), hash_for_log("another", "room@c.example"));
  // RFC 4231, test case 2.
  EXPECT_EQ(hash_for_log("Jefe", "what do ya want for nothing?"), "5bdcc146bf60");
}

TEST(LogSinkTest, JsonKeepsTypesAndSurvivesBytesThatAreNotUtf8) {
  const Note note{.level = NoteLevel::kInfo,
                  .event = "x",
                  .fields = {{"n", std::int64_t{4}}, {"s", std::string("a\xff\"")}}};
  EXPECT_EQ(LogSink::format_json(note, {}),
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

/// What `action` writes to stderr. With `journal` JOURNAL_STREAM names it.
std::string written(bool journal, const std::function<void()>& action) {
  testing::internal::CaptureStderr();
  if (journal) {
    struct stat status {};
    ::fstat(STDERR_FILENO, &status);
    const std::string name = std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino);
    ::setenv("JOURNAL_STREAM", name.c_str(), 1);
  }
  action();
  ::unsetenv("JOURNAL_STREAM");
  return testing::internal::GetCapturedStderr();
}

TEST(LogSinkTest, WhatWasSuppressedIsToldAlsoWhenItNeverComesAgain) {
  const Note note{.level = NoteLevel::kWarn, .event = "flood", .fields = {}};
  const Now now{.mono = Instant{std::chrono::seconds{100}}, .wall = WallTime{}};
  const std::string lines = written(false, [&] {
    LogSink sink({.level = NoteLevel::kInfo, .lines_per_second_max = 1});
    for (int i = 0; i < 5; ++i) {
      sink.write(note, now);
    }
    sink.tell_suppressed(now);  // The second is not over.
    sink.tell_suppressed({.mono = now.mono + milliseconds{1000}, .wall = WallTime{}});
    sink.tell_suppressed({.mono = now.mono + milliseconds{2000}, .wall = WallTime{}});
  });
  EXPECT_THAT(lines, MatchesRegex("[^\n]+ warn flood\n"
                                  "[^\n]+ warn log.suppressed what=flood suppressed=4\n"));
}

TEST(LogSinkTest, ThreeFormatsWhichCanBeChangedWhileItRuns) {
  const Note note{
      .level = NoteLevel::kWarn, .event = "room.refused", .fields = {{"room", std::string("a b")}}};
  const Now now{.mono = Instant{std::chrono::seconds{100}}, .wall = WallTime{}};
  const std::string lines = written(false, [&] {
    LogSink sink({.format = LogFormat::kText});
    for (const LogFormat format : {LogFormat::kText, LogFormat::kLogfmt, LogFormat::kJson}) {
      sink.configure({.format = format});
      sink.write(note, now);
    }
    sink.configure({.level = NoteLevel::kError});
    sink.write(note, now);
  });
  const std::string time = "20..-..-..T..:..:..\\....[+-]..:..";
  EXPECT_THAT(lines, MatchesRegex(time + " warn room.refused room=\"a b\"\n" +  //
                                  "ts=" + time +
                                  " level=warn event=room.refused room=\"a b\"\n"
                                  "[{]\"time\":\"" +
                                  time +
                                  "\",\"level\":\"warn\",\"event\":\"room.refused\","
                                  "\"room\":\"a b\"[}]\n"));
}

TEST(LogSinkTest, TheJournalIsToldThePriorityOfALine) {
  const Now now{.mono = Instant{std::chrono::seconds{100}}, .wall = WallTime{}};
  const auto write_all = [&] {
    LogSink sink({.level = NoteLevel::kDebug});
    for (const NoteLevel level :
         {NoteLevel::kDebug, NoteLevel::kInfo, NoteLevel::kWarn, NoteLevel::kError}) {
      sink.write({.level = level, .event = "x", .fields = {}}, now);
    }
  };
  EXPECT_THAT(written(true, write_all),
              MatchesRegex("<7>2.* debug x\n<6>2.* info x\n<4>2.* warn x\n<3>2.* error x\n"));
  EXPECT_THAT(written(false, write_all), testing::StartsWith("2"));
  EXPECT_FALSE(is_journal("1:1", STDERR_FILENO));
}

}  // namespace
}  // namespace bascule::daemon
