#include "admin/http_server.h"

#include <string>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/prng.h"
#include "tests/unit/admin/server_fixture.h"

namespace bascule::admin {
namespace {

using boost::asio::ip::tcp;
using std::chrono::milliseconds;

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(HttpServerTest, AnswersTwoRequestsOnOneConnection) {
  ServerFixture fixture;
  const auto answer = fixture.exchange(
      "GET /hello?one HTTP/1.1\r\nHost: localhost\r\n\r\n"
      "GET /hello?two HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(contains(answer, "hello one"));
  EXPECT_TRUE(contains(answer, "hello two"));
}

TEST(HttpServerTest, ARequestMayComeByteByByte) {
  ServerFixture fixture;
  tcp::socket socket = fixture.connect();
  socket.set_option(tcp::no_delay(true));
  const std::string request =
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc";
  for (const char byte : request) {
    boost::asio::write(socket, boost::asio::buffer(&byte, 1));
  }
  EXPECT_TRUE(ServerFixture::exchange_over(socket, "").ends_with("\r\n\r\nabc"));
}

TEST(HttpServerTest, AChunkedBodyIsTaken) {
  ServerFixture fixture;
  EXPECT_TRUE(fixture
                  .exchange("POST /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                            "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
                  .ends_with("\r\n\r\nabcde"));
}

TEST(HttpServerTest, HeadHasTheLengthButNoBody) {
  ServerFixture fixture;
  const auto answer = fixture.ask("HEAD /hello?x");
  EXPECT_TRUE(contains(answer, "Content-Length: 7"));
  EXPECT_FALSE(contains(answer, "hello x"));
  EXPECT_TRUE(fixture.ask("HEAD /events").ends_with("\r\n\r\n")) << "nor does a stream begin";
}

TEST(HttpServerTest, LimitsAreAnsweredNotDropped) {
  ServerFixture fixture;
  const std::string big(std::size_t{70} * 1024, 'x');
  EXPECT_TRUE(contains(fixture.ask("POST /echo", "Content-Length: 71680\r\n\r\n" + big), "413"));
  EXPECT_TRUE(contains(fixture.ask("GET /hello", "X: " + big + "\r\n"), "431"));
  EXPECT_TRUE(contains(fixture.ask("GET /" + big), "431"));
  EXPECT_TRUE(contains(fixture.exchange("this is not http\r\n\r\n"), "400"));
  const HttpCounters counters = fixture.counters();
  EXPECT_EQ(counters.refused_for(HttpRefusal::kBody), 1U);
  EXPECT_EQ(counters.refused_for(HttpRefusal::kHeader), 2U);
  EXPECT_EQ(counters.refused_for(HttpRefusal::kMalformed), 1U);
  EXPECT_EQ(counters.answers_by_class[4], 4U);
  EXPECT_EQ(counters.requests, 0U);
}

TEST(HttpServerTest, TheAnswerIsNotLostWithABodyThatNobodyReads) {
  ServerFixture fixture;
  // More than the kernel takes at once: closing with unread bytes would throw the answer away.
  const std::string huge(std::size_t{900} * 1024, 'x');
  EXPECT_TRUE(contains(fixture.ask("POST /echo", "Content-Length: 921600\r\n\r\n" + huge), "413"));
}

TEST(HttpServerTest, WhatTwoReadersMightTakeDifferentlyIsRefused) {
  ServerFixture fixture;
  for (const char* lines :
       {"Host: localhost\r\nHost: evil.example\r\n",
        "Host: localhost\r\nAuthorization: a\r\nAuthorization: b\r\n",
        "Host: localhost\r\nContent-Length: 3\r\nContent-Length: 4\r\n",
        "Host: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n",
        "Host: localhost\r\nContent-Length: -1\r\n", "Host : localhost\r\n", "no colon\r\n"}) {
    const std::string answer =
        fixture.exchange("POST /echo HTTP/1.1\r\n" + std::string(lines) + "\r\nabc");
    EXPECT_TRUE(contains(answer, "HTTP/1.1 400 ")) << lines << answer;
  }
}

TEST(HttpServerTest, ATornRequestIsNoRequest) {
  ServerFixture fixture;
  const std::string whole =
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc";
  for (std::size_t size = 1; size < whole.size(); ++size) {
    tcp::socket socket = fixture.connect();
    boost::asio::write(socket, boost::asio::buffer(whole.substr(0, size)));
    socket.shutdown(tcp::socket::shutdown_send);
    EXPECT_TRUE(contains(ServerFixture::exchange_over(socket, ""), "HTTP/1.1 400 ")) << size;
  }
  EXPECT_EQ(fixture.counters().requests, 0U);
  EXPECT_TRUE(fixture.eventually([](const auto& now) { return now.connections_open == 0; }));
}

TEST(HttpServerTest, ASlowRequestIsNotWaitedFor) {
  ServerFixture fixture({.request_timeout = milliseconds{50}});
  tcp::socket socket = fixture.connect();
  const auto answer = ServerFixture::exchange_over(socket, "GET /hello HTTP/1.1\r\nHost: loc");
  EXPECT_TRUE(contains(answer, "HTTP/1.1 408 ")) << answer;
  EXPECT_EQ(fixture.counters().refused_for(HttpRefusal::kSlowRequest), 1U);
}

TEST(HttpServerTest, ASilentConnectionIsClosed) {
  ServerFixture fixture({.idle_timeout = milliseconds{50}});
  EXPECT_EQ(fixture.exchange(""), "");
}

TEST(HttpServerTest, APeerThatDoesNotReadIsGivenUp) {
  ServerFixture fixture({.idle_timeout = milliseconds{50}});
  // More than the buffers of both kernels; it would get a second for each 64 KiB.
  tcp::socket socket(fixture.client_io(), tcp::v4());
  socket.set_option(boost::asio::socket_base::receive_buffer_size(4096));
  socket.connect({boost::asio::ip::make_address("127.0.0.1"), fixture.server().port()});
  boost::asio::write(
      socket,
      boost::asio::buffer(std::string("GET /large?60000 HTTP/1.1\r\nHost: localhost\r\n\r\n")));
  for (int i = 0; i < 400; ++i) {  // Answers queue up until the buffers are full.
    boost::system::error_code error;
    boost::asio::write(
        socket,
        boost::asio::buffer(std::string("GET /large?60000 HTTP/1.1\r\nHost: localhost\r\n\r\n")),
        error);
  }
  EXPECT_TRUE(fixture.eventually([](const HttpCounters& now) {
    return now.refused_for(HttpRefusal::kSlowReader) == 1 && now.answer_bytes == 0 &&
           now.connections_open == 0;
  }));
}

TEST(HttpServerTest, UnreadAnswersHaveABoundTogether) {
  constexpr std::size_t kSize = std::size_t{8} * 1024 * 1024;
  ServerFixture fixture({.answer_bytes_max = kSize + 1000});
  const std::string request =
      "GET /large?" + std::to_string(kSize) + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
  tcp::socket first = fixture.connect();
  boost::asio::write(first, boost::asio::buffer(request));
  ASSERT_TRUE(fixture.eventually([](const auto& now) { return now.answer_bytes == kSize; }));
  const std::string answer = fixture.ask("GET /large?2000");
  EXPECT_TRUE(contains(answer, "HTTP/1.1 503 ")) << answer;
  EXPECT_TRUE(contains(answer, "Retry-After: 5\r\n")) << answer;
  EXPECT_TRUE(contains(fixture.ask("GET /large?10"), "HTTP/1.1 200 "));
  first.close();
  EXPECT_TRUE(fixture.eventually([](const auto& now) { return now.answer_bytes == 0; }));
  EXPECT_TRUE(contains(fixture.ask("GET /large?2000"), "HTTP/1.1 200 "));
}

TEST(HttpServerTest, AHandlerThatNeverAnswersBecomes504) {
  ServerFixture fixture({.answer_timeout = milliseconds{20}});
  EXPECT_TRUE(contains(fixture.ask("GET /never"), "504"));
  EXPECT_EQ(fixture.counters().refused_for(HttpRefusal::kLate), 1U);
}

TEST(HttpServerTest, AHandlerThatThrowsIsAnsweredAndEndsNothing) {
  ServerFixture fixture;
  EXPECT_TRUE(contains(fixture.ask("GET /broken?x"), "HTTP/1.1 500 "));
  EXPECT_TRUE(contains(fixture.ask("GET /hello?x"), "hello x"));
}

/// Bytes changed, doubled, left out: every connection is answered or closed, and the next one is
/// served.
TEST(HttpServerTest, MutatedRequestsHurtNobody) {
  ServerFixture fixture;
  Prng random(7);
  const std::string good =
      "POST /echo?a=b HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc"
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n0\r\n\r\n"
      "GET /hello HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer x\r\n\r\n";
  for (int round = 0; round < 500; ++round) {
    std::string bytes = good;
    for (std::uint64_t changes = 1 + random.below(4); changes > 0; --changes) {
      const std::size_t at = random.below(bytes.size());
      switch (random.below(3)) {
        case 0:
          bytes[at] = static_cast<char>(random.below(256));
          break;
        case 1:
          bytes.insert(at, bytes.substr(random.below(bytes.size()), random.below(40)));
          break;
        default:
          bytes.erase(at, random.below(40));
      }
    }
    tcp::socket socket = fixture.connect();
    boost::system::error_code error;  // It may be closed before all is written.
    boost::asio::write(socket, boost::asio::buffer(bytes), error);
    socket.shutdown(tcp::socket::shutdown_send, error);
    ServerFixture::exchange_over(socket, "");
  }
  EXPECT_TRUE(contains(fixture.ask("GET /hello?x"), "hello x"));
  EXPECT_TRUE(fixture.eventually([](const auto& now) { return now.connections_open == 0; }));
}

TEST(HttpServerTest, RefusesConnectionsOverTheLimit) {
  ServerFixture fixture({.connections_max = 1});
  tcp::socket first = fixture.connect();
  boost::asio::write(
      first, boost::asio::buffer(std::string("GET /hello?a HTTP/1.1\r\nHost: localhost\r\n\r\n")));
  boost::asio::streambuf buffer;
  boost::asio::read_until(first, buffer, "hello a");
  EXPECT_EQ(fixture.ask("GET /hello"), "");
  EXPECT_EQ(fixture.counters().refused_for(HttpRefusal::kConnections), 1U);
}

TEST(HttpServerTest, EveryAnswerHasAnIdAndSaysWhatBrowsersMustNotDo) {
  ServerFixture fixture;
  const std::string own = fixture.ask("GET /who", "X-Request-Id: night-7.a_b\r\n");
  EXPECT_TRUE(contains(own, "X-Request-Id: night-7.a_b\r\n")) << own;
  EXPECT_TRUE(own.ends_with("local night-7.a_b")) << own;
  for (const std::string& bad :
       {std::string("a b"), std::string(65, 'x'), std::string("<script>"), std::string("\"")}) {
    const std::string answer = fixture.ask("GET /who", "X-Request-Id: " + bad + "\r\n");
    EXPECT_FALSE(contains(answer, bad)) << answer;
    EXPECT_TRUE(contains(answer, "X-Request-Id: ")) << answer;
  }
  for (const char* header : {"Cache-Control: no-store", "X-Content-Type-Options: nosniff",
                             "Referrer-Policy: no-referrer",
                             "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'",
                             "Cross-Origin-Resource-Policy: same-origin"}) {
    EXPECT_TRUE(contains(own, header)) << header;
    EXPECT_TRUE(contains(fixture.ask("GET /nothing"), header)) << header;
  }
  EXPECT_FALSE(contains(fixture.exchange("nonsense\r\n\r\n"), "X-Request-Id: \r\n"))
      << "also what is no request";
  const std::string page = fixture.ask("GET /page");
  EXPECT_TRUE(contains(page, "script-src 'self'")) << page;
  EXPECT_TRUE(contains(page, "frame-ancestors 'none'")) << page;
}

TEST(HttpServerTest, AHeaderCannotBringAnotherOne) {
  ServerFixture fixture;
  EXPECT_FALSE(contains(fixture.ask("GET /large?1"), "Injected"));
}

TEST(HttpServerTest, NoContentHasNeitherTypeNorLength) {
  ServerFixture fixture;
  const std::string answer = fixture.ask("PUT /level");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 204 No Content\r\n")) << answer;
  EXPECT_FALSE(contains(answer, "\r\nContent-Length")) << answer;
  EXPECT_FALSE(contains(answer, "\r\nContent-Type")) << answer;
}

TEST(HttpServerTest, WithoutDescriptorsItPausesAndServesLater) {
  boost::asio::io_context io{1};
  const auto server = HttpServer::listen(io, {.port = 0}, {}).value();
  boost::asio::io_context client_io{1};
  tcp::socket client(client_io, tcp::v4());
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const int lowest_free = ::dup(STDERR_FILENO);
  ::close(lowest_free);
  rlimit none_left = before;
  none_left.rlim_cur = static_cast<rlim_t>(lowest_free);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none_left), 0);
  client.connect({boost::asio::ip::make_address("127.0.0.1"), server->port()});
  EXPECT_LT(io.run_for(milliseconds{250}), 20U);
  EXPECT_EQ(server->counters().connections, 0U);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  boost::asio::write(client, boost::asio::buffer(std::string("GET / HTTP/1.1\r\n\r\n")));
  while (server->counters().requests == 0 && io.run_one_for(std::chrono::seconds{5}) > 0) {
  }
  EXPECT_EQ(server->counters().requests, 1U);
}

TEST(HttpServerTest, SaysWhichAddressCannotBeBound) {
  boost::asio::io_context io{1};
  const auto bad = HttpServer::listen(io, {.address = "nonsense"}, {});
  ASSERT_FALSE(bad.has_value());
  EXPECT_EQ(bad.error().code, Errc::kInvalidArgument);
  const auto first = HttpServer::listen(io, {.port = 0}, {}).value();
  const auto second = HttpServer::listen(io, {.port = first->port()}, {});
  ASSERT_FALSE(second.has_value());
  EXPECT_NE(second.error().what.find(std::to_string(first->port())), std::string::npos);
}

}  // namespace
}  // namespace bascule::admin
