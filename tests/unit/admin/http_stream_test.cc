// Answers that go on: server-sent events over a real connection.

#include <string>

#include <gtest/gtest.h>

#include "tests/unit/admin/server_fixture.h"

namespace bascule::admin {
namespace {

using boost::asio::ip::tcp;
using std::chrono::milliseconds;

constexpr auto kListen = "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// A peer that has got the header of the answer.
tcp::socket listen_to(ServerFixture& fixture, std::string& header) {
  tcp::socket socket = fixture.connect();
  boost::asio::write(socket, boost::asio::buffer(std::string(kListen)));
  const auto size =
      boost::asio::read_until(socket, boost::asio::dynamic_buffer(header), "\r\n\r\n");
  EXPECT_EQ(size, header.size()) << "nothing was sent yet";
  return socket;
}

void send(ServerFixture& fixture, const std::string& text) {
  fixture.on_loop([&fixture, &text] {
    fixture.stream()->send(text);
    return true;
  });
}

TEST(HttpStreamTest, EventsArriveAsTheyAreSent) {
  ServerFixture fixture;
  std::string header;
  tcp::socket socket = listen_to(fixture, header);
  EXPECT_NE(header.find("HTTP/1.1 200 OK\r\n"), std::string::npos) << header;
  EXPECT_NE(header.find("Content-Type: text/event-stream\r\n"), std::string::npos) << header;
  EXPECT_NE(header.find("Connection: close\r\n"), std::string::npos) << header;
  EXPECT_EQ(header.find("Content-Length"), std::string::npos) << header;
  EXPECT_EQ(fixture.counters().streams_open, 1U);
  for (const char* data : {"one", "two"}) {
    const std::string event = server_sent_event("test", data);
    send(fixture, event);
    std::string got(event.size(), ' ');
    boost::asio::read(socket, boost::asio::buffer(got));
    EXPECT_EQ(got, event);
  }
  fixture.on_loop([&fixture] {
    fixture.stream()->close();
    return true;
  });
  EXPECT_EQ(ServerFixture::exchange_over(socket, ""), "");
  socket.close();
  EXPECT_TRUE(fixture.eventually([](const auto& now) { return now.connections_open == 0; }));
  EXPECT_EQ(fixture.counters().streams_open, 0U);
}

TEST(HttpStreamTest, TheHandlerLearnsThatThePeerHasGone) {
  ServerFixture fixture;
  std::string header;
  tcp::socket socket = listen_to(fixture, header);
  boost::asio::write(socket, boost::asio::buffer(std::string("this is no request")));
  int closed = 0;
  fixture.on_loop([&] {
    fixture.stream()->on_close([&closed] { ++closed; });
    return true;
  });
  EXPECT_EQ(fixture.counters().streams_open, 1U);
  socket.close();
  EXPECT_TRUE(fixture.eventually([](const auto& now) { return now.streams_open == 0; }));
  EXPECT_EQ(fixture.on_loop([&closed] { return closed; }), 1);
}

TEST(HttpStreamTest, AHeartbeatKeepsItAlive) {
  ServerFixture fixture({.heartbeat = milliseconds{20}});
  std::string text;
  tcp::socket socket = listen_to(fixture, text);
  boost::asio::read_until(socket, boost::asio::dynamic_buffer(text), ":\n\n:\n\n");
  EXPECT_EQ(fixture.counters().streams_open, 1U);
}

TEST(HttpStreamTest, AReaderThatStallsIsDroppedAndCostsNoMemory) {
  ServerFixture fixture;
  std::string header;
  tcp::socket socket = listen_to(fixture, header);
  const std::string event = server_sent_event("test", std::string(60'000, 'x'));
  std::size_t queued_max = 0;
  for (int i = 0; i < 1000 && fixture.counters().streams_open == 1; ++i) {
    queued_max = std::max(queued_max, fixture.on_loop([&fixture, &event] {
      fixture.stream()->send(event);
      return fixture.stream()->queued_bytes();
    }));
  }
  EXPECT_EQ(fixture.counters().streams_open, 0U);
  EXPECT_LE(queued_max, EventStream::kQueueBytesMax);
  EXPECT_TRUE(fixture.on_loop([&fixture] { return fixture.stream()->has_overflowed(); }));
  EXPECT_EQ(fixture.counters().refused_for(HttpRefusal::kSlowReader), 1U);
  EXPECT_TRUE(fixture.eventually([](const auto& now) { return now.connections_open == 0; }));
}

TEST(HttpStreamTest, AStalledReaderOfFewEventsIsDroppedInTime) {
  ServerFixture fixture({.idle_timeout = milliseconds{50}});
  std::string header;
  tcp::socket socket = listen_to(fixture, header);
  // Fills the buffers of both kernels; then one write does not end.
  const std::string event = server_sent_event("test", std::string(200'000, 'x'));
  EXPECT_TRUE(fixture.eventually([&](const HttpCounters& now) {
    fixture.on_loop([&] {
      if (fixture.stream()->queued_bytes() == 0) {
        fixture.stream()->send(event);
      }
      return true;
    });
    return now.streams_open == 0;
  }));
  EXPECT_EQ(fixture.counters().refused_for(HttpRefusal::kSlowReader), 1U);
  EXPECT_FALSE(fixture.on_loop([&fixture] { return fixture.stream()->has_overflowed(); }));
}

TEST(HttpStreamTest, TooManyAreToldToComeBack) {
  ServerFixture fixture({.streams_max = 1});
  std::string header;
  tcp::socket first = listen_to(fixture, header);
  const std::string answer = fixture.ask("GET /events");
  EXPECT_NE(answer.find("HTTP/1.1 503 "), std::string::npos) << answer;
  EXPECT_NE(answer.find("Retry-After: 30\r\n"), std::string::npos) << answer;
  EXPECT_EQ(fixture.counters().refused_for(HttpRefusal::kStreams), 1U);
  first.close();
  EXPECT_TRUE(fixture.eventually([](const auto& now) { return now.streams_open == 0; }));
  tcp::socket second = listen_to(fixture, header = "");
}

TEST(HttpStreamTest, StoppingClosesThem) {
  ServerFixture fixture;
  std::string header;
  tcp::socket socket = listen_to(fixture, header);
  EXPECT_TRUE(fixture.on_loop([&fixture] {
    bool closed = false;
    fixture.stream()->on_close([&closed] { closed = true; });
    fixture.server().stop();
    return closed;
  }));
  EXPECT_EQ(ServerFixture::exchange_over(socket, ""), "");
}

}  // namespace
}  // namespace bascule::admin
