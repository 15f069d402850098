#include "admin/event_stream.h"

#include <gtest/gtest.h>

namespace bascule::admin {
namespace {

TEST(EventStreamTest, AnEventHasOneDataLinePerLine) {
  EXPECT_EQ(server_sent_event("log", "one"), "event: log\ndata: one\n\n");
  EXPECT_EQ(server_sent_event("log", "a\nb\r\nc\rd", "7"),
            "id: 7\nevent: log\ndata: a\ndata: b\ndata: c\ndata: d\n\n");
  EXPECT_EQ(server_sent_event("log", ""), "event: log\ndata: \n\n");
}

TEST(EventStreamTest, WhatIsSentIsTakenInOrder) {
  EventStream stream;
  int woken = 0;
  stream.send("a");  // Before anybody listens.
  stream.attach([&woken] { ++woken; });
  stream.send("b");
  EXPECT_EQ(woken, 1);
  EXPECT_EQ(stream.take(), "ab");
  EXPECT_EQ(stream.take(), "");
}

TEST(EventStreamTest, AReaderThatStallsLosesTheStream) {
  EventStream stream(10);
  int closed = 0;
  int woken = 0;
  stream.on_close([&closed] { ++closed; });
  stream.attach([&woken] { ++woken; });
  stream.send("1234567890");
  EXPECT_TRUE(stream.is_open());
  stream.send("x");
  EXPECT_FALSE(stream.is_open());
  EXPECT_TRUE(stream.has_overflowed());
  EXPECT_EQ(stream.queued_bytes(), 0U) << "nothing is kept for it";
  EXPECT_EQ(closed, 1);
  EXPECT_EQ(woken, 2);
  stream.send("y");
  stream.close();
  EXPECT_EQ(closed, 1);
  stream.on_close([&closed] { ++closed; });
  EXPECT_EQ(closed, 2) << "told at once";
}

}  // namespace
}  // namespace bascule::admin
