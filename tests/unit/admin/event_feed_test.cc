#include "admin/event_feed.h"

#include <gmock/gmock.h>

#include "tests/unit/admin/ask.h"

namespace bascule::admin {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr, testing::IsEmpty, testing::Not, testing::StartsWith;

class EventFeedTest : public testing::Test {
 protected:
  EventFeedTest() { feed_.add_to(router_); }

  std::shared_ptr<EventStream> listen(const std::string& last_event_id = {}) {
    HttpRequest request = get("/v1/events");
    request.last_event_id = last_event_id;
    const HttpResponse response = ask(router_, request);
    EXPECT_EQ(response.content_type, "text/event-stream");
    return response.stream;
  }
  void note(const std::string& event) {
    notes_.push_back(event);
    feed_.tell({.at = WallTime(seconds{1'700'000'000}),
                .level = "info",
                .event = notes_.back(),
                .fields = R"({"room":"tea"})"});
  }

  std::deque<std::string> notes_;
  boost::asio::io_context io_{1};
  Router router_;
  int made_ = 0;
  EventFeed feed_{io_, "7", [this] { return "{\"made\":" + std::to_string(++made_) + "}\n"; }};
};

TEST_F(EventFeedTest, WhoListensGetsTheOverviewAtOnce) {
  const auto stream = listen();
  EXPECT_EQ(stream->take(), "event: overview\ndata: {\"made\":1}\n\n");
  EXPECT_EQ(feed_.listeners(), 1U);
}

TEST_F(EventFeedTest, EveryNoteIsTold) {
  const auto stream = listen();
  stream->take();
  note("bridge.placed");
  EXPECT_EQ(stream->take(),
            "id: 7.1\nevent: log\ndata: {\"at\":\"2023-11-14T22:13:20.000Z\",\"level\":\"info\","
            "\"event\":\"bridge.placed\",\"fields\":{\"room\":\"tea\"}}\n\n");
}

TEST_F(EventFeedTest, TheOverviewIsMadeOnceASecondForAllAndOnlyWhileSomebodyListens) {
  io_.run_for(milliseconds{1'200});
  EXPECT_EQ(made_, 0);
  const auto first = listen();
  const auto second = listen();
  first->take();
  second->take();
  EXPECT_EQ(made_, 2);
  io_.restart();
  while (made_ == 2 && io_.run_one_for(seconds{5}) > 0) {
  }
  EXPECT_THAT(first->take(), HasSubstr("\"made\":3"));
  EXPECT_THAT(second->take(), HasSubstr("\"made\":3"));
  first->close();
  second->close();
  EXPECT_EQ(feed_.listeners(), 0U);
  io_.restart();
  io_.run();  // The timer is not armed again: this ends.
  EXPECT_EQ(made_, 3);
}

TEST_F(EventFeedTest, WhoHasNotReadTheLastOverviewGetsNoOther) {
  const auto stream = listen();
  io_.restart();
  while (made_ == 1 && io_.run_one_for(seconds{5}) > 0) {
  }
  EXPECT_THAT(stream->take(), Not(HasSubstr("\"made\":2")));
}

TEST_F(EventFeedTest, NewListenersGetTheLatestNotesFirst) {
  for (std::size_t i = 0; i < EventFeed::kNotesMax + 5; ++i) {
    note("event." + std::to_string(i));
  }
  const std::string told = listen()->take();
  EXPECT_THAT(told, StartsWith("id: 7.6\n"));
  EXPECT_THAT(told, HasSubstr("id: 7.205\n"));
  EXPECT_THAT(told, testing::EndsWith("event: overview\ndata: {\"made\":1}\n\n"));
}

TEST_F(EventFeedTest, WhoComesBackGetsWhatItMissed) {
  for (const char* event : {"a.a", "b.b", "c.c"}) {
    note(event);
  }
  EXPECT_THAT(listen("7.2")->take(), StartsWith("id: 7.3\n"));
  EXPECT_THAT(listen("7.3")->take(), StartsWith("event: overview\n"));
  // Of another process, or nothing we ever said: everything.
  EXPECT_THAT(listen("6.2")->take(), StartsWith("id: 7.1\n"));
  EXPECT_THAT(listen("7.x")->take(), StartsWith("id: 7.1\n"));
  EXPECT_THAT(listen("nonsense")->take(), StartsWith("id: 7.1\n"));
}

TEST_F(EventFeedTest, AListenerTooManyIsRefusedUntilOneLeaves) {
  std::vector<std::shared_ptr<EventStream>> streams;
  for (std::size_t i = 0; i < EventFeed::kListenersMax; ++i) {
    streams.push_back(listen());
  }
  EXPECT_EQ(ask(router_, get("/v1/events")).status, 503U);
  streams.front()->close();
  EXPECT_EQ(ask(router_, get("/v1/events")).status, 200U);
  EXPECT_EQ(ask(router_, get("/v1/events", "x=1")).status, 400U);
}

TEST_F(EventFeedTest, ADroppedListenerDoesNotHinderTheOthers) {
  const auto slow = listen();
  const auto quick = listen();
  quick->take();
  slow->send(std::string(EventFeed::kQueueBytesMax, 'x'));
  EXPECT_TRUE(slow->has_overflowed());
  note("a.a");
  EXPECT_EQ(feed_.listeners(), 1U);
  EXPECT_THAT(quick->take(), HasSubstr("a.a"));
}

}  // namespace
}  // namespace bascule::admin
