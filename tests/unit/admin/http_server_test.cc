#include "admin/http_server.h"

#include <string>
#include <thread>

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

namespace bascule::admin {
namespace {

using boost::asio::ip::tcp;
using boost::system::error_code;

/// A server on its own thread and loop; requests are written as raw bytes, so that what is tested
/// is the wire and not a client library.
class Fixture {
 public:
  explicit Fixture(HttpServerOptions options = {}) {
    options.port = 0;
    Router router;
    router.add("GET", "/hello", [](const HttpRequest& request, const Respond& respond) {
      respond({.status = 200,
               .content_type = "text/plain",
               .body = "hello " + request.query,
               .headers = {}});
    });
    router.add("POST", "/echo", [](const HttpRequest& request, const Respond& respond) {
      respond({.status = 200, .content_type = "text/plain", .body = request.body, .headers = {}});
    });
    router.add("GET", "/never",
               [this](const HttpRequest&, Respond respond) { held_ = std::move(respond); });
    server_ = HttpServer::listen(io_, options, std::move(router)).value();
    thread_ = std::thread([this] { io_.run(); });
  }
  ~Fixture() {
    boost::asio::post(io_, [this] {
      held_ = nullptr;
      server_->stop();
    });
    thread_.join();
  }

  tcp::socket connect() {
    tcp::socket socket(client_io_);
    socket.connect({boost::asio::ip::make_address("127.0.0.1"), server_->port()});
    return socket;
  }

  /// Everything the server sends until it closes the connection.
  std::string exchange(const std::string& bytes) {
    tcp::socket socket = connect();
    error_code error;  // The server may close before it has read everything.
    boost::asio::write(socket, boost::asio::buffer(bytes), error);
    std::string answer;
    boost::asio::read(socket, boost::asio::dynamic_buffer(answer), error);
    return answer;
  }

 private:
  boost::asio::io_context io_{1};
  boost::asio::io_context client_io_{1};
  Respond held_;
  std::unique_ptr<HttpServer> server_;
  std::thread thread_;
};

TEST(HttpServerTest, AnswersTwoRequestsOnOneConnection) {
  Fixture fixture;
  const auto answer = fixture.exchange(
      "GET /hello?one HTTP/1.1\r\nHost: x\r\n\r\n"
      "GET /hello?two HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_NE(answer.find("hello one"), std::string::npos);
  EXPECT_NE(answer.find("hello two"), std::string::npos);
}

TEST(HttpServerTest, HeadHasTheLengthButNoBody) {
  Fixture fixture;
  const auto answer =
      fixture.exchange("HEAD /hello?x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_NE(answer.find("Content-Length: 7"), std::string::npos);
  EXPECT_EQ(answer.find("hello x"), std::string::npos);
}

TEST(HttpServerTest, LimitsAreAnsweredNotDropped) {
  Fixture fixture;
  const std::string big(std::size_t{70} * 1024, 'x');
  EXPECT_NE(
      fixture.exchange("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 71680\r\n\r\n" + big)
          .find("413"),
      std::string::npos);
  EXPECT_NE(fixture.exchange("GET /hello HTTP/1.1\r\nX: " + big + "\r\n\r\n").find("431"),
            std::string::npos);
  EXPECT_NE(fixture.exchange("this is not http\r\n\r\n").find("400"), std::string::npos);
}

TEST(HttpServerTest, AHandlerThatNeverAnswersBecomes504) {
  Fixture fixture({.answer_timeout = std::chrono::milliseconds{20}});
  EXPECT_NE(
      fixture.exchange("GET /never HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").find("504"),
      std::string::npos);
}

TEST(HttpServerTest, RefusesConnectionsOverTheLimit) {
  Fixture fixture({.connections_max = 1});
  tcp::socket first = fixture.connect();
  boost::asio::write(first, boost::asio::buffer(std::string("GET /hello?a HTTP/1.1\r\n\r\n")));
  boost::asio::streambuf buffer;
  boost::asio::read_until(first, buffer, "hello a");
  EXPECT_EQ(fixture.exchange("GET /hello HTTP/1.1\r\n\r\n"), "");
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
  EXPECT_LT(io.run_for(std::chrono::milliseconds{250}), 20U);
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
